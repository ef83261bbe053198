// What is done to a group as a whole: another name, another description, its end.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import { group as groupQuery } from "../../../api/queries";
import type { Group } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { TextField } from "../../../ui/Field";
import { ProblemNotice } from "../../../ui/Notice";
import { Confirm, Overlay } from "../../../ui/Overlay";
import { done } from "../../../ui/Toasts";
import { count } from "../../../ui/words";

interface Props {
  group: Group;
  open: boolean;
  onClose: () => void;
}

export function EditGroup({ group, open, onClose }: Props) {
  const [name, setName] = useState(group.name);
  const [description, setDescription] = useState(group.description);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () =>
      data(
        client.PUT("/_/api/admin/groups/{id}", {
          params: { path: { id: group.id } },
          body: { name: name.trim(), description: description.trim() },
        }),
      ),
    onSuccess: (saved) => {
      void queries.invalidateQueries();
      done(`${saved.name} is saved`);
      onClose();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title={group.name} size="narrow">
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <TextField
            label="Name"
            required
            maxLength={64}
            value={name}
            onChange={(event) => setName(event.target.value)}
            hint="Members and rules stay; mapping rules that name the group go on."
          />
          <TextField label="Description" value={description} onChange={(event) => setDescription(event.target.value)} />
          {save.error ? <ProblemNotice error={save.error} title="The group was not changed" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Overlay>
  );
}

export function DeleteGroup({ group, open, onClose }: Props) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => data(client.DELETE("/_/api/admin/groups/{id}", { params: { path: { id: group.id } } })),
    onSuccess: async () => {
      done(`${group.name} is deleted`);
      await navigate({ to: "/access/groups", replace: true });
      queries.removeQueries({ queryKey: groupQuery(group.id).queryKey });
      void queries.invalidateQueries();
    },
  });
  const members = group.member_ids.length;
  const rules = group.permissions.length;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete ${group.name}?`}
      action={`Delete ${group.name}`}
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>
        {members === 0
          ? "Nobody is in it, so nobody loses anything."
          : rules === 0
            ? `${count(members, "user")} ${members === 1 ? "leaves" : "leave"} it; it has no rules to lose.`
            : `${count(members, "user")} at once ${members === 1 ? "loses" : "lose"} what its ${count(rules, "rule")} ${rules === 1 ? "allows" : "allow"}, or ${rules === 1 ? "denies" : "deny"}.`}{" "}
        The users themselves stay.
      </p>
      <p className="quiet">This cannot be undone here.</p>
      {remove.error ? <ProblemNotice error={remove.error} title="The group was not deleted" /> : null}
    </Confirm>
  );
}
