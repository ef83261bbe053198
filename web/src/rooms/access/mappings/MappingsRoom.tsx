// Access → Mapping rules: which people get which groups when they sign in with a provider.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, Plus, Waypoints } from "lucide-react";
import { client, data } from "../../../api/client";
import { groups as groupsQuery, mappings as mappingsQuery, providers as providersQuery } from "../../../api/queries";
import type { MappingRule } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Button, buttonClass } from "../../../ui/Button";
import { Empty, Waiting } from "../../../ui/Empty";
import { ProblemNotice } from "../../../ui/Notice";
import { Confirm } from "../../../ui/Overlay";
import { Room } from "../../../ui/Room";
import { done } from "../../../ui/Toasts";
import { useDialog } from "../../../ui/useDialog";
import { EditRule } from "./EditRule";
import { Preview } from "./Preview";
import { Says, type Known } from "./Says";
import { condition, inOrder } from "./words";

export function MappingsRoom() {
  const { dialog, key: chosen } = useSearch({ from: "/access/mappings" });
  const overlay = useDialog();
  const rules = useQuery(mappingsQuery);
  const groups = useQuery(groupsQuery);
  const providers = useQuery(providersQuery);
  const may = useMe().may("iam:write");
  const error = rules.error ?? groups.error ?? providers.error;
  const create = may ? (
    <Button look="primary" onClick={() => overlay.show("new")}>
      <Plus size={16} aria-hidden /> Add rule
    </Button>
  ) : null;
  const known = { groups: groups.data ?? [], providers: providers.data ?? [] };
  const picked = rules.data?.find((rule) => rule.id === chosen);
  return (
    <Room
      title="Mapping rules"
      crumbs={[{ text: "Access" }]}
      about="Every rule that fits gives its group. Rules are looked at anew at each sign-in: who no longer fits loses the group."
      actions={rules.data?.length && known.groups.length > 0 ? create : null}
    >
      {error ? (
        <ProblemNotice
          error={error}
          onRetry={() => {
            void rules.refetch();
            void groups.refetch();
            void providers.refetch();
          }}
        />
      ) : null}
      {rules.data && groups.data && providers.data ? (
        <>
          <div className="card">
            {groups.data.length === 0 ? (
              <Empty icon={Waypoints} title="First a group">
                <p className="quiet">A rule gives a group, and there is none yet.</p>
                <Link to="/access/groups" search={{ dialog: "new" }} className={buttonClass("primary")}>
                  Create a group
                </Link>
              </Empty>
            ) : rules.data.length === 0 ? (
              <Empty icon={Waypoints} title="No rules yet">
                <p className="quiet">
                  Until there is one, people who sign in with a provider may do nothing, unless somebody puts them into
                  a group by hand.
                </p>
                {create}
              </Empty>
            ) : (
              <List rules={inOrder(rules.data)} known={known} may={may} />
            )}
          </div>
          <Preview providers={providers.data} groups={groups.data} />
        </>
      ) : error ? null : (
        <div className="card">
          <Waiting what="rules" />
        </div>
      )}
      <EditRule
        key={`${dialog ?? "closed"} ${chosen ?? ""} ${picked ? "there" : ""}`}
        open={dialog === "new" || (dialog === "edit" && picked !== undefined)}
        rule={dialog === "edit" ? picked : undefined}
        last={Math.max(0, ...(rules.data ?? []).map((rule) => rule.priority))}
        known={known}
        onClose={overlay.close}
      />
      <Delete rule={picked} open={dialog === "delete"} onClose={overlay.close} />
    </Room>
  );
}

function List({ rules, known, may }: { rules: readonly MappingRule[]; known: Known; may: boolean }) {
  const overlay = useDialog();
  const queries = useQueryClient();
  const move = useMutation({
    mutationFn: async ({ from, to }: { from: number; to: number }) => {
      const next = [...rules];
      next.splice(to, 0, ...next.splice(from, 1));
      // Numbers with room between them; only those that differ are sent.
      const moved = next
        .map((rule, at) => ({ rule, priority: (at + 1) * 10 }))
        .filter((n) => n.rule.priority !== n.priority);
      for (const { rule, priority } of moved) await put(rule.id, { priority });
    },
    onSettled: () => queries.invalidateQueries(),
  });
  const flip = useMutation({
    mutationFn: (rule: MappingRule) => put(rule.id, { enabled: !rule.enabled }),
    onSettled: () => queries.invalidateQueries(),
  });
  return (
    <>
      <ol className="mapping-list">
        {rules.map((rule, at) => (
          <li key={rule.id} className="mapping">
            {may ? (
              <div className="mapping-order">
                <Button
                  look="plain"
                  small
                  icon
                  aria-label={`Move rule ${at + 1} up`}
                  disabled={at === 0 || move.isPending}
                  onClick={() => move.mutate({ from: at, to: at - 1 })}
                >
                  <ArrowUp size={15} aria-hidden />
                </Button>
                <Button
                  look="plain"
                  small
                  icon
                  aria-label={`Move rule ${at + 1} down`}
                  disabled={at === rules.length - 1 || move.isPending}
                  onClick={() => move.mutate({ from: at, to: at + 1 })}
                >
                  <ArrowDown size={15} aria-hidden />
                </Button>
              </div>
            ) : null}
            <div className="grow wrap-anywhere">
              <Says rule={rule} known={known} />
            </div>
            {rule.enabled ? null : <span className="pill pill-warn">Off</span>}
            {may ? (
              <div className="row">
                <Button small aria-label={`Edit rule ${at + 1}`} onClick={() => overlay.show("edit", rule.id)}>
                  Edit…
                </Button>
                <Button
                  small
                  aria-label={`${rule.enabled ? "Switch off" : "Switch on"} rule ${at + 1}`}
                  onClick={() => flip.mutate(rule)}
                >
                  {rule.enabled ? "Switch off" : "Switch on"}
                </Button>
                <Button
                  small
                  look="danger"
                  aria-label={`Delete rule ${at + 1}`}
                  onClick={() => overlay.show("delete", rule.id)}
                >
                  Delete…
                </Button>
              </div>
            ) : null}
          </li>
        ))}
      </ol>
      {(move.error ?? flip.error) ? (
        <div className="card-body">
          <ProblemNotice error={move.error ?? flip.error} title="Not everything was changed" />
        </div>
      ) : null}
    </>
  );
}

function put(id: string, body: { priority?: number; enabled?: boolean }): Promise<MappingRule> {
  return data(client.PUT("/_/api/admin/ext-auth/mappings/{id}", { params: { path: { id } }, body }));
}

function Delete({ rule, open, onClose }: { rule: MappingRule | undefined; open: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: (of: MappingRule) =>
      data(client.DELETE("/_/api/admin/ext-auth/mappings/{id}", { params: { path: { id: of.id } } })),
    onSuccess: () => {
      void queries.invalidateQueries();
      done("The rule is deleted");
      onClose();
    },
  });
  if (!rule) return null;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title="Delete this rule?"
      action="Delete rule"
      busy={remove.isPending}
      onConfirm={() => remove.mutate(rule)}
    >
      <p>
        Everybody {condition(rule)} <code className="wrap-anywhere">{rule.match_value}</code> loses its group at their
        next sign-in, unless another rule gives it.
      </p>
      {remove.error ? <ProblemNotice error={remove.error} title="The rule was not deleted" /> : null}
    </Confirm>
  );
}
