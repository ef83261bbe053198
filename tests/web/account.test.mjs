// My account: whoever signs in with a provider makes the keys of their clients, and ends their own sessions, without any right.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { findings } from "./support/axe.mjs";
import { dialogOf, signInWithKey } from "./support/browser.mjs";
import { CLIENT, signInAt, startIdp, stayHere } from "./support/idp.mjs";
import { s3 } from "./support/s3.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();
let idp;
after(() => idp?.stop());

/** Opens a page and signs in at the provider, whose rules let everybody of the domain read and write one bucket. */
async function signedInWithProvider() {
  const opened = await world.open();
  await stayHere(opened.context);
  await opened.page.goto("/_/account");
  await opened.page.getByRole("link", { name: "Sign in with Company account" }).click();
  await signInAt(opened.page, "anna@example.com");
  await opened.page.getByRole("heading", { name: "My account", level: 1 }).waitFor();
  return opened;
}

test("somebody of a provider makes a key, signs with it, switches it off and deletes it", async () => {
  const { origin } = world.server;
  idp = await startIdp(origin);
  const provider = await world.api("POST", "/ext-auth/providers", {
    name: "company",
    provider_type: "oidc",
    display_name: "Company account",
    issuer_url: idp.issuer,
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    enabled: true,
  });
  const group = await world.api("POST", "/groups", {
    name: "uploaders",
    permissions: [{ effect: "Allow", actions: ["*"], resources: ["drop", "drop/*"] }],
  });
  await world.api("POST", "/ext-auth/mappings", {
    match_type: "email_domain",
    match_value: "example.com",
    group_id: group.id,
    provider_id: provider.id,
  });
  const { page } = await signedInWithProvider();
  assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0, "no right of IAM");
  await page.getByRole("link", { name: "Home" }).click();
  await page.getByRole("link", { name: "Make a key for a client" }).click();
  const keys = page.getByRole("region", { name: "My access keys" });
  await keys.getByRole("heading", { name: "No keys" }).waitFor();
  assert.deepEqual(await findings(page), []);
  await keys.getByRole("button", { name: "New key" }).click();
  await dialogOf(page).getByText("1 day").click();
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.getByText("Save the secret now").waitFor();
  const snippet = await page.getByRole("region", { name: "aws" }).innerText();
  const value = (name) => new RegExp(`${name}=(\\S+)`).exec(snippet)[1];
  const pair = { id: value("AWS_ACCESS_KEY_ID"), secret: value("AWS_SECRET_ACCESS_KEY") };
  await page.getByRole("button", { name: "I have saved the secret" }).click();
  await keys.getByText(pair.id).waitFor();
  assert.equal(await page.getByText(pair.secret).count(), 0, "it is not shown again");
  assert.equal((await s3(origin, pair, "PUT", "/drop")).status, 200);
  assert.equal((await s3(origin, pair, "PUT", "/other")).status, 403, "the key may what its owner may");

  await keys.getByRole("button", { name: `Actions for ${pair.id}` }).click();
  await page.getByRole("menuitem", { name: "Deactivate" }).click();
  await keys.getByText("Inactive", { exact: true }).waitFor();
  assert.equal((await s3(origin, pair, "PUT", "/drop/a", { body: "1" })).status, 403);
  await keys.getByRole("button", { name: `Actions for ${pair.id}` }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete key" }).click();
  await keys.getByRole("heading", { name: "No keys" }).waitFor();
});

test("one's own sessions are ended one by one and all together, and nobody else's are shown", async () => {
  const [first, second, third] = [
    await signedInWithProvider(),
    await signedInWithProvider(),
    await signedInWithProvider(),
  ];
  const { page } = third;
  await page.reload();
  const sessions = page.getByRole("region", { name: "My sessions" });
  await sessions.getByText("This one").waitFor();
  assert.equal(await sessions.getByText("Bootstrap admin").count(), 0);
  const before = await sessions.getByRole("button", { name: /^End the session of/ }).count();
  assert.ok(before >= 2, `${before} other sessions`);
  await sessions
    .getByRole("button", { name: /^End the session of/ })
    .first()
    .click();
  await page.getByRole("button", { name: "End session", exact: true }).click();
  await page.getByText("The session has ended").waitFor();
  await sessions.getByRole("button", { name: "End all others…" }).click();
  await page
    .getByRole("alertdialog")
    .getByText(`${before - 1} other browser`)
    .waitFor();
  await page.getByRole("button", { name: "End the others" }).click();
  await sessions.getByRole("button", { name: "End all others…" }).waitFor({ state: "detached" });
  for (const other of [first, second]) {
    await other.page.reload();
    await other.page.getByRole("link", { name: "Sign in with Company account" }).waitFor();
  }
  await page.reload();
  await sessions.getByText("This one").waitFor();
});

test("a local user looks after the keys that an admin made, and the bootstrap admin is told to make a user", async () => {
  const made = await world.api("POST", "/users", { name: "local" });
  const opened = await world.open();
  const { page } = opened;
  await page.goto("/_/account");
  await page.getByRole("button", { name: "Access key" }).click();
  await signInWithKey(page, made);
  const keys = page.getByRole("region", { name: "My access keys" });
  await keys.getByText(made.access_key_id).waitFor();
  await keys.getByText("An admin makes the keys of this account").waitFor();
  assert.equal(await keys.getByRole("button", { name: "New key" }).count(), 0);
  noComplaints(opened);

  const admin = await world.signedIn("/_/");
  await admin.page.getByRole("button", { name: "Bootstrap admin" }).click();
  await admin.page.getByRole("menuitem", { name: "My account" }).click();
  await admin.page.getByText("The bootstrap admin has no access keys").waitFor();
  await admin.page.getByRole("region", { name: "My sessions" }).getByText("This one").waitFor();
  assert.deepEqual(await findings(admin.page), []);
  noComplaints(admin);
});
