// Ways back for a host that is not as it was: a database of another password, missing keys, other host settings, older archives.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { withoutKey } from "./support/archive.mjs";
import { launch, openPage, openSignedIn, signIn } from "./support/browser.mjs";
import { confirmTyped, dropArchive } from "./support/pages.mjs";
import { hashOf, PASSWORD, signInApi, startServer } from "./support/server.mjs";
import { noComplaints } from "./support/suite.mjs";

const OTHER = "the-password-of-another-host";
const fixture = (name) => resolve(import.meta.dirname, "../fixtures", name);
const RESTORE = "/_/settings/system/backup/restore";

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

/** A server whose database was keyed by `PASSWORD`, and whose hash file is of another password; `work` gets the right hash too. */
async function withLocked(work) {
  const first = await startServer();
  const api = await signInApi(first.origin);
  await api("POST", "/users", { name: "in-the-locked-file" });
  await first.stop({ keep: true });
  const file = join(first.directory, ".deltaglider_bootstrap_hash");
  const right = (await readFile(file, "utf8")).trim();
  await writeFile(file, `${hashOf(OTHER)}\n`);
  await withServer({ directory: first.directory, password: null }, (server) => work(server, right));
}

test("a locked database is opened with the password that it was keyed by, and a wrong one says so", () =>
  withLocked(async (server) => {
    const opened = await openPage(browser, server);
    const { page } = opened;
    // A wrong password is tried in every way that it may have been hashed.
    page.setDefaultTimeout(240_000);
    await page.goto("/_/");
    await signIn(page, OTHER);
    await page.getByRole("link", { name: "Open it with its password or hash" }).click();
    const part = page.getByRole("region", { name: "Open the database" });
    await part.getByLabel("The password that it was keyed by").fill("not-the-right-password");
    await part.getByRole("button", { name: "Open the database" }).click();
    await part.getByRole("alert").getByText("It is still locked; nothing was changed").waitFor();
    await part.getByLabel("The password that it was keyed by").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("The database is open", { exact: true }).waitFor();
    await page.getByText("The password that opened it is the bootstrap password from now on").waitFor();
    await part.waitFor({ state: "detached" });
    // This session goes on.
    await page.getByRole("link", { name: "Users", exact: true }).click();
    await page.getByRole("link", { name: "in-the-locked-file" }).waitFor();
    await signInApi(server.origin, PASSWORD);
    noComplaints(opened);
  }));

test("a locked database is opened with the hash that it was keyed by", () =>
  withLocked(async (server, right) => {
    const opened = await openPage(browser, server);
    const { page } = opened;
    await page.goto("/_/settings/system/backup");
    await signIn(page, OTHER);
    const part = page.getByRole("region", { name: "Open the database" });
    await part.getByRole("button", { name: "Hash" }).click();
    await part.getByLabel("The hash that it was keyed by").fill("no hash at all");
    await page.keyboard.press("Enter");
    await part.getByRole("alert").getByText("What to do:").waitFor();
    await part.getByLabel("The hash that it was keyed by").fill(right);
    await page.keyboard.press("Enter");
    await page.getByText("The database is open", { exact: true }).waitFor();
    const api = await signInApi(server.origin, PASSWORD);
    assert.deepEqual(
      (await api("GET", "/users")).map((user) => user.name),
      ["in-the-locked-file"],
    );
    noComplaints(opened);
  }));

test("keys that nobody has are named, and the restore goes on without them when that is wanted", () => {
  const storage =
    "storage:\n  backends:\n    - {name: main, type: filesystem, path: ./main, encryption: {keys: {k1: {env: K1}}}}\n";
  const source = { config: storage, env: { K1: "1".repeat(64) } };
  return withServer(source, async (original) => {
    const whole = await (await signInApi(original.origin))("GET", "/backup");
    await withServer({}, async (server) => {
      const archive = join(server.directory, "without-k1.zip");
      await writeFile(archive, await withoutKey(whole, "k1", "env:K1"));
      const opened = await openSignedIn(browser, server, RESTORE);
      const { page } = opened;
      await dropArchive(page, archive);
      const refused = page.getByRole("alert").filter({ hasText: "Refused: nothing was changed" });
      await refused.getByText("missing_keys", { exact: true }).waitFor();
      await refused.getByText(/k1/).first().waitFor();
      await page.getByRole("button", { name: "Plan without the missing keys" }).click();
      await page.getByRole("heading", { name: "What it will do" }).waitFor();
      await page.getByText(/encryption keys k1 are missing/i).waitFor();
      await page.getByRole("button", { name: "Restore…" }).click();
      await confirmTyped(page, "Restore now");
      await page.getByRole("heading", { name: "Restored", level: 1 }).waitFor();
      // The archive was another server's: what it brought is in quarantine, and the page says so.
      await page.getByText("The archive is from another instance").waitFor();
      noComplaints(opened);
    });
  });
});

test("host settings stay unless they are asked for, and the plan shows which change", () =>
  withServer({ config: "advanced: {log_level: 'info,actix_http=error'}\n" }, async (original) => {
    const whole = await (await signInApi(original.origin))("GET", "/backup");
    await withServer({}, async (server) => {
      const archive = join(server.directory, "other-host.zip");
      await writeFile(archive, whole);
      const opened = await openSignedIn(browser, server, RESTORE);
      const { page } = opened;
      await dropArchive(page, archive);
      await page.getByRole("heading", { name: "What it will do" }).waitFor();
      assert.equal(await page.locator(".diff").getByText("advanced.log_level").count(), 0);
      await page.getByText("Options", { exact: true }).click();
      await page.getByLabel("Take over the host settings of the archive").check();
      await page.locator(".diff").getByText("advanced.log_level").waitFor();
      await page.getByLabel("Take over the host settings of the archive").uncheck();
      await page.locator(".diff").getByText("advanced.log_level").waitFor({ state: "detached" });
      // What a mode cannot take is refused with the way back to the usual options.
      await page.getByLabel("Take over the host settings of the archive").check();
      await page.getByText("Access only", { exact: true }).click();
      await page.getByRole("alert").getByText("bad_parameter").waitFor();
      await page.getByRole("button", { name: "Back to the usual options" }).click();
      await page.getByRole("heading", { name: "What it will do" }).waitFor();
      noComplaints(opened);
    });
  }));

test("one of several that were revoked is brought back by itself", () =>
  withServer({}, async (server) => {
    const api = await signInApi(server.origin);
    const one = await api("POST", "/users", { name: "gone-one" });
    const two = await api("POST", "/users", { name: "gone-two" });
    const archive = join(server.directory, "both.zip");
    await writeFile(archive, await api("GET", "/backup"));
    await api("DELETE", `/users/${one.id}`);
    await api("DELETE", `/users/${two.id}`);
    const opened = await openSignedIn(browser, server, RESTORE);
    const { page } = opened;
    await dropArchive(page, archive);
    const about = (user) => page.locator(".notice li").filter({ hasText: user.name });
    await about(one).first().getByRole("button", { name: "Bring this one back" }).click();
    await page.getByText("1 revoked entry revived").waitFor();
    await about(two).first().waitFor();
    noComplaints(opened);
  }));

test("an archive of version 1 is planned with what it lacks, and the call that fills each gap", () =>
  withServer({}, async (server) => {
    const opened = await openSignedIn(browser, server, RESTORE);
    const { page } = opened;
    await dropArchive(page, fixture("dgp-1.x/backup-v1.zip"));
    const report = page.locator(".notice").filter({ hasText: "Converted from an archive of version 1" });
    await report.getByText("storage.backends[1].encryption", { exact: true }).waitFor();
    await report.getByText("To fill it:").first().waitFor();
    await page.getByRole("button", { name: "Restore…" }).click();
    await confirmTyped(page, "Restore now");
    await page.getByRole("heading", { name: "Restored", level: 1 }).waitFor();
    await report.first().waitFor();
    await page.getByText("nobody: older forms know no signature").waitFor();
    noComplaints(opened);
  }));

test("a restore whose answer got lost is not called refused", () =>
  withServer({}, async (server) => {
    const api = await signInApi(server.origin);
    const archive = join(server.directory, "lost.zip");
    await writeFile(archive, await api("GET", "/backup"));
    await api("POST", "/users", { name: "made-later" });
    const { page, context } = await openSignedIn(browser, server, RESTORE);
    await dropArchive(page, archive);
    await page.getByRole("button", { name: "Restore…" }).click();
    await context.route("**/_/api/admin/backup?*", async (route) => {
      // It arrives and is carried out; only its answer does not come back.
      await route.fetch();
      await route.abort("connectionreset");
    });
    await confirmTyped(page, "Restore now");
    await page.getByText("Whether the restore was done is not known").waitFor();
    await context.unroute("**/_/api/admin/backup?*");
    await page.getByRole("button", { name: "Plan again" }).click();
    await page.getByText("Nothing differs from the archive.").waitFor();
  }));
