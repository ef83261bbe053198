// Dialogs: a form or a question over the room. Whoever opens one keeps that in the URL, so that Back closes it.

import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { useState, type ReactNode, type SyntheticEvent } from "react";
import { Button, buttonClass } from "./Button";
import { TextField } from "./Field";

interface OverlayProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  size?: "narrow" | "normal" | "wide";
  /** A click beside it and Escape do not close it: something would be lost. */
  firm?: boolean;
  children: ReactNode;
}

export function Overlay({ open, onClose, title, size = "normal", firm = false, children }: OverlayProps) {
  return (
    <Dialog.Root
      open={open}
      disablePointerDismissal={firm}
      onOpenChange={(next, details) => {
        if (next) return;
        if (firm && details.reason === "escape-key") return;
        onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="veil" />
        <Dialog.Viewport className="dialog-place">
          <Dialog.Popup className={size === "normal" ? "dialog" : `dialog dialog-${size}`} initialFocus={firstField}>
            <div className="dialog-head">
              <Dialog.Title>{title}</Dialog.Title>
              {firm ? null : (
                <Dialog.Close className={buttonClass("plain", true, "button-icon")} aria-label="Close">
                  <X size={18} aria-hidden />
                </Dialog.Close>
              )}
            </div>
            {children}
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** A form begins in its first field, not at the cross that closes it. */
function firstField(): HTMLElement | true {
  const popups = document.querySelectorAll<HTMLElement>("[role=dialog]");
  return popups[popups.length - 1]?.querySelector<HTMLElement>("input:not([hidden]), textarea, select") ?? true;
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  /** What the button does, as a verb and its object. */
  action: string;
  destroys?: boolean;
  busy?: boolean;
  /** What has to be typed first: what will happen, in numbers. */
  typed?: string;
  onConfirm: () => void;
  children: ReactNode;
}

/** A question before something that cannot be taken back: says what it will do. */
export function Confirm({ open, onClose, title, children, ...rest }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="veil" />
        <AlertDialog.Viewport className="dialog-place">
          <AlertDialog.Popup className="dialog dialog-narrow">
            <div className="dialog-head">
              <AlertDialog.Title>{title}</AlertDialog.Title>
            </div>
            <Question {...rest}>{children}</Question>
          </AlertDialog.Popup>
        </AlertDialog.Viewport>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

/** What is typed lives as long as the dialog is open. */
function Question(props: Omit<ConfirmProps, "open" | "onClose" | "title">) {
  const { action, destroys = true, busy = false, typed, onConfirm, children } = props;
  const [text, setText] = useState("");
  const ready = typed === undefined || plain(text) === plain(typed);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (ready && !busy) onConfirm();
  };
  return (
    <form onSubmit={submit}>
      <div className="dialog-body stack-small">
        {children}
        {typed === undefined ? null : (
          <TextField
            label={
              <>
                Type <code className="typed">{typed}</code> to confirm
              </>
            }
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </div>
      <div className="dialog-foot">
        <AlertDialog.Close className={buttonClass()}>Cancel</AlertDialog.Close>
        <Button type="submit" look={destroys ? "destroy" : "primary"} busy={busy} disabled={!ready}>
          {action}
        </Button>
      </div>
    </form>
  );
}

/** Spaces and capitals are no question of consent. */
function plain(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}
