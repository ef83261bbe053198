// S3 accounts as backends: tried before they are added, refused in the account's words, their keys changed, their buckets taken in.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { startMoto } from "./support/moto.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const SECRET = "a-secret-half-that-is-shown-to-nobody";
const world = suite();
// An account is one backend's, so each test has accounts of its own.
let started = [];
afterEach(async () => {
  await Promise.all(started.map((each) => each.stop()));
  started = [];
});
const kept = (each) => {
  started.push(each);
  return each;
};
const newAccount = async () => kept(await startMoto());
const backend = (name) => world.api("GET", `/backends/${name}`);
const account = (moto) => ({
  type: "s3",
  endpoint: moto.origin,
  access_key_id: moto.id,
  secret_access_key: moto.secret,
});

/** An account that knows no key of ours. */
async function startRefusing() {
  const http = createServer((_, answer) => {
    answer.writeHead(403, { "content-type": "application/xml" });
    answer.end("<Error><Code>InvalidAccessKeyId</Code><Message>no such key</Message></Error>");
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return kept({
    origin: `http://127.0.0.1:${http.address().port}`,
    stop() {
      http.closeAllConnections();
      http.close();
    },
  });
}

async function type(dialog, { name, endpoint, id = "testing", secret = SECRET }) {
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByText("An S3 account").click();
  await dialog.getByLabel("Endpoint").fill(endpoint);
  await dialog.getByLabel("Access key ID").fill(id);
  await dialog.getByLabel("Secret access key").fill(secret);
}

test("an account is tried, planned and added, and its secret is written nowhere but into the database", async () => {
  const moto = await newAccount();
  assert.equal((await moto.call("PUT", "/somebody-elses")).status, 200);
  const opened = await world.signedIn("/_/backends?dialog=new");
  const { page } = opened;
  let dialog = page.getByRole("dialog", { name: "Add backend" });
  await type(dialog, { name: "remote", endpoint: moto.origin });
  assert.equal(await dialog.getByLabel("Directory").count(), 0);
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  const plan = dialog.getByRole("status", { name: "What it would do" });
  await plan.getByText("1 bucket lies there.").waitFor();
  assert.equal((await plan.innerText()).includes(SECRET), false, "a plan shows no secret");
  await assert.rejects(backend("remote"), { status: 404 });
  await dialog.getByRole("button", { name: "Add backend" }).click();
  await dialog.waitFor({ state: "detached" });
  const row = page.getByRole("row").filter({ hasText: "remote" });
  await row.getByText("Up", { exact: true }).waitFor();
  await row.getByText("S3 account in us-east-1, key testing").waitFor();
  const config = await readFile(join(world.server.directory, "config.yaml"), "utf8");
  assert.equal(config.includes(SECRET), false);
  assert.equal((await page.content()).includes(SECRET), false, "the page forgot it, too");

  // It is a backend like any other.
  await page.getByRole("link", { name: "Buckets" }).first().click();
  await page.getByRole("button", { name: "Create bucket" }).first().click();
  dialog = page.getByRole("dialog", { name: "Create bucket" });
  await dialog.getByLabel("Name", { exact: true }).fill("on-remote");
  await dialog.getByLabel("Backend").selectOption("remote");
  await dialog.getByRole("button", { name: "Create bucket" }).click();
  await page.getByRole("heading", { name: "on-remote", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Files", exact: true }).last().click();
  await page.getByRole("heading", { name: "Nothing here yet" }).waitFor();
  const buffer = Buffer.from("over there");
  await page.getByLabel("Files to upload").setInputFiles([{ name: "far.txt", mimeType: "text/plain", buffer }]);
  await page.getByRole("main").getByRole("link", { name: "far.txt" }).waitFor();
  assert.equal(await (await moto.call("GET", "/on-remote/far.txt")).text(), "over there");
  noComplaints(opened);
});

test("an account that refuses the key, or does not answer, is not added, and says why", async () => {
  const refusing = await startRefusing();
  const opened = await world.signedIn("/_/backends?dialog=new");
  const { page } = opened;
  const dialog = page.getByRole("dialog", { name: "Add backend" });
  await type(dialog, { name: "wrong", endpoint: refusing.origin });
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  const alert = dialog.getByRole("alert").filter({ hasText: "The backend was not added" });
  await alert.getByText("backend_unusable").waitFor();
  await alert.getByText("InvalidAccessKeyId").waitFor();
  refusing.stop();
  await dialog.getByLabel("Endpoint").fill(`${refusing.origin}/`);
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await alert.getByText("backend_unusable").waitFor();
  await dialog.getByLabel("Endpoint").fill("http://169.254.169.254");
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await alert.waitFor();
  await assert.rejects(backend("wrong"), { status: 404 });
  noComplaints(opened);
});

test("an account gets another key pair, is not moved to another's place, and is probed", async () => {
  const [moto, elsewhere] = [await newAccount(), await newAccount()];
  await world.api("POST", "/backends", { name: "changed", ...account(moto) });
  await world.api("POST", "/buckets", { name: "of-changed", backend: "changed" });
  const opened = await world.signedIn("/_/backends?dialog=edit&key=changed");
  const { page } = opened;
  const dialog = page.getByRole("dialog", { name: "Change changed" });
  await dialog.getByLabel("Access key ID").fill("rotated");
  await dialog.getByLabel("Secret access key").fill(SECRET);
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await dialog.getByRole("status", { name: "What it would do" }).getByText("rotated").waitFor();
  await dialog.getByRole("button", { name: "Change it" }).click();
  await page.getByText("changed is changed").waitFor();
  assert.equal((await backend("changed")).access_key_id, "rotated");
  assert.equal((await backend("changed")).endpoint, moto.origin, "what was not touched stays");

  await dialog.waitFor({ state: "detached" });
  await page.goto("/_/backends?dialog=edit&key=changed");
  await dialog.getByLabel("Endpoint").fill(elsewhere.origin);
  await dialog.getByRole("button", { name: "See what it would do" }).click();
  await dialog.getByRole("alert").getByText("has none of the buckets").waitFor();
  assert.equal((await backend("changed")).endpoint, moto.origin);
  await page.goto("/_/backends?dialog=probe&key=changed");
  const probe = page.getByRole("dialog", { name: "changed as it is now" });
  await probe.getByText("The place answers and is this backend’s own").waitFor();
  await probe.getByText(/^It answers/).waitFor();
  noComplaints(opened);
});

test("buckets of an account that nobody knows are taken in by command, and what has a double is named", async () => {
  const moto = await newAccount();
  await world.api("POST", "/backends", { name: "known", ...account(moto) });
  await world.api("POST", "/buckets", { name: "first", backend: "known" });
  const mark = await (await moto.call("GET", "/first/.dg/backend.json")).text();
  // As another host of the same backend would have made them.
  for (const name of ["came-later", "on-two"]) {
    assert.equal((await moto.call("PUT", `/${name}`)).status, 200);
    assert.equal((await moto.call("PUT", `/${name}/.dg/backend.json`, { body: mark })).status, 200);
  }
  await world.api("POST", "/buckets", { name: "on-two", backend: "default" });
  const opened = await world.signedIn("/_/backends?dialog=probe&key=known");
  const { page } = opened;
  const dialog = page.getByRole("dialog", { name: "known as it is now" });
  await dialog.getByRole("button", { name: "Take in all its buckets" }).click();
  await dialog.getByText("1 bucket taken in").waitFor();
  await dialog.getByText("came-later", { exact: true }).waitFor();
  const left = dialog.getByRole("status").filter({ hasText: "1 bucket left as it is" });
  await left.getByText("on-two", { exact: true }).waitFor();
  assert.equal((await world.api("GET", "/buckets/came-later")).backend, "known");
  assert.equal((await world.api("GET", "/buckets/on-two")).backend, "default");
  noComplaints(opened);
});
