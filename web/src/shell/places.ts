// The places of the console, in the order of the navigation. One that has no room yet is not shown.

import type { LinkProps } from "@tanstack/react-router";
import { Database, FolderOpen, History, House, KeyRound, Package, Settings, type LucideIcon } from "lucide-react";

export interface RoomLink {
  text: string;
  to: NonNullable<LinkProps["to"]>;
  /** Who lacks it would only be refused. */
  right?: string;
}

export interface Place {
  text: string;
  icon?: LucideIcon;
  to?: NonNullable<LinkProps["to"]>;
  /** As of a room, where the place is one itself. */
  right?: string;
  rooms: readonly RoomLink[];
}

export const PLACES: readonly Place[] = [
  { text: "Home", icon: House, to: "/", rooms: [] },
  { text: "Files", icon: FolderOpen, to: "/files", rooms: [] },
  { text: "Buckets", icon: Package, to: "/buckets", right: "config:read", rooms: [] },
  { text: "Backends", icon: Database, to: "/backends", right: "config:read", rooms: [] },
  {
    text: "Access",
    icon: KeyRound,
    rooms: [
      { text: "Users", to: "/access/users", right: "iam:read" },
      { text: "Groups", to: "/access/groups", right: "iam:read" },
      { text: "Policies", to: "/access/policies", right: "iam:read" },
      { text: "API tokens", to: "/access/tokens", right: "iam:read" },
      { text: "Sessions", to: "/access/sessions", right: "iam:read" },
      { text: "Sign-in providers", to: "/access/providers", right: "iam:read" },
      { text: "Mapping rules", to: "/access/mappings", right: "iam:read" },
      { text: "External identities", to: "/access/identities", right: "iam:read" },
      { text: "Explain", to: "/access/explain", right: "iam:read" },
    ],
  },
  { text: "Jobs", rooms: [] },
  { text: "Activity", icon: History, rooms: [{ text: "Audit", to: "/activity/audit", right: "audit:read" }] },
  {
    text: "Settings",
    icon: Settings,
    rooms: [
      { text: "Backup", to: "/settings/system/backup", right: "backup:read" },
      { text: "Password", to: "/settings/system/password", right: "admin" },
    ],
  },
];
