// The rows of the audit log as a table, and one of them in full.

import { Link } from "@tanstack/react-router";
import type { AuditRow } from "../../api/types";
import { Button } from "../../ui/Button";
import { LongBody, type RowProps } from "../../ui/LongBody";
import { Overlay } from "../../ui/Overlay";
import { Ago, Exact } from "../../ui/Time";
import { actor, phrase } from "./words";

const PILLS: Record<string, string> = {
  success: "pill pill-good",
  denied: "pill pill-warn",
  failed: "pill pill-bad",
};

interface RowsProps {
  rows: readonly AuditRow[];
  names: ReadonlyMap<string, string>;
  onOpen: (row: AuditRow) => void;
}

export function Rows({ rows, names, onOpen }: RowsProps) {
  return (
    <table className="table table-rows" aria-rowcount={rows.length + 1}>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Outcome</th>
          <th scope="col">From</th>
          <th scope="col">Request</th>
          <th scope="col">When</th>
        </tr>
      </thead>
      <LongBody
        items={rows}
        columns={5}
        row={(row, props) => <Row key={row.seq} row={row} names={names} props={props} onOpen={onOpen} />}
      />
    </table>
  );
}

function Row({ row, names, props, onOpen }: Omit<RowsProps, "rows"> & { row: AuditRow; props: RowProps }) {
  return (
    <tr {...props}>
      <td>
        <button type="button" className="row-link row-button" onClick={() => onOpen(row)}>
          <strong>{actor(row)}</strong> {phrase(row, names)}
        </button>
      </td>
      <td data-label="Outcome">
        <span className={PILLS[row.outcome] ?? "pill"}>{row.outcome}</span>
      </td>
      <td data-label="From" className="quiet">
        <span className="mono wrap-anywhere">{row.ip}</span>
      </td>
      <td data-label="Request">
        {row.request_id ? (
          <Link
            to="/activity/audit"
            search={{ request: row.request_id }}
            className="mono small over-row"
            aria-label={`All rows of request ${row.request_id}`}
          >
            {row.request_id}
          </Link>
        ) : (
          <span className="quiet">none</span>
        )}
      </td>
      <td data-label="When" className="quiet">
        <span>
          <Ago at={row.at} />
        </span>
      </td>
    </tr>
  );
}

export function RowDialog(props: {
  row: AuditRow | undefined;
  names: ReadonlyMap<string, string>;
  onClose: () => void;
  onRequest: (id: string) => void;
}) {
  const { row, names, onClose, onRequest } = props;
  return (
    <Overlay open={row !== undefined} onClose={onClose} title={row ? `Row ${row.seq}` : ""}>
      {row ? (
        <>
          <div className="dialog-body stack">
            <p>
              <strong>{actor(row)}</strong> {phrase(row, names)}{" "}
              <span className={PILLS[row.outcome] ?? "pill"}>{row.outcome}</span>
            </p>
            <dl className="facts">
              <dt>When</dt>
              <dd>
                <Exact at={row.at} /> (<Ago at={row.at} />)
              </dd>
              <dt>Who</dt>
              <dd>
                <code>{row.actor}</code>
              </dd>
              <dt>Action</dt>
              <dd>
                <code>{row.action}</code>
              </dd>
              {row.target ? (
                <>
                  <dt>Target</dt>
                  <dd>
                    {names.has(row.target) ? `${names.get(row.target) ?? ""} ` : ""}
                    <code>{row.target}</code>
                  </dd>
                </>
              ) : null}
              <dt>From</dt>
              <dd>
                <code>{row.ip || "the server itself"}</code>
              </dd>
              <dt>Request</dt>
              <dd>
                <code>{row.request_id || "none"}</code>
              </dd>
            </dl>
            {row.detail != null ? (
              <div className="stack-small">
                <h3>Detail</h3>
                <div className="snippet">
                  {/* Long lines scroll, also by keyboard. */}
                  {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
                  <pre tabIndex={0} role="region" aria-label="Detail">
                    {JSON.stringify(row.detail, null, 2)}
                  </pre>
                </div>
              </div>
            ) : null}
          </div>
          <div className="dialog-foot">
            {row.request_id ? (
              <Button onClick={() => onRequest(row.request_id)}>All rows of this request</Button>
            ) : null}
            <Button look="primary" onClick={onClose}>
              Close
            </Button>
          </div>
        </>
      ) : null}
    </Overlay>
  );
}
