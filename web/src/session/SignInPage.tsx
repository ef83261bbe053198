// The page for whoever is not signed in. The address stays: signing in leads to where one wanted to go.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { whoami } from "../api/queries";
import { noteSignedIn } from "../api/reauth";
import type { WhoAmI } from "../api/types";
import glider from "../glider.svg";
import { Notice } from "../ui/Notice";
import { ProviderButtons } from "./ProviderButtons";
import { SignInForm, type Way } from "./SignInForm";
import { explain, returned } from "./sso";

export function SignInPage({ server }: { server: WhoAmI }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const href = useRouterState({ select: (state) => state.location.href });
  // A locked server has users; it only cannot read them.
  const fresh = server.mode === "bootstrap" && !server.lock_state;
  const [way, setWay] = useState<Way>(fresh || server.lock_state ? "password" : lastWay());
  useEffect(() => {
    document.title = "Sign in · DeltaGlider Proxy";
  }, []);
  const signedIn = async () => {
    rememberWay(way);
    noteSignedIn(true);
    if (fresh && path === "/") await navigate({ to: "/welcome", replace: true });
    await queries.refetchQueries({ queryKey: whoami.queryKey });
  };
  return (
    <main className="alone">
      <div className="alone-brand">
        <img src={glider} alt="" /> DeltaGlider Proxy
      </div>
      <div className="alone-box card">
        <div className="card-body stack">
          <div>
            <h1>{fresh ? "Set up this server" : "Sign in"}</h1>
            {fresh ? <p className="quiet">There are no users yet. The bootstrap password opens the setup.</p> : null}
          </div>
          {server.lock_state ? (
            <Notice tone="bad" title="The configuration database is locked">
              <p>
                No password or hash that this server has opens it. Nothing was changed. Sign in with the bootstrap
                password of this server; inside, open it with the password or hash that belongs to it, or restore a Full
                Backup.
              </p>
            </Notice>
          ) : null}
          {server.mode === "open" ? (
            <Notice tone="warn" title="S3 authentication is off">
              <p>Anybody who reaches this server reads and writes everything. The console still asks who you are.</p>
            </Notice>
          ) : null}
          {returned ? <Returned code={returned.code} request={returned.request} /> : null}
          {server.external_providers.length > 0 && !server.lock_state ? (
            <>
              <ProviderButtons providers={server.external_providers} next={`/_${href}`} />
              <div className="or">or</div>
            </>
          ) : null}
          <SignInForm way={way} onWay={setWay} onSignedIn={() => void signedIn()} hint={way === "password"} />
        </div>
      </div>
      <p className="quiet small">Version {server.version}</p>
    </main>
  );
}

/** A sign-in with a provider that did not work out. */
function Returned({ code, request }: { code: string; request: string }) {
  const { what, todo } = explain(code);
  return (
    <Notice tone="bad" title="You are not signed in" live>
      <p>{what}</p>
      <p>
        <strong>What to do:</strong> {todo}
      </p>
      <p className="quiet small">
        <code>{code}</code>
        {request ? (
          <>
            {" · request "}
            <code>{request}</code>
          </>
        ) : null}
      </p>
    </Notice>
  );
}

const WAY = "dgp-sign-in-with";

function lastWay(): Way {
  return localStorage.getItem(WAY) === "key" ? "key" : "password";
}

function rememberWay(way: Way): void {
  localStorage.setItem(WAY, way);
}
