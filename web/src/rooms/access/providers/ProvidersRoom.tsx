// Access → Sign-in providers: whom people may sign in to this console with, instead of a key.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { IdCard, Plus } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import { providers as providersQuery } from "../../../api/queries";
import type { AuthProvider } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { Empty, Waiting } from "../../../ui/Empty";
import { Choices } from "../../../ui/Field";
import { ProblemNotice } from "../../../ui/Notice";
import { Overlay } from "../../../ui/Overlay";
import { Room } from "../../../ui/Room";
import { useDialog } from "../../../ui/useDialog";
import { body, fresh } from "./fields";
import { FieldSet } from "./FieldSet";
import { preset, PRESETS, type PresetType } from "./presets";

export function ProvidersRoom() {
  const { dialog } = useSearch({ from: "/access/providers" });
  const overlay = useDialog();
  const navigate = useNavigate();
  const providers = useQuery(providersQuery);
  const create = useMe().may("iam:write") ? (
    <Button look="primary" onClick={() => overlay.show("new")}>
      <Plus size={16} aria-hidden /> Add provider
    </Button>
  ) : null;
  return (
    <Room
      title="Sign-in providers"
      crumbs={[{ text: "Access" }]}
      about="People sign in to this console with the account that they have already. Mapping rules put them into groups, anew at every sign-in."
      actions={providers.data?.length ? create : null}
    >
      {providers.error ? <ProblemNotice error={providers.error} onRetry={() => void providers.refetch()} /> : null}
      {providers.data ? (
        <div className="card">
          {providers.data.length === 0 ? (
            <Empty icon={IdCard} title="No providers yet">
              <p className="quiet">Google, Okta, Microsoft Entra ID or any other OpenID Connect provider.</p>
              {create}
            </Empty>
          ) : (
            <Table providers={providers.data} />
          )}
        </div>
      ) : providers.error ? null : (
        <div className="card">
          <Waiting what="providers" />
        </div>
      )}
      <Create
        key={dialog ?? "closed"}
        open={dialog === "new"}
        onClose={overlay.close}
        onCreated={(provider) =>
          void navigate({ to: "/access/providers/$providerId", params: { providerId: provider.id }, replace: true })
        }
      />
    </Room>
  );
}

function Table({ providers }: { providers: readonly AuthProvider[] }) {
  const sorted = [...providers].sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));
  return (
    <table className="table table-rows">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Kind</th>
          <th scope="col">Issuer</th>
          <th scope="col">People</th>
          <th scope="col">Status</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((provider) => (
          <tr key={provider.id}>
            <td>
              <Link
                to="/access/providers/$providerId"
                params={{ providerId: provider.id }}
                className="row-link wrap-anywhere"
              >
                {provider.display_name ?? provider.name}
              </Link>
            </td>
            <td data-label="Kind">
              <span>{preset(provider.provider_type).title}</span>
            </td>
            <td data-label="Issuer" className="quiet">
              <span className="wrap-anywhere">{provider.issuer_url ?? "none"}</span>
            </td>
            <td data-label="People">
              <span>{provider.identity_count}</span>
            </td>
            <td data-label="Status">
              <span className={provider.enabled ? "pill pill-good" : "pill pill-warn"}>
                {provider.enabled ? "Enabled" : "Off"}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Create(props: { open: boolean; onClose: () => void; onCreated: (provider: AuthProvider) => void }) {
  const [fields, setFields] = useState(() => fresh("google"));
  const queries = useQueryClient();
  const create = useMutation({
    // Switched on when it was tested: nobody should meet a button that does not work.
    mutationFn: () =>
      data(client.POST("/_/api/admin/ext-auth/providers", { body: { ...body(fields), enabled: false } })),
    onSuccess: (provider) => {
      void queries.invalidateQueries();
      props.onCreated(provider);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!create.isPending) create.mutate();
  };
  return (
    <Overlay open={props.open} onClose={props.onClose} title="Add a sign-in provider" size="wide">
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <Choices
            legend="Kind"
            name="preset"
            value={fields.type}
            options={PRESETS.map((each) => ({ value: each.type, title: each.title, text: each.text }))}
            onChange={(type: PresetType) =>
              setFields({ ...fresh(type), clientId: fields.clientId, clientSecret: fields.clientSecret })
            }
          />
          <p className="quiet small">Register a client there: {preset(fields.type).where}.</p>
          <FieldSet fields={fields} onChange={setFields} hasSecret={false} />
          {create.error ? <ProblemNotice error={create.error} title="The provider was not added" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            Add provider
          </Button>
        </div>
      </form>
    </Overlay>
  );
}
