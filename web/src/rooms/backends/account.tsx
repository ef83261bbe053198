// An S3 account as it is typed: where it is, what requests are signed for, and with which key pair.

import type { StorageBackend } from "../../api/types";
import { PasswordField, TextField } from "../../ui/Field";

export interface Account {
  endpoint: string;
  region: string;
  access_key_id: string;
  secret_access_key: string;
}

export const NO_ACCOUNT: Account = { endpoint: "", region: "", access_key_id: "", secret_access_key: "" };

/** As the server shows it: the secret half it shows to nobody. */
export function accountOf(of: StorageBackend): Account {
  const { endpoint, region, access_key_id } = of;
  return {
    endpoint: endpoint ?? "",
    region: region ?? "",
    access_key_id: access_key_id ?? "",
    secret_access_key: "",
  };
}

const FIELDS = ["endpoint", "region", "access_key_id", "secret_access_key"] as const;

/** What is to be sent of a new one: what is empty has a default. */
export function given(account: Account): Partial<Account> {
  return Object.fromEntries(
    FIELDS.map((field) => [field, account[field].trim()]).filter(([, text]) => text !== ""),
  ) as Partial<Account>;
}

/** What is to be sent of one that is there: an endpoint that was taken away is AWS's own. */
export function changed(before: Account, now: Account): Partial<Account> {
  return Object.fromEntries(
    FIELDS.map((field) => [field, now[field].trim()] as const).filter(([field, text]) => text !== before[field]),
  );
}

interface Props {
  value: Account;
  onChange: (value: Account) => void;
  locked?: boolean;
  /** It has a key pair already. */
  known?: boolean;
}

export function AccountFields({ value, onChange, locked = false, known = false }: Props) {
  const field = (name: keyof Account) => ({
    value: value[name],
    readOnly: locked,
    onChange: (event: { target: { value: string } }) => onChange({ ...value, [name]: event.target.value }),
  });
  return (
    <>
      <TextField
        label="Endpoint"
        {...field("endpoint")}
        inputMode="url"
        placeholder="https://s3.example.com"
        hint="Empty: AWS’s own of the region. Buckets are named in the path of requests."
      />
      <div className="fields">
        <TextField
          label="Region"
          {...field("region")}
          placeholder="us-east-1"
          hint="What requests are signed for, as the service wants it."
        />
        <TextField
          label="Access key ID"
          {...field("access_key_id")}
          required
          hint="It must be allowed to list, make and remove buckets, and everything in them."
        />
      </div>
      {locked ? null : (
        <PasswordField
          label="Secret access key"
          {...field("secret_access_key")}
          required={!known}
          autoComplete="off"
          hint={
            (known ? "Empty: as it is. " : "") +
            "It goes into the encrypted config database and every Full Backup, never into the config file, and is shown to nobody."
          }
        />
      )}
    </>
  );
}
