// The places of the console, in the order of the navigation. One that has no room yet is not shown.

import type { LinkProps } from "@tanstack/react-router";
import { House, KeyRound, Settings, type LucideIcon } from "lucide-react";

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
  rooms: readonly RoomLink[];
}

export const PLACES: readonly Place[] = [
  { text: "Home", icon: House, to: "/", rooms: [] },
  { text: "Files", rooms: [] },
  { text: "Buckets", rooms: [] },
  { text: "Backends", rooms: [] },
  { text: "Access", icon: KeyRound, rooms: [{ text: "Users", to: "/access/users", right: "iam:read" }] },
  { text: "Jobs", rooms: [] },
  { text: "Activity", rooms: [] },
  {
    text: "Settings",
    icon: Settings,
    rooms: [
      { text: "Backup", to: "/settings/system/backup", right: "backup:read" },
      { text: "Password", to: "/settings/system/password", right: "admin" },
    ],
  },
];
