// Mapping rules as sentences, and what a form of one holds.

import type { MappingRule } from "../../../api/types";

export const MATCHES = [
  { type: "email_domain", title: "E-mail domain", text: "Everybody at example.com", placeholder: "example.com" },
  { type: "email_exact", title: "E-mail address", text: "One person", placeholder: "anna@example.com" },
  { type: "email_glob", title: "E-mail pattern", text: "With * and ?", placeholder: "*-admin@example.com" },
  {
    type: "email_regex",
    title: "E-mail expression",
    text: "A regular expression",
    placeholder: "ops\\+.*@example\\.com",
  },
  {
    type: "claim_value",
    title: "Claim",
    text: "A group or role that the provider names",
    placeholder: "storage-admins",
  },
] as const;

export type MatchType = (typeof MATCHES)[number]["type"];

export function match(type: string): (typeof MATCHES)[number] {
  return MATCHES.find((each) => each.type === type) ?? MATCHES[0];
}

/** `e-mail ends in example.com`, with the value apart, to be marked. */
export function condition(rule: Pick<MappingRule, "match_type" | "match_field">): string {
  switch (rule.match_type) {
    case "email_exact":
      return "whose address is";
    case "email_domain":
      return "with an address at";
    case "email_glob":
      return "whose address is like";
    case "email_regex":
      return "whose address matches";
    case "claim_value":
      return `whose claim ${rule.match_field} has`;
    default:
      return `by ${rule.match_type}`;
  }
}

export function inOrder(rules: readonly MappingRule[]): MappingRule[] {
  return [...rules].sort(
    (a, b) => a.priority - b.priority || Date.parse(a.created_at) - Date.parse(b.created_at) || (a.id < b.id ? -1 : 1),
  );
}
