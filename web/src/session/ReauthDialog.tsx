// The sign-in over the room, when a session ended in the middle of something: what was typed stays.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { whoami } from "../api/queries";
import { pending, settle, subscribe } from "../api/reauth";
import { Button } from "../ui/Button";
import { Overlay } from "../ui/Overlay";
import { ProviderButtons } from "./ProviderButtons";
import { SignInForm, type Way } from "./SignInForm";
import { useMe } from "./useMe";

export function ReauthDialog() {
  const reason = useSyncExternalStore(subscribe, pending);
  const { isBootstrap } = useMe();
  const providers = useQuery(whoami).data?.external_providers ?? [];
  const [apart, setApart] = useState(false);
  const [chosen, setChosen] = useState<Way | null>(null);
  const queries = useQueryClient();
  const way = chosen ?? (isBootstrap ? "password" : "key");
  const signedIn = () => {
    setApart(false);
    settle(true);
    void queries.invalidateQueries({ queryKey: whoami.queryKey });
  };
  return (
    <Overlay open={reason !== null} onClose={() => settle(false)} title="Sign in again" size="narrow" firm>
      <div className="dialog-body stack">
        <p>
          {reason === "too_long_ago"
            ? "This touches every secret of the server, and you signed in a while ago. Prove once more that it is you."
            : "Your session has ended. Nothing on this page is lost: sign in, and what you were doing goes on."}
        </p>
        {providers.length > 0 ? (
          <>
            {/* Whoever comes back from the other window says so: what was typed here is still here. */}
            <ProviderButtons providers={providers} next="/_/" onApart={() => setApart(true)} />
            {apart ? (
              <Button look="primary" onClick={signedIn}>
                I have signed in there
              </Button>
            ) : null}
            <div className="or">or</div>
          </>
        ) : null}
        <SignInForm way={way} onWay={setChosen} onSignedIn={signedIn} action="Sign in and go on" />
        <Button look="plain" onClick={() => settle(false)}>
          Not now
        </Button>
      </div>
    </Overlay>
  );
}
