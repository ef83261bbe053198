//! Signing in with OpenID Connect: the authorization code flow with PKCE, as the relying party.
//!
//! What a provider is asked is asked from the blocking pool, at most so many at a time; what it says is believed only after every
//! check of OpenID Connect Core, section 3.1.3.7. Who may come in is `actors::domain::iam::sign_in`'s to decide.

mod client;
mod examine;
mod guard;
mod metadata;
mod token;

pub use examine::{Check, Examined};
pub use token::Returned;

use self::client::Client;
use self::metadata::Known;
use self::token::Desk;
use actors::domain::clock::Timestamp;
use actors::domain::iam::model::AuthProvider;
use actors::domain::iam::sign_in::Claims;
use actors::domain::secret::Secret;
use actors::{Error, ErrorKind, Result};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient};
use openidconnect::{ClientId, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// So many sign-ins wait for a provider at a time; each holds a thread.
const AT_ONCE: usize = 16;

/// What the edge remembers of providers. Clones share it.
#[derive(Clone, Debug)]
pub struct Oidc {
    known: Arc<Known>,
    permits: Arc<Semaphore>,
}

/// A provider as the protocol sees it.
#[derive(Clone, Debug)]
pub struct Party {
    issuer: String,
    client_id: String,
    client_secret: Option<Secret>,
    scopes: Vec<String>,
    /// `access.sso_allowed_hosts`.
    allowed: Vec<String>,
}

/// A sign-in that begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What the provider sends back with the code.
    pub state: Secret,
    /// What the ID token will name.
    pub nonce: Secret,
    /// What is shown when the code is exchanged (PKCE).
    pub verifier: Secret,
}

impl Party {
    /// Of a provider, under the hosts that the operator allows.
    pub fn new(provider: &AuthProvider, allowed: &[String]) -> Result<Self> {
        let missing = |what: &str| {
            Error::new(ErrorKind::Conflict, "sign in", format!("the provider `{}` has no {what}", provider.name))
                .with_code("invalid_provider")
                .with_hint("complete it under Access, Sign-in providers")
        };
        Ok(Self {
            issuer: provider.issuer_url.clone().ok_or_else(|| missing("`issuer_url`"))?,
            client_id: provider.client_id.clone().ok_or_else(|| missing("`client_id`"))?,
            client_secret: provider.client_secret.clone(),
            scopes: provider.scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            allowed: allowed.to_vec(),
        })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// Whether an issuer may be asked at all.
pub fn check_issuer(issuer: &str, allowed: &[String]) -> Result<()> {
    guard::check(issuer, allowed).map(|_| ())
}

impl Oidc {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self { known: Arc::default(), permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Begins a sign-in.
    pub async fn begin(&self, party: Party, redirect_url: String, now: Timestamp) -> Result<Begun> {
        self.ask(move |known| {
            let metadata = known.get(&Client::new(&party.allowed), &party.issuer, &party.allowed, now)?;
            let redirect = RedirectUrl::new(redirect_url).map_err(|error| Error::internal("sign in", error))?;
            let (state, nonce, verifier) = (random()?, random()?, random()?);
            let proof = PkceCodeVerifier::new(verifier.expose().to_owned());
            let challenge = PkceCodeChallenge::from_code_verifier_sha256(&proof);
            let (csrf, once) = (CsrfToken::new(state.expose().to_owned()), Nonce::new(nonce.expose().to_owned()));
            let client = CoreClient::from_provider_metadata((*metadata).clone(), ClientId::new(party.client_id), None)
                .set_redirect_uri(redirect);
            let mut request = client
                .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || csrf, || once)
                .set_pkce_challenge(challenge);
            // The library adds `openid` itself.
            for scope in party.scopes.into_iter().filter(|scope| scope != "openid") {
                request = request.add_scope(Scope::new(scope));
            }
            let (url, _, _) = request.url();
            Ok(Begun { url: url.into(), state, nonce, verifier })
        })
        .await
    }

    /// Ends a sign-in: the claims that its code stands for.
    pub async fn finish(&self, party: Party, returned: Returned, now: Timestamp) -> Result<Claims> {
        self.ask(move |known| {
            let client = Client::new(&party.allowed);
            let metadata = known.get(&client, &party.issuer, &party.allowed, now)?;
            Desk { client: &client, known, party: &party, now }.claims(&metadata, &returned)
        })
        .await
    }

    /// Looks at a provider as a sign-in would, and says what it finds.
    pub async fn examine(&self, party: Party, now: Timestamp) -> Result<Examined> {
        self.ask(move |known| Ok(examine::run(known, &party, now))).await
    }

    async fn ask<T: Send + 'static>(&self, work: impl FnOnce(&Known) -> Result<T> + Send + 'static) -> Result<T> {
        let permit = self.permits.clone().try_acquire_owned().map_err(|_| {
            Error::new(ErrorKind::Busy, "sign in", "too many sign-ins wait for their providers; try again in a moment")
        })?;
        let known = self.known.clone();
        let work = move || {
            let outcome = work(&known);
            drop(permit);
            outcome
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal("sign in", error))?
    }
}

impl Default for Oidc {
    fn default() -> Self {
        Self::new()
    }
}

/// 256 random bits in hex.
pub fn random() -> Result<Secret> {
    let mut bytes = [0; 32];
    openssl::rand::rand_bytes(&mut bytes).map_err(|error| Error::internal("sign in", error))?;
    Ok(Secret::new(hex::encode(bytes)))
}
