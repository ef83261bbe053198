// An S3 service of others (moto) on a port of its own: it keeps everything in memory and believes every signature.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { s3 } from "./s3.mjs";

const PAIR = { id: "testing", secret: "testing-secret" };

/** The program: `MOTO_SERVER`, or the one that `tests/all` keeps. */
function program() {
  const cache = process.env.DGP_TOOL_CACHE ?? join(homedir(), ".cache/deltaglider-tools");
  const path = process.env.MOTO_SERVER ?? join(cache, "moto/bin/moto_server");
  if (!existsSync(path)) throw new Error(`there is no moto at ${path}: tests/all --only packages, or MOTO_SERVER`);
  return path;
}

export async function startMoto() {
  const child = spawn(program(), ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  const origin = await new Promise((found, failed) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        const match = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line);
        if (match) found(match[1]);
      });
    }
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`moto ended with ${code}:\n${said.join("\n")}`)));
  });
  const gone = new Promise((over) => child.once("exit", over));
  return {
    origin,
    ...PAIR,
    /** A request of a client that goes there directly. */
    call: (method, path, options) => s3(origin, PAIR, method, path, options),
    async stop() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
