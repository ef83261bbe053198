// The one call that plans and carries out a restore: what was planned is what is done.

import { client, data } from "../../api/client";
import type { Restored } from "../../api/types";

export interface Wishes {
  mode: "full" | "preserve-bootstrap" | "iam-only" | "config-only";
  strategy: "replace" | "merge";
  revive: boolean;
  hostSettings: boolean;
  prune: boolean;
  /** Verifies against this host's hash and the archive's, where they differ. */
  password: string;
}

export async function send(file: File, wishes: Wishes, dryRun: boolean, version: string): Promise<Restored> {
  return data(
    client.POST("/_/api/admin/backup", {
      params: {
        query: {
          mode: wishes.mode,
          strategy: wishes.strategy,
          ...(dryRun ? { dry_run: true } : {}),
          ...(wishes.revive ? { revive: ["all"] } : {}),
          ...(wishes.hostSettings ? { host_settings: "archive" as const } : {}),
          ...(wishes.prune ? { prune_buckets: true } : {}),
        },
        header: {
          "If-Match": `"${version}"`,
          ...(wishes.password ? { "X-DGP-Bootstrap-Password": wishes.password } : {}),
        },
      },
      // The generated type says text; a file is sent as its bytes.
      body: file as unknown as string,
      bodySerializer: (body) => body,
      headers: { "Content-Type": "application/zip" },
    }),
  );
}
