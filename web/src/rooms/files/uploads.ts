// Uploads under way: they go on while one looks around in the console, and end with the page.

import { useSyncExternalStore } from "react";
import { Problem } from "../../api/problem";
import { askToSignIn } from "../../api/reauth";
import type { Chosen } from "./chosen";

/** `exists`: there is an object of that name, which is replaced only when somebody says so. */
export type State = "waiting" | "sending" | "done" | "exists" | "failed" | "stopped";

export interface Upload {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
  readonly file: File;
  readonly sent: number;
  readonly state: State;
  readonly replace: boolean;
  readonly problem?: Problem;
}

/** So many at once: more would only share the same line. */
const AT_ONCE = 3;

/** The most that the server takes in one request. */
const LARGEST = 5 * 2 ** 30;
/** Whether there is an object of that name is asked before so many bytes are sent for nothing. */
const WORTH_ASKING = 4 * 2 ** 20;

let all: readonly Upload[] = [];
let last = 0;
const requests = new Map<number, { abort: () => void }>();
const watchers = new Set<() => void>();

export function useUploads(bucket: string): readonly Upload[] {
  const uploads = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => all,
  );
  return uploads.filter((upload) => upload.bucket === bucket);
}

export function active(of: Upload): boolean {
  return of.state === "waiting" || of.state === "sending";
}

export function begin(bucket: string, prefix: string, chosen: readonly Chosen[]): void {
  const added = chosen.map(({ file, path }): Upload => {
    const upload = { id: ++last, bucket, key: prefix + path, file, sent: 0, replace: false };
    return file.size > LARGEST ? { ...upload, state: "failed", problem: TOO_LARGE } : { ...upload, state: "waiting" };
  });
  set([...all, ...added]);
}

const TOO_LARGE = new Problem({
  status: 413,
  code: "entity_too_large",
  title: "Too large",
  detail: "a browser uploads at most 5 GiB in one piece",
  hint: "use a client that uploads in parts, such as `aws s3 cp`",
});

/** Sends it again; one that was there already, in place of that. */
export function again(of: Upload): void {
  const { id, bucket, key, file } = of;
  const replace = of.replace || of.state === "exists";
  edit(id, () => ({ id, bucket, key, file, replace, state: "waiting", sent: 0 }));
}

export function stop(of: Upload): void {
  edit(of.id, (now) => ({ ...now, state: "stopped" }));
  requests.get(of.id)?.abort();
}

/** Takes what has ended off the list. */
export function clear(bucket: string): void {
  set(all.filter((upload) => upload.bucket !== bucket || active(upload)));
}

function edit(id: number, change: (now: Upload) => Upload): void {
  set(all.map((upload) => (upload.id === id ? change(upload) : upload)));
}

function set(next: readonly Upload[]): void {
  all = next;
  window.onbeforeunload = all.some(active) ? (event) => event.preventDefault() : null;
  for (const watcher of watchers) watcher();
  for (const upload of all.filter((each) => each.state === "waiting")) {
    if (requests.size >= AT_ONCE) return;
    if (!requests.has(upload.id)) start(upload);
  }
}

function addressOf(upload: Upload, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ key: upload.key, ...more });
  return `/_/api/admin/buckets/${encodeURIComponent(upload.bucket)}/object?${query.toString()}`;
}

function start(upload: Upload): void {
  if (upload.replace || upload.file.size < WORTH_ASKING) send(upload);
  else void look(upload);
}

/** Whatever else is wrong, the upload itself will say. */
async function look(upload: Upload): Promise<void> {
  const asked = new AbortController();
  requests.set(upload.id, asked);
  edit(upload.id, (now) => ({ ...now, state: "sending" }));
  const there = await fetch(addressOf(upload), { signal: asked.signal }).then(
    (answer) => answer.ok,
    () => false,
  );
  if (asked.signal.aborted) ended(upload.id, (now) => now);
  else if (there) ended(upload.id, (now) => ({ ...now, state: "exists" }));
  else send(upload);
}

/** `fetch` does not tell how much was sent; this older way does. */
function send(upload: Upload): void {
  const request = new XMLHttpRequest();
  requests.set(upload.id, request);
  request.open("PUT", addressOf(upload, upload.replace ? {} : { overwrite: "false" }));
  request.setRequestHeader("Content-Type", upload.file.type || "application/octet-stream");
  request.upload.onprogress = ({ loaded }) => edit(upload.id, (now) => ({ ...now, sent: loaded }));
  request.onload = () => {
    if (request.status >= 200 && request.status < 300) {
      ended(upload.id, (now) => ({ ...now, sent: now.file.size, state: "done" }));
    } else {
      refused(upload.id, problemOf(request));
    }
  };
  request.onerror = () => refused(upload.id, Problem.from(null));
  request.onabort = () => ended(upload.id, (now) => now);
  edit(upload.id, (now) => ({ ...now, state: "sending" }));
  request.send(upload.file);
}

function ended(id: number, change: (now: Upload) => Upload): void {
  requests.delete(id);
  edit(id, change);
}

function refused(id: number, problem: Problem): void {
  const state = problem.code === "object_exists" ? "exists" : "failed";
  ended(id, (now) => ({ ...now, state, sent: 0, problem }));
  if (problem.status !== 401) return;
  // The session ended under it: whoever signs in again goes on where it broke off.
  void askToSignIn("ended").then((signedIn) => {
    const now = all.find((upload) => upload.id === id);
    if (signedIn && now?.state === "failed") again(now);
  });
}

function problemOf(request: XMLHttpRequest): Problem {
  const requestId = request.getResponseHeader("x-request-id");
  const headers = requestId === null ? {} : { "x-request-id": requestId };
  let body: unknown = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // Not ours: the problem says so.
  }
  return Problem.of(new Response(null, { status: request.status, headers }), body);
}
