// Lists with more rows than a page can hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noComplaints, suite } from "./support/suite.mjs";

const world = suite();
const MANY = 10_000;

/** The real answer, as of a server with many users. */
async function crowd(page) {
  const [one] = await world.api("GET", "/users");
  const users = Array.from({ length: MANY }, (_, n) => ({
    ...one,
    id: `${one.id.slice(0, -5)}${String(n).padStart(5, "0")}`,
    name: `user-${String(n).padStart(5, "0")}`,
  }));
  await page.route("**/_/api/admin/users", (route) => route.fulfill({ json: users }));
}

for (const [width, theme] of [
  [1280, "light"],
  [360, "dark"],
]) {
  test(`ten thousand users are scrolled, searched and opened, ${width} px`, async () => {
    await world.api("POST", "/users", { name: `the-pattern-${width}` });
    const opened = await world.signedIn("/_/", { width, theme });
    const { page } = opened;
    await crowd(page);
    await page.goto("/_/access/users");
    await page.getByText("10000 users").waitFor();
    await page.getByRole("link", { name: "user-00000" }).waitFor();
    const there = () => page.locator("tbody tr:not(.gap)").count();
    assert.ok((await there()) < 100, `${await there()} rows are in the page`);
    assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), String(MANY + 1));

    // The End key goes to the very end, and the rows there are the last ones.
    await page.getByRole("heading", { level: 1 }).click();
    await page.keyboard.press("End");
    await page.getByRole("link", { name: "user-09999" }).waitFor();
    await page.getByRole("link", { name: "user-09999" }).scrollIntoViewIfNeeded();
    assert.ok((await there()) < 100);
    assert.equal(
      await page.getByRole("row").filter({ hasText: "user-09999" }).getAttribute("aria-rowindex"),
      String(MANY + 1),
    );

    await page.getByLabel("Find users").fill("user-04321");
    await page.getByText(`1 of ${MANY}`).waitFor();
    await page.getByRole("link", { name: "user-04321" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/access\/users\/[0-9a-f-]+04321/);
    noComplaints(opened);
  });
}
