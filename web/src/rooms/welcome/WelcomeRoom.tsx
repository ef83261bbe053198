// The first run: storage, a bucket, a key, and what to paste into a client. Or a restore instead of all that.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ArchiveRestore, Rocket } from "lucide-react";
import { useEffect, useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import { ready as readyQuery } from "../../api/queries";
import type { User } from "../../api/types";
import glider from "../../glider.svg";
import type { WelcomeStep } from "../../router";
import { useMe } from "../../session/useMe";
import { Button, buttonClass } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { TextField } from "../../ui/Field";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Ago } from "../../ui/Time";
import { rulesFrom, template } from "../access/rules";
import { SecretOnce } from "../access/Secret";

const STEPS: readonly { id: WelcomeStep; text: string }[] = [
  { id: "start", text: "Begin" },
  { id: "storage", text: "Storage" },
  { id: "key", text: "Bucket and key" },
  { id: "done", text: "Connect" },
];

export function WelcomeRoom() {
  const { step: asked = "start" } = useSearch({ from: "/welcome" });
  const [made, setMade] = useState<{ user: User; bucket: string } | null>(null);
  const navigate = useNavigate({ from: "/welcome" });
  // The secret is not in the URL: after a reload the last step has nothing to show.
  const step = asked === "done" && !made ? "key" : asked;
  const at = STEPS.findIndex((each) => each.id === step);
  const go = (to: WelcomeStep) => void navigate({ search: { step: to } });
  useEffect(() => {
    document.title = "Set up · DeltaGlider Proxy";
  }, []);
  return (
    <main className="alone alone-top" id="room" tabIndex={-1}>
      <div className="alone-brand">
        <img src={glider} alt="" /> DeltaGlider Proxy
      </div>
      <div className="alone-wide">
        <div className="row-apart">
          <ol className="steps" aria-label="Steps">
            {STEPS.map((each, index) => (
              <li key={each.id} aria-current={each.id === step ? "step" : undefined} data-done={index < at}>
                {each.text}
              </li>
            ))}
          </ol>
          {step === "done" ? null : <Link to="/">Skip the setup</Link>}
        </div>
        {step === "start" ? <Start onNew={() => go("storage")} /> : null}
        {step === "storage" ? <Storage onNext={() => go("key")} /> : null}
        {step === "key" ? (
          <Key
            onMade={(user, bucket) => {
              setMade({ user, bucket });
              void navigate({ search: { step: "done" }, replace: true });
            }}
          />
        ) : null}
        {step === "done" && made ? (
          <section className="card">
            <div className="dialog-head">
              <h1>Connect a client</h1>
            </div>
            <SecretOnce
              pair={{
                accessKeyId: made.user.access_key_id ?? "",
                secret: made.user.secret_access_key ?? "",
                bucket: made.bucket,
                create: true,
              }}
              done="I have saved the secret: go to the console"
              onDone={() => void navigate({ to: "/", replace: true })}
            />
          </section>
        ) : null}
      </div>
    </main>
  );
}

function Start({ onNew }: { onNew: () => void }) {
  const me = useMe();
  return (
    <>
      <div>
        <h1>Welcome</h1>
        <p className="quiet">
          This server has no users yet. Set it up in three steps, or bring one back from a backup.
        </p>
      </div>
      <div className="columns columns-small">
        <section className="card">
          <div className="card-body stack">
            <Rocket size={24} strokeWidth={1.5} aria-hidden />
            <div>
              <h2>A new server</h2>
              <p className="quiet">See where objects go, make a bucket and a key, connect a client.</p>
            </div>
            <div>
              <Button look="primary" disabled={!me.may("iam:write") || me.locked} onClick={onNew}>
                Set up
              </Button>
            </div>
          </div>
        </section>
        <section className="card">
          <div className="card-body stack">
            <ArchiveRestore size={24} strokeWidth={1.5} aria-hidden />
            <div>
              <h2>Restore a backup</h2>
              <p className="quiet">One archive brings back users, keys, buckets, configuration and the old password.</p>
            </div>
            <div>
              <Link to="/settings/system/backup/restore" className={buttonClass()}>
                Restore…
              </Link>
            </div>
          </div>
        </section>
      </div>
    </>
  );
}

function Storage({ onNext }: { onNext: () => void }) {
  const ready = useQuery(readyQuery);
  return (
    <section className="card" aria-labelledby="storage">
      <div className="dialog-head">
        <div>
          <h1 id="storage">Where objects go</h1>
          <p className="quiet">
            Objects are plain files on these backends, each with its metadata in an extended attribute.
          </p>
        </div>
      </div>
      <div className="dialog-body stack">
        {ready.error ? <ProblemNotice error={ready.error} onRetry={() => void ready.refetch()} /> : null}
        {ready.data ? (
          <div className="card">
            {ready.data.backends.map((backend) => (
              <div key={backend.name} className="list-row">
                <strong className="grow wrap-anywhere">{backend.name}</strong>
                <span className="quiet small">
                  {backend.last_success ? (
                    <>
                      last I/O <Ago at={backend.last_success} />
                    </>
                  ) : (
                    "not used yet"
                  )}
                </span>
                <span className={backend.up ? "pill pill-good" : "pill pill-bad"}>{backend.up ? "Up" : "Down"}</span>
                {backend.reason ? <span className="wrap-anywhere">{backend.reason}</span> : null}
              </div>
            ))}
          </div>
        ) : ready.error ? null : (
          <Waiting what="backends" />
        )}
        <Notice tone="info" title="Another place?">
          <p>
            Set <code>storage.filesystem</code> in the configuration file, or <code>DGP_DATA_DIR</code>, to a directory
            on a file system with extended attributes, and start the server again. Do it now: moving objects later is
            work.
          </p>
        </Notice>
      </div>
      <div className="dialog-foot">
        <Button look="primary" onClick={onNext}>
          This is fine
        </Button>
      </div>
    </section>
  );
}

function Key({ onMade }: { onMade: (user: User, bucket: string) => void }) {
  const [bucket, setBucket] = useState("");
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/users", {
          body: { name: name.trim(), permissions: rulesFrom(template("owner"), bucket) },
        }),
      ),
    onSuccess: (user) => {
      void queries.invalidateQueries();
      onMade(user, bucket.trim());
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!create.isPending) create.mutate();
  };
  return (
    <form className="card" onSubmit={submit} aria-labelledby="key">
      <div className="dialog-head">
        <div>
          <h1 id="key">A bucket and a key</h1>
          <p className="quiet">
            The first user owns one bucket: it may create it and do everything in it, and nothing else.
          </p>
        </div>
      </div>
      <div className="dialog-body stack">
        <TextField
          label="Bucket"
          required
          autoFocus
          minLength={3}
          maxLength={63}
          pattern="[a-z0-9][a-z0-9.\-]*[a-z0-9]"
          title="3 to 63 lower-case letters, digits, dots and hyphens"
          placeholder="ci-builds"
          value={bucket}
          onChange={(event) => setBucket(event.target.value)}
          hint="Lower-case letters, digits and hyphens."
        />
        <TextField
          label="User"
          required
          maxLength={64}
          placeholder="ci-uploader"
          value={name}
          onChange={(event) => setName(event.target.value)}
          hint="What audit rows will call it."
        />
        {create.error ? <ProblemNotice error={create.error} title="The user was not created" /> : null}
      </div>
      <div className="dialog-foot">
        <Button type="submit" look="primary" busy={create.isPending}>
          Create the key
        </Button>
      </div>
    </form>
  );
}
