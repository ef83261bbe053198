// What a restore adds, changes and removes, by name.

import { ChevronRight } from "lucide-react";
import type { Changes, Counted } from "../../api/types";
import { changed, LISTS } from "./words";

const WORDS = {
  created: { plan: "bring back", done: "brought back" },
  updated: { plan: "change", done: "changed" },
  deleted: { plan: "remove", done: "removed" },
} as const;

type Tense = "plan" | "done";

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
              {changes.config.length} {tense === "plan" ? "to change" : "changed"}
            </span>
          </summary>
          <ul className="diff-items stack-small">
            {changes.config.map((change) => (
              <li key={change.path}>
                <code>{change.path}</code>{" "}
                {restart.includes(change.path) ? <span className="pill pill-warn">with the next start</span> : null}
                <div className="from-to small">
                  {change.from === null ? (
                    <span className="quiet">not set</span>
                  ) : (
                    <del className="mono wrap-anywhere">{change.from}</del>
                  )}
                  <span aria-hidden="true">→</span>
                  <span className="sr">becomes</span>
                  {change.to === null ? (
                    <span className="quiet">not set</span>
                  ) : (
                    <ins className="mono wrap-anywhere">{change.to}</ins>
                  )}
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
        <div className="diff-same">Neither the archive nor this server has anything in it yet.</div>
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
            {of.deleted} {tense === "plan" ? "to remove" : "removed"}
          </span>
        ) : null}
        {of.created ? (
          <span className="pill pill-good">
            {of.created} {tense === "plan" ? "to bring back" : "brought back"}
          </span>
        ) : null}
        {of.updated ? (
          <span className="pill pill-warn">
            {of.updated} {tense === "plan" ? "to change" : "changed"}
          </span>
        ) : null}
        <span className="quiet small">{of.unchanged} unchanged</span>
      </summary>
      <ul className="diff-items">
        {shown.map((item) => (
          <li key={`${item.change} ${item.id}`} className={`diff-item diff-item-${item.change}`}>
            <span>{WORDS[item.change][tense]}</span>
            <span>{item.name || item.id}</span>
          </li>
        ))}
        {sorted.length > MOST ? <li className="quiet">and {sorted.length - MOST} more</li> : null}
      </ul>
    </details>
  );
}

/** More names than this are not read by anybody. */
const MOST = 200;

const ORDER = { deleted: 0, created: 1, updated: 2 } as const;
