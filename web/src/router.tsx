// The addresses of the console. State that a person may want to come back to is in them.

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { HomeRoom } from "./rooms/home/HomeRoom";
import { NotFound, Root } from "./shell/Root";

type Search = Record<string, unknown>;

const root = createRootRoute({ component: Root, notFoundComponent: NotFound });

const home = createRoute({ getParentRoute: () => root, path: "/", component: HomeRoom });

const WELCOME_STEPS = ["start", "storage", "key", "done"] as const;
export type WelcomeStep = (typeof WELCOME_STEPS)[number];

const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  validateSearch: (search: Search): { step?: WelcomeStep | undefined } => one("step", WELCOME_STEPS, search),
  component: lazyRouteComponent(() => import("./rooms/welcome/WelcomeRoom"), "WelcomeRoom"),
});

const access = createRoute({
  getParentRoute: () => root,
  path: "/access",
  beforeLoad: () => {
    throw redirect({ to: "/access/users", replace: true });
  },
});

const users = createRoute({
  getParentRoute: () => root,
  path: "/access/users",
  validateSearch: (search: Search): { q?: string | undefined; dialog?: "new" | undefined } => ({
    ...text("q", search),
    ...one("dialog", ["new"] as const, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/UsersRoom"), "UsersRoom"),
});

const USER_TABS = ["permissions", "keys"] as const;
const USER_DIALOGS = ["rename", "disable", "delete", "rotate", "new-key", "delete-key"] as const;
export type UserTab = (typeof USER_TABS)[number];

const user = createRoute({
  getParentRoute: () => root,
  path: "/access/users/$userId",
  validateSearch: (
    search: Search,
  ): {
    tab?: UserTab | undefined;
    dialog?: (typeof USER_DIALOGS)[number] | undefined;
    key?: string | undefined;
  } => ({
    ...text("key", search),
    ...one("tab", USER_TABS, search),
    ...one("dialog", USER_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/UserRoom"), "UserRoom"),
});

const groups = createRoute({
  getParentRoute: () => root,
  path: "/access/groups",
  validateSearch: (search: Search): { dialog?: "new" | undefined } => one("dialog", ["new"] as const, search),
  component: lazyRouteComponent(() => import("./rooms/access/groups/GroupsRoom"), "GroupsRoom"),
});

const GROUP_TABS = ["members", "permissions"] as const;
const GROUP_DIALOGS = ["edit", "delete", "add-members"] as const;
export type GroupTab = (typeof GROUP_TABS)[number];

const group = createRoute({
  getParentRoute: () => root,
  path: "/access/groups/$groupId",
  validateSearch: (
    search: Search,
  ): { tab?: GroupTab | undefined; dialog?: (typeof GROUP_DIALOGS)[number] | undefined } => ({
    ...one("tab", GROUP_TABS, search),
    ...one("dialog", GROUP_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/groups/GroupRoom"), "GroupRoom"),
});

const policies = createRoute({
  getParentRoute: () => root,
  path: "/access/policies",
  component: lazyRouteComponent(() => import("./rooms/access/policies/PoliciesRoom"), "PoliciesRoom"),
});

const TOKEN_DIALOGS = ["new", "revoke"] as const;

const tokens = createRoute({
  getParentRoute: () => root,
  path: "/access/tokens",
  validateSearch: (
    search: Search,
  ): {
    dialog?: (typeof TOKEN_DIALOGS)[number] | undefined;
    key?: string | undefined;
    role?: string | undefined;
  } => ({
    ...text("key", search),
    ...text("role", search),
    ...one("dialog", TOKEN_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/tokens/TokensRoom"), "TokensRoom"),
});

const sessions = createRoute({
  getParentRoute: () => root,
  path: "/access/sessions",
  validateSearch: (search: Search): { dialog?: "revoke" | undefined; key?: string | undefined } => ({
    ...text("key", search),
    ...one("dialog", ["revoke"] as const, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/sessions/SessionsRoom"), "SessionsRoom"),
});

const providers = createRoute({
  getParentRoute: () => root,
  path: "/access/providers",
  validateSearch: (search: Search): { dialog?: "new" | undefined } => one("dialog", ["new"] as const, search),
  component: lazyRouteComponent(() => import("./rooms/access/providers/ProvidersRoom"), "ProvidersRoom"),
});

const provider = createRoute({
  getParentRoute: () => root,
  path: "/access/providers/$providerId",
  validateSearch: (search: Search): { dialog?: "delete" | undefined } => one("dialog", ["delete"] as const, search),
  component: lazyRouteComponent(() => import("./rooms/access/providers/ProviderRoom"), "ProviderRoom"),
});

const MAPPING_DIALOGS = ["new", "edit", "delete"] as const;

const mappings = createRoute({
  getParentRoute: () => root,
  path: "/access/mappings",
  validateSearch: (
    search: Search,
  ): { dialog?: (typeof MAPPING_DIALOGS)[number] | undefined; key?: string | undefined } => ({
    ...text("key", search),
    ...one("dialog", MAPPING_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/mappings/MappingsRoom"), "MappingsRoom"),
});

const IDENTITY_DIALOGS = ["bind", "unlink"] as const;

const identities = createRoute({
  getParentRoute: () => root,
  path: "/access/identities",
  validateSearch: (
    search: Search,
  ): { dialog?: (typeof IDENTITY_DIALOGS)[number] | undefined; key?: string | undefined } => ({
    ...text("key", search),
    ...one("dialog", IDENTITY_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/identities/IdentitiesRoom"), "IdentitiesRoom"),
});

const EXPLAIN = ["principal", "action", "resource", "prefix", "ip", "tls"] as const;
/** The question of the explain room: all of it is in the URL, so that an answer can be shown to somebody. */
export type Asked = Partial<Record<(typeof EXPLAIN)[number], string | undefined>>;

const explain = createRoute({
  getParentRoute: () => root,
  path: "/access/explain",
  validateSearch: (search: Search): Asked => Object.assign({}, ...EXPLAIN.map((key) => text(key, search))) as Asked,
  component: lazyRouteComponent(() => import("./rooms/access/explain/ExplainRoom"), "ExplainRoom"),
});

const activity = createRoute({
  getParentRoute: () => root,
  path: "/activity",
  beforeLoad: () => {
    throw redirect({ to: "/activity/audit", replace: true });
  },
});

const AUDIT = ["q", "actor", "action", "outcome", "request"] as const;
/** What is looked for, and the row that is looked at. */
export type AuditSearch = Partial<Record<(typeof AUDIT)[number], string | undefined>> & { row?: number | undefined };

const audit = createRoute({
  getParentRoute: () => root,
  path: "/activity/audit",
  validateSearch: (search: Search): AuditSearch => ({
    ...(Object.assign({}, ...AUDIT.map((key) => text(key, search))) as AuditSearch),
    ...(typeof search["row"] === "number" ? { row: search["row"] } : {}),
  }),
  component: lazyRouteComponent(() => import("./rooms/activity/AuditRoom"), "AuditRoom"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/system/backup", replace: true });
  },
});

const BACKUP_DIALOGS = ["delete", "go-live"] as const;

const backup = createRoute({
  getParentRoute: () => root,
  path: "/settings/system/backup",
  validateSearch: (
    search: Search,
  ): { dialog?: (typeof BACKUP_DIALOGS)[number] | undefined; key?: string | undefined } => ({
    ...text("key", search),
    ...one("dialog", BACKUP_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/backup/BackupRoom"), "BackupRoom"),
});

const restore = createRoute({
  getParentRoute: () => root,
  path: "/settings/system/backup/restore",
  validateSearch: (search: Search): { dialog?: "confirm" | undefined; stored?: string | undefined } => ({
    ...text("stored", search),
    ...one("dialog", ["confirm"] as const, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/backup/RestoreRoom"), "RestoreRoom"),
});

const undo = createRoute({
  getParentRoute: () => root,
  path: "/settings/system/backup/undo",
  validateSearch: (search: Search): { dialog?: "confirm" | undefined } => one("dialog", ["confirm"] as const, search),
  component: lazyRouteComponent(() => import("./rooms/backup/UndoRoom"), "UndoRoom"),
});

const BACKEND_DIALOGS = ["new", "edit", "delete", "probe"] as const;

const backends = createRoute({
  getParentRoute: () => root,
  path: "/backends",
  validateSearch: (
    search: Search,
  ): { dialog?: (typeof BACKEND_DIALOGS)[number] | undefined; key?: string | undefined } => ({
    ...text("key", search),
    ...one("dialog", BACKEND_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/backends/BackendsRoom"), "BackendsRoom"),
});

const buckets = createRoute({
  getParentRoute: () => root,
  path: "/buckets",
  validateSearch: (search: Search): { q?: string | undefined; dialog?: "new" | undefined } => ({
    ...text("q", search),
    ...one("dialog", ["new"] as const, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/buckets/BucketsRoom"), "BucketsRoom"),
});

const BUCKET_DIALOGS = ["delete", "route"] as const;

const bucket = createRoute({
  getParentRoute: () => root,
  path: "/buckets/$bucket",
  validateSearch: (search: Search): { dialog?: (typeof BUCKET_DIALOGS)[number] | undefined } =>
    one("dialog", BUCKET_DIALOGS, search),
  component: lazyRouteComponent(() => import("./rooms/buckets/BucketRoom"), "BucketRoom"),
});

const files = createRoute({
  getParentRoute: () => root,
  path: "/files",
  component: lazyRouteComponent(() => import("./rooms/files/FilesRoom"), "FilesRoom"),
});

const FILE_DIALOGS = ["details", "share", "delete"] as const;

const folder = createRoute({
  getParentRoute: () => root,
  path: "/files/$bucket",
  validateSearch: (
    search: Search,
  ): {
    prefix?: string | undefined;
    q?: string | undefined;
    dialog?: (typeof FILE_DIALOGS)[number] | undefined;
    key?: string | undefined;
  } => ({
    ...text("prefix", search),
    ...text("q", search),
    ...text("key", search),
    ...one("dialog", FILE_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/files/FolderRoom"), "FolderRoom"),
});

const ACCOUNT_DIALOGS = ["new-key", "delete-key", "revoke", "end-others"] as const;

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  validateSearch: (
    search: Search,
  ): { dialog?: (typeof ACCOUNT_DIALOGS)[number] | undefined; key?: string | undefined } => ({
    ...text("key", search),
    ...one("dialog", ACCOUNT_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/account/AccountRoom"), "AccountRoom"),
});

const restored = createRoute({
  getParentRoute: () => root,
  path: "/settings/system/backup/restores/$restoreId",
  component: lazyRouteComponent(() => import("./rooms/backup/RestoredRoom"), "RestoredRoom"),
});

const password = createRoute({
  getParentRoute: () => root,
  path: "/settings/system/password",
  component: lazyRouteComponent(() => import("./rooms/password/PasswordRoom"), "PasswordRoom"),
});

/** Every overlay that has a name in the URL. */
export type DialogName =
  | (typeof USER_DIALOGS)[number]
  | (typeof GROUP_DIALOGS)[number]
  | (typeof TOKEN_DIALOGS)[number]
  | (typeof MAPPING_DIALOGS)[number]
  | (typeof IDENTITY_DIALOGS)[number]
  | (typeof BACKUP_DIALOGS)[number]
  | (typeof ACCOUNT_DIALOGS)[number]
  | (typeof BACKEND_DIALOGS)[number]
  | (typeof BUCKET_DIALOGS)[number]
  | (typeof FILE_DIALOGS)[number]
  | "confirm";

/** A search parameter that is one of a few words, or left out. */
function one<K extends string, T extends string>(key: K, words: readonly T[], search: Search): Partial<Record<K, T>> {
  const word = words.find((each) => each === search[key]);
  // A computed key is a string to the compiler.
  return (word ? { [key]: word } : {}) as Partial<Record<K, T>>;
}

/** A search parameter that is any text, or left out. The router reads digits alone as a number. */
function text<K extends string>(key: K, search: Search): Partial<Record<K, string>> {
  const value = search[key];
  const given = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  return (typeof given === "string" && given ? { [key]: given } : {}) as Partial<Record<K, string>>;
}

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    welcome,
    access,
    users,
    user,
    groups,
    group,
    policies,
    tokens,
    sessions,
    providers,
    provider,
    mappings,
    identities,
    explain,
    activity,
    audit,
    settings,
    backup,
    restore,
    undo,
    restored,
    password,
    account,
    backends,
    buckets,
    bucket,
    files,
    folder,
  ]),
  basepath: "/_",
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
