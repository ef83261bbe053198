// What the first view costs, and what the console never asks for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { signIn } from "./support/browser.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();
const BUDGET = 250 * 1024;

test("the first view, sign-in and home together, fits its budget and comes from here alone", async () => {
  const opened = await world.open();
  const { page, context } = opened;
  const protocol = await context.newCDPSession(page);
  await protocol.send("Network.enable");
  let bytes = 0;
  const paths = new Map();
  protocol.on("Network.responseReceived", ({ requestId, response }) =>
    paths.set(requestId, new URL(response.url).pathname),
  );
  protocol.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (!paths.get(requestId)?.includes("/api/")) bytes += encodedDataLength;
  });
  await page.goto("/_/");
  await signIn(page);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  assert.ok(bytes > 50_000, `only ${bytes} bytes were seen: the measure is broken`);
  assert.ok(bytes <= BUDGET, `the first view takes ${bytes} bytes, ${BUDGET} are permitted`);
  for (const path of paths.values()) assert.doesNotMatch(path, /\.map$/);
  noComplaints(opened);
});

test("no file names a source map", async () => {
  const { page } = await world.open();
  const files = new Set();
  page.on("response", (response) => files.add(response.url()));
  await page.goto("/_/access/users");
  await page.waitForLoadState("networkidle");
  const scripts = [...files].filter((url) => /\.(js|css)$/.test(url));
  assert.ok(scripts.length >= 2);
  for (const url of scripts) {
    assert.doesNotMatch(await (await fetch(url)).text(), /sourceMappingURL/, url);
    assert.equal((await fetch(`${url}.map`)).status, 404, url);
  }
});
