// Objects that want to be the console: opened by a signed-in admin, they read nothing of the admin API.

import assert from "node:assert/strict";
import { test } from "node:test";
import { presign, s3 } from "./support/s3.mjs";
import { suite } from "./support/suite.mjs";

const world = suite();

const THEFT = `
  const tell = (text) => { document.documentElement.setAttribute("data-stolen", text); };
  fetch("/_/api/admin/backup").then((r) => r.ok ? r.arrayBuffer().then((b) => tell("got " + b.byteLength)) : tell("status " + r.status), (e) => tell("no"));
`;
const HTML = `<!doctype html><title>evil</title><h1>evil</h1><script>${THEFT}</script>`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg"><text y="20">evil</text><script>${THEFT}</script></svg>`;

const publicly = { effect: "Allow", actions: ["*"], resources: ["*"] };

async function pair() {
  const user = await world.api("POST", "/users", { name: `uploader-${Math.random()}`, permissions: [publicly] });
  return { id: user.access_key_id, secret: user.secret_access_key };
}

/** Opens an address in the admin's own browser, and gives what its script could do. */
async function opened(url) {
  const { page, context } = await world.signedIn("/_/");
  const tried = await page.evaluate(() => fetch("/_/api/admin/backup").then((answer) => answer.status));
  assert.equal(tried, 200, "the console itself may, or the test proves nothing");
  const answered = [];
  page.on("response", (response) => {
    if (response.url().includes("/_/api/admin/backup")) answered.push(response.status());
  });
  const answer = await page.goto(url);
  assert.equal(answer.status(), 200);
  await page.waitForTimeout(500);
  const stolen = await page.evaluate(() => document.documentElement.getAttribute("data-stolen")).catch(() => null);
  await context.close();
  return { stolen, answered, headers: answer.headers() };
}

for (const [name, body, type] of [
  ["evil.html", HTML, "text/html"],
  ["evil.svg", SVG, "image/svg+xml"],
]) {
  test(`an uploaded ${name} reads nothing`, async () => {
    const keys = await pair();
    const { origin } = world.server;
    await s3(origin, keys, "PUT", "/evil");
    assert.equal((await s3(origin, keys, "PUT", `/evil/${name}`, { body, type })).status, 200);
    const { stolen, answered, headers } = await opened(presign(origin, keys, `/evil/${name}`));
    assert.equal(headers["content-type"], type, "it is served as what it claims to be");
    assert.doesNotMatch(stolen ?? "", /^got/);
    assert.ok(!answered.includes(200), `the admin API answered ${answered}`);
    assert.match(headers["content-security-policy"] ?? "", /sandbox/);
  });
}

test("a presigned response-content-type=text/html makes no page of a text", async () => {
  const keys = await pair();
  const { origin } = world.server;
  await s3(origin, keys, "PUT", "/evil");
  assert.equal((await s3(origin, keys, "PUT", "/evil/notes.txt", { body: HTML, type: "text/plain" })).status, 200);
  const url = presign(origin, keys, "/evil/notes.txt", { "response-content-type": "text/html" });
  const { stolen, answered, headers } = await opened(url);
  assert.equal(headers["content-type"], "text/html");
  assert.doesNotMatch(stolen ?? "", /^got/);
  assert.ok(!answered.includes(200), `the admin API answered ${answered}`);
});
