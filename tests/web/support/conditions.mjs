// How a run may differ from the usual one, by environment: to work on the console without a compiler, and to find races.
//
//   DGP_CONSOLE=web/dist   the console's files come from this folder, not from the binary
//   DGP_SLOW=800           each answer of the API comes up to so many milliseconds late, each by another time
//   DGP_THROTTLE=6         the page's processor is so many times slower

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join, resolve } from "node:path";

const { DGP_CONSOLE, DGP_SLOW, DGP_THROTTLE } = process.env;
const KINDS = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Sets up a context that no page was opened in yet. */
export async function conditions(context) {
  if (DGP_CONSOLE) await ownFiles(context, resolve(DGP_CONSOLE));
  if (DGP_SLOW) await late(context, Number(DGP_SLOW));
}

/** Sets up a page. */
export async function pageConditions(page) {
  if (!DGP_THROTTLE) return;
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Emulation.setCPUThrottlingRate", { rate: Number(DGP_THROTTLE) });
}

async function ownFiles(context, folder) {
  await context.route(
    (url) => url.pathname.startsWith("/_/") && !url.pathname.startsWith("/_/api/"),
    async (route) => {
      const request = route.request();
      const name = new URL(request.url()).pathname.slice(3);
      const file = join(folder, name);
      if (name.startsWith("assets/") && existsSync(file))
        return route.fulfill({ path: file, contentType: KINDS[extname(file)] });
      if (request.resourceType() !== "document") return route.continue();
      const answer = await route.fetch();
      // A binary without a console answers with a page of its own, whose policy names the hash of its style.
      const policy = answer.headers()["content-security-policy"]?.replace(/style-src '[^']+'/, "style-src 'self'");
      const headers = { ...answer.headers(), "content-security-policy": policy ?? "" };
      const body = await readFile(join(folder, "index.html"));
      return route.fulfill({ response: answer, headers, body });
    },
  );
}

async function late(context, most) {
  await context.route("**/_/api/**", async (route) => {
    await new Promise((over) => setTimeout(over, Math.random() * most));
    // A page that was left meanwhile waits for nothing any more.
    await route.continue().catch(() => undefined);
  });
}
