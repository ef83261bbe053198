// The first run of a server that nobody configured: the password from the log, a bucket, a key, a client that works.

import assert from "node:assert/strict";
import { test } from "node:test";
import { signIn } from "./support/browser.mjs";
import { s3 } from "./support/s3.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite({ server: { password: null }, api: false });

test("a new server leads from the logged password to a client that works", async () => {
  const opened = await world.open();
  const { page } = opened;
  const { server } = world;
  await page.goto("/_/");
  await page.getByRole("heading", { name: "Set up this server" }).waitFor();
  await signIn(page, server.loggedPassword());

  await page.getByRole("heading", { name: "Welcome" }).waitFor();
  await page.getByRole("button", { name: "Set up" }).click();
  await page.getByRole("heading", { name: "Where objects go" }).waitFor();
  await page.getByText("default", { exact: true }).waitFor();
  await page.getByRole("button", { name: "This is fine" }).click();
  await page.getByLabel("Bucket", { exact: true }).fill("ci-builds");
  await page.getByLabel("User", { exact: true }).fill("ci-uploader");
  await page.getByRole("button", { name: "Create the key" }).click();

  await page.getByRole("heading", { name: "Connect a client" }).waitFor();
  const snippet = await page.getByRole("region", { name: "aws" }).innerText();
  const value = (name) => new RegExp(`${name}=(\\S+)`).exec(snippet)[1];
  assert.equal(value("AWS_ENDPOINT_URL"), server.origin);
  const pair = { id: value("AWS_ACCESS_KEY_ID"), secret: value("AWS_SECRET_ACCESS_KEY") };
  assert.match(snippet, /aws s3 mb s3:\/\/ci-builds/);
  for (const tool of ["rclone", ".env", "boto3"]) {
    await page.getByRole("tab", { name: tool }).click();
    assert.match(await page.getByRole("region", { name: tool }).innerText(), new RegExp(pair.id));
  }

  // The secret is not shown again, so leaving by accident is asked about.
  await page.goBack();
  await page.getByRole("alertdialog").getByText("Leave without the secret?").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: /I have saved the secret/ }).click();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  // The password went through a log, and there is no backup: both are said.
  await page.getByText(/^No backup of this state was ever made here/).waitFor();
  await page.getByRole("link", { name: "Change the password" }).waitFor();

  assert.equal((await s3(server.origin, pair, "PUT", "/ci-builds")).status, 200);
  assert.equal((await s3(server.origin, pair, "PUT", "/ci-builds/app.tar", { body: "bytes" })).status, 200);
  assert.equal((await s3(server.origin, pair, "PUT", "/other")).status, 403);
  noComplaints(opened);
});
