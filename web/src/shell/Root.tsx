// What stands around every address: the sign-in where nobody is signed in, the shell where somebody is.

import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useEffect } from "react";
import { whoami } from "../api/queries";
import { noteSignedIn } from "../api/reauth";
import { SignInPage } from "../session/SignInPage";
import { buttonClass } from "../ui/Button";
import { Empty } from "../ui/Empty";
import { ProblemNotice } from "../ui/Notice";
import { Room } from "../ui/Room";
import { Shell } from "./Shell";

export function Root() {
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

export function NotFound() {
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
