// The form of a mapping rule, for a new one and for one that is there.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import type { AuthProvider, Group, MappingRule } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { Choices, SelectField, TextField } from "../../../ui/Field";
import { ProblemNotice } from "../../../ui/Notice";
import { Overlay } from "../../../ui/Overlay";
import { done } from "../../../ui/Toasts";
import { byName } from "../../../ui/words";
import { match, MATCHES, type MatchType } from "./words";

interface Props {
  open: boolean;
  /** The one to change; a new one where there is none. */
  rule: MappingRule | undefined;
  /** The priority of the last one: a new rule goes behind it. */
  last: number;
  known: { groups: readonly Group[]; providers: readonly AuthProvider[] };
  onClose: () => void;
}

export function EditRule({ open, rule, last, known, onClose }: Props) {
  const [type, setType] = useState<MatchType>(match(rule?.match_type ?? "email_domain").type);
  const [field, setField] = useState(rule?.match_type === "claim_value" ? rule.match_field : "groups");
  const [value, setValue] = useState(rule?.match_value ?? "");
  const [provider, setProvider] = useState(rule?.provider_id ?? "");
  const groups = [...known.groups].sort(byName);
  const [group, setGroup] = useState(rule?.group_id ?? groups[0]?.id ?? "");
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => {
      const body = {
        match_type: type,
        match_field: type === "claim_value" ? field.trim() : "email",
        match_value: value.trim(),
        group_id: group,
      };
      return rule
        ? data(
            client.PUT("/_/api/admin/ext-auth/mappings/{id}", {
              params: { path: { id: rule.id } },
              body: { ...body, provider_id: provider || null },
            }),
          )
        : data(
            client.POST("/_/api/admin/ext-auth/mappings", {
              body: { ...body, priority: last + 10, ...(provider ? { provider_id: provider } : {}) },
            }),
          );
    },
    onSuccess: () => {
      void queries.invalidateQueries();
      done(rule ? "The rule is saved" : "The rule is added");
      onClose();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title={rule ? "Edit rule" : "Add a mapping rule"} size="wide">
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <Choices
            legend="Who"
            name="match"
            value={type}
            options={MATCHES.map((each) => ({ value: each.type, title: each.title, text: each.text }))}
            onChange={setType}
          />
          <div className="fields">
            {type === "claim_value" ? (
              <TextField
                label="Claim"
                required
                value={field}
                onChange={(event) => setField(event.target.value)}
                hint="Its name, or a path such as realm_access.roles."
              />
            ) : null}
            <TextField
              label={match(type).title === "Claim" ? "Has the value" : match(type).title}
              required
              placeholder={match(type).placeholder}
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
          </div>
          <div className="fields">
            <SelectField
              label="Who comes from"
              value={provider}
              onChange={setProvider}
              options={[
                { value: "", text: "Any provider" },
                ...known.providers.map((each) => ({ value: each.id, text: each.display_name ?? each.name })),
              ]}
            />
            <SelectField
              label="Is in the group"
              value={group}
              onChange={setGroup}
              options={groups.map((each) => ({ value: each.id, text: each.name }))}
            />
          </div>
          {save.error ? <ProblemNotice error={save.error} title="The rule was not saved" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {rule ? "Save" : "Add rule"}
          </Button>
        </div>
      </form>
    </Overlay>
  );
}
