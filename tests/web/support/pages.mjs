// Every page of the console, each with the way to bring it up. Screenshots and the checks of all pages use this one list.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dialogOf, signIn, signInWithKey } from "./browser.mjs";
import { spoil } from "./archive.mjs";
import { signInApi } from "./server.mjs";

export const PASSPHRASE = "correct horse battery staple";

const allow = (actions, ...resources) => ({ effect: "Allow", actions, resources });

/** The configuration of a server whose pages are looked at. */
export const CONFIGURED = {
  DGP_BACKUP__TO__DIRECTORY: "stored",
  DGP_BACKUP__SCHEDULE: "0 2 * * *",
  DGP_BACKUP__KEEP__LAST: "14",
};

/** Gives a server something to show; gives back what the pages need. */
export async function populate(server) {
  const api = await signInApi(server.origin);
  const people = [
    ["ci-uploader", [allow(["read", "write", "list"], "ci-builds", "ci-builds/*")]],
    ["backup-agent", [allow(["read", "list"], "media", "media/*"), allow(["backup:read", "backup:export"], "*")]],
    ["anna.lindgren", [allow(["*"], "*")]],
    [
      "release-bot",
      [
        allow(["read", "write", "delete", "list"], "releases/v2/*"),
        {
          effect: "Deny",
          actions: ["delete"],
          resources: ["releases/v2/signed/*"],
          conditions: { NotIpAddress: { "aws:SourceIp": ["10.0.0.0/8", "192.168.4.0/24"] } },
        },
      ],
    ],
    [
      "legacy-sync-from-the-old-datacentre",
      [allow(["read"], "archive", "archive/*", "scans", "scans/*", "mail", "mail/*")],
    ],
  ];
  const made = {};
  for (const [name, permissions] of people) made[name] = await api("POST", "/users", { name, permissions });
  const ids = Object.fromEntries(Object.entries(made).map(([name, { id }]) => [name, id]));
  const auditors = await api("POST", "/groups", {
    name: "auditors",
    description: "Read everything",
    permissions: [allow(["read", "list"], "*")],
    member_ids: [ids["backup-agent"], ids["ci-uploader"]],
  });
  const nobody = await api("POST", "/groups", { name: "on-call-rotation-of-the-storage-team" });
  await api("POST", "/tokens", { name: "nightly-backup", role: "backup", expires_in: "90d" });
  await api("POST", "/tokens", { name: "monitoring", role: "viewer" });
  ids.token = (
    await api("POST", "/tokens", {
      name: "deploy",
      permissions: [allow(["write"], "releases/v2/*")],
      expires_in: "24h",
    })
  ).id;
  await fill(api);
  const provider = await api("POST", "/ext-auth/providers", {
    name: "company",
    provider_type: "oidc",
    display_name: "Company account",
    issuer_url: "http://127.0.0.1:9/realms/main",
    client_id: "deltaglider",
    client_secret: "shown-to-nobody",
    enabled: true,
    extra_config: { allowed_domains: ["example.com", "example.org"] },
  });
  await api("POST", "/ext-auth/providers", {
    name: "google",
    provider_type: "google",
    client_id: "1234-abcd.apps.googleusercontent.com",
    enabled: false,
  });
  const rule = (match_type, match_value, group_id, more = {}) =>
    api("POST", "/ext-auth/mappings", { match_type, match_value, group_id, ...more });
  ids.rule = (await rule("email_domain", "example.com", auditors.id, { priority: 10 })).id;
  await rule("claim_value", "storage-admins", nobody.id, {
    priority: 20,
    match_field: "realm_access.roles",
    provider_id: provider.id,
  });
  await rule("email_regex", "(ops|oncall)\\+.*@example\\.org", nobody.id, { priority: 30, enabled: false });
  ids.identity = (
    await api("POST", "/ext-auth/identities", {
      user_id: ids["release-bot"],
      provider_id: provider.id,
      external_sub: "f3a1c0de-0000-4000-8000-1234567890ab",
    })
  ).id;
  ids.provider = provider.id;
  // Somebody else's session, as seen by whoever looks at the list.
  await signInApi(server.origin);
  ids.auditors = auditors.id;
  ids.nobody = nobody.id;
  await api("PUT", `/users/${ids["legacy-sync-from-the-old-datacentre"]}`, { enabled: false });
  const archive = await api("GET", "/backup");
  const good = join(server.directory, "dgp-backup-v2-20261122T210000Z.zip");
  const bad = join(server.directory, "damaged.zip");
  const sealed = join(server.directory, "dgp-backup-v2-20261122T210000Z.zip.age");
  await writeFile(good, archive);
  await writeFile(sealed, await api("GET", "/backup", undefined, { "X-DGP-Backup-Passphrase": PASSPHRASE }));
  await writeFile(bad, spoil(archive));
  ids.stored = (await api("POST", "/backups")).id;
  await api("POST", "/backups");
  // What a restore of the archive would take back.
  ids["temp-contractor"] = (
    await api("POST", "/users", { name: "temp-contractor", permissions: [allow(["read"], "*")] })
  ).id;
  await api("PUT", `/users/${ids["ci-uploader"]}`, { permissions: [allow(["read"], "ci-builds/*")] });
  await api("DELETE", `/users/${ids["anna.lindgren"]}`);
  return { ids, good, bad, sealed, pair: made["backup-agent"] };
}

/** Buckets of every state, and files of every kind of name. */
async function fill(api) {
  await api("POST", "/buckets", { name: "ci-builds", quota_bytes: 2 * 2 ** 30 });
  await api("POST", "/buckets", { name: "media", public_prefixes: ["thumbnails/", "trailers/2026/"] });
  await api("POST", "/buckets", { name: "archive-of-the-old-datacentre-that-nobody-may-write-to-any-more" });
  await api("POST", "/buckets", { name: "empty" });
  const put = (bucket, key, body = "x".repeat(1500)) =>
    api("PUT", `/buckets/${bucket}/object?key=${encodeURIComponent(key)}`, new TextEncoder().encode(body));
  for (const key of [
    "v1/app.tar",
    "v1/sums.txt",
    "v2/app.tar",
    "README.md",
    "späte Änderung & Ähnliches.txt",
    LONG_KEY,
  ])
    await put("ci-builds", key);
  await put("archive-of-the-old-datacentre-that-nobody-may-write-to-any-more", "last");
  await api("PUT", "/buckets/archive-of-the-old-datacentre-that-nobody-may-write-to-any-more", {
    read_only: true,
    quota_bytes: 1000,
  });
  await api("PUT", "/buckets/media", {
    tags: { team: "storage", "cost centre": "12" },
    cors: [
      { allowed_origins: ["https://app.example.com"], allowed_methods: ["GET", "HEAD"], allowed_headers: ["*"] },
      { id: "upload", allowed_origins: ["https://*.example.org"], allowed_methods: ["PUT"], max_age_seconds: 600 },
    ],
  });
}

/** As long as a key may be. */
export const LONG_KEY = `${"long-".repeat(102)}${"ö".repeat(257)}`;

/** Chooses an archive on the restore page. */
export async function dropArchive(page, file) {
  await page.getByLabel("Backup archive").setInputFiles(file);
}

/** Types what a question wants typed, and says yes. */
export async function confirmTyped(page, action) {
  const question = page.getByRole("alertdialog");
  await question.getByLabel(/^Type /).fill(await question.locator(".typed").innerText());
  await question.getByRole("button", { name: action }).click();
}

const at = (path) => async (page) => {
  await page.goto(path);
};

const heading = (page, name) => page.getByRole("heading", { name, level: 1 }).waitFor();

/** `fresh` pages need a server without users; `out` ones nobody signed in. */
export const PAGES = [
  { name: "sign-in-first", fresh: true, out: true, open: at("/_/") },
  {
    name: "welcome-start",
    fresh: true,
    open: at("/_/welcome"),
  },
  { name: "welcome-storage", fresh: true, open: at("/_/welcome?step=storage") },
  { name: "welcome-key", fresh: true, open: at("/_/welcome?step=key") },
  { name: "home-empty", fresh: true, open: at("/_/") },
  { name: "users-empty", fresh: true, open: at("/_/access/users") },
  { name: "groups-empty", fresh: true, open: at("/_/access/groups") },
  { name: "tokens-empty", fresh: true, open: at("/_/access/tokens") },
  { name: "providers-empty", fresh: true, open: at("/_/access/providers") },
  { name: "mappings-empty", fresh: true, open: at("/_/access/mappings") },
  { name: "identities-empty", fresh: true, open: at("/_/access/identities") },
  { name: "backup-empty", fresh: true, open: at("/_/settings/system/backup") },
  { name: "buckets-empty", fresh: true, open: at("/_/buckets") },
  { name: "files-empty", fresh: true, open: at("/_/files") },
  {
    name: "welcome-done",
    fresh: true,
    async open(page) {
      await page.goto("/_/welcome?step=key");
      await page.getByLabel("Bucket", { exact: true }).fill("ci-builds");
      await page.getByLabel("User", { exact: true }).fill(`ci-uploader-${Math.random().toString(36).slice(2, 8)}`);
      await page.getByRole("button", { name: "Create the key" }).click();
      await heading(page, "Connect a client");
    },
  },
  { name: "sign-in", out: true, open: at("/_/access/users") },
  {
    name: "sign-in-wrong",
    out: true,
    async open(page) {
      await page.goto("/_/");
      // The password may not be the last thing that was signed in with.
      await page.getByRole("button", { name: "Password", exact: true }).click();
      await signIn(page, "not-the-password");
      await page.getByRole("alert").waitFor();
    },
  },
  {
    name: "sign-in-key",
    out: true,
    async open(page) {
      await page.goto("/_/");
      await page.getByRole("button", { name: "Access key" }).click();
    },
  },
  { name: "sign-in-refused", out: true, open: at("/_/?sso_error=sso_domain_not_allowed&sso_provider=company") },
  { name: "home", open: at("/_/") },
  { name: "users", open: at("/_/access/users") },
  { name: "users-nobody", open: at("/_/access/users?q=zebra") },
  { name: "user-new", open: at("/_/access/users?dialog=new") },
  {
    name: "user-new-secret",
    async open(page) {
      await page.goto("/_/access/users?dialog=new");
      await page.getByLabel("Name", { exact: true }).fill(`shown-once-${Math.random().toString(36).slice(2, 8)}`);
      await page.getByLabel("Where", { exact: true }).fill("ci-builds");
      await page.getByRole("button", { name: "Create user" }).last().click();
      await page.getByText("Save the secret now").waitFor();
    },
  },
  {
    name: "user-new-refused",
    async open(page) {
      await page.goto("/_/access/users?dialog=new");
      await page.getByLabel("Name", { exact: true }).fill("release-bot");
      await page.getByLabel("Where", { exact: true }).fill("ci-builds");
      await page.getByRole("button", { name: "Create user" }).last().click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "user", open: (page, { ids }) => page.goto(`/_/access/users/${ids["ci-uploader"]}`) },
  { name: "user-rules", open: (page, { ids }) => page.goto(`/_/access/users/${ids["release-bot"]}`) },
  {
    name: "user-unsaved",
    async open(page, { ids }) {
      await page.goto(`/_/access/users/${ids["backup-agent"]}`);
      await page.getByRole("button", { name: "Add rule" }).click();
      await page.getByRole("menuitem", { name: "Upload only" }).click();
      await page.getByText("Unsaved changes").waitFor();
    },
  },
  {
    name: "user-json",
    async open(page, { ids }) {
      await page.goto(`/_/access/users/${ids["release-bot"]}`);
      await page.getByRole("button", { name: "JSON" }).click();
    },
  },
  { name: "user-keys", open: (page, { ids }) => page.goto(`/_/access/users/${ids["backup-agent"]}?tab=keys`) },
  {
    name: "user-rotate",
    open: (page, { ids }) => page.goto(`/_/access/users/${ids["backup-agent"]}?tab=keys&dialog=rotate`),
  },
  {
    name: "user-key-new",
    open: (page, { ids }) => page.goto(`/_/access/users/${ids["release-bot"]}?tab=keys&dialog=new-key`),
  },
  {
    name: "user-key-delete",
    open: (page, { ids }) =>
      page.goto(`/_/access/users/${ids["release-bot"]}?tab=keys&dialog=delete-key&key=AKEXAMPLEEXAMPLE0000`),
  },
  { name: "user-rename", open: (page, { ids }) => page.goto(`/_/access/users/${ids["backup-agent"]}?dialog=rename`) },
  { name: "user-disable", open: (page, { ids }) => page.goto(`/_/access/users/${ids["backup-agent"]}?dialog=disable`) },
  { name: "user-delete", open: (page, { ids }) => page.goto(`/_/access/users/${ids["release-bot"]}?dialog=delete`) },
  { name: "user-gone", open: (page, { ids }) => page.goto(`/_/access/users/${ids["anna.lindgren"]}`) },
  {
    name: "session-ended",
    async open(page) {
      await page.goto("/_/access/users?dialog=new");
      await page.getByLabel("Name", { exact: true }).fill("typed-before-it-ended");
      await page.getByLabel("Where", { exact: true }).fill("ci-builds");
      // What the room reads must have come: a list whose call waits for the new sign-in stays "Loading" behind the dialog.
      await settled(page);
      await page.context().clearCookies();
      await page.getByRole("button", { name: "Create user" }).last().click();
      await page.getByText("Your session has ended").waitFor();
    },
    ends: true,
  },
  { name: "groups", open: at("/_/access/groups") },
  { name: "group-new", open: at("/_/access/groups?dialog=new") },
  { name: "group", open: (page, { ids }) => page.goto(`/_/access/groups/${ids.auditors}`) },
  { name: "group-empty", open: (page, { ids }) => page.goto(`/_/access/groups/${ids.nobody}`) },
  { name: "group-add", open: (page, { ids }) => page.goto(`/_/access/groups/${ids.auditors}?dialog=add-members`) },
  { name: "group-rules", open: (page, { ids }) => page.goto(`/_/access/groups/${ids.auditors}?tab=permissions`) },
  { name: "group-edit", open: (page, { ids }) => page.goto(`/_/access/groups/${ids.auditors}?dialog=edit`) },
  { name: "group-delete", open: (page, { ids }) => page.goto(`/_/access/groups/${ids.auditors}?dialog=delete`) },
  { name: "policies", open: at("/_/access/policies") },
  { name: "tokens", open: at("/_/access/tokens") },
  { name: "token-new", open: at("/_/access/tokens?dialog=new") },
  {
    name: "token-new-rules",
    async open(page) {
      await page.goto("/_/access/tokens?dialog=new");
      await page.getByText("Own rules").click();
      await page.getByRole("button", { name: "Add rule" }).click();
      await page.getByRole("menuitem", { name: "Upload only" }).click();
    },
  },
  {
    name: "token-new-shown",
    async open(page) {
      await page.goto("/_/access/tokens?dialog=new&role=viewer");
      await page.getByLabel("Name", { exact: true }).fill(`shown-once-${Math.random().toString(36).slice(2, 8)}`);
      await page.getByRole("button", { name: "Make the token" }).click();
      await page.getByText("Save the token now").waitFor();
      // The next page is not held up by the question whether it was saved.
      await page.getByRole("button", { name: "Copy token" }).click();
    },
  },
  { name: "token-revoke", open: (page, { ids }) => page.goto(`/_/access/tokens?dialog=revoke&key=${ids.token}`) },
  { name: "sessions", open: at("/_/access/sessions") },
  {
    name: "session-end",
    async open(page) {
      await page.goto("/_/access/sessions");
      await page
        .getByRole("button", { name: /^End the session of/ })
        .first()
        .click();
      await page.getByRole("alertdialog").waitFor();
    },
  },
  { name: "providers", open: at("/_/access/providers") },
  { name: "provider-new", open: at("/_/access/providers?dialog=new") },
  { name: "provider", open: (page, { ids }) => page.goto(`/_/access/providers/${ids.provider}`) },
  {
    name: "provider-test",
    async open(page, { ids }) {
      await page.goto(`/_/access/providers/${ids.provider}`);
      await page.getByRole("button", { name: "Ask the provider" }).click();
      await page.getByText("Signing in would fail").waitFor();
    },
  },
  { name: "provider-delete", open: (page, { ids }) => page.goto(`/_/access/providers/${ids.provider}?dialog=delete`) },
  { name: "mappings", open: at("/_/access/mappings") },
  { name: "mapping-new", open: at("/_/access/mappings?dialog=new") },
  { name: "mapping-edit", open: (page, { ids }) => page.goto(`/_/access/mappings?dialog=edit&key=${ids.rule}`) },
  { name: "mapping-delete", open: (page, { ids }) => page.goto(`/_/access/mappings?dialog=delete&key=${ids.rule}`) },
  {
    name: "mapping-preview",
    async open(page) {
      await page.goto("/_/access/mappings");
      await page.getByLabel("E-mail address", { exact: true }).fill("anna@example.com");
      await page.getByRole("button", { name: "Preview", exact: true }).click();
      await page.getByText("1 group", { exact: true }).waitFor();
    },
  },
  {
    name: "mapping-claims",
    async open(page) {
      await page.goto("/_/access/mappings");
      await page.getByRole("button", { name: "Claims" }).click();
      await page.getByLabel("Claims", { exact: true }).fill("{ not json");
    },
  },
  { name: "identities", open: at("/_/access/identities") },
  { name: "identity-bind", open: at("/_/access/identities?dialog=bind") },
  {
    name: "identity-unlink",
    open: (page, { ids }) => page.goto(`/_/access/identities?dialog=unlink&key=${ids.identity}`),
  },
  { name: "explain", open: at("/_/access/explain") },
  {
    name: "explain-allowed",
    async open(page) {
      await page.goto("/_/access/explain?principal=backup-agent&action=s3:GetObject&resource=media/a.mp4");
      await page.getByText("Allowed", { exact: true }).waitFor();
    },
  },
  {
    name: "explain-refused",
    async open(page) {
      await page.goto(
        "/_/access/explain?principal=release-bot&action=s3:DeleteObject&resource=releases/v2/signed/a.sig&ip=172.16.4.7",
      );
      await page.getByText("Refused", { exact: true }).waitFor();
    },
  },
  {
    name: "explain-nobody",
    async open(page) {
      await page.goto("/_/access/explain?principal=nobody-of-that-name&action=s3:GetObject");
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "audit", open: at("/_/activity/audit") },
  { name: "audit-filtered", open: at("/_/activity/audit?action=token.*&outcome=success") },
  { name: "audit-nothing", open: at("/_/activity/audit?q=zebra") },
  {
    name: "audit-proof",
    async open(page) {
      await page.goto("/_/activity/audit?action=login");
      await page.getByRole("button", { name: "Verify" }).click();
      await page.getByText("Nothing was edited").waitFor();
    },
  },
  { name: "audit-row", open: at("/_/activity/audit?row=3") },
  {
    name: "audit-request",
    async open(page) {
      await page.goto("/_/activity/audit");
      await page
        .getByRole("link", { name: /^All rows of request/ })
        .first()
        .click();
      await page.getByRole("button", { name: "Show all requests" }).waitFor();
    },
  },
  { name: "password", open: at("/_/settings/system/password") },
  { name: "backup", open: at("/_/settings/system/backup") },
  {
    name: "backup-delete",
    open: (page, { ids }) => page.goto(`/_/settings/system/backup?dialog=delete&key=${ids.stored}`),
  },
  {
    name: "restore-stored",
    async open(page, { ids }) {
      await page.goto(`/_/settings/system/backup/restore?stored=${ids.stored}`);
      await page.getByRole("heading", { name: "What it will do" }).waitFor();
    },
  },
  { name: "restore-drop", open: at("/_/settings/system/backup/restore") },
  {
    name: "restore-plan",
    async open(page, { good }) {
      await page.goto("/_/settings/system/backup/restore");
      await dropArchive(page, good);
      await page.getByRole("heading", { name: "What it will do" }).waitFor();
    },
  },
  {
    name: "restore-options",
    async open(page, { good }) {
      await page.goto("/_/settings/system/backup/restore");
      await dropArchive(page, good);
      await page.getByRole("heading", { name: "What it will do" }).waitFor();
      await page.getByText("Options", { exact: true }).click();
    },
  },
  {
    name: "restore-confirm",
    async open(page, { good }) {
      await page.goto("/_/settings/system/backup/restore");
      await dropArchive(page, good);
      await page.getByRole("button", { name: "Restore…" }).click();
      await page.getByRole("alertdialog").waitFor();
    },
  },
  {
    name: "restore-refused",
    async open(page, { bad }) {
      await page.goto("/_/settings/system/backup/restore");
      await dropArchive(page, bad);
      await page.getByRole("alert").waitFor();
    },
  },
  {
    name: "account-menu",
    async open(page) {
      await page.goto("/_/");
      await page.locator("#room").waitFor();
      const places = page.getByRole("button", { name: "Places" });
      if (await places.isVisible()) await places.click();
      await page.getByRole("button", { name: "Bootstrap admin" }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    },
  },
  { name: "backends", open: at("/_/backends") },
  {
    name: "backend-new",
    async open(page) {
      await page.goto("/_/backends?dialog=new");
      await page.getByLabel("Name", { exact: true }).fill("fast-disks");
      await page.getByLabel("Directory").fill("fast-disks-for-new-objects");
      await page.getByRole("button", { name: "See what it would do" }).click();
      await page.getByRole("status", { name: "What it would do" }).waitFor();
    },
  },
  {
    name: "backend-new-account",
    async open(page) {
      await page.goto("/_/backends?dialog=new");
      await page.getByLabel("Name", { exact: true }).fill("remote");
      await page.getByText("An S3 account").click();
      // Nobody listens there.
      await page.getByLabel("Endpoint").fill("http://127.0.0.1:9");
      await page.getByLabel("Access key ID").fill("AKIAEXAMPLE");
      await page.getByLabel("Secret access key").fill("of-no-account");
      await page.getByRole("button", { name: "See what it would do" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  {
    name: "backend-refused",
    async open(page) {
      await page.goto("/_/backends?dialog=delete&key=default");
      await page.getByRole("button", { name: "See what it would do" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "backend-edit", open: at("/_/backends?dialog=edit&key=default") },
  {
    name: "backend-probe",
    async open(page) {
      await page.goto("/_/backends?dialog=probe&key=default");
      await dialogOf(page).locator(".notice").first().waitFor();
    },
  },
  { name: "buckets", open: at("/_/buckets") },
  { name: "buckets-none", open: at("/_/buckets?q=zebra") },
  { name: "bucket-new", open: at("/_/buckets?dialog=new") },
  {
    name: "bucket-new-refused",
    async open(page) {
      await page.goto("/_/buckets?dialog=new");
      await page.getByLabel("Name", { exact: true }).fill("media");
      await dialogOf(page).getByRole("button", { name: "Create bucket" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "bucket", open: at("/_/buckets/media") },
  { name: "bucket-full", open: at("/_/buckets/archive-of-the-old-datacentre-that-nobody-may-write-to-any-more") },
  { name: "bucket-delete", open: at("/_/buckets/ci-builds?dialog=delete") },
  { name: "bucket-gone", open: at("/_/buckets/no-such-bucket") },
  {
    name: "bucket-route",
    async open(page) {
      await page.goto("/_/buckets/ci-builds");
      await page.getByLabel("Name there").fill("ci-builds-2026");
      await page.getByRole("button", { name: "Change the route…" }).click();
      await page.getByRole("alertdialog").waitFor();
    },
  },
  { name: "files", open: at("/_/files") },
  { name: "folder", open: at("/_/files/ci-builds") },
  { name: "folder-under", open: at("/_/files/ci-builds?prefix=v1/") },
  { name: "folder-empty", open: at("/_/files/empty") },
  { name: "folder-read-only", open: at("/_/files/archive-of-the-old-datacentre-that-nobody-may-write-to-any-more") },
  { name: "folder-none", open: at("/_/files/ci-builds?q=zebra") },
  { name: "folder-gone", open: at("/_/files/no-such-bucket") },
  { name: "file", open: at("/_/files/ci-builds?dialog=details&key=README.md") },
  { name: "file-long", open: at(`/_/files/ci-builds?dialog=details&key=${encodeURIComponent(LONG_KEY)}`) },
  { name: "file-gone", open: at("/_/files/ci-builds?dialog=details&key=gone") },
  { name: "file-share", open: at("/_/files/ci-builds?dialog=share&key=README.md") },
  {
    name: "file-share-refused",
    async open(page) {
      await page.goto("/_/files/ci-builds?dialog=share&key=README.md");
      await page.getByRole("button", { name: "Make the link" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "file-delete", open: at("/_/files/ci-builds?dialog=delete&key=v1/app.tar") },
  {
    name: "uploads",
    async open(page) {
      await page.goto("/_/files/ci-builds");
      const buffer = Buffer.from("again");
      await page.getByLabel("Files to upload").setInputFiles([
        { name: "README.md", mimeType: "text/markdown", buffer },
        { name: "späte Änderung & Ähnliches.txt", mimeType: "text/plain", buffer },
        { name: "fresh.txt", mimeType: "text/plain", buffer },
      ]);
      await page.getByText("1 of 3 files uploaded, 2 there already").waitFor();
    },
  },
  { name: "account", open: at("/_/account") },
  {
    name: "account-user",
    out: true,
    async open(page, { pair }) {
      await page.goto("/_/account");
      await signInWithKey(page, pair);
      await heading(page, "My account");
    },
  },
  { name: "nowhere", open: at("/_/no/such/page") },
  {
    name: "restore-sealed",
    async open(page, { sealed }) {
      await page.goto("/_/settings/system/backup/restore");
      await dropArchive(page, sealed);
      await page.getByRole("heading", { name: "This archive is encrypted" }).waitFor();
    },
  },
  {
    name: "export-sealed",
    async open(page) {
      await page.goto("/_/settings/system/backup");
      await page.getByLabel("Protection").selectOption("passphrase");
      await page.getByLabel("Passphrase").waitFor();
    },
  },
  {
    name: "restored",
    async open(page, { good }) {
      await page.goto("/_/settings/system/backup/restore");
      await dropArchive(page, good);
      await page.getByRole("button", { name: "Restore…" }).click();
      await confirmTyped(page, "Restore now");
      await heading(page, "Restored");
    },
  },
  {
    name: "backup-undo",
    async open(page, { good }) {
      await page.goto("/_/settings/system/backup/restore");
      await dropArchive(page, good);
      await page.getByRole("button", { name: "Restore…" }).click();
      await confirmTyped(page, "Restore now");
      await page.getByRole("link", { name: "Undo…" }).click();
      await page.getByRole("heading", { name: "What it will do" }).waitFor();
    },
  },
];

/** Waits until nothing loads any more, so that a picture shows the page as it stays. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("h1, h2") && !/Loading .*…/.test(document.body.innerText));
  for (let calm = 0; calm < 3;) {
    await page.evaluate(() => new Promise((frame) => requestAnimationFrame(() => setTimeout(frame, 20))));
    calm = page.quiet() ? calm + 1 : 0;
  }
}
