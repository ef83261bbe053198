// What the operator should know: a fact, a warning, an error with its way out.

import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import { Button } from "./Button";
import { marked, sentence, stopped } from "./marked";

export type Tone = "info" | "good" | "warn" | "bad";

const ICONS = { info: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleAlert } as const;

export function Notice({
  tone,
  title,
  children,
  live,
}: {
  tone: Tone;
  title?: ReactNode;
  children?: ReactNode;
  live?: boolean;
}) {
  const Icon = ICONS[tone];
  return (
    <div className={`notice notice-${tone}`} role={live ? (tone === "bad" ? "alert" : "status") : undefined}>
      <Icon size={18} aria-hidden />
      <div className="notice-body">
        {title ? <div className="notice-title">{title}</div> : null}
        {children}
      </div>
    </div>
  );
}

/** An error as the server explained it; its hint is always shown. */
export function ProblemNotice({
  error,
  title,
  hint,
  onRetry,
}: {
  error: unknown;
  title?: string;
  hint?: string | undefined;
  onRetry?: () => void;
}) {
  const problem = Problem.from(error);
  const advice = problem.hint ?? hint;
  return (
    <Notice tone="bad" title={title ?? sentence(problem.title)} live>
      <div>{marked(sentence(problem.detail))}</div>
      {advice ? (
        <div>
          <strong>What to do:</strong> {marked(stopped(advice))}
        </div>
      ) : null}
      <div className="quiet small">
        <code>{problem.code}</code>
        {problem.requestId ? (
          <>
            {" · request "}
            <code>{problem.requestId}</code>
          </>
        ) : null}
      </div>
      {onRetry ? (
        <div>
          <Button small onClick={onRetry}>
            Try again
          </Button>
        </div>
      ) : null}
    </Notice>
  );
}
