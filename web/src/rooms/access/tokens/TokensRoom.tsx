// Access → API tokens: what scripts sign in with, each with rights and an end of its own.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { KeySquare, Plus } from "lucide-react";
import { client, data } from "../../../api/client";
import { policies as policiesQuery, tokens as tokensQuery } from "../../../api/queries";
import type { Policy, Token } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { Empty, Waiting } from "../../../ui/Empty";
import { LongBody } from "../../../ui/LongBody";
import { ProblemNotice } from "../../../ui/Notice";
import { Confirm } from "../../../ui/Overlay";
import { Room } from "../../../ui/Room";
import { Ago, useNow } from "../../../ui/Time";
import { done } from "../../../ui/Toasts";
import { useDialog } from "../../../ui/useDialog";
import { byName } from "../../../ui/words";
import { summary } from "../rules";
import { CreateToken } from "./CreateToken";

export function TokensRoom() {
  const { dialog, key: chosen, role } = useSearch({ from: "/access/tokens" });
  const navigate = useNavigate({ from: "/access/tokens" });
  const overlay = useDialog();
  const tokens = useQuery(tokensQuery);
  const policies = useQuery(policiesQuery);
  const create = useMe().may("iam:write") ? (
    <Button look="primary" onClick={() => overlay.show("new")}>
      <Plus size={16} aria-hidden /> New token
    </Button>
  ) : null;
  return (
    <Room
      title="API tokens"
      crumbs={[{ text: "Access" }]}
      about="For scripts that call the admin API. S3 clients use access keys instead: make a user for them."
      actions={tokens.data?.length ? create : null}
    >
      {tokens.error ? <ProblemNotice error={tokens.error} onRetry={() => void tokens.refetch()} /> : null}
      {tokens.data ? (
        <div className="card">
          {tokens.data.length === 0 ? (
            <Empty icon={KeySquare} title="No tokens yet">
              <p className="quiet">
                A nightly backup, a monitoring check or a deployment needs a token with just the rights for that.
              </p>
              {create}
            </Empty>
          ) : (
            <Table
              tokens={[...tokens.data].sort(byName)}
              policies={policies.data ?? []}
              onRevoke={(id) => overlay.show("revoke", id)}
            />
          )}
        </div>
      ) : tokens.error ? null : (
        <div className="card">
          <Waiting what="tokens" />
        </div>
      )}
      <CreateToken
        key={`${dialog ?? "closed"} ${role ?? ""}`}
        open={dialog === "new"}
        role={role}
        policies={policies.data ?? []}
        onClose={overlay.close}
        onDone={() => void navigate({ search: {}, replace: true })}
      />
      <Revoke
        token={tokens.data?.find((token) => token.id === chosen)}
        open={dialog === "revoke"}
        onClose={overlay.close}
      />
    </Room>
  );
}

interface TableProps {
  tokens: readonly Token[];
  policies: readonly Policy[];
  onRevoke: (id: string) => void;
}

function Table({ tokens, policies, onRevoke }: TableProps) {
  const may = useMe().may("iam:write");
  const now = useNow();
  return (
    <table className="table" aria-rowcount={tokens.length + 1}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">May do</th>
          <th scope="col">Made</th>
          <th scope="col">Ends</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <LongBody
        items={tokens}
        columns={6}
        row={(token, props) => {
          const expired = token.expires_at !== null && Date.parse(token.expires_at) < now;
          return (
            <tr key={token.id} {...props}>
              <td>
                <strong className="wrap-anywhere">{token.name}</strong>
              </td>
              <td data-label="May do">
                <span className="wrap-anywhere">{roleOf(token, policies) ?? summary(token.permissions)}</span>
              </td>
              <td data-label="Made" className="quiet">
                <span>
                  <Ago at={token.created_at} />
                </span>
              </td>
              <td data-label="Ends">
                <span>
                  {token.expires_at === null ? (
                    <span className="quiet">never</span>
                  ) : expired ? (
                    <span className="pill pill-warn">Expired</span>
                  ) : (
                    <Ago at={token.expires_at} />
                  )}
                </span>
              </td>
              <td data-label="Last used" className="quiet">
                <span>{token.last_used_at ? <Ago at={token.last_used_at} /> : "never"}</span>
              </td>
              <td className="cell-end">
                {may ? (
                  <Button small look="danger" aria-label={`Revoke ${token.name}`} onClick={() => onRevoke(token.id)}>
                    Revoke…
                  </Button>
                ) : null}
              </td>
            </tr>
          );
        }}
      />
    </table>
  );
}

/** The role that a token was made from, as far as its rules still say so. */
function roleOf(token: Token, policies: readonly Policy[]): string | undefined {
  const of = (rules: Token["permissions"]) =>
    JSON.stringify(rules.map((rule) => [rule.effect, rule.actions, rule.resources]));
  const role = policies.find((policy) => of(policy.permissions) === of(token.permissions));
  return role && `Role ${role.name}`;
}

function Revoke({ token, open, onClose }: { token: Token | undefined; open: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: (of: Token) => data(client.DELETE("/_/api/admin/tokens/{id}", { params: { path: { id: of.id } } })),
    onSuccess: (_, of) => {
      void queries.invalidateQueries();
      done(`${of.name} is revoked`);
      onClose();
    },
  });
  if (!token) return null;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Revoke ${token.name}?`}
      action="Revoke token"
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate(token)}
    >
      <p>Whatever uses this one token is refused from its next call on. No other token and no user changes.</p>
      <p className="quiet">A revoked token cannot be brought back, only replaced.</p>
      {revoke.error ? <ProblemNotice error={revoke.error} title="The token was not revoked" /> : null}
    </Confirm>
  );
}
