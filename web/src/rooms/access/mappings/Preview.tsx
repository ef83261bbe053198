// What signing in would give somebody, without a sign-in: for an address, or for a document of claims.

import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import type { MappingPreview } from "../../../api/types";
import { Button, Segments } from "../../../ui/Button";
import { Field, SelectField, TextField } from "../../../ui/Field";
import { marked, sentence } from "../../../ui/marked";
import { Notice, ProblemNotice } from "../../../ui/Notice";
import { count } from "../../../ui/words";
import { Says, type Known } from "./Says";

type Way = "email" | "claims";

const EXAMPLE = `{
  "email": "anna@example.com",
  "email_verified": true,
  "groups": ["storage-admins"]
}`;

export function Preview(known: Known) {
  const [way, setWay] = useState<Way>("email");
  const [email, setEmail] = useState("");
  const [claims, setClaims] = useState(EXAMPLE);
  const [provider, setProvider] = useState("");
  const parsed = way === "claims" ? parse(claims) : { value: {} };
  const ask = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/ext-auth/mappings/preview", {
          body: {
            ...(way === "email" ? { email: email.trim() } : { claims: "value" in parsed ? parsed.value : {} }),
            ...(provider ? { provider } : {}),
          },
        }),
      ),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!ask.isPending && !("error" in parsed)) ask.mutate();
  };
  return (
    <form className="card" onSubmit={submit} aria-labelledby="preview">
      <div className="card-head">
        <h2 id="preview">Preview</h2>
        <Segments
          label="Preview for"
          value={way}
          options={[
            { value: "email", text: "E-mail" },
            { value: "claims", text: "Claims" },
          ]}
          onChange={(next) => {
            ask.reset();
            setWay(next);
          }}
        />
      </div>
      <div className="card-body stack">
        <p className="quiet">Which groups somebody would get, by the rules as they are saved. Nobody is signed in.</p>
        <div className="fields">
          {way === "email" ? (
            <TextField
              label="E-mail address"
              required
              type="email"
              placeholder="anna@example.com"
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          ) : (
            <Field label="Claims" error={"error" in parsed ? parsed.error : undefined}>
              {(tied) => (
                <textarea
                  className="input input-short mono"
                  spellCheck={false}
                  value={claims}
                  onChange={(event) => setClaims(event.target.value)}
                  {...tied}
                />
              )}
            </Field>
          )}
          <SelectField
            label="Signing in with"
            value={provider}
            onChange={setProvider}
            hint="With one named, its own conditions are looked at too."
            options={[
              { value: "", text: "Any provider" },
              ...known.providers.map((each) => ({ value: each.id, text: each.display_name ?? each.name })),
            ]}
          />
        </div>
        <div>
          <Button type="submit" busy={ask.isPending} disabled={"error" in parsed}>
            Preview
          </Button>
        </div>
        {ask.error ? <ProblemNotice error={ask.error} title="No preview" /> : null}
        {ask.data ? <Outcome of={ask.data} known={known} /> : null}
      </div>
    </form>
  );
}

function parse(text: string): { value: Record<string, unknown> } | { error: string } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { value: value as Record<string, unknown> }
      : { error: "This is no JSON object." };
  } catch (error) {
    return { error: error instanceof Error ? error.message : "This is not JSON." };
  }
}

function Outcome({ of, known }: { of: MappingPreview; known: Known }) {
  if (of.refused) {
    return (
      <Notice tone="bad" title="Could not sign in" live>
        <p>{marked(sentence(of.refused.detail))}</p>
        <p className="quiet small">
          <code>{of.refused.code}</code>
        </p>
      </Notice>
    );
  }
  if (of.group_ids.length === 0) {
    return (
      <Notice tone="warn" title="No group" live>
        <p>No rule fits. Signing in works, and allows nothing.</p>
      </Notice>
    );
  }
  return (
    <Notice tone="good" title={count(of.group_ids.length, "group")} live>
      <p>
        {of.group_ids.map((id, at) => (
          <span key={id}>
            {at > 0 ? ", " : ""}
            <Link to="/access/groups/$groupId" params={{ groupId: id }}>
              {of.group_names[at] ?? id}
            </Link>
          </span>
        ))}
        , by {count(of.rules.length, "rule")}:
      </p>
      <ul className="bullets">
        {of.rules.map((rule) => (
          <li key={rule.id}>
            <Says rule={rule} known={known} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}
