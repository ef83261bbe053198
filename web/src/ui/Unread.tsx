// The room of one thing while there is nothing of it to show: it is being read, cannot be read, or is gone.

import { Link, type LinkProps } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import { Problem } from "../api/problem";
import { buttonClass } from "./Button";
import { Empty, Waiting } from "./Empty";
import { ProblemNotice } from "./Notice";
import { Room, type Crumb } from "./Room";

interface Props {
  /** In lower case, as in `the user`. */
  what: string;
  icon: LucideIcon;
  crumbs: readonly Crumb[];
  /** Where all of them are. */
  all: { text: string; to: NonNullable<LinkProps["to"]> };
  error: unknown;
  onRetry: () => void;
}

export function Unread({ what, icon, crumbs, all, error, onRetry }: Props) {
  const gone = error instanceof Problem && error.status === 404;
  return (
    <Room title={gone ? `No such ${what}` : `${what.charAt(0).toUpperCase()}${what.slice(1)}`} crumbs={crumbs}>
      {gone ? (
        <div className="card">
          <Empty icon={icon} title={`This ${what} is not there any more`}>
            <p className="quiet">Somebody deleted it, or a restore brought back a time without it.</p>
            <Link to={all.to} className={buttonClass("primary")}>
              {all.text}
            </Link>
          </Empty>
        </div>
      ) : error ? (
        <ProblemNotice error={error} onRetry={onRetry} />
      ) : (
        <Waiting what={`the ${what}`} />
      )}
    </Room>
  );
}
