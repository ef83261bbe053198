// Home: is all well, what needs attention, how old is the last backup, what happened lately.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, Rocket, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import {
  audit,
  health as healthQuery,
  ready as readyQuery,
  status as statusQuery,
  users as usersQuery,
} from "../../api/queries";
import type { AuditRow, Backend } from "../../api/types";
import { useMe } from "../../session/useMe";
import { buttonClass } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { marked, sentence } from "../../ui/marked";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { Ago, span, useNow } from "../../ui/Time";
import { concerns, fromProbes, type Concern, type Severity } from "./attention";
import { actor, phrase } from "../activity/words";

/** Rows of the audit log to look through for the eight that are shown. */
const LATEST = 30;
/** Up to so many users are read for the names in those rows; more would cost megabytes. */
const NAMED = 1000;

export function HomeRoom() {
  const me = useMe();
  const health = useQuery(healthQuery);
  const ready = useQuery(readyQuery);
  const rows = useQuery({ ...audit(LATEST), enabled: me.may("audit:read") && !me.locked });
  const status = useQuery({ ...statusQuery, enabled: me.may("system:read") && !me.locked });
  const people = status.data?.counts.users;
  const users = useQuery({
    ...usersQuery,
    enabled: me.may("iam:read") && !me.locked && people !== undefined && people <= NAMED,
  });
  const now = useNow();
  const backup = status.data?.last_backup;
  const list = status.data
    ? concerns(status.data.attention)
    : health.data && ready.data && !status.isLoading
      ? fromProbes(health.data, ready.data)
      : null;
  const error = health.error ?? ready.error ?? status.error;
  const names = new Map(users.data?.map((user) => [user.id, user.name]));
  return (
    <Room title="Home">
      {error ? (
        <ProblemNotice
          error={error}
          onRetry={() => {
            void health.refetch();
            void ready.refetch();
            void status.refetch();
          }}
        />
      ) : null}
      {me.mode === "bootstrap" && me.may("iam:write") && !me.locked ? <Setup /> : null}
      {list ? <State list={list} asOf={status.data ? status.dataUpdatedAt : health.dataUpdatedAt} now={now} /> : null}
      {me.locked ? null : (
        <>
          <div className="tiles">
            {me.may("system:read") ? (
              <Tile
                label="Last backup"
                value={backup === undefined ? "…" : backup ? <Ago at={backup.at} /> : "None yet"}
              >
                {backup?.changed_since ? <span className="quiet small">Changed since then</span> : null}
                {me.may("backup:read") ? (
                  <Link to="/settings/system/backup">{backup ? "Backup and restore" : "Make the first one"}</Link>
                ) : null}
              </Tile>
            ) : null}
            <Tile
              label="Storage backends"
              value={
                ready.data
                  ? `${ready.data.backends.filter((b) => b.up).length} of ${ready.data.backends.length} up`
                  : "…"
              }
            >
              <span className="quiet small">{ready.data?.ready ? "Ready for requests" : "Not ready"}</span>
            </Tile>
            {me.may("iam:read") && me.may("system:read") ? (
              <Tile label="Users" value={people ?? "…"}>
                <Link to="/access/users">{people === 0 ? "Create the first one" : "Manage access"}</Link>
              </Tile>
            ) : null}
            {me.makesOwnKeys ? (
              <Tile label="S3 clients" value="Your keys">
                <Link to="/account">Make a key for a client</Link>
              </Tile>
            ) : null}
            <Tile label="Version" value={health.data?.version ?? "…"}>
              <span className="quiet small">State {health.data?.generation ?? "…"}</span>
            </Tile>
          </div>
          <div className="columns columns-own">
            <section className="card" aria-labelledby="backends">
              <div className="card-head">
                <h2 id="backends">Storage</h2>
              </div>
              {ready.data ? (
                ready.data.backends.map((backend) => <BackendRow key={backend.name} backend={backend} />)
              ) : (
                <Waiting what="backends" />
              )}
            </section>
            {me.may("audit:read") ? (
              <section className="card" aria-labelledby="activity">
                <div className="card-head">
                  <h2 id="activity">Recent activity</h2>
                </div>
                {rows.error ? (
                  <div className="card-body">
                    <ProblemNotice error={rows.error} onRetry={() => void rows.refetch()} />
                  </div>
                ) : (
                  <Activity rows={rows.data} names={names} />
                )}
              </section>
            ) : null}
          </div>
        </>
      )}
    </Room>
  );
}

function Setup() {
  return (
    <section className="card">
      <div className="card-body row-apart">
        <div className="row grow">
          <Rocket size={22} aria-hidden />
          <div className="grow">
            <h2>Finish setting up</h2>
            <p className="quiet">No S3 client can sign in yet: make a bucket and a key, or restore a backup.</p>
          </div>
        </div>
        <Link to="/welcome" className={buttonClass("primary")}>
          Set up
        </Link>
      </div>
    </section>
  );
}

const SEVERITIES: Record<Severity, { pill: string; text: string }> = {
  critical: { pill: "pill pill-bad", text: "Critical" },
  warning: { pill: "pill pill-warn", text: "Warning" },
  info: { pill: "pill pill-accent", text: "Notice" },
};

function State({ list, asOf, now }: { list: readonly Concern[]; asOf: number; now: number }) {
  const has = (severity: Severity) => list.some((concern) => concern.severity === severity);
  const [tone, Icon] = has("critical")
    ? (["bad", CircleAlert] as const)
    : has("warning")
      ? (["warn", TriangleAlert] as const)
      : (["good", CircleCheck] as const);
  const urgent = list.filter((concern) => concern.severity !== "info").length;
  const age = Math.max(0, Math.round((now - asOf) / 1000));
  return (
    <section className={`card state state-${tone}`} aria-labelledby="state">
      <div className="card-body row-apart">
        <div className="state-line">
          <Icon size={22} aria-hidden />
          <h2 id="state" role="status">
            {urgent === 0
              ? "Everything is in order"
              : urgent === 1
                ? "One thing needs attention"
                : `${urgent} things need attention`}
          </h2>
        </div>
        <span className="quiet small">Checked {age < 30 ? "just now" : `${span(age)} ago`}</span>
      </div>
      {list.map((concern) => (
        <div key={concern.id} className="concern">
          <span className={SEVERITIES[concern.severity].pill}>{SEVERITIES[concern.severity].text}</span>
          <div className="grow wrap-anywhere">
            <div className="label">{marked(sentence(concern.title))}</div>
            {concern.detail ? <div className="quiet">{marked(sentence(concern.detail))}</div> : null}
          </div>
          {concern.action ? (
            <Link to={concern.action.to} className={buttonClass("normal", true)}>
              {concern.action.text}
            </Link>
          ) : null}
        </div>
      ))}
    </section>
  );
}

function Tile({ label, value, children }: { label: string; value: ReactNode; children?: ReactNode }) {
  return (
    <div className="card tile">
      <span className="quiet small">{label}</span>
      <span className="tile-value">{value}</span>
      {children}
    </div>
  );
}

function BackendRow({ backend }: { backend: Backend }) {
  return (
    <div className="list-row">
      <strong className="grow wrap-anywhere">{backend.name}</strong>
      <span className="quiet small">
        {backend.last_success ? (
          <>
            last I/O <Ago at={backend.last_success} />
          </>
        ) : (
          "not used yet"
        )}
      </span>
      <span className={backend.up ? "pill pill-good" : "pill pill-bad"}>{backend.up ? "Up" : "Down"}</span>
    </div>
  );
}

const OUTCOMES: Record<string, string> = { denied: "pill pill-warn", failed: "pill pill-bad", started: "pill" };

function Activity({ rows, names }: { rows: readonly AuditRow[] | undefined; names: ReadonlyMap<string, string> }) {
  if (!rows) return <Waiting what="activity" />;
  const shown = rows.filter((row) => row.outcome !== "started").slice(0, 8);
  if (shown.length === 0) return <p className="card-body quiet">Nothing has happened yet.</p>;
  return shown.map((row) => (
    <div key={row.seq} className="list-row">
      <span className="grow wrap-anywhere">
        <strong>{actor(row)}</strong> {phrase(row, names)}{" "}
        {OUTCOMES[row.outcome] ? <span className={OUTCOMES[row.outcome]}>{row.outcome}</span> : null}
      </span>
      <span className="quiet small">
        <Ago at={row.at} />
      </span>
    </div>
  ));
}
