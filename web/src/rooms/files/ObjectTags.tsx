// The tags of an object: shown, and changed without the object.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import { object as objectQuery } from "../../api/queries";
import type { ObjectMetadata } from "../../api/types";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/Notice";
import { done } from "../../ui/Toasts";
import { readTags, tagLines } from "../tagLines";
import { TagsField } from "../TagsField";
import { Pairs } from "./Pairs";

interface Props {
  bucket: string;
  object: ObjectMetadata;
  /** The bucket takes changes. */
  writable: boolean;
}

export function ObjectTags({ bucket, object, writable }: Props) {
  const [editing, setEditing] = useState(false);
  if (editing) return <TagsForm bucket={bucket} object={object} onEnd={() => setEditing(false)} />;
  return (
    <>
      <Pairs title="Tags" of={object.tags} />
      {writable ? (
        <div>
          <Button onClick={() => setEditing(true)}>
            <Pencil size={16} aria-hidden /> Change tags…
          </Button>
        </div>
      ) : null}
    </>
  );
}

function TagsForm({ bucket, object, onEnd }: { bucket: string; object: ObjectMetadata; onEnd: () => void }) {
  const queries = useQueryClient();
  const before = tagLines(object.tags);
  const [text, setText] = useState(before);
  const { tags, wrong } = readTags(text);
  const save = useMutation({
    mutationFn: () =>
      data(
        client.PUT("/_/api/admin/buckets/{name}/object/tags", {
          params: { path: { name: bucket }, query: { key: object.key } },
          body: { tags },
        }),
      ),
    onSuccess: (saved) => {
      queries.setQueryData(objectQuery(bucket, object.key).queryKey, saved);
      done("The tags are saved");
      onEnd();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!save.isPending && wrong === undefined) save.mutate();
  };
  return (
    <form className="stack-small" onSubmit={submit}>
      <TagsField label="Tags" text={text} wrong={wrong} onChange={setText} />
      <p className="quiet small">Ten at most. Rules of users may be about them; bytes and metadata stay as they are.</p>
      {save.error ? <ProblemNotice error={save.error} title="The tags were not saved" /> : null}
      <div className="row">
        <Button type="submit" look="primary" busy={save.isPending} disabled={text === before || wrong !== undefined}>
          Save tags
        </Button>
        <Button onClick={onEnd}>Cancel</Button>
      </div>
    </form>
  );
}
