// Sessions in a table: all of them for an admin, one's own for everybody.

import type { ReactNode } from "react";
import type { Session } from "../../../api/types";
import { useSignOut } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { LongBody } from "../../../ui/LongBody";
import { ProblemNotice } from "../../../ui/Notice";
import { Confirm } from "../../../ui/Overlay";
import { Ago } from "../../../ui/Time";
import { agent } from "./agent";

/** Names of the ways to sign in. */
const WAYS: Record<string, string> = { bootstrap: "Bootstrap password", iam: "Key or provider" };

export function who(session: Session): string {
  return session.identity === "$bootstrap" ? "Bootstrap admin" : session.identity;
}

/** `onEnd` is left out for whoever may end none; one's own session is signed out of instead. */
export function SessionsTable(props: { sessions: readonly Session[]; onEnd?: ((id: string) => void) | undefined }) {
  const { sessions, onEnd } = props;
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
        row={(session, row) => (
          <tr key={session.id} {...row}>
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
              ) : onEnd ? (
                <Button
                  small
                  look="danger"
                  aria-label={`End the session of ${who(session)} from ${session.ip}`}
                  onClick={() => onEnd(session.id)}
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

/** The question before one of them ends. */
export function EndSession(props: {
  session: Session | undefined;
  open: boolean;
  onClose: () => void;
  busy: boolean;
  error: unknown;
  onConfirm: (session: Session) => void;
  children: ReactNode;
}) {
  const { session } = props;
  if (!session) return null;
  return (
    <Confirm
      open={props.open}
      onClose={props.onClose}
      title={`End the session of ${who(session)}?`}
      action="End session"
      busy={props.busy}
      onConfirm={() => props.onConfirm(session)}
    >
      <p>
        One browser, {agent(session.user_agent)} at <code>{session.ip}</code>, is signed out at once. {props.children}
      </p>
      {props.error ? <ProblemNotice error={props.error} title="The session was not ended" /> : null}
    </Confirm>
  );
}
