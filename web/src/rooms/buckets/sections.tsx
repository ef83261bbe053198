// The settings of a bucket: limits, what anybody may read, tags, and which pages may call it.

import { Plus, X } from "lucide-react";
import { useState } from "react";
import type { BucketChange } from "../../api/types";
import { Button } from "../../ui/Button";
import { CheckField, Field, TextField } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { readTags, tagLines } from "../tagLines";
import { TagsField } from "../TagsField";
import { Section, type SectionProps } from "./Section";
import { parseSize, writtenSize } from "./size";

export function Limits(props: SectionProps) {
  const { bucket } = props;
  const before = bucket.quota_bytes === null ? "" : writtenSize(bucket.quota_bytes);
  const [quota, setQuota] = useState(before);
  const [readOnly, setReadOnly] = useState(bucket.read_only);
  const none = quota.trim() === "";
  const size = parseSize(quota);
  const wrong = !none && size === null;
  const quotaChanged = quota.trim() !== before;
  return (
    <Section
      {...props}
      title="Limits"
      about="A full bucket takes no more bytes, a read-only one no change at all. Reading goes on."
      fields={["quota_bytes", "read_only"]}
      change={
        wrong
          ? null
          : {
              ...(quotaChanged ? { quota_bytes: none ? null : size } : {}),
              ...(readOnly !== bucket.read_only ? { read_only: readOnly } : {}),
            }
      }
      changed={quotaChanged || readOnly !== bucket.read_only}
      onReset={() => {
        setQuota(before);
        setReadOnly(bucket.read_only);
      }}
    >
      {(locked) => (
        <>
          <TextField
            label="Quota"
            placeholder="No limit"
            readOnly={locked}
            value={quota}
            onChange={(event) => setQuota(event.target.value)}
            error={wrong ? "A size such as 500 MiB, 10 GiB or 2 TiB" : undefined}
            hint="Empty: no limit. 0: no write at all."
          />
          <CheckField
            label="Read-only"
            hint="Every write and every removal is refused."
            disabled={locked}
            checked={readOnly}
            onChange={(event) => setReadOnly(event.target.checked)}
          />
        </>
      )}
    </Section>
  );
}

/** One a line; a line of its own for the whole bucket. */
const WHOLE = "/";

export function PublicPart(props: SectionProps) {
  const { bucket } = props;
  const before = bucket.public_prefixes.map((prefix) => prefix || WHOLE).join("\n");
  const [text, setText] = useState(before);
  const prefixes = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => (line === WHOLE ? "" : line));
  return (
    <Section
      {...props}
      title="Public reading"
      about="Anybody may read and list what lies under these prefixes, without a key."
      fields={["public_prefixes"]}
      change={{ public_prefixes: prefixes }}
      changed={text !== before}
      onReset={() => setText(before)}
    >
      {(locked) => (
        <>
          <Field
            label="Public prefixes"
            hint={`One a line, such as downloads/. A single ${WHOLE} is the whole bucket.`}
          >
            {(tied) => (
              <textarea
                className="input input-short mono"
                spellCheck={false}
                readOnly={locked}
                value={text}
                onChange={(event) => setText(event.target.value)}
                {...tied}
              />
            )}
          </Field>
          {prefixes.includes("") ? (
            <Notice tone="warn" title="The whole bucket is public">
              <p>Whoever knows its name reads and lists every object in it.</p>
            </Notice>
          ) : null}
        </>
      )}
    </Section>
  );
}

export function TagsPart(props: SectionProps) {
  const { bucket } = props;
  const before = tagLines(bucket.tags);
  const [text, setText] = useState(before);
  const { tags, wrong } = readTags(text);
  return (
    <Section
      {...props}
      title="Tags"
      about="Names and values that tools and reports find the bucket by. They decide nothing."
      fields={["tags"]}
      change={wrong === undefined ? { tags } : null}
      changed={text !== before}
      onReset={() => setText(before)}
    >
      {(locked) => (
        <TagsField label="Tags of the bucket" text={text} wrong={wrong} readOnly={locked} onChange={setText} />
      )}
    </Section>
  );
}

/** A rule as the config file writes it; the generated types know it as an object only. */
interface CorsRule {
  id?: string;
  allowed_origins: string[];
  allowed_methods: string[];
  allowed_headers?: string[];
  expose_headers?: string[];
  max_age_seconds?: number;
}

const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"] as const;

/** A rule in the form: lists as they are typed. */
interface Typed {
  id: string | undefined;
  origins: string;
  methods: readonly string[];
  headers: string;
  expose: string;
  age: string;
}

function typed(rule: CorsRule): Typed {
  return {
    id: rule.id,
    origins: rule.allowed_origins.join(", "),
    methods: rule.allowed_methods,
    headers: (rule.allowed_headers ?? []).join(", "),
    expose: (rule.expose_headers ?? []).join(", "),
    age: rule.max_age_seconds === undefined ? "" : String(rule.max_age_seconds),
  };
}

function list(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function ruleOf(of: Typed): CorsRule {
  const [headers, expose] = [list(of.headers), list(of.expose)];
  return {
    ...(of.id === undefined ? {} : { id: of.id }),
    allowed_origins: list(of.origins),
    allowed_methods: [...of.methods],
    ...(headers.length > 0 ? { allowed_headers: headers } : {}),
    ...(expose.length > 0 ? { expose_headers: expose } : {}),
    ...(of.age.trim() ? { max_age_seconds: Number(of.age) } : {}),
  };
}

const NEW: Typed = { id: undefined, origins: "", methods: ["GET", "HEAD"], headers: "*", expose: "ETag", age: "3600" };

export function CorsPart(props: SectionProps) {
  const before = (props.bucket.cors as unknown as CorsRule[]).map(typed);
  const [rules, setRules] = useState(before);
  const edit = (at: number, part: Partial<Typed>) =>
    setRules(rules.map((rule, index) => (index === at ? { ...rule, ...part } : rule)));
  const whole = rules.every(
    (rule) => list(rule.origins).length > 0 && rule.methods.length > 0 && /^\s*\d*\s*$/.test(rule.age),
  );
  return (
    <Section
      {...props}
      title="CORS"
      about="Which web pages of other origins may call this bucket from a browser. Keys and rights are asked for all the same."
      fields={["cors"]}
      change={whole ? { cors: rules.map(ruleOf) as unknown as NonNullable<BucketChange["cors"]> } : null}
      changed={JSON.stringify(rules) !== JSON.stringify(before)}
      onReset={() => setRules(before)}
    >
      {(locked) => (
        <>
          {rules.length === 0 ? <p>No rule: no page of another origin may.</p> : null}
          {rules.map((rule, at) => (
            // Rules have no name but their place.
            <fieldset key={at} className="cors stack-small" disabled={locked} aria-label={`Rule ${at + 1}`}>
              <div className="row-apart">
                <h3>Rule {at + 1}</h3>
                {locked ? null : (
                  <Button
                    small
                    look="plain"
                    aria-label={`Remove rule ${at + 1}`}
                    onClick={() => setRules(rules.filter((_, index) => index !== at))}
                  >
                    <X size={15} aria-hidden /> Remove
                  </Button>
                )}
              </div>
              <TextField
                label={`Origins of rule ${at + 1}`}
                placeholder="https://app.example.com"
                value={rule.origins}
                onChange={(event) => edit(at, { origins: event.target.value })}
                hint="Separated by commas; each may have one *."
              />
              <div className="field">
                <span className="label">Methods</span>
                <div className="chips">
                  {METHODS.map((method) => (
                    <button
                      key={method}
                      type="button"
                      className="chip"
                      aria-pressed={rule.methods.includes(method)}
                      onClick={() =>
                        edit(at, {
                          methods: METHODS.filter((each) => (each === method) !== rule.methods.includes(each)),
                        })
                      }
                    >
                      {method}
                    </button>
                  ))}
                </div>
              </div>
              <div className="fields">
                <TextField
                  label={`Request headers of rule ${at + 1}`}
                  value={rule.headers}
                  onChange={(event) => edit(at, { headers: event.target.value })}
                />
                <TextField
                  label={`Readable headers of rule ${at + 1}`}
                  value={rule.expose}
                  onChange={(event) => edit(at, { expose: event.target.value })}
                />
                <TextField
                  label={`Seconds kept of rule ${at + 1}`}
                  inputMode="numeric"
                  value={rule.age}
                  onChange={(event) => edit(at, { age: event.target.value })}
                />
              </div>
            </fieldset>
          ))}
          {locked ? null : (
            <div>
              <Button small onClick={() => setRules([...rules, NEW])}>
                <Plus size={15} aria-hidden /> Add CORS rule
              </Button>
            </div>
          )}
        </>
      )}
    </Section>
  );
}
