// Access beyond users: groups, policies, tokens, sessions, and the explanation of a decision.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dialogOf, signInWithKey } from "./support/browser.mjs";
import { s3 } from "./support/s3.mjs";
import { signInApi } from "./support/server.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();
const allow = (actions, ...resources) => ({ effect: "Allow", actions, resources });
const user = (name, permissions = []) => world.api("POST", "/users", { name, permissions });
const group = (name, permissions = [], member_ids = []) =>
  world.api("POST", "/groups", { name, permissions, member_ids });

test("a group is made by keyboard, gets a member, and what it allows is in force at once", async () => {
  const made = await user("grouped");
  const pair = { id: made.access_key_id, secret: made.secret_access_key };
  const { origin } = world.server;
  const opened = await world.signedIn("/_/access/groups");
  const { page } = opened;
  await page.getByRole("heading", { name: "No groups yet" }).waitFor();
  await page.getByRole("button", { name: "Create group" }).focus();
  await page.keyboard.press("Enter");
  await dialogOf(page).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "INPUT");
  await page.keyboard.type("bucket-owners");
  await page.keyboard.press("Tab");
  await page.keyboard.type("for the walk");
  await page.keyboard.press("Tab");
  // From read only over upload only to the owner of a bucket.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.type("grouped-bucket");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "bucket-owners", level: 1 }).waitFor();

  assert.equal((await s3(origin, pair, "PUT", "/grouped-bucket")).status, 403);
  await page.getByRole("button", { name: "Add members" }).click();
  await page.getByLabel("Find users to add").fill("group");
  await page.getByRole("button", { name: "Add grouped" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(/^Nobody outside/).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("heading", { name: "1 member", exact: true }).waitFor();
  assert.equal((await s3(origin, pair, "PUT", "/grouped-bucket")).status, 200);

  await page.getByRole("button", { name: "Take out grouped" }).click();
  await page.getByRole("heading", { name: "Nobody is in this group" }).waitFor();
  assert.equal((await s3(origin, pair, "PUT", "/grouped-bucket/key", { body: "1" })).status, 403);
  noComplaints(opened);
});

test("of two editors of a group the second learns of the first, and decides whose rules stay", async () => {
  const made = await group("two-editors", [allow(["read"], "mail/*")]);
  const { page } = await world.signedIn(`/_/access/groups/${made.id}?tab=permissions`);
  await page.getByRole("button", { name: "Write", exact: true }).click();
  await world.api("PUT", `/groups/${made.id}`, { permissions: [allow(["list"], "mail/*")] });
  await page.getByRole("button", { name: "Save permissions" }).click();
  await page.getByText("Somebody else changed these permissions meanwhile").waitFor();
  const actions = async () => (await world.api("GET", `/groups/${made.id}`)).permissions[0].actions;
  assert.deepEqual(await actions(), ["list"], "nothing was overwritten");
  await page.getByRole("button", { name: "Replace with mine" }).click();
  await page.getByText("Permissions of two-editors saved").waitFor();
  assert.deepEqual((await actions()).sort(), ["read", "write"]);
});

test("rules that the page read anew by itself while somebody edited are a conflict too", async () => {
  const made = await group("read-anew", [allow(["read"], "mail/*")]);
  const { page } = await world.signedIn(`/_/access/groups/${made.id}?tab=permissions`);
  await page.getByRole("button", { name: "Write", exact: true }).click();
  await world.api("PUT", `/groups/${made.id}`, { permissions: [allow(["list"], "mail/*")], description: "seen" });
  // A change of another kind on this page has it read everything anew.
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Name and description…" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("read-anew is saved").waitFor();
  await page.getByRole("button", { name: "Save permissions" }).click();
  await page.getByText("Somebody else changed these permissions meanwhile").waitFor();
  assert.deepEqual((await world.api("GET", `/groups/${made.id}`)).permissions[0].actions, ["list"]);
});

test("renaming and deleting a group say what they do in numbers", async () => {
  const [a, b] = [await user("in-group-a"), await user("in-group-b")];
  const made = await group("short-lived", [allow(["read"], "mail/*")], [a.id, b.id]);
  const { page } = await world.signedIn(`/_/access/groups/${made.id}`);
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Name and description…" }).click();
  await page.getByLabel("Name", { exact: true }).fill("renamed");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("heading", { name: "renamed", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("alertdialog").getByText("2 users at once lose what its 1 rule allows").waitFor();
  await page.getByRole("button", { name: "Delete renamed" }).click();
  await page.getByRole("heading", { name: "Groups", level: 1 }).waitFor();
  await assert.rejects(world.api("GET", `/groups/${made.id}`), { status: 404 });
  assert.equal((await world.api("GET", `/users/${a.id}`)).group_ids.length, 0);
});

test("a token is shown once, does what its role allows and nothing else, and ends when it is revoked", async () => {
  const opened = await world.signedIn("/_/access/policies");
  const { page } = opened;
  await page.getByRole("link", { name: "New token with the role viewer" }).click();
  await page.getByLabel("Name", { exact: true }).fill("monitoring");
  await dialogOf(page).getByText("30 days").click();
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByText("Save the token now").waitFor();
  const token = await page
    .getByText(/^dgp_[0-9A-Za-z_-]+$/)
    .first()
    .innerText();
  // Neither Escape nor Back throws it away unasked.
  await page.keyboard.press("Escape");
  await page.getByText("Save the token now").waitFor();
  await page.goBack();
  await page.getByRole("alertdialog").getByText("Leave without the token?").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "I have saved the token" }).click();
  await page.getByRole("row").filter({ hasText: "monitoring" }).getByText("Role viewer").waitFor();
  assert.equal(await page.getByText(token).count(), 0, "it is not shown again");

  const call = (method, path) =>
    fetch(`${world.server.origin}/_/api/admin${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await call("GET", "/users")).status, 200);
  assert.equal((await call("GET", "/backup")).status, 403);
  await page.getByRole("button", { name: "Revoke monitoring" }).click();
  await page.getByRole("alertdialog").getByText("is refused from its next call on").waitFor();
  await page.getByRole("button", { name: "Revoke token" }).click();
  await page.getByText("No tokens yet").waitFor();
  assert.equal((await call("GET", "/users")).status, 401);
  noComplaints(opened);
});

test("a token may have rules of its own", async () => {
  const { page } = await world.signedIn("/_/access/tokens?dialog=new");
  await page.getByLabel("Name", { exact: true }).fill("own-rules");
  await page.getByText("Own rules").click();
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByRole("alert").getByText("No token was made").waitFor();
  await page.getByRole("button", { name: "Add rule" }).click();
  await page.getByRole("menuitem", { name: "Read only" }).click();
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByText("Save the token now").waitFor();
  const made = (await world.api("GET", "/tokens")).find((token) => token.name === "own-rules");
  assert.deepEqual(made.permissions[0].actions, ["read", "list"]);
});

test("somebody else's session is ended, one's own is signed out", async () => {
  const made = await user("signed-in-elsewhere", [allow(["*"], "*")]);
  const answer = await fetch(`${world.server.origin}/_/api/admin/login-as`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0" },
    body: JSON.stringify({ access_key_id: made.access_key_id, secret_access_key: made.secret_access_key }),
  });
  const cookie = answer.headers.getSetCookie()[0].split(";")[0];
  const status = async () =>
    (await fetch(`${world.server.origin}/_/api/admin/session`, { headers: { Cookie: cookie } })).status;
  assert.equal(await status(), 200);
  const opened = await world.signedIn("/_/access/sessions");
  const { page } = opened;
  const row = page.getByRole("row").filter({ hasText: "signed-in-elsewhere" });
  await row.getByText("Firefox on Linux").waitFor();
  await row.getByRole("button", { name: /^End the session of signed-in-elsewhere/ }).click();
  await page.getByRole("button", { name: "End session" }).click();
  await page.getByText("The session of signed-in-elsewhere has ended").waitFor();
  assert.equal(await status(), 401);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  noComplaints(opened);
});

test("a decision is explained by the rule that made it, and the question is in the URL", async () => {
  const reader = await user("explained", [
    allow(["read"], "mail/*"),
    { effect: "Deny", actions: ["read"], resources: ["mail/private/*"] },
    { ...allow(["write"], "mail/*"), conditions: { IpAddress: { "aws:SourceIp": ["10.0.0.0/8"] } } },
  ]);
  await group("readers-of-media", [allow(["read"], "media/*")], [reader.id]);
  const opened = await world.signedIn("/_/access/explain");
  const { page } = opened;
  await page.getByLabel("Who", { exact: true }).fill("explained");
  await page.getByLabel("Where", { exact: true }).fill("mail/private/letter");
  await page.keyboard.press("Enter");
  await page.getByText("Refused", { exact: true }).waitFor();
  const decided = page.getByRole("row").filter({ hasText: "Decided" });
  await decided.getByText("Must not read in mail/private.").waitFor();
  assert.match(page.url(), /principal=explained/);

  await page.getByLabel("Where", { exact: true }).fill("media/film");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("Allowed", { exact: true }).waitFor();
  await decided.getByRole("link", { name: "group readers-of-media" }).waitFor();

  await page.getByLabel("Does what").fill("s3:PutObject");
  await page.getByLabel("Where", { exact: true }).fill("mail/new");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("Conditions do not hold", { exact: true }).waitFor();
  await page.getByLabel("From address").fill("10.1.2.3");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("Allowed", { exact: true }).waitFor();

  // Back is the question before, also in the form.
  await page.goBack();
  await page.getByText("Conditions do not hold", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("From address").inputValue(), "");
  await page.getByLabel("From address").fill("no address");
  await page.keyboard.press("Enter");
  await page
    .getByRole("alert")
    .getByText(/no address/)
    .waitFor();
  noComplaints(opened);
});

test("what a demoted admin still sees goes with the next call", async () => {
  const made = await user("demoted", [allow(["*"], "*")]);
  const { page } = await world.open();
  await page.goto("/_/access/tokens");
  await signInWithKey(page, made);
  await page.getByRole("button", { name: "New token" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("too-late");
  await (
    await signInApi(world.server.origin)
  )("PUT", `/users/${made.id}`, { permissions: [] });
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByRole("alert").getByText("No token was made").waitFor();
  assert.ok((await world.api("GET", "/tokens")).every((token) => token.name !== "too-late"));
});
