// Access → Policies: the shipped roles, and what each of them allows.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, Minus } from "lucide-react";
import { policies as policiesQuery } from "../../../api/queries";
import type { Policy } from "../../../api/types";
import { useMe } from "../../../session/useMe";
import { buttonClass } from "../../../ui/Button";
import { Waiting } from "../../../ui/Empty";
import { ProblemNotice } from "../../../ui/Notice";
import { Room } from "../../../ui/Room";
import { ABOUT, allows, AREAS } from "./roles";

export function PoliciesRoom() {
  const policies = useQuery(policiesQuery);
  return (
    <Room
      title="Policies"
      crumbs={[{ text: "Access" }]}
      about="Roles that come with the server. API tokens are made from them; users and groups have rules of their own, made from the same rights."
    >
      {policies.error ? <ProblemNotice error={policies.error} onRetry={() => void policies.refetch()} /> : null}
      {policies.data ? (
        <>
          <div className="columns columns-tiny">
            {policies.data.map((policy) => (
              <Role key={policy.name} policy={policy} />
            ))}
          </div>
          <Matrix policies={policies.data} />
        </>
      ) : policies.error ? null : (
        <div className="card">
          <Waiting what="policies" />
        </div>
      )}
    </Room>
  );
}

function Role({ policy }: { policy: Policy }) {
  const may = useMe().may("iam:write");
  return (
    <section className="card" aria-label={policy.name}>
      <div className="card-body stack-small">
        <h2>{policy.name}</h2>
        <p>{ABOUT[policy.name] ?? "A role of a newer server."}</p>
        <p className="wrap-anywhere quiet small">
          {policy.permissions.map((rule) => `${rule.effect}: ${rule.actions.join(", ")}`).join(" · ")}
        </p>
        {may ? (
          <div>
            <Link
              to="/access/tokens"
              search={{ dialog: "new", role: policy.name }}
              className={buttonClass("normal", true)}
              aria-label={`New token with the role ${policy.name}`}
            >
              New token…
            </Link>
          </div>
        ) : null}
      </div>
    </section>
  );
}

/** Every right there is, by role. */
function Matrix({ policies }: { policies: readonly Policy[] }) {
  return (
    <section className="card" aria-labelledby="matrix">
      <div className="card-head">
        <h2 id="matrix">What each allows</h2>
      </div>
      <table className="matrix">
        <thead>
          <tr>
            <th scope="col">Right</th>
            {policies.map((policy) => (
              <th key={policy.name} scope="col">
                {policy.name}
              </th>
            ))}
          </tr>
        </thead>
        {AREAS.map((area) => (
          <tbody key={area.title}>
            <tr>
              <th scope="rowgroup" colSpan={policies.length + 1} className="matrix-area">
                {area.title}
              </th>
            </tr>
            {area.rights.map((right) => (
              <tr key={right.action}>
                <th scope="row">
                  {right.text} <code className="quiet small wrap-anywhere">{right.verb ?? right.action}</code>
                </th>
                {policies.map((policy) => (
                  <td key={policy.name}>
                    {allows(policy.permissions, right.action, right.verb) ? (
                      <>
                        <Check size={17} aria-hidden className="yes" />
                        <span className="sr">yes</span>
                      </>
                    ) : (
                      <>
                        <Minus size={15} aria-hidden className="no" />
                        <span className="sr">no</span>
                      </>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </section>
  );
}
