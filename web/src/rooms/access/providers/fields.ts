// What the form of a provider holds, and how it is sent.

import type { AuthProvider } from "../../../api/types";
import { preset, type PresetType } from "./presets";

export interface Fields {
  type: PresetType;
  name: string;
  displayName: string;
  issuer: string;
  clientId: string;
  /** Empty: the one there is stays. */
  clientSecret: string;
  scopes: string;
  domains: string;
  verified: boolean;
  provision: boolean;
  priority: string;
}

export function fresh(type: PresetType): Fields {
  const of = preset(type);
  return {
    type,
    name: type === "oidc" ? "" : type,
    displayName: type === "oidc" ? "" : of.title,
    issuer: of.issuer.value,
    clientId: "",
    clientSecret: "",
    scopes: of.scopes,
    domains: "",
    // Entra's tokens do not say whether an address is verified.
    verified: type !== "entra",
    provision: true,
    priority: "0",
  };
}

export function fieldsOf(provider: AuthProvider): Fields {
  const { extra_config: extra } = provider;
  return {
    type: preset(provider.provider_type).type,
    name: provider.name,
    displayName: provider.display_name ?? "",
    issuer: provider.issuer_url ?? "",
    clientId: provider.client_id ?? "",
    clientSecret: "",
    scopes: provider.scopes,
    domains: (extra.allowed_domains ?? []).join(", "),
    verified: extra.require_email_verified ?? true,
    provision: extra.auto_provision ?? true,
    priority: String(provider.priority),
  };
}

/** As the API takes it, for a new provider and for a change. */
export function body(fields: Fields) {
  return {
    name: fields.name.trim(),
    provider_type: fields.type,
    display_name: fields.displayName.trim() || null,
    client_id: fields.clientId.trim(),
    ...(fields.clientSecret.trim() ? { client_secret: fields.clientSecret.trim() } : {}),
    ...(fields.issuer.trim() ? { issuer_url: fields.issuer.trim() } : {}),
    scopes: fields.scopes.trim(),
    priority: Number.parseInt(fields.priority, 10) || 0,
    extra_config: {
      allowed_domains: fields.domains
        .split(/[\s,]+/)
        .map((domain) => domain.replace(/^@/, ""))
        .filter(Boolean),
      require_email_verified: fields.verified,
      auto_provision: fields.provision,
    },
  };
}
