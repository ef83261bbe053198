// One browser and one server for the tests of a file; each test has a page of its own.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { launch, openPage, openSignedIn } from "./browser.mjs";
import { signInApi, startServer } from "./server.mjs";

/** What a test file works with; filled before its first test. `prepare` gives the server what all its tests need. */
export function suite({ server: options = {}, api = true, prepare } = {}) {
  const world = {};
  let contexts = [];
  const kept = (opened) => {
    contexts.push(opened.context);
    return opened;
  };
  before(async () => {
    // The server first: without one there must be no browser left that keeps the run alive.
    world.server = await startServer(options);
    world.browser = await launch();
    if (api) world.api = await signInApi(world.server.origin);
    await prepare?.(world.api);
  });
  after(async () => {
    await world.browser?.close();
    await world.server?.stop();
  });
  afterEach(async () => {
    // A page that stays open goes on asking, and takes time from the tests after it.
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
  });
  /** A page that nobody is signed in on. */
  world.open = async (options) => kept(await openPage(world.browser, world.server, options));
  /** A page of the bootstrap admin at an address. */
  world.signedIn = async (path, options) => kept(await openSignedIn(world.browser, world.server, path, options));
  return world;
}

/** Nothing was said on the console, thrown, or fetched from elsewhere. */
export function noComplaints({ complaints }) {
  assert.deepEqual(complaints, []);
}
