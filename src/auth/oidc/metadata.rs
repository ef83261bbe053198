//! What a provider says of itself: its discovery document and its keys, read once an hour, and again where a key is unknown.

use super::client::Client;
use super::guard::check;
use actors::domain::clock::Timestamp;
use actors::{Error, ErrorKind, Result};
use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreProviderMetadata};
use openidconnect::{DiscoveryError, HttpRequest, IssuerUrl};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What was read is used for this long.
const FRESH: Duration = Duration::from_secs(3600);
/// So many issuers are remembered.
const MOST: usize = 64;
/// With which an ID token may be signed: with a key that only the provider has. A shared secret or none proves nothing.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What is known of the providers.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<String, (Timestamp, Arc<CoreProviderMetadata>)>>);

impl Known {
    /// What an issuer says of itself: as it was read within the hour, or read now.
    pub(super) fn get(&self, client: &Client, issuer: &str, allowed: &[String], now: Timestamp) -> Result<Metadata> {
        let remembered =
            self.lock().get(issuer).filter(|(at, _)| now.since(*at) < FRESH).map(|(_, known)| known.clone());
        match remembered {
            Some(known) => Ok(known),
            None => self.read(client, issuer, allowed, now),
        }
    }

    /// Reads it now.
    pub(super) fn read(&self, client: &Client, issuer: &str, allowed: &[String], now: Timestamp) -> Result<Metadata> {
        let url = IssuerUrl::new(issuer.to_owned()).map_err(|error| {
            Error::new(ErrorKind::Invalid, "discover provider", format!("`{issuer}` is no address: {error}"))
                .with_code("sso_discovery_invalid")
        })?;
        let found = CoreProviderMetadata::discover(&url, &|request: HttpRequest| client.call(request));
        let found = found.map_err(|error| explain(client, issuer, error))?;
        check(found.authorization_endpoint().as_str(), allowed)?;
        if found.token_endpoint().is_none() {
            return Err(invalid(issuer, "it names no `token_endpoint`"));
        }
        Ok(self.remember(issuer, found, now))
    }

    /// Reads the keys anew: the provider signed with one that was not there before.
    pub(super) fn read_keys(&self, client: &Client, issuer: &str, old: &Metadata, now: Timestamp) -> Result<Metadata> {
        let keys = CoreJsonWebKeySet::fetch(old.jwks_uri(), &|request: HttpRequest| client.call(request));
        let keys = keys.map_err(|error| explain(client, issuer, error))?;
        Ok(self.remember(issuer, CoreProviderMetadata::clone(old).set_jwks(keys), now))
    }

    fn remember(&self, issuer: &str, found: CoreProviderMetadata, now: Timestamp) -> Metadata {
        let found = Arc::new(found);
        let mut known = self.lock();
        known.retain(|_, (at, _)| now.since(*at) < FRESH);
        if known.len() < MOST {
            known.insert(issuer.to_owned(), (now, found.clone()));
        }
        found
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, Arc<CoreProviderMetadata>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a provider says of itself.
pub(super) type Metadata = Arc<CoreProviderMetadata>;

fn explain(client: &Client, issuer: &str, error: DiscoveryError<super::client::NoAnswer>) -> Error {
    match error {
        DiscoveryError::Request(_) => client.fault(),
        DiscoveryError::Validation(why) => {
            let message = format!("the provider at {issuer} calls itself by another name: {why}");
            Error::new(ErrorKind::Unavailable, "discover provider", message).with_code("sso_wrong_issuer").with_hint(
                "give `issuer_url` exactly as the discovery document writes `issuer`, the last slash included",
            )
        }
        DiscoveryError::Parse(why) => invalid(issuer, &format!("a document cannot be read: {why}")),
        DiscoveryError::Response(status, _, why) => invalid(issuer, &format!("it answers {status}: {why}")),
        other => invalid(issuer, &other.to_string()),
    }
}

fn invalid(issuer: &str, why: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "discover provider", format!("there is no sign-in provider at {issuer}: {why}"))
        .with_code("sso_discovery_invalid")
        .with_hint("`<issuer_url>/.well-known/openid-configuration` must be its discovery document")
}
