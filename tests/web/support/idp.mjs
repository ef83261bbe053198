// A certified OpenID provider (npm `oidc-provider`) on a port of its own: whoever types an address signs in as that.

import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

export const CLIENT = { id: "deltaglider", secret: "a-secret-between-the-two-of-them" };

/** `origin`: the server that people are sent back to. */
export async function startIdp(origin) {
  const http = createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const issuer = `http://127.0.0.1:${http.address().port}`;
  const groups = new Map();
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${origin}/_/api/admin/oauth/callback`],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: id,
        email_verified: true,
        name: id.split("@")[0],
        groups: groups.get(id) ?? [],
      }),
    }),
    cookies: { keys: ["only for tests"] },
  });
  http.on("request", provider.callback());
  return {
    issuer,
    /** What the provider says of somebody from now on. */
    setGroups: (person, names) => groups.set(person, names),
    async stop() {
      http.closeAllConnections();
      http.close();
    },
  };
}

/** The provider's pages ask for fonts of elsewhere; a test leaves this machine for nothing. */
export function stayHere(context) {
  return context.route(
    (url) => url.hostname !== "127.0.0.1",
    (route) => route.abort(),
  );
}

/** Fills the provider's own pages: its login, and its question whether that is wanted. */
export async function signInAt(page, person) {
  await page.locator("input[name=login]").fill(person);
  await page.locator("input[name=password]").fill("anything");
  await page.locator("button[type=submit]").click();
  await page.getByRole("button", { name: "Continue" }).click();
}
