//! Looks at a provider step by step, as a sign-in would, for the admin who sets it up.

use super::Party;
use super::client::Client;
use super::guard::check;
use super::metadata::{ALGORITHMS, Known};
use actors::Error;
use actors::domain::clock::Timestamp;
use openidconnect::JsonWebKey;
use openidconnect::core::CoreJsonWebKeyType;

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Check {
    /// What: `issuer`, `discovery`, `keys`, `algorithms`.
    pub name: &'static str,
    /// Whether it is fine.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Examined {
    /// What was looked at, up to the first that is wrong.
    pub checks: Vec<Check>,
    /// Where people would be sent.
    pub authorization_endpoint: Option<String>,
    /// What is wrong.
    pub error: Option<Error>,
}

impl Examined {
    fn found(&mut self, name: &'static str, detail: impl Into<String>) {
        self.checks.push(Check { name, ok: true, detail: detail.into() });
    }

    fn failed(mut self, name: &'static str, error: Error) -> Self {
        self.checks.push(Check { name, ok: false, detail: error.message().to_owned() });
        self.error = Some(error);
        self
    }
}

/// Asks the provider anew; what it says now counts from now on.
pub(super) fn run(known: &Known, party: &Party, now: Timestamp) -> Examined {
    let mut examined = Examined::default();
    if let Err(error) = check(&party.issuer, &party.allowed) {
        return examined.failed("issuer", error);
    }
    examined.found("issuer", "its address may be asked");
    let metadata = match known.read(&Client::new(&party.allowed), &party.issuer, &party.allowed, now) {
        Ok(metadata) => metadata,
        Err(error) => return examined.failed("discovery", error),
    };
    examined.authorization_endpoint = Some(metadata.authorization_endpoint().to_string());
    examined.found("discovery", format!("{} describes itself", party.issuer));
    let usable = |kind: &CoreJsonWebKeyType| !matches!(kind, CoreJsonWebKeyType::Symmetric);
    let keys = metadata.jwks().keys().iter().filter(|key| usable(key.key_type())).count();
    if keys == 0 {
        let message = format!("{} has no key that an ID token could be checked with", metadata.jwks_uri().as_str());
        return examined.failed("keys", wrong(message));
    }
    examined.found("keys", format!("{keys} to check ID tokens with"));
    let both = metadata.id_token_signing_alg_values_supported().iter().filter(|alg| ALGORITHMS.contains(alg)).count();
    if both == 0 {
        return examined.failed("algorithms", wrong("it signs ID tokens in no way that is taken here".to_owned()));
    }
    examined.found("algorithms", format!("{both} are known to both"));
    examined
}

fn wrong(message: String) -> Error {
    Error::new(actors::ErrorKind::Unavailable, "examine provider", message)
        .with_code("sso_discovery_invalid")
        .with_hint("the provider must sign ID tokens with RS, PS or ES 256/384/512 or EdDSA")
}
