// States of the whole server, and of who looks at it: what is said, what is offered, what is refused.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { dialogOf, launch, openPage, openSignedIn, signIn, signInWithKey } from "./support/browser.mjs";
import { confirmTyped } from "./support/pages.mjs";
import { hashOf, PASSWORD, signInApi, startServer } from "./support/server.mjs";
import { noComplaints } from "./support/suite.mjs";

const TOO_LONG_AGO = {
  type: "urn:deltaglider:problem:reauthentication_required",
  status: 403,
  code: "reauthentication_required",
  title: "Sign in again",
  detail: "this needs a sign-in within the last hour",
  hint: "sign in again and repeat the call",
  stage: "authorise",
};

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function withServer(options, work) {
  const server = await startServer(options);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

test("a viewer sees every room of Access and Activity, and nothing to change anything with", () =>
  withServer({}, async (server) => {
    const api = await signInApi(server.origin);
    const rules = (await api("GET", "/policies")).find((policy) => policy.name === "viewer").permissions;
    const viewer = await api("POST", "/users", {
      name: "viewer",
      permissions: rules.map(({ id: _, ...rule }) => rule),
    });
    const group = await api("POST", "/groups", {
      name: "seen",
      permissions: [{ effect: "Allow", actions: ["read"], resources: ["mail/*"] }],
      member_ids: [viewer.id],
    });
    await api("POST", "/tokens", { name: "seen-token", role: "backup" });
    const opened = await openPage(browser, server);
    const { page } = opened;
    await page.goto("/_/access/groups");
    await signInWithKey(page, viewer);
    await page.getByRole("link", { name: "seen", exact: true }).click();
    await page.getByRole("link", { name: "viewer", exact: true }).waitFor();
    await page.getByRole("tab", { name: "Permissions" }).click();
    await page.getByText("May read in mail.").waitFor();
    const changing = /^(create|new|add|revoke|take|end|delete|rotate|rename|actions|save)/i;
    const offers = async () => (await page.getByRole("button").allInnerTexts()).filter((text) => changing.test(text));
    assert.deepEqual(await offers(), []);
    for (const [room, shows] of [
      ["Users", "viewer"],
      ["Groups", "seen"],
      ["Policies", "What each allows"],
      ["API tokens", "seen-token"],
      ["Sessions", "This one"],
      ["Audit", "created group"],
    ]) {
      await page.getByRole("link", { name: room, exact: true }).click();
      await page.getByRole("main").getByText(shows).first().waitFor();
      assert.deepEqual(await offers(), [], room);
      assert.equal(await page.getByRole("link", { name: /^New token/ }).count(), 0, room);
    }
    // An address that would open a form all the same changes nothing: the server decides.
    await page.goto("/_/access/groups?dialog=new");
    await page.getByLabel("Name", { exact: true }).fill("not-allowed");
    await page.getByText("Nothing yet").click();
    await page.getByRole("button", { name: "Create group" }).click();
    await page.getByRole("alert").getByText("The group was not created").waitFor();
    assert.equal((await api("GET", "/groups")).length, 1);
    assert.equal((await api("GET", `/groups/${group.id}`)).name, "seen");
    noComplaints(opened);
  }));

test("a locked server says why everywhere, and leads to the restore that is the way out", async () => {
  const first = await startServer();
  const api = await signInApi(first.origin);
  await api("POST", "/users", { name: "before-the-lock" });
  const archive = join(first.directory, "full.zip");
  await writeFile(archive, await api("GET", "/backup"));
  await first.stop({ keep: true });
  const other = "the-password-of-another-host";
  await writeFile(join(first.directory, ".deltaglider_bootstrap_hash"), `${hashOf(other)}\n`);
  await withServer({ directory: first.directory, password: null }, async (server) => {
    const opened = await openPage(browser, server);
    const { page } = opened;
    await page.goto("/_/");
    await page.getByText("The configuration database is locked").waitFor();
    await signIn(page, other);
    await page.getByRole("alert").getByText("S3 answers 503").waitFor();
    await page.getByRole("alert").getByRole("link", { name: "restore a Full Backup" }).click();
    await page.getByLabel("Backup archive").setInputFiles(archive);
    await page.getByRole("heading", { name: "What it will do" }).waitFor();
    await page.getByRole("button", { name: "Restore…" }).click();
    await confirmTyped(page, "Restore now");
    await page.getByRole("heading", { name: "Restored", level: 1 }).waitFor();
    await page.getByRole("alert").filter({ hasText: "S3 answers 503" }).first().waitFor({ state: "detached" });
    const after = await signInApi(server.origin, PASSWORD);
    assert.deepEqual(
      (await after("GET", "/users")).map((user) => user.name),
      ["before-the-lock"],
    );
    noComplaints(opened);
  });
});

test("a clone says on every page whose it is", () =>
  withServer({}, async (original) => {
    const archive = await (await signInApi(original.origin))("GET", "/backup");
    await withServer({}, async (clone) => {
      await (
        await signInApi(clone.origin)
      )("POST", "/backup", archive);
      const opened = await openSignedIn(browser, clone, "/_/access/groups");
      const { page } = opened;
      const banner = page.getByRole("status").filter({ hasText: "This is a clone" });
      await banner.getByText("what acts on other systems is paused until it goes live").waitFor();
      await page.getByRole("link", { name: "Audit" }).click();
      await banner.waitFor();
      // Going live is said in words, typed, and ends the banner.
      await page.getByRole("link", { name: "Backup" }).click();
      await page.getByRole("button", { name: "Go live…" }).click();
      await confirmTyped(page, "Go live");
      await page.getByText("This server is live").waitFor();
      await banner.waitFor({ state: "detached" });
      noComplaints(opened);
    });
  }));

test("what touches every secret asks for the password again, and then goes on by itself", () =>
  withServer({}, async (server) => {
    const opened = await openSignedIn(browser, server, "/_/settings/system/backup");
    const { page, context } = opened;
    // The answer of a server whose window is over; the shortest window is a minute.
    let fresh = false;
    await context.route("**/_/api/admin/login", (route) => {
      fresh = true;
      return route.continue();
    });
    await context.route("**/_/api/admin/backup", (route) =>
      fresh
        ? route.continue()
        : route.fulfill({ status: 403, contentType: "application/problem+json", json: TOO_LONG_AGO }),
    );
    await page.getByRole("button", { name: "Export backup" }).click();
    const dialog = dialogOf(page).filter({ hasText: "Sign in again" });
    await dialog.getByText("you signed in a while ago").waitFor();
    await dialog.getByRole("button", { name: "Not now" }).click();
    await page.getByRole("alert").getByText("No backup was made").waitFor();
    await page.getByRole("button", { name: "Export backup" }).click();
    await dialog.getByLabel("Bootstrap password").fill(PASSWORD);
    const download = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Sign in and go on" }).click();
    assert.match((await download).suggestedFilename(), /^dgp-backup-v.*\.zip$/);
    await page.getByRole("region", { name: "Export" }).getByText("Downloaded").waitFor();
    noComplaints(opened);
  }));

test("with authentication switched off the console says so, and still asks who one is", () =>
  withServer({ env: { DGP_ACCESS__AUTHENTICATION: "none" } }, async (server) => {
    const opened = await openPage(browser, server);
    const { page } = opened;
    await page.goto("/_/access/users");
    await page.getByText("S3 authentication is off").waitFor();
    assert.equal((await fetch(`${server.origin}/_/api/admin/users`)).status, 401);
    await signIn(page);
    await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
    await page.getByRole("status").getByText("S3 authentication is off").waitFor();
    noComplaints(opened);
  }));
