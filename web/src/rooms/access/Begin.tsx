// With which rules a new user or group begins: a template, and where it holds.

import { useState } from "react";
import type { Rule } from "../../api/types";
import { Choices, TextField } from "../../ui/Field";
import { rulesFrom, template, TEMPLATES, type TemplateId } from "./rules";

export interface Begun {
  kind: TemplateId;
  place: string;
}

/** The choice, its rules, and the bucket that they are for where there is one. */
export function useBegin(kind: TemplateId): {
  begun: Begun;
  begin: (begun: Begun) => void;
  rules: () => Rule[];
  bucket: string | undefined;
} {
  const [begun, begin] = useState<Begun>({ kind, place: "" });
  const of = template(begun.kind);
  const place = begun.place.trim();
  return {
    begun,
    begin,
    rules: () => rulesFrom(of, begun.place),
    bucket: of.placed && place ? place.split("/")[0] : undefined,
  };
}

export function Begin({
  legend,
  hint,
  begun,
  onChange,
}: {
  legend: string;
  hint: string;
  begun: Begun;
  onChange: (begun: Begun) => void;
}) {
  return (
    <>
      <Choices
        legend={legend}
        name="template"
        value={begun.kind}
        options={TEMPLATES.map((each) => ({ value: each.id, title: each.title, text: each.text }))}
        onChange={(kind) => onChange({ ...begun, kind })}
      />
      {template(begun.kind).placed ? (
        <TextField
          label="Where"
          required
          placeholder="ci-builds or ci-builds/v1"
          value={begun.place}
          onChange={(event) => onChange({ ...begun, place: event.target.value })}
          hint={hint}
        />
      ) : null}
    </>
  );
}
