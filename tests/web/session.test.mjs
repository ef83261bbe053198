// Who is signed in, and what happens when they no longer are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dialogOf, signIn, signInWithKey } from "./support/browser.mjs";
import { PASSWORD } from "./support/server.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();

test("a wrong password says so, keeps the focus in the field, and the right one leads to where one wanted to go", async () => {
  const opened = await world.open();
  const { page } = opened;
  await page.goto("/_/access/users");
  await signIn(page, "not-the-password");
  const alert = page.getByRole("alert");
  await alert.getByText("Wrong password").waitFor();
  await alert.getByText("What to do:").waitFor();
  assert.equal(await page.getByLabel("Bootstrap password").evaluate((field) => field === document.activeElement), true);
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/_/access/users");
  noComplaints(opened);
});

test("a session that ends in the middle of a form costs nothing that was typed", async () => {
  const opened = await world.signedIn("/_/access/users?dialog=new");
  const { page, context } = opened;
  await page.getByLabel("Name", { exact: true }).fill("typed-before");
  await page.getByText("Read only", { exact: true }).click();
  await page.getByLabel("Where", { exact: true }).fill("mail/2026");
  await context.clearCookies();
  await page.getByRole("button", { name: "Create user" }).last().click();

  const dialog = dialogOf(page).filter({ hasText: "Your session has ended" });
  await dialog.waitFor();
  await dialog.getByLabel("Bootstrap password").fill("wrong-at-first");
  await dialog.getByRole("button", { name: "Sign in and go on" }).click();
  await dialog.getByText("Wrong password").waitFor();
  await dialog.getByLabel("Bootstrap password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Sign in and go on" }).click();

  await page.getByRole("heading", { name: "typed-before is ready" }).waitFor();
  const made = (await world.api("GET", "/users")).filter((user) => user.name === "typed-before");
  assert.equal(made.length, 1, "the call was repeated once, not twice");
  assert.deepEqual(made[0].permissions[0].resources, ["mail/2026/*"]);
  noComplaints(opened);
});

test("whoever does not sign in again keeps the form, and the error says why nothing happened", async () => {
  const { page, context } = await world.signedIn("/_/access/users?dialog=new");
  await page.getByLabel("Name", { exact: true }).fill("still-here");
  await page.getByLabel("Where", { exact: true }).fill("mail");
  await context.clearCookies();
  await page.getByRole("button", { name: "Create user" }).last().click();
  await page.getByRole("button", { name: "Not now" }).click();
  await page.getByRole("alert").getByText("The user was not created").waitFor();
  await page.getByRole("alert").getByText("What to do:").first().waitFor();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "still-here");
});

test("an access key signs in to the console, and sees what its rules allow", async () => {
  const viewer = await world.api("POST", "/users", {
    name: "viewer",
    permissions: [
      { effect: "Allow", actions: ["read", "list", "iam:read", "audit:read", "system:read"], resources: ["*"] },
    ],
  });
  const opened = await world.open();
  const { page } = opened;
  await page.goto("/_/access/users");
  await signInWithKey(page, viewer);
  await page.getByRole("link", { name: "viewer", exact: true }).click();
  await page.getByText(/^May read, list/).waitFor();
  assert.equal(await page.getByRole("button", { name: "Add rule" }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Actions" }).count(), 0);
  assert.equal(
    await page.getByRole("link", { name: "Backup" }).count(),
    0,
    "a place that would be refused is not offered",
  );
  noComplaints(opened);
});

test("signing out ends the session on the server too", async () => {
  const { page } = await world.signedIn("/_/");
  const before = (await world.api("GET", "/sessions")).sessions.length;
  await page.getByRole("button", { name: "Bootstrap admin" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal((await world.api("GET", "/sessions")).sessions.length, before - 1);
});

test("the theme follows the system until somebody chooses one, and then it stays", async () => {
  const { page } = await world.signedIn("/_/", { theme: "dark" });
  const scheme = () => page.evaluate(() => getComputedStyle(document.body).color);
  const dark = await scheme();
  await page.getByRole("button", { name: "Bootstrap admin" }).click();
  await page.getByRole("menuitemradio", { name: "Light" }).click();
  const light = await scheme();
  assert.notEqual(light, dark);
  await page.reload();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  assert.equal(await scheme(), light);
});
