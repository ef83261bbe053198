// Permission rules: the templates they are begun from, and what they say in plain words.

import type { Rule } from "../../api/types";

/** The verbs that most rules need, each with what it lets one do. */
export const VERBS = [
  { name: "read", text: "Read", about: "download objects, read their metadata and tags" },
  { name: "write", text: "Write", about: "upload and change objects" },
  { name: "delete", text: "Delete", about: "delete objects" },
  { name: "list", text: "List", about: "list buckets and keys" },
  { name: "admin", text: "Manage", about: "create, configure and delete the buckets themselves" },
  { name: "*", text: "Everything", about: "every action there is" },
] as const;

export type TemplateId = "read-write" | "read-only" | "upload-only" | "owner" | "admin" | "none";

export interface Template {
  id: TemplateId;
  title: string;
  text: string;
  actions: readonly string[];
  /** For a bucket or a prefix of one; otherwise for everything. */
  placed: boolean;
}

const READ_WRITE: Template = {
  id: "read-write",
  title: "Read and write",
  text: "Upload, download, list and delete",
  actions: ["read", "write", "delete", "list"],
  placed: true,
};

export const TEMPLATES: readonly Template[] = [
  READ_WRITE,
  { id: "read-only", title: "Read only", text: "Download and list", actions: ["read", "list"], placed: true },
  {
    id: "upload-only",
    title: "Upload only",
    text: "Write without reading, for drop boxes",
    actions: ["write"],
    placed: true,
  },
  {
    id: "owner",
    title: "Bucket owner",
    text: "All of it, and the bucket itself",
    actions: ["read", "write", "delete", "list", "admin"],
    placed: true,
  },
  { id: "admin", title: "Administrator", text: "Everything, this console included", actions: ["*"], placed: false },
  { id: "none", title: "Nothing yet", text: "Add rules later", actions: [], placed: false },
];

export function template(id: TemplateId): Template {
  return TEMPLATES.find((each) => each.id === id) ?? READ_WRITE;
}

export function rulesFrom(of: Template, place: string): Rule[] {
  if (of.actions.length === 0) return [];
  return [{ effect: "Allow", actions: [...of.actions], resources: of.placed ? resourcesOf(place) : ["*"] }];
}

/** `ci` is the bucket and all in it; `ci/v1` all below that prefix. */
export function resourcesOf(place: string): string[] {
  const trimmed = place.trim().replace(/\/?\**$/, "");
  if (trimmed === "") return ["*"];
  return trimmed.includes("/") ? [`${trimmed}/*`] : [trimmed, `${trimmed}/*`];
}

/** Where rules apply, as people say it. */
export function placesOf(rule: Rule): string[] {
  const names = new Set(
    rule.resources.map((resource) => (resource === "*" ? "everything" : resource.replace(/\/\*$/, ""))),
  );
  return [...names];
}

/** One rule as a sentence. */
export function describe(rule: Rule): string {
  const verbs = VERBS.filter((verb) => verb.name !== "*" && rule.actions.includes(verb.name)).map((verb) =>
    verb.text.toLowerCase(),
  );
  const others = rule.actions.filter((action) => !VERBS.some((verb) => verb.name === action));
  const what = rule.actions.includes("*")
    ? "do everything"
    : [...verbs, ...others].length
      ? join([...verbs, ...others])
      : "…";
  const places = placesOf(rule);
  const where = places.length === 0 ? "…" : places.includes("everything") ? "all buckets" : join(places);
  if (rule.actions.length > 0 && rule.actions.every(isConsoleRight)) {
    return `${rule.effect === "Allow" ? "May" : "Must not"} use ${join(rule.actions)} of the admin API.`;
  }
  const when = rule.conditions && Object.keys(rule.conditions).length > 0 ? ", under conditions" : "";
  return `${rule.effect === "Allow" ? "May" : "Must not"} ${what} in ${where}${when}.`;
}

/** A right of the admin API, such as `backup:export`: about no bucket. */
function isConsoleRight(action: string): boolean {
  return action.includes(":") && !action.startsWith("s3:");
}

export function isAdmin(rules: readonly Rule[]): boolean {
  return rules.some(
    (rule) =>
      rule.effect === "Allow" &&
      rule.resources.includes("*") &&
      rule.actions.some((action) => action === "*" || action === "admin"),
  );
}

/** Rules in a few words, for a list. */
export function summary(rules: readonly Rule[]): string {
  if (rules.length === 0) return "No permissions";
  if (isAdmin(rules)) return "Administrator";
  const granted = rules.filter((rule) => rule.effect === "Allow");
  if (granted.length === 0) return "Only denials";
  const allowed = granted.filter((rule) => !rule.actions.every(isConsoleRight));
  if (allowed.length === 0) return "Admin API only";
  const writes = allowed.some((rule) => rule.actions.some((action) => ["write", "delete", "*"].includes(action)));
  const reads = allowed.some((rule) => rule.actions.some((action) => ["read", "list", "*"].includes(action)));
  const places = [...new Set(allowed.flatMap(placesOf))];
  const where = places.length > 2 ? `${places.slice(0, 2).join(", ")} +${places.length - 2}` : places.join(", ");
  return `${writes && reads ? "Read and write" : writes ? "Write" : reads ? "Read" : "Other rights"}: ${where}`;
}

function join(words: readonly string[]): string {
  if (words.length <= 1) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

/** Whether two lists of rules say the same. */
export function same(a: readonly Rule[], b: readonly Rule[]): boolean {
  return JSON.stringify(a.map(plain)) === JSON.stringify(b.map(plain));
}

function plain(rule: Rule): unknown {
  return [rule.id ?? "", rule.effect, rule.actions, rule.resources, rule.conditions ?? {}];
}
