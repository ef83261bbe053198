// A new key pair, the only time that its secret is shown.

import { useBlocker } from "@tanstack/react-router";
import { useState } from "react";
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
  const [saved, setSaved] = useState(false);
  const blocked = useBlocker({
    shouldBlockFn: () => !saved,
    enableBeforeUnload: () => !saved,
    withResolver: true,
  });
  return (
    <>
      <div className="dialog-body stack">
        <Notice tone="warn" title="Save the secret now">
          <p>It is shown this once. A lost secret cannot be read again, only replaced by rotating the key.</p>
        </Notice>
        <div className="stack-small">
          <div className="field">
            <span className="label">Access key ID</span>
            <Value text={pair.accessKeyId} label="access key ID" onCopied={() => undefined} />
          </div>
          <div className="field">
            <span className="label">Secret access key</span>
            <Value text={pair.secret} label="secret access key" onCopied={() => setSaved(true)} />
          </div>
        </div>
        <div className="stack-small">
          <h3>Use it</h3>
          <Snippets of={snippets(pair)} onCopied={() => setSaved(true)} />
        </div>
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
        title="Leave without the secret?"
        action="Leave"
        onClose={() => blocked.reset?.()}
        onConfirm={() => blocked.proceed?.()}
      >
        <p>
          You have not copied it, and it is not shown again. The key would have to be rotated before anybody can use it.
        </p>
      </Confirm>
    </>
  );
}
