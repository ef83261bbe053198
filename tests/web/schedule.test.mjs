// Settings → System → Backup → Schedule: a place and a time are planned, written and in force, without a restart.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dialogOf } from "./support/browser.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite({});

test("a schedule is set by its form, refused where it is wrong, and switched off again", async () => {
  const opened = await world.signedIn("/_/settings/system/backup");
  const { page } = opened;
  const change = page.getByRole("button", { name: "Change schedule…" });
  const dialog = dialogOf(page);
  const look = dialog.getByRole("button", { name: "See what it would do" });
  const apply = dialog.getByRole("button", { name: "Change the schedule", exact: true });

  await change.click();
  const folder = join(world.server.directory, "kept");
  await dialog.getByLabel("Directory", { exact: true }).fill(folder);
  await dialog.getByLabel("When").fill("every night");
  await look.click();
  await dialog.getByText("The schedule was not changed").waitFor();
  await dialog.getByLabel("When").fill("15 4 * * *");
  await dialog.getByLabel("Keep the last").fill("3");
  await look.click();
  await dialog.getByRole("status", { name: "What it would do" }).getByText("15 4 * * *").waitFor();
  assert.equal((await world.api("GET", "/backups/schedule")).schedule, null, "a plan changes nothing");
  await apply.click();
  await page.getByText("The schedule is changed").waitFor();
  const now = await world.api("GET", "/backups/schedule");
  assert.deepEqual([now.schedule, now.destination.directory, now.keep.last], ["15 4 * * *", folder, 3]);
  await page.getByText("the last 3; the last verified one always").waitFor();
  await page.getByRole("button", { name: "Store one now" }).click();
  await page.getByText(/ is stored$/).waitFor();
  assert.ok(existsSync(folder));

  await change.click();
  await dialog.getByLabel("Nowhere").check();
  await look.click();
  await apply.click();
  await page.getByText("nowhere yet").waitFor();
  assert.equal((await world.api("GET", "/backups/schedule")).destination, null);
  noComplaints(opened);
});
