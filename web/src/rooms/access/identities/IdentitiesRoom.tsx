// Access → External identities: which person of which provider signs in as which user.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { Link2, Plus } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import {
  groups as groupsQuery,
  identities as identitiesQuery,
  providers as providersQuery,
  users as usersQuery,
} from "../../../api/queries";
import type { ExternalIdentity } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { Empty, Waiting } from "../../../ui/Empty";
import { SelectField, TextField } from "../../../ui/Field";
import { LongBody } from "../../../ui/LongBody";
import { ProblemNotice } from "../../../ui/Notice";
import { Confirm, Overlay } from "../../../ui/Overlay";
import { Room } from "../../../ui/Room";
import { Ago } from "../../../ui/Time";
import { done } from "../../../ui/Toasts";
import { useDialog } from "../../../ui/useDialog";
import { count } from "../../../ui/words";

export function IdentitiesRoom() {
  const { dialog, key: chosen } = useSearch({ from: "/access/identities" });
  const overlay = useDialog();
  const identities = useQuery(identitiesQuery);
  const providers = useQuery(providersQuery);
  const may = useMe().may("iam:write") && (providers.data?.length ?? 0) > 0;
  const bind = may ? (
    <Button onClick={() => overlay.show("bind")}>
      <Plus size={16} aria-hidden /> Bind by hand
    </Button>
  ) : null;
  return (
    <Room
      title="External identities"
      crumbs={[{ text: "Access" }]}
      about="People of sign-in providers, each bound to the user that they sign in as. The first sign-in binds them, or you do."
      actions={identities.data?.length ? bind : null}
    >
      {identities.error ? <ProblemNotice error={identities.error} onRetry={() => void identities.refetch()} /> : null}
      {identities.data ? (
        <div className="card">
          {identities.data.length === 0 ? (
            <Empty icon={Link2} title="Nobody yet">
              <p className="quiet">Whoever signs in with a provider appears here.</p>
              {bind}
            </Empty>
          ) : (
            <Table identities={identities.data} onUnlink={(id) => overlay.show("unlink", id)} />
          )}
        </div>
      ) : identities.error ? null : (
        <div className="card">
          <Waiting what="identities" />
        </div>
      )}
      <Bind key={dialog ?? "closed"} open={dialog === "bind"} onClose={overlay.close} />
      <Unlink
        identity={identities.data?.find((each) => each.id === chosen)}
        open={dialog === "unlink"}
        onClose={overlay.close}
      />
    </Room>
  );
}

function who(identity: ExternalIdentity): string {
  return identity.display_name ?? identity.email ?? identity.external_sub;
}

function Table({ identities, onUnlink }: { identities: readonly ExternalIdentity[]; onUnlink: (id: string) => void }) {
  const may = useMe().may("iam:write");
  const groups = useQuery(groupsQuery);
  const names = new Map(groups.data?.map((group) => [group.id, group.name]));
  return (
    <table className="table" aria-rowcount={identities.length + 1}>
      <thead>
        <tr>
          <th scope="col">Person</th>
          <th scope="col">Provider</th>
          <th scope="col">Signs in as</th>
          <th scope="col">Groups by rules</th>
          <th scope="col">Since</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <LongBody
        items={identities}
        columns={6}
        row={(identity, props) => (
          <tr key={identity.id} {...props}>
            <td>
              <div className="wrap-anywhere">
                <strong>{who(identity)}</strong>
                {identity.email && identity.email !== who(identity) ? (
                  <div className="quiet small">{identity.email}</div>
                ) : null}
                <div className="quiet small">
                  {who(identity) === identity.external_sub ? null : <code>{identity.external_sub}</code>}{" "}
                  {identity.email && !identity.email_verified ? (
                    <span className="pill pill-warn">address not verified</span>
                  ) : null}
                </div>
              </div>
            </td>
            <td data-label="Provider">
              <Link to="/access/providers/$providerId" params={{ providerId: identity.provider_id }}>
                {identity.provider_name ?? identity.provider_id}
              </Link>
            </td>
            <td data-label="As">
              <Link to="/access/users/$userId" params={{ userId: identity.user_id }} className="wrap-anywhere">
                {identity.user_name ?? identity.user_id}
              </Link>
            </td>
            <td data-label="Groups">
              <span className="wrap-anywhere">
                {identity.rule_group_ids.length === 0
                  ? "none"
                  : identity.rule_group_ids.map((id) => names.get(id) ?? id).join(", ")}
              </span>
            </td>
            <td data-label="Since" className="quiet">
              <span>
                <Ago at={identity.created_at} />
              </span>
            </td>
            <td className="cell-end">
              {may ? (
                <Button
                  small
                  look="danger"
                  aria-label={`Unlink ${who(identity)}`}
                  onClick={() => onUnlink(identity.id)}
                >
                  Unlink…
                </Button>
              ) : null}
            </td>
          </tr>
        )}
      />
    </table>
  );
}

interface DialogProps {
  open: boolean;
  onClose: () => void;
}

function Bind({ open, onClose }: DialogProps) {
  const providers = useQuery(providersQuery);
  const users = useQuery({ ...usersQuery, enabled: open });
  const [provider, setProvider] = useState("");
  const [name, setName] = useState("");
  const [sub, setSub] = useState("");
  const queries = useQueryClient();
  const first = providers.data?.[0]?.id ?? "";
  const user = users.data?.find((each) => each.name === name.trim());
  const bind = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/ext-auth/identities", {
          body: { provider_id: provider || first, user_id: user?.id ?? name.trim(), external_sub: sub.trim() },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${name.trim()} signs in with it from now on`);
      onClose();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!bind.isPending) bind.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title="Bind a person to a user">
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <SelectField
            label="Provider"
            value={provider || first}
            onChange={setProvider}
            options={(providers.data ?? []).map((each) => ({ value: each.id, text: each.display_name ?? each.name }))}
          />
          <TextField
            label="Subject"
            required
            value={sub}
            onChange={(event) => setSub(event.target.value)}
            hint="The provider’s name for the person, its claim sub. The audit row of a refused sign-in has it."
          />
          <TextField
            label="User"
            required
            list="bind-users"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <datalist id="bind-users">
            {(users.data ?? []).slice(0, 500).map((each) => (
              <option key={each.id} value={each.name} />
            ))}
          </datalist>
          {bind.error ? <ProblemNotice error={bind.error} title="Nobody was bound" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={bind.isPending}>
            Bind
          </Button>
        </div>
      </form>
    </Overlay>
  );
}

function Unlink({ identity, open, onClose }: DialogProps & { identity: ExternalIdentity | undefined }) {
  const queries = useQueryClient();
  const unlink = useMutation({
    mutationFn: (of: ExternalIdentity) =>
      data(client.DELETE("/_/api/admin/ext-auth/identities/{id}", { params: { path: { id: of.id } } })),
    onSuccess: (_, of) => {
      void queries.invalidateQueries();
      done(`${who(of)} is unlinked`);
      onClose();
    },
  });
  if (!identity) return null;
  const groups = identity.rule_group_ids.length;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Unlink ${who(identity)}?`}
      action="Unlink"
      busy={unlink.isPending}
      onConfirm={() => unlink.mutate(identity)}
    >
      <p>
        {identity.provider_name ?? "The provider"} no longer signs {who(identity)} in as{" "}
        <strong className="wrap-anywhere">{identity.user_name ?? identity.user_id}</strong>.{" "}
        {groups > 0 ? `${count(groups, "group")} that rules gave ${groups === 1 ? "goes" : "go"}, and open` : "Open"}{" "}
        sessions of the user end at once. The user itself stays, with its keys and its own rules.
      </p>
      {unlink.error ? <ProblemNotice error={unlink.error} title="Nobody was unlinked" /> : null}
    </Confirm>
  );
}
