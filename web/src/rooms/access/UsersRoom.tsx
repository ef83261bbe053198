// Access → Users: who there is, what they may, and the way to a new one.

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Search, SearchX, UserRoundPlus } from "lucide-react";
import { useDeferredValue, useMemo } from "react";
import { users as usersQuery } from "../../api/queries";
import type { User } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { LongBody } from "../../ui/LongBody";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { Ago } from "../../ui/Time";
import { useDialog } from "../../ui/useDialog";
import { byName, count } from "../../ui/words";
import { CreateUser } from "./CreateUser";
import { summary } from "./rules";

export function UsersRoom() {
  const { q = "", dialog } = useSearch({ from: "/access/users" });
  const navigate = useNavigate({ from: "/access/users" });
  const overlay = useDialog();
  const me = useMe();
  const users = useQuery(usersQuery);
  // Of many users the field answers first, and the list a moment later.
  const text = useDeferredValue(q);
  const sorted = useMemo(() => [...(users.data ?? [])].sort(byName), [users.data]);
  const shown = useMemo(() => sorted.filter((user) => matches(user, text)), [sorted, text]);
  const create = me.may("iam:write") ? (
    <Button look="primary" onClick={() => overlay.show("new")}>
      <Plus size={16} aria-hidden /> Create user
    </Button>
  ) : null;
  return (
    <Room
      title="Users"
      crumbs={[{ text: "Access" }]}
      about="Each has access keys for S3, and may sign in here with them. What they may do is decided on every request."
      actions={users.data?.length ? create : null}
    >
      {users.error ? <ProblemNotice error={users.error} onRetry={() => void users.refetch()} /> : null}
      {users.data ? (
        <div className="card">
          {users.data.length > 0 ? (
            <div className="card-head">
              <div className="search">
                <Search size={15} aria-hidden />
                <input
                  className="input"
                  type="search"
                  aria-label="Find users"
                  placeholder="Name, key or bucket"
                  value={q}
                  onChange={(event) => {
                    const text = event.target.value;
                    void navigate({ search: (search) => ({ ...search, q: text || undefined }), replace: true });
                  }}
                />
              </div>
              <span className="quiet small" role="status">
                {text ? `${shown.length} of ${users.data.length}` : count(users.data.length, "user")}
              </span>
            </div>
          ) : null}
          {users.data.length === 0 ? (
            <Empty icon={UserRoundPlus} title="No users yet">
              <p className="quiet">
                S3 clients sign their requests with a user’s key. Create the first user and give its key to a client.
              </p>
              {create}
            </Empty>
          ) : shown.length === 0 ? (
            <Empty icon={SearchX} title="Nobody matches">
              <p className="quiet wrap-anywhere">No user has “{text}” in its name, keys or rules.</p>
              <Button onClick={() => void navigate({ search: {}, replace: true })}>Show all</Button>
            </Empty>
          ) : (
            <Table users={shown} />
          )}
        </div>
      ) : users.error ? null : (
        <div className="card">
          <Waiting what="users" />
        </div>
      )}
      <CreateUser
        key={dialog ?? "closed"}
        open={dialog === "new"}
        onClose={overlay.close}
        onCreated={(user) => void navigate({ to: "/access/users/$userId", params: { userId: user.id }, replace: true })}
      />
    </Room>
  );
}

function matches(user: User, q: string): boolean {
  const text = q.trim().toLowerCase();
  if (!text) return true;
  const fields = [
    user.name,
    ...user.access_keys.map((key) => key.access_key_id),
    ...user.permissions.flatMap((rule) => rule.resources),
  ];
  return fields.some((field) => field.toLowerCase().includes(text));
}

function Table({ users }: { users: readonly User[] }) {
  return (
    <table className="table table-rows" aria-rowcount={users.length + 1}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">May do</th>
          <th scope="col">Access key</th>
          <th scope="col">Status</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <LongBody
        items={users}
        columns={5}
        row={(user, props) => (
          <tr key={user.id} {...props}>
            <td>
              <Link to="/access/users/$userId" params={{ userId: user.id }} className="row-link wrap-anywhere">
                {user.name}
              </Link>
            </td>
            <td data-label="May do">
              <span className="wrap-anywhere">
                {summary(user.permissions)}
                {user.group_ids.length > 0 ? ` · ${count(user.group_ids.length, "group")}` : ""}
              </span>
            </td>
            <td data-label="Key">
              <span>
                <code>{user.access_key_id ?? "none"}</code>
                {user.access_keys.length > 1 ? <span className="quiet"> +{user.access_keys.length - 1}</span> : null}
              </span>
            </td>
            <td data-label="Status">
              <span className={user.enabled ? "pill pill-good" : "pill pill-warn"}>
                {user.enabled ? "Active" : "Disabled"}
              </span>
            </td>
            <td data-label="Created" className="quiet">
              <span>
                <Ago at={user.created_at} />
              </span>
            </td>
          </tr>
        )}
      />
    </table>
  );
}
