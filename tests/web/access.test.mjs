// Access → Users, as an operator works there: by mouse, by keyboard, by two at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dialogOf } from "./support/browser.mjs";
import { s3 } from "./support/s3.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();
const allow = (actions, ...resources) => ({ effect: "Allow", actions, resources });
const user = (name, permissions = []) => world.api("POST", "/users", { name, permissions });
const read = (id) => world.api("GET", `/users/${id}`);

test("an empty list says the next step, and a user is made by keyboard alone", async () => {
  const opened = await world.signedIn("/_/access/users");
  const { page } = opened;
  await page.getByRole("heading", { name: "No users yet" }).waitFor();
  await page.getByRole("button", { name: "Create user" }).focus();
  await page.keyboard.press("Enter");
  await dialogOf(page).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "INPUT");
  await page.keyboard.type("keyboard-made");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.type("media");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "keyboard-made is ready" }).waitFor();
  const id = await page
    .getByText(/^AK[0-9A-Z]{18}$/)
    .first()
    .innerText();
  // Escape does not throw the secret away.
  await page.keyboard.press("Escape");
  await page.getByText("Save the secret now").waitFor();
  await page.getByRole("button", { name: "I have saved the secret" }).click();
  await page.getByRole("heading", { name: "keyboard-made", level: 1 }).waitFor();
  const [made] = await world.api("GET", "/users");
  assert.equal(made.access_key_id, id);
  assert.deepEqual(made.permissions[0].actions, ["read", "list"]);
  noComplaints(opened);
});

test("Back closes an overlay and stays in the room; the search is in the URL", async () => {
  await user("findable-by-name");
  const { page } = await world.signedIn("/_/access/users");
  await page.getByRole("button", { name: "Create user" }).click();
  await dialogOf(page).waitFor();
  assert.match(page.url(), /dialog=new/);
  await page.goBack();
  await dialogOf(page).waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).pathname, "/_/access/users");
  await page.getByLabel("Find users").fill("findable");
  await page.getByText(/^1 of/).waitFor();
  await page.reload();
  assert.equal(await page.getByLabel("Find users").inputValue(), "findable");
  await page.getByRole("link", { name: "findable-by-name" }).click();
  await page.getByRole("heading", { name: "findable-by-name", level: 1 }).waitFor();
});

test("a name that is taken is refused with the server's reason, and the form stays", async () => {
  await user("taken");
  const { page } = await world.signedIn("/_/access/users?dialog=new");
  await page.getByLabel("Name", { exact: true }).fill("taken");
  await page.getByLabel("Where", { exact: true }).fill("media");
  await page.getByRole("button", { name: "Create user" }).last().click();
  await page.getByRole("alert").getByText(/taken/).first().waitFor();
  assert.equal(await page.getByLabel("Where", { exact: true }).inputValue(), "media");
});

test("permissions are edited by template, chips, lines and conditions, and saved together", async () => {
  const made = await user("edited");
  const opened = await world.signedIn(`/_/access/users/${made.id}`);
  const { page } = opened;
  await page.getByRole("heading", { name: "No permissions" }).waitFor();
  await page.getByRole("button", { name: "Add rule" }).click();
  await page.getByRole("menuitem", { name: "Read only" }).click();
  await page.getByRole("button", { name: "Write", exact: true }).click();
  await page.getByRole("button", { name: "Other action" }).click();
  await page.getByLabel("Other action").fill("s3:GetObjectTagging");
  await page.keyboard.press("Enter");
  await page.getByLabel("Resource 1", { exact: true }).fill("mail");
  await page.getByLabel("Resource 2", { exact: true }).fill("mail/*");
  await page.getByRole("button", { name: "Add condition" }).click();
  await page.getByLabel("Operator 1").fill("IpAddress");
  await page.getByLabel("Condition key 1").fill("aws:SourceIp");
  await page.getByLabel("Values 1").fill("10.0.0.0/8, 127.0.0.1/32");
  await page.getByRole("button", { name: "Save permissions" }).click();
  await page.getByText("Permissions of edited saved").waitFor();
  await page.getByText("Unsaved changes").waitFor({ state: "detached" });
  const [rule] = (await read(made.id)).permissions;
  assert.deepEqual([...rule.actions].sort(), ["list", "read", "s3:GetObjectTagging", "write"]);
  assert.deepEqual(rule.resources, ["mail", "mail/*"]);
  assert.deepEqual(rule.conditions, { IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "127.0.0.1/32"] } });
  noComplaints(opened);
});

test("a rule that the server does not take says which and why, and nothing is saved", async () => {
  const made = await user("refused-rule", [allow(["read"], "mail/*")]);
  const { page } = await world.signedIn(`/_/access/users/${made.id}`);
  await page.getByRole("button", { name: "JSON" }).click();
  await page.getByLabel("Rules").fill('[{"effect": "Allow", "actions": ["fly"], "resources": ["mail/*"]}]');
  await page.getByRole("button", { name: "Save permissions" }).click();
  await page.getByRole("alert").getByText(/fly/).waitFor();
  assert.deepEqual((await read(made.id)).permissions[0].actions, ["read"]);
});

test("leaving with unsaved rules is asked about", async () => {
  const made = await user("unsaved", [allow(["read"], "mail/*")]);
  const { page } = await world.signedIn(`/_/access/users/${made.id}`);
  await page.getByRole("button", { name: "Write", exact: true }).click();
  await page.getByRole("link", { name: "Users" }).first().click();
  await page.getByText("Leave without saving?").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Unsaved changes").waitFor();
  await page.getByRole("link", { name: "Users" }).first().click();
  await page.getByRole("button", { name: "Discard changes" }).click();
  await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
});

test("of two editors the second learns of the first; a change elsewhere is no conflict", async () => {
  const made = await user("two-editors", [allow(["read"], "mail/*")]);
  const { page } = await world.signedIn(`/_/access/users/${made.id}`);
  await page.getByRole("button", { name: "Write", exact: true }).click();
  // Another user: the state's version moves on, and the save goes through all the same.
  await user("somebody-else");
  await page.getByRole("button", { name: "Save permissions" }).click();
  await page.getByText("Unsaved changes").waitFor({ state: "detached" });
  // The same rules: nothing is overwritten unasked.
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await world.api("PUT", `/users/${made.id}`, { permissions: [allow(["list"], "mail/*")] });
  await page.getByRole("button", { name: "Save permissions" }).click();
  await page.getByText("Somebody else changed these permissions meanwhile").waitFor();
  assert.deepEqual((await read(made.id)).permissions[0].actions, ["list"]);
  await page.getByRole("button", { name: "Load theirs" }).click();
  await page.getByText("May list in mail.").first().waitFor();
});

test("a rotated key signs, and the old one does not any more", async () => {
  const made = await user("rotated", [allow(["*"], "*")]);
  const old = { id: made.access_key_id, secret: made.secret_access_key };
  const { origin } = world.server;
  assert.equal((await s3(origin, old, "GET", "/")).status, 200);
  const { page } = await world.signedIn(`/_/access/users/${made.id}?tab=keys`);
  await page.getByRole("button", { name: "Rotate…" }).click();
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  await page.getByText("Save the secret now").waitFor();
  const snippet = await page.getByRole("region", { name: "aws" }).innerText();
  await page.getByRole("button", { name: "I have saved the secret" }).click();
  await dialogOf(page).waitFor({ state: "detached" });
  const value = (name) => new RegExp(`${name}=(\\S+)`).exec(snippet)[1];
  const pair = { id: value("AWS_ACCESS_KEY_ID"), secret: value("AWS_SECRET_ACCESS_KEY") };
  assert.equal((await s3(origin, pair, "GET", "/")).status, 200);
  assert.equal((await s3(origin, old, "GET", "/")).status, 403);
});

test("a second key signs beside the first; each can be switched off and deleted alone", async () => {
  const made = await user("two-keys", [allow(["*"], "*")]);
  const first = { id: made.access_key_id, secret: made.secret_access_key };
  const { origin } = world.server;
  const { page } = await world.signedIn(`/_/access/users/${made.id}?tab=keys`);
  await page.getByRole("button", { name: "New key" }).click();
  await dialogOf(page).getByText("90 days").click();
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.getByText("Save the secret now").waitFor();
  const snippet = await page.getByRole("region", { name: "aws" }).innerText();
  const value = (name) => new RegExp(`${name}=(\\S+)`).exec(snippet)[1];
  const second = { id: value("AWS_ACCESS_KEY_ID"), secret: value("AWS_SECRET_ACCESS_KEY") };
  await page.getByRole("button", { name: "I have saved the secret" }).click();
  await page.getByText(/expires in 3 months|expires in 2 months|expires in 89 days/).waitFor();
  const answers = async () => [
    (await s3(origin, first, "GET", "/")).status,
    (await s3(origin, second, "GET", "/")).status,
  ];
  assert.deepEqual(await answers(), [200, 200]);
  await page.getByRole("button", { name: `Actions for ${first.id}` }).click();
  await page.getByRole("menuitem", { name: "Deactivate" }).click();
  const row = page.locator(".key").filter({ hasText: first.id });
  await row.getByText("Inactive", { exact: true }).waitFor();
  assert.deepEqual(await answers(), [403, 200]);
  await page.getByRole("button", { name: `Actions for ${first.id}` }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("alertdialog").getByText("1 other active key of two-keys goes on.").waitFor();
  await page.getByRole("button", { name: "Delete key" }).click();
  await row.waitFor({ state: "detached" });
  assert.deepEqual(
    (await read(made.id)).access_keys.map((key) => key.access_key_id),
    [second.id],
  );
});

test("disabling, enabling and deleting say what they do, and do it", async () => {
  const made = await user("short-lived", [allow(["read"], "mail/*")]);
  const { page } = await world.signedIn(`/_/access/users/${made.id}`);
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Disable…" }).click();
  await page.getByRole("alertdialog").getByText("1 access key stops signing S3 requests at once").waitFor();
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  await page.getByText("Disabled", { exact: true }).first().waitFor();
  assert.equal((await read(made.id)).enabled, false);
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("Active", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByText("The objects that short-lived wrote stay where they are.").waitFor();
  await page.getByRole("button", { name: "Delete short-lived" }).click();
  await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
  await assert.rejects(read(made.id), { status: 404 });
  await page.goto(`/_/access/users/${made.id}`);
  await page.getByRole("heading", { name: "No such user" }).waitFor();
});
