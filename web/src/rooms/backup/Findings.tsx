// What a plan or a result wants read: warnings, restarts, overridden values, kept buckets.

import type { Conversion, Restored } from "../../api/types";
import { Button } from "../../ui/Button";
import { marked, sentence } from "../../ui/marked";
import { Notice } from "../../ui/Notice";
import { count } from "../../ui/words";

interface Props {
  of: Restored;
  /** In a plan: makes it anew so that one that was revoked, or all of them, come back as they were. */
  onRevive?: (which: string) => void;
}

export function Findings({ of, onRevive }: Props) {
  const revoked = of.warnings.filter((warning) => revivable(warning) !== undefined).length;
  return (
    <>
      {of.warnings.length > 0 ? (
        <Notice tone="warn" title={of.warnings.length === 1 ? "One warning" : `${of.warnings.length} warnings`}>
          <ul className="stack-small">
            {of.warnings.map((warning) => (
              <Warning key={warning} text={warning} onRevive={revoked > 1 ? onRevive : undefined} />
            ))}
          </ul>
          {revoked > 0 && onRevive ? (
            <div>
              <Button small onClick={() => onRevive("all")}>
                {revoked === 1 ? "Bring it back as it was" : "Bring all of them back as they were"}
              </Button>
            </div>
          ) : null}
        </Notice>
      ) : null}
      {of.conversion ? <Converted of={of.conversion} /> : null}
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

const OLDER: Record<string, string> = {
  "version-1": "an archive of version 1",
  "legacy-json": "the older JSON form",
};

/** What an older archive lacks, and the call that fills each gap. */
function Converted({ of }: { of: Conversion }) {
  const title = `Converted from ${OLDER[of.from] ?? of.from}`;
  if (of.gaps.length === 0) return <Notice tone="info" title={`${title}: nothing is missing`} />;
  return (
    <Notice tone="warn" title={`${title}, with ${count(of.gaps.length, "gap")}`}>
      <ul className="stack-small">
        {of.gaps.map((gap) => (
          <li key={`${gap.code} ${gap.place}`} className="wrap-anywhere">
            <code>{gap.place}</code>: {marked(sentence(gap.what))} <code className="quiet small">{gap.code}</code>
            {gap.call ? (
              <div className="small">
                To fill it: <code>{gap.call}</code>
              </div>
            ) : null}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** The id by which a warning says that something can be brought back as it was. */
function revivable(warning: string): string | undefined {
  return /`revive=([^`]+)` brings it back/.exec(warning)?.[1];
}

/** `name_of_it: what it means`; the name is for scripts and is shown small. */
function Warning({ text, onRevive }: { text: string; onRevive: ((which: string) => void) | undefined }) {
  const id = revivable(text);
  // How to ask for it by API is no news here: the button does.
  const told = text.replace(/ \(`revive=[^`]*` brings it back as it was\)/, "");
  const match = /^([a-z0-9_]+): (.+)$/s.exec(told);
  const revive =
    id && onRevive ? (
      <Button small look="plain" onClick={() => onRevive(id)}>
        Bring this one back
      </Button>
    ) : null;
  if (!match)
    return (
      <li>
        {marked(sentence(told))} {revive}
      </li>
    );
  return (
    <li>
      {marked(sentence(match[2] ?? ""))} <code className="quiet small">{match[1]}</code> {revive}
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
