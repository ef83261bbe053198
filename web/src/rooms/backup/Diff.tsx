// What a restore adds, changes and removes, by name.

import { ChevronRight } from "lucide-react";
import type { Changes, Counted, Rule } from "../../api/types";
import { describe } from "../access/rules";
import { changed, LISTS } from "./words";

/** What happens to entries, for one of them and for several: in a plan, in an outcome, in what an undo throws away. */
const WORDS = {
  plan: { created: "bring back", updated: "change", deleted: "remove" },
  done: { created: "brought back", updated: "changed", deleted: "removed" },
  lost: { created: "made", updated: "changed", deleted: "deleted" },
} as const;

type Tense = keyof typeof WORDS;

function several(tense: Tense, change: "created" | "updated" | "deleted"): string {
  return tense === "plan" ? `to ${WORDS.plan[change]}` : WORDS[tense][change];
}

export function Diff({ changes, tense, restart }: { changes: Changes; tense: Tense; restart: readonly string[] }) {
  const untouched = LISTS.filter(({ name }) => changed(changes[name]) === 0 && changes[name].unchanged > 0);
  const touched = LISTS.filter(({ name }) => changed(changes[name]) > 0);
  return (
    <div className="diff">
      {touched.map(({ name, title }) => (
        <List key={name} title={title} of={changes[name]} tense={tense} />
      ))}
      {changes.config.length > 0 ? (
        <details className="diff-group" open>
          <summary>
            <ChevronRight size={16} aria-hidden />
            <span className="diff-name">Configuration</span>
            <span className="pill pill-warn">
              {changes.config.length} {several(tense, "updated")}
            </span>
          </summary>
          <ul className="diff-items stack-small">
            {changes.config.map((change) => (
              <li key={change.path}>
                <code>{change.path}</code>{" "}
                {restart.includes(change.path) ? <span className="pill pill-warn">with the next start</span> : null}
                <div className="from-to small">
                  <FromTo from={change.from} to={change.to} />
                </div>
              </li>
            ))}
          </ul>
        </details>
      ) : null}
      {untouched.map(({ name, title }) => (
        <div key={name} className="diff-same">
          <span className="diff-name">{title}</span>
          <span>{changes[name].unchanged} unchanged</span>
        </div>
      ))}
      {touched.length + untouched.length + changes.config.length === 0 ? (
        <div className="diff-same">There is nothing to compare yet.</div>
      ) : null}
    </div>
  );
}

function List({ title, of, tense }: { title: string; of: Counted; tense: Tense }) {
  const sorted = [...of.items].sort((a, b) => ORDER[a.change] - ORDER[b.change] || a.name.localeCompare(b.name));
  const shown = sorted.slice(0, MOST);
  return (
    <details className="diff-group" open>
      <summary>
        <ChevronRight size={16} aria-hidden />
        <span className="diff-name">{title}</span>
        {of.deleted ? (
          <span className="pill pill-bad">
            {of.deleted} {several(tense, "deleted")}
          </span>
        ) : null}
        {of.created ? (
          <span className="pill pill-good">
            {of.created} {several(tense, "created")}
          </span>
        ) : null}
        {of.updated ? (
          <span className="pill pill-warn">
            {of.updated} {several(tense, "updated")}
          </span>
        ) : null}
        <span className="quiet small">{of.unchanged} unchanged</span>
      </summary>
      <ul className="diff-items">
        {shown.map((item) => (
          <li key={`${item.change} ${item.id}`} className={`diff-item diff-item-${item.change}`}>
            <span>{WORDS[tense][item.change]}</span>
            <div>
              {item.name || item.id}
              {item.fields?.map((field) => (
                <div key={field.field} className="from-to small">
                  <code>{field.field}</code>
                  <FromTo from={readable(field.field, field.from)} to={readable(field.field, field.to)} />
                </div>
              ))}
            </div>
          </li>
        ))}
        {sorted.length > MOST ? <li className="quiet">and {sorted.length - MOST} more</li> : null}
      </ul>
    </details>
  );
}

function FromTo({ from, to }: { from: string | null; to: string | null }) {
  return (
    <>
      {from === null ? <span className="quiet">not set</span> : <del className="mono wrap-anywhere">{from}</del>}
      <span aria-hidden="true">→</span>
      <span className="sr">becomes</span>
      {to === null ? <span className="quiet">not set</span> : <ins className="mono wrap-anywhere">{to}</ins>}
    </>
  );
}

/** Longer values are compared elsewhere. */
const LONGEST = 400;

/** A value of any shape as text; `null` where it is not set. */
function readable(field: string, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (field === "permissions" && Array.isArray(value)) {
    return value.length === 0 ? "no rules" : (value as Rule[]).map(describe).join(" ");
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** More names than this are not read by anybody. */
const MOST = 200;

const ORDER = { deleted: 0, created: 1, updated: 2 } as const;
