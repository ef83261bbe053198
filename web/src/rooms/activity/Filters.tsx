// What is looked for in the audit log, as one line of fields.

import { Search } from "lucide-react";
import type { AuditSearch } from "../../router";
import { KINDS, OUTCOMES } from "./find";

interface Props {
  search: AuditSearch;
  /** Who is in the rows that were read so far. */
  actors: readonly string[];
  onChange: (part: AuditSearch) => void;
}

export function Filters({ search, actors, onChange }: Props) {
  return (
    <div className="filters" role="search" aria-label="The audit log">
      <div className="search">
        <Search size={15} aria-hidden />
        <input
          className="input"
          type="search"
          aria-label="Find rows"
          placeholder="Name, target, address or id"
          value={search.q ?? ""}
          onChange={(event) => onChange({ q: event.target.value || undefined })}
        />
      </div>
      <Select
        label="Who"
        value={search.actor}
        of={actors.map((actor) => ({ value: actor, text: nameOf(actor) }))}
        onChange={(value) => onChange({ actor: value })}
      />
      <Select label="What" value={search.action} of={KINDS} onChange={(value) => onChange({ action: value })} />
      <Select
        label="Outcome"
        value={search.outcome}
        of={OUTCOMES.map((outcome) => ({ value: outcome, text: outcome }))}
        onChange={(value) => onChange({ outcome: value })}
      />
    </div>
  );
}

function Select(props: {
  label: string;
  value: string | undefined;
  of: readonly { value: string; text: string }[];
  onChange: (value: string | undefined) => void;
}) {
  const { value } = props;
  // An address may name what is not in the list.
  const known = value === undefined || props.of.some((option) => option.value === value);
  return (
    <select
      className="input select"
      aria-label={props.label}
      value={value ?? ""}
      onChange={(event) => props.onChange(event.target.value || undefined)}
    >
      <option value="">{props.label}: all</option>
      {known ? null : <option value={value}>{value}</option>}
      {props.of.map((option) => (
        <option key={option.value} value={option.value}>
          {option.text}
        </option>
      ))}
    </select>
  );
}

function nameOf(who: string): string {
  return who === "$bootstrap" ? "Bootstrap admin" : who === "$anonymous" ? "Nobody signed in" : who;
}
