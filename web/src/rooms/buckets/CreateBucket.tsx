// The form that makes a bucket, on a backend of choice.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import { Problem } from "../../api/problem";
import { backends as backendsQuery } from "../../api/queries";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { ProblemNotice } from "../../ui/Notice";
import { Overlay } from "../../ui/Overlay";
import { done } from "../../ui/Toasts";
import { parseSize } from "./size";

interface Props {
  open: boolean;
  onClose: () => void;
  onCreated: (name: string) => void;
}

export function CreateBucket({ open, onClose, onCreated }: Props) {
  const [name, setName] = useState("");
  const [backend, setBackend] = useState("");
  const [quota, setQuota] = useState("");
  const queries = useQueryClient();
  const backends = useQuery({ ...backendsQuery, enabled: open });
  const usual = backends.data?.find((each) => each.default)?.name;
  const wrong = quota.trim() !== "" && parseSize(quota) === null;
  const create = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/buckets", {
          body: {
            name: name.trim(),
            ...(backend ? { backend } : {}),
            ...(quota.trim() ? { quota_bytes: parseSize(quota) } : {}),
          },
        }),
      ),
    onSuccess: (bucket) => {
      void queries.invalidateQueries();
      done(`${bucket.name} is created`);
      onCreated(bucket.name);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!create.isPending && !wrong) create.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title="Create bucket">
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <TextField
            label="Name"
            required
            autoFocus
            minLength={3}
            maxLength={63}
            placeholder="ci-builds"
            value={name}
            onChange={(event) => setName(event.target.value)}
            hint="3 to 63 of a–z, 0–9, dots and dashes. It cannot be renamed."
          />
          <SelectField
            label="Backend"
            value={backend}
            onChange={setBackend}
            options={[
              { value: "", text: usual ? `The default: ${usual}` : "The default" },
              ...(backends.data ?? [])
                .filter((each) => !each.default)
                .map((each) => ({ value: each.name, text: each.health.up ? each.name : `${each.name} (down)` })),
            ]}
          />
          <TextField
            label="Quota"
            placeholder="No limit"
            value={quota}
            onChange={(event) => setQuota(event.target.value)}
            error={wrong ? "A size such as 500 MiB, 10 GiB or 2 TiB" : undefined}
            hint="How much may be stored in it; may stay empty."
          />
          {create.error ? (
            <ProblemNotice
              error={create.error}
              title="The bucket was not created"
              hint={
                create.error instanceof Problem && create.error.code === "bucket_exists"
                  ? "open the one that is there, or choose another name"
                  : undefined
              }
            />
          ) : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            Create bucket
          </Button>
        </div>
      </form>
    </Overlay>
  );
}
