// One rule of a permission list, as a form that reads like a sentence.

import { ChevronRight, Plus, Trash2, X } from "lucide-react";
import { useId, useState } from "react";
import type { Rule } from "../../api/types";
import { Button, Segments } from "../../ui/Button";
import { Conditions } from "./Conditions";
import { describe, VERBS } from "./rules";

interface Props {
  rule: Rule;
  number: number;
  readOnly: boolean;
  /** It begins unfolded. */
  open: boolean;
  onChange: (rule: Rule) => void;
  onRemove: () => void;
}

export function RuleEditor({ rule, number, readOnly, open: first, onChange, onRemove }: Props) {
  const [open, setOpen] = useState(first);
  const deny = rule.effect === "Deny";
  return (
    <section className={deny ? "rule rule-deny" : "rule rule-allow"} aria-label={`Rule ${number}`}>
      <div className="rule-head">
        {readOnly ? (
          <div className="rule-says">{describe(rule)}</div>
        ) : (
          <button type="button" className="rule-open" aria-expanded={open} onClick={() => setOpen(!open)}>
            <ChevronRight size={16} aria-hidden />
            {describe(rule)}
          </button>
        )}
        {readOnly ? null : (
          <Button look="plain" small icon aria-label={`Remove rule ${number}`} onClick={onRemove}>
            <Trash2 size={16} aria-hidden />
          </Button>
        )}
      </div>
      {readOnly || !open ? null : (
        <div className="rule-body">
          <div>
            <Segments
              label="Effect"
              value={rule.effect}
              options={[
                { value: "Allow", text: "Allow" },
                { value: "Deny", text: "Deny", bad: true },
              ]}
              onChange={(effect) => onChange({ ...rule, effect })}
            />
          </div>
          <Actions rule={rule} onChange={onChange} />
          <Resources rule={rule} onChange={onChange} />
          <Conditions
            conditions={rule.conditions}
            onChange={(conditions) => onChange(withConditions(rule, conditions))}
          />
        </div>
      )}
    </section>
  );
}

function withConditions(rule: Rule, conditions: Rule["conditions"]): Rule {
  const next = { ...rule };
  delete next.conditions;
  return conditions && Object.keys(conditions).length > 0 ? { ...next, conditions } : next;
}

function Actions({ rule, onChange }: { rule: Rule; onChange: (rule: Rule) => void }) {
  const [other, setOther] = useState<string | null>(null);
  const id = useId();
  const has = (name: string) => rule.actions.includes(name);
  const toggle = (name: string) =>
    onChange({
      ...rule,
      actions: has(name) ? rule.actions.filter((action) => action !== name) : [...rule.actions, name],
    });
  const others = rule.actions.filter((action) => !VERBS.some((verb) => verb.name === action));
  const add = () => {
    const name = other?.trim() ?? "";
    if (name && !has(name)) onChange({ ...rule, actions: [...rule.actions, name] });
    setOther(null);
  };
  return (
    <div className="stack-small">
      <span className="label" id={id}>
        Actions
      </span>
      <div className="chips" role="group" aria-labelledby={id}>
        {VERBS.map((verb) => (
          <button
            key={verb.name}
            type="button"
            className={rule.effect === "Deny" ? "chip chip-bad" : "chip"}
            aria-pressed={has(verb.name)}
            title={verb.about}
            onClick={() => toggle(verb.name)}
          >
            {verb.text}
          </button>
        ))}
        {others.map((action) => (
          <span key={action} className="tag">
            {action}
            <button type="button" aria-label={`Remove ${action}`} onClick={() => toggle(action)}>
              <X size={13} aria-hidden />
            </button>
          </span>
        ))}
        {other === null ? (
          <button type="button" className="chip chip-more" onClick={() => setOther("")}>
            <Plus size={13} aria-hidden /> Other action
          </button>
        ) : null}
      </div>
      {other === null ? null : (
        <div className="line">
          <input
            ref={(input) => input?.focus()}
            className="input mono"
            aria-label="Other action"
            placeholder="s3:GetObject, s3:Get*, backup:export …"
            spellCheck={false}
            value={other}
            onChange={(event) => setOther(event.target.value)}
            onBlur={add}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              add();
              setOther("");
            }}
          />
          <Button aria-label="Add the action" onClick={add}>
            Add
          </Button>
        </div>
      )}
    </div>
  );
}

function Resources({ rule, onChange }: { rule: Rule; onChange: (rule: Rule) => void }) {
  const set = (resources: string[]) => onChange({ ...rule, resources });
  const id = useId();
  return (
    <div className="stack-small">
      <span className="label" id={id}>
        Where
      </span>
      <div className="lines" role="group" aria-labelledby={id}>
        {rule.resources.map((resource, index) => (
          // A line has no name but its place.
          <div key={index} className="line">
            <input
              className="input mono"
              aria-label={`Resource ${index + 1}`}
              placeholder="bucket/prefix/*"
              spellCheck={false}
              value={resource}
              onChange={(event) => set(rule.resources.map((old, at) => (at === index ? event.target.value : old)))}
            />
            <Button
              look="plain"
              icon
              aria-label={`Remove resource ${index + 1}`}
              onClick={() => set(rule.resources.filter((_, at) => at !== index))}
            >
              <X size={16} aria-hidden />
            </Button>
          </div>
        ))}
        <div className="row">
          <Button small onClick={() => set([...rule.resources, ""])}>
            <Plus size={15} aria-hidden /> Add resource
          </Button>
          <span className="hint">
            <code>bucket</code> is the bucket itself, <code>bucket/*</code> what is in it, <code>*</code> everything.
          </span>
        </div>
      </div>
    </div>
  );
}
