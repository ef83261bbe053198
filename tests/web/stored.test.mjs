// Settings → System → Backup: stored backups and their schedule, from the first one to a restore out of one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { confirmTyped } from "./support/pages.mjs";
import { signInApi } from "./support/server.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite({
  server: {
    env: { DGP_BACKUP__TO__DIRECTORY: "stored", DGP_BACKUP__SCHEDULE: "0 2 * * *", DGP_BACKUP__KEEP__LAST: "5" },
  },
});

test("a backup is stored, checked, restored from and deleted, and the schedule says what is in force", async () => {
  await world.api("POST", "/users", { name: "in-the-stored-one" });
  const opened = await world.signedIn("/_/settings/system/backup");
  const { page } = opened;
  await page.getByText("0 2 * * *").first().waitFor();
  await page.getByText("the last 5; the last verified one always").first().waitFor();
  await page.getByRole("button", { name: "Store one now" }).click();
  await page.getByText(/ is stored$/).waitFor();
  const [stored] = await world.api("GET", "/backups");
  const row = page.getByRole("row").filter({ hasText: stored.id });
  await row.getByText("Verified").waitFor();
  await row.getByText("by hand").waitFor();
  await row.getByRole("button", { name: `Actions for ${stored.id}` }).click();
  await page.getByRole("menuitem", { name: "Verify now" }).click();
  await page.getByText(`${stored.id} is whole`).waitFor();

  await world.api("POST", "/users", { name: "after-the-stored-one" });
  await row.getByRole("link", { name: `Restore… ${stored.id}` }).click();
  await page.locator(".diff-item-deleted").filter({ hasText: "after-the-stored-one" }).waitFor();
  assert.match(page.url(), /stored=/, "a plan of a stored backup survives a reload");
  await page.reload();
  await page.locator(".diff-item-deleted").filter({ hasText: "after-the-stored-one" }).waitFor();
  await page.getByRole("button", { name: "Restore…" }).click();
  await confirmTyped(page, "Restore now");
  await page.getByRole("heading", { name: "Restored", level: 1 }).waitFor();
  world.api = await signInApi(world.server.origin);
  assert.deepEqual(
    (await world.api("GET", "/users")).map((user) => user.name),
    ["in-the-stored-one"],
  );

  await page.getByRole("link", { name: "Back to Backup" }).click();
  await row.getByRole("button", { name: `Actions for ${stored.id}` }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("alertdialog").getByText("It is the last one that was read back whole.").waitFor();
  await confirmTyped(page, "Delete backup");
  await page.getByText(`${stored.id} is deleted`).waitFor();
  assert.ok((await world.api("GET", "/backups")).every((each) => each.id !== stored.id));
  noComplaints(opened);
});
