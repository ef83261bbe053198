// Rows of the audit log as sentences.

import type { AuditRow } from "../../api/types";

const VERBS: Record<string, string> = {
  login: "signed in",
  logout: "signed out",
  denied: "was refused",
  "user.create": "created user",
  "user.update": "changed user",
  "user.delete": "deleted user",
  "user.rotate_keys": "rotated the keys of user",
  "user.key_create": "added a key to user",
  "user.key_update": "changed a key of user",
  "user.key_delete": "deleted a key of user",
  "group.add_member": "added a user to a group",
  "group.remove_member": "took a user out of a group",
  "group.create": "created group",
  "group.update": "changed group",
  "group.delete": "deleted group",
  "token.create": "created a token",
  "token.delete": "deleted a token",
  "session.revoke": "ended a session",
  "backup.export": "exported a backup",
  "backup.plan": "planned a restore",
  "backup.restore": "restored a backup",
  "backup.undo": "undid a restore",
  "bucket.create": "created bucket",
};

export function phrase(row: AuditRow, names: ReadonlyMap<string, string>): string {
  if (row.action === "login" && row.outcome === "denied") return "tried to sign in";
  const verb = VERBS[row.action] ?? row.action;
  if (row.action.startsWith("user.")) return `${verb} ${names.get(row.target) ?? shortened(row.target)}`.trim();
  if (/^(group|bucket)\.(create|update|delete)$/.test(row.action)) return `${verb} ${shortened(row.target)}`.trim();
  if (row.action === "denied") return `${verb}: ${row.target}`;
  return verb;
}

export function actor(row: AuditRow): string {
  if (row.actor === "$bootstrap") return "Bootstrap admin";
  if (row.actor === "$anonymous") return "Somebody";
  return row.actor;
}

/** Ids that are no longer anybody's are shown by their beginning. */
function shortened(target: string): string {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(target) ? `${target.slice(0, 8)}…` : target;
}
