// A label, its control, its hint and what is wrong with it, tied together for those who cannot see that they are.

import { Eye, EyeOff } from "lucide-react";
import { useId, useState, type ComponentProps, type ReactNode } from "react";
import { Button } from "./Button";

interface Around {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
}

interface Tied {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

export function Field({ label, hint, error, children }: Around & { children: (tied: Tied) => ReactNode }) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {hint ? (
        <div className="hint" id={`${id}-hint`}>
          {hint}
        </div>
      ) : null}
      {error ? (
        <div className="field-error" id={`${id}-error`} role="alert">
          {error}
        </div>
      ) : null}
    </div>
  );
}

type TextProps = Around & Omit<ComponentProps<"input">, "className">;

export function TextField({ label, hint, error, ...input }: TextProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(tied) => <input className="input" type="text" autoComplete="off" spellCheck={false} {...input} {...tied} />}
    </Field>
  );
}

/** One of a list that may be long. */
export function SelectField<T extends string>({
  label,
  hint,
  value,
  options,
  onChange,
}: Around & { value: T; options: readonly { value: T; text: string }[]; onChange: (value: T) => void }) {
  return (
    <Field label={label} hint={hint}>
      {(tied) => (
        <select className="input" value={value} onChange={(event) => onChange(event.target.value as T)} {...tied}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A secret that is typed or pasted, and can be looked at. */
export function PasswordField({ label, hint, error, ...input }: TextProps) {
  const [shown, setShown] = useState(false);
  return (
    <Field label={label} hint={hint} error={error}>
      {(tied) => (
        <div className="reveal">
          <input
            className="input"
            autoCapitalize="off"
            spellCheck={false}
            {...input}
            {...tied}
            type={shown ? "text" : "password"}
          />
          <Button look="plain" small icon aria-label={shown ? "Hide" : "Show"} onClick={() => setShown(!shown)}>
            {shown ? <EyeOff size={16} aria-hidden /> : <Eye size={16} aria-hidden />}
          </Button>
        </div>
      )}
    </Field>
  );
}

export function CheckField({ label, hint, ...input }: Around & Omit<ComponentProps<"input">, "className" | "type">) {
  const id = useId();
  return (
    <div className="check">
      <input type="checkbox" id={id} aria-describedby={hint ? `${id}-hint` : undefined} {...input} />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint ? (
          <div className="hint" id={`${id}-hint`}>
            {hint}
          </div>
        ) : null}
      </div>
    </div>
  );
}

/** One of several, each with a word of explanation. */
export function Choices<T extends string>(props: {
  legend: string;
  name: string;
  value: T;
  options: readonly { value: T; title: string; text?: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <fieldset className="stack-small">
      <legend className="label">{props.legend}</legend>
      <div className="choices">
        {props.options.map((option) => (
          <label key={option.value} className="choice">
            <input
              type="radio"
              name={props.name}
              checked={option.value === props.value}
              onChange={() => props.onChange(option.value)}
            />
            <span className="choice-text">
              <span className="label">{option.title}</span>
              {option.text ? <span className="hint">{option.text}</span> : null}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
