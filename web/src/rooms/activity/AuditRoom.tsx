// Activity → Audit: who did what, from where, with which outcome; found by text, person, kind and request.

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Search, SearchX } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { audit, groups as groupsQuery, tokens as tokensQuery, users as usersQuery } from "../../api/queries";
import type { AuditRow } from "../../api/types";
import type { AuditSearch } from "../../router";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/Copy";
import { Empty, Waiting } from "../../ui/Empty";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { count } from "../../ui/words";
import { Rows, RowDialog } from "./AuditRows";
import { kinds, matching } from "./find";

/** Rows of the first view, of every further step, and the most that the server gives. */
const PAGE = 500;
const MOST = 10_000;

export function AuditRoom() {
  const search = useSearch({ from: "/activity/audit" });
  const navigate = useNavigate({ from: "/activity/audit" });
  const [limit, setLimit] = useState(PAGE);
  const log = useQuery({ ...audit(limit), placeholderData: (before) => before });
  const names = useNames();
  const wanted = useDeferredValue(search);
  const rows = log.data;
  const shown = useMemo(() => matching(rows ?? [], wanted), [rows, wanted]);
  const set = (part: AuditSearch) =>
    void navigate({
      search: (old) => clean({ ...old, ...part }),
      // A letter more is no step that one goes back.
      replace: "q" in part,
    });
  const open = rows?.find((row) => row.seq === search.row);
  const filtered = Object.entries(search).some(([key, value]) => key !== "row" && value);
  const more = rows !== undefined && rows.length >= limit && limit < MOST;
  return (
    <Room
      title="Audit"
      crumbs={[{ text: "Activity" }]}
      about="Every sign-in, change, export and restore, and every refusal. Rows are only ever added."
    >
      {log.error ? <ProblemNotice error={log.error} onRetry={() => void log.refetch()} /> : null}
      {rows ? (
        <div className="card">
          <div className="card-head">
            <Filters search={search} rows={rows} onChange={set} />
          </div>
          {search.request ? (
            <div className="card-note row">
              <span>
                What request <code className="wrap-anywhere">{search.request}</code> did, in full. The server’s log has
                its lines under the same id.
              </span>
              <CopyButton text={search.request} label="Copy the request id" />
              <Button small onClick={() => set({ request: undefined })}>
                Show all requests
              </Button>
            </div>
          ) : null}
          {shown.length === 0 ? (
            <Empty icon={SearchX} title={filtered ? "Nothing fits" : "Nothing has happened yet"}>
              {filtered ? (
                <>
                  <p className="quiet">None of the {count(rows.length, "row")} looked through is like that.</p>
                  <Button onClick={() => void navigate({ search: {} })}>Show everything</Button>
                </>
              ) : null}
            </Empty>
          ) : (
            <Rows rows={shown} names={names} onOpen={(row) => set({ row: row.seq })} />
          )}
          <div className="card-foot row-apart">
            <span className="quiet small" role="status">
              {filtered ? `${shown.length} of the latest ${rows.length}` : count(rows.length, "row")}
              {rows.length >= MOST ? ", which is as far as this page goes" : more ? "" : ", from the very first on"}
            </span>
            {more ? (
              <Button small busy={log.isFetching} onClick={() => setLimit(Math.min(MOST, limit * 4))}>
                Look further back
              </Button>
            ) : null}
          </div>
        </div>
      ) : log.error ? null : (
        <div className="card">
          <Waiting what="the audit log" />
        </div>
      )}
      <RowDialog
        row={open}
        names={names}
        onClose={() => set({ row: undefined })}
        onRequest={(id) => void navigate({ search: { request: id } })}
      />
    </Room>
  );
}

/** Names of those whose ids stand in rows. */
function useNames(): ReadonlyMap<string, string> {
  const may = useMe().may("iam:read");
  const users = useQuery({ ...usersQuery, enabled: may });
  const groups = useQuery({ ...groupsQuery, enabled: may });
  const tokens = useQuery({ ...tokensQuery, enabled: may });
  return useMemo(
    () =>
      new Map(
        [...(users.data ?? []), ...(groups.data ?? []), ...(tokens.data ?? [])].map(({ id, name }) => [id, name]),
      ),
    [users.data, groups.data, tokens.data],
  );
}

function clean(search: AuditSearch): AuditSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value));
}

const OUTCOMES = ["success", "denied", "failed", "started"] as const;

function Filters(props: { search: AuditSearch; rows: readonly AuditRow[]; onChange: (part: AuditSearch) => void }) {
  const { search, rows, onChange } = props;
  const actors = [...new Set(rows.map((row) => row.actor))].sort();
  return (
    <div className="filters" role="search" aria-label="The audit log">
      <div className="search">
        <Search size={15} aria-hidden />
        <input
          className="input"
          type="search"
          aria-label="Find rows"
          placeholder="Name, target, address or id"
          value={search.q ?? ""}
          onChange={(event) => onChange({ q: event.target.value || undefined })}
        />
      </div>
      <Select
        label="Who"
        value={search.actor}
        of={actors}
        word={nameOf}
        onChange={(value) => onChange({ actor: value })}
      />
      <Select
        label="What"
        value={search.action}
        of={kinds(rows)}
        word={(kind) => kind}
        onChange={(value) => onChange({ action: value })}
      />
      <Select
        label="Outcome"
        value={search.outcome}
        of={OUTCOMES}
        word={(outcome) => outcome}
        onChange={(value) => onChange({ outcome: value })}
      />
    </div>
  );
}

function Select(props: {
  label: string;
  value: string | undefined;
  of: readonly string[];
  word: (value: string) => string;
  onChange: (value: string | undefined) => void;
}) {
  // An address may name what none of these rows has.
  const options = props.value && !props.of.includes(props.value) ? [...props.of, props.value] : props.of;
  return (
    <select
      className="input select"
      aria-label={props.label}
      value={props.value ?? ""}
      onChange={(event) => props.onChange(event.target.value || undefined)}
    >
      <option value="">{props.label}: all</option>
      {options.map((option) => (
        <option key={option} value={option}>
          {props.word(option)}
        </option>
      ))}
    </select>
  );
}

function nameOf(who: string): string {
  return who === "$bootstrap" ? "Bootstrap admin" : who === "$anonymous" ? "Nobody signed in" : who;
}
