// The outcome of one restore: what changed, who stayed signed in, and the way back.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Undo2 } from "lucide-react";
import { client, data } from "../../api/client";
import { restores as restoresQuery, status as statusQuery } from "../../api/queries";
import type { Restored } from "../../api/types";
import { useMe } from "../../session/useMe";
import { buttonClass } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { count } from "../../ui/words";
import { marked, sentence, stopped } from "../../ui/marked";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { Diff } from "./Diff";
import { Findings } from "./Findings";
import { bringsPassword, tally } from "./words";

const CRUMBS = [{ text: "Settings" }, { text: "System" }, { text: "Backup", to: "/settings/system/backup" }] as const;

export function RestoredRoom() {
  const { restoreId } = useParams({ from: "/settings/system/backup/restores/$restoreId" });
  const query = useQuery({
    queryKey: ["restore", restoreId],
    queryFn: ({ signal }) =>
      data(client.GET("/_/api/admin/backup/restores/{id}", { params: { path: { id: restoreId } }, signal })),
  });
  const one = query.data;
  return (
    <Room
      title={one && "changes" in one ? (one.mode === "undo" ? "Undone" : "Restored") : "Restore"}
      crumbs={CRUMBS}
      about={<code>{restoreId}</code>}
    >
      {query.error ? <ProblemNotice error={query.error} onRetry={() => void query.refetch()} /> : null}
      {!one ? (
        query.error ? null : (
          <Waiting what="the outcome" />
        )
      ) : "changes" in one ? (
        <Outcome of={one} />
      ) : (
        <>
          <Notice tone="bad" title="Refused: nothing was changed">
            <div>{marked(sentence(one.error.detail))}</div>
            {one.error.hint ? (
              <div>
                <strong>What to do:</strong> {marked(stopped(one.error.hint))}
              </div>
            ) : null}
            <div className="quiet small">
              <code>{one.error.code}</code> at {one.error.stage}
            </div>
          </Notice>
          <div>
            <Link to="/settings/system/backup" className={buttonClass()}>
              Back to Backup
            </Link>
          </div>
        </>
      )}
    </Room>
  );
}

function Outcome({ of }: { of: Restored }) {
  const back = of.mode === "undo";
  const me = useMe();
  const restores = useQuery(restoresQuery);
  const status = useQuery({ ...statusQuery, enabled: me.may("system:read") });
  // Only the last one can be taken back.
  const last = restores.data?.find((one) => "changes" in one)?.restore_id === of.restore_id;
  return (
    <>
      <Notice
        tone="good"
        title={back ? "The server is as it was before the restore" : "The server is as it was captured"}
        live
      >
        <p>
          {sentence(tally(of.changes, "done"))} You are still signed in; every other session has ended
          {bringsPassword(of) ? ", and the bootstrap password is the one of the archive" : ""}.
        </p>
      </Notice>
      <Findings of={of} />
      <section className="card" aria-labelledby="changed">
        <div className="card-head">
          <h2 id="changed">What changed</h2>
        </div>
        <Diff changes={of.changes} tense="done" restart={of.requires_restart} />
      </section>
      <section className="card" aria-labelledby="details">
        <div className="card-head">
          <h2 id="details">Details</h2>
        </div>
        <div className="card-body">
          <dl className="facts">
            <dt>What</dt>
            <dd>{back ? `the restore ${of.undoes ?? ""} was taken back` : `${of.mode}, ${of.strategy}`}</dd>
            <dt>State since</dt>
            <dd>
              epoch {of.epoch}, generation {of.generation}
            </dd>
            <dt>Self-check</dt>
            <dd>
              {of.self_check.status}: {count(of.self_check.users, "user")}, {count(of.self_check.groups, "group")},{" "}
              {count(of.self_check.buckets, "bucket")}, {count(of.self_check.keys, "at-rest key")}; the configuration{" "}
              {of.self_check.config}
            </dd>
            <dt>Signed by</dt>
            <dd>{of.signer ? <code>{of.signer}</code> : "nobody: older forms know no signature"}</dd>
            {of.pre_restore_backup ? (
              <>
                <dt>State before</dt>
                <dd>
                  kept in <code>{of.pre_restore_backup}</code>
                </dd>
              </>
            ) : null}
          </dl>
        </div>
      </section>
      <div className="row">
        <Link to="/access/users" className={buttonClass("primary")}>
          Look at the users
        </Link>
        {last && me.may("backup:restore") && status.data?.features.undo ? (
          <Link to="/settings/system/backup/undo" className={buttonClass()}>
            <Undo2 size={16} aria-hidden /> Undo…
          </Link>
        ) : null}
        <Link to="/settings/system/backup" className={buttonClass()}>
          Back to Backup
        </Link>
      </div>
    </>
  );
}
