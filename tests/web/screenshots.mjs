// Writes a picture of every page in both themes, wide and narrow, into `screenshots/`. The server comes from DGP_BINARY.
//
//   node screenshots.mjs [NAME…]     only pages whose name contains one of these

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { launch, openPage, openSignedIn } from "./support/browser.mjs";
import { CONFIGURED, PAGES, populate, settled } from "./support/pages.mjs";
import { startServer } from "./support/server.mjs";

const folder = join(import.meta.dirname, "screenshots");
const wanted = process.argv.slice(2);
if (wanted.length === 0) await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });

const browser = await launch();
let failed = 0;

async function pictures(theme, width, fresh) {
  const pages = PAGES.filter(
    (page) => Boolean(page.fresh) === fresh && (wanted.length === 0 || wanted.some((name) => page.name.includes(name))),
  );
  if (pages.length === 0) return;
  const server = await startServer(fresh ? {} : { env: CONFIGURED });
  const made = fresh ? {} : await populate(server);
  const options = { theme, width, height: width === 360 ? 720 : 860 };
  const inside = await openSignedIn(browser, server, "/_/", options);
  for (const of of pages) {
    const apart = of.out
      ? await openPage(browser, server, options)
      : of.ends
        ? await openSignedIn(browser, server, "/_/", options)
        : inside;
    const { page } = apart;
    try {
      await page.setViewportSize({ width, height: options.height });
      await of.open(page, made);
      await settled(page);
      // As tall as the page, so that what sticks to the window stays where it belongs.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(height, options.height) });
      await page.screenshot({ path: join(folder, `${of.name}-${theme}-${width}.png`) });
    } catch (error) {
      failed += 1;
      console.error(`${of.name} ${theme} ${width}: ${error.message}`);
    }
    if (apart !== inside) await apart.context.close();
  }
  if (inside.complaints.length > 0) {
    failed += 1;
    console.error(`${theme} ${width}:`, inside.complaints);
  }
  await inside.context.close();
  await server.stop();
}

for (const theme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    for (const fresh of [true, false]) await pictures(theme, width, fresh);
  }
}
await browser.close();
console.log(`pictures are in ${folder}`);
process.exitCode = failed > 0 ? 1 : 0;
