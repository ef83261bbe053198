// The forms that add, change and remove a backend, each with its plan.

import { useState } from "react";
import { answered, client } from "../../api/client";
import type { StorageBackend } from "../../api/types";
import { useMe } from "../../session/useMe";
import { CheckField, Choices, SelectField, TextField } from "../../ui/Field";
import { Overlay } from "../../ui/Overlay";
import { count } from "../../ui/words";
import { AccountFields, accountOf, changed, given, NO_ACCOUNT, type Account } from "./account";
import { Planned, type Call } from "./Planned";

interface OpenProps {
  open: boolean;
  onClose: () => void;
}

/** A plan is made for one state, and is only carried out on that. */
function under({ dryRun, version }: Parameters<Call>[0]) {
  return { query: dryRun ? { dry_run: true } : {}, header: version ? { "If-Match": version } : {} };
}

const READ_ONLY = {
  label: "Read-only",
  hint: "Objects are read and listed; every write is refused.",
};
const DEFAULT = {
  label: "New buckets go here",
  hint: "The backend of every bucket that names no other.",
};

const KINDS = [
  { value: "filesystem", title: "This server’s disks", text: "A folder that is here, or mounted here." },
  { value: "s3", title: "An S3 account", text: "At AWS, or at any service that speaks S3." },
] as const;

export function AddBackend({ open, onClose }: OpenProps) {
  const [name, setName] = useState("");
  const [type, setType] = useState<(typeof KINDS)[number]["value"]>("filesystem");
  const [path, setPath] = useState("");
  const [account, setAccount] = useState<Account>(NO_ACCOUNT);
  const [readOnly, setReadOnly] = useState(false);
  const [isDefault, setDefault] = useState(false);
  const body = {
    name: name.trim(),
    type,
    ...(type === "s3" ? given(account) : { path: path.trim() }),
    read_only: readOnly,
    default: isDefault,
  };
  return (
    <Overlay open={open} onClose={onClose} title="Add backend" size="wide">
      <Planned
        wish={JSON.stringify(body)}
        call={(how) => answered(client.POST("/_/api/admin/backends", { params: under(how), body }))}
        action="Add backend"
        refused="The backend was not added"
        said={`${body.name} serves`}
        onClose={onClose}
        onDone={onClose}
      >
        <TextField
          label="Name"
          required
          autoFocus
          maxLength={64}
          placeholder="fast-disks"
          value={name}
          onChange={(event) => setName(event.target.value)}
          hint="Letters, digits, dots, dashes. Buckets are routed to it by this name."
        />
        <Choices legend="What it is" name="type" value={type} options={KINDS} onChange={setType} />
        {type === "s3" ? (
          <AccountFields value={account} onChange={setAccount} />
        ) : (
          <TextField
            label="Directory"
            required
            placeholder="/srv/objects"
            value={path}
            onChange={(event) => setPath(event.target.value)}
            hint="On the server. A relative one counts from the folder of the config file; one that is missing is made."
          />
        )}
        <CheckField {...READ_ONLY} checked={readOnly} onChange={(event) => setReadOnly(event.target.checked)} />
        <CheckField {...DEFAULT} checked={isDefault} onChange={(event) => setDefault(event.target.checked)} />
      </Planned>
    </Overlay>
  );
}

const CLAIMS = [
  { value: "", text: "Refuse it: nothing is changed" },
  { value: "adopt", text: "Take it over under the id that it bears" },
  { value: "init", text: "Make it this backend’s own, where its mark is missing" },
] as const;

export function ChangeBackend({ of, open, onClose }: OpenProps & { of: StorageBackend }) {
  const me = useMe();
  const before = accountOf(of);
  const [path, setPath] = useState(of.path ?? "");
  const [account, setAccount] = useState<Account>(before);
  const [claim, setClaim] = useState<(typeof CLAIMS)[number]["value"]>("");
  const [readOnly, setReadOnly] = useState(of.read_only);
  const [isDefault, setDefault] = useState(of.default);
  const place =
    of.type === "s3" ? changed(before, account) : path.trim() !== (of.path ?? "") ? { path: path.trim() } : {};
  const moves = Object.keys(place).length > 0;
  const body = {
    ...place,
    ...(moves && claim ? { claim } : {}),
    ...(readOnly !== of.read_only ? { read_only: readOnly } : {}),
    ...(isDefault && !of.default ? { default: true } : {}),
  };
  return (
    <Overlay open={open} onClose={onClose} title={`Change ${of.name}`} size="wide">
      <Planned
        wish={JSON.stringify(body)}
        call={(how) =>
          answered(
            client.PUT("/_/api/admin/backends/{name}", { params: { path: { name: of.name }, ...under(how) }, body }),
          )
        }
        action="Change it"
        refused="The backend was not changed"
        said={`${of.name} is changed`}
        onClose={onClose}
        onDone={onClose}
      >
        {of.type === "s3" ? (
          <AccountFields value={account} onChange={setAccount} locked={!me.may("config:secrets")} known />
        ) : (
          <TextField
            label="Directory"
            required
            value={path}
            readOnly={!me.may("config:secrets")}
            onChange={(event) => setPath(event.target.value)}
          />
        )}
        <p className="quiet small">
          {of.buckets > 0
            ? `${count(of.buckets, "bucket")} ${of.buckets === 1 ? "lies" : "lie"} here. Another place moves no objects.`
            : "Another place moves no objects."}
        </p>
        {moves ? (
          <SelectField
            label="If the place bears another backend’s mark, or none"
            value={claim}
            options={CLAIMS}
            onChange={setClaim}
          />
        ) : null}
        <CheckField {...READ_ONLY} checked={readOnly} onChange={(event) => setReadOnly(event.target.checked)} />
        <CheckField
          {...DEFAULT}
          hint={of.default ? "To change this, make another backend the default." : DEFAULT.hint}
          checked={isDefault}
          disabled={of.default}
          onChange={(event) => setDefault(event.target.checked)}
        />
      </Planned>
    </Overlay>
  );
}

export function RemoveBackend({ of, open, onClose }: OpenProps & { of: StorageBackend }) {
  return (
    <Overlay open={open} onClose={onClose} title={`Remove ${of.name}?`}>
      <Planned
        wish={of.name}
        call={(how) =>
          answered(
            client.DELETE("/_/api/admin/backends/{name}", { params: { path: { name: of.name }, ...under(how) } }),
          )
        }
        action={`Remove ${of.name}`}
        destroys
        refused="The backend was not removed"
        said={`${of.name} is removed`}
        onClose={onClose}
        onDone={onClose}
      >
        <p>
          The server forgets this place. What lies there is not touched, and its keys stay in the keyring, so it can be
          added again.
        </p>
        {of.buckets > 0 ? (
          <p>
            <strong>{count(of.buckets, "bucket")}</strong> {of.buckets === 1 ? "is" : "are"} routed to it: route{" "}
            {of.buckets === 1 ? "it" : "them"} elsewhere first.
          </p>
        ) : null}
      </Planned>
    </Overlay>
  );
}
