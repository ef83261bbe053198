// Files: the buckets in which whoever is signed in may look, each the way to what lies in it.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PackageOpen } from "lucide-react";
import { useMemo } from "react";
import { ownBuckets } from "../../api/queries";
import { useMe } from "../../session/useMe";
import { buttonClass } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { LongBody } from "../../ui/LongBody";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { Exact } from "../../ui/Time";
import { byName } from "../../ui/words";

export function FilesRoom() {
  const me = useMe();
  const buckets = useQuery(ownBuckets);
  const sorted = useMemo(() => [...(buckets.data ?? [])].sort(byName), [buckets.data]);
  return (
    <Room title="Files" about="The buckets that you may look into. What you may do there, your S3 rules say.">
      {buckets.error ? <ProblemNotice error={buckets.error} onRetry={() => void buckets.refetch()} /> : null}
      {buckets.data ? (
        <div className="card">
          {sorted.length === 0 ? (
            <Empty icon={PackageOpen} title="No buckets to look into">
              <p className="quiet">There are none, or no rule of yours allows listing one.</p>
              {me.may("config:write") ? (
                <Link to="/buckets" search={{ dialog: "new" }} className={buttonClass("primary")}>
                  Create a bucket
                </Link>
              ) : null}
            </Empty>
          ) : (
            <table className="table table-rows table-names" aria-rowcount={sorted.length + 1}>
              <thead>
                <tr>
                  <th scope="col">Bucket</th>
                  <th scope="col">Created</th>
                  <th scope="col">State</th>
                </tr>
              </thead>
              <LongBody
                items={sorted}
                columns={3}
                row={(bucket, props) => (
                  <tr key={bucket.name} {...props}>
                    <td>
                      <Link to="/files/$bucket" params={{ bucket: bucket.name }} className="row-link wrap-anywhere">
                        {bucket.name}
                      </Link>
                    </td>
                    <td data-label="Created">
                      <Exact at={bucket.created_at} />
                    </td>
                    <td data-label="State">
                      {bucket.backend_up && !bucket.read_only ? null : (
                        <div className="row">
                          {bucket.backend_up ? null : <span className="pill pill-bad">Backend down</span>}
                          {bucket.read_only ? <span className="pill pill-warn">Read-only</span> : null}
                        </div>
                      )}
                    </td>
                  </tr>
                )}
              />
            </table>
          )}
        </div>
      ) : buckets.error ? null : (
        <div className="card">
          <Waiting what="buckets" />
        </div>
      )}
    </Room>
  );
}
