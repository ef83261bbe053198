// Asks the provider, from the server, whether signing in could work, before anybody tries.

import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, PlugZap } from "lucide-react";
import { client, data } from "../../../api/client";
import type { AuthProvider, ProviderTest } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { marked, sentence, stopped } from "../../../ui/marked";
import { Notice, ProblemNotice } from "../../../ui/Notice";

export function Trial({ provider }: { provider: AuthProvider }) {
  const trial = useMutation({
    mutationFn: () =>
      data(client.POST("/_/api/admin/ext-auth/providers/{id}/test", { params: { path: { id: provider.id } } })),
  });
  return (
    <section className="card" aria-labelledby="trial">
      <div className="card-head">
        <h2 id="trial">Test</h2>
        <Button busy={trial.isPending} onClick={() => trial.mutate()}>
          <PlugZap size={16} aria-hidden /> Ask the provider
        </Button>
      </div>
      <div className="card-body stack">
        {trial.error ? <ProblemNotice error={trial.error} title="The test could not be made" /> : null}
        {trial.data ? (
          <Outcome of={trial.data} enabled={provider.enabled} />
        ) : trial.error ? null : (
          <p className="quiet">
            The server reads the provider’s own description and its keys, with the saved settings. Nobody is signed in.
          </p>
        )}
      </div>
    </section>
  );
}

function Outcome({ of, enabled }: { of: ProviderTest; enabled: boolean }) {
  return (
    <>
      {of.success ? (
        <Notice tone="good" title="The provider answers as it should" live>
          <p>{enabled ? "People can sign in with it." : "Enable it, and the sign-in page offers it."}</p>
        </Notice>
      ) : (
        <Notice tone="bad" title="Signing in would fail" live>
          {of.error ? <p>{marked(sentence(of.error))}</p> : null}
          {of.hint ? (
            <p>
              <strong>What to do:</strong> {marked(stopped(of.hint))}
            </p>
          ) : null}
          {of.code ? (
            <p className="quiet small">
              <code>{of.code}</code>
            </p>
          ) : null}
        </Notice>
      )}
      <ul className="checks">
        {of.checks.map((check) => (
          <li key={check.name}>
            {check.ok ? (
              <CircleCheck size={17} className="yes" aria-hidden />
            ) : (
              <CircleX size={17} className="bad" aria-hidden />
            )}
            <div>
              <span className="sr">{check.ok ? "Good: " : "Wrong: "}</span>
              <span className="label">{check.name.replaceAll("_", " ")}</span>{" "}
              <span className="quiet wrap-anywhere">{marked(check.detail)}</span>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
