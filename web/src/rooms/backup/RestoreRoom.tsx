// A restore before it happens: the archive is verified, its plan is read, and only then somebody confirms.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { FileArchive, FileCheck2 } from "lucide-react";
import { useState } from "react";
import { client, data } from "../../api/client";
import { Problem } from "../../api/problem";
import type { Restored, Verified } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Waiting } from "../../ui/Empty";
import { CheckField, Choices, PasswordField } from "../../ui/Field";
import { sentence } from "../../ui/marked";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { Room } from "../../ui/Room";
import { Ago, bytes, Exact } from "../../ui/Time";
import { count } from "../../ui/words";
import { useDialog } from "../../ui/useDialog";
import { choose, useChosen } from "./chosen";
import { Diff } from "./Diff";
import { DropArchive } from "./DropArchive";
import { Findings } from "./Findings";
import { send, type Wishes } from "./send";
import { tally, total } from "./words";

const CRUMBS = [{ text: "Settings" }, { text: "System" }, { text: "Backup", to: "/settings/system/backup" }] as const;

const PLAIN: Wishes = {
  mode: "full",
  strategy: "replace",
  revive: false,
  hostSettings: false,
  prune: false,
  password: "",
};

export function RestoreRoom() {
  const file = useChosen();
  const me = useMe();
  return (
    <Room title="Restore a backup" crumbs={CRUMBS}>
      {!me.may("backup:restore") ? (
        <Notice tone="warn" title="Not for you">
          <p>
            A restore needs the right <code>backup:restore</code>. Ask an admin.
          </p>
        </Notice>
      ) : file ? (
        // Another file, or the same one dropped again, is another restore.
        <Planned key={`${file.name} ${file.size} ${file.lastModified}`} file={file} />
      ) : (
        <div className="card">
          <div className="card-body">
            <DropArchive onFile={choose} />
          </div>
        </div>
      )}
    </Room>
  );
}

interface Plan {
  verified: Verified;
  plan: Restored;
  /** The state that the plan was made for: a later one needs another plan. */
  version: string;
}

function Planned({ file }: { file: File }) {
  const [wishes, setWishes] = useState(PLAIN);
  const { dialog } = useSearch({ from: "/settings/system/backup/restore" });
  const overlay = useDialog();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const plan = useQuery({
    queryKey: ["plan", file.name, file.size, file.lastModified, wishes],
    queryFn: async (): Promise<Plan> => {
      const verified = await verify(file);
      const { generation } = await data(client.GET("/_/health"));
      return { verified, plan: await send(file, wishes, true, generation), version: generation };
    },
    // A plan is made when it is asked for, and is not kept: it belongs to one moment.
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
    placeholderData: (before) => before,
  });
  const restore = useMutation({
    mutationFn: (of: Plan) => send(file, wishes, false, of.version),
    onSuccess: async (result) => {
      queries.setQueryData(["restore", result.restore_id], result);
      await navigate({
        to: "/settings/system/backup/restores/$restoreId",
        params: { restoreId: result.restore_id },
        replace: true,
      });
      choose(null);
      void queries.invalidateQueries();
    },
    onError: () => overlay.close(),
  });
  const other = (
    <Button onClick={() => choose(null)} disabled={restore.isPending}>
      Another file…
    </Button>
  );
  if (!plan.data || plan.error) {
    return (
      <div className="stack">
        <FileLine file={file} verified={plan.data?.verified} />
        {plan.error ? (
          <Refused
            error={plan.error}
            wishes={wishes}
            onWishes={setWishes}
            onRetry={() => void plan.refetch()}
            other={other}
          />
        ) : (
          <div className="card">
            <Waiting what="the plan: the archive is verified" />
          </div>
        )}
      </div>
    );
  }
  const { plan: planned, verified } = plan.data;
  const sum = total(planned.changes);
  return (
    <div className="stack">
      <FileLine file={file} verified={verified} />
      <Options wishes={wishes} onChange={setWishes} />
      <section className="card" aria-labelledby="plan" aria-busy={plan.isFetching}>
        <div className="card-head">
          <h2 id="plan">What it will do</h2>
          <span className="quiet" role="status">
            {plan.isFetching ? "Planning again…" : sentence(tally(planned.changes, "plan"))}
          </span>
        </div>
        <Diff changes={planned.changes} tense="plan" restart={planned.requires_restart} />
      </section>
      <Findings of={planned} {...(wishes.revive ? {} : { onRevive: () => setWishes({ ...wishes, revive: true }) })} />
      <Sessions mode={wishes.mode} verified={verified} />
      {restore.error ? (
        <ProblemNotice
          error={restore.error}
          title="The restore was refused; nothing was changed"
          {...(stale(restore.error) ? { onRetry: () => void plan.refetch().then(() => restore.reset()) } : {})}
        />
      ) : null}
      <div className="row-apart">
        {other}
        <Button
          look="destroy"
          disabled={plan.isFetching || plan.isPlaceholderData}
          onClick={() => overlay.show("confirm")}
        >
          Restore…
        </Button>
      </div>
      <Confirm
        open={dialog === "confirm"}
        onClose={overlay.close}
        title={wishes.strategy === "replace" ? "Replace the state of this server?" : "Add what is missing?"}
        action="Restore now"
        busy={restore.isPending}
        onConfirm={() => restore.mutate(plan.data)}
      >
        <p>
          {MODES[wishes.mode]}{" "}
          {wishes.strategy === "replace" ? (
            <>
              goes back to <Exact at={verified.manifest.captured_at} />
            </>
          ) : (
            "that this server lacks is added from the archive"
          )}
          , all at once or not at all:
        </p>
        <ul className="bullets">
          {sum.deleted ? (
            <li>
              <strong>{count(sum.deleted, "entry", "entries")}</strong> made since then will be <strong>removed</strong>
            </li>
          ) : null}
          {sum.created ? (
            <li>
              <strong>{count(sum.created, "entry", "entries")}</strong> will come back
            </li>
          ) : null}
          {sum.updated ? (
            <li>
              <strong>{count(sum.updated, "entry", "entries")}</strong> will change
            </li>
          ) : null}
          {sum.config ? (
            <li>
              <strong>{count(sum.config, "setting")}</strong> will change
            </li>
          ) : null}
          {sum.all === 0 ? <li>nothing differs, so nothing visible changes</li> : null}
          <li>everybody but you is signed out</li>
        </ul>
        <p className="quiet">The state of now is kept on the server, as the way back.</p>
      </Confirm>
    </div>
  );
}

function stale(error: unknown): boolean {
  return error instanceof Problem && error.status === 412;
}

async function verify(file: File): Promise<Verified> {
  return data(
    client.POST("/_/api/admin/backup/verify", {
      body: file as unknown as string,
      bodySerializer: (body) => body,
      headers: { "Content-Type": "application/zip" },
    }),
  );
}

function FileLine({ file, verified }: { file: File; verified: Verified | undefined }) {
  const manifest = verified?.manifest;
  return (
    <section className="card" aria-label="The archive">
      <div className="card-body row row-line">
        {verified ? <FileCheck2 size={22} aria-hidden /> : <FileArchive size={22} aria-hidden />}
        <div className="grow">
          <div className="label wrap-anywhere">{file.name}</div>
          <div className="quiet small">
            {bytes(file.size)}
            {manifest ? (
              <>
                {" · "}captured <Exact at={manifest.captured_at} /> (<Ago at={manifest.captured_at} />) by version{" "}
                {manifest.server_version}
              </>
            ) : null}
          </div>
        </div>
        {verified ? <span className="pill pill-good">Verified</span> : null}
      </div>
    </section>
  );
}

function Options({ wishes, onChange }: { wishes: Wishes; onChange: (wishes: Wishes) => void }) {
  return (
    <details className="card fold">
      <summary>
        <span className="label">Options</span>
        <span className="quiet">{describeWishes(wishes)}</span>
      </summary>
      <div className="card-body stack">
        <Choices
          legend="What to restore"
          name="mode"
          value={wishes.mode}
          options={[
            { value: "full", title: "Everything", text: "With the bootstrap password of the archive" },
            {
              value: "preserve-bootstrap",
              title: "Everything but the password",
              text: "The bootstrap password of now stays",
            },
            { value: "iam-only", title: "Access only", text: "Users, groups, keys, tokens" },
            { value: "config-only", title: "Configuration only", text: "Settings, backends, buckets" },
          ]}
          onChange={(mode) => onChange({ ...wishes, mode })}
        />
        <Choices
          legend="How"
          name="strategy"
          value={wishes.strategy}
          options={[
            { value: "replace", title: "Back to that time", text: "What was made since then goes" },
            { value: "merge", title: "Add what is missing", text: "Nothing that is here changes" },
          ]}
          onChange={(strategy) => onChange({ ...wishes, strategy })}
        />
        <CheckField
          label="Revive what was revoked since then"
          hint="Users and keys that were disabled or deleted after the capture otherwise come back disabled."
          checked={wishes.revive}
          onChange={(event) => onChange({ ...wishes, revive: event.target.checked })}
        />
        <CheckField
          label="Take over the host settings of the archive"
          hint="Listen address, TLS files and log targets; otherwise this host’s own stay."
          checked={wishes.hostSettings}
          onChange={(event) => onChange({ ...wishes, hostSettings: event.target.checked })}
        />
        <CheckField
          label="Forget buckets that the archive does not know, also those that hold objects"
          hint="Their objects stay on the disk, but cannot be reached until the bucket is registered again."
          checked={wishes.prune}
          onChange={(event) => onChange({ ...wishes, prune: event.target.checked })}
        />
      </div>
    </details>
  );
}

const MODES = {
  full: "Everything",
  "preserve-bootstrap": "Everything but the password",
  "iam-only": "Access only",
  "config-only": "Configuration only",
} as const;

function describeWishes(wishes: Wishes): string {
  const parts = [MODES[wishes.mode], wishes.strategy === "replace" ? "back to that time" : "adding what is missing"];
  if (wishes.revive) parts.push("revoked entries revived");
  if (wishes.hostSettings) parts.push("host settings too");
  if (wishes.prune) parts.push("unknown buckets forgotten");
  return parts.join(", ");
}

function Sessions({ mode, verified }: { mode: Wishes["mode"]; verified: Verified }) {
  const password = mode === "full" && verified.manifest.version >= 2;
  return (
    <Notice tone="info" title="Who stays signed in">
      <p>
        You do. Every other session ends with the restore.
        {password ? " From then on the bootstrap password is the one of the archive." : ""}
      </p>
    </Notice>
  );
}

function Refused(props: {
  error: unknown;
  wishes: Wishes;
  onWishes: (wishes: Wishes) => void;
  onRetry: () => void;
  other: React.ReactNode;
}) {
  const { error, wishes } = props;
  const [password, setPassword] = useState("");
  const mismatch = error instanceof Problem && error.code === "db_key_mismatch";
  const early = error instanceof Problem && error.status === 0;
  return (
    <>
      <ProblemNotice
        error={error}
        title={early ? "The archive was not checked" : "Refused: nothing was changed"}
        {...(early || stale(error) ? { onRetry: props.onRetry } : {})}
      />
      {mismatch ? (
        <form
          className="card"
          onSubmit={(event) => {
            event.preventDefault();
            props.onWishes({ ...wishes, password });
          }}
        >
          <div className="card-body stack">
            <h2>Two ways on from here</h2>
            <PasswordField
              label="The bootstrap password"
              autoComplete="off"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              hint="If it opens both the archive and this host’s pinned hash, the restore can go on."
            />
            <div className="row">
              <Button type="submit" look="primary">
                Plan with this password
              </Button>
              <Button onClick={() => props.onWishes({ ...wishes, mode: "preserve-bootstrap" })}>
                Keep this host’s password instead
              </Button>
            </div>
          </div>
        </form>
      ) : null}
      <div className="row">
        {props.other}
        {wishes === PLAIN ? null : <Button onClick={() => props.onWishes(PLAIN)}>Back to the usual options</Button>}
      </div>
    </>
  );
}
