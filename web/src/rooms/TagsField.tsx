// The field for tags, of a bucket or an object.

import { Field } from "../ui/Field";

interface Props {
  label: string;
  text: string;
  /** The line that is no tag. */
  wrong?: string | undefined;
  readOnly?: boolean;
  onChange: (text: string) => void;
}

export function TagsField({ label, text, wrong, readOnly, onChange }: Props) {
  return (
    <Field
      label={label}
      hint="One a line: team=storage"
      error={wrong === undefined ? undefined : `This is no name and value: ${wrong}`}
    >
      {(tied) => (
        <textarea
          className="input input-short mono"
          spellCheck={false}
          readOnly={readOnly}
          value={text}
          onChange={(event) => onChange(event.target.value)}
          {...tied}
        />
      )}
    </Field>
  );
}
