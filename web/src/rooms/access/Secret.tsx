// A new secret, the only time that it is shown.

import { useBlocker } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { Button } from "../../ui/Button";
import { Snippets, Value } from "../../ui/Copy";
import { Notice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { snippets, type Pair } from "./snippets";

export function SecretOnce({
  pair,
  onDone,
  done = "I have saved the secret",
}: {
  pair: Pair;
  onDone: () => void;
  done?: string;
}) {
  return (
    <ShownOnce
      what="secret"
      lost="A lost secret cannot be read again, only replaced by rotating the key."
      left="The key would have to be rotated before anybody can use it."
      done={done}
      onDone={onDone}
    >
      {(onCopied) => (
        <>
          <div className="stack-small">
            <div className="field">
              <span className="label">Access key ID</span>
              <Value text={pair.accessKeyId} label="access key ID" onCopied={() => undefined} />
            </div>
            <div className="field">
              <span className="label">Secret access key</span>
              <Value text={pair.secret} label="secret access key" onCopied={onCopied} />
            </div>
          </div>
          <div className="stack-small">
            <h3>Use it</h3>
            <Snippets of={snippets(pair)} onCopied={onCopied} />
          </div>
        </>
      )}
    </ShownOnce>
  );
}

interface Props {
  /** What it is called: the secret, the token. */
  what: string;
  /** What a lost one costs. */
  lost: string;
  /** What it costs to leave without having copied it. */
  left: string;
  done: string;
  onDone: () => void;
  children: (onCopied: () => void) => ReactNode;
}

/** The body of a dialog that nobody leaves by accident. */
export function ShownOnce({ what, lost, left, done, onDone, children }: Props) {
  const [saved, setSaved] = useState(false);
  const blocked = useBlocker({
    shouldBlockFn: () => !saved,
    enableBeforeUnload: () => !saved,
    withResolver: true,
  });
  return (
    <>
      <div className="dialog-body stack">
        <Notice tone="warn" title={`Save the ${what} now`}>
          <p>It is shown this once. {lost}</p>
        </Notice>
        {children(() => setSaved(true))}
      </div>
      <div className="dialog-foot">
        <Button
          look="primary"
          onClick={() => {
            setSaved(true);
            // The blocker looks at the state of the next render.
            setTimeout(onDone);
          }}
        >
          {done}
        </Button>
      </div>
      <Confirm
        open={blocked.status === "blocked"}
        title={`Leave without the ${what}?`}
        action="Leave"
        onClose={() => blocked.reset?.()}
        onConfirm={() => blocked.proceed?.()}
      >
        <p>You have not copied it, and it is not shown again. {left}</p>
      </Confirm>
    </>
  );
}
