// The form that makes a token, and the one time that its text is shown.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import type { Policy, Rule, Token } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { Snippets, Value } from "../../../ui/Copy";
import { Choices, TextField } from "../../../ui/Field";
import { ProblemNotice } from "../../../ui/Notice";
import { Overlay } from "../../../ui/Overlay";
import { ABOUT } from "../policies/roles";
import { RuleEditor } from "../RuleEditor";
import { AddRule, tidy } from "../RulesForm";
import { ShownOnce } from "../Secret";

interface Props {
  open: boolean;
  /** The role that is chosen at first. */
  role: string | undefined;
  policies: readonly Policy[];
  onClose: () => void;
  onDone: () => void;
}

export function CreateToken({ open, role, policies, onClose, onDone }: Props) {
  const [made, setMade] = useState<Token | null>(null);
  return (
    <Overlay
      open={open}
      onClose={onClose}
      title={made ? `The token ${made.name}` : "New API token"}
      firm={made !== null}
      size="wide"
    >
      {made ? (
        <Shown token={made} onDone={onDone} />
      ) : (
        <Form role={role} policies={policies} onClose={onClose} onMade={setMade} />
      )}
    </Overlay>
  );
}

const OWN = "own rules";

const LIVES = [
  { value: "24h", title: "1 day" },
  { value: "30d", title: "30 days" },
  { value: "90d", title: "90 days" },
  { value: "365d", title: "1 year" },
  { value: "never", title: "No end", text: "Until it is revoked" },
] as const;

function Form(props: {
  role: string | undefined;
  policies: readonly Policy[];
  onClose: () => void;
  onMade: (token: Token) => void;
}) {
  const [name, setName] = useState("");
  const [role, setRole] = useState(props.role ?? "viewer");
  const [rules, setRules] = useState<Rule[]>([]);
  const [edition, setEdition] = useState(0);
  const [life, setLife] = useState<(typeof LIVES)[number]["value"]>("90d");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/tokens", {
          body: {
            name: name.trim(),
            ...(role === OWN ? { permissions: rules.map(tidy) } : { role }),
            ...(life === "never" ? {} : { expires_in: life }),
          },
        }),
      ),
    onSuccess: (token) => {
      void queries.invalidateQueries();
      props.onMade(token);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  };
  return (
    <form onSubmit={submit}>
      <div className="dialog-body stack">
        <TextField
          label="Name"
          required
          autoFocus
          maxLength={64}
          placeholder="nightly-backup"
          value={name}
          onChange={(event) => setName(event.target.value)}
          hint="What it is used by: the audit log names it."
        />
        <Choices
          legend="May do"
          name="role"
          value={role}
          options={[
            ...props.policies.map((policy) => ({
              value: policy.name,
              title: policy.name,
              text: ABOUT[policy.name] ?? "",
            })),
            { value: OWN, title: "Own rules", text: "Any rights, on any buckets" },
          ]}
          onChange={setRole}
        />
        {role === OWN ? (
          <>
            {rules.map((rule, index) => (
              // A rule that was just added has no id.
              <RuleEditor
                key={`${edition} ${index}`}
                rule={rule}
                number={index + 1}
                readOnly={false}
                open
                onChange={(next) => setRules(rules.map((old, at) => (at === index ? next : old)))}
                onRemove={() => {
                  setRules(rules.filter((_, at) => at !== index));
                  setEdition(edition + 1);
                }}
              />
            ))}
            <AddRule onAdd={(rule) => setRules([...rules, rule])} />
          </>
        ) : null}
        <Choices legend="Ends after" name="life" value={life} options={LIVES} onChange={setLife} />
        {make.error ? <ProblemNotice error={make.error} title="No token was made" /> : null}
      </div>
      <div className="dialog-foot">
        <Button onClick={props.onClose}>Cancel</Button>
        <Button type="submit" look="primary" busy={make.isPending}>
          Make the token
        </Button>
      </div>
    </form>
  );
}

function Shown({ token, onDone }: { token: Token; onDone: () => void }) {
  const text = token.token ?? "";
  const address = `${window.location.origin}/_/api/admin/status`;
  return (
    <ShownOnce
      what="token"
      lost="A lost token cannot be read again: revoke it and make another."
      left="It would have to be revoked and made anew before a script can use it."
      done="I have saved the token"
      onDone={onDone}
    >
      {(onCopied) => (
        <>
          <div className="field">
            <span className="label">Token</span>
            <Value text={text} label="token" onCopied={onCopied} />
          </div>
          <div className="stack-small">
            <h3>Use it</h3>
            <Snippets
              of={[
                { name: "curl", text: `curl -H "Authorization: Bearer ${text}" \\\n  ${address}` },
                {
                  name: "CLI",
                  text: `export DGP_SERVER=${window.location.origin}\nexport DGP_TOKEN=${text}\ndeltaglider_proxy user list`,
                },
                { name: ".env", text: `DGP_SERVER=${window.location.origin}\nDGP_TOKEN=${text}` },
              ]}
              onCopied={onCopied}
            />
          </div>
        </>
      )}
    </ShownOnce>
  );
}
