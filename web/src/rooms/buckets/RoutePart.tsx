// Where a bucket lies: its backend and its name there. Moving the route moves no object, so what stays behind is said first.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { answered, client } from "../../api/client";
import { backends as backendsQuery, bucket as bucketQuery } from "../../api/queries";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { marked, sentence } from "../../ui/marked";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { done } from "../../ui/Toasts";
import { useDialog } from "../../ui/useDialog";
import { pinned, type SectionProps } from "./Section";

export function RoutePart({ bucket, etag, open }: SectionProps & { open: boolean }) {
  const me = useMe();
  const overlay = useDialog();
  const queries = useQueryClient();
  const backends = useQuery(backendsQuery);
  const [backend, setBackend] = useState(bucket.backend);
  const [alias, setAlias] = useState(bucket.alias ?? "");
  const locked = pinned(bucket, ["backend", "alias"]).length > 0 || !me.may("config:write");
  const changed = backend !== bucket.backend || alias.trim() !== (bucket.alias ?? "");
  const send = (dryRun: boolean, version: string | null) =>
    answered(
      client.PUT("/_/api/admin/buckets/{name}", {
        params: {
          path: { name: bucket.name },
          query: dryRun ? { dry_run: true } : {},
          header: version ? { "If-Match": version } : {},
        },
        body: { backend, alias: alias.trim() || null },
      }),
    );
  const plan = useMutation({
    mutationFn: () => send(true, etag),
    onSuccess: () => overlay.show("route"),
  });
  const apply = useMutation({
    mutationFn: (version: string | null) => send(false, version),
    onSuccess: ({ data: { bucket: now }, etag: version, response }) => {
      queries.setQueryData(bucketQuery(bucket.name).queryKey, { data: now, etag: version, response });
      done(`${bucket.name} is routed to ${backend}`);
      overlay.close();
      void queries.invalidateQueries();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!plan.isPending) plan.mutate();
  };
  const left = plan.data?.data.objects_left_behind;
  const number = left?.objects ?? null;
  return (
    <section className="card" aria-label="Route">
      <form onSubmit={submit}>
        <div className="card-head">
          <h2>Route</h2>
          {changed ? <span className="pill pill-warn">Not saved</span> : null}
        </div>
        <div className="card-body stack">
          <p className="quiet">Which backend holds the objects, and what the bucket is called there.</p>
          {bucket.pinned.includes("backend") || bucket.pinned.includes("alias") ? (
            <Notice tone="info" title="Set in the config file">
              <p>
                <code>storage.buckets.{bucket.name}</code> declares it; change it there.
              </p>
            </Notice>
          ) : null}
          {locked ? (
            <p>
              <strong>{bucket.backend}</strong>, as <code className="wrap-anywhere">{bucket.real_name}</code>
            </p>
          ) : (
            <>
              <SelectField
                label="Backend"
                value={backend}
                onChange={setBackend}
                options={(backends.data?.map((each) => each.name) ?? [bucket.backend]).map((name) => ({
                  value: name,
                  text: name,
                }))}
              />
              <TextField
                label="Name there"
                placeholder={bucket.name}
                value={alias}
                onChange={(event) => setAlias(event.target.value)}
                hint="Empty: the same name as here."
              />
              {plan.error ? <ProblemNotice error={plan.error} title="The route cannot be changed like this" /> : null}
              <div>
                <Button type="submit" busy={plan.isPending} disabled={!changed}>
                  Change the route…
                </Button>
              </div>
            </>
          )}
        </div>
      </form>
      {plan.data ? (
        <Confirm
          open={open}
          onClose={overlay.close}
          title={`Route ${bucket.name} to ${backend === bucket.backend ? alias.trim() || bucket.name : backend}?`}
          action="Change the route"
          busy={apply.isPending}
          {...(number === 0 ? {} : { typed: number === null ? "leave objects" : `leave ${number}` })}
          onConfirm={() => apply.mutate(plan.data.etag)}
        >
          {number === 0 ? <p>The bucket is empty, so nothing stays behind.</p> : null}
          {plan.data.data.warnings.map((warning) => (
            <p key={warning}>
              <strong>{marked(sentence(warning))}</strong>
            </p>
          ))}
          {number === 0 ? null : (
            <p>
              Clients see the bucket as it is at the new place. Nothing is deleted; routing it back brings back what it
              holds now.
            </p>
          )}
          {apply.error ? <ProblemNotice error={apply.error} title="The route was not changed" /> : null}
        </Confirm>
      ) : null}
    </section>
  );
}
