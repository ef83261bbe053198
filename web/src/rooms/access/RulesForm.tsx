// The permission rules of a user or a group: from templates, by form or as JSON, saved together.

import { Menu } from "@base-ui/react/menu";
import { useMutation } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { ChevronDown, Plus, ShieldQuestion } from "lucide-react";
import { useState } from "react";
import { Problem } from "../../api/problem";
import type { Rule } from "../../api/types";
import { Button, buttonClass, Segments } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { Field } from "../../ui/Field";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { done } from "../../ui/Toasts";
import { RuleEditor } from "./RuleEditor";
import { rulesFrom, same, TEMPLATES } from "./rules";

/** Rules with the version of the state that they were read at. */
export interface Versioned {
  rules: Rule[];
  etag: string | null;
}

interface Props {
  /** Whose they are, for sentences. */
  name: string;
  /** As the server has them. */
  of: Versioned;
  readOnly: boolean;
  /** What it means that there is none. */
  empty: string;
  /** Reads them anew. */
  read: () => Promise<Versioned>;
  /** Writes them, at this version of the state or, with `null`, at any. */
  put: (rules: Rule[], version: string | null) => Promise<Versioned>;
  children?: React.ReactNode;
}

export function RulesForm({ name, of, readOnly, empty, read, put, children }: Props) {
  const [base, setBase] = useState(of.rules);
  const [rules, setRules] = useState<Rule[]>(of.rules);
  // Raised where all lines are to be made anew, because the rules came from elsewhere.
  const [edition, setEdition] = useState(0);
  const [text, setText] = useState<string | null>(null);
  const parsed = text === null ? { rules } : parse(text);
  const current = "rules" in parsed ? parsed.rules : rules;
  const dirty = !same(base, current) || "error" in parsed;
  if (!dirty && !same(base, of.rules)) {
    setBase(of.rules);
    setRules(of.rules);
    setEdition(edition + 1);
    if (text !== null) setText(asText(of.rules));
  }
  const show = (next: Rule[]) => {
    setRules(next);
    setEdition(edition + 1);
    if (text !== null) setText(asText(next));
  };
  const save = useMutation({
    mutationFn: ({ rules: next, force }: { rules: readonly Rule[]; force: boolean }) =>
      careful({ rules: next.map(tidy), base, of, force, read, put }),
    onSuccess: (saved) => {
      setBase(saved.rules);
      show(saved.rules);
      done(`Permissions of ${name} saved`);
    },
  });
  const leaving = useBlocker({
    shouldBlockFn: ({ current: from, next }) => dirty && from.pathname !== next.pathname,
    enableBeforeUnload: () => dirty,
    withResolver: true,
  });
  const asJson = text !== null;
  return (
    <div className="stack">
      <div className="row-apart">
        <p className="quiet">Rules add up; a denial wins over every permission.</p>
        <Segments
          label="Show as"
          value={asJson ? "json" : "form"}
          options={[
            { value: "form", text: "Form" },
            { value: "json", text: "JSON" },
          ]}
          onChange={(view) => {
            if (view === "json") setText(asText(rules));
            else if ("rules" in parsed) {
              show(parsed.rules);
              setText(null);
            }
          }}
        />
      </div>
      {asJson ? (
        <Field label="Rules" error={"error" in parsed ? parsed.error : undefined}>
          {(tied) => (
            <textarea
              className="input mono"
              spellCheck={false}
              readOnly={readOnly}
              value={text}
              onChange={(event) => setText(event.target.value)}
              {...tied}
            />
          )}
        </Field>
      ) : (
        <>
          {rules.length === 0 ? (
            <div className="card">
              <Empty icon={ShieldQuestion} title="No permissions">
                <p className="quiet">
                  {empty} {readOnly ? "" : "Add a rule to begin with."}
                </p>
              </Empty>
            </div>
          ) : null}
          {rules.map((rule, index) => (
            // A rule that was just added has no id yet.
            <RuleEditor
              key={`${edition} ${index}`}
              rule={rule}
              number={index + 1}
              readOnly={readOnly}
              open={rules.length === 1 || index >= base.length}
              onChange={(next) => setRules(rules.map((old, at) => (at === index ? next : old)))}
              onRemove={() => show(rules.filter((_, at) => at !== index))}
            />
          ))}
          {readOnly ? null : <AddRule onAdd={(rule) => setRules([...rules, rule])} />}
        </>
      )}
      {children}
      {save.error ? (
        <Failure
          error={save.error}
          onTheirs={() => show(of.rules)}
          onMine={() => save.mutate({ rules: current, force: true })}
        />
      ) : null}
      {dirty && !readOnly ? (
        <div className="save-bar">
          <strong>Unsaved changes</strong>
          <div className="row">
            <Button
              onClick={() => {
                save.reset();
                setText(asJson ? asText(base) : null);
                setRules(base);
                setEdition(edition + 1);
              }}
            >
              Discard
            </Button>
            <Button
              look="primary"
              busy={save.isPending}
              disabled={"error" in parsed}
              onClick={() => save.mutate({ rules: current, force: false })}
            >
              Save permissions
            </Button>
          </div>
        </div>
      ) : null}
      <Confirm
        open={leaving.status === "blocked"}
        title="Leave without saving?"
        action="Discard changes"
        onClose={() => leaving.reset?.()}
        onConfirm={() => leaving.proceed?.()}
      >
        <p>The rules of {name} were changed here and not saved.</p>
      </Confirm>
    </div>
  );
}

function asText(rules: readonly Rule[]): string {
  return JSON.stringify(rules, null, 2);
}

function parse(text: string): { rules: Rule[] } | { error: string } {
  try {
    const value: unknown = JSON.parse(text);
    // The server checks each rule; here it only has to be a list.
    return Array.isArray(value) ? { rules: value as Rule[] } : { error: "This is no list of rules." };
  } catch (error) {
    return { error: error instanceof Error ? error.message : "This is not JSON." };
  }
}

/** Saves unless somebody else changed the rules since they were read. Other changes of the state are no hindrance. */
async function careful({
  rules,
  base,
  of,
  force,
  read,
  put,
}: Pick<Props, "of" | "read" | "put"> & { rules: Rule[]; base: readonly Rule[]; force: boolean }): Promise<Versioned> {
  if (force) return put(rules, null);
  // The page may have read them anew by itself since somebody began to edit.
  if (!same(of.rules, base)) throw Problem.changedMeanwhile();
  try {
    return await put(rules, of.etag);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 412) throw error;
    const now = await read();
    if (!same(now.rules, base)) throw error;
    return put(rules, now.etag);
  }
}

/** Without the empty lines that a form leaves. */
export function tidy(rule: Rule): Rule {
  return { ...rule, resources: rule.resources.map((resource) => resource.trim()).filter(Boolean) };
}

function Failure({ error, onTheirs, onMine }: { error: unknown; onTheirs: () => void; onMine: () => void }) {
  if (!(error instanceof Problem) || error.status !== 412)
    return <ProblemNotice error={error} title="The permissions were not saved" />;
  return (
    <Notice tone="warn" title="Somebody else changed these permissions meanwhile" live>
      <p>Nothing was saved. Take over what they saved and begin again, or replace it by what is on this page.</p>
      <div className="row">
        <Button small onClick={onTheirs}>
          Load theirs
        </Button>
        <Button small look="danger" onClick={onMine}>
          Replace with mine
        </Button>
      </div>
    </Notice>
  );
}

export function AddRule({ onAdd }: { onAdd: (rule: Rule) => void }) {
  return (
    <div>
      <Menu.Root>
        <Menu.Trigger className={buttonClass()}>
          <Plus size={16} aria-hidden /> Add rule <ChevronDown size={15} aria-hidden />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner align="start" sideOffset={6} className="over">
            <Menu.Popup className="menu">
              {TEMPLATES.filter((each) => each.actions.length > 0).map((each) => (
                <Menu.Item
                  key={each.id}
                  className="menu-item"
                  onClick={() => {
                    const [rule] = rulesFrom(each, "my-bucket");
                    if (rule) onAdd(rule);
                  }}
                >
                  {each.title}
                </Menu.Item>
              ))}
              <Menu.Separator className="menu-line" />
              <Menu.Item
                className="menu-item"
                onClick={() => onAdd({ effect: "Deny", actions: ["delete"], resources: ["my-bucket/*"] })}
              >
                Deny
              </Menu.Item>
              <Menu.Item className="menu-item" onClick={() => onAdd({ effect: "Allow", actions: [], resources: [""] })}>
                Empty rule
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </div>
  );
}
