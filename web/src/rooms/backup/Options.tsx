// What of an archive is restored, and how.

import { useState } from "react";
import { Button } from "../../ui/Button";
import { CheckField, Choices, Field } from "../../ui/Field";
import { count } from "../../ui/words";
import type { Wishes } from "./send";

export const PLAIN: Wishes = {
  mode: "full",
  strategy: "replace",
  revive: [],
  hostSettings: false,
  prune: false,
  missingKeys: false,
  set: [],
  password: "",
  opening: null,
};

export const MODES = {
  full: "Everything",
  "preserve-bootstrap": "Everything but the password",
  "iam-only": "Access only",
  "config-only": "Configuration only",
} as const;

function describeWishes(wishes: Wishes): string {
  const parts = [MODES[wishes.mode], wishes.strategy === "replace" ? "back to that time" : "adding what is missing"];
  if (wishes.revive.includes("all")) parts.push("revoked entries revived");
  else if (wishes.revive.length > 0)
    parts.push(`${count(wishes.revive.length, "revoked entry", "revoked entries")} revived`);
  if (wishes.set.length > 0) parts.push(count(wishes.set.length, "other value"));
  if (wishes.missingKeys) parts.push("without missing keys");
  if (wishes.hostSettings) parts.push("host settings too");
  if (wishes.prune) parts.push("unknown buckets forgotten");
  return parts.join(", ");
}

interface Props {
  wishes: Wishes;
  onChange: (wishes: Wishes) => void;
  /** A locked server has nothing that could stay: it takes everything, or nothing. */
  locked: boolean;
}

export function Options({ wishes, onChange, locked }: Props) {
  return (
    <details className="card fold">
      <summary>
        <span className="label">Options</span>
        <span className="quiet">{describeWishes(wishes)}</span>
      </summary>
      <div className="card-body stack">
        {locked ? null : (
          <>
            <Choices
              legend="What to restore"
              name="mode"
              value={wishes.mode}
              options={[
                { value: "full", title: "Everything", text: "With the bootstrap password of the archive" },
                {
                  value: "preserve-bootstrap",
                  title: "Everything but the password",
                  text: "The bootstrap password of now stays",
                },
                { value: "iam-only", title: "Access only", text: "Users, groups, keys, tokens" },
                { value: "config-only", title: "Configuration only", text: "Settings, backends, buckets" },
              ]}
              onChange={(mode) => onChange({ ...wishes, mode })}
            />
            <Choices
              legend="How"
              name="strategy"
              value={wishes.strategy}
              options={[
                { value: "replace", title: "Back to that time", text: "What was made since then goes" },
                { value: "merge", title: "Add what is missing", text: "Nothing that is here changes" },
              ]}
              onChange={(strategy) => onChange({ ...wishes, strategy })}
            />
          </>
        )}
        <CheckField
          label="Revive what was revoked since then"
          hint="Users and keys that were disabled or deleted after the capture otherwise come back disabled."
          checked={wishes.revive.includes("all")}
          onChange={(event) => onChange({ ...wishes, revive: event.target.checked ? ["all"] : [] })}
        />
        <CheckField
          label="Take over the host settings of the archive"
          hint="Listen address, TLS files and log targets; otherwise this host’s own stay."
          checked={wishes.hostSettings}
          onChange={(event) => onChange({ ...wishes, hostSettings: event.target.checked })}
        />
        <CheckField
          label="Forget buckets that the archive does not know, also those that hold objects"
          hint="Their objects stay on the disk, but cannot be reached until the bucket is registered again."
          checked={wishes.prune}
          onChange={(event) => onChange({ ...wishes, prune: event.target.checked })}
        />
        <Overrides values={wishes.set} onChange={(set) => onChange({ ...wishes, set })} />
      </div>
    </details>
  );
}

/** Values over the archive's, one a line; the plan is made anew when asked for, not with every letter. */
function Overrides({ values, onChange }: { values: readonly string[]; onChange: (values: string[]) => void }) {
  const [text, setText] = useState(values.join("\n"));
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const wrong = lines.find((line) => !/^[a-z0-9_.-]+=/i.test(line));
  return (
    <div className="stack-small">
      <Field
        label="Other values than the archive’s"
        hint={
          <>
            One a line, as <code>storage.filesystem=/srv/data</code>: for a host with other paths or addresses.
          </>
        }
        error={wrong ? `This is no path and value: ${wrong}` : undefined}
      >
        {(tied) => (
          <textarea
            className="input input-short mono"
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
            {...tied}
          />
        )}
      </Field>
      <div>
        <Button
          small
          disabled={wrong !== undefined || lines.join("\n") === values.join("\n")}
          onClick={() => onChange(lines)}
        >
          Plan with these values
        </Button>
      </div>
    </div>
  );
}
