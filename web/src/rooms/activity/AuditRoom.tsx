// Activity → Audit: who did what, from where, with which outcome; found by text, person, kind and request.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download, SearchX } from "lucide-react";
import { useDeferredValue, useMemo } from "react";
import { auditPages, groups as groupsQuery, tokens as tokensQuery, users as usersQuery } from "../../api/queries";
import type { AuditSearch } from "../../router";
import { useMe } from "../../session/useMe";
import { Button, buttonClass } from "../../ui/Button";
import { CopyButton } from "../../ui/Copy";
import { Empty, Waiting } from "../../ui/Empty";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { count } from "../../ui/words";
import { RowDialog, Rows } from "./AuditRows";
import { Filters } from "./Filters";
import { asFilter, matching, searches } from "./find";
import { Proof } from "./Proof";

export function AuditRoom() {
  const search = useSearch({ from: "/activity/audit" });
  const navigate = useNavigate({ from: "/activity/audit" });
  const filter = asFilter(search);
  const log = useInfiniteQuery({ ...auditPages(filter), placeholderData: (before) => before });
  const names = useNames();
  const wanted = useDeferredValue(search);
  const rows = useMemo(() => log.data?.pages.flatMap((page) => page.rows), [log.data]);
  const shown = useMemo(() => matching(rows ?? [], wanted), [rows, wanted]);
  const actors = useMemo(() => [...new Set(rows?.map((row) => row.actor))].sort(), [rows]);
  const set = (part: AuditSearch) =>
    void navigate({
      search: (old) => clean({ ...old, ...part }),
      // A letter more is no step that one goes back.
      replace: "q" in part,
    });
  const filtered = searches(search) || Object.keys(filter).length > 0;
  return (
    <Room
      title="Audit"
      crumbs={[{ text: "Activity" }]}
      about="Every sign-in, change, export and restore, and every refusal. Rows are only ever added, and each vouches for the one before it."
      actions={
        <a
          className={buttonClass()}
          href={`/_/api/admin/audit/export?${new URLSearchParams({ ...filter }).toString()}`}
          download
        >
          <Download size={16} aria-hidden /> Download
        </a>
      }
    >
      <Proof />
      {log.error ? <ProblemNotice error={log.error} onRetry={() => void log.refetch()} /> : null}
      {rows ? (
        <div className="card" aria-busy={log.isPlaceholderData}>
          <div className="card-head">
            <Filters search={search} actors={actors} onChange={set} />
          </div>
          {search.request ? (
            <div className="card-note row">
              <span>
                What request <code className="wrap-anywhere">{search.request}</code> did. The server’s log has its lines
                under the same id.
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
                  <p className="quiet">
                    {log.hasNextPage
                      ? `None of the latest ${rows.length} rows is like that; older ones were not looked at yet.`
                      : "No row is like that."}
                  </p>
                  <Button onClick={() => void navigate({ search: {} })}>Show everything</Button>
                </>
              ) : null}
            </Empty>
          ) : (
            <Rows rows={shown} names={names} onOpen={(row) => set({ row: row.seq })} />
          )}
          <div className="card-foot row-apart">
            <span className="quiet small" role="status">
              {searches(search) ? `${shown.length} of ${count(rows.length, "row")}` : count(rows.length, "row")}
              {log.hasNextPage ? " so far" : ", back to the first"}
            </span>
            {log.hasNextPage ? (
              <Button small busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
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
        row={rows?.find((row) => row.seq === search.row)}
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
