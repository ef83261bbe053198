// Access → Explain: may somebody do something, and which rule says so. The answer is the evaluator's own.

import { skipToken, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import { users as usersQuery } from "../../../api/queries";
import type { Question } from "../../../api/types";
import type { Asked } from "../../../router";
import { Button } from "../../../ui/Button";
import { Waiting } from "../../../ui/Empty";
import { CheckField, TextField } from "../../../ui/Field";
import { ProblemNotice } from "../../../ui/Notice";
import { Room } from "../../../ui/Room";
import { ACTIONS, isListing, isRight } from "./actions";
import { Answer } from "./Answer";

export function ExplainRoom() {
  const asked = useSearch({ from: "/access/explain" });
  const navigate = useNavigate({ from: "/access/explain" });
  const question = asQuestion(asked);
  const answer = useQuery({
    queryKey: ["explain", question],
    queryFn: question
      ? ({ signal }) => data(client.POST("/_/api/admin/explain", { body: question, signal }))
      : skipToken,
    retry: false,
  });
  return (
    <Room
      title="Explain"
      crumbs={[{ text: "Access" }]}
      about="Asks the very evaluator that judges requests: who, doing what, where. Nothing is carried out."
    >
      <Form
        // Whoever follows a link, or goes back, finds that question in the form.
        key={JSON.stringify(asked)}
        asked={asked}
        busy={answer.isFetching}
        onAsk={(next) => {
          // The same question again: rules may have changed meanwhile.
          if (JSON.stringify(next) === JSON.stringify(asked)) void answer.refetch();
          else void navigate({ search: next });
        }}
      />
      {answer.error ? (
        <ProblemNotice error={answer.error} title="There is no answer to that" />
      ) : answer.data && question ? (
        <Answer of={answer.data} question={question} />
      ) : question ? (
        <div className="card">
          <Waiting what="the answer" />
        </div>
      ) : null}
    </Room>
  );
}

function asQuestion(asked: Asked): Question | null {
  if (!asked.principal || !asked.action) return null;
  return {
    principal: asked.principal,
    action: asked.action,
    ...(asked.resource ? { resource: asked.resource } : {}),
    ...(asked.prefix ? { prefix: asked.prefix } : {}),
    ...(asked.ip ? { source_ip: asked.ip } : {}),
    ...(asked.tls ? { secure: asked.tls === "true" } : {}),
  };
}

/** Names offered while one types; all of them would be too many to look through. */
const OFFERED = 200;

function Form({ asked, busy, onAsk }: { asked: Asked; busy: boolean; onAsk: (asked: Asked) => void }) {
  const [principal, setPrincipal] = useState(asked.principal ?? "");
  const [action, setAction] = useState(asked.action ?? "s3:GetObject");
  const [resource, setResource] = useState(asked.resource ?? "");
  const [prefix, setPrefix] = useState(asked.prefix ?? "");
  const [ip, setIp] = useState(asked.ip ?? "");
  const [tls, setTls] = useState(asked.tls === "true");
  const users = useQuery(usersQuery);
  const wanted = principal.toLowerCase();
  const names = (users.data ?? []).map((user) => user.name).filter((name) => name.toLowerCase().includes(wanted));
  const right = isRight(action);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const given = {
      principal: principal.trim(),
      action: action.trim(),
      resource: right ? "" : resource.trim(),
      prefix: isListing(action) ? prefix : "",
      ip: ip.trim(),
      tls: tls ? "true" : "",
    };
    onAsk(Object.fromEntries(Object.entries(given).filter(([, value]) => value)));
  };
  return (
    <form className="card" onSubmit={submit}>
      <div className="card-body stack">
        <div className="fields">
          <TextField
            label="Who"
            required
            list="explain-principals"
            placeholder="ci-uploader"
            value={principal}
            onChange={(event) => setPrincipal(event.target.value)}
            hint="A user, an API token or an access key; also $anonymous, $config and $bootstrap."
          />
          <datalist id="explain-principals">
            {[...names.slice(0, OFFERED), "$anonymous", "$config", "$bootstrap"].map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <TextField
            label="Does what"
            required
            list="explain-actions"
            placeholder="s3:GetObject"
            value={action}
            onChange={(event) => setAction(event.target.value)}
            hint="One action of S3, or a right of the admin API such as backup:export."
          />
          <datalist id="explain-actions">
            {ACTIONS.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          {right ? null : (
            <TextField
              label="Where"
              placeholder="bucket/key"
              value={resource}
              onChange={(event) => setResource(event.target.value)}
              hint="A bucket, or a bucket and a key. Empty for what is about neither."
            />
          )}
          {isListing(action) ? (
            <TextField
              label="Prefix of the listing"
              placeholder="v1/"
              value={prefix}
              onChange={(event) => setPrefix(event.target.value)}
            />
          ) : null}
          <TextField
            label="From address"
            placeholder="your own"
            value={ip}
            onChange={(event) => setIp(event.target.value)}
            hint="For rules with aws:SourceIp."
          />
        </div>
        <CheckField
          label="Over TLS"
          hint="For rules with aws:SecureTransport."
          checked={tls}
          onChange={(event) => setTls(event.target.checked)}
        />
        <div>
          <Button type="submit" look="primary" busy={busy}>
            Explain
          </Button>
        </div>
      </div>
    </form>
  );
}
