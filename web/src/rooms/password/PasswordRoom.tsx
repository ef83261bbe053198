// Settings → System → Password: another bootstrap password, which also is what the database opens with.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import { status as statusQuery } from "../../api/queries";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { PasswordField } from "../../ui/Field";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { Ago } from "../../ui/Time";

export function PasswordRoom() {
  const me = useMe();
  const status = useQuery({ ...statusQuery, enabled: me.may("system:read") && !me.locked });
  const known = status.data?.bootstrap_password;
  return (
    <Room
      title="Bootstrap password"
      crumbs={[{ text: "Settings" }, { text: "System" }]}
      about={
        <>
          It signs in here when nothing else does, and opens the configuration database.
          {known?.set_at ? (
            <>
              {" "}
              Set <Ago at={known.set_at} />.
            </>
          ) : null}
        </>
      }
    >
      {known?.logged ? (
        <Notice tone="warn" title="The present one went through a log">
          <p>Whoever reads the log of the first start can sign in with it. Choose another one.</p>
        </Notice>
      ) : null}
      {known?.pinned ? (
        <Notice tone="info" title="Pinned by this host">
          <p>
            The environment or the configuration file gives its hash (<code>DGP_BOOTSTRAP_PASSWORD_HASH</code>), so it
            can only be changed there: make a hash with <code>deltaglider_proxy hash-password</code> and start the
            server again.
          </p>
        </Notice>
      ) : !me.may("admin") ? (
        <Notice tone="warn" title="Not for you">
          <p>Only an admin may change it.</p>
        </Notice>
      ) : (
        <Form />
      )}
    </Room>
  );
}

const SHORTEST = 12;

function Form() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [checked, setChecked] = useState(false);
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: () =>
      data(client.PUT("/_/api/admin/password", { body: { current_password: current, new_password: next } })),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      setAgain("");
      setChecked(false);
      void queries.invalidateQueries();
    },
  });
  const short = next.length < SHORTEST ? `At least ${SHORTEST} characters; a few words are good.` : undefined;
  const differs = next === again ? undefined : "The two are not the same.";
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!short && !differs && !change.isPending) change.mutate();
  };
  return (
    <form className="card narrow" onSubmit={submit}>
      <div className="card-body stack">
        <input type="text" name="username" autoComplete="username" value="bootstrap" readOnly hidden />
        <PasswordField
          label="Current password"
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <PasswordField
          label="New password"
          autoComplete="new-password"
          required
          value={next}
          onChange={(event) => setNext(event.target.value)}
          hint={`${SHORTEST} to 128 characters.`}
          error={checked ? short : undefined}
        />
        <PasswordField
          label="The new one again"
          autoComplete="new-password"
          required
          value={again}
          onChange={(event) => setAgain(event.target.value)}
          error={checked ? differs : undefined}
        />
        {change.error ? <ProblemNotice error={change.error} title="The password was not changed" /> : null}
        {change.isSuccess ? (
          <Notice tone="good" title="The new password is in force" live>
            <p>
              You are still signed in; every other session has ended. A full restore of an older backup brings the older
              password back.
            </p>
          </Notice>
        ) : null}
      </div>
      <div className="card-foot row-apart">
        <span className="quiet small">Everybody but you is signed out.</span>
        <Button type="submit" look="primary" busy={change.isPending}>
          Change the password
        </Button>
      </div>
    </form>
  );
}
