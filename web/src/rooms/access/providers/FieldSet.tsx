// The fields of a sign-in provider, for a new one and for one that is there.

import { CheckField, PasswordField, TextField } from "../../../ui/Field";
import type { Fields } from "./fields";
import { preset } from "./presets";

interface Props {
  fields: Fields;
  onChange: (fields: Fields) => void;
  /** A secret is stored: an empty field keeps it. */
  hasSecret: boolean;
  readOnly?: boolean;
}

export function FieldSet({ fields, onChange, hasSecret, readOnly = false }: Props) {
  const of = preset(fields.type);
  const set = (part: Partial<Fields>) => onChange({ ...fields, ...part });
  return (
    <div className="stack">
      <div className="fields">
        <TextField
          label="Name"
          required
          readOnly={readOnly}
          maxLength={64}
          pattern="[A-Za-z0-9._\-]+"
          title="Letters, digits, - _ ."
          value={fields.name}
          onChange={(event) => set({ name: event.target.value })}
          hint="Part of the sign-in address: letters, digits and - _ ."
        />
        <TextField
          label="Button text"
          readOnly={readOnly}
          placeholder={fields.name}
          value={fields.displayName}
          onChange={(event) => set({ displayName: event.target.value })}
          hint="What the sign-in page says."
        />
      </div>
      <TextField
        label="Issuer"
        required={!of.issuer.fixed}
        readOnly={readOnly || of.issuer.fixed}
        type="url"
        placeholder={of.issuer.placeholder}
        value={fields.issuer}
        onChange={(event) => set({ issuer: event.target.value })}
        hint={of.issuer.fixed ? "Known for this kind." : "The address that the provider’s tokens name as their issuer."}
      />
      <div className="fields">
        <TextField
          label="Client ID"
          required
          readOnly={readOnly}
          value={fields.clientId}
          onChange={(event) => set({ clientId: event.target.value })}
        />
        {readOnly ? null : (
          <PasswordField
            label="Client secret"
            autoComplete="off"
            placeholder={hasSecret ? "stored; leave empty to keep it" : ""}
            value={fields.clientSecret}
            onChange={(event) => set({ clientSecret: event.target.value })}
            hint="Stored encrypted and never shown again."
          />
        )}
      </div>
      <div className="fields">
        <TextField
          label="Allowed domains"
          readOnly={readOnly}
          placeholder="example.com, example.org"
          value={fields.domains}
          onChange={(event) => set({ domains: event.target.value })}
          hint="Of the e-mail address. Empty: any that the provider lets in."
        />
        <TextField
          label="Scopes"
          required
          readOnly={readOnly}
          value={fields.scopes}
          onChange={(event) => set({ scopes: event.target.value })}
        />
      </div>
      <CheckField
        label="The provider must vouch for the e-mail address"
        hint={
          fields.type === "entra"
            ? "Entra does not say whether an address is verified: with this nobody gets in."
            : "Otherwise somebody could claim an address that is not theirs."
        }
        disabled={readOnly}
        checked={fields.verified}
        onChange={(event) => set({ verified: event.target.checked })}
      />
      <CheckField
        label="Make a user for everybody who signs in for the first time"
        hint="What they may do comes from mapping rules; without one, nothing. Otherwise an admin binds each person by hand."
        disabled={readOnly}
        checked={fields.provision}
        onChange={(event) => set({ provision: event.target.checked })}
      />
    </div>
  );
}
