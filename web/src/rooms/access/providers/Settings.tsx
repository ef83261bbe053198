// The settings of a provider that is there: saved together, and not over somebody else's change.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { answered, client } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { provider as providerQuery } from "../../../api/queries";
import type { AuthProvider } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { Notice, ProblemNotice } from "../../../ui/Notice";
import { done } from "../../../ui/Toasts";
import { body, fieldsOf } from "./fields";
import { FieldSet } from "./FieldSet";

interface Props {
  provider: AuthProvider;
  etag: string | null;
  readOnly: boolean;
}

export function Settings({ provider, etag, readOnly }: Props) {
  // What the form began from, and which state of the provider that was.
  const [base, setBase] = useState(() => ({ at: provider.updated_at, fields: fieldsOf(provider) }));
  const [fields, setFields] = useState(base.fields);
  const queries = useQueryClient();
  const dirty = JSON.stringify(fields) !== JSON.stringify(base.fields);
  const begin = (from: AuthProvider) => {
    setBase({ at: from.updated_at, fields: fieldsOf(from) });
    setFields(fieldsOf(from));
  };
  if (!dirty && base.at !== provider.updated_at) begin(provider);
  const put = (version: string | null) =>
    answered(
      client.PUT("/_/api/admin/ext-auth/providers/{id}", {
        params: { path: { id: provider.id }, header: version ? { "If-Match": version } : {} },
        body: body(fields),
      }),
    );
  const save = useMutation({
    mutationFn: async (force: boolean) => {
      if (force) return put(null);
      if (base.at !== provider.updated_at) throw Problem.changedMeanwhile();
      try {
        return await put(etag);
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) throw error;
        // Something changed since; only a change of this provider is a conflict.
        const now = await queries.query({ ...providerQuery(provider.id), staleTime: 0 });
        if (now.data.updated_at !== base.at) throw error;
        return put(now.etag);
      }
    },
    onSuccess: (answer) => {
      queries.setQueryData(providerQuery(provider.id).queryKey, answer);
      void queries.invalidateQueries();
      begin(answer.data);
      done(`${answer.data.name} is saved`);
    },
  });
  const conflict = save.error instanceof Problem && save.error.status === 412;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate(false);
  };
  return (
    <form className="card" onSubmit={submit} aria-labelledby="settings">
      <div className="card-head">
        <h2 id="settings">Settings</h2>
      </div>
      <div className="card-body stack">
        <FieldSet fields={fields} onChange={setFields} hasSecret={provider.client_secret_set} readOnly={readOnly} />
        {conflict ? (
          <Notice tone="warn" title="Somebody else changed this provider meanwhile" live>
            <p>Nothing was saved. Load what they saved and begin again, or replace it by what is here.</p>
            <div className="row">
              <Button
                small
                onClick={() => {
                  save.reset();
                  begin(provider);
                }}
              >
                Load theirs
              </Button>
              <Button small look="danger" onClick={() => save.mutate(true)}>
                Replace with mine
              </Button>
            </div>
          </Notice>
        ) : save.error ? (
          <ProblemNotice error={save.error} title="The settings were not saved" />
        ) : null}
        {readOnly ? null : (
          <div className="row">
            <Button type="submit" look="primary" busy={save.isPending} disabled={!dirty}>
              Save
            </Button>
            {dirty ? <Button onClick={() => setFields(base.fields)}>Discard</Button> : null}
          </div>
        )}
      </div>
    </form>
  );
}
