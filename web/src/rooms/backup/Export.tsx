// Makes a Full Backup and hands it to the browser: in clear, or encrypted on the server before it leaves.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import { client } from "../../api/client";
import { Problem } from "../../api/problem";
import { status as statusQuery } from "../../api/queries";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { PasswordField, SelectField, TextField } from "../../ui/Field";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Ago, bytes, Exact } from "../../ui/Time";

/** `configured`: whoever may not read secrets gets what the configuration encrypts to. */
type How = "clear" | "passphrase" | "recipients" | "configured";

export function Export() {
  const me = useMe();
  const queries = useQueryClient();
  const may = me.may("backup:export-secrets") || me.may("backup:export");
  const status = useQuery({ ...statusQuery, enabled: me.may("system:read") });
  const last = status.data?.last_backup;
  const [how, setHow] = useState<How>(me.may("backup:export-secrets") ? "clear" : "configured");
  const [passphrase, setPassphrase] = useState("");
  const [recipients, setRecipients] = useState("");
  const run = useMutation({
    mutationFn: () => download(how, passphrase, recipients),
    onSettled: () => queries.invalidateQueries(),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!run.isPending) run.mutate();
  };
  return (
    <section className="card" aria-labelledby="export">
      <div className="card-head">
        <h2 id="export">Export</h2>
        {last ? (
          <span className="quiet small">
            Last <Ago at={last.at} />
          </span>
        ) : last === null ? (
          <span className="pill pill-warn">None yet</span>
        ) : null}
      </div>
      <form className="card-body stack" onSubmit={submit}>
        <p>A Full Backup rebuilds this server on an empty host, in one step.</p>
        {last ? (
          <dl className="facts">
            <dt>Last file</dt>
            <dd>
              <code>{last.filename}</code>, {bytes(last.bytes)}
            </dd>
            <dt>Made by</dt>
            <dd>
              {last.actor === "$bootstrap" ? "Bootstrap admin" : last.actor}, <Exact at={last.at} />
            </dd>
            <dt>SHA-256</dt>
            <dd>
              <code className="small">{last.sha256}</code>
            </dd>
            <dt>Since then</dt>
            <dd>{last.changed_since ? "something has changed" : "nothing has changed"}</dd>
          </dl>
        ) : null}
        {me.may("backup:export-secrets") ? (
          <SelectField
            label="Protection"
            value={how}
            onChange={setHow}
            options={[
              { value: "clear", text: "None: keep the file safe yourself" },
              { value: "passphrase", text: "A passphrase" },
              { value: "recipients", text: "age recipients" },
            ]}
          />
        ) : null}
        {how === "clear" ? (
          <Notice tone="warn">
            <p>
              The file holds <strong>every secret in clear</strong>: keep it as safe as the server itself.
            </p>
          </Notice>
        ) : how === "passphrase" ? (
          <PasswordField
            label="Passphrase"
            required
            minLength={8}
            autoComplete="new-password"
            value={passphrase}
            onChange={(event) => setPassphrase(event.target.value)}
            hint="Nobody can open the file without it, and nobody can read it out of here."
          />
        ) : how === "recipients" ? (
          <TextField
            label="Recipients"
            required
            placeholder="age1…"
            value={recipients}
            onChange={(event) => setRecipients(event.target.value)}
            hint="Public keys of age, separated by spaces. Only their identities open the file."
          />
        ) : (
          <p className="quiet">
            The file is encrypted to <code>backup.recipients</code> of the configuration.
          </p>
        )}
        {run.error ? <ProblemNotice error={run.error} title="No backup was made" /> : null}
        {run.data ? (
          <Notice tone="good" title="Downloaded" live>
            <p className="wrap-anywhere">
              <code>{run.data.name}</code>, {bytes(run.data.size)}
            </p>
          </Notice>
        ) : null}
        <div>
          <Button type="submit" look="primary" busy={run.isPending} disabled={!may}>
            <Download size={16} aria-hidden /> Export backup
          </Button>
        </div>
        {may ? null : (
          <p className="quiet small">
            Needs the right <code>backup:export-secrets</code>.
          </p>
        )}
      </form>
    </section>
  );
}

async function download(how: How, passphrase: string, recipients: string): Promise<{ name: string; size: number }> {
  const params =
    how === "passphrase"
      ? { header: { "X-DGP-Backup-Passphrase": passphrase } }
      : how === "recipients"
        ? { query: { recipient: recipients.split(/[\s,]+/).filter(Boolean) } }
        : {};
  const { data: blob, error, response } = await client.GET("/_/api/admin/backup", { params, parseAs: "blob" });
  if (!blob) throw Problem.of(response, error);
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "dgp-backup.zip";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken it over when the click returns; some begin reading a little later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return { name, size: blob.size };
}
