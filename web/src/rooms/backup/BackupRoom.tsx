// Settings → System → Backup: export, the way into a restore, and what was restored before.

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { History, Undo2 } from "lucide-react";
import { useState } from "react";
import { restores as restoresQuery, status as statusQuery } from "../../api/queries";
import type { DbRecovered, FailedRestore, Restored } from "../../api/types";
import { useMe } from "../../session/useMe";
import { buttonClass } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { choose } from "./chosen";
import { DropArchive } from "./DropArchive";
import { Export } from "./Export";
import { GoLive } from "./GoLive";
import { Opened, RecoverDb } from "./RecoverDb";
import { SchedulePart } from "./SchedulePart";
import { Stored } from "./Stored";
import { tally } from "./words";

export function BackupRoom() {
  const me = useMe();
  const navigate = useNavigate();
  const [opened, setOpened] = useState<DbRecovered | null>(null);
  return (
    <Room
      title="Backup"
      crumbs={[{ text: "Settings" }, { text: "System" }]}
      about="One file holds everything an operator set up: users, keys, permissions, buckets, configuration and secrets. Object data is never in it: copy the backends by their own means."
    >
      {opened && !me.locked ? <Opened of={opened} /> : null}
      {me.locked ? me.may("admin") ? <RecoverDb onOpened={setOpened} /> : null : <GoLive />}
      <div className="columns columns-own">
        {me.locked ? null : <Export />}
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
      {me.locked ? null : (
        <>
          <Stored />
          <SchedulePart />
          <Past />
        </>
      )}
    </Room>
  );
}

function Past() {
  const restores = useQuery(restoresQuery);
  const me = useMe();
  const status = useQuery({ ...statusQuery, enabled: me.may("system:read") });
  const undoes =
    me.may("backup:restore") && status.data?.features.undo && restores.data?.some((one) => "changes" in one);
  return (
    <section className="card" aria-labelledby="past">
      <div className="card-head">
        <h2 id="past">Restores on this server</h2>
        {undoes ? (
          <Link to="/settings/system/backup/undo" className={buttonClass()}>
            <Undo2 size={16} aria-hidden /> Undo the last one…
          </Link>
        ) : null}
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
          <span className="quiet small">{one.mode === "undo" ? "undo" : `${one.mode}, ${one.strategy}`}</span>
          <span className="pill pill-good">{one.mode === "undo" ? "Undone" : "Restored"}</span>
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
