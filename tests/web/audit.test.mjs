// Activity → Audit: what was done is found again by person, kind, outcome, text and request.

import assert from "node:assert/strict";
import { test } from "node:test";
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

  await page.getByLabel("What", { exact: true }).selectOption("user");
  await page.getByText(/^2 of the latest/).waitFor();
  await page.getByLabel("Outcome", { exact: true }).selectOption("denied");
  await page.getByRole("heading", { name: "Nothing fits" }).waitFor();
  await page.goBack();
  await page.getByText(/^2 of the latest/).waitFor();
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
  const opened = await world.signedIn("/_/activity/audit?action=backup");
  const { page } = opened;
  await page
    .getByRole("button", { name: /restored a backup/ })
    .first()
    .focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
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
