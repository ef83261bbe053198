// Which rows of the audit log are looked for.

import type { AuditRow } from "../../api/types";
import type { AuditSearch } from "../../router";

/** Rows that fit everything that is asked for. */
export function matching(rows: readonly AuditRow[], search: AuditSearch): AuditRow[] {
  const q = search.q?.trim().toLowerCase() ?? "";
  return rows.filter(
    (row) =>
      (!search.request || row.request_id === search.request) &&
      (!search.actor || row.actor === search.actor) &&
      (!search.outcome || row.outcome === search.outcome) &&
      (!search.action || row.action === search.action || row.action.startsWith(`${search.action}.`)) &&
      (!q || haystack(row).includes(q)),
  );
}

function haystack(row: AuditRow): string {
  const detail = row.detail === null ? "" : JSON.stringify(row.detail);
  return [row.actor, row.action, row.target, row.ip, row.request_id, detail].join("\n").toLowerCase();
}

/** The kinds of actions that there are in rows: `backup` stands for `backup.export` and the like. */
export function kinds(rows: readonly AuditRow[]): string[] {
  return [...new Set(rows.map((row) => row.action.split(".")[0] ?? row.action))].sort();
}
