// Values and snippets that are made to be copied.

import { Tabs } from "@base-ui/react/tabs";
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./Button";

/** Copies; where the page may not use the clipboard (plain HTTP), through a selection. */
async function toClipboard(text: string): Promise<boolean> {
  // Absent outside secure contexts, whatever the types say.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) {
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Denied: the old way is left.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "sr";
  // Inside an open dialog the focus must stay within it.
  const host = document.activeElement?.closest("[role=dialog], [role=alertdialog]") ?? document.body;
  host.append(area);
  const before = document.activeElement;
  area.select();
  // There is no other way without a secure context.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const copied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

export function CopyButton({
  text,
  label,
  words,
  onCopied,
}: {
  text: string;
  label: string;
  words?: string;
  onCopied?: (() => void) | undefined;
}) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    if (await toClipboard(text)) {
      setCopied(true);
      onCopied?.();
    }
  };
  const Icon = copied ? Check : Copy;
  return (
    <Button
      look={words ? "normal" : "plain"}
      small
      icon={!words}
      aria-label={copied ? "Copied" : label}
      onClick={() => void copy()}
    >
      <Icon size={15} aria-hidden />
      {words ? (copied ? "Copied" : words) : null}
    </Button>
  );
}

export function Value({ text, label, onCopied }: { text: string; label: string; onCopied?: () => void }) {
  return (
    <div className="value">
      <code>{text}</code>
      <CopyButton text={text} label={`Copy ${label}`} onCopied={onCopied} />
    </div>
  );
}

export function Snippet({
  text,
  label,
  onCopied,
}: {
  text: string;
  label: string;
  onCopied?: (() => void) | undefined;
}) {
  return (
    <div className="snippet">
      {/* Long lines scroll, also by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} aria-label={label} role="region">
        {text}
      </pre>
      <CopyButton text={text} label={`Copy ${label}`} words="Copy" onCopied={onCopied} />
    </div>
  );
}

/** The same for several tools. */
export function Snippets({ of, onCopied }: { of: readonly { name: string; text: string }[]; onCopied?: () => void }) {
  return (
    <Tabs.Root defaultValue={of[0]?.name} className="stack-small">
      <Tabs.List className="tabs tabs-small" aria-label="For which tool">
        {of.map(({ name }) => (
          <Tabs.Tab key={name} value={name} className="tab">
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {of.map(({ name, text }) => (
        <Tabs.Panel key={name} value={name}>
          <Snippet text={text} label={name} onCopied={onCopied} />
        </Tabs.Panel>
      ))}
    </Tabs.Root>
  );
}
