// Debian's Chromium, driven by playwright-core; every page watches for what a console must never do.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { pageConditions } from "./conditions.mjs";
import { PASSWORD } from "./server.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export async function launch() {
  if (!existsSync(CHROMIUM))
    throw new Error(`there is no browser at ${CHROMIUM}: apt-get install chromium, or name one with CHROMIUM`);
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page of a fresh profile. `complaints` fills with console errors, broken policies, requests to elsewhere. */
export async function openPage(browser, server, { theme = "light", width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({
    baseURL: server.origin,
    colorScheme: theme,
    viewport: { width, height },
    acceptDownloads: true,
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
  });
  // No test passes by waiting; a machine that builds something meanwhile answers late, and an archive's passphrase takes its time.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await pageConditions(page);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    // The browser itself reports answers such as 401; those are told apart by the tests that expect them.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
      complaints.push(`console: ${message.text()}`);
  });
  const pending = new Set();
  page.on("request", (request) => pending.add(request));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => pending.delete(request));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== server.origin && !["blob:", "data:"].includes(url.protocol))
      complaints.push(`foreign request: ${request.url()} of ${request.frame().url()}`);
  });
  page.quiet = () => pending.size === 0;
  return { page, context, complaints };
}

/** Signs in by the form, at the address that the page is at. */
export async function signIn(page, password = PASSWORD) {
  await page.getByLabel("Bootstrap password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Signs in by the form with the key pair of a user that the API has just made. */
export async function signInWithKey(page, user) {
  await page.getByRole("button", { name: "Access key" }).click();
  await page.getByLabel("Access key ID").fill(user.access_key_id);
  await page.getByLabel("Secret access key").fill(user.secret_access_key);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Opens an address as the bootstrap admin. */
export async function openSignedIn(browser, server, path = "/_/", options = {}) {
  const opened = await openPage(browser, server, options);
  await opened.page.goto(path);
  await signIn(opened.page, options.password);
  // By its id: behind a dialog that the address opens it has no role.
  await opened.page.locator("#room").waitFor();
  return opened;
}

/** The dialog that is open. A message in the corner has the same role and may come while the dialog still goes. */
export function dialogOf(page) {
  return page.locator('[role="dialog"]:not(.toast)');
}
