// Asks for what opens an encrypted archive. It is kept in this page alone, and only while it is open.

import { useState, type SyntheticEvent } from "react";
import { Button, Segments } from "../../ui/Button";
import { PasswordField } from "../../ui/Field";
import type { Seal } from "./seal";
import type { Opening } from "./send";

interface Props {
  /** What opens it, where the file says so. */
  seal: Seal | undefined;
  onOpen: (opening: Opening) => void;
}

export function Unlock({ seal, onOpen }: Props) {
  const [chosen, setChosen] = useState<Seal>("passphrase");
  const [secret, setSecret] = useState("");
  const by = seal ?? chosen;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    onOpen({ by, secret: by === "identity" ? secret.trim() : secret });
  };
  return (
    <form className="card" onSubmit={submit} aria-labelledby="unlock">
      <div className="card-head">
        <h2 id="unlock">This archive is encrypted</h2>
        {seal ? null : (
          <Segments
            label="Open with"
            value={chosen}
            options={[
              { value: "passphrase", text: "Passphrase" },
              { value: "identity", text: "Identity" },
            ]}
            onChange={setChosen}
          />
        )}
      </div>
      <div className="card-body stack narrow">
        {by === "passphrase" ? (
          <PasswordField
            label="Passphrase"
            required
            autoComplete="off"
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
            hint="The one that the export was given."
          />
        ) : (
          <PasswordField
            label="Identity"
            required
            autoComplete="off"
            placeholder="AGE-SECRET-KEY-1…"
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
            hint="The secret key of one of the recipients. It is sent to this server for this restore, and stored nowhere."
          />
        )}
        <div>
          <Button type="submit" look="primary">
            Open it
          </Button>
        </div>
      </div>
    </form>
  );
}
