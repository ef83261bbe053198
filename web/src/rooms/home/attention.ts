// What an operator should look at: the server's own list, and the room where each can be dealt with.

import type { LinkProps } from "@tanstack/react-router";
import type { AttentionItem, Health, Readiness } from "../../api/types";

export type Severity = AttentionItem["severity"];

export interface Concern {
  id: string;
  severity: Severity;
  title: string;
  detail?: string;
  action?: { text: string; to: NonNullable<LinkProps["to"]> };
}

const BACK_UP = { text: "Back up now", to: "/settings/system/backup" } as const;
const UNLOCK = { text: "Open or restore", to: "/settings/system/backup" } as const;
const PASSWORD = { text: "Change the password", to: "/settings/system/password" } as const;

/** Where to deal with it, for what the console can deal with. */
const ACTIONS: Record<string, Concern["action"]> = {
  no_backup: BACK_UP,
  stale_backup: BACK_UP,
  locked: UNLOCK,
  password_logged: PASSWORD,
  foreign_hash: PASSWORD,
  keys_end_soon: { text: "See the users", to: "/access/users" },
};

export function concerns(items: readonly AttentionItem[]): Concern[] {
  return items.map(({ code, severity, title, hint }) => {
    const action = ACTIONS[code];
    return {
      id: `${code} ${title}`,
      severity,
      title,
      ...(hint ? { detail: hint } : {}),
      ...(action ? { action } : {}),
    };
  });
}

/** For whoever may not read the list, and while the server is locked: what the public probes say. */
export function fromProbes(health: Health, ready: Readiness): Concern[] {
  const found: Concern[] = [];
  if (health.locked) {
    found.push({
      id: "locked",
      severity: "critical",
      title: "the configuration database is locked",
      detail: health.locked_reason ?? "no hash opens it",
      action: UNLOCK,
    });
  } else if (!ready.ready) {
    found.push({ id: "not-ready", severity: "critical", title: `the part \`${ready.owner ?? "?"}\` does not answer` });
  }
  for (const backend of ready.backends) {
    if (backend.up) continue;
    found.push({
      id: `backend ${backend.name}`,
      severity: "critical",
      title: `the backend \`${backend.name}\` is down`,
      ...(backend.reason ? { detail: backend.reason } : {}),
    });
  }
  return found;
}
