// Access → Groups: rules that several users share.

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, UsersRound } from "lucide-react";
import { groups as groupsQuery } from "../../../api/queries";
import type { Group } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { Button } from "../../../ui/Button";
import { Empty, Waiting } from "../../../ui/Empty";
import { LongBody } from "../../../ui/LongBody";
import { ProblemNotice } from "../../../ui/Notice";
import { Room } from "../../../ui/Room";
import { useDialog } from "../../../ui/useDialog";
import { byName } from "../../../ui/words";
import { summary } from "../rules";
import { CreateGroup } from "./CreateGroup";

export function GroupsRoom() {
  const { dialog } = useSearch({ from: "/access/groups" });
  const navigate = useNavigate();
  const overlay = useDialog();
  const groups = useQuery(groupsQuery);
  const create = useMe().may("iam:write") ? (
    <Button look="primary" onClick={() => overlay.show("new")}>
      <Plus size={16} aria-hidden /> Create group
    </Button>
  ) : null;
  return (
    <Room
      title="Groups"
      crumbs={[{ text: "Access" }]}
      about="Whoever is in a group may do what its rules allow, beside what their own allow. A denial of either wins."
      actions={groups.data?.length ? create : null}
    >
      {groups.error ? <ProblemNotice error={groups.error} onRetry={() => void groups.refetch()} /> : null}
      {groups.data ? (
        <div className="card">
          {groups.data.length === 0 ? (
            <Empty icon={UsersRound} title="No groups yet">
              <p className="quiet">
                Rules that several users need are written once, in a group. Sign-in providers put people into groups.
              </p>
              {create}
            </Empty>
          ) : (
            <Table groups={[...groups.data].sort(byName)} />
          )}
        </div>
      ) : groups.error ? null : (
        <div className="card">
          <Waiting what="groups" />
        </div>
      )}
      <CreateGroup
        key={dialog ?? "closed"}
        open={dialog === "new"}
        onClose={overlay.close}
        onCreated={(group) =>
          void navigate({ to: "/access/groups/$groupId", params: { groupId: group.id }, replace: true })
        }
      />
    </Room>
  );
}

function Table({ groups }: { groups: readonly Group[] }) {
  return (
    <table className="table table-rows" aria-rowcount={groups.length + 1}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">May do</th>
          <th scope="col">Members</th>
          <th scope="col">Description</th>
        </tr>
      </thead>
      <LongBody
        items={groups}
        columns={4}
        row={(group, props) => (
          <tr key={group.id} {...props}>
            <td>
              <Link to="/access/groups/$groupId" params={{ groupId: group.id }} className="row-link wrap-anywhere">
                {group.name}
              </Link>
            </td>
            <td data-label="May do">
              <span className="wrap-anywhere">{summary(group.permissions)}</span>
            </td>
            <td data-label="Members">
              <span>{group.member_ids.length}</span>
            </td>
            <td data-label={group.description ? "About" : undefined} className="quiet">
              <span className="wrap-anywhere">{group.description}</span>
            </td>
          </tr>
        )}
      />
    </table>
  );
}
