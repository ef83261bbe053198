// A part of a bucket's settings with a save of its own: it sends its own fields alone, and only over what was read.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode, SyntheticEvent } from "react";
import { answered, client } from "../../api/client";
import { Problem } from "../../api/problem";
import { bucket as bucketQuery } from "../../api/queries";
import type { Bucket, BucketChange } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { done } from "../../ui/Toasts";

export interface SectionProps {
  bucket: Bucket;
  /** Of the answer that the bucket was read with. */
  etag: string | null;
}

/** The names of the fields that the config file declares. */
export function pinned(bucket: Bucket, fields: readonly string[]): readonly string[] {
  return fields.filter((field) => bucket.pinned.includes(field));
}

interface Props extends SectionProps {
  title: string;
  about: ReactNode;
  /** As the API and the config file call them. */
  fields: readonly string[];
  /** What is to be sent; `null` where something in the form cannot be. */
  change: BucketChange | null;
  changed: boolean;
  onReset: () => void;
  children: (locked: boolean) => ReactNode;
}

export function Section({ bucket, etag, title, about, fields, change, changed, onReset, children }: Props) {
  const me = useMe();
  const queries = useQueryClient();
  const held = pinned(bucket, fields);
  const locked = held.length > 0 || !me.may("config:write");
  const save = useMutation({
    mutationFn: (body: BucketChange) =>
      answered(
        client.PUT("/_/api/admin/buckets/{name}", {
          params: { path: { name: bucket.name }, header: etag ? { "If-Match": etag } : {} },
          body,
        }),
      ),
    onSuccess: ({ data: { bucket: now }, etag: version, response }) => {
      // The next part is saved over this, also before it was read anew.
      queries.setQueryData(bucketQuery(bucket.name).queryKey, { data: now, etag: version, response });
      done(`${title} of ${bucket.name} saved`);
      void queries.invalidateQueries();
    },
  });
  const stale = save.error instanceof Problem && save.error.status === 412;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (change && !save.isPending) save.mutate(change);
  };
  return (
    <section className="card" aria-label={title}>
      <form onSubmit={submit}>
        <div className="card-head">
          <h2>{title}</h2>
          {changed ? <span className="pill pill-warn">Not saved</span> : null}
        </div>
        <div className="card-body stack">
          <p className="quiet">{about}</p>
          {held.length > 0 ? (
            <Notice tone="info" title="Set in the config file">
              <p>
                <code>storage.buckets.{bucket.name}</code> declares it; change it there.
              </p>
            </Notice>
          ) : null}
          {children(locked)}
          {save.error ? (
            <ProblemNotice
              error={save.error}
              title={stale ? "Somebody changed something meanwhile" : `${title} not saved`}
              {...(stale
                ? {
                    hint: "look at it again and save once more",
                    onRetry: () => void queries.invalidateQueries().then(() => save.reset()),
                  }
                : {})}
            />
          ) : null}
          {locked ? null : (
            <div className="row">
              <Button type="submit" look="primary" busy={save.isPending} disabled={!changed || !change}>
                Save
              </Button>
              {changed ? (
                <Button
                  onClick={() => {
                    save.reset();
                    onReset();
                  }}
                >
                  Discard
                </Button>
              ) : null}
            </div>
          )}
        </div>
      </form>
    </section>
  );
}
