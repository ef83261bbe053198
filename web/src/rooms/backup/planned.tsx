// What a restore and an undo have in common: a plan that belongs to one moment, its card, and the way to its outcome.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { Restored } from "../../api/types";
import { sentence } from "../../ui/marked";
import { Diff } from "./Diff";
import { tally } from "./words";

/** Options of a plan's query: it is made when it is asked for, and is not kept. */
export const OF_ONE_MOMENT = {
  staleTime: Infinity,
  gcTime: 0,
  retry: false,
  refetchOnWindowFocus: false,
} as const;

export function PlanCard({ plan, fetching }: { plan: Restored; fetching: boolean }) {
  return (
    <section className="card" aria-labelledby="plan" aria-busy={fetching}>
      <div className="card-head">
        <h2 id="plan">What it will do</h2>
        <span className="quiet" role="status">
          {fetching ? "Planning again…" : sentence(tally(plan.changes, "plan"))}
        </span>
      </div>
      <Diff changes={plan.changes} tense="plan" restart={plan.requires_restart} />
    </section>
  );
}

/** Goes to the page of what was done; everything that was read before is of another state. */
export function useShowOutcome(): (result: Restored) => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async (result) => {
    queries.setQueryData(["restore", result.restore_id], result);
    await navigate({
      to: "/settings/system/backup/restores/$restoreId",
      params: { restoreId: result.restore_id },
      replace: true,
    });
    void queries.invalidateQueries();
  };
}
