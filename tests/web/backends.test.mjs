// Backends: added after a look at the place, changed, probed and removed, each with what it would do.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { dialogOf, signInWithKey } from "./support/browser.mjs";
import { s3 } from "./support/s3.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();
const backend = (name) => world.api("GET", `/backends/${name}`);

test("a backend is looked at and planned before it is added, by keyboard, and serves from then on", async () => {
  const opened = await world.signedIn("/_/backends");
  const { page } = opened;
  const row = (name) => page.getByRole("row").filter({ hasText: name });
  await row("default").getByText("Up", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Add backend" }).focus();
  await page.keyboard.press("Enter");
  const dialog = dialogOf(page);
  await dialog.waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "INPUT");
  await page.keyboard.type("second");
  // Past the choice of its kind.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  const place = join(world.server.directory, "second-place");
  await page.keyboard.type(place);
  await page.keyboard.press("Enter");
  const plan = dialog.getByRole("status", { name: "What it would do" });
  await plan.getByText("An empty place").waitFor();
  assert.equal((await world.api("GET", "/backends")).length, 1, "a plan changes nothing");
  // Another wish needs another plan.
  await dialog.getByLabel("Name", { exact: true }).fill("second-one");
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await dialog.getByRole("button", { name: "Add backend" }).click();
  await dialog.waitFor({ state: "detached" });
  await row("second-one").getByText("Up", { exact: true }).waitFor();
  assert.equal((await backend("second-one")).health.up, true);
  assert.ok(existsSync(place), "its place was made");
  noComplaints(opened);
});

test("a place that cannot be used is refused with its reason, and nothing is changed", async () => {
  const file = join(world.server.directory, "a-file");
  await writeFile(file, "no directory");
  const before = await world.api("GET", "/backends");
  const opened = await world.signedIn("/_/backends?dialog=new");
  const { page } = opened;
  await page.getByLabel("Name", { exact: true }).fill("broken");
  await page.getByLabel("Directory").fill(join(file, "below"));
  await page.getByRole("button", { name: "See what it would do" }).click();
  const alert = page.getByRole("alert").filter({ hasText: "The backend was not added" });
  await alert.getByText("What to do:").waitFor();
  assert.deepEqual(
    (await world.api("GET", "/backends")).map((each) => each.name),
    before.map((each) => each.name),
  );
  noComplaints(opened);
});

test("a backend is made read-only and the default, and one with buckets is not removed", async () => {
  const place = join(world.server.directory, "third-place");
  await mkdir(place);
  await world.api("POST", "/backends", { name: "third", type: "filesystem", path: place });
  const user = await world.api("POST", "/users", {
    name: "bucket-maker",
    permissions: [{ effect: "Allow", actions: ["*"], resources: ["*"] }],
  });
  const pair = { id: user.access_key_id, secret: user.secret_access_key };
  assert.equal((await s3(world.server.origin, pair, "PUT", "/in-default")).status, 200);
  const opened = await world.signedIn("/_/backends");
  const { page } = opened;
  const act = async (name, action) => {
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    await page.getByRole("menuitem", { name: action }).click();
  };
  const dialog = dialogOf(page);
  await act("third", "Change…");
  await dialog.getByLabel("Read-only").check();
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await dialog.getByText("read_only").first().waitFor();
  await dialog.getByRole("button", { name: "Change it" }).click();
  await page.getByRole("row").filter({ hasText: "third" }).getByText("Read-only", { exact: true }).waitFor();
  assert.equal((await backend("third")).read_only, true);

  await act("default", "Remove…");
  await dialog.getByText("route it elsewhere first").waitFor();
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await dialog.getByRole("alert").getByText("The backend was not removed").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });

  await act("third", "Remove…");
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await dialog.getByRole("button", { name: "Remove third" }).click();
  await page.getByText("third is removed").waitFor();
  await assert.rejects(backend("third"), { status: 404 });
  assert.ok(existsSync(place), "what lies there is not touched");
  noComplaints(opened);
});

test("a probe says what is at the place now, also when that is gone", async () => {
  const place = join(world.server.directory, "fourth-place");
  await world.api("POST", "/backends", { name: "fourth", type: "filesystem", path: place });
  const opened = await world.signedIn("/_/backends");
  const { page } = opened;
  await page.getByRole("button", { name: "Probe fourth" }).click();
  const dialog = dialogOf(page);
  await dialog.getByText("The place answers and is this backend’s own").waitFor();
  await dialog.getByText(/^It answers/).waitFor();
  await rename(place, `${place}-gone`);
  await dialog.getByRole("button", { name: "Look again" }).click();
  await dialog.getByText("The place answers and is this backend’s own").waitFor({ state: "detached" });
  await dialog.locator(".notice").first().waitFor();
  await rename(`${place}-gone`, place);
  noComplaints(opened);
});

test("whoever may only look sees backends and their health, and nothing to change them with", async () => {
  const viewer = await world.api("POST", "/users", {
    name: "backend-viewer",
    permissions: [{ effect: "Allow", actions: ["config:read", "system:read"], resources: ["*"] }],
  });
  const opened = await world.open();
  const { page } = opened;
  await page.goto("/_/backends");
  await signInWithKey(page, viewer);
  await page.getByRole("row").filter({ hasText: "default" }).getByText("Up", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: /^(Add|Probe|Actions)/ }).count(), 0);
  noComplaints(opened);
});
