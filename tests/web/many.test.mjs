// Lists with more rows than a page can hold: a real server with ten thousand users.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dialogOf } from "./support/browser.mjs";
import { noComplaints, suite } from "./support/suite.mjs";

const MANY = 10_000;
const named = (n) => `user-${String(n).padStart(5, "0")}`;

/** A hundred groups and all the users, in one document of IAM. */
function crowd() {
  const users = Array.from({ length: MANY }, (_, n) => ({
    name: named(n),
    access_key_id: `AKMANY${String(n).padStart(5, "0")}`,
    secret_access_key: `a-secret-of-${named(n)}`,
    groups: [`group-${n % 100}`],
    permissions: [{ effect: "Allow", actions: ["read", "list"], resources: [`team-${n % 500}`, `team-${n % 500}/*`] }],
  }));
  const groups = Array.from({ length: 100 }, (_, n) => ({
    name: `group-${n}`,
    permissions: [{ effect: "Allow", actions: ["read"], resources: [`shared-${n}/*`] }],
  }));
  // JSON is YAML.
  return JSON.stringify({ access: { iam_users: users, iam_groups: groups } });
}

const world = suite({
  async prepare(api) {
    const made = await api("POST", "/config/declarative-iam-apply", { yaml: crowd() });
    assert.equal(made.users_created, MANY);
  },
});

/** How many elements there are: what a page costs, on any machine. */
const elements = (page) => page.evaluate(() => document.querySelectorAll("*").length);
const rows = (page) => page.locator("tbody tr:not(.gap)").count();

for (const [width, theme] of [
  [1280, "light"],
  [360, "dark"],
]) {
  test(`ten thousand users are scrolled, searched and opened by keyboard, ${width} px`, async () => {
    const opened = await world.signedIn("/_/access/users", { width, theme });
    const { page } = opened;
    await page.getByText(`${MANY} users`).waitFor();
    await page.getByRole("link", { name: named(0) }).waitFor();
    assert.ok((await rows(page)) < 100, `${await rows(page)} rows are in the page`);
    assert.ok((await elements(page)) < 3000, `${await elements(page)} elements are in the page`);
    assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), String(MANY + 1));

    // The End key goes to the very end, and the rows there are the last ones.
    await page.getByRole("heading", { level: 1 }).click();
    await page.keyboard.press("End");
    const last = page.getByRole("link", { name: named(MANY - 1) });
    await last.waitFor();
    await last.scrollIntoViewIfNeeded();
    assert.ok((await rows(page)) < 100);
    assert.equal(
      await page
        .getByRole("row")
        .filter({ hasText: named(MANY - 1) })
        .getAttribute("aria-rowindex"),
      String(MANY + 1),
    );

    // By part of a bucket's name, key by key, and by an access key.
    await page.getByLabel("Find users").focus();
    await page.keyboard.type("team-377/");
    await page.getByText(`20 of ${MANY}`).waitFor();
    assert.equal(await rows(page), 20);
    await page.getByLabel("Find users").fill("akmany04321");
    await page.getByText(`1 of ${MANY}`).waitFor();
    await page.keyboard.press("Tab");
    await page.waitForFunction((name) => document.activeElement?.textContent === name, named(4321));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: named(4321), level: 1 }).waitFor();
    await page.goBack();
    await page.getByText(`1 of ${MANY}`).waitFor();
    noComplaints(opened);
  });
}

test("among ten thousand users a member of a group is found, and Home reads none of them for their names", async () => {
  const [group] = (await world.api("GET", "/groups")).filter((each) => each.name === "group-7");
  const opened = await world.signedIn("/_/");
  const { page } = opened;
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.reload();
  await page.getByText(String(MANY), { exact: true }).waitFor();
  await page.getByRole("heading", { name: "Recent activity" }).waitFor();
  assert.ok(!asked.includes("/_/api/admin/users"), "five megabytes for a few names");
  await page.goto(`/_/access/groups/${group.id}?dialog=add-members`);
  const dialog = dialogOf(page);
  await dialog.getByText(`8 of ${MANY - 100} users who are not in it`).waitFor();
  await dialog.getByLabel("Find users to add").fill("user-0432");
  await dialog.getByRole("button", { name: `Add ${named(4321)}` }).click();
  await page.getByText(`${named(4321)} is in group-7`).waitFor();
  assert.equal((await world.api("GET", `/groups/${group.id}`)).member_ids.length, 101);
  noComplaints(opened);
});
