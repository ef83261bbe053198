// Signing in with a provider: where a button leads, and what went wrong on the way back.

/** Where a button leads: to the provider, and from there back to `next`. */
export function beginAt(provider: string, next: string): string {
  return `/_/api/admin/oauth/authorize/${encodeURIComponent(provider)}?next=${encodeURIComponent(next)}`;
}

export interface Returned {
  code: string;
  provider: string;
  request: string;
}

/** A sign-in that failed, as the server says by the address. It is read once, and taken out before the router looks. */
export const returned: Returned | null = take();

function take(): Returned | null {
  const url = new URL(window.location.href);
  const code = url.searchParams.get("sso_error");
  if (!code) return null;
  const found = {
    code,
    provider: url.searchParams.get("sso_provider") ?? "",
    request: url.searchParams.get("sso_request") ?? "",
  };
  for (const name of ["sso_error", "sso_provider", "sso_request"]) url.searchParams.delete(name);
  window.history.replaceState(window.history.state, "", url);
  return found;
}

const ADMIN = "An admin finds more at Access → Sign-in providers, with “Ask the provider”, and in the audit log.";
const AGAIN = "Start again from this page.";

/** What each code means for the person who wanted to sign in, and what they can do. */
const WORDS: Record<string, [what: string, todo: string]> = {
  public_url_missing: ["The server does not know its own address.", "An admin has to set advanced.public_url."],
  no_such_provider: ["There is no such sign-in provider any more.", "Use another way to sign in."],
  sso_provider_disabled: ["This sign-in provider is switched off.", "Use another way, or ask an admin."],
  sso_provider_unreachable: ["The provider cannot be reached from the server.", ADMIN],
  sso_provider_timeout: ["The provider did not answer in time.", `Try again in a moment. ${ADMIN}`],
  sso_state_unknown: ["This sign-in took too long, or was used already.", AGAIN],
  sso_state_mismatch: ["Another browser, or another window, began this sign-in.", AGAIN],
  sso_refused_by_provider: ["The provider did not let you in, or you said no there.", AGAIN],
  sso_provider_changed: ["The provider’s settings were changed while you signed in.", AGAIN],
  sso_token_expired: ["The provider’s answer came too late.", `${AGAIN} If it stays, the clocks differ.`],
  sso_token_not_yet_valid: ["The provider’s answer is from the future.", "The clocks of server and provider differ."],
  sso_email_missing: ["The provider did not give an e-mail address.", ADMIN],
  sso_email_unverified: ["The provider does not vouch for your e-mail address.", "Confirm it there, then try again."],
  sso_domain_not_allowed: [
    "Accounts of your e-mail domain are not let in here.",
    "Use your work account, or ask an admin.",
  ],
  sso_not_provisioned: [
    "Nobody has bound your account to a user yet.",
    "Ask an admin to do that: External identities.",
  ],
  sso_user_disabled: ["Your user is disabled.", "Ask an admin."],
};

export function explain(code: string): { what: string; todo: string } {
  const [what, todo] = WORDS[code] ?? ["The provider’s answer was not accepted.", ADMIN];
  return { what, todo };
}
