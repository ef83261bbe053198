// When backups are stored, where, and how that is going; and the way to the form that changes it.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { schedule as scheduleQuery } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { marked, sentence, stopped } from "../../ui/marked";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Ago, bytes, Exact, span } from "../../ui/Time";
import { count } from "../../ui/words";
import { ScheduleForm } from "./ScheduleForm";

export function SchedulePart() {
  const schedule = useQuery(scheduleQuery);
  const [changing, setChanging] = useState(false);
  const may = useMe().may("config:secrets");
  return (
    <section className="card" aria-labelledby="schedule">
      <div className="card-head">
        <h2 id="schedule">Schedule</h2>
        {schedule.data ? <State of={schedule.data} /> : null}
        {schedule.data && may ? (
          <Button small onClick={() => setChanging(true)}>
            Change schedule…
          </Button>
        ) : null}
      </div>
      {schedule.data && changing ? <ScheduleForm of={schedule.data} open onClose={() => setChanging(false)} /> : null}
      {schedule.error ? (
        <div className="card-body">
          <ProblemNotice error={schedule.error} onRetry={() => void schedule.refetch()} />
        </div>
      ) : schedule.data ? (
        <Effective of={schedule.data} />
      ) : (
        <Waiting what="the schedule" />
      )}
    </section>
  );
}

function State({ of }: { of: Schedule }) {
  if (of.running) return <span className="pill pill-accent">Runs now</span>;
  if (failing(of)) return <span className="pill pill-bad">Failing</span>;
  if (of.stale) return <span className="pill pill-warn">Overdue</span>;
  if (of.destination && (of.schedule ?? of.on_change_secs) !== null) return <span className="pill pill-good">On</span>;
  return <span className="pill">Off</span>;
}

function failing(of: Schedule): boolean {
  return of.failures > 0 && of.last_error !== null;
}

function Effective({ of }: { of: Schedule }) {
  return (
    <div className="card-body stack">
      {failing(of) && of.last_error ? (
        <Notice tone="bad" title={`The last ${count(of.failures, "run")} failed`}>
          <p>
            {marked(sentence(of.last_error.detail))} (<Ago at={of.last_error.at} />)
          </p>
          {of.last_error.hint ? (
            <p>
              <strong>What to do:</strong> {marked(stopped(of.last_error.hint))}
            </p>
          ) : null}
        </Notice>
      ) : null}
      <dl className="facts">
        <dt>When</dt>
        <dd>
          {of.schedule ? (
            <>
              <code>{of.schedule}</code> (minute, hour, day, month, weekday, in UTC)
            </>
          ) : (
            "by no clock"
          )}
          {of.on_change_secs === null ? null : <>, and {span(of.on_change_secs)} after a change</>}
        </dd>
        {of.next_run ? (
          <>
            <dt>Next</dt>
            <dd>
              <Exact at={of.next_run} /> (<Ago at={of.next_run} />)
            </dd>
          </>
        ) : null}
        <dt>Where</dt>
        <dd>{place(of)}</dd>
        <dt>Kept</dt>
        <dd>{kept(of)}</dd>
        <dt>Checked</dt>
        <dd>{of.verify ? "each one is read back after it was stored" : "only on request"}</dd>
        {of.last_success ? (
          <>
            <dt>Last run</dt>
            <dd>
              <Ago at={of.last_success.at} />, {bytes(of.last_success.bytes)}
            </dd>
          </>
        ) : null}
      </dl>
    </div>
  );
}

function place(of: Schedule): string {
  const { destination } = of;
  if (!destination) return "nowhere yet";
  const prefix = destination.prefix ? ` below ${destination.prefix}` : "";
  return destination.kind === "bucket"
    ? `bucket ${destination.bucket ?? ""}${prefix}`
    : `directory ${destination.directory ?? ""}${prefix}`;
}

function kept({ keep }: Schedule): string {
  const parts = [
    keep.last === null ? "" : `the last ${keep.last}`,
    keep.days === null ? "" : `those of ${count(keep.days, "day")}`,
  ].filter(Boolean);
  return parts.length === 0 ? "all of them" : `${parts.join(" and ")}; the last verified one always`;
}
