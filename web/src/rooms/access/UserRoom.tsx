// One user: permissions, access keys, and what can be done to the account as a whole.

import { Tabs } from "@base-ui/react/tabs";
import { Menu } from "@base-ui/react/menu";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Ban, CircleCheck, Ellipsis, Pencil, Trash2, UserX } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import { sessions as sessionsQuery, user as userQuery } from "../../api/queries";
import type { User } from "../../api/types";
import type { UserTab } from "../../router";
import { useMe } from "../../session/useMe";
import { Button, buttonClass } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { ProblemNotice } from "../../ui/Notice";
import { Confirm, Overlay } from "../../ui/Overlay";
import { Room } from "../../ui/Room";
import { Exact } from "../../ui/Time";
import { done } from "../../ui/Toasts";
import { count } from "../../ui/words";
import { Unread } from "../../ui/Unread";
import { useDialog } from "../../ui/useDialog";
import { KeysTab } from "./KeysTab";
import { PermissionsTab } from "./PermissionsTab";

const CRUMBS = [{ text: "Access" }, { text: "Users", to: "/access/users" }] as const;

export function UserRoom() {
  const { userId } = useParams({ from: "/access/users/$userId" });
  const { tab = "permissions" } = useSearch({ from: "/access/users/$userId" });
  const navigate = useNavigate({ from: "/access/users/$userId" });
  const query = useQuery(userQuery(userId));
  const me = useMe();
  if (!query.data) {
    return (
      <Unread
        what="user"
        icon={UserX}
        crumbs={CRUMBS}
        all={{ text: "All users", to: "/access/users" }}
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  }
  const { data: user, etag } = query.data;
  return (
    <Room
      title={user.name}
      crumbs={CRUMBS}
      beside={
        <span className={user.enabled ? "pill pill-good" : "pill pill-warn"}>
          {user.enabled ? "Active" : "Disabled"}
        </span>
      }
      about={
        <>
          {user.auth_source === "local" ? "Local user" : `From ${user.auth_source}`}, created{" "}
          <Exact at={user.created_at} />
        </>
      }
      actions={me.may("iam:write") ? <Actions user={user} /> : null}
    >
      <Tabs.Root
        value={tab}
        onValueChange={(value: UserTab) =>
          void navigate({
            search: (search) => ({ ...search, tab: value === "permissions" ? undefined : value }),
            replace: true,
          })
        }
        className="stack"
      >
        <Tabs.List className="tabs">
          <Tabs.Tab value="permissions" className="tab">
            Permissions
          </Tabs.Tab>
          <Tabs.Tab value="keys" className="tab">
            Access keys
          </Tabs.Tab>
        </Tabs.List>
        {/* Unsaved rules survive a look at the other tab. */}
        <Tabs.Panel value="permissions" keepMounted>
          <PermissionsTab key={user.id} user={user} etag={etag} />
        </Tabs.Panel>
        <Tabs.Panel value="keys">
          <KeysTab user={user} />
        </Tabs.Panel>
      </Tabs.Root>
    </Room>
  );
}

function Actions({ user }: { user: User }) {
  const { dialog } = useSearch({ from: "/access/users/$userId" });
  const overlay = useDialog();
  const queries = useQueryClient();
  const enable = useMutation({
    mutationFn: () =>
      data(client.PUT("/_/api/admin/users/{id}", { params: { path: { id: user.id } }, body: { enabled: true } })),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${user.name} is active again`);
    },
  });
  return (
    <>
      {user.enabled ? null : (
        <Button busy={enable.isPending} onClick={() => enable.mutate()}>
          <CircleCheck size={16} aria-hidden /> Enable
        </Button>
      )}
      <Menu.Root>
        <Menu.Trigger className={buttonClass()}>
          <Ellipsis size={16} aria-hidden /> Actions
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner align="end" sideOffset={6} className="over">
            <Menu.Popup className="menu">
              <Menu.Item className="menu-item" onClick={() => overlay.show("rename")}>
                <Pencil size={15} aria-hidden /> Rename…
              </Menu.Item>
              {user.enabled ? (
                <Menu.Item className="menu-item" onClick={() => overlay.show("disable")}>
                  <Ban size={15} aria-hidden /> Disable…
                </Menu.Item>
              ) : null}
              <Menu.Separator className="menu-line" />
              <Menu.Item className="menu-item menu-item-bad" onClick={() => overlay.show("delete")}>
                <Trash2 size={15} aria-hidden /> Delete…
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      {enable.error ? <ProblemNotice error={enable.error} title={`${user.name} was not enabled`} /> : null}
      <Rename key={`rename ${dialog ?? ""}`} user={user} open={dialog === "rename"} onClose={overlay.close} />
      <Disable user={user} open={dialog === "disable"} onClose={overlay.close} />
      <Delete user={user} open={dialog === "delete"} onClose={overlay.close} />
    </>
  );
}

interface DialogProps {
  user: User;
  open: boolean;
  onClose: () => void;
}

function Rename({ user, open, onClose }: DialogProps) {
  const [name, setName] = useState(user.name);
  const queries = useQueryClient();
  const rename = useMutation({
    mutationFn: () =>
      data(client.PUT("/_/api/admin/users/{id}", { params: { path: { id: user.id } }, body: { name: name.trim() } })),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${user.name} is now ${name.trim()}`);
      onClose();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!rename.isPending) rename.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title={`Rename ${user.name}`} size="narrow">
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <TextField
            label="Name"
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
            hint="Keys, permissions and groups stay. Rules that use ${iam:username} follow the new name."
          />
          {rename.error ? <ProblemNotice error={rename.error} title="The name was not changed" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={rename.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </Overlay>
  );
}

function Disable({ user, open, onClose }: DialogProps) {
  const queries = useQueryClient();
  const disable = useMutation({
    mutationFn: () =>
      data(client.PUT("/_/api/admin/users/{id}", { params: { path: { id: user.id } }, body: { enabled: false } })),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${user.name} is disabled`);
      onClose();
    },
  });
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Disable ${user.name}?`}
      action="Disable"
      busy={disable.isPending}
      onConfirm={() => disable.mutate()}
    >
      <Effects user={user} open={open} />
      <p>Nothing is deleted: enabling the user again brings all of it back.</p>
      {disable.error ? <ProblemNotice error={disable.error} title="The user was not disabled" /> : null}
    </Confirm>
  );
}

function Delete({ user, open, onClose }: DialogProps) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => data(client.DELETE("/_/api/admin/users/{id}", { params: { path: { id: user.id } } })),
    onSuccess: async () => {
      done(`${user.name} is deleted`);
      await navigate({ to: "/access/users", replace: true });
      queries.removeQueries({ queryKey: userQuery(user.id).queryKey });
      void queries.invalidateQueries();
    },
  });
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete ${user.name}?`}
      action={`Delete ${user.name}`}
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <Effects user={user} open={open} />
      <p>
        {rulesText(user)} The objects that {user.name} wrote stay where they are.
      </p>
      <p className="quiet">This cannot be undone here. If in doubt, disable the user instead.</p>
      {remove.error ? <ProblemNotice error={remove.error} title="The user was not deleted" /> : null}
    </Confirm>
  );
}

function rulesText(user: User): string {
  const rules = user.permissions.length;
  const groups = user.group_ids.length;
  const parts = [rules ? count(rules, "rule") : "", groups ? `the membership in ${count(groups, "group")}` : ""].filter(
    Boolean,
  );
  if (parts.length === 0) return "The user has no permissions to lose.";
  const text = parts.join(" and ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)} ${parts.length === 1 && rules === 1 ? "goes" : "go"} with it.`;
}

/** What stops at once, in numbers. */
function Effects({ user, open }: { user: User; open: boolean }) {
  const sessions = useQuery({ ...sessionsQuery, enabled: open });
  const own = sessions.data?.sessions.filter((session) => session.identity === user.name).length ?? 0;
  const active = user.access_keys.filter((key) => key.active).length;
  return (
    <p>
      {active === 0
        ? "No active key stops signing"
        : `${count(active, "access key")} ${active === 1 ? "stops" : "stop"} signing S3 requests at once`}
      {own > 0 ? `, and ${count(own, "open session")} in this console ${own === 1 ? "ends" : "end"}` : ""}.
    </p>
  );
}
