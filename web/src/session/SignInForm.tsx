// The form that proves who one is: by the bootstrap password or by a key pair.

import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type SyntheticEvent } from "react";
import { client, data } from "../api/client";
import { Problem } from "../api/problem";
import { Button, Segments } from "../ui/Button";
import { PasswordField, TextField } from "../ui/Field";
import { ProblemNotice } from "../ui/Notice";

export type Way = "password" | "key";

interface Props {
  way: Way;
  onWay: (way: Way) => void;
  onSignedIn: () => void;
  action?: string;
  hint?: boolean;
}

export function SignInForm({ way, onWay, onSignedIn, action = "Sign in", hint = false }: Props) {
  const [password, setPassword] = useState("");
  const [keyId, setKeyId] = useState("");
  const [secret, setSecret] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const signIn = useMutation({
    mutationFn: () =>
      way === "password"
        ? data(client.POST("/_/api/admin/login", { body: { password } }))
        : data(
            client.POST("/_/api/admin/login-as", {
              body: { access_key_id: keyId.trim(), secret_access_key: secret.trim() },
            }),
          ),
    onSuccess: () => {
      setPassword("");
      setSecret("");
      onSignedIn();
    },
    onError: () => {
      const field = form.current?.querySelector<HTMLInputElement>("input[data-secret]");
      field?.focus();
      field?.select();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!signIn.isPending) signIn.mutate();
  };
  return (
    <form ref={form} className="stack" onSubmit={submit}>
      <Segments
        label="Sign in with"
        value={way}
        onChange={(next) => {
          signIn.reset();
          onWay(next);
        }}
        options={[
          { value: "password", text: "Password" },
          { value: "key", text: "Access key" },
        ]}
      />
      {way === "password" ? (
        <>
          {/* Password managers file a password under a name. */}
          <input type="text" name="username" autoComplete="username" value="bootstrap" readOnly hidden />
          <PasswordField
            label="Bootstrap password"
            name="password"
            autoComplete="current-password"
            required
            autoFocus
            data-secret
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            hint={
              hint ? (
                <>
                  On the first start the server wrote it to its log, once, as <code>bootstrap password: …</code>
                </>
              ) : undefined
            }
          />
        </>
      ) : (
        <>
          <TextField
            label="Access key ID"
            name="access-key-id"
            autoComplete="username"
            required
            autoFocus
            value={keyId}
            onChange={(event) => setKeyId(event.target.value)}
          />
          <PasswordField
            label="Secret access key"
            name="secret-access-key"
            autoComplete="current-password"
            required
            data-secret
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
          />
        </>
      )}
      {signIn.error ? (
        <ProblemNotice error={signIn.error} title={wrong(signIn.error, way)} hint={advice(signIn.error, way)} />
      ) : null}
      <Button type="submit" look="primary" wide busy={signIn.isPending}>
        {action}
      </Button>
    </form>
  );
}

/** Where the right one may be found; the server does not know what people forget. */
function advice(error: unknown, way: Way): string | undefined {
  if (!(error instanceof Problem) || error.code !== "wrong_credentials") return undefined;
  return way === "password"
    ? "after a full restore it is the password of the archive; DGP_BOOTSTRAP_PASSWORD_HASH pins another one."
    : "look at the pair once more, or let an admin rotate it.";
}

/** The one error that everybody meets says at once what it is. */
function wrong(error: unknown, way: Way): string {
  const code = error instanceof Problem ? error.code : "";
  if (code === "wrong_credentials") return way === "password" ? "Wrong password" : "Wrong key pair";
  if (code === "too_many_requests") return "Too many tries";
  return "Could not sign in";
}
