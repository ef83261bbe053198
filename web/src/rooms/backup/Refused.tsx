// An archive or a plan that was refused: why, and the ways on from there.

import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { Problem } from "../../api/problem";
import { Button } from "../../ui/Button";
import { PasswordField } from "../../ui/Field";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { PLAIN } from "./Options";
import type { Wishes } from "./send";

/** The state moved on since the plan was made. */
export function stale(error: unknown): boolean {
  return error instanceof Problem && error.status === 412;
}

/** The answer got lost: the server may have done it all the same. */
function unknown(problem: Problem): boolean {
  return problem.status === 0 || problem.code === "outcome_unknown" || problem.code === "no_problem_body";
}

/** A restore or undo that was sent, and did not answer with its outcome. */
export function NotDone(props: { error: unknown; what: "restore" | "undo"; onPlan: () => void }) {
  const problem = Problem.from(props.error);
  if (!unknown(problem)) {
    return (
      <ProblemNotice
        error={problem}
        title={`The ${props.what} was refused; nothing was changed`}
        {...(stale(problem) ? { onRetry: props.onPlan } : {})}
      />
    );
  }
  return (
    <Notice tone="warn" title={`Whether the ${props.what} was done is not known`} live>
      <p>
        {problem.title}: the answer got lost. It was done as a whole or not at all, and may still be under way. The list
        of <Link to="/settings/system/backup">restores on this server</Link> tells; a plan that finds no difference
        does, too.
      </p>
      <div>
        <Button small onClick={props.onPlan}>
          Plan again
        </Button>
      </div>
    </Notice>
  );
}

function plainly(wishes: Wishes): boolean {
  return JSON.stringify({ ...wishes, opening: null }) === JSON.stringify(PLAIN);
}

export function Refused(props: {
  error: unknown;
  wishes: Wishes;
  onWishes: (wishes: Wishes) => void;
  onRetry: () => void;
  other: ReactNode;
}) {
  const { error, wishes } = props;
  const [password, setPassword] = useState("");
  const mismatch = error instanceof Problem && error.code === "db_key_mismatch";
  const keyless = error instanceof Problem && error.code === "missing_keys";
  const early = error instanceof Problem && error.status === 0;
  return (
    <>
      <ProblemNotice
        error={error}
        title={early ? "The archive was not checked" : "Refused: nothing was changed"}
        {...(early || stale(error) ? { onRetry: props.onRetry } : {})}
      />
      {mismatch ? (
        <form
          className="card"
          onSubmit={(event) => {
            event.preventDefault();
            props.onWishes({ ...wishes, password });
          }}
        >
          <div className="card-body stack">
            <h2>Two ways on from here</h2>
            <PasswordField
              label="The bootstrap password"
              autoComplete="off"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              hint="If it opens both the archive and this host’s pinned hash, the restore can go on."
            />
            <div className="row">
              <Button type="submit" look="primary">
                Plan with this password
              </Button>
              <Button onClick={() => props.onWishes({ ...wishes, mode: "preserve-bootstrap" })}>
                Keep this host’s password instead
              </Button>
            </div>
          </div>
        </form>
      ) : null}
      {keyless ? (
        <div className="card">
          <div className="card-body stack-small">
            <h2>Go on without them</h2>
            <p>
              Backends whose keys are missing come up read-only, and what was encrypted with them cannot be read. If the
              keys are elsewhere, bring them first.
            </p>
            <div>
              <Button onClick={() => props.onWishes({ ...wishes, missingKeys: true })}>
                Plan without the missing keys
              </Button>
            </div>
          </div>
        </div>
      ) : null}
      <div className="row">
        {props.other}
        {plainly(wishes) ? null : (
          <Button onClick={() => props.onWishes({ ...PLAIN, opening: wishes.opening })}>
            Back to the usual options
          </Button>
        )}
      </div>
    </>
  );
}
