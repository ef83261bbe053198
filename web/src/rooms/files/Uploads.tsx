// What is being uploaded into this bucket: how far it is, what did not go, and what can be done about that.

import { Button } from "../../ui/Button";
import { marked, sentence, stopped } from "../../ui/marked";
import { bytes } from "../../ui/Time";
import { count } from "../../ui/words";
import { active, again, clear, stop, type Upload } from "./uploads";

/** More rows than this are not read by anybody. */
const MOST = 50;

export function Uploads({ of, bucket }: { of: readonly Upload[]; bucket: string }) {
  if (of.length === 0) return null;
  const busy = of.filter(active);
  const done = of.filter((upload) => upload.state === "done").length;
  const exist = of.filter((upload) => upload.state === "exists");
  const failed = of.filter((upload) => upload.state === "failed");
  const total = of.reduce((sum, upload) => sum + upload.file.size, 0);
  const sent = of.reduce((sum, upload) => sum + (upload.state === "done" ? upload.file.size : upload.sent), 0);
  const rows = of.filter((upload) => upload.state !== "done" && upload.state !== "stopped");
  return (
    <section className="card" aria-labelledby="uploads">
      <div className="card-head">
        <h2 id="uploads">Uploads</h2>
        <span className="quiet" role="status">
          {done} of {count(of.length, "file")} uploaded
          {exist.length > 0 ? `, ${exist.length} there already` : ""}
          {failed.length > 0 ? `, ${failed.length} failed` : ""}
        </span>
      </div>
      <div className="card-body stack-small">
        {busy.length > 0 ? (
          <>
            <progress className="upload-progress" aria-label="All uploads" max={Math.max(total, 1)} value={sent} />
            <p className="quiet small">
              {bytes(sent)} of {bytes(total)}. It goes on while you look at other pages of the console; closing this tab
              ends it.
            </p>
          </>
        ) : null}
        <div className="row">
          {busy.length > 0 ? <Button onClick={() => busy.forEach(stop)}>Stop all</Button> : null}
          {exist.length > 1 ? (
            <Button look="danger" onClick={() => exist.forEach(again)}>
              Replace all {exist.length}
            </Button>
          ) : null}
          {failed.length > 1 ? <Button onClick={() => failed.forEach(again)}>Try all again</Button> : null}
          {busy.length === 0 ? <Button onClick={() => clear(bucket)}>Clear the list</Button> : null}
        </div>
      </div>
      {rows.slice(0, MOST).map((upload) => (
        <Row key={upload.id} of={upload} />
      ))}
      {rows.length > MOST ? <p className="card-body quiet">and {rows.length - MOST} more</p> : null}
    </section>
  );
}

function Row({ of }: { of: Upload }) {
  return (
    <div className="list-row" role="group" aria-label={of.key}>
      <div className="grow wrap-anywhere">
        <strong>{of.key}</strong>{" "}
        <span className="quiet small nowrap">
          {of.state === "sending" ? `${bytes(of.sent)} of ` : ""}
          {bytes(of.file.size)}
        </span>
        {of.state === "exists" ? (
          <div className="small">An object of this name is there already: replace it, or keep what is there?</div>
        ) : null}
        {of.state === "failed" && of.problem ? (
          <div className="small">
            {marked(sentence(of.problem.detail))} {of.problem.hint ? marked(stopped(sentence(of.problem.hint))) : null}{" "}
            <code className="quiet">{of.problem.code}</code>
          </div>
        ) : null}
      </div>
      {of.state === "waiting" ? <span className="pill">Waits</span> : null}
      {of.state === "sending" ? <span className="pill pill-accent">Uploads</span> : null}
      {of.state === "exists" ? (
        <>
          <Button small look="danger" aria-label={`Replace ${of.key}`} onClick={() => again(of)}>
            Replace
          </Button>
          <Button small aria-label={`Keep ${of.key}`} onClick={() => stop(of)}>
            Keep
          </Button>
        </>
      ) : null}
      {of.state === "failed" ? (
        <>
          <span className="pill pill-bad">Failed</span>
          <Button small aria-label={`Try again: ${of.key}`} onClick={() => again(of)}>
            Try again
          </Button>
        </>
      ) : null}
      {active(of) ? (
        <Button small look="plain" aria-label={`Stop ${of.key}`} onClick={() => stop(of)}>
          Stop
        </Button>
      ) : null}
    </div>
  );
}
