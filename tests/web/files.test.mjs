// Files: found page by page, uploaded, downloaded, shared, looked at and removed, with what can go wrong on the way.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { dialogOf, signInWithKey } from "./support/browser.mjs";
import { s3 } from "./support/s3.mjs";
import { PASSWORD } from "./support/server.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite({
  async prepare(api) {
    world.user = await api("POST", "/users", {
      name: "client",
      permissions: [{ effect: "Allow", actions: ["*"], resources: ["*"] }],
    });
    world.pair = { id: world.user.access_key_id, secret: world.user.secret_access_key };
  },
});
const call = (method, path, options) => s3(world.server.origin, world.pair, method, path, options);
const bucket = (name, settings = {}) => world.api("POST", "/buckets", { name, ...settings });
const keyed = (key) => `key=${encodeURIComponent(key)}`;
const put = (name, key, body = key) =>
  world.api("PUT", `/buckets/${name}/object?${keyed(key)}`, new TextEncoder().encode(body));
const get = (name, key) => world.api("GET", `/buckets/${name}/object?${keyed(key)}`);
const content = async (name, key) =>
  new TextDecoder().decode(await world.api("GET", `/buckets/${name}/object/download?${keyed(key)}`));
const file = (name, text = name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
const entry = (page, name) => page.getByRole("main").getByRole("link", { name, exact: true });

test("folders are walked by keyboard and by Back, whatever their names are", async () => {
  await bucket("walked");
  const odd = ["a b/ü#?&%+.txt", "//twice", "../up", "1e5", "true", "a b/\u{1f98b}/deep/leaf", '{"a":1}'];
  const long = `${"n".repeat(1000)}${"ö".repeat(12)}`;
  for (const key of [...odd, long]) await put("walked", key);
  const opened = await world.signedIn("/_/files");
  const { page } = opened;
  await entry(page, "walked").click();
  await entry(page, "a b/").waitFor();
  for (const name of ["/", "../", "1e5", "true", '{"a":1}', long]) await entry(page, name).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
  await entry(page, "a b/").focus();
  await page.keyboard.press("Enter");
  await entry(page, "\u{1f98b}/").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "room", "read from the top");
  await entry(page, "\u{1f98b}/").click();
  await entry(page, "deep/").click();
  await entry(page, "leaf").waitFor();
  const path = page.getByRole("navigation", { name: "Folder" });
  assert.equal((await path.innerText()).replace(/\s+/g, " "), "All files › a b › \u{1f98b} › deep");
  await path.getByRole("link", { name: "a b", exact: true }).click();
  await entry(page, "ü#?&%+.txt").click();
  const dialog = dialogOf(page);
  await dialog.getByText("a b/ü#?&%+.txt", { exact: true }).waitFor();
  await page.goBack();
  await dialog.waitFor({ state: "detached" });
  await page.goBack();
  await entry(page, "leaf").waitFor();
  // A name that looks like something else than text is still itself after a reload.
  await page.goto("/_/files/walked");
  await entry(page, "1e5").click();
  await page.reload();
  await dialog.getByRole("heading", { name: "1e5" }).waitFor();
  await dialog.getByText("3 B (3 bytes)").waitFor();
  noComplaints(opened);
});

test("a long folder comes page by page, and names are looked for by the server", async () => {
  await bucket("long");
  const name = (n) => `file-${String(n).padStart(4, "0")}`;
  for (let n = 0; n < 450; n += 10)
    await Promise.all(Array.from({ length: 10 }, (_, more) => put("long", name(n + more))));
  const asked = [];
  const opened = await world.signedIn("/_/files");
  const { page } = opened;
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname.endsWith("/objects")) asked.push(url.searchParams);
  });
  await entry(page, "long").click();
  await page.getByText("The first 200").waitFor();
  assert.equal(asked.length, 1, "nobody counts the rest");
  await page.getByRole("button", { name: "Show more" }).click();
  await page.getByText("The first 400").waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await page.getByText("450 entries").waitFor();
  assert.deepEqual(
    asked.map((query) => query.get("limit")),
    ["200", "200", "200"],
  );
  await page.getByLabel("Names that begin with").fill("file-044");
  await page.getByText("10 entries").waitFor();
  await entry(page, name(449)).waitFor();
  assert.equal(asked.at(-1).get("prefix"), "file-044");
  await page.getByLabel("Names that begin with").fill("nothing");
  await page.getByRole("heading", { name: "Nothing begins like that" }).waitFor();
  noComplaints(opened);
});

test("a hundred files are uploaded into a folder, and what is there already is replaced only when asked", async () => {
  await bucket("uploaded");
  await put("uploaded", "in/file-7.txt", "old seven");
  await put("uploaded", "in/file-8.txt", "old eight");
  const opened = await world.signedIn("/_/files/uploaded?prefix=in/");
  const { page } = opened;
  await entry(page, "file-7.txt").waitFor();
  const hundred = Array.from({ length: 100 }, (_, n) => file(`file-${n}.txt`, `new ${n}`));
  await page.getByLabel("Files to upload").setInputFiles(hundred);
  const uploads = page.getByRole("region", { name: "Uploads" });
  await uploads.getByText("98 of 100 files uploaded, 2 there already").waitFor();
  await entry(page, "file-99.txt").waitFor();
  assert.equal(await content("uploaded", "in/file-99.txt"), "new 99");
  assert.equal(await content("uploaded", "in/file-7.txt"), "old seven");
  await uploads.getByRole("button", { name: "Replace in/file-7.txt" }).click();
  await uploads.getByText("99 of 100 files uploaded, 1 there already").waitFor();
  await uploads.getByRole("button", { name: "Keep in/file-8.txt" }).click();
  await uploads.getByText("99 of 100 files uploaded", { exact: true }).waitFor();
  assert.deepEqual(
    [await content("uploaded", "in/file-7.txt"), await content("uploaded", "in/file-8.txt")],
    ["new 7", "old eight"],
  );
  assert.equal((await get("uploaded", "in/file-3.txt")).headers["content-type"], "text/plain");
  await uploads.getByRole("button", { name: "Clear the list" }).click();
  await uploads.waitFor({ state: "detached" });
  noComplaints(opened);
});

test("a folder is uploaded with its folders, and a file that is dropped, too", async () => {
  await bucket("folders");
  const local = join(world.server.directory, "to-upload");
  await mkdir(join(local, "one", "two"), { recursive: true });
  await writeFile(join(local, "top.txt"), "top");
  await writeFile(join(local, "one", "two", "deep.txt"), "deep");
  const opened = await world.signedIn("/_/files/folders");
  const { page } = opened;
  await page.getByRole("heading", { name: "Nothing here yet" }).waitFor();
  await page.getByLabel("Folder to upload").setInputFiles(local);
  await page.getByText("2 of 2 files uploaded").waitFor();
  await entry(page, "to-upload/").click();
  await entry(page, "top.txt").waitFor();
  assert.equal(await content("folders", "to-upload/one/two/deep.txt"), "deep");
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["by hand"], "dropped.txt", { type: "text/plain" }));
    return data;
  });
  await page.getByRole("table").dispatchEvent("drop", { dataTransfer: dropped });
  await entry(page, "dropped.txt").waitFor();
  assert.equal(await content("folders", "to-upload/dropped.txt"), "by hand");
  noComplaints(opened);
});

test("each file says for itself why it did not go: a quota, a lost connection, and what was stopped", async () => {
  await bucket("narrow", { quota_bytes: 2000 });
  const opened = await world.signedIn("/_/files/narrow");
  const { page, context } = opened;
  const uploads = page.getByRole("region", { name: "Uploads" });
  const large = { name: "large.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(12 << 20) };
  await page.getByLabel("Files to upload").setInputFiles([file("small.txt"), large]);
  await uploads.getByText("1 of 2 files uploaded, 1 failed").waitFor();
  await uploads.getByRole("group", { name: "large.bin" }).getByText("quota_exceeded").waitFor();
  await world.api("PUT", "/buckets/narrow", { quota_bytes: null });
  await uploads.getByRole("button", { name: "Try again: large.bin" }).click();
  await uploads.getByText("2 of 2 files uploaded").waitFor();
  assert.equal((await get("narrow", "large.bin")).size, 12 << 20);
  // The same again: the server is asked before the bytes are sent.
  await page.getByLabel("Files to upload").setInputFiles([large]);
  await uploads.getByText("1 there already").waitFor();

  let how = "lost";
  await context.route("**/object?key=cut.txt*", (route) => (how === "lost" ? route.abort() : route.continue()));
  await page.getByLabel("Files to upload").setInputFiles([file("cut.txt")]);
  await uploads.getByRole("group", { name: "cut.txt" }).getByText("no_answer").waitFor();
  how = "back";
  await uploads.getByRole("button", { name: "Try again: cut.txt" }).click();
  await entry(page, "cut.txt").waitFor();

  await context.route("**/object?key=held.txt*", () => undefined);
  await page.getByLabel("Files to upload").setInputFiles([file("held.txt")]);
  await uploads.getByRole("progressbar", { name: "All uploads" }).waitFor();
  await uploads.getByRole("button", { name: "Stop held.txt" }).click();
  await uploads.getByRole("progressbar").waitFor({ state: "detached" });
  await assert.rejects(get("narrow", "held.txt"), { status: 404 });
  noComplaints(opened);
});

test("an upload whose session ended goes on once somebody has signed in again", async () => {
  await bucket("signed-out");
  const opened = await world.signedIn("/_/files/signed-out");
  const { page, context } = opened;
  await page.getByRole("heading", { name: "Nothing here yet" }).waitFor();
  await context.clearCookies();
  await page.getByLabel("Files to upload").setInputFiles([file("one.txt"), file("two.txt")]);
  const dialog = dialogOf(page).filter({ hasText: "Your session has ended" });
  await dialog.getByLabel("Bootstrap password").fill(PASSWORD);
  await dialog.getByRole("button", { name: /^Sign in/ }).click();
  await page.getByText("2 of 2 files uploaded").waitFor();
  assert.equal(await content("signed-out", "two.txt"), "two.txt");
  noComplaints(opened);
});

test("an object is looked at, downloaded, shared until a time, and removed", async () => {
  await bucket("shared");
  const amz = { "x-amz-meta-camera": "old one", "x-amz-tagging": "project=falcon&stage=raw" };
  assert.equal((await call("PUT", "/shared/a/photo.txt", { body: "the bytes", type: "text/plain", amz })).status, 200);
  const opened = await world.open();
  const { page } = opened;
  await page.goto("/_/files/shared?prefix=a/");
  await signInWithKey(page, world.user);
  await entry(page, "photo.txt").click();
  const dialog = dialogOf(page);
  await dialog.getByRole("region", { name: "Metadata" }).getByText("old one").waitFor();
  await dialog.getByRole("region", { name: "Tags" }).getByText("falcon").waitFor();
  await dialog.getByRole("region", { name: "Headers" }).getByText("text/plain").waitFor();
  const saved = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Download" }).click();
  const download = await saved;
  assert.equal(download.suggestedFilename(), "photo.txt");
  assert.equal(await readFile(await download.path(), "utf8"), "the bytes");
  await dialog.waitFor({ state: "detached" });

  const act = async (action) => {
    await page.getByRole("button", { name: "Actions for photo.txt" }).click();
    await page.getByRole("menuitem", { name: action }).click();
  };
  await act("Share…");
  await dialog.getByLabel("Ends after").selectOption({ label: "One day" });
  await dialog.getByRole("button", { name: "Make the link" }).click();
  const link = new URL(await dialog.getByLabel("Link", { exact: true }).inputValue());
  assert.equal(link.searchParams.get("X-Amz-Expires"), "86400");
  assert.equal(await (await fetch(link)).text(), "the bytes");
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.waitFor({ state: "detached" });

  await act("Delete…");
  const question = page.getByRole("alertdialog");
  await question.getByText("a/photo.txt").waitFor();
  await question.getByRole("button", { name: "Delete object" }).click();
  await page.getByText("photo.txt is deleted").waitFor();
  await entry(page, "photo.txt").waitFor({ state: "detached" });
  await assert.rejects(get("shared", "a/photo.txt"), { status: 404 });
  // What was removed meanwhile is not saved as a file with an error in it.
  await put("shared", "a/gone.txt");
  await page.reload();
  await entry(page, "gone.txt").waitFor();
  await call("DELETE", "/shared/a/gone.txt");
  await page.getByRole("button", { name: "Actions for gone.txt" }).click();
  await page.getByRole("menuitem", { name: "Download" }).click();
  await page.getByRole("alert").getByText("gone.txt was not downloaded").waitFor();
  noComplaints(opened);
});

test("the tags of an object are changed in place, and what is no tag is said at its line", async () => {
  await bucket("tagged");
  await put("tagged", "plan.txt");
  const opened = await world.signedIn("/_/files/tagged?dialog=details&key=plan.txt");
  const { page } = opened;
  const dialog = dialogOf(page);
  await dialog.getByRole("button", { name: "Change tags…" }).click();
  const field = dialog.getByLabel("Tags", { exact: true });
  const save = dialog.getByRole("button", { name: "Save tags" });
  await field.fill("project=falcon\nnonsense");
  await dialog.getByText("This is no name and value: nonsense").waitFor();
  assert.equal(await save.isDisabled(), true);
  await field.fill("aws:no=1");
  await save.click();
  await dialog.getByRole("alert").getByText("is no key of a tag").waitFor();
  await field.fill("project=falcon\nstage = raw=1");
  await save.click();
  await dialog.getByRole("region", { name: "Tags" }).getByText("raw=1").waitFor();
  assert.deepEqual((await get("tagged", "plan.txt")).tags, { project: "falcon", stage: "raw=1" });
  assert.equal(await content("tagged", "plan.txt"), "plan.txt");
  noComplaints(opened);
});

test("what somebody's rules do not give is refused in words, and the bootstrap admin is told what sharing needs", async () => {
  await bucket("ruled");
  await put("ruled", "in/kept.txt");
  await put("ruled", "out/hidden.txt");
  await bucket("unseen");
  const reader = await world.api("POST", "/users", {
    name: "reader",
    permissions: [{ effect: "Allow", actions: ["read", "list"], resources: ["ruled/in/*"] }],
  });
  const opened = await world.open();
  const { page } = opened;
  await page.goto("/_/files");
  await signInWithKey(page, reader);
  await entry(page, "ruled").waitFor();
  assert.equal(await entry(page, "unseen").count(), 0);
  assert.equal(await page.getByRole("link", { name: "Buckets" }).count(), 0, "that is for who may see the config");
  await entry(page, "ruled").click();
  await entry(page, "in/").waitFor();
  assert.equal(await entry(page, "out/").count(), 0);
  await page.getByLabel("Files to upload").setInputFiles([file("not-mine.txt")]);
  await page.getByRole("group", { name: "not-mine.txt" }).getByText("s3:PutObject").waitFor();
  await page.goto("/_/files/ruled?prefix=in/&dialog=delete&key=in/kept.txt");
  await page.getByRole("button", { name: "Delete object" }).click();
  await page.getByRole("alertdialog").getByText("The object was not deleted").waitFor();
  assert.equal(await content("ruled", "in/kept.txt"), "in/kept.txt");
  await page.goto("/_/files/unseen");
  await page.getByRole("alert").getByText("s3:ListBucket").waitFor();
  noComplaints(opened);

  const admin = await world.signedIn("/_/files/ruled?prefix=in/&dialog=share&key=in/kept.txt");
  await admin.page.getByRole("button", { name: "Make the link" }).click();
  await admin.page.getByRole("alert").getByText("no_signing_key").waitFor();
  await admin.page.goto("/_/files/no-such-bucket");
  await admin.page.getByRole("heading", { name: "No such bucket" }).waitFor();
  noComplaints(admin);
});

test("a read-only bucket offers no change, and a backend that is away is named with a way to try again", async () => {
  await bucket("kept");
  await put("kept", "one.txt");
  await world.api("PUT", "/buckets/kept", { read_only: true });
  const opened = await world.signedIn("/_/files/kept");
  const { page, context } = opened;
  await entry(page, "one.txt").waitFor();
  await page.getByText("Read-only", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: /^Upload/ }).count(), 0);
  await entry(page, "one.txt").click();
  await dialogOf(page).getByText("one.txt", { exact: true }).last().waitFor();
  assert.equal(await page.getByRole("button", { name: "Change tags…" }).count(), 0);
  await page.keyboard.press("Escape");
  await dialogOf(page).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Actions for one.txt" }).click();
  await page.getByRole("menuitem", { name: "Share…" }).waitFor();
  assert.equal(await page.getByRole("menuitem", { name: "Delete…" }).count(), 0);
  let away = true;
  const problem = {
    type: "about:blank",
    status: 503,
    code: "backend_down",
    title: "A backend is down",
    detail: "backend `default` does not answer",
    hint: "wait until it is back",
    stage: "storage",
  };
  await context.route("**/objects?*", (route) =>
    away ? route.fulfill({ status: 503, contentType: "application/problem+json", json: problem }) : route.continue(),
  );
  await page.reload();
  const alert = page.getByRole("alert");
  await alert.getByText("does not answer").waitFor();
  away = false;
  await alert.getByRole("button", { name: "Try again" }).click();
  await entry(page, "one.txt").waitFor();
  noComplaints(opened);
});
