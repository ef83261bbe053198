// The shipped roles in words, and what a list of rules allows of what there is.

import type { Rule } from "../../../api/types";

/** What each role is for. One that this console does not know yet is shown without a word. */
export const ABOUT: Record<string, string> = {
  admin: "Everything: all objects, all users, every secret, every restore.",
  operator: "All objects and the daily running of the server. No users, no secrets, no restore.",
  viewer: "Sees objects and the state of the server, and changes nothing. No secrets and no archives.",
  backup: "Makes encrypted backups, and nothing else: for scripts.",
};

interface Area {
  title: string;
  rights: readonly { action: string; text: string; verb?: string }[];
}

/** What may be allowed, in the words of people. For objects one action stands for those of its verb. */
export const AREAS: readonly Area[] = [
  {
    title: "Objects and buckets",
    rights: [
      { action: "s3:GetObject", verb: "read", text: "Download objects" },
      { action: "s3:PutObject", verb: "write", text: "Upload and change objects" },
      { action: "s3:DeleteObject", verb: "delete", text: "Delete objects" },
      { action: "s3:ListBucket", verb: "list", text: "List buckets and keys" },
      { action: "s3:CreateBucket", verb: "admin", text: "Create, configure and delete buckets" },
    ],
  },
  {
    title: "Access",
    rights: [
      { action: "iam:read", text: "See users, groups, keys, tokens and sessions" },
      { action: "iam:write", text: "Change them" },
    ],
  },
  {
    title: "Configuration",
    rights: [
      { action: "config:read", text: "See the configuration" },
      { action: "config:write", text: "Change it" },
      { action: "config:secrets", text: "Change secrets, paths, endpoints and recipients" },
    ],
  },
  {
    title: "Backup",
    rights: [
      { action: "backup:read", text: "See backups and verify archives" },
      { action: "backup:export", text: "Export encrypted archives" },
      { action: "backup:export-secrets", text: "Export archives with secrets in clear" },
      { action: "backup:restore", text: "Restore, and undo a restore" },
    ],
  },
  {
    title: "Server",
    rights: [
      { action: "audit:read", text: "Read the audit log" },
      { action: "system:read", text: "See health and what needs attention" },
      { action: "system:write", text: "Run jobs and maintenance" },
    ],
  },
];

/** Whether rules for all resources allow an action. The server decides; this says what its roles say. */
export function allows(rules: readonly Rule[], action: string, verb: string | undefined): boolean {
  const names = (rule: Rule) =>
    rule.resources.includes("*") &&
    rule.actions.some((given) => given === verb || (given === "admin" && !verb) || matches(given, action));
  return (
    rules.some((rule) => rule.effect === "Allow" && names(rule)) &&
    !rules.some((rule) => rule.effect === "Deny" && names(rule))
  );
}

function matches(pattern: string, action: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${source}$`, "i").test(action);
}
