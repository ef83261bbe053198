//! What a sign-in provider may be, and what it is told to insist on.

use super::mapping::is_domain;
use crate::domain::iam::model::AuthProvider;
use crate::domain::secret::Secret;
use crate::{Error, ErrorKind, Result};
use serde_json::{Value, json};

/// The kinds of providers. All speak OpenID Connect; the presets know more of what to expect.
pub const PROVIDER_TYPES: [&str; 4] = ["oidc", "google", "okta", "entra"];

const GOOGLE: &str = "https://accounts.google.com";
/// Tenants of Entra that stand for all: their tokens name another issuer, so nobody could come in; and whoever rents a tenant could.
const ANY_TENANT: [&str; 3] = ["/common", "/organizations", "/consumers"];
const LONGEST_URL: usize = 1024;
const MOST_DOMAINS: usize = 100;

/// What a provider is told to insist on: `extra_config`, with defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The domains that addresses may have, in lower case; any where the list is empty.
    pub allowed_domains: Vec<String>,
    /// Whether the provider must vouch for the address.
    pub require_email_verified: bool,
    /// Whether somebody who comes for the first time becomes a user. If not, an admin must have bound the person to one.
    pub auto_provision: bool,
}

impl Settings {
    /// What a kind of provider insists on where nothing else is said. Entra says nothing of addresses: there the tenant vouches.
    pub fn of_type(provider_type: &str) -> Self {
        Self { allowed_domains: Vec::new(), require_email_verified: provider_type != "entra", auto_provision: true }
    }

    /// Those of a provider; an error where they cannot be read, since to guess could let strangers in.
    pub fn of(provider: &AuthProvider) -> Result<Self> {
        let mut settings = Self::of_type(&provider.provider_type);
        let Some(extra) = &provider.extra_config else { return Ok(settings) };
        let bad = |what: &str| Err(invalid(format!("`extra_config` cannot be read: {what}")));
        let Some(extra) = extra.as_object() else { return bad("it is no object") };
        for (name, flag) in [
            ("require_email_verified", &mut settings.require_email_verified),
            ("auto_provision", &mut settings.auto_provision),
        ] {
            match extra.get(name) {
                Some(Value::Bool(value)) => *flag = *value,
                None | Some(Value::Null) => {}
                Some(_) => return bad(&format!("`{name}` is true or false")),
            }
        }
        match extra.get("allowed_domains") {
            None | Some(Value::Null) => {}
            Some(Value::Array(list)) => {
                for domain in list {
                    let Some(domain) = domain.as_str() else { return bad("`allowed_domains` is a list of texts") };
                    settings.allowed_domains.push(domain.strip_prefix('@').unwrap_or(domain).to_ascii_lowercase());
                }
            }
            Some(_) => return bad("`allowed_domains` is a list of texts"),
        }
        Ok(settings)
    }

    /// As `extra_config` holds them.
    pub fn to_json(&self) -> Value {
        json!({
            "allowed_domains": self.allowed_domains,
            "require_email_verified": self.require_email_verified,
            "auto_provision": self.auto_provision,
        })
    }
}

/// Fills in what a preset knows, and checks the rest. Whether the issuer's address may be asked is the edge's to say.
pub fn check_provider(provider: &mut AuthProvider) -> Result<()> {
    let name = provider.name.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) || name.starts_with('.') {
        return Err(invalid(
            "a provider's name has 1 to 64 letters, digits, `-`, `_` or `.`: it is part of an address",
        )
        .with_hint("`display_name` is what people see"));
    }
    if !PROVIDER_TYPES.contains(&provider.provider_type.as_str()) {
        let known = PROVIDER_TYPES.join(", ");
        return Err(invalid(format!("`{}` is no kind of provider; there are {known}", provider.provider_type)));
    }
    if provider.provider_type == "google" {
        provider.issuer_url.get_or_insert_with(|| GOOGLE.to_owned());
    }
    let client = provider.client_id.as_deref().unwrap_or_default();
    if client.is_empty() || client.len() > 512 || client.chars().any(char::is_control) {
        return Err(invalid("`client_id` is missing: the provider's console shows it for the application"));
    }
    if provider.client_secret.as_ref().is_some_and(Secret::is_empty) {
        provider.client_secret = None;
    }
    if provider.display_name.as_ref().is_some_and(|name| name.chars().count() > 128 || name.contains(char::is_control))
    {
        return Err(invalid("`display_name` has at most 128 characters and none of control"));
    }
    check_issuer(provider)?;
    check_scopes(&provider.scopes)?;
    let settings = Settings::of(provider)?;
    if settings.allowed_domains.len() > MOST_DOMAINS {
        return Err(invalid(format!("`allowed_domains` has more than {MOST_DOMAINS} entries")));
    }
    if let Some(bad) = settings.allowed_domains.iter().find(|domain| !is_domain(domain)) {
        return Err(invalid(format!("`allowed_domains`: `{bad}` is no domain")));
    }
    provider.extra_config = Some(settings.to_json());
    Ok(())
}

fn check_issuer(provider: &AuthProvider) -> Result<()> {
    let hint = match provider.provider_type.as_str() {
        "okta" => "it is the address of your organisation, such as https://example.okta.com",
        "entra" => "it is https://login.microsoftonline.com/<tenant id>/v2.0",
        _ => "it is what the provider's `/.well-known/openid-configuration` calls `issuer`, without that path",
    };
    let Some(issuer) = provider.issuer_url.as_deref() else {
        return Err(invalid("`issuer_url` is missing").with_hint(hint));
    };
    let sound = (issuer.starts_with("https://") || issuer.starts_with("http://"))
        && issuer.len() <= LONGEST_URL
        && issuer.bytes().all(|byte| byte.is_ascii_graphic())
        && !issuer.contains(['?', '#', '@', '\\', '"']);
    if !sound {
        return Err(invalid("`issuer_url` is an https address without user, query and fragment").with_hint(hint));
    }
    if issuer.contains("/.well-known/") {
        return Err(invalid("`issuer_url` is the issuer, not its document").with_hint(hint));
    }
    let of_any = |tenant: &str| issuer.contains(&format!("{tenant}/")) || issuer.ends_with(tenant);
    if provider.provider_type == "entra" && ANY_TENANT.iter().any(|tenant| of_any(tenant)) {
        return Err(invalid("an issuer for all tenants lets in whoever rents one").with_hint(hint));
    }
    Ok(())
}

fn check_scopes(scopes: &str) -> Result<()> {
    let sound = |scope: &str| scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    if scopes.len() > 1024 || !scopes.split(' ').filter(|scope| !scope.is_empty()).all(sound) {
        return Err(invalid("`scopes` is a list of words with blanks between"));
    }
    match scopes.split(' ').any(|scope| scope == "openid") {
        true => Ok(()),
        false => Err(invalid("`scopes` must have `openid`").with_hint("the usual ones are `openid email profile`")),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "check provider", message).with_code("invalid_provider")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;

    fn provider(provider_type: &str, issuer: Option<&str>) -> AuthProvider {
        AuthProvider {
            id: "p1".into(),
            name: "main".into(),
            provider_type: provider_type.into(),
            enabled: true,
            priority: 0,
            display_name: None,
            client_id: Some("client".into()),
            client_secret: Some(Secret::new("")),
            issuer_url: issuer.map(str::to_owned),
            scopes: "openid email".into(),
            extra_config: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    #[test]
    fn a_preset_fills_in_what_it_knows() {
        let mut google = provider("google", None);
        check_provider(&mut google).unwrap();
        assert_eq!((google.issuer_url.as_deref(), google.client_secret.as_ref()), (Some(GOOGLE), None));
        assert!(Settings::of(&google).unwrap().require_email_verified);
        let mut entra = provider("entra", Some("https://login.microsoftonline.com/7f3c/v2.0"));
        check_provider(&mut entra).unwrap();
        assert!(!Settings::of(&entra).unwrap().require_email_verified);
    }

    #[test]
    fn what_could_never_work_or_lets_everybody_in_is_refused() {
        let issuer = "https://id.example.com";
        let mut bad = vec![
            provider("oidc", None),
            provider("saml", Some(issuer)),
            provider("entra", Some("https://login.microsoftonline.com/common/v2.0")),
            provider("entra", Some("https://login.microsoftonline.com/organizations")),
        ];
        for url in
            ["ftp://x", "id.example.com", "https://u@x", "https://x/?a", "https://x/.well-known/openid-configuration"]
        {
            bad.push(provider("oidc", Some(url)));
        }
        for name in ["", "a b", "../x", "a/b", ".x"] {
            bad.push(AuthProvider { name: name.into(), ..provider("oidc", Some(issuer)) });
        }
        bad.push(AuthProvider { client_id: None, ..provider("oidc", Some(issuer)) });
        bad.push(AuthProvider { scopes: "email".into(), ..provider("oidc", Some(issuer)) });
        for extra in [
            json!([]),
            json!({"allowed_domains": "x.y"}),
            json!({"allowed_domains": ["x"]}),
            json!({"auto_provision": 1}),
        ] {
            bad.push(AuthProvider { extra_config: Some(extra), ..provider("oidc", Some(issuer)) });
        }
        for mut provider in bad {
            assert_eq!(check_provider(&mut provider).unwrap_err().code(), Some("invalid_provider"), "{provider:?}");
        }
    }
}
