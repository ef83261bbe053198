// One sign-in provider: what it must know of this server, its settings, a test, and the switch.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { IdCard, Trash2 } from "lucide-react";
import { answered, client, data } from "../../../api/client";
import { mappings as mappingsQuery, provider as providerQuery } from "../../../api/queries";
import type { AuthProvider } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { Value } from "../../../ui/Copy";
import { Notice, ProblemNotice } from "../../../ui/Notice";
import { Confirm } from "../../../ui/Overlay";
import { Room } from "../../../ui/Room";
import { done } from "../../../ui/Toasts";
import { Unread } from "../../../ui/Unread";
import { useDialog } from "../../../ui/useDialog";
import { count } from "../../../ui/words";
import { preset } from "./presets";
import { Settings } from "./Settings";
import { Trial } from "./Trial";

const CRUMBS = [{ text: "Access" }, { text: "Sign-in providers", to: "/access/providers" }] as const;

export function ProviderRoom() {
  const { providerId } = useParams({ from: "/access/providers/$providerId" });
  const query = useQuery(providerQuery(providerId));
  const may = useMe().may("iam:write");
  if (!query.data) {
    return (
      <Unread
        what="provider"
        icon={IdCard}
        crumbs={CRUMBS}
        all={{ text: "All providers", to: "/access/providers" }}
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  }
  const { data: provider, etag } = query.data;
  return (
    <Room
      title={provider.display_name ?? provider.name}
      crumbs={CRUMBS}
      beside={
        <span className={provider.enabled ? "pill pill-good" : "pill pill-warn"}>
          {provider.enabled ? "Enabled" : "Off"}
        </span>
      }
      about={`${preset(provider.provider_type).title} · ${count(provider.identity_count, "person has", "people have")} signed in with it`}
      actions={may ? <Actions provider={provider} /> : null}
    >
      <Redirect provider={provider} />
      {may ? <Trial provider={provider} /> : null}
      <Settings key={provider.id} provider={provider} etag={etag} readOnly={!may} />
    </Room>
  );
}

/** What has to be registered at the provider. */
function Redirect({ provider }: { provider: AuthProvider }) {
  if (provider.redirect_url === null) {
    return (
      <Notice tone="warn" title="This server does not know its own address">
        <p>
          Set <code>advanced.public_url</code> (or <code>DGP_ADVANCED__PUBLIC_URL</code>) to the address that people
          type, such as <code>https://s3.example.com</code>: providers send people back there. Until then signing in
          works on this very machine only.
        </p>
      </Notice>
    );
  }
  return (
    <section className="card" aria-labelledby="redirect">
      <div className="card-head">
        <h2 id="redirect">At the provider</h2>
      </div>
      <div className="card-body stack-small">
        <p className="quiet">
          Register a client at {preset(provider.provider_type).where}, with this as its redirect URI:
        </p>
        <Value text={provider.redirect_url} label="redirect URI" />
      </div>
    </section>
  );
}

function Actions({ provider }: { provider: AuthProvider }) {
  const { dialog } = useSearch({ from: "/access/providers/$providerId" });
  const overlay = useDialog();
  const queries = useQueryClient();
  const flip = useMutation({
    mutationFn: () =>
      answered(
        client.PUT("/_/api/admin/ext-auth/providers/{id}", {
          params: { path: { id: provider.id } },
          body: { enabled: !provider.enabled },
        }),
      ),
    onSuccess: (answer) => {
      queries.setQueryData(providerQuery(provider.id).queryKey, answer);
      void queries.invalidateQueries();
      done(answer.data.enabled ? "The sign-in page offers it now" : "Nobody signs in with it any more");
    },
  });
  return (
    <>
      <Button look={provider.enabled ? "normal" : "primary"} busy={flip.isPending} onClick={() => flip.mutate()}>
        {provider.enabled ? "Switch off" : "Enable"}
      </Button>
      <Button look="danger" onClick={() => overlay.show("delete")}>
        <Trash2 size={15} aria-hidden /> Delete…
      </Button>
      {flip.error ? <ProblemNotice error={flip.error} title="Nothing was changed" /> : null}
      <Delete provider={provider} open={dialog === "delete"} onClose={overlay.close} />
    </>
  );
}

function Delete({ provider, open, onClose }: { provider: AuthProvider; open: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const rules = useQuery({ ...mappingsQuery, enabled: open });
  const own = rules.data?.filter((rule) => rule.provider_id === provider.id).length;
  const remove = useMutation({
    mutationFn: () =>
      data(client.DELETE("/_/api/admin/ext-auth/providers/{id}", { params: { path: { id: provider.id } } })),
    onSuccess: async () => {
      done(`${provider.name} is deleted`);
      await navigate({ to: "/access/providers", replace: true });
      queries.removeQueries({ queryKey: providerQuery(provider.id).queryKey });
      void queries.invalidateQueries();
    },
  });
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete ${provider.name}?`}
      action={`Delete ${provider.name}`}
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>
        {count(provider.identity_count, "person", "people")} can no longer sign in with it, and{" "}
        {provider.identity_count === 1 ? "loses" : "lose"} the groups that it gave.{" "}
        {own === undefined ? "Its mapping rules go" : own === 0 ? "No mapping rule goes" : count(own, "mapping rule")}
        {own === undefined || own === 0 ? "" : own === 1 ? " goes" : " go"} with it. The users themselves stay.
      </p>
      <p className="quiet">To keep people out for a while, switch it off instead.</p>
      {remove.error ? <ProblemNotice error={remove.error} title="The provider was not deleted" /> : null}
    </Confirm>
  );
}
