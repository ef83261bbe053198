// What an operator should look at, from what the server says of itself.

import type { LinkProps } from "@tanstack/react-router";
import type { Health, Readiness } from "../../api/types";
import { sentence } from "../../ui/marked";
import { span } from "../../ui/Time";

export interface Concern {
  id: string;
  tone: "warn" | "bad";
  title: string;
  detail?: string;
  action?: { text: string; to: NonNullable<LinkProps["to"]> };
}

/** Older than this, a backup is no comfort any more. */
const STALE_BACKUP = 7 * 86_400;

export function concerns(of: {
  health: Health | undefined;
  ready: Readiness | undefined;
  lastBackup: { at: string } | null | undefined;
  users: number | undefined;
  now: number;
}): Concern[] {
  const found: Concern[] = [];
  const { health, ready } = of;
  if (ready && !ready.ready) {
    found.push({
      id: "not-ready",
      tone: "bad",
      title: "The server is not ready",
      detail: `The part “${ready.owner ?? "?"}” does not answer.`,
    });
  }
  for (const backend of ready?.backends ?? []) {
    if (!backend.up) {
      found.push({
        id: `backend-${backend.name}`,
        tone: "bad",
        title: `Backend ${backend.name} is down`,
        detail: sentence(backend.reason ?? "its last reads and writes failed"),
      });
    }
  }
  if (health?.quarantined) {
    found.push({
      id: "quarantined",
      tone: "warn",
      title: "This server is a clone",
      detail: `It was restored from instance ${health.quarantined_from ?? "?"}. What acts on other systems is paused.`,
    });
  }
  if (health?.unpushed) {
    found.push({
      id: "unpushed",
      tone: "warn",
      title: "A restore has not reached the other instances",
      detail: "It is pushed as soon as they can be reached.",
    });
  }
  for (const notice of health?.notices ?? []) {
    found.push({ id: notice, tone: "warn", title: sentence(notice) });
  }
  const action = { text: "Back up now", to: "/settings/system/backup" } as const;
  if (of.lastBackup === null && (of.users ?? 0) > 0) {
    found.push({
      id: "no-backup",
      tone: "warn",
      title: "There is no backup yet",
      detail: "If this host were lost, its users, keys and configuration would be too.",
      action,
    });
  } else if (of.lastBackup) {
    const age = (of.now - Date.parse(of.lastBackup.at)) / 1000;
    if (age > STALE_BACKUP) {
      found.push({
        id: "stale-backup",
        tone: "warn",
        title: `The last backup is ${span(age)} old`,
        detail: "Changes since then are only here.",
        action,
      });
    }
  }
  return found.sort((a, b) => Number(b.tone === "bad") - Number(a.tone === "bad"));
}
