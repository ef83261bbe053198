// The access keys of one user, as an admin sees them: also replaced all at once.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { client, data } from "../../api/client";
import type { User } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { useDialog } from "../../ui/useDialog";
import { count } from "../../ui/words";
import { Keys, NewSecret, type KeyCalls, type Made } from "./keys/Keys";

const LIVES = [
  { value: "never", title: "No end", text: "Until it is deleted" },
  { value: "24h", title: "1 day" },
  { value: "30d", title: "30 days" },
  { value: "90d", title: "90 days" },
] as const;

/** The calls for the keys of any user, which need `iam:write`. */
function callsOf(user: User): KeyCalls {
  const at = (access_key_id: string) => ({ params: { path: { id: user.id, access_key_id } } });
  return {
    make: (expires_in) =>
      data(client.POST("/_/api/admin/users/{id}/keys", { params: { path: { id: user.id } }, body: { expires_in } })),
    change: (id, active) =>
      data(client.PUT("/_/api/admin/users/{id}/keys/{access_key_id}", { ...at(id), body: { active } })),
    remove: (id) => data(client.DELETE("/_/api/admin/users/{id}/keys/{access_key_id}", at(id))),
  };
}

export function KeysTab({ user }: { user: User }) {
  const { dialog, key: chosen } = useSearch({ from: "/access/users/$userId" });
  const overlay = useDialog();
  const may = useMe().may("iam:write");
  const [rotated, setRotated] = useState<Made | null>(null);
  return (
    <div className="stack">
      <Keys
        title="Access keys"
        keys={user.access_keys}
        calls={may ? callsOf(user) : undefined}
        lives={LIVES}
        making={`It may do what ${user.name} may. The keys that are there go on signing.`}
        blocked={user.enabled ? undefined : "User disabled"}
        empty={`${user.name} can sign no request. Make a new key to change that.`}
        owner={user.name}
        actions={
          may ? (
            <Button onClick={() => overlay.show("rotate")}>
              <RefreshCw size={15} aria-hidden /> Rotate…
            </Button>
          ) : null
        }
        dialog={dialog}
        chosen={chosen}
      />
      <Rotate user={user} open={dialog === "rotate" && !rotated} onClose={overlay.close} onMade={setRotated} />
      <NewSecret
        made={rotated}
        owner={user.name}
        onDone={() => {
          overlay.close();
          setRotated(null);
        }}
      />
    </div>
  );
}

function Rotate(props: { user: User; open: boolean; onClose: () => void; onMade: (made: Made) => void }) {
  const { user } = props;
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: () =>
      data(client.POST("/_/api/admin/users/{id}/rotate-keys", { params: { path: { id: user.id } }, body: {} })),
    onSuccess: (next) => {
      props.onMade(next);
      void queries.invalidateQueries();
    },
  });
  const keys = user.access_keys.length;
  return (
    <Confirm
      open={props.open}
      onClose={props.onClose}
      title={`Rotate the keys of ${user.name}?`}
      action="Rotate"
      busy={rotate.isPending}
      onConfirm={() => rotate.mutate()}
    >
      <p>
        A new pair is made and shown once. {keys === 1 ? "The key" : `All ${count(keys, "key")}`} that {user.name} has
        now {keys === 1 ? "stops" : "stop"} signing at once, and open sessions end: clients fail until they have the new
        pair.
      </p>
      <p className="quiet">
        To change clients over one by one, make a new key beside the old one, and delete that later.
      </p>
      {rotate.error ? <ProblemNotice error={rotate.error} title="The keys were not rotated" /> : null}
    </Confirm>
  );
}
