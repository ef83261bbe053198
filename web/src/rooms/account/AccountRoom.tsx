// My account: one's own access keys and sessions. No right is needed for what is one's own.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { LogOut } from "lucide-react";
import { client, data } from "../../api/client";
import { ownKeys, ownSessions } from "../../api/queries";
import type { Session } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { Room } from "../../ui/Room";
import { done } from "../../ui/Toasts";
import { useDialog } from "../../ui/useDialog";
import { count } from "../../ui/words";
import { Keys, type KeyCalls } from "../access/keys/Keys";
import { EndSession, SessionsTable } from "../access/sessions/SessionsTable";

const LIVES = [
  { value: "30d", title: "30 days" },
  { value: "24h", title: "1 day" },
  { value: "90d", title: "90 days", text: "The longest that there is" },
] as const;

export function AccountRoom() {
  const me = useMe();
  return (
    <Room title="My account" about={`Signed in as ${me.name}. Everything here is your own and needs no right.`}>
      {me.id === null ? (
        <Notice tone="info" title="The bootstrap admin has no access keys">
          <p>S3 clients sign with the key of a user: make one under Access → Users.</p>
        </Notice>
      ) : (
        <OwnKeys />
      )}
      <OwnSessions />
    </Room>
  );
}

const at = (access_key_id: string) => ({ params: { path: { access_key_id } } });

const CALLS: KeyCalls = {
  make: (expires_in) => data(client.POST("/_/api/admin/me/keys", { body: { expires_in } })),
  change: (id, active) => data(client.PUT("/_/api/admin/me/keys/{access_key_id}", { ...at(id), body: { active } })),
  remove: (id) => data(client.DELETE("/_/api/admin/me/keys/{access_key_id}", at(id))),
};

function OwnKeys() {
  const me = useMe();
  const { dialog, key: chosen } = useSearch({ from: "/account" });
  const keys = useQuery(ownKeys);
  if (keys.error) return <ProblemNotice error={keys.error} onRetry={() => void keys.refetch()} />;
  if (!keys.data) {
    return (
      <div className="card">
        <Waiting what="your keys" />
      </div>
    );
  }
  return (
    <Keys
      title="My access keys"
      keys={keys.data}
      calls={me.makesOwnKeys ? CALLS : { change: CALLS.change, remove: CALLS.remove }}
      lives={LIVES}
      making="It may do over S3 what you may. The keys that are there go on signing."
      empty={
        me.makesOwnKeys
          ? "S3 clients such as aws, rclone or boto3 sign with a key. Make one for each client."
          : "An admin makes the keys of this account."
      }
      owner={me.name}
      about={
        me.makesOwnKeys ? undefined : (
          <p className="quiet">An admin makes the keys of this account. You can switch them off and delete them.</p>
        )
      }
      dialog={dialog}
      chosen={chosen}
    />
  );
}

function OwnSessions() {
  const { dialog, key: chosen } = useSearch({ from: "/account" });
  const overlay = useDialog();
  const queries = useQueryClient();
  const sessions = useQuery(ownSessions);
  const list = sessions.data?.sessions;
  const others = list?.filter((session) => !session.current).length ?? 0;
  const ended = (words: string) => {
    void queries.invalidateQueries();
    done(words);
    overlay.close();
  };
  const end = useMutation({
    mutationFn: (of: Session) =>
      data(client.DELETE("/_/api/admin/me/sessions/{id}", { params: { path: { id: of.id } } })),
    onSuccess: () => ended("The session has ended"),
  });
  const endAll = useMutation({
    mutationFn: () => data(client.DELETE("/_/api/admin/me/sessions")),
    onSuccess: (answer) => ended(`${count(answer.ended, "session")} ended`),
  });
  return (
    <section className="card" aria-labelledby="own-sessions">
      <div className="card-head">
        <h2 id="own-sessions">My sessions</h2>
        {others > 0 ? (
          <Button onClick={() => overlay.show("end-others")}>
            <LogOut size={15} aria-hidden /> End all others…
          </Button>
        ) : null}
      </div>
      {sessions.error ? (
        <div className="card-body">
          <ProblemNotice error={sessions.error} onRetry={() => void sessions.refetch()} />
        </div>
      ) : list ? (
        <SessionsTable sessions={list} onEnd={(id) => overlay.show("revoke", id)} />
      ) : (
        <Waiting what="your sessions" />
      )}
      <EndSession
        session={list?.find((session) => session.id === chosen)}
        open={dialog === "revoke"}
        onClose={overlay.close}
        busy={end.isPending}
        error={end.error}
        onConfirm={(of) => end.mutate(of)}
      >
        If it was not you, change the password or the key that it was opened with as well.
      </EndSession>
      <Confirm
        open={dialog === "end-others"}
        onClose={overlay.close}
        title="End all other sessions?"
        action="End the others"
        busy={endAll.isPending}
        onConfirm={() => endAll.mutate()}
      >
        <p>
          {count(others, "other browser")} {others === 1 ? "is" : "are"} signed out at once. You stay signed in here,
          and access keys go on signing.
        </p>
        {endAll.error ? <ProblemNotice error={endAll.error} title="No session was ended" /> : null}
      </Confirm>
    </section>
  );
}
