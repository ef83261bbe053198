// A change of the configuration before it happens: it is tried and planned by the server, read, and only then made.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode, SyntheticEvent } from "react";
import type { BackendLook, BackendPlan } from "../../api/types";
import { Button } from "../../ui/Button";
import { marked, sentence } from "../../ui/marked";
import { Notice, ProblemNotice, type Tone } from "../../ui/Notice";
import { done } from "../../ui/Toasts";
import { count } from "../../ui/words";

/** A plan with the state that it was made for. */
export interface Answer {
  data: BackendPlan;
  etag: string | null;
}

/** The call, as a plan or in earnest. */
export type Call = (how: { dryRun: boolean; version: string | null }) => Promise<Answer>;

interface Props {
  call: Call;
  /** What is planned, as text: another one needs another plan. */
  wish: string;
  action: string;
  destroys?: boolean;
  refused: string;
  onClose: () => void;
  onDone: () => void;
  said: string;
  children: ReactNode;
}

/** The body of a dialog. The first press of its button asks what would happen, the second makes it so. */
export function Planned({ call, wish, action, destroys = false, children, ...rest }: Props) {
  const queries = useQueryClient();
  const plan = useMutation({
    mutationFn: async (wish: string) => ({ ...(await call({ dryRun: true, version: null })), wish }),
  });
  const apply = useMutation({
    mutationFn: (version: string | null) => call({ dryRun: false, version }),
    onSuccess: () => {
      done(rest.said);
      void queries.invalidateQueries();
      rest.onDone();
    },
  });
  const planned = plan.data?.wish === wish ? plan.data : undefined;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (plan.isPending || apply.isPending) return;
    if (planned) apply.mutate(planned.etag);
    else {
      apply.reset();
      plan.mutate(wish);
    }
  };
  return (
    <form onSubmit={submit}>
      <div className="dialog-body stack">
        {children}
        {plan.error && plan.variables === wish ? <ProblemNotice error={plan.error} title={rest.refused} /> : null}
        {planned ? <Would plan={planned.data} /> : null}
        {apply.error ? <ProblemNotice error={apply.error} title={rest.refused} /> : null}
      </div>
      <div className="dialog-foot">
        <Button onClick={rest.onClose}>Cancel</Button>
        <Button
          type="submit"
          look={planned && destroys ? "destroy" : "primary"}
          busy={plan.isPending || apply.isPending}
        >
          {planned ? action : "See what it would do"}
        </Button>
      </div>
    </form>
  );
}

const FOUND: Record<string, { tone: Tone; title: string }> = {
  new: { tone: "good", title: "An empty place: it becomes this backend’s own" },
  ready: { tone: "good", title: "The place answers and is this backend’s own" },
  foreign: { tone: "warn", title: "The place belongs to another backend" },
  lost: { tone: "warn", title: "The place has lost its mark" },
  unusable: { tone: "bad", title: "The place cannot be used" },
};

/** What was found where the backend is, or is to be. */
export function Look({ of }: { of: BackendLook }) {
  const { tone, title } =
    // An account has buckets of others, which stay out of sight.
    of.state === "new" && of.buckets
      ? { tone: "good" as const, title: "No backend’s place yet: it becomes this backend’s own" }
      : (FOUND[of.state] ?? { tone: "info" as const, title: of.state });
  return (
    <Notice tone={tone} title={title} live>
      <p className="wrap-anywhere">{marked(sentence(of.message))}</p>
      {of.buckets ? (
        <p>
          {count(of.buckets, "bucket")} {of.buckets === 1 ? "lies" : "lie"} there.
        </p>
      ) : null}
    </Notice>
  );
}

function Would({ plan }: { plan: BackendPlan }) {
  return (
    <section className="stack-small" aria-label="What it would do" role="status">
      {plan.probe ? <Look of={plan.probe} /> : null}
      <h3>What it would do</h3>
      {plan.changes.length === 0 ? <p className="quiet">Nothing in the configuration differs.</p> : null}
      <ul className="bullets">
        {plan.changes.map((change) => (
          <li key={change.path} className="wrap-anywhere">
            <code>{change.path}</code>: {value(change.from)} → {value(change.to)}
            {change.reload === "reconnect" ? <span className="quiet"> (opened anew)</span> : null}
          </li>
        ))}
        {plan.buckets_moved.map((moved) => (
          <li key={moved.bucket} className="wrap-anywhere">
            Bucket <strong>{moved.bucket}</strong> points there from then on;{" "}
            {moved.objects === null ? (
              <strong>its objects cannot be counted and stay behind</strong>
            ) : moved.objects === 0 ? (
              "it has no objects to leave behind"
            ) : (
              <strong>
                {moved.exact ? "" : "at least "}
                {count(moved.objects, "object")} {moved.objects === 1 ? "stays" : "stay"} behind
              </strong>
            )}
          </li>
        ))}
      </ul>
      {plan.warnings.length > 0 ? (
        <Notice tone="warn" title={plan.warnings.length === 1 ? "One warning" : `${plan.warnings.length} warnings`}>
          <ul className="stack-small">
            {plan.warnings.map((warning) => (
              <li key={warning}>{marked(sentence(warning))}</li>
            ))}
          </ul>
        </Notice>
      ) : null}
      <p className="quiet small wrap-anywhere">
        Written into <code>{plan.config_file}</code>.
      </p>
    </section>
  );
}

function value(of: unknown): ReactNode {
  if (of === null || of === undefined) return <span className="quiet">nothing</span>;
  return <code>{typeof of === "string" ? of : JSON.stringify(of)}</code>;
}
