// The way out of a locked start that needs no archive: the password or the hash that the database was keyed by.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import type { DbRecovered } from "../../api/types";
import { Button, Segments } from "../../ui/Button";
import { PasswordField } from "../../ui/Field";
import { Notice, ProblemNotice } from "../../ui/Notice";

type By = "password" | "hash";

export function RecoverDb({ onOpened }: { onOpened: (opened: DbRecovered) => void }) {
  const [by, setBy] = useState<By>("password");
  const [secret, setSecret] = useState("");
  const queries = useQueryClient();
  const open = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/recover-db", {
          body: by === "password" ? { password: secret } : { hash: secret.trim() },
        }),
      ),
    onSuccess: async (opened) => {
      onOpened(opened);
      await queries.invalidateQueries();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!open.isPending) open.mutate();
  };
  return (
    <section className="card" aria-labelledby="recover">
      <div className="card-head">
        <h2 id="recover">Open the database</h2>
        <Segments
          label="Open with"
          value={by}
          options={[
            { value: "password", text: "Password" },
            { value: "hash", text: "Hash" },
          ]}
          onChange={(next) => {
            setBy(next);
            setSecret("");
            open.reset();
          }}
        />
      </div>
      <form className="card-body stack narrow" onSubmit={submit}>
        <p>
          Nothing is lost: everything is in <code>deltaglider_config.db</code>, which was keyed by another bootstrap
          password than the one in force here.
        </p>
        {by === "password" ? (
          <PasswordField
            label="The password that it was keyed by"
            required
            autoComplete="off"
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
            hint="The bootstrap password of the server that wrote the file. Every way in which it may have been hashed is tried, which can take half a minute."
          />
        ) : (
          <PasswordField
            label="The hash that it was keyed by"
            required
            autoComplete="off"
            placeholder="$argon2id$v=19$…"
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
            hint={
              <>
                The line in <code>.deltaglider_bootstrap_hash</code> of that server, the value of{" "}
                <code>DGP_BOOTSTRAP_PASSWORD_HASH</code>, or <code>bootstrap_password_hash</code> in the{" "}
                <code>secrets.json</code> of its backup.
              </>
            }
          />
        )}
        {open.error ? <ProblemNotice error={open.error} title="It is still locked; nothing was changed" /> : null}
        <div>
          <Button type="submit" look="primary" busy={open.isPending}>
            Open the database
          </Button>
        </div>
      </form>
    </section>
  );
}

/** What it meant that the database was opened: from now on another password may be the one that signs in. */
export function Opened({ of }: { of: DbRecovered }) {
  return (
    <Notice tone="good" title="The database is open" live>
      <p>
        The server answers again, with everything that it held. You are still signed in; every other session has ended.
      </p>
      <p>
        {of.rekeyed
          ? "The file is keyed to the password that this host pins now, which goes on to be the one in force."
          : "The password that opened it is the bootstrap password from now on, also for signing in here."}
      </p>
    </Notice>
  );
}
