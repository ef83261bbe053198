// What one user may: rules of its own, and below them those of its groups.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answered, client } from "../../api/client";
import { groups as groupsQuery, user as userQuery } from "../../api/queries";
import type { User } from "../../api/types";
import { useMe } from "../../session/useMe";
import { describe } from "./rules";
import { RulesForm } from "./RulesForm";

export function PermissionsTab({ user, etag }: { user: User; etag: string | null }) {
  const me = useMe();
  const queries = useQueryClient();
  const { queryKey } = userQuery(user.id);
  return (
    <RulesForm
      name={user.name}
      of={{ rules: user.permissions, etag }}
      readOnly={!me.may("iam:write")}
      empty={`Every request of ${user.name} is refused${user.group_ids.length > 0 ? ", unless a group allows it" : ""}.`}
      read={async () => {
        const now = await queries.query({ ...userQuery(user.id), staleTime: 0 });
        return { rules: now.data.permissions, etag: now.etag };
      }}
      put={async (rules, version) => {
        const saved = await answered(
          client.PUT("/_/api/admin/users/{id}", {
            params: { path: { id: user.id }, header: version ? { "If-Match": version } : {} },
            body: { permissions: rules },
          }),
        );
        queries.setQueryData(queryKey, saved);
        void queries.invalidateQueries();
        return { rules: saved.data.permissions, etag: saved.etag };
      }}
    >
      <Inherited user={user} />
    </RulesForm>
  );
}

/** What groups add; it is changed there. */
function Inherited({ user }: { user: User }) {
  const groups = useQuery({ ...groupsQuery, enabled: user.group_ids.length > 0 });
  const own = (groups.data ?? []).filter((group) => user.group_ids.includes(group.id));
  if (own.length === 0) return null;
  return (
    <section className="card" aria-labelledby="inherited">
      <div className="card-head">
        <h2 id="inherited">From groups</h2>
      </div>
      {own.map((group) => (
        <div key={group.id} className="list-row">
          <Link to="/access/groups/$groupId" params={{ groupId: group.id }}>
            <strong>{group.name}</strong>
          </Link>
          <span className="grow wrap-anywhere">
            {group.permissions.length ? group.permissions.map(describe).join(" ") : "No rules."}
          </span>
        </div>
      ))}
    </section>
  );
}
