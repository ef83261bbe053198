// Settings → System → Password, on a server whose password went through its log.

import assert from "node:assert/strict";
import { test } from "node:test";
import { signIn } from "./support/browser.mjs";
import { signInApi } from "./support/server.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite({ server: { password: null }, api: false });

test("the logged password is replaced from the list of what needs attention, and everybody else is signed out", async () => {
  const { server } = world;
  const old = server.loggedPassword();
  const other = await signInApi(server.origin, old);
  const opened = await world.open();
  const { page } = opened;
  await page.goto("/_/settings");
  await signIn(page, old);
  await page.getByRole("link", { name: "Home" }).click();
  await page.getByRole("link", { name: "Change the password" }).click();
  await page.getByText("The present one went through a log").waitFor();

  await page.getByLabel("Current password").fill("not-this-one");
  await page.getByLabel("New password").fill("too short");
  await page.getByLabel("The new one again").fill("too short");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText("At least 12 characters").waitFor();
  await page.getByLabel("New password").fill("correct horse battery");
  await page.getByLabel("The new one again").fill("correct horse battery");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText("The password was not changed").waitFor();
  await page.getByLabel("Current password").fill(old);
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText("The new password is in force").waitFor();

  await assert.rejects(other("GET", "/users"), { status: 401 });
  await assert.rejects(signInApi(server.origin, old), /401/);
  await signInApi(server.origin, "correct horse battery");
  await page.getByRole("link", { name: "Home" }).click();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  noComplaints(opened);
});
