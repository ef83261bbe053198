// Buttons, in the few looks that there are.

import type { ComponentProps, ReactNode } from "react";

type Look = "normal" | "primary" | "danger" | "destroy" | "plain";

export interface ButtonProps extends Omit<ComponentProps<"button">, "className"> {
  look?: Look;
  small?: boolean;
  wide?: boolean;
  /** Nothing but an icon; `aria-label` says what it does. */
  icon?: boolean;
  /** Works on it: shows that, and takes no second click. */
  busy?: boolean;
  className?: string;
}

export function buttonClass(look: Look = "normal", small = false, extra = ""): string {
  return ["button", look === "normal" ? "" : `button-${look}`, small ? "button-small" : "", extra]
    .filter(Boolean)
    .join(" ");
}

export function Button({
  look,
  small,
  wide,
  icon,
  busy,
  children,
  className,
  type = "button",
  onClick,
  ...rest
}: ButtonProps) {
  const extra = [wide ? "button-wide" : "", icon ? "button-icon" : "", className ?? ""].filter(Boolean).join(" ");
  return (
    <button
      {...rest}
      type={type}
      className={buttonClass(look, small, extra)}
      aria-busy={busy ?? undefined}
      // Not `disabled`: the focus stays on the button, and a screen reader with it.
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy ? <span className="spinner" aria-hidden="true" /> : null}
      {children}
    </button>
  );
}

/** One of two or three, as a row of buttons. */
export function Segments<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; text: ReactNode; bad?: boolean }[];
  onChange: (value: T) => void;
}) {
  return (
    <div className="segments" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          className={option.bad ? "segment segment-bad" : "segment"}
          aria-pressed={option.value === props.value}
          onClick={() => props.onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}
