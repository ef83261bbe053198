// The permissions editor of one user: rules from templates, by form or as JSON, saved together.

import { Menu } from "@base-ui/react/menu";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { ChevronDown, Plus, ShieldQuestion } from "lucide-react";
import { useState } from "react";
import { answered, client } from "../../api/client";
import { Problem } from "../../api/problem";
import { groups as groupsQuery, user as userQuery } from "../../api/queries";
import type { Rule, User } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button, buttonClass, Segments } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { Field } from "../../ui/Field";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { done } from "../../ui/Toasts";
import { RuleEditor } from "./RuleEditor";
import { describe, rulesFrom, same, TEMPLATES } from "./rules";

export function PermissionsTab({ user, etag }: { user: User; etag: string | null }) {
  const me = useMe();
  const readOnly = !me.may("iam:write");
  const [base, setBase] = useState(user.permissions);
  const [rules, setRules] = useState<Rule[]>(user.permissions);
  // Raised where all lines are to be made anew, because the rules came from elsewhere.
  const [edition, setEdition] = useState(0);
  const [text, setText] = useState<string | null>(null);
  const parsed = text === null ? { rules } : parse(text);
  const current = "rules" in parsed ? parsed.rules : rules;
  const dirty = !same(base, current) || "error" in parsed;
  if (!dirty && !same(base, user.permissions)) {
    setBase(user.permissions);
    setRules(user.permissions);
    setEdition(edition + 1);
    if (text !== null) setText(asText(user.permissions));
  }
  const show = (next: Rule[]) => {
    setRules(next);
    setEdition(edition + 1);
    if (text !== null) setText(asText(next));
  };
  const save = useSave(user, etag, base, (saved) => {
    setBase(saved);
    show(saved);
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
                  Every request of {user.name} is refused{user.group_ids.length > 0 ? ", unless a group allows it" : ""}
                  . Add a rule to begin with.
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
      <Inherited user={user} />
      {save.error ? (
        <Failure
          error={save.error}
          onTheirs={() => show(user.permissions)}
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
        <p>The rules of {user.name} were changed here and not saved.</p>
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
function useSave(user: User, etag: string | null, base: readonly Rule[], onSaved: (rules: Rule[]) => void) {
  const queries = useQueryClient();
  const put = (rules: readonly Rule[], version: string | null) =>
    answered(
      client.PUT("/_/api/admin/users/{id}", {
        params: { path: { id: user.id }, header: version ? { "If-Match": version } : {} },
        body: { permissions: rules.map(tidy) },
      }),
    );
  return useMutation({
    mutationFn: async ({ rules, force }: { rules: readonly Rule[]; force: boolean }) => {
      if (force) return put(rules, null);
      try {
        return await put(rules, etag);
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) throw error;
        const now = await queries.query({ ...userQuery(user.id), staleTime: 0 });
        if (!same(now.data.permissions, base)) throw error;
        return put(rules, now.etag);
      }
    },
    onSuccess: (answer) => {
      queries.setQueryData(userQuery(user.id).queryKey, answer);
      void queries.invalidateQueries();
      onSaved(answer.data.permissions);
      done(`Permissions of ${user.name} saved`);
    },
  });
}

/** Without the empty lines that a form leaves. */
function tidy(rule: Rule): Rule {
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

function AddRule({ onAdd }: { onAdd: (rule: Rule) => void }) {
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

/** What groups add; it is changed there. */
function Inherited({ user }: { user: User }) {
  const groups = useQuery({ ...groupsQuery, enabled: user.group_ids.length > 0 });
  const own = (groups.data ?? []).filter((group) => user.group_ids.includes(group.id));
  if (own.length === 0) return null;
  return (
    <section className="card" aria-labelledby="inherited">
      <div className="card-head">
        <h2 id="inherited">From groups</h2>
      </div>
      {own.map((group) => (
        <div key={group.id} className="list-row">
          <strong>{group.name}</strong>
          <span className="grow wrap-anywhere">
            {group.permissions.length ? group.permissions.map(describe).join(" ") : "No rules."}
          </span>
        </div>
      ))}
    </section>
  );
}
