// A restore's plan in words and numbers.

import type { Changes, Counted, Restored } from "../../api/types";

export type ListName = Exclude<keyof Changes, "config">;

/** The lists of a plan in the order that people ask for them. */
export const LISTS: readonly { name: ListName; title: string; one: string }[] = [
  { name: "users", title: "Users", one: "user" },
  { name: "groups", title: "Groups", one: "group" },
  { name: "tokens", title: "API tokens", one: "token" },
  { name: "buckets", title: "Buckets", one: "bucket" },
  { name: "providers", title: "Sign-in providers", one: "provider" },
  { name: "mapping_rules", title: "Mapping rules", one: "mapping rule" },
  { name: "external_identities", title: "External identities", one: "identity" },
];

export function changed(counted: Counted): number {
  return counted.created + counted.updated + counted.deleted;
}

export function total(changes: Changes): {
  created: number;
  updated: number;
  deleted: number;
  config: number;
  all: number;
} {
  const sum = { created: 0, updated: 0, deleted: 0, config: changes.config.length, all: changes.config.length };
  for (const { name } of LISTS) {
    sum.created += changes[name].created;
    sum.updated += changes[name].updated;
    sum.deleted += changes[name].deleted;
    sum.all += changed(changes[name]);
  }
  return sum;
}

/** `2 brought back, 1 removed`; before it happens, `2 to bring back, 1 to remove`. */
export function tally(changes: Changes, tense: "plan" | "done"): string {
  const sum = total(changes);
  const plan = tense === "plan";
  const parts = [
    sum.deleted ? `${sum.deleted} ${plan ? "to remove" : "removed"}` : "",
    sum.created ? `${sum.created} ${plan ? "to bring back" : "brought back"}` : "",
    sum.updated ? `${sum.updated} ${plan ? "to change" : "changed"}` : "",
    sum.config ? `${sum.config} ${sum.config === 1 ? "setting" : "settings"} ${plan ? "to change" : "changed"}` : "",
  ].filter(Boolean);
  return parts.length
    ? parts.join(", ")
    : plan
      ? "nothing differs from the archive"
      : "nothing differed from the archive";
}

/** Whether the bootstrap password of the archive comes into force with it. */
export function bringsPassword(of: Restored): boolean {
  const lacks = of.conversion?.gaps.some((gap) => gap.place === "secrets.json, bootstrap_password_hash") ?? false;
  return of.mode === "full" && of.strategy === "replace" && !lacks;
}

/** What a restore will do, short enough to be typed: `remove 1, bring back 2, change 3`. */
export function phrase(changes: Changes, otherwise: string): string {
  const sum = total(changes);
  const parts = [
    sum.deleted ? `remove ${sum.deleted}` : "",
    sum.created ? `bring back ${sum.created}` : "",
    sum.updated + sum.config ? `change ${sum.updated + sum.config}` : "",
  ].filter(Boolean);
  return parts.length ? parts.join(", ") : otherwise;
}
