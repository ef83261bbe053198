// The form that makes a user with its first key pair.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import type { User } from "../../api/types";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { ProblemNotice } from "../../ui/Notice";
import { Overlay } from "../../ui/Overlay";
import { Begin, useBegin } from "./Begin";
import { SecretOnce } from "./Secret";

export function CreateUser({
  open,
  onClose,
  onCreated,
}: {
  open: boolean;
  onClose: () => void;
  onCreated: (user: User) => void;
}) {
  const [created, setCreated] = useState<{ user: User; bucket: string | undefined } | null>(null);
  return (
    <Overlay
      open={open}
      onClose={onClose}
      title={created ? `${created.user.name} is ready` : "Create user"}
      firm={created !== null}
      size="wide"
    >
      {created ? (
        <SecretOnce
          pair={{
            accessKeyId: created.user.access_key_id ?? "",
            secret: created.user.secret_access_key ?? "",
            bucket: created.bucket,
          }}
          onDone={() => onCreated(created.user)}
        />
      ) : (
        <Form onClose={onClose} onCreated={(user, bucket) => setCreated({ user, bucket })} />
      )}
    </Overlay>
  );
}

function Form({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (user: User, bucket: string | undefined) => void;
}) {
  const [name, setName] = useState("");
  const { begun, begin, rules, bucket } = useBegin("read-write");
  const [ownKey, setOwnKey] = useState(false);
  const [keyId, setKeyId] = useState("");
  const [secret, setSecret] = useState("");
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/users", {
          body: {
            name: name.trim(),
            permissions: rules(),
            ...(ownKey && keyId.trim() ? { access_key_id: keyId.trim() } : {}),
            ...(ownKey && secret.trim() ? { secret_access_key: secret.trim() } : {}),
          },
        }),
      ),
    onSuccess: (user) => {
      void queries.invalidateQueries();
      onCreated(user, bucket);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!create.isPending) create.mutate();
  };
  return (
    <form onSubmit={submit}>
      <div className="dialog-body stack">
        <TextField
          label="Name"
          required
          autoFocus
          maxLength={64}
          placeholder="ci-uploader"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Begin
          legend="May do"
          hint="A bucket, or a bucket and a prefix. The bucket need not exist yet. More rules can be added later."
          begun={begun}
          onChange={begin}
        />
        {ownKey ? (
          <div className="stack-small">
            <TextField
              label="Access key ID"
              value={keyId}
              onChange={(event) => setKeyId(event.target.value)}
              hint="Left empty, one is made."
            />
            <TextField
              label="Secret access key"
              value={secret}
              onChange={(event) => setSecret(event.target.value)}
              hint="Left empty, one is made."
            />
          </div>
        ) : (
          <div>
            <Button look="plain" small onClick={() => setOwnKey(true)}>
              Bring an existing key pair…
            </Button>
          </div>
        )}
        {create.error ? <ProblemNotice error={create.error} title="The user was not created" /> : null}
      </div>
      <div className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" busy={create.isPending}>
          Create user
        </Button>
      </div>
    </form>
  );
}
