// The server's messages, as people read them: names marked as such, times in words, a capital and a full stop.

import type { ReactNode } from "react";
import { Exact } from "./Time";

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Names stand between backticks, and times are written for machines. */
export function marked(text: string): ReactNode {
  return text.split(/(`[^`]*`|\d{4}-\d\d-\d\dT[\d:.]+Z)/).map((part, index) => {
    // Parts have no name but their place.
    if (INSTANT.test(part)) return <Exact key={index} at={part} />;
    return part.startsWith("`") ? <code key={index}>{part.slice(1, -1)}</code> : part;
  });
}

/** Messages are written as logs are: lower case, no period. */
export function sentence(text: string): string {
  return stopped(text.charAt(0).toUpperCase() + text.slice(1));
}

export function stopped(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
