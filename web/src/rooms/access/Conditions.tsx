// The conditions of a rule: operator, key, values; all of them must hold.

import { Plus, X } from "lucide-react";
import { useId, useState } from "react";
import type { Rule } from "../../api/types";
import { Button } from "../../ui/Button";

type Map = NonNullable<Rule["conditions"]>;

interface Line {
  operator: string;
  key: string;
  values: string;
}

const OPERATORS = [
  "StringEquals",
  "StringNotEquals",
  "StringLike",
  "StringNotLike",
  "IpAddress",
  "NotIpAddress",
  "DateGreaterThan",
  "DateLessThan",
  "NumericLessThanEquals",
  "Bool",
  "Null",
];

const KEYS = [
  "aws:SourceIp",
  "aws:CurrentTime",
  "aws:SecureTransport",
  "aws:UserAgent",
  "aws:username",
  "s3:prefix",
  "s3:delimiter",
  "s3:max-keys",
];

function toLines(conditions: Rule["conditions"]): Line[] {
  return Object.entries(conditions ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({ operator, key, values: [values].flat().join(", ") })),
  );
}

function toMap(lines: readonly Line[]): Map {
  const map: Map = {};
  for (const { operator, key, values } of lines) {
    if (!operator.trim() || !key.trim()) continue;
    const list = values
      .split(",")
      .map((value) => value.trim())
      .filter(Boolean);
    map[operator.trim()] = { ...map[operator.trim()], [key.trim()]: list };
  }
  return map;
}

export function Conditions({
  conditions,
  onChange,
}: {
  conditions: Rule["conditions"];
  onChange: (conditions: Map) => void;
}) {
  // A half-typed line is no condition yet, so the lines are kept here.
  const [lines, setLines] = useState(() => toLines(conditions));
  const id = useId();
  const change = (next: Line[]) => {
    setLines(next);
    onChange(toMap(next));
  };
  const set = (index: number, part: Partial<Line>) =>
    change(lines.map((line, at) => (at === index ? { ...line, ...part } : line)));
  return (
    <div className="stack-small">
      <span className="label" id={id}>
        Conditions
      </span>
      <div className="lines" role="group" aria-labelledby={id}>
        {lines.map((line, index) => (
          // A line has no name but its place.
          <div key={index} className="line-condition">
            <input
              className="input"
              list={`${id}-operators`}
              aria-label={`Operator ${index + 1}`}
              placeholder="IpAddress"
              spellCheck={false}
              value={line.operator}
              onChange={(event) => set(index, { operator: event.target.value })}
            />
            <input
              className="input"
              list={`${id}-keys`}
              aria-label={`Condition key ${index + 1}`}
              placeholder="aws:SourceIp"
              spellCheck={false}
              value={line.key}
              onChange={(event) => set(index, { key: event.target.value })}
            />
            <input
              className="input mono"
              aria-label={`Values ${index + 1}`}
              placeholder="10.0.0.0/8, 192.168.1.7"
              spellCheck={false}
              value={line.values}
              onChange={(event) => set(index, { values: event.target.value })}
            />
            <Button
              look="plain"
              icon
              aria-label={`Remove condition ${index + 1}`}
              onClick={() => change(lines.filter((_, at) => at !== index))}
            >
              <X size={16} aria-hidden />
            </Button>
          </div>
        ))}
        <datalist id={`${id}-operators`}>
          {OPERATORS.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <datalist id={`${id}-keys`}>
          {KEYS.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <div className="row">
          <Button small onClick={() => change([...lines, { operator: "", key: "", values: "" }])}>
            <Plus size={15} aria-hidden /> Add condition
          </Button>
          <span className="hint">
            {lines.length === 0
              ? "None: the rule always applies."
              : "All of them must hold. Several values are separated by commas."}
          </span>
        </div>
      </div>
    </div>
  );
}
