// A certified OpenID provider on loopback, for `tests/it/sso_real.rs`: people and their claims can be changed while it runs, and
// everybody consents. Its first line on standard output is its issuer.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const people = new Map();
let who = null;

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "dgp",
      client_secret: "it is a secret",
      redirect_uris: JSON.parse(process.env.REDIRECT_URIS),
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  scopes: ["openid", "email", "profile", "groups"],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  cookies: { keys: ["a key of the test"] },
  ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 600, AccessToken: 600 },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) =>
    people.has(id) ? { accountId: id, claims: async () => ({ sub: id, ...people.get(id) }) } : undefined,
  async loadExistingGrant(context) {
    const { session, client, params } = context.oidc;
    const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
});

async function body(request) {
  let text = "";
  for await (const piece of request) text += piece;
  return JSON.parse(text);
}

const answer = provider.callback();
server.on("request", async (request, response) => {
  try {
    if (request.url === "/control/person") {
      const { sub, claims } = await body(request);
      people.set(sub, claims);
      who = sub;
      response.end("{}");
    } else if (request.url.startsWith("/interaction/")) {
      const result = who ? { login: { accountId: who } } : { error: "access_denied" };
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    } else if (request.url === "/control/nobody") {
      who = null;
      response.end("{}");
    } else {
      await answer(request, response);
    }
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    response.end();
  }
});
console.log(issuer);
