// Kinds of sign-in providers: what each is asked for, and what is filled in for it.

export const PRESETS = [
  {
    type: "google",
    title: "Google",
    text: "Google Workspace and Google accounts",
    issuer: { fixed: true, value: "https://accounts.google.com", placeholder: "" },
    where: "Google Cloud console → APIs & Services → Credentials → OAuth client ID → Web application",
    scopes: "openid email profile",
  },
  {
    type: "okta",
    title: "Okta",
    text: "An Okta organisation",
    issuer: { fixed: false, value: "", placeholder: "https://your-org.okta.com" },
    where: "Okta admin console → Applications → Create App Integration → OIDC, Web Application",
    scopes: "openid email profile groups",
  },
  {
    type: "entra",
    title: "Microsoft Entra ID",
    text: "One tenant, formerly Azure AD",
    issuer: { fixed: false, value: "", placeholder: "https://login.microsoftonline.com/TENANT-ID/v2.0" },
    where: "Entra admin center → App registrations → New registration → Web",
    scopes: "openid email profile",
  },
  {
    type: "oidc",
    title: "OpenID Connect",
    text: "Keycloak, Authentik, Zitadel, GitLab, …",
    issuer: { fixed: false, value: "", placeholder: "https://id.example.com/realms/main" },
    where: "the provider’s administration, as a confidential client with the authorization code flow",
    scopes: "openid email profile",
  },
] as const;

export type PresetType = (typeof PRESETS)[number]["type"];
export type Preset = (typeof PRESETS)[number];

export function preset(type: string): Preset {
  return PRESETS.find((each) => each.type === type) ?? PRESETS[3];
}
