// A restore before it happens: the archive is verified, its plan is read, and only then somebody confirms.

import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { client, data } from "../../api/client";
import { Problem } from "../../api/problem";
import { backups as backupsQuery } from "../../api/queries";
import type { Restored } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { Room } from "../../ui/Room";
import { Exact } from "../../ui/Time";
import { count } from "../../ui/words";
import { useDialog } from "../../ui/useDialog";
import { ArchiveLine, fromManifest, fromPlan, type Archive } from "./ArchiveLine";
import { choose, useChosen } from "./chosen";
import { DropArchive } from "./DropArchive";
import { Findings } from "./Findings";
import { MODES, Options, PLAIN } from "./Options";
import { OF_ONE_MOMENT, PlanCard, useShowOutcome } from "./planned";
import { NotDone, Refused } from "./Refused";
import { sealOf, type Seal } from "./seal";
import { send, verify, type Source, type Wishes } from "./send";
import { Unlock } from "./Unlock";
import { bringsPassword, phrase, total } from "./words";

const CRUMBS = [{ text: "Settings" }, { text: "System" }, { text: "Backup", to: "/settings/system/backup" }] as const;

export function RestoreRoom() {
  const { stored } = useSearch({ from: "/settings/system/backup/restore" });
  const file = useChosen();
  const me = useMe();
  return (
    <Room title="Restore a backup" crumbs={CRUMBS}>
      {!me.may("backup:restore") ? (
        <Notice tone="warn" title="Not for you">
          <p>
            A restore needs the right <code>backup:restore</code>. Ask an admin.
          </p>
        </Notice>
      ) : stored ? (
        <Stored key={stored} id={stored} />
      ) : file ? (
        // Another file, or the same one dropped again, is another restore.
        <Dropped key={`${file.name} ${file.size} ${file.lastModified}`} file={file} />
      ) : (
        <div className="card">
          <div className="card-body">
            <DropArchive onFile={choose} />
          </div>
        </div>
      )}
    </Room>
  );
}

function Dropped({ file }: { file: File }) {
  const seal = useQuery({
    queryKey: ["seal", file.name, file.size, file.lastModified],
    queryFn: () => sealOf(file),
    gcTime: 0,
  });
  if (seal.data === undefined) return <Waiting what="the file" />;
  return (
    <Planned
      source={{ kind: "file", file }}
      name={file.name}
      size={file.size}
      sealed={seal.data !== null}
      seal={seal.data ?? undefined}
    />
  );
}

function Stored({ id }: { id: string }) {
  const backups = useQuery(backupsQuery);
  const one = backups.data?.find((each) => each.id === id);
  if (backups.error) return <ProblemNotice error={backups.error} onRetry={() => void backups.refetch()} />;
  if (!backups.data) return <Waiting what="the stored backup" />;
  if (!one) {
    return (
      <Notice tone="warn" title="There is no such stored backup">
        <p>
          <code>{id}</code> is not there any more: somebody deleted it, or its time was over.
        </p>
      </Notice>
    );
  }
  return <Planned source={{ kind: "stored", id }} name={id} size={one.bytes} sealed={one.encrypted} seal={undefined} />;
}

interface Plan {
  archive: Archive | undefined;
  plan: Restored;
  /** The state that the plan was made for: a later one needs another plan. */
  version: string;
}

interface Props {
  source: Source;
  name: string;
  size: number;
  sealed: boolean;
  seal: Seal | undefined;
}

function Planned({ source, name, size, sealed, seal }: Props) {
  const [wishes, setWishes] = useState<Wishes>(PLAIN);
  const { dialog } = useSearch({ from: "/settings/system/backup/restore" });
  const overlay = useDialog();
  const me = useMe();
  const navigate = useNavigate();
  const show = useShowOutcome();
  const locked = sealed && !wishes.opening;
  const plan = useQuery({
    queryKey: ["plan", name, size, wishes],
    queryFn: async (): Promise<Plan> => {
      const verified = source.kind === "file" ? await verify(source.file, wishes.opening) : undefined;
      const { generation } = await data(client.GET("/_/health"));
      const planned = await send(source, wishes, true, generation);
      return { archive: verified ? fromManifest(verified) : fromPlan(planned), plan: planned, version: generation };
    },
    enabled: !locked,
    ...OF_ONE_MOMENT,
    placeholderData: (before) => before,
  });
  const restore = useMutation({
    mutationFn: (of: Plan) => send(source, wishes, false, of.version),
    onSuccess: async (result) => {
      await show(result);
      choose(null);
    },
    onError: () => overlay.close(),
  });
  const other =
    source.kind === "file" ? (
      <Button onClick={() => choose(null)} disabled={restore.isPending}>
        Another file…
      </Button>
    ) : (
      <Button onClick={() => void navigate({ to: "/settings/system/backup" })} disabled={restore.isPending}>
        Another backup…
      </Button>
    );
  if (locked) {
    return (
      <div className="stack">
        <ArchiveLine name={name} size={size} of={undefined} />
        <Unlock seal={seal} onOpen={(opening) => setWishes({ ...wishes, opening })} />
        <div>{other}</div>
      </div>
    );
  }
  if (!plan.data || plan.error) {
    const wrongKey = plan.error instanceof Problem && plan.error.code.startsWith("envelope_key");
    return (
      <div className="stack">
        <ArchiveLine name={name} size={size} of={plan.data?.archive} />
        {plan.error ? (
          <>
            <Refused
              error={plan.error}
              wishes={wishes}
              onWishes={setWishes}
              onRetry={() => void plan.refetch()}
              other={other}
            />
            {wrongKey ? <Unlock seal={seal} onOpen={(opening) => setWishes({ ...wishes, opening })} /> : null}
          </>
        ) : (
          <div className="card">
            <Waiting what="the plan: the archive is verified" />
          </div>
        )}
      </div>
    );
  }
  const { plan: planned, archive } = plan.data;
  const sum = total(planned.changes);
  return (
    <div className="stack">
      <ArchiveLine name={name} size={size} of={archive} />
      <Options wishes={wishes} onChange={setWishes} locked={me.locked} />
      <PlanCard plan={planned} fetching={plan.isFetching} />
      <Findings
        of={planned}
        {...(wishes.revive.includes("all")
          ? {}
          : {
              onRevive: (which: string) =>
                setWishes({ ...wishes, revive: which === "all" ? ["all"] : [...wishes.revive, which] }),
            })}
      />
      <Sessions password={bringsPassword(planned)} />
      {restore.error ? (
        <NotDone error={restore.error} what="restore" onPlan={() => void plan.refetch().then(() => restore.reset())} />
      ) : null}
      <div className="row-apart">
        {other}
        <Button
          look="destroy"
          disabled={plan.isFetching || plan.isPlaceholderData}
          onClick={() => overlay.show("confirm")}
        >
          Restore…
        </Button>
      </div>
      <Confirm
        open={dialog === "confirm"}
        onClose={overlay.close}
        title={wishes.strategy === "replace" ? "Replace the state of this server?" : "Add what is missing?"}
        action="Restore now"
        busy={restore.isPending}
        typed={phrase(planned.changes, "restore")}
        onConfirm={() => restore.mutate(plan.data)}
      >
        <p>
          {MODES[wishes.mode]}{" "}
          {wishes.strategy === "replace" ? (
            <>goes back to {archive ? <Exact at={archive.at} /> : "the archive"}</>
          ) : (
            "that this server lacks is added from the archive"
          )}
          , all at once or not at all:
        </p>
        <ul className="bullets">
          {sum.deleted ? (
            <li>
              <strong>{count(sum.deleted, "entry", "entries")}</strong> made since then will be <strong>removed</strong>
            </li>
          ) : null}
          {sum.created ? (
            <li>
              <strong>{count(sum.created, "entry", "entries")}</strong> will come back
            </li>
          ) : null}
          {sum.updated ? (
            <li>
              <strong>{count(sum.updated, "entry", "entries")}</strong> will change
            </li>
          ) : null}
          {sum.config ? (
            <li>
              <strong>{count(sum.config, "setting")}</strong> will change
            </li>
          ) : null}
          {sum.all === 0 ? <li>nothing differs, so nothing visible changes</li> : null}
          <li>everybody but you is signed out</li>
        </ul>
        <p className="quiet">The state of now is kept on the server, as the way back.</p>
      </Confirm>
    </div>
  );
}

function Sessions({ password }: { password: boolean }) {
  return (
    <Notice tone="info" title="Who stays signed in">
      <p>
        You do. Every other session ends with the restore.
        {password ? " From then on the bootstrap password is the one of the archive." : ""}
      </p>
    </Notice>
  );
}
