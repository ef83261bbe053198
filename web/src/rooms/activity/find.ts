// What is looked for in the audit log: by the server what it can, in the rows that are here the rest.

import type { AuditFilter } from "../../api/queries";
import type { AuditRow } from "../../api/types";
import type { AuditSearch } from "../../router";

/** Kinds of actions, as the server filters by them, each with what people call it. */
export const KINDS: readonly { value: string; text: string }[] = [
  { value: "login", text: "Sign-ins" },
  { value: "logout", text: "Sign-outs" },
  { value: "denied", text: "Refusals" },
  { value: "user.*", text: "Users and keys" },
  { value: "group.*", text: "Groups" },
  { value: "token.*", text: "API tokens" },
  { value: "session.*", text: "Sessions" },
  { value: "auth_provider.*", text: "Sign-in providers" },
  { value: "mapping_rule.*", text: "Mapping rules" },
  { value: "identity.*", text: "External identities" },
  { value: "backup.*", text: "Backups and restores" },
  { value: "password.*", text: "Bootstrap password" },
  { value: "bucket.*", text: "Buckets" },
  { value: "audit.*", text: "The log itself" },
];

export const OUTCOMES = ["success", "denied", "failed", "started"] as const;

export function asFilter({ actor, action, outcome }: AuditSearch): AuditFilter {
  return { ...(actor ? { actor } : {}), ...(action ? { action } : {}), ...(outcome ? { outcome } : {}) };
}

/** Whether rows that the server gave are to be looked through here too. */
export function searches({ q, request }: AuditSearch): boolean {
  return Boolean(q?.trim()) || Boolean(request);
}

/** Rows that fit what the server does not filter by. */
export function matching(rows: readonly AuditRow[], search: AuditSearch): readonly AuditRow[] {
  if (!searches(search)) return rows;
  const q = search.q?.trim().toLowerCase() ?? "";
  return rows.filter(
    (row) => (!search.request || row.request_id === search.request) && (!q || haystack(row).includes(q)),
  );
}

function haystack(row: AuditRow): string {
  const detail = row.detail === null ? "" : JSON.stringify(row.detail);
  return [row.actor, row.action, row.target, row.ip, row.request_id, detail].join("\n").toLowerCase();
}
