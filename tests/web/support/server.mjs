// The real server in a directory of its own, on a port that the system chose.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { front } from "./conditions.mjs";

export const PASSWORD = "browser-test-password-1";

const tree = resolve(import.meta.dirname, "../../..");

/** The binary under test: `DGP_BINARY`, or what Cargo built last for release. */
export function binary() {
  const path =
    process.env.DGP_BINARY ?? join(process.env.CARGO_TARGET_DIR ?? join(tree, "target"), "release/deltaglider_proxy");
  if (!existsSync(path)) throw new Error(`there is no server at ${path}: build it, or name one with DGP_BINARY`);
  return path;
}

/** The hash of a password, as the server keeps it. */
export function hashOf(password) {
  return execFileSync(binary(), ["hash-password"], { input: `${password}\n`, encoding: "utf8" }).trim();
}

/** Starts a host, in a fresh directory or in one that an earlier host left; `stop` ends it and takes its directory away. */
export async function startServer({ password = PASSWORD, env = {}, config, directory } = {}) {
  directory ??= await mkdtemp(join(tmpdir(), "dgp-console-"));
  if (config) await writeFile(join(directory, "config.yaml"), config, { mode: 0o600 });
  const variables = { ...process.env, ...env, RUST_BACKTRACE: "0" };
  for (const name of Object.keys(variables)) {
    if (name.startsWith("DGP_")) delete variables[name];
  }
  Object.assign(variables, password === null ? {} : { DGP_BOOTSTRAP_PASSWORD: password }, env);
  const child = spawn(binary(), ["--listen", "127.0.0.1:0"], {
    cwd: directory,
    env: variables,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = [];
  const address = new Promise((found, failed) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        log.push(line);
        const match = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line);
        if (match) found(match[1]);
      });
    }
    child.once("exit", (code) =>
      failed(new Error(`the server ended with ${code} before it listened:\n${log.join("\n")}`)),
    );
  });
  const listening = await address;
  const before = await front(listening);
  const origin = before?.origin ?? listening;
  return {
    origin,
    directory,
    log,
    /** The password that the first start made and wrote to its log. */
    loggedPassword: () => log.map((line) => /bootstrap password: (\S+)/.exec(line)?.[1]).find(Boolean),
    async stop({ keep = false } = {}) {
      before?.stop();
      const ended = child.exitCode === null ? once(child, "exit") : null;
      child.kill("SIGTERM");
      await ended;
      if (!keep) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A session of the admin API beside the browser's. */
export async function signInApi(origin, password = PASSWORD) {
  const answer = await fetch(`${origin}/_/api/admin/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ password }),
  });
  if (!answer.ok) throw new Error(`sign-in by API: ${answer.status} ${await answer.text()}`);
  const cookie = answer.headers.getSetCookie()[0].split(";")[0];
  return async (method, path, body, headers = {}) => {
    const json = body !== undefined && !(body instanceof Uint8Array);
    const response = await fetch(`${origin}/_/api/admin${path}`, {
      method,
      headers: { ...headers, Cookie: cookie, ...(json ? { "Content-Type": "application/json" } : {}) },
      body: json ? JSON.stringify(body) : body,
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const type = response.headers.get("content-type") ?? "";
    const data = type.includes("json") && bytes.length > 0 ? JSON.parse(new TextDecoder().decode(bytes)) : bytes;
    if (!response.ok)
      throw Object.assign(new Error(`${method} ${path}: ${response.status} ${JSON.stringify(data)}`), {
        status: response.status,
        data,
      });
    return data;
  };
}
