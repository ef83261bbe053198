// Buckets: what there is, where each one lies, what is in it, and the way to a new one.

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { PackageOpen, Plus, Search, SearchX } from "lucide-react";
import { useDeferredValue, useMemo } from "react";
import { buckets as bucketsQuery } from "../../api/queries";
import type { Bucket } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { LongBody } from "../../ui/LongBody";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { bytes, span } from "../../ui/Time";
import { useDialog } from "../../ui/useDialog";
import { byName, count } from "../../ui/words";
import { CreateBucket } from "./CreateBucket";

export function BucketsRoom() {
  const { q = "", dialog } = useSearch({ from: "/buckets" });
  const navigate = useNavigate({ from: "/buckets" });
  const overlay = useDialog();
  const me = useMe();
  const buckets = useQuery(bucketsQuery);
  const text = useDeferredValue(q).trim().toLowerCase();
  const sorted = useMemo(() => [...(buckets.data ?? [])].sort(byName), [buckets.data]);
  const shown = sorted.filter((bucket) =>
    [bucket.name, bucket.backend, bucket.real_name].some((field) => field.toLowerCase().includes(text)),
  );
  const create = me.may("config:write") ? (
    <Button look="primary" onClick={() => overlay.show("new")}>
      <Plus size={16} aria-hidden /> Create bucket
    </Button>
  ) : null;
  return (
    <Room
      title="Buckets"
      about="Each lies on one backend. Objects and sizes are counted in the background; their age is shown."
      actions={buckets.data?.length ? create : null}
    >
      {buckets.error ? <ProblemNotice error={buckets.error} onRetry={() => void buckets.refetch()} /> : null}
      {buckets.data ? (
        <div className="card">
          {buckets.data.length > 0 ? (
            <div className="card-head">
              <div className="search">
                <Search size={15} aria-hidden />
                <input
                  className="input"
                  type="search"
                  aria-label="Find buckets"
                  placeholder="Bucket or backend"
                  value={q}
                  onChange={(event) => {
                    const next = event.target.value;
                    void navigate({ search: (search) => ({ ...search, q: next || undefined }), replace: true });
                  }}
                />
              </div>
              <span className="quiet small" role="status">
                {text ? `${shown.length} of ${buckets.data.length}` : count(buckets.data.length, "bucket")}
              </span>
            </div>
          ) : null}
          {buckets.data.length === 0 ? (
            <Empty icon={PackageOpen} title="No buckets yet">
              <p className="quiet">
                Create one here, or let a client make it, as <code className="nowrap">aws s3 mb</code> does.
              </p>
              {create}
            </Empty>
          ) : shown.length === 0 ? (
            <Empty icon={SearchX} title="No bucket matches">
              <p className="quiet wrap-anywhere">No bucket or backend has “{q}” in its name.</p>
              <Button onClick={() => void navigate({ search: {}, replace: true })}>Show all</Button>
            </Empty>
          ) : (
            <Table buckets={shown} />
          )}
        </div>
      ) : buckets.error ? null : (
        <div className="card">
          <Waiting what="buckets" />
        </div>
      )}
      <CreateBucket
        key={dialog ?? "closed"}
        open={dialog === "new"}
        onClose={overlay.close}
        onCreated={(name) => void navigate({ to: "/buckets/$bucket", params: { bucket: name }, replace: true })}
      />
    </Room>
  );
}

function Table({ buckets }: { buckets: readonly Bucket[] }) {
  return (
    <table className="table table-rows" aria-rowcount={buckets.length + 1}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Backend</th>
          <th scope="col">Objects</th>
          <th scope="col">Size</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <LongBody
        items={buckets}
        columns={5}
        row={(bucket, props) => (
          <tr key={bucket.name} {...props}>
            <td>
              <Link to="/buckets/$bucket" params={{ bucket: bucket.name }} className="row-link wrap-anywhere">
                {bucket.name}
              </Link>
            </td>
            <td data-label="Backend">
              <span className="wrap-anywhere">
                {bucket.backend}
                {bucket.alias ? <span className="quiet small"> as {bucket.alias}</span> : null}
              </span>
            </td>
            <td data-label="Objects">
              <span className="nowrap">{bucket.usage ? bucket.usage.objects.toLocaleString("en") : "…"}</span>
            </td>
            <td data-label="Size">
              <Size of={bucket} />
            </td>
            <td data-label="State">{statesOf(bucket).length > 0 ? <States of={bucket} /> : null}</td>
          </tr>
        )}
      />
    </table>
  );
}

/** How much is in it, of how much, and how old that number is. */
export function Size({ of: { usage, quota_bytes } }: { of: Bucket }) {
  if (!usage) return <span className="quiet">being counted</span>;
  return (
    <span>
      <span className="nowrap">
        {bytes(usage.bytes)}
        {quota_bytes === null ? "" : ` of ${bytes(quota_bytes)}`}
      </span>{" "}
      {usage.age_secs >= 60 ? <span className="quiet small nowrap">{span(usage.age_secs)} old</span> : null}
    </span>
  );
}

/** What is out of the ordinary with it. */
function statesOf(of: Bucket): readonly { tone: "bad" | "warn"; text: string }[] {
  const full =
    of.quota_bytes !== null && of.usage !== null && of.usage.bytes + of.usage.open_upload_bytes >= of.quota_bytes;
  const open = of.public_prefixes.includes("") ? "Public" : "Public in part";
  return [
    ...(of.backend_up ? [] : [{ tone: "bad" as const, text: "Backend down" }]),
    ...(of.public_prefixes.length > 0 ? [{ tone: "warn" as const, text: open }] : []),
    ...(of.read_only ? [{ tone: "warn" as const, text: "Read-only" }] : []),
    ...(full ? [{ tone: "bad" as const, text: "Full" }] : []),
  ];
}

export function States({ of }: { of: Bucket }) {
  return (
    <div className="row">
      {statesOf(of).map(({ tone, text }) => (
        <span key={text} className={`pill pill-${tone}`}>
          {text}
        </span>
      ))}
    </div>
  );
}
