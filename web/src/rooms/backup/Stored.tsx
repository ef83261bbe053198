// The backups that this server stored: how old, how large, whether they were read back whole, and what can be done with each.

import { Menu } from "@base-ui/react/menu";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { Archive, Ellipsis } from "lucide-react";
import { client, data } from "../../api/client";
import { Problem } from "../../api/problem";
import { backups as backupsQuery, schedule as scheduleQuery } from "../../api/queries";
import type { StoredBackup } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button, buttonClass } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { Ago, bytes } from "../../ui/Time";
import { done } from "../../ui/Toasts";
import { useDialog } from "../../ui/useDialog";

export function Stored() {
  const { dialog, key: chosen } = useSearch({ from: "/settings/system/backup" });
  const overlay = useDialog();
  const me = useMe();
  const queries = useQueryClient();
  const backups = useQuery(backupsQuery);
  const schedule = useQuery(scheduleQuery);
  const store = useMutation({
    mutationFn: () => data(client.POST("/_/api/admin/backups")),
    onSuccess: (made) => done(`${made.id} is stored`),
    onSettled: () => queries.invalidateQueries(),
  });
  const configured = schedule.data?.destination != null;
  const now =
    configured && me.may("backup:export") ? (
      <Button look="primary" busy={store.isPending || schedule.data?.running === true} onClick={() => store.mutate()}>
        <Archive size={16} aria-hidden /> Store one now
      </Button>
    ) : null;
  return (
    <section className="card" aria-labelledby="stored">
      <div className="card-head">
        <h2 id="stored">Stored backups</h2>
        {backups.data?.length ? now : null}
      </div>
      {store.error ? (
        <div className="card-body">
          <ProblemNotice error={store.error} title="No backup was stored" />
        </div>
      ) : null}
      {backups.error ? (
        <div className="card-body">
          <ProblemNotice error={backups.error} onRetry={() => void backups.refetch()} />
        </div>
      ) : !backups.data || !schedule.data ? (
        <Waiting what="stored backups" />
      ) : backups.data.length === 0 ? (
        <Empty icon={Archive} title="None yet">
          <p className="quiet">
            {configured
              ? "The first one comes with the schedule, or now."
              : "The configuration names no place for them. The schedule below sets one."}
          </p>
          {now}
        </Empty>
      ) : (
        <Table backups={backups.data} onDelete={(id) => overlay.show("delete", id)} />
      )}
      <Delete
        backup={backups.data?.find((each) => each.id === chosen)}
        open={dialog === "delete"}
        onClose={overlay.close}
      />
    </section>
  );
}

const TRIGGERS: Record<string, string> = {
  schedule: "by the schedule",
  on_change: "after a change",
  request: "by hand",
};

function Table({ backups, onDelete }: { backups: readonly StoredBackup[]; onDelete: (id: string) => void }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Backup</th>
          <th scope="col">Age</th>
          <th scope="col">Size</th>
          <th scope="col">Check</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {backups.map((backup) => (
          <Row key={backup.id} backup={backup} onDelete={onDelete} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ backup, onDelete }: { backup: StoredBackup; onDelete: (id: string) => void }) {
  const me = useMe();
  const queries = useQueryClient();
  const check = useMutation({
    mutationFn: () => data(client.POST("/_/api/admin/backups/{id}/verify", { params: { path: { id: backup.id } } })),
    onSuccess: () => done(`${backup.id} is whole`),
    onSettled: () => queries.invalidateQueries({ queryKey: ["backups"] }),
  });
  const reads = me.may(backup.encrypted ? "backup:export" : "backup:export-secrets");
  return (
    <tr>
      <td>
        <div className="wrap-anywhere">
          <code>{backup.id}</code>
          <div className="quiet small">
            {backup.own ? (backup.trigger ? (TRIGGERS[backup.trigger] ?? backup.trigger) : "") : "of another server"}
            {backup.encrypted ? ", encrypted" : ""}
            {backup.expires ? ", goes with the next run" : ""}
          </div>
          {check.error ? <ProblemNotice error={check.error} title="The check did not end well" /> : null}
        </div>
      </td>
      <td data-label="Age">
        <span>
          <Ago at={backup.at} />
        </span>
      </td>
      <td data-label="Size">
        <span className="nowrap">{bytes(backup.bytes)}</span>
      </td>
      <td data-label="Check">
        {backup.verified ? (
          <span className="pill pill-good" title={backup.verified_at ?? undefined}>
            Verified
          </span>
        ) : backup.verify_error ? (
          <span className="pill pill-bad" title={backup.verify_error}>
            Damaged
          </span>
        ) : (
          <span className="pill">Not checked</span>
        )}
      </td>
      <td className="cell-end">
        <div className="row row-end">
          {me.may("backup:restore") ? (
            <Link
              to="/settings/system/backup/restore"
              search={{ stored: backup.id }}
              className={buttonClass("normal", true)}
              aria-label={`Restore… ${backup.id}`}
            >
              Restore…
            </Link>
          ) : null}
          <Menu.Root>
            <Menu.Trigger className={buttonClass("plain", true, "button-icon")} aria-label={`Actions for ${backup.id}`}>
              {check.isPending ? <span className="spinner" /> : <Ellipsis size={16} aria-hidden />}
            </Menu.Trigger>
            <Menu.Portal>
              <Menu.Positioner align="end" sideOffset={4} className="over">
                <Menu.Popup className="menu">
                  <Menu.Item className="menu-item" onClick={() => check.mutate()}>
                    Verify now
                  </Menu.Item>
                  {reads ? (
                    <Menu.Item
                      className="menu-item"
                      render={
                        <a href={`/_/api/admin/backups/${encodeURIComponent(backup.id)}`} download>
                          Download
                        </a>
                      }
                    />
                  ) : null}
                  {me.may("system:write") ? (
                    <>
                      <Menu.Separator className="menu-line" />
                      <Menu.Item className="menu-item menu-item-bad" onClick={() => onDelete(backup.id)}>
                        Delete…
                      </Menu.Item>
                    </>
                  ) : null}
                </Menu.Popup>
              </Menu.Positioner>
            </Menu.Portal>
          </Menu.Root>
        </div>
      </td>
    </tr>
  );
}

function Delete(props: { backup: StoredBackup | undefined; open: boolean; onClose: () => void }) {
  const { backup, open, onClose } = props;
  const me = useMe();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: ({ of, force }: { of: StoredBackup; force: boolean }) =>
      data(
        client.DELETE("/_/api/admin/backups/{id}", {
          params: { path: { id: of.id }, query: force ? { force: true } : {} },
        }),
      ),
    onSuccess: (_, { of }) => {
      done(`${of.id} is deleted`);
      onClose();
      void queries.invalidateQueries();
    },
  });
  if (!backup) return null;
  const last = remove.error instanceof Problem && remove.error.code === "last_verified_backup";
  const force = last || backup.last_verified;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title="Delete this backup?"
      action="Delete backup"
      busy={remove.isPending}
      {...(force ? { typed: "delete the last one" } : {})}
      onConfirm={() => remove.mutate({ of: backup, force })}
    >
      <p>
        <code className="wrap-anywhere">{backup.id}</code>, {bytes(backup.bytes)}, from <Ago at={backup.at} />, is gone
        for good.
      </p>
      {force ? (
        <p>
          <strong>It is the last one that was read back whole.</strong> Without it nothing stored here is known to bring
          this server back.{me.may("backup:restore") ? "" : " Only an admin can delete it."}
        </p>
      ) : null}
      {remove.error && !last ? <ProblemNotice error={remove.error} title="The backup was not deleted" /> : null}
    </Confirm>
  );
}
