// The evaluator's answer: the decision, the rule that decided, and every rule that was looked at.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { groups as groupsQuery, tokens as tokensQuery, users as usersQuery } from "../../../api/queries";
import type { ConsideredRule, Explanation, Question } from "../../../api/types";
import { marked, sentence, stopped } from "../../../ui/marked";
import { Notice } from "../../../ui/Notice";
import { count } from "../../../ui/words";
import { describe } from "../rules";

/** How far a rule got, the nearest first. */
const OUTCOMES: Record<string, { order: number; pill: string; text: string }> = {
  applies: { order: 0, pill: "pill pill-accent", text: "Applies" },
  conditions_fail: { order: 1, pill: "pill pill-warn", text: "Conditions do not hold" },
  other_resource: { order: 2, pill: "pill", text: "About other places" },
  other_action: { order: 3, pill: "pill", text: "About other actions" },
};

const UNKNOWN = { order: 4, pill: "pill", text: "" };

export function Answer({ of, question }: { of: Explanation; question: Question }) {
  const rules = [...of.considered].sort((a, b) => outcome(a).order - outcome(b).order);
  const texts = useTexts(of.considered);
  return (
    <>
      <Notice tone={of.allowed ? "good" : "bad"} title={of.allowed ? "Allowed" : "Refused"} live>
        <p>
          <strong className="wrap-anywhere">{question.principal}</strong> {of.allowed ? "may" : "may not"}{" "}
          <code className="wrap-anywhere">{question.action}</code>
          {question.resource ? (
            <>
              {" on "}
              <code className="wrap-anywhere">{question.resource}</code>
            </>
          ) : null}
          : {marked(stopped(of.reason))}
        </p>
        {of.hint ? (
          <p>
            <strong>What to do:</strong> {marked(stopped(of.hint))}
          </p>
        ) : null}
      </Notice>
      <section className="card" aria-labelledby="considered">
        <div className="card-head">
          <h2 id="considered">What was considered</h2>
          <span className="quiet small">{count(rules.length, "rule")}</span>
        </div>
        {rules.length === 0 ? (
          <p className="card-body quiet">
            {of.allowed
              ? "No rule had to be looked at."
              : "No rule of a user, a group or a token is about this principal. What no rule allows is refused."}
          </p>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col">Effect</th>
                <th scope="col">Of</th>
                <th scope="col">How far it got</th>
              </tr>
            </thead>
            <tbody>
              {rules.map((rule) => (
                <tr key={nameOf(rule)}>
                  <td>
                    <div>
                      <span className="wrap-anywhere">{texts.get(nameOf(rule))}</span>{" "}
                      <span className="quiet small nowrap">
                        rule <code>{rule.id}</code>
                      </span>{" "}
                      {decided(of, rule) ? <span className="pill pill-good">Decided</span> : null}
                    </div>
                  </td>
                  <td data-label="Effect">
                    <span>{rule.effect}</span>
                  </td>
                  <td data-label="Of">
                    <Owner rule={rule} />
                  </td>
                  <td data-label="Got">
                    <span className={outcome(rule).pill}>{outcome(rule).text || sentence(rule.outcome)}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}

function nameOf(rule: { owner_id: string; id: string }): string {
  return `${rule.owner_id} ${rule.id}`;
}

/** What the rules say, in words; the answer itself only names them. */
function useTexts(considered: readonly ConsideredRule[]): ReadonlyMap<string, string> {
  const users = useQuery(usersQuery);
  const groups = useQuery(groupsQuery);
  const tokens = useQuery(tokensQuery);
  return useMemo(() => {
    const owners = new Set(considered.map((rule) => rule.owner_id));
    const of = [...(users.data ?? []), ...(groups.data ?? []), ...(tokens.data ?? [])];
    return new Map(
      of
        .filter(({ id }) => owners.has(id))
        .flatMap(({ id, permissions }) =>
          permissions.map((rule) => [nameOf({ owner_id: id, id: rule.id ?? "" }), describe(rule)]),
        ),
    );
  }, [considered, users.data, groups.data, tokens.data]);
}

function outcome(rule: ConsideredRule): { order: number; pill: string; text: string } {
  return OUTCOMES[rule.outcome] ?? UNKNOWN;
}

function decided(of: Explanation, rule: ConsideredRule): boolean {
  return of.rule?.owner_id === rule.owner_id && of.rule.id === rule.id;
}

/** Whose rule it is, and the way to it. */
function Owner({ rule }: { rule: ConsideredRule }) {
  if (rule.owner_kind === "user") {
    return (
      <Link to="/access/users/$userId" params={{ userId: rule.owner_id }} className="wrap-anywhere">
        user {rule.owner}
      </Link>
    );
  }
  if (rule.owner_kind === "group") {
    return (
      <Link
        to="/access/groups/$groupId"
        params={{ groupId: rule.owner_id }}
        search={{ tab: "permissions" }}
        className="wrap-anywhere"
      >
        group {rule.owner}
      </Link>
    );
  }
  return (
    <Link to="/access/tokens" className="wrap-anywhere">
      {rule.owner_kind} {rule.owner}
    </Link>
  );
}
