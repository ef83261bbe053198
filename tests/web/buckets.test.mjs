// Buckets: made on a backend of choice, limited, opened to anybody in part, tagged, called from other pages, routed elsewhere.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { dialogOf, openPage, signIn, signInWithKey } from "./support/browser.mjs";
import { s3 } from "./support/s3.mjs";
import { signInApi, startServer } from "./support/server.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite({
  async prepare(api) {
    const user = await api("POST", "/users", {
      name: "client",
      permissions: [{ effect: "Allow", actions: ["*"], resources: ["*"] }],
    });
    world.pair = { id: user.access_key_id, secret: user.secret_access_key };
    const path = join(world.server.directory, "second-place");
    await api("POST", "/backends", { name: "second", type: "filesystem", path });
  },
});
const call = (method, path, options) => s3(world.server.origin, world.pair, method, path, options);
const bucket = (name) => world.api("GET", `/buckets/${name}`);

test("a bucket is made on a backend of choice, with a quota that holds", async () => {
  const opened = await world.signedIn("/_/buckets");
  const { page } = opened;
  await page.getByRole("heading", { name: "No buckets yet" }).waitFor();
  await page.getByRole("button", { name: "Create bucket" }).click();
  const dialog = dialogOf(page);
  await dialog.getByLabel("Name", { exact: true }).fill("limited");
  await dialog.getByLabel("Backend").selectOption("second");
  await dialog.getByLabel("Quota").fill("ten");
  await dialog.getByRole("button", { name: "Create bucket" }).click();
  await dialog.getByText("A size such as 500 MiB").waitFor();
  await dialog.getByLabel("Quota").fill("1 KiB");
  await dialog.getByRole("button", { name: "Create bucket" }).click();
  await page.getByRole("heading", { name: "limited", level: 1 }).waitFor();
  const made = await bucket("limited");
  assert.deepEqual([made.backend, made.quota_bytes], ["second", 1024]);
  assert.equal((await call("PUT", "/limited/small", { body: "x".repeat(100) })).status, 200);
  assert.equal((await call("PUT", "/limited/large", { body: "x".repeat(5000) })).ok, false, "over the quota");

  const limits = page.getByRole("region", { name: "Limits" });
  await limits.getByLabel("Quota").fill("");
  await limits.getByLabel("Read-only").check();
  await limits.getByRole("button", { name: "Save" }).click();
  await page.getByText("Limits of limited saved").waitFor();
  const now = await bucket("limited");
  assert.deepEqual([now.quota_bytes, now.read_only], [null, true]);
  assert.equal((await call("PUT", "/limited/another", { body: "x" })).ok, false, "it is read-only");
  noComplaints(opened);
});

test("prefixes are opened to anybody, and closed again", async () => {
  await call("PUT", "/open-in-part");
  await call("PUT", "/open-in-part/pub/a.txt", { body: "for all" });
  await call("PUT", "/open-in-part/own/b.txt", { body: "for some" });
  const anybody = async (key) => (await fetch(`${world.server.origin}/open-in-part/${key}`)).status;
  assert.equal(await anybody("pub/a.txt"), 403);
  const opened = await world.signedIn("/_/buckets/open-in-part");
  const { page } = opened;
  const part = page.getByRole("region", { name: "Public reading" });
  await part.getByLabel("Public prefixes").fill("pub/");
  await part.getByRole("button", { name: "Save" }).click();
  await page.getByText("Public reading of open-in-part saved").waitFor();
  await page.getByText("Public in part", { exact: true }).waitFor();
  assert.deepEqual([await anybody("pub/a.txt"), await anybody("own/b.txt")], [200, 403]);
  await part.getByLabel("Public prefixes").fill("");
  await part.getByRole("button", { name: "Save" }).click();
  await page.getByText("Public in part", { exact: true }).waitFor({ state: "detached" });
  assert.equal(await anybody("pub/a.txt"), 403);
  noComplaints(opened);
});

test("CORS rules and tags are edited, and a browser is answered by them", async () => {
  await call("PUT", "/called");
  const opened = await world.signedIn("/_/buckets/called");
  const { page } = opened;
  const cors = page.getByRole("region", { name: "CORS" });
  await cors.getByRole("button", { name: "Add CORS rule" }).click();
  assert.equal(await cors.getByRole("button", { name: "Save" }).isDisabled(), true, "no origin yet");
  await cors.getByLabel("Origins of rule 1").fill("https://app.example.com");
  await cors.getByRole("button", { name: "PUT", exact: true }).click();
  await cors.getByRole("button", { name: "Save" }).click();
  await page.getByText("CORS of called saved").waitFor();
  const preflight = await fetch(`${world.server.origin}/called/key`, {
    method: "OPTIONS",
    headers: { Origin: "https://app.example.com", "Access-Control-Request-Method": "PUT" },
  });
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "https://app.example.com");
  const tags = page.getByRole("region", { name: "Tags" });
  await tags.getByLabel("Tags of the bucket").fill("team=storage\nno tag");
  await tags.getByText("This is no name and value: no tag").waitFor();
  await tags.getByLabel("Tags of the bucket").fill("team=storage\ncost=12 = 3+4");
  await tags.getByRole("button", { name: "Save" }).click();
  await page.getByText("Tags of called saved").waitFor();
  const now = await bucket("called");
  assert.deepEqual(now.tags, { team: "storage", cost: "12 = 3+4" });
  assert.deepEqual(now.cors[0].allowed_methods, ["GET", "HEAD", "PUT"]);
  noComplaints(opened);
});

test("another route says how many objects stay behind, wants that typed, and the way back brings them back", async () => {
  await call("PUT", "/routed");
  for (const key of ["a", "b", "c"]) await call("PUT", `/routed/${key}`, { body: key });
  const opened = await world.signedIn("/_/buckets/routed");
  const { page } = opened;
  const route = page.getByRole("region", { name: "Route" });
  const home = (await bucket("routed")).backend;
  await route.getByLabel("Backend").selectOption("second");
  await route.getByRole("button", { name: "Change the route…" }).click();
  const question = page.getByRole("alertdialog");
  await question.getByText("3 objects stay on").waitFor();
  assert.equal((await bucket("routed")).backend, home, "a plan changes nothing");
  await question.getByLabel(/^Type /).fill("leave 3");
  await question.getByRole("button", { name: "Change the route" }).click();
  await page.getByText("routed is routed to second").waitFor();
  assert.equal((await call("GET", "/routed/a")).status, 404);
  await world.api("PUT", "/buckets/routed", { backend: home });
  assert.equal((await call("GET", "/routed/a")).status, 200);
  noComplaints(opened);
});

test("only an empty bucket is deleted, and of two editors the second learns of the first", async () => {
  await call("PUT", "/to-delete");
  await call("PUT", "/to-delete/last", { body: "1" });
  const { page } = await world.signedIn("/_/buckets/to-delete");
  const limits = page.getByRole("region", { name: "Limits" });
  await limits.getByLabel("Quota").fill("5 GiB");
  await world.api("PUT", "/buckets/to-delete", { tags: { changed: "meanwhile" } });
  await limits.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").getByText("Somebody changed something meanwhile").waitFor();
  assert.equal(await limits.getByLabel("Quota").inputValue(), "5 GiB", "what was typed stays");
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete bucket" }).click();
  await page.getByRole("alertdialog").getByText("The bucket was not deleted").waitFor();
  await call("DELETE", "/to-delete/last");
  await page.getByRole("button", { name: "Delete bucket" }).click();
  await page.getByRole("heading", { name: "Buckets", level: 1 }).waitFor();
  await assert.rejects(bucket("to-delete"), { status: 404 });
});

test("what the config file declares is shown as such, and whoever may only look is offered no change", async () => {
  const server = await startServer({
    config: "storage:\n  filesystem: ./data\n  buckets:\n    declared: { quota_bytes: 1GiB, tags: { team: a } }\n",
  });
  try {
    const api = await signInApi(server.origin);
    const viewer = await api("POST", "/users", {
      name: "bucket-viewer",
      permissions: [{ effect: "Allow", actions: ["config:read"], resources: ["*"] }],
    });
    for (const who of ["admin", "viewer"]) {
      const opened = await openPage(world.browser, server);
      const { page } = opened;
      await page.goto("/_/buckets");
      await (who === "admin" ? signIn(page) : signInWithKey(page, viewer));
      await page.getByRole("link", { name: "declared", exact: true }).click();
      await page.getByText("Declared in the config file").waitFor();
      const limits = page.getByRole("region", { name: "Limits" });
      await limits.getByText("Set in the config file").waitFor();
      assert.equal(await limits.getByLabel("Quota").inputValue(), "1 GiB");
      assert.equal(await limits.getByLabel("Quota").isEditable(), false);
      assert.equal(await limits.getByRole("button").count(), 0);
      const open = page.getByRole("region", { name: "Public reading" });
      assert.equal(await open.getByRole("button", { name: "Save" }).count(), who === "admin" ? 1 : 0);
      assert.equal(await page.getByRole("button", { name: "Delete…" }).count(), who === "admin" ? 1 : 0);
      assert.equal(await page.getByRole("link", { name: "Buckets" }).first().getAttribute("data-status"), "active");
      noComplaints(opened);
      await opened.context.close();
    }
  } finally {
    await server.stop();
  }
});
