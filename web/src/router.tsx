// The addresses of the console. State that a person may want to come back to is in them.

import { useQuery } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  Outlet,
  redirect,
  useRouterState,
} from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useEffect } from "react";
import { whoami } from "./api/queries";
import { noteSignedIn } from "./api/reauth";
import { HomeRoom } from "./rooms/home/HomeRoom";
import { SignInPage } from "./session/SignInPage";
import { Shell } from "./shell/Shell";
import { buttonClass } from "./ui/Button";
import { Empty } from "./ui/Empty";
import { ProblemNotice } from "./ui/Notice";
import { Room } from "./ui/Room";

function Root() {
  const { data, error, refetch } = useQuery(whoami);
  const user = data?.user;
  const alone = useRouterState({ select: (state) => state.location.pathname.startsWith("/welcome") });
  useEffect(() => {
    if (user) noteSignedIn(true);
  }, [user]);
  if (!data) {
    return error ? (
      <main className="alone">
        <div className="alone-box">
          <ProblemNotice error={error} onRetry={() => void refetch()} />
        </div>
      </main>
    ) : null;
  }
  if (!user) return <SignInPage server={data} />;
  return (
    <Shell alone={alone}>
      <Outlet />
    </Shell>
  );
}

function NotFound() {
  return (
    <Room title="Nothing here">
      <div className="card">
        <Empty icon={Compass} title="There is no such page">
          <p className="quiet">The link may be from another version of the console.</p>
          <Link to="/" className={buttonClass("primary")}>
            Go home
          </Link>
        </Empty>
      </div>
    </Room>
  );
}

const root = createRootRoute({ component: Root, notFoundComponent: NotFound });

const home = createRoute({ getParentRoute: () => root, path: "/", component: HomeRoom });

const WELCOME_STEPS = ["start", "storage", "key", "done"] as const;
export type WelcomeStep = (typeof WELCOME_STEPS)[number];

const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  validateSearch: (search: Record<string, unknown>): { step?: WelcomeStep | undefined } =>
    one("step", WELCOME_STEPS, search),
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
  validateSearch: (search: Record<string, unknown>): { q?: string | undefined; dialog?: "new" | undefined } => ({
    ...(typeof search["q"] === "string" && search["q"] ? { q: search["q"] } : {}),
    ...one("dialog", ["new"] as const, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/UsersRoom"), "UsersRoom"),
});

const USER_TABS = ["permissions", "keys"] as const;
const USER_DIALOGS = ["rename", "disable", "delete", "rotate", "new-key", "delete-key"] as const;
export type UserTab = (typeof USER_TABS)[number];
type UserDialog = (typeof USER_DIALOGS)[number];
/** Every overlay that has a name in the URL. */
export type DialogName = UserDialog | "new" | "confirm";

const user = createRoute({
  getParentRoute: () => root,
  path: "/access/users/$userId",
  validateSearch: (
    search: Record<string, unknown>,
  ): { tab?: UserTab | undefined; dialog?: UserDialog | undefined; key?: string | undefined } => ({
    ...(typeof search["key"] === "string" ? { key: search["key"] } : {}),
    ...one("tab", USER_TABS, search),
    ...one("dialog", USER_DIALOGS, search),
  }),
  component: lazyRouteComponent(() => import("./rooms/access/UserRoom"), "UserRoom"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/system/backup", replace: true });
  },
});

const backup = createRoute({
  getParentRoute: () => root,
  path: "/settings/system/backup",
  component: lazyRouteComponent(() => import("./rooms/backup/BackupRoom"), "BackupRoom"),
});

const restore = createRoute({
  getParentRoute: () => root,
  path: "/settings/system/backup/restore",
  validateSearch: (search: Record<string, unknown>): { dialog?: "confirm" | undefined } =>
    one("dialog", ["confirm"] as const, search),
  component: lazyRouteComponent(() => import("./rooms/backup/RestoreRoom"), "RestoreRoom"),
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

/** A search parameter that is one of a few words, or left out. */
function one<K extends string, T extends string>(
  key: K,
  words: readonly T[],
  search: Record<string, unknown>,
): Partial<Record<K, T>> {
  const word = words.find((each) => each === search[key]);
  // A computed key is a string to the compiler.
  return (word ? { [key]: word } : {}) as Partial<Record<K, T>>;
}

export const router = createRouter({
  routeTree: root.addChildren([home, welcome, access, users, user, settings, backup, restore, restored, password]),
  basepath: "/_",
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
