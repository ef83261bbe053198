// What a plan or a result wants read: warnings, restarts, overridden values, kept buckets.

import type { Restored } from "../../api/types";
import { Button } from "../../ui/Button";
import { marked, sentence } from "../../ui/marked";
import { Notice } from "../../ui/Notice";

interface Props {
  of: Restored;
  /** In a plan: makes it anew so that what was revoked comes back as it was. */
  onRevive?: () => void;
}

export function Findings({ of, onRevive }: Props) {
  const revoked = of.warnings.some((warning) => warning.includes("`revive="));
  return (
    <>
      {of.warnings.length > 0 ? (
        <Notice tone="warn" title={of.warnings.length === 1 ? "One warning" : `${of.warnings.length} warnings`}>
          <ul className="stack-small">
            {of.warnings.map((warning) => (
              <Warning key={warning} text={warning} />
            ))}
          </ul>
          {revoked && onRevive ? (
            <div>
              <Button small onClick={onRevive}>
                Bring them back as they were
              </Button>
            </div>
          ) : null}
        </Notice>
      ) : null}
      {of.quarantined_from ? (
        <Notice tone="warn" title="The archive is from another instance">
          <p>
            This server becomes a clone of <code>{of.quarantined_from}</code>: what acts on other systems stays paused
            until it goes live.
          </p>
        </Notice>
      ) : null}
      {of.requires_restart.length > 0 ? (
        <Notice tone="info" title="Takes effect with the next start">
          <p>
            <Codes of={of.requires_restart} />
          </p>
        </Notice>
      ) : null}
      {of.shadowed_by_environment.length > 0 ? (
        <Notice tone="info" title="Overridden by this host’s environment">
          <ul>
            {of.shadowed_by_environment.map(({ path, variable }) => (
              <li key={path}>
                <code>{path}</code> stays as <code>{variable}</code> says
              </li>
            ))}
          </ul>
        </Notice>
      ) : null}
      {of.buckets_kept.length > 0 ? (
        <Notice tone="info" title="Buckets that stay because they hold objects">
          <p>
            <Codes of={of.buckets_kept} />
          </p>
        </Notice>
      ) : null}
    </>
  );
}

/** `name_of_it: what it means`; the name is for scripts and is shown small. */
function Warning({ text }: { text: string }) {
  // How to ask for it by API is no news here: the button does.
  const told = text.replace(/ \(`revive=[^`]*` brings it back as it was\)/, "");
  const match = /^([a-z0-9_]+): (.+)$/s.exec(told);
  if (!match) return <li>{marked(sentence(told))}</li>;
  return (
    <li>
      {marked(sentence(match[2] ?? ""))} <code className="quiet small">{match[1]}</code>
    </li>
  );
}

function Codes({ of }: { of: readonly string[] }) {
  return of.map((each, index) => (
    <span key={each}>
      {index > 0 ? ", " : ""}
      <code>{each}</code>
    </span>
  ));
}
