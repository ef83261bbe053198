// The way back from a restore: what comes back, what was changed since and is lost, and only then the undo.

import { useMutation, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { client, data } from "../../api/client";
import type { Restored } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { sentence } from "../../ui/marked";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { Room } from "../../ui/Room";
import { count } from "../../ui/words";
import { useDialog } from "../../ui/useDialog";
import { Diff } from "./Diff";
import { Findings } from "./Findings";
import { OF_ONE_MOMENT, PlanCard, useShowOutcome } from "./planned";
import { NotDone } from "./Refused";
import { phrase, tally, total } from "./words";

const CRUMBS = [{ text: "Settings" }, { text: "System" }, { text: "Backup", to: "/settings/system/backup" }] as const;

export function UndoRoom() {
  const me = useMe();
  return (
    <Room
      title="Undo the last restore"
      crumbs={CRUMBS}
      about="Brings back the state from just before it. An undo can be undone in the same way."
    >
      {me.may("backup:restore") ? (
        <Planned />
      ) : (
        <Notice tone="warn" title="Not for you">
          <p>
            An undo needs the right <code>backup:restore</code>. Ask an admin.
          </p>
        </Notice>
      )}
    </Room>
  );
}

interface Plan {
  plan: Restored;
  version: string;
}

function undo(
  revive: readonly string[],
  version: string,
  query: { dry_run?: boolean; discard_later_changes?: boolean },
) {
  return data(
    client.POST("/_/api/admin/backup/undo", {
      params: {
        query: { ...query, ...(revive.length > 0 ? { revive: [...revive] } : {}) },
        header: { "If-Match": `"${version}"` },
      },
    }),
  );
}

function Planned() {
  const [revive, setRevive] = useState<readonly string[]>([]);
  const { dialog } = useSearch({ from: "/settings/system/backup/undo" });
  const overlay = useDialog();
  const show = useShowOutcome();
  const plan = useQuery({
    queryKey: ["undo", revive],
    queryFn: async (): Promise<Plan> => {
      const { generation } = await data(client.GET("/_/health"));
      return { plan: await undo(revive, generation, { dry_run: true }), version: generation };
    },
    ...OF_ONE_MOMENT,
    placeholderData: (before) => before,
  });
  const run = useMutation({
    mutationFn: (of: Plan) => undo(revive, of.version, loses(of.plan) > 0 ? { discard_later_changes: true } : {}),
    onSuccess: show,
    onError: () => overlay.close(),
  });
  if (plan.error) return <ProblemNotice error={plan.error} onRetry={() => void plan.refetch()} />;
  if (!plan.data) {
    return (
      <div className="card">
        <Waiting what="the plan" />
      </div>
    );
  }
  const { plan: planned } = plan.data;
  const lost = loses(planned);
  return (
    <>
      <PlanCard plan={planned} fetching={plan.isFetching} />
      {planned.later_changes && lost > 0 ? (
        <section className="card" aria-labelledby="later">
          <div className="card-head">
            <h2 id="later">Changed since the restore, and lost</h2>
            <span className="pill pill-bad">{count(lost, "change")}</span>
          </div>
          <Diff changes={planned.later_changes.changes} tense="lost" restart={[]} />
          {planned.later_changes.other.length > 0 ? (
            <div className="card-foot">
              <ul className="bullets">
                {planned.later_changes.other.map((text) => (
                  <li key={text}>{sentence(text)}</li>
                ))}
              </ul>
            </div>
          ) : null}
        </section>
      ) : null}
      <Findings
        of={planned}
        {...(revive.includes("all")
          ? {}
          : { onRevive: (which: string) => setRevive(which === "all" ? ["all"] : [...revive, which]) })}
      />
      {run.error ? (
        <NotDone error={run.error} what="undo" onPlan={() => void plan.refetch().then(() => run.reset())} />
      ) : null}
      <div>
        <Button
          look="destroy"
          disabled={plan.isFetching || plan.isPlaceholderData}
          onClick={() => overlay.show("confirm")}
        >
          Undo…
        </Button>
      </div>
      <Confirm
        open={dialog === "confirm"}
        onClose={overlay.close}
        title="Undo the last restore?"
        action="Undo now"
        busy={run.isPending}
        typed={lost > 0 ? `lose ${lost}` : phrase(planned.changes, "undo")}
        onConfirm={() => run.mutate(plan.data)}
      >
        <p>
          The state from before the restore comes back, all at once or not at all: {tally(planned.changes, "plan")}.
        </p>
        {lost > 0 ? (
          <p>
            <strong>{count(lost, "change")}</strong> made since the restore {lost === 1 ? "is" : "are"} lost.
          </p>
        ) : null}
        <p>Everybody but you is signed out. The state of now is kept, as the way back from this undo.</p>
      </Confirm>
    </>
  );
}

/** How many later changes an undo throws away. */
function loses(plan: Restored): number {
  const later = plan.later_changes;
  return later ? total(later.changes).all + later.other.length : 0;
}
