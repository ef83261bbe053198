// Access → Sessions: who is signed in to this console, from where, and the end of it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { client, data } from "../../../api/client";
import { sessions as sessionsQuery } from "../../../api/queries";
import type { Session } from "../../../api/types";
import { useMe, useSignOut } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { Waiting } from "../../../ui/Empty";
import { LongBody } from "../../../ui/LongBody";
import { ProblemNotice } from "../../../ui/Notice";
import { Confirm } from "../../../ui/Overlay";
import { Room } from "../../../ui/Room";
import { Ago } from "../../../ui/Time";
import { done } from "../../../ui/Toasts";
import { useDialog } from "../../../ui/useDialog";
import { agent } from "./agent";

export function SessionsRoom() {
  const { dialog, key: chosen } = useSearch({ from: "/access/sessions" });
  const overlay = useDialog();
  const sessions = useQuery(sessionsQuery);
  const list = sessions.data?.sessions;
  return (
    <Room
      title="Sessions"
      crumbs={[{ text: "Access" }]}
      about="Everybody who is signed in to this console now. Access keys and API tokens have no sessions: they prove themselves with every request."
    >
      {sessions.error ? <ProblemNotice error={sessions.error} onRetry={() => void sessions.refetch()} /> : null}
      {list ? (
        <div className="card">
          <Table sessions={list} onRevoke={(id) => overlay.show("revoke", id)} />
        </div>
      ) : sessions.error ? null : (
        <div className="card">
          <Waiting what="sessions" />
        </div>
      )}
      <Revoke
        session={list?.find((session) => session.id === chosen)}
        open={dialog === "revoke"}
        onClose={overlay.close}
      />
    </Room>
  );
}

/** Names of the ways to sign in. */
const WAYS: Record<string, string> = { bootstrap: "Bootstrap password", iam: "Key or provider" };

function who(session: Session): string {
  return session.identity === "$bootstrap" ? "Bootstrap admin" : session.identity;
}

function Table({ sessions, onRevoke }: { sessions: readonly Session[]; onRevoke: (id: string) => void }) {
  const may = useMe().may("iam:write");
  const signOut = useSignOut();
  return (
    <table className="table" aria-rowcount={sessions.length + 1}>
      <thead>
        <tr>
          <th scope="col">Who</th>
          <th scope="col">Signed in with</th>
          <th scope="col">From</th>
          <th scope="col">Last seen</th>
          <th scope="col">Ends</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <LongBody
        items={sessions}
        columns={6}
        row={(session, props) => (
          <tr key={session.id} {...props}>
            <td>
              <div>
                <strong className="wrap-anywhere">{who(session)}</strong>{" "}
                {session.admin_gui ? <span className="pill">Admin</span> : null}{" "}
                {session.current ? <span className="pill pill-accent">This one</span> : null}
              </div>
            </td>
            <td data-label="With">
              <span>
                {WAYS[session.auth] ?? session.auth}
                <br />
                <span className="quiet small">
                  <Ago at={session.created_at} />
                </span>
              </span>
            </td>
            <td data-label="From">
              <span>
                <code>{session.ip}</code>
                <br />
                <span className="quiet small" title={session.user_agent}>
                  {agent(session.user_agent)}
                </span>
              </span>
            </td>
            <td data-label="Last seen">
              <span>
                <Ago at={session.last_seen} />
              </span>
            </td>
            <td data-label="Ends" className="quiet">
              <span>
                <Ago at={session.expires_at} />
              </span>
            </td>
            <td className="cell-end">
              {session.current ? (
                <Button small onClick={() => void signOut()}>
                  Sign out
                </Button>
              ) : may ? (
                <Button
                  small
                  look="danger"
                  aria-label={`End the session of ${who(session)} from ${session.ip}`}
                  onClick={() => onRevoke(session.id)}
                >
                  End…
                </Button>
              ) : null}
            </td>
          </tr>
        )}
      />
    </table>
  );
}

function Revoke({ session, open, onClose }: { session: Session | undefined; open: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: (of: Session) => data(client.DELETE("/_/api/admin/sessions/{id}", { params: { path: { id: of.id } } })),
    onSuccess: (_, of) => {
      void queries.invalidateQueries();
      done(`The session of ${who(of)} has ended`);
      onClose();
    },
  });
  if (!session) return null;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`End the session of ${who(session)}?`}
      action="End session"
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate(session)}
    >
      <p>
        One browser, {agent(session.user_agent)} at <code>{session.ip}</code>, is signed out at once. Whoever has the
        password or the key can sign in again: change those too if they are in wrong hands.
      </p>
      {revoke.error ? <ProblemNotice error={revoke.error} title="The session was not ended" /> : null}
    </Confirm>
  );
}
