// The access keys of one user.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { KeyRound, RefreshCw } from "lucide-react";
import { useState } from "react";
import { client, data } from "../../api/client";
import type { AccessKey, User } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { ProblemNotice } from "../../ui/Notice";
import { Confirm, Overlay } from "../../ui/Overlay";
import { Ago, useNow } from "../../ui/Time";
import { useDialog } from "../../ui/useDialog";
import { SecretOnce } from "./Secret";

export function KeysTab({ user }: { user: User }) {
  const { dialog } = useSearch({ from: "/access/users/$userId" });
  const overlay = useDialog();
  const me = useMe();
  const queries = useQueryClient();
  const [made, setMade] = useState<User | null>(null);
  const rotate = useMutation({
    mutationFn: () =>
      data(client.POST("/_/api/admin/users/{id}/rotate-keys", { params: { path: { id: user.id } }, body: {} })),
    onSuccess: (next) => {
      setMade(next);
      void queries.invalidateQueries();
    },
  });
  const may = me.may("iam:write");
  return (
    <div className="stack">
      <div className="card">
        <div className="card-head">
          <h2>Access keys</h2>
          {may ? (
            <Button onClick={() => overlay.show("rotate")}>
              <RefreshCw size={15} aria-hidden /> Rotate…
            </Button>
          ) : null}
        </div>
        {user.access_keys.length === 0 ? (
          <Empty icon={KeyRound} title="No keys">
            <p className="quiet">Rotate to make the first one.</p>
          </Empty>
        ) : (
          user.access_keys.map((key) => <Key key={key.access_key_id} of={key} userEnabled={user.enabled} />)
        )}
      </div>
      <Confirm
        open={dialog === "rotate" && !made}
        onClose={overlay.close}
        title={`Rotate the keys of ${user.name}?`}
        action="Rotate"
        busy={rotate.isPending}
        onConfirm={() => rotate.mutate()}
      >
        <p>
          A new pair is made and shown once.{" "}
          {user.access_keys.length === 1 ? "The key" : `All ${user.access_keys.length} keys`} that {user.name} has now{" "}
          {user.access_keys.length === 1 ? "stops" : "stop"} signing at once, and open sessions end: clients fail until
          they have the new pair.
        </p>
        {rotate.error ? <ProblemNotice error={rotate.error} title="The keys were not rotated" /> : null}
      </Confirm>
      <Overlay
        open={made !== null}
        onClose={() => setMade(null)}
        title={`The new key of ${user.name}`}
        firm
        size="wide"
      >
        {made ? (
          <SecretOnce
            pair={{ accessKeyId: made.access_key_id ?? "", secret: made.secret_access_key ?? "" }}
            onDone={() => {
              overlay.close();
              setMade(null);
            }}
          />
        ) : null}
      </Overlay>
    </div>
  );
}

function Key({ of, userEnabled }: { of: AccessKey; userEnabled: boolean }) {
  const now = useNow();
  const expired = of.expires_at !== null && Date.parse(of.expires_at) < now;
  const state = !userEnabled ? "User disabled" : expired ? "Expired" : of.active ? "Active" : "Inactive";
  return (
    <div className="key">
      <div className="key-id">
        <code className="wrap-anywhere">{of.access_key_id}</code>
        <CopyButton text={of.access_key_id} label={`Copy ${of.access_key_id}`} />
      </div>
      <span className="quiet small">
        created <Ago at={of.created_at} />
        {of.expires_at ? (
          <>
            , {expired ? "expired" : "expires"} <Ago at={of.expires_at} />
          </>
        ) : null}
      </span>
      <span className={state === "Active" ? "pill pill-good" : "pill pill-warn"}>{state}</span>
    </div>
  );
}
