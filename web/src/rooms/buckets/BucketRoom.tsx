// One bucket: what is in it, where it lies, and every setting of it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { FolderOpen, PackageX, Trash2 } from "lucide-react";
import { client, data } from "../../api/client";
import { bucket as bucketQuery, user as userQuery } from "../../api/queries";
import type { Bucket } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button, buttonClass } from "../../ui/Button";
import { ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { Room } from "../../ui/Room";
import { Exact } from "../../ui/Time";
import { done } from "../../ui/Toasts";
import { Unread } from "../../ui/Unread";
import { useDialog } from "../../ui/useDialog";
import { count } from "../../ui/words";
import { Size, States } from "./BucketsRoom";
import { RoutePart } from "./RoutePart";
import { CorsPart, Limits, PublicPart, TagsPart } from "./sections";

const CRUMBS = [{ text: "Buckets", to: "/buckets" }] as const;

export function BucketRoom() {
  const { bucket: name } = useParams({ from: "/buckets/$bucket" });
  const { dialog } = useSearch({ from: "/buckets/$bucket" });
  const overlay = useDialog();
  const query = useQuery(bucketQuery(name));
  const me = useMe();
  if (!query.data) {
    return (
      <Unread
        what="bucket"
        icon={PackageX}
        crumbs={CRUMBS}
        all={{ text: "All buckets", to: "/buckets" }}
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  }
  const { data: bucket, etag } = query.data;
  const of = { bucket, etag };
  // Each part begins anew with what the server has when that is another value, and keeps what is typed otherwise.
  const as = (...values: unknown[]) => JSON.stringify(values);
  return (
    <Room
      title={bucket.name}
      crumbs={CRUMBS}
      beside={<States of={bucket} />}
      about={<Made of={bucket} />}
      actions={
        <>
          <Link to="/files/$bucket" params={{ bucket: bucket.name }} className={buttonClass()}>
            <FolderOpen size={16} aria-hidden /> Files
          </Link>
          {me.may("config:write") ? (
            <Button look="danger" onClick={() => overlay.show("delete")}>
              <Trash2 size={16} aria-hidden /> Delete…
            </Button>
          ) : null}
        </>
      }
    >
      <div className="tiles">
        <div className="card tile">
          <span className="quiet small">Objects</span>
          <span className="tile-value">{bucket.usage ? bucket.usage.objects.toLocaleString("en") : "…"}</span>
        </div>
        <div className="card tile">
          <span className="quiet small">Size</span>
          <span className="tile-value">
            <Size of={bucket} />
          </span>
        </div>
        <div className="card tile">
          <span className="quiet small">Backend</span>
          <span className="tile-value as-written wrap-anywhere">{bucket.backend}</span>
          <span className="quiet small wrap-anywhere">as {bucket.real_name}</span>
        </div>
      </div>
      <div className="columns columns-own">
        <Limits key={as("limits", bucket.quota_bytes, bucket.read_only)} {...of} />
        <PublicPart key={as("public", bucket.public_prefixes)} {...of} />
        <RoutePart key={as("route", bucket.backend, bucket.alias)} {...of} open={dialog === "route"} />
        <TagsPart key={as("tags", bucket.tags)} {...of} />
      </div>
      <CorsPart key={as("cors", bucket.cors)} {...of} />
      <Delete of={bucket} open={dialog === "delete"} onClose={overlay.close} />
    </Room>
  );
}

/** Whose it is, and since when; of what only the config file declares nobody knows that. */
function Made({ of }: { of: Bucket }) {
  const me = useMe();
  const somebody = !of.owner.startsWith("$");
  const owner = useQuery({ ...userQuery(of.owner), enabled: somebody && me.may("iam:read") }).data?.data;
  if (of.owner === "$config") return "Declared in the config file";
  return (
    <>
      Made by{" "}
      {owner ? (
        <Link to="/access/users/$userId" params={{ userId: owner.id }}>
          {owner.name}
        </Link>
      ) : somebody ? (
        <code>{of.owner}</code>
      ) : (
        "the bootstrap admin"
      )}
      , <Exact at={of.created_at} />
    </>
  );
}

function Delete({ of, open, onClose }: { of: Bucket; open: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => data(client.DELETE("/_/api/admin/buckets/{name}", { params: { path: { name: of.name } } })),
    onSuccess: async () => {
      done(`${of.name} is deleted`);
      await navigate({ to: "/buckets", replace: true });
      queries.removeQueries({ queryKey: bucketQuery(of.name).queryKey });
      void queries.invalidateQueries();
    },
  });
  const objects = of.usage?.objects ?? 0;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete ${of.name}?`}
      action="Delete bucket"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>
        {objects > 0
          ? `${count(objects, "object")} ${objects === 1 ? "was" : "were"} counted in it: only an empty bucket is deleted.`
          : "Only an empty bucket is deleted; its settings go with it."}
      </p>
      {remove.error ? <ProblemNotice error={remove.error} title="The bucket was not deleted" /> : null}
    </Confirm>
  );
}
