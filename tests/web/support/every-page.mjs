// Every page there is, in one theme and width: nothing serious for axe, nothing wider than the window, no complaint.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findings } from "./axe.mjs";
import { launch, openPage, openSignedIn } from "./browser.mjs";
import { CONFIGURED, PAGES, populate, settled } from "./pages.mjs";
import { startServer } from "./server.mjs";

// DGP_PAGES=folder,uploads: only pages whose name contains one of these.
const wanted = process.env.DGP_PAGES?.split(",") ?? [""];

/** A file for each, so that they run beside one another: no other takes as long. */
export function everyPage(theme, width) {
  for (const fresh of [true, false]) {
    test(`${fresh ? "a fresh" : "a used"} server's pages, ${theme}, ${width} px`, async (group) => {
      const server = await startServer(fresh ? {} : { env: CONFIGURED });
      const browser = await launch();
      try {
        const made = fresh ? {} : await populate(server);
        const options = { theme, width, height: 800 };
        const inside = await openSignedIn(browser, server, "/_/", options);
        for (const of of PAGES.filter((page) => Boolean(page.fresh) === fresh)) {
          if (!wanted.some((part) => of.name.includes(part))) continue;
          await group.test(of.name, async () => {
            const opened = of.out
              ? await openPage(browser, server, options)
              : of.ends
                ? await openSignedIn(browser, server, "/_/", options)
                : inside;
            await of.open(opened.page, made);
            await settled(opened.page);
            assert.deepEqual(await findings(opened.page), []);
            const wide = await opened.page.evaluate(() => document.documentElement.scrollWidth);
            assert.ok(wide <= width, `the page is ${wide} px wide`);
            assert.deepEqual(opened.complaints.splice(0), []);
            if (opened !== inside) await opened.context.close();
          });
        }
      } finally {
        await browser.close();
        await server.stop();
      }
    });
  }
}
