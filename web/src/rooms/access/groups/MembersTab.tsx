// Who is in a group: found by name, added and taken out one by one.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { Plus, Search, UserRoundPlus, X } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { client, data } from "../../../api/client";
import { users as usersQuery } from "../../../api/queries";
import type { Group, User } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { Empty, Waiting } from "../../../ui/Empty";
import { LongBody } from "../../../ui/LongBody";
import { ProblemNotice } from "../../../ui/Notice";
import { Overlay } from "../../../ui/Overlay";
import { done } from "../../../ui/Toasts";
import { useDialog } from "../../../ui/useDialog";
import { byName, count } from "../../../ui/words";

export function MembersTab({ group }: { group: Group }) {
  const { dialog } = useSearch({ from: "/access/groups/$groupId" });
  const overlay = useDialog();
  const may = useMe().may("iam:write");
  const users = useQuery(usersQuery);
  const head = useRef<HTMLHeadingElement>(null);
  const members = useMemo(() => {
    const ids = new Set(group.member_ids);
    return (users.data ?? []).filter((user) => ids.has(user.id)).sort(byName);
  }, [users.data, group.member_ids]);
  const add = may ? (
    <Button look="primary" onClick={() => overlay.show("add-members")}>
      <Plus size={16} aria-hidden /> Add members
    </Button>
  ) : null;
  return (
    <div className="card">
      <div className="card-head">
        <h2 ref={head} tabIndex={-1}>
          {count(group.member_ids.length, "member")}
        </h2>
        {group.member_ids.length > 0 ? add : null}
      </div>
      {users.error ? (
        <div className="card-body">
          <ProblemNotice error={users.error} onRetry={() => void users.refetch()} />
        </div>
      ) : !users.data ? (
        <Waiting what="members" />
      ) : members.length === 0 ? (
        <Empty icon={UserRoundPlus} title="Nobody is in this group">
          <p className="quiet">Add users here, or let a mapping rule of a sign-in provider do it.</p>
          {add}
        </Empty>
      ) : (
        <table className="table" aria-rowcount={members.length + 1}>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Status</th>
              <th scope="col">
                <span className="sr">Actions</span>
              </th>
            </tr>
          </thead>
          <LongBody
            items={members}
            columns={3}
            row={(user, props) => (
              <tr key={user.id} {...props}>
                <td>
                  <Link to="/access/users/$userId" params={{ userId: user.id }} className="wrap-anywhere">
                    {user.name}
                  </Link>
                </td>
                <td data-label="Status">
                  <span className={user.enabled ? "pill pill-good" : "pill pill-warn"}>
                    {user.enabled ? "Active" : "Disabled"}
                  </span>
                </td>
                <td className="cell-end">
                  {may ? <Remove group={group} user={user} onRemoved={() => head.current?.focus()} /> : null}
                </td>
              </tr>
            )}
          />
        </table>
      )}
      <Add group={group} users={users.data ?? []} open={dialog === "add-members"} onClose={overlay.close} />
    </div>
  );
}

/** Taking somebody out is taken back by adding them again, so it is not asked about. */
function Remove({ group, user, onRemoved }: { group: Group; user: User; onRemoved: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      data(
        client.DELETE("/_/api/admin/groups/{id}/members/{user_id}", {
          params: { path: { id: group.id, user_id: user.id } },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${user.name} is no longer in ${group.name}`);
      // The button goes with its row; whoever works with the keyboard goes on from here.
      onRemoved();
    },
  });
  return (
    <>
      <Button small busy={remove.isPending} aria-label={`Take out ${user.name}`} onClick={() => remove.mutate()}>
        <X size={15} aria-hidden /> Take out
      </Button>
      {remove.error ? <ProblemNotice error={remove.error} title={`${user.name} is still in the group`} /> : null}
    </>
  );
}

/** More than so many names are searched, not read. */
const SHOWN = 8;

function Add(props: { group: Group; users: readonly User[]; open: boolean; onClose: () => void }) {
  const { group, open, onClose } = props;
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const ids = new Set(group.member_ids);
  const wanted = text.trim().toLowerCase();
  const found = props.users
    .filter((user) => !ids.has(user.id) && user.name.toLowerCase().includes(wanted))
    .sort(byName);
  return (
    <Overlay open={open} onClose={onClose} title={`Add members to ${group.name}`}>
      <div className="dialog-body stack">
        <div className="search search-wide">
          <Search size={15} aria-hidden />
          <input
            ref={field}
            className="input"
            type="search"
            aria-label="Find users to add"
            placeholder="Name"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <p className="quiet small" role="status">
          {found.length === 0
            ? wanted
              ? `Nobody outside the group has “${text.trim()}” in the name.`
              : "Every user is in the group already."
            : found.length > SHOWN
              ? `${SHOWN} of ${found.length} users who are not in it`
              : `${count(found.length, "user")} not in it`}
        </p>
        <ul className="picks">
          {found.slice(0, SHOWN).map((user) => (
            <Pick key={user.id} group={group} user={user} onAdded={() => field.current?.focus()} />
          ))}
        </ul>
      </div>
      <div className="dialog-foot">
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Overlay>
  );
}

function Pick({ group, user, onAdded }: { group: Group; user: User; onAdded: () => void }) {
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/groups/{id}/members", {
          params: { path: { id: group.id } },
          body: { user_id: user.id },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${user.name} is in ${group.name}`);
      onAdded();
    },
  });
  return (
    <li className="pick">
      <span className="grow wrap-anywhere">
        {user.name} {user.enabled ? null : <span className="pill pill-warn">Disabled</span>}
      </span>
      <Button small busy={add.isPending} aria-label={`Add ${user.name}`} onClick={() => add.mutate()}>
        <Plus size={15} aria-hidden /> Add
      </Button>
      {add.error ? <ProblemNotice error={add.error} title={`${user.name} was not added`} /> : null}
    </li>
  );
}
