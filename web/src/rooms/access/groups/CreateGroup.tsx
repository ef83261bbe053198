// The form that makes a group.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../../api/client";
import type { Group } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { TextField } from "../../../ui/Field";
import { ProblemNotice } from "../../../ui/Notice";
import { Overlay } from "../../../ui/Overlay";
import { done } from "../../../ui/Toasts";
import { Begin, useBegin } from "../Begin";

interface Props {
  open: boolean;
  onClose: () => void;
  onCreated: (group: Group) => void;
}

export function CreateGroup({ open, onClose, onCreated }: Props) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const { begun, begin, rules } = useBegin("read-only");
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/groups", {
          body: { name: name.trim(), description: description.trim(), permissions: rules() },
        }),
      ),
    onSuccess: (group) => {
      void queries.invalidateQueries();
      done(`${group.name} is created`);
      onCreated(group);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!create.isPending) create.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title="Create group" size="wide">
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <TextField
            label="Name"
            required
            autoFocus
            maxLength={64}
            placeholder="release-engineers"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <TextField
            label="Description"
            value={description}
            onChange={(event) => setDescription(event.target.value)}
            hint="What it is for; may stay empty."
          />
          <Begin
            legend="Its members may do"
            hint="A bucket, or a bucket and a prefix. More rules can be added later."
            begun={begun}
            onChange={begin}
          />
          {create.error ? <ProblemNotice error={create.error} title="The group was not created" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            Create group
          </Button>
        </div>
      </form>
    </Overlay>
  );
}
