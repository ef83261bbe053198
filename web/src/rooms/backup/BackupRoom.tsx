// Settings → System → Backup: export, the way into a restore, and what was restored before.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Download, History } from "lucide-react";
import { client } from "../../api/client";
import { Problem } from "../../api/problem";
import { restores as restoresQuery, status as statusQuery } from "../../api/queries";
import type { FailedRestore, Restored } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { Ago, bytes, Exact } from "../../ui/Time";
import { choose } from "./chosen";
import { DropArchive } from "./DropArchive";
import { tally } from "./words";

export function BackupRoom() {
  const me = useMe();
  const navigate = useNavigate();
  return (
    <Room
      title="Backup"
      crumbs={[{ text: "Settings" }, { text: "System" }]}
      about="One file holds everything an operator set up: users, keys, permissions, buckets, configuration and secrets. Object data is never in it: copy the backends by their own means."
    >
      <div className="columns">
        <Export />
        <section className="card" aria-labelledby="restore">
          <div className="card-head">
            <h2 id="restore">Restore</h2>
          </div>
          <div className="card-body stack">
            {me.may("backup:restore") ? (
              <DropArchive
                onFile={(file) => {
                  choose(file);
                  void navigate({ to: "/settings/system/backup/restore" });
                }}
              />
            ) : (
              <p className="quiet">
                A restore replaces every user and secret. It needs the right <code>backup:restore</code>, which admins
                have.
              </p>
            )}
          </div>
        </section>
      </div>
      {me.locked ? null : <Past />}
    </Room>
  );
}

function Export() {
  const me = useMe();
  const queries = useQueryClient();
  const may = me.may("backup:export-secrets") || me.may("backup:export");
  const status = useQuery({ ...statusQuery, enabled: me.may("system:read") && !me.locked });
  const last = status.data?.last_backup;
  const run = useMutation({
    mutationFn: download,
    onSettled: () => queries.invalidateQueries(),
  });
  return (
    <section className="card" aria-labelledby="export">
      <div className="card-head">
        <h2 id="export">Export</h2>
        {last ? (
          <span className="quiet small">
            Last <Ago at={last.at} />
          </span>
        ) : last === null ? (
          <span className="pill pill-warn">None yet</span>
        ) : null}
      </div>
      <div className="card-body stack">
        <p>A Full Backup rebuilds this server on an empty host, in one step.</p>
        {last ? (
          <dl className="facts">
            <dt>Last file</dt>
            <dd>
              <code>{last.filename}</code>, {bytes(last.bytes)}
            </dd>
            <dt>Made by</dt>
            <dd>
              {last.actor === "$bootstrap" ? "Bootstrap admin" : last.actor}, <Exact at={last.at} />
            </dd>
            <dt>SHA-256</dt>
            <dd>
              <code className="small">{last.sha256}</code>
            </dd>
            <dt>Since then</dt>
            <dd>{last.changed_since ? "something has changed" : "nothing has changed"}</dd>
          </dl>
        ) : null}
        <Notice tone="warn">
          <p>
            The file holds <strong>every secret in clear</strong>: keep it as safe as the server itself.
          </p>
        </Notice>
        {run.error ? <ProblemNotice error={run.error} title="No backup was made" /> : null}
        {run.data ? (
          <Notice tone="good" title="Downloaded" live>
            <p className="wrap-anywhere">
              <code>{run.data.name}</code>, {bytes(run.data.size)}
            </p>
          </Notice>
        ) : null}
        <div>
          <Button look="primary" busy={run.isPending} disabled={!may || me.locked} onClick={() => run.mutate()}>
            <Download size={16} aria-hidden /> Export backup
          </Button>
        </div>
        {may ? null : (
          <p className="quiet small">
            Needs the right <code>backup:export-secrets</code>.
          </p>
        )}
      </div>
    </section>
  );
}

async function download(): Promise<{ name: string; size: number }> {
  const { data: blob, error, response } = await client.GET("/_/api/admin/backup", { parseAs: "blob" });
  if (!blob) throw Problem.of(response, error);
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "dgp-backup.zip";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken it over when the click returns; some begin reading a little later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return { name, size: blob.size };
}

function Past() {
  const restores = useQuery(restoresQuery);
  return (
    <section className="card" aria-labelledby="past">
      <div className="card-head">
        <h2 id="past">Restores on this server</h2>
      </div>
      {restores.error ? (
        <div className="card-body">
          <ProblemNotice error={restores.error} onRetry={() => void restores.refetch()} />
        </div>
      ) : !restores.data ? (
        <Waiting what="restores" />
      ) : restores.data.length === 0 ? (
        <Empty icon={History} title="None so far">
          <p className="quiet">Each restore is kept here with what it changed, also one that was refused.</p>
        </Empty>
      ) : (
        restores.data.map((one) => <PastRow key={one.restore_id} one={one} />)
      )}
    </section>
  );
}

function PastRow({ one }: { one: Restored | FailedRestore }) {
  return (
    <div className="list-row">
      <Link to="/settings/system/backup/restores/$restoreId" params={{ restoreId: one.restore_id }} className="mono">
        {one.restore_id.slice(0, 8)}
      </Link>
      {"changes" in one ? (
        <>
          <span className="grow">{tally(one.changes, "done")}</span>
          <span className="quiet small">
            {one.mode}, {one.strategy}
          </span>
          <span className="pill pill-good">Restored</span>
        </>
      ) : (
        <>
          <span className="grow wrap-anywhere">{one.error.detail}</span>
          <span className="pill pill-bad">Refused</span>
        </>
      )}
    </div>
  );
}
