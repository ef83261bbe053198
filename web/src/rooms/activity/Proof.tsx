// Whether the audit log is as it was written: each row is chained to the one before it, under a key of this instance.

import { useMutation } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { client, data } from "../../api/client";
import { Button } from "../../ui/Button";
import { Value } from "../../ui/Copy";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { count } from "../../ui/words";

/** What may have been done to a row. */
const KINDS: Record<string, string> = {
  edited: "was edited",
  dropped: "is missing",
  reordered: "stands in another place",
  truncated: "is the last of a log that was cut off",
  forged_stub: "stands for pruned rows, and was not written by this server",
};

export function Proof() {
  const proof = useMutation({
    mutationFn: () => data(client.GET("/_/api/admin/audit/verify")),
  });
  const { data: of } = proof;
  return (
    <section className="card" aria-labelledby="proof">
      <div className="card-body row-apart">
        <h2 id="proof">Is the log whole?</h2>
        <Button busy={proof.isPending} onClick={() => proof.mutate()}>
          <ShieldCheck size={16} aria-hidden /> Verify
        </Button>
      </div>
      {proof.error ? (
        <div className="card-foot">
          <ProblemNotice error={proof.error} title="The log was not verified" />
        </div>
      ) : of ? (
        <div className="card-foot">
          {of.gap ? (
            <Notice tone="bad" title="The log is not as it was written" live>
              <p>
                Row {of.gap.seq} {KINDS[of.gap.kind] ?? of.gap.kind}. Rows before it are as they were written.
              </p>
            </Notice>
          ) : (
            <Notice tone="good" title="Nothing was edited, dropped or put in another order" live>
              <p>
                {count(of.rows, "row")}
                {of.pruned > 0 ? `; rows up to ${of.pruned} were pruned in order` : ""}. Kept elsewhere, this proves
                later that nothing was cut off:
              </p>
              <Value text={`${of.count}:${of.head}`} label="count and head" />
            </Notice>
          )}
        </div>
      ) : null}
    </section>
  );
}
