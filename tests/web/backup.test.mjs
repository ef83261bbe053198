// Settings → System → Backup: what was exported comes back, and what is damaged does not.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { spoil } from "./support/archive.mjs";
import { confirmTyped, dropArchive, PASSPHRASE } from "./support/pages.mjs";
import { signInApi } from "./support/server.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();
const names = async (api = world.api) => (await api("GET", "/users")).map((user) => user.name).sort();

async function exported(page) {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export backup" }).click();
  const file = await download;
  assert.match(file.suggestedFilename(), /^dgp-backup-v.*\.zip$/);
  return file.path();
}

test("create a user, export, change things, restore with its plan: the state is as it was captured", async () => {
  const opened = await world.signedIn("/_/access/users");
  const { page } = opened;
  await page.getByRole("button", { name: "Create user" }).click();
  await page.getByLabel("Name", { exact: true }).fill("captured");
  await page.getByLabel("Where", { exact: true }).fill("ci-builds");
  await page.getByRole("button", { name: "Create user" }).last().click();
  await page.getByRole("button", { name: "I have saved the secret" }).click();
  await page.getByRole("heading", { name: "captured", level: 1 }).waitFor();
  const captured = (await world.api("GET", "/users"))[0];

  await page.getByRole("link", { name: "Backup" }).click();
  await page.getByRole("region", { name: "Export" }).getByText("None yet").waitFor();
  const path = await exported(page);
  await page.getByRole("region", { name: "Export" }).getByText("Downloaded").waitFor();
  const archive = join(world.server.directory, "captured.zip");
  await writeFile(archive, await readFile(path));

  // One user is changed, one is made, and somebody else is signed in.
  await world.api("PUT", `/users/${captured.id}`, { permissions: [] });
  await world.api("POST", "/users", { name: "made-later" });
  const other = await signInApi(world.server.origin);

  await dropArchive(page, archive);
  await page.getByRole("heading", { name: "What it will do" }).waitFor();
  await page.getByText("Verified", { exact: true }).waitFor();
  await page.locator(".diff-item-deleted").filter({ hasText: "made-later" }).waitFor();
  await page.locator(".diff-item-updated").filter({ hasText: "captured" }).getByText("permissions").waitFor();
  assert.deepEqual(await names(), ["captured", "made-later"], "a plan changes nothing");

  // Back leaves the question, not the plan.
  await page.getByRole("button", { name: "Restore…" }).click();
  await page.getByRole("alertdialog").getByText("Replace the state of this server?").waitFor();
  await page.goBack();
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Restore…" }).click();
  await page.getByRole("alertdialog").getByText("everybody but you is signed out").waitFor();
  // The numbers are typed before the button works.
  const sure = page.getByRole("button", { name: "Restore now" });
  assert.equal(await sure.isDisabled(), true);
  await page.getByLabel(/^Type /).fill("remove 1");
  assert.equal(await sure.isDisabled(), true);
  await page.getByLabel(/^Type /).fill("Remove 1,  change 1");
  await page.keyboard.press("Enter");

  await page.getByRole("heading", { name: "Restored", level: 1 }).waitFor();
  await page.getByText(/You are still signed in; every other session has ended/).waitFor();
  await assert.rejects(names(other), { status: 401 });
  await page.getByRole("link", { name: "Look at the users" }).click();
  await page.getByRole("link", { name: "captured" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "made-later" }).count(), 0);
  world.api = await signInApi(world.server.origin);
  assert.deepEqual(await world.api("GET", "/users"), [captured]);

  // The outcome can be looked at again.
  await page.getByRole("link", { name: "Backup" }).click();
  await page
    .getByRole("region", { name: "Restores on this server" })
    .getByText("1 removed, 1 changed")
    .first()
    .waitFor();
  noComplaints(opened);
});

test("a damaged archive is refused with its reason and the way out, and changes nothing", async () => {
  const bad = join(world.server.directory, "damaged.zip");
  await writeFile(bad, spoil(await world.api("GET", "/backup")));
  const notOne = join(world.server.directory, "holiday.zip");
  await writeFile(notOne, "this is no archive at all");
  const before = await world.api("GET", "/users");
  const opened = await world.signedIn("/_/settings/system/backup/restore");
  const { page } = opened;
  await dropArchive(page, bad);
  const alert = page.getByRole("alert");
  await alert.getByText("Refused: nothing was changed").waitFor();
  await alert.getByText("What to do:").waitFor();
  assert.match(await alert.locator(".small code").first().innerText(), /^[a-z0-9_]+$/);
  assert.equal(await page.getByRole("button", { name: "Restore…" }).count(), 0);
  await page.getByRole("button", { name: "Another file…" }).click();
  await dropArchive(page, notOne);
  await alert.getByText("not_a_zip").waitFor();
  await alert.getByText(/send the file that the export gave/).waitFor();
  assert.deepEqual(await world.api("GET", "/users"), before);
  noComplaints(opened);
});

test("a plan is made for one state: when that moves on, the restore asks for another plan", async () => {
  const file = join(world.server.directory, "plan.zip");
  await writeFile(file, await world.api("GET", "/backup"));
  const { page } = await world.signedIn("/_/settings/system/backup/restore");
  await dropArchive(page, file);
  await page.getByRole("button", { name: "Restore…" }).click();
  await page.getByRole("alertdialog").getByText("Replace the state of this server?").waitFor();
  await world.api("POST", "/users", { name: "made-meanwhile" });
  await confirmTyped(page, "Restore now");
  await page.getByText("The restore was refused; nothing was changed").waitFor();
  assert.ok((await names()).includes("made-meanwhile"));
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".diff-item-deleted").filter({ hasText: "made-meanwhile" }).waitFor();
});

test("what was revoked since the capture can be brought back, and the plan says so", async () => {
  const gone = await world.api("POST", "/users", { name: "revoked-later" });
  const file = join(world.server.directory, "revoked.zip");
  await writeFile(file, await world.api("GET", "/backup"));
  await world.api("DELETE", `/users/${gone.id}`);
  const { page } = await world.signedIn("/_/settings/system/backup/restore");
  await dropArchive(page, file);
  await page
    .getByText(/comes back disabled/)
    .first()
    .waitFor();
  await page.getByRole("button", { name: /^Bring (it|all of them) back as/ }).click();
  await page.getByText("revoked entries revived").waitFor();
  await page
    .getByText(/comes back disabled/)
    .first()
    .waitFor({ state: "detached" });
});

test("a reload in the middle of a restore asks for the file again, and no secret stays in the browser", async () => {
  const file = join(world.server.directory, "reload.zip");
  await writeFile(file, await world.api("GET", "/backup"));
  const { page } = await world.signedIn("/_/settings/system/backup/restore");
  await dropArchive(page, file);
  await page.getByRole("heading", { name: "What it will do" }).waitFor();
  await page.reload();
  await page.getByText("Drop a Full Backup here").waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.doesNotMatch(kept, /PK|secret|argon2|AK[0-9A-Z]{18}/);
});

test("an archive with a passphrase is made, asked about and opened; another passphrase says so", async () => {
  await world.api("POST", "/users", { name: "in-the-sealed-one" });
  const opened = await world.signedIn("/_/settings/system/backup");
  const { page } = opened;
  // Each opening takes as long as it is meant to, and a debug build of a busy machine takes much longer.
  page.setDefaultTimeout(240_000);
  await page.getByLabel("Protection").selectOption("passphrase");
  await page.getByLabel("Passphrase").fill(PASSPHRASE);
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export backup" }).click();
  const download = await downloading;
  assert.match(download.suggestedFilename(), /\.age$/);
  const file = join(world.server.directory, "sealed.zip.age");
  await writeFile(file, await readFile(await download.path()));
  const later = await world.api("POST", "/users", { name: "after-the-sealed-one" });

  await dropArchive(page, file);
  await page.getByRole("heading", { name: "This archive is encrypted" }).waitFor();
  await page.getByLabel("Passphrase").fill("not the passphrase");
  await page.getByRole("button", { name: "Open it" }).click();
  await page.getByRole("alert").getByText("envelope_key").waitFor();
  await page.getByLabel("Passphrase").fill(PASSPHRASE);
  await page.keyboard.press("Enter");
  await page.locator(".diff-item-deleted").filter({ hasText: later.name }).waitFor();
  await page.getByText("Verified", { exact: true }).waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  assert.doesNotMatch(kept, /horse/);
  await page.getByRole("button", { name: "Restore…" }).click();
  await confirmTyped(page, "Restore now");
  await page.getByRole("heading", { name: "Restored", level: 1 }).waitFor();
  world.api = await signInApi(world.server.origin);
  assert.ok(!(await names()).includes("after-the-sealed-one"));
  noComplaints(opened);
});

test("values over the archive's are planned when asked for, and a wrong one is refused with its path", async () => {
  const file = join(world.server.directory, "overridden.zip");
  await writeFile(file, await world.api("GET", "/backup"));
  const { page } = await world.signedIn("/_/settings/system/backup/restore");
  await dropArchive(page, file);
  await page.getByText("Options", { exact: true }).click();
  await page.getByLabel("Other values than the archive’s").fill("advanced.region=eu-north-1");
  await page.getByRole("button", { name: "Plan with these values" }).click();
  await page.locator(".diff-group").getByText("advanced.region").waitFor();
  await page.getByLabel("Other values than the archive’s").fill("advanced.regoin=eu-north-1");
  await page.getByRole("button", { name: "Plan with these values" }).click();
  await page
    .getByRole("alert")
    .getByText(/regoin/)
    .first()
    .waitFor();
  await page.getByRole("button", { name: "Back to the usual options" }).click();
  await page.getByRole("heading", { name: "What it will do" }).waitFor();
});

test("a restore is undone, and what was changed since is named, counted and typed before it is lost", async () => {
  await world.api("POST", "/users", { name: "before-the-restore" });
  const archive = await world.api("GET", "/backup");
  await world.api("POST", "/users", { name: "removed-by-the-restore" });
  await world.api("POST", "/backup", archive);
  world.api = await signInApi(world.server.origin);
  assert.ok(!(await names()).includes("removed-by-the-restore"));
  const opened = await world.signedIn("/_/settings/system/backup");
  const { page } = opened;
  await world.api("POST", "/users", { name: "made-since" });
  await page.getByRole("link", { name: "Undo the last one…" }).click();
  await page.getByRole("heading", { name: "Undo the last restore", level: 1 }).waitFor();
  await page.locator(".diff-item-created").filter({ hasText: "removed-by-the-restore" }).waitFor();
  const lost = page.getByRole("region", { name: "Changed since the restore, and lost" });
  await lost.getByText("made-since").waitFor();
  await page.getByRole("button", { name: "Undo…" }).click();
  assert.equal(await page.getByRole("alertdialog").locator(".typed").innerText(), "lose 1");
  await confirmTyped(page, "Undo now");
  await page.getByRole("heading", { name: "Undone", level: 1 }).waitFor();
  world.api = await signInApi(world.server.origin);
  const after = await names();
  assert.ok(after.includes("removed-by-the-restore") && !after.includes("made-since"), after.join());
  // An undo can be undone.
  await page.getByRole("link", { name: "Undo…" }).click();
  await page.locator(".diff-item-created").filter({ hasText: "made-since" }).waitFor();
  noComplaints(opened);
});
