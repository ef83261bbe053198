// When the last backup was taken, from the audit log: every export is a row there.

import type { AuditRow } from "../../api/types";

/** How many rows are looked at. */
export const RECENT = 1000;

/** Null where there was none among the rows. */
export function lastExport(rows: readonly AuditRow[]): AuditRow | null {
  return rows.find((row) => row.action === "backup.export" && row.outcome === "success") ?? null;
}
