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
  "token.delete": "revoked a token",
  "auth_provider.create": "added a sign-in provider",
  "auth_provider.update": "changed a sign-in provider",
  "auth_provider.delete": "deleted a sign-in provider",
  "mapping_rule.create": "added a mapping rule",
  "mapping_rule.update": "changed a mapping rule",
  "mapping_rule.delete": "deleted a mapping rule",
  "identity.bind": "bound an external identity",
  "identity.unbind": "unlinked an external identity",
  "session.revoke": "ended a session",
  "backup.export": "exported a backup",
  "backup.plan": "planned a restore",
  "backup.restore": "restored a backup",
  "backup.undo": "undid a restore",
  "backup.undo.plan": "planned an undo",
  "backup.go_live": "let this clone go live",
  "backup.store": "stored a backup",
  "backup.verify": "verified a stored backup",
  "backup.delete": "deleted a stored backup",
  "password.change": "changed the bootstrap password",
  "bucket.create": "created bucket",
  "bucket.delete": "deleted bucket",
  "backend.create": "added backend",
  "backend.update": "changed backend",
  "backend.delete": "removed backend",
  "backend.init": "made a place its own: backend",
  "backend.adopt": "took over the place of backend",
};

export function phrase(row: AuditRow, names: ReadonlyMap<string, string>): string {
  if (row.action === "login" && row.outcome === "denied") return "tried to sign in";
  const verb = VERBS[row.action] ?? row.action;
  if (row.action === "denied") return `${verb}: ${row.target}`;
  const known = names.get(row.target);
  if (known) return `${verb} ${known}`;
  // What else stands there is an id that says nothing: of a session, of an archive.
  return /^(user|group|bucket|backend)\./.test(row.action) ? `${verb} ${shortened(row.target)}`.trim() : verb;
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
