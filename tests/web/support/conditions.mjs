// How a run may differ from the usual one, by environment: to work on the console without a compiler, and to find races.
//
//   DGP_CONSOLE=web/dist   the console's files come from this folder, not from the binary
//   DGP_SLOW=800           each answer of the API comes up to so many milliseconds late, each by another time
//   DGP_THROTTLE=6         the page's processor is so many times slower

import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { extname, join, resolve } from "node:path";

const { DGP_CONSOLE, DGP_SLOW, DGP_THROTTLE } = process.env;
const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Sets up a page, and the context that it is the only one of. */
export async function pageConditions(page) {
  if (DGP_SLOW) await page.context().route("**/_/api/**", late);
  if (!DGP_THROTTLE) return;
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Emulation.setCPUThrottlingRate", { rate: Number(DGP_THROTTLE) });
}

async function late(route) {
  await new Promise((over) => setTimeout(over, Math.random() * Number(DGP_SLOW)));
  // A page that was left meanwhile waits for nothing any more.
  await route.continue().catch(() => undefined);
}

/** What stands before a server: nothing, or what gives a folder's files as the console. `null` or `{ origin, stop }`. */
export async function front(origin) {
  if (!DGP_CONSOLE) return null;
  const folder = resolve(DGP_CONSOLE);
  const { hostname, port } = new URL(origin);
  const http = createServer((asked, answer) => {
    const { method, headers, url: path } = asked;
    const on = request({ hostname, port, method, headers, path }, (got) => void give(asked, got, answer, folder));
    on.on("error", () => answer.destroy());
    answer.on("close", () => on.destroy());
    asked.pipe(on);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    origin: `http://127.0.0.1:${http.address().port}`,
    stop() {
      http.closeAllConnections();
      http.close();
    },
  };
}

async function give(asked, got, answer, folder) {
  const path = new URL(asked.url, "http://here").pathname;
  const page = got.headers["content-type"]?.startsWith("text/html") && path.startsWith("/_/");
  const name = page ? "index.html" : path.slice(3);
  const file = join(folder, name);
  const own = asked.method === "GET" && (page || (path.startsWith("/_/assets/") && existsSync(file)));
  if (!own) {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
    return;
  }
  got.resume();
  const coded = existsSync(`${file}.br`);
  // A binary without a console answers with a page of its own, whose policy names the hash of its style.
  const policy = got.headers["content-security-policy"]?.replace(/style-src '[^']+'/, "style-src 'self'");
  answer.writeHead(200, {
    ...(policy ? { "content-security-policy": policy } : {}),
    ...(coded ? { "content-encoding": "br" } : {}),
    "content-type": KINDS[extname(name)] ?? "application/octet-stream",
    "cache-control": "no-cache",
  });
  answer.end(await readFile(coded ? `${file}.br` : file));
}
