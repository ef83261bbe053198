// Signing in with a provider, from its first setting to the end of what it gave, against a certified OpenID provider.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { dialogOf } from "./support/browser.mjs";
import { CLIENT, signInAt, startIdp, stayHere } from "./support/idp.mjs";
import { suite } from "./support/suite.mjs";

const world = suite();
let idp;
after(() => idp?.stop());

/** What is complained of the console itself; the provider is another origin by its nature. */
function complaintsOf({ complaints }) {
  return complaints.filter((complaint) => !complaint.includes(idp.issuer));
}

test("a provider is added, tested and switched on; somebody signs in with it and gets what the rules give", async () => {
  idp = await startIdp(world.server.origin);
  const group = await world.api("POST", "/groups", {
    name: "readers",
    permissions: [{ effect: "Allow", actions: ["read", "list", "iam:read"], resources: ["*"] }],
  });
  const opened = await world.signedIn("/_/access/providers");
  const { page } = opened;
  await page.getByRole("heading", { name: "No providers yet" }).waitFor();
  await page.getByRole("button", { name: "Add provider" }).click();
  const dialog = dialogOf(page);
  await dialog.getByText("OpenID Connect", { exact: true }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("company");
  await dialog.getByLabel("Button text").fill("Company account");
  await dialog.getByLabel("Issuer").fill(idp.issuer);
  await dialog.getByLabel("Client ID").fill(CLIENT.id);
  await dialog.getByLabel("Client secret").fill("not the secret yet");
  await dialog.getByLabel("Allowed domains").fill("example.com");
  await dialog.getByRole("button", { name: "Add provider" }).click();
  await page.getByRole("heading", { name: "Company account", level: 1 }).waitFor();
  await page.getByText("Off", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Ask the provider" }).click();
  await page.getByText("The provider answers as it should").waitFor();
  await page.getByLabel("Client secret").fill(CLIENT.secret);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("company is saved").waitFor();
  assert.equal(await page.getByLabel("Client secret").inputValue(), "", "the secret is not kept in the page");
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("The sign-in page offers it now").waitFor();

  await page.getByRole("link", { name: "Mapping rules" }).click();
  await page.getByRole("button", { name: "Add rule" }).click();
  await page.getByText("Claim", { exact: true }).click();
  await page.getByLabel("Has the value").fill("storage-readers");
  await dialogOf(page).getByRole("button", { name: "Add rule" }).click();
  await page
    .getByRole("listitem")
    .getByText(/whose claim groups has/)
    .waitFor();
  await page.getByRole("button", { name: "Claims" }).click();
  await page
    .getByLabel("Claims", { exact: true })
    .fill('{"email": "anna@example.com", "email_verified": true, "groups": ["storage-readers"]}');
  await page.getByLabel("Signing in with").selectOption({ label: "Company account" });
  await page.getByRole("button", { name: "Preview", exact: true }).click();
  await page.getByText("1 group", { exact: true }).waitFor();

  // Somebody of another browser.
  idp.setGroups("anna@example.com", ["storage-readers"]);
  const other = await world.open();
  await stayHere(other.context);
  await other.page.goto("/_/access/groups");
  await other.page.getByRole("link", { name: "Sign in with Company account" }).click();
  await signInAt(other.page, "anna@example.com");
  await other.page.getByRole("heading", { name: "Groups", level: 1 }).waitFor();
  await other.page.getByRole("link", { name: "readers", exact: true }).waitFor();
  assert.equal(await other.page.getByRole("button", { name: "Create group" }).count(), 0);
  assert.equal((await world.api("GET", `/groups/${group.id}`)).member_ids.length, 1);

  // What the provider takes away is gone with the next sign-in.
  idp.setGroups("anna@example.com", []);
  await other.page.getByRole("button", { name: /^anna/ }).click();
  await other.page.getByRole("menuitem", { name: "Sign out" }).click();
  await other.page.getByRole("link", { name: "Sign in with Company account" }).click();
  await other.page.waitForURL((url) => url.origin === world.server.origin);
  await other.page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  assert.equal((await world.api("GET", `/groups/${group.id}`)).member_ids.length, 0);
  assert.equal(await other.page.getByRole("link", { name: "Groups" }).count(), 0);

  // Unlinking says what it does, and ends the session.
  await page.getByRole("link", { name: "External identities" }).click();
  await page.getByRole("button", { name: "Unlink anna" }).click();
  await page.getByRole("button", { name: "Unlink", exact: true }).click();
  await page.getByText("anna is unlinked").waitFor();
  assert.deepEqual(await world.api("GET", "/ext-auth/identities"), []);
  await other.page.reload();
  await other.page.getByRole("link", { name: "Sign in with Company account" }).waitFor();
  assert.deepEqual([...complaintsOf(opened), ...complaintsOf(other)], []);
});

test("whoever is not let in reads why, and the address says nothing of it afterwards", async () => {
  const opened = await world.open();
  const { page } = opened;
  await stayHere(opened.context);
  await page.goto("/_/");
  await page.getByRole("link", { name: "Sign in with Company account" }).click();
  await signInAt(page, "mallory@elsewhere.example");
  const alert = page.getByRole("alert").filter({ hasText: "You are not signed in" });
  await alert.getByText("Accounts of your e-mail domain are not let in here.").waitFor();
  await alert.getByText("sso_domain_not_allowed").waitFor();
  assert.equal(new URL(page.url()).search, "");
  assert.deepEqual(complaintsOf(opened), []);
});

test("rules are put in order and switched off, and a provider that goes takes its own along", async () => {
  const [provider] = await world.api("GET", "/ext-auth/providers");
  const [group] = await world.api("GET", "/groups");
  for (const [match_value, more] of [
    ["first.example", {}],
    ["second.example", { provider_id: provider.id }],
  ])
    await world.api("POST", "/ext-auth/mappings", {
      match_type: "email_domain",
      match_value,
      group_id: group.id,
      priority: 50,
      ...more,
    });
  const opened = await world.signedIn("/_/access/mappings");
  const { page } = opened;
  const row = (text) => page.getByRole("listitem").filter({ hasText: text });
  await row("second.example").getByRole("button", { name: /up$/ }).focus();
  await page.keyboard.press("Enter");
  const order = async () =>
    (await world.api("GET", "/ext-auth/mappings"))
      .sort((a, b) => a.priority - b.priority)
      .map((rule) => rule.match_value);
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".mapping")].map((each) => each.innerText)[1]?.includes("second.example"),
  );
  assert.deepEqual(await order(), ["storage-readers", "second.example", "first.example"]);
  await row("first.example")
    .getByRole("button", { name: /^Switch off/ })
    .click();
  await row("first.example").getByText("Off", { exact: true }).waitFor();

  await page.getByRole("link", { name: "Sign-in providers" }).click();
  await page.getByRole("link", { name: "Company account" }).click();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByText("1 mapping rule goes with it").waitFor();
  await page.getByRole("button", { name: "Delete company" }).click();
  await page.getByRole("heading", { name: "Sign-in providers", level: 1 }).waitFor();
  assert.deepEqual(await order(), ["storage-readers", "first.example"]);
  assert.deepEqual(complaintsOf(opened), []);
});

test("of two editors of a provider the second learns of the first", async () => {
  const made = await world.api("POST", "/ext-auth/providers", {
    name: "edited",
    issuer_url: idp.issuer,
    client_id: "first",
    enabled: false,
  });
  const { page } = await world.signedIn(`/_/access/providers/${made.id}`);
  await page.getByLabel("Client ID").fill("mine");
  await world.api("PUT", `/ext-auth/providers/${made.id}`, { client_id: "theirs" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Somebody else changed this provider meanwhile").waitFor();
  assert.equal((await world.api("GET", `/ext-auth/providers/${made.id}`)).client_id, "theirs");
  assert.equal(await page.getByLabel("Client ID").inputValue(), "mine", "what was typed stays");
  await page.getByRole("button", { name: "Load theirs" }).click();
  assert.equal(await page.getByLabel("Client ID").inputValue(), "theirs");
});
