// One group: who is in it, what that lets them do, and what can be done to the group as a whole.

import { Menu } from "@base-ui/react/menu";
import { Tabs } from "@base-ui/react/tabs";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Ellipsis, Pencil, Trash2, Ungroup } from "lucide-react";
import { answered, client } from "../../../api/client";
import { group as groupQuery } from "../../../api/queries";
import type { Group } from "../../../api/types";
import type { GroupTab } from "../../../router";
import { useMe } from "../../../session/useMe";
import { buttonClass } from "../../../ui/Button";
import { Room } from "../../../ui/Room";
import { Exact } from "../../../ui/Time";
import { Unread } from "../../../ui/Unread";
import { useDialog } from "../../../ui/useDialog";
import { RulesForm } from "../RulesForm";
import { DeleteGroup, EditGroup } from "./dialogs";
import { MembersTab } from "./MembersTab";

const CRUMBS = [{ text: "Access" }, { text: "Groups", to: "/access/groups" }] as const;

export function GroupRoom() {
  const { groupId } = useParams({ from: "/access/groups/$groupId" });
  const { tab = "members" } = useSearch({ from: "/access/groups/$groupId" });
  const navigate = useNavigate({ from: "/access/groups/$groupId" });
  const query = useQuery(groupQuery(groupId));
  const me = useMe();
  if (!query.data) {
    return (
      <Unread
        what="group"
        icon={Ungroup}
        crumbs={CRUMBS}
        all={{ text: "All groups", to: "/access/groups" }}
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  }
  const { data: group, etag } = query.data;
  return (
    <Room
      title={group.name}
      crumbs={CRUMBS}
      about={
        <>
          {group.description ? `${group.description} · ` : ""}created <Exact at={group.created_at} />
        </>
      }
      actions={me.may("iam:write") ? <Actions group={group} /> : null}
    >
      <Tabs.Root
        value={tab}
        onValueChange={(value: GroupTab) =>
          void navigate({
            search: (search) => ({ ...search, tab: value === "members" ? undefined : value }),
            replace: true,
          })
        }
        className="stack"
      >
        <Tabs.List className="tabs">
          <Tabs.Tab value="members" className="tab">
            Members
          </Tabs.Tab>
          <Tabs.Tab value="permissions" className="tab">
            Permissions
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="members">
          <MembersTab group={group} />
        </Tabs.Panel>
        {/* Unsaved rules survive a look at the other tab. */}
        <Tabs.Panel value="permissions" keepMounted>
          <Permissions key={group.id} group={group} etag={etag} />
        </Tabs.Panel>
      </Tabs.Root>
    </Room>
  );
}

function Permissions({ group, etag }: { group: Group; etag: string | null }) {
  const me = useMe();
  const queries = useQueryClient();
  const { queryKey } = groupQuery(group.id);
  return (
    <RulesForm
      name={group.name}
      of={{ rules: group.permissions, etag }}
      readOnly={!me.may("iam:write")}
      empty="Being in this group allows nothing."
      read={async () => {
        const now = await queries.query({ ...groupQuery(group.id), staleTime: 0 });
        return { rules: now.data.permissions, etag: now.etag };
      }}
      put={async (rules, version) => {
        const saved = await answered(
          client.PUT("/_/api/admin/groups/{id}", {
            params: { path: { id: group.id }, header: version ? { "If-Match": version } : {} },
            body: { permissions: rules },
          }),
        );
        queries.setQueryData(queryKey, saved);
        void queries.invalidateQueries();
        return { rules: saved.data.permissions, etag: saved.etag };
      }}
    />
  );
}

function Actions({ group }: { group: Group }) {
  const { dialog } = useSearch({ from: "/access/groups/$groupId" });
  const overlay = useDialog();
  return (
    <>
      <Menu.Root>
        <Menu.Trigger className={buttonClass()}>
          <Ellipsis size={16} aria-hidden /> Actions
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner align="end" sideOffset={6} className="over">
            <Menu.Popup className="menu">
              <Menu.Item className="menu-item" onClick={() => overlay.show("edit")}>
                <Pencil size={15} aria-hidden /> Name and description…
              </Menu.Item>
              <Menu.Separator className="menu-line" />
              <Menu.Item className="menu-item menu-item-bad" onClick={() => overlay.show("delete")}>
                <Trash2 size={15} aria-hidden /> Delete…
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <EditGroup key={`edit ${dialog ?? ""}`} group={group} open={dialog === "edit"} onClose={overlay.close} />
      <DeleteGroup group={group} open={dialog === "delete"} onClose={overlay.close} />
    </>
  );
}
