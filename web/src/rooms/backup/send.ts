// The calls that verify, plan and carry out a restore: what was planned is what is done.

import { client, data } from "../../api/client";
import type { Restored, Verified } from "../../api/types";

export interface Wishes {
  mode: "full" | "preserve-bootstrap" | "iam-only" | "config-only";
  strategy: "replace" | "merge";
  /** Ids that were revoked since and come back as they were; `all` of them. */
  revive: readonly string[];
  hostSettings: boolean;
  prune: boolean;
  missingKeys: boolean;
  /** `path=value`, each over the archive's. */
  set: readonly string[];
  /** Verifies against this host's hash and the archive's, where they differ. */
  password: string;
  /** Opens an encrypted archive. */
  opening: Opening | null;
}

/** Where the archive is. */
export type Source = { kind: "file"; file: File } | { kind: "stored"; id: string };

export interface Opening {
  by: "passphrase" | "identity";
  secret: string;
}

/** The headers that open an encrypted archive. */
export function opens(opening: Opening | null) {
  if (!opening) return {};
  return opening.by === "passphrase"
    ? { "X-DGP-Backup-Passphrase": opening.secret }
    : { "X-DGP-Backup-Identity": opening.secret };
}

/** A file is sent as its bytes, whatever the generated type says. */
function asBody(file: File) {
  return {
    body: file as unknown as string,
    bodySerializer: (body: unknown) => body,
    headers: { "Content-Type": "application/zip" },
  };
}

/** Whether an uploaded archive is whole, and what it says of itself. */
export function verify(file: File, opening: Opening | null): Promise<Verified> {
  return data(client.POST("/_/api/admin/backup/verify", { params: { header: opens(opening) }, ...asBody(file) }));
}

export function send(source: Source, wishes: Wishes, dryRun: boolean, version: string): Promise<Restored> {
  const params = {
    query: {
      mode: wishes.mode,
      strategy: wishes.strategy,
      ...(dryRun ? { dry_run: true } : {}),
      ...(wishes.revive.length > 0 ? { revive: [...wishes.revive] } : {}),
      ...(wishes.set.length > 0 ? { set: [...wishes.set] } : {}),
      ...(wishes.hostSettings ? { host_settings: "archive" as const } : {}),
      ...(wishes.prune ? { prune_buckets: true } : {}),
      ...(wishes.missingKeys ? { allow_missing_keys: true } : {}),
    },
    header: {
      "If-Match": `"${version}"`,
      ...(wishes.password ? { "X-DGP-Bootstrap-Password": wishes.password } : {}),
      ...opens(wishes.opening),
    },
  };
  return source.kind === "file"
    ? data(client.POST("/_/api/admin/backup", { params, ...asBody(source.file) }))
    : data(client.POST("/_/api/admin/backups/{id}/restore", { params: { ...params, path: { id: source.id } } }));
}
