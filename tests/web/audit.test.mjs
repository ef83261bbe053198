// Activity → Audit: what was done is found again by person, kind, outcome, text and request.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { dialogOf } from "./support/browser.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();

test("rows are found by filters that are in the URL, and Back takes the last one away", async () => {
  const made = await world.api("POST", "/users", { name: "audited" });
  await world.api("DELETE", `/users/${made.id}`);
  await world.api("POST", "/groups", { name: "audited-group" });
  const opened = await world.signedIn("/_/activity");
  const { page } = opened;
  await page.getByRole("heading", { name: "Audit", level: 1 }).waitFor();
  const rows = page.locator("tbody tr");
  await page.getByRole("button", { name: "Bootstrap admin created group audited-group" }).waitFor();

  await page.getByLabel("What", { exact: true }).selectOption("user.*");
  await page.getByText(/^2 rows, back to the first/).waitFor();
  await page.getByLabel("Outcome", { exact: true }).selectOption("denied");
  await page.getByRole("heading", { name: "Nothing fits" }).waitFor();
  await page.goBack();
  await page.getByText(/^2 rows, back to the first/).waitFor();
  assert.match(page.url(), /action=user/);
  await page.getByLabel("Find rows").fill(made.id);
  assert.equal(await rows.count(), 2);
  await page.reload();
  assert.equal(await page.getByLabel("Find rows").inputValue(), made.id);
  noComplaints(opened);
});

test("a row opens in full, by keyboard, and leads to everything that its request did", async () => {
  const archive = await world.api("GET", "/backup");
  await world.api("POST", "/backup", archive);
  const opened = await world.signedIn("/_/activity/audit?action=backup.*");
  const { page } = opened;
  await page
    .getByRole("button", { name: /restored a backup/ })
    .first()
    .focus();
  await page.keyboard.press("Enter");
  const dialog = dialogOf(page);
  await dialog.getByRole("region", { name: "Detail" }).waitFor();
  assert.match(page.url(), /row=\d+/);
  await page.goBack();
  await dialog.waitFor({ state: "detached" });
  await page
    .getByRole("button", { name: /restored a backup/ })
    .first()
    .click();
  await dialog.getByRole("button", { name: "All rows of this request" }).click();
  await page.getByRole("button", { name: "Show all requests" }).waitFor();
  const outcomes = await page.locator("tbody .pill").allInnerTexts();
  assert.ok(outcomes.includes("started") && outcomes.includes("success"), outcomes.join());
  noComplaints(opened);
});

test("the log is read page by page, downloaded as it is filtered, and proven whole", async () => {
  for (let n = 0; n < 110; n++) {
    const made = await world.api("POST", "/groups", { name: `page-${n}` });
    await world.api("DELETE", `/groups/${made.id}`);
  }
  const opened = await world.signedIn("/_/activity/audit?action=group.*");
  const { page } = opened;
  await page.getByText("200 rows so far").waitFor();
  await page.getByRole("button", { name: "Look further back" }).click();
  await page.getByText(/^22\d rows, back to the first/).waitFor();
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  const lines = (await readFile(await (await downloading).path(), "utf8")).trim().split("\n");
  assert.ok(lines.length >= 220 && lines.every((line) => JSON.parse(line).action.startsWith("group.")), lines[0]);
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText("Nothing was edited, dropped or put in another order").waitFor();
  noComplaints(opened);
});
