// Access → Sessions: who is signed in to this console, from where, and the end of it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { client, data } from "../../../api/client";
import { sessions as sessionsQuery } from "../../../api/queries";
import type { Session } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Waiting } from "../../../ui/Empty";
import { ProblemNotice } from "../../../ui/Notice";
import { Room } from "../../../ui/Room";
import { done } from "../../../ui/Toasts";
import { useDialog } from "../../../ui/useDialog";
import { EndSession, SessionsTable, who } from "./SessionsTable";

export function SessionsRoom() {
  const { dialog, key: chosen } = useSearch({ from: "/access/sessions" });
  const overlay = useDialog();
  const may = useMe().may("iam:write");
  const queries = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const list = sessions.data?.sessions;
  const revoke = useMutation({
    mutationFn: (of: Session) => data(client.DELETE("/_/api/admin/sessions/{id}", { params: { path: { id: of.id } } })),
    onSuccess: (_, of) => {
      void queries.invalidateQueries();
      done(`The session of ${who(of)} has ended`);
      overlay.close();
    },
  });
  return (
    <Room
      title="Sessions"
      crumbs={[{ text: "Access" }]}
      about="Everybody who is signed in to this console now. Access keys and API tokens have no sessions: they prove themselves with every request."
    >
      {sessions.error ? <ProblemNotice error={sessions.error} onRetry={() => void sessions.refetch()} /> : null}
      {list ? (
        <div className="card">
          <SessionsTable sessions={list} onEnd={may ? (id) => overlay.show("revoke", id) : undefined} />
        </div>
      ) : sessions.error ? null : (
        <div className="card">
          <Waiting what="sessions" />
        </div>
      )}
      <EndSession
        session={list?.find((session) => session.id === chosen)}
        open={dialog === "revoke"}
        onClose={overlay.close}
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={(of) => revoke.mutate(of)}
      >
        Whoever has the password or the key can sign in again: change those too if they are in wrong hands.
      </EndSession>
    </Room>
  );
}
