//! From a code to claims: the exchange, every check of the ID token, and the userinfo endpoint for what the token does not say.

use super::Party;
use super::client::{Client, NoAnswer};
use super::metadata::{ALGORITHMS, Known, Metadata};
use actors::domain::clock::Timestamp;
use actors::domain::iam::sign_in::Claims;
use actors::domain::secret::Secret;
use actors::{Error, ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken, CoreIdTokenVerifier, CoreTokenResponse,
};
use openidconnect::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, HttpRequest, Nonce,
    OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError, SignatureVerificationError,
    StandardErrorResponse, TokenResponse,
};
use serde_json::{Map, Value};

/// Clocks of provider and server may differ by so many seconds.
const SKEW: i64 = 60;

/// What a sign-in that comes back brings, and what was kept of it.
#[derive(Clone, Debug)]
pub struct Returned {
    /// The code that the provider gave the browser.
    pub code: Secret,
    /// What proves that whoever exchanges it began the sign-in (PKCE).
    pub verifier: Secret,
    /// What the ID token must name.
    pub nonce: Secret,
    /// The redirect URL that was sent.
    pub redirect_url: String,
    /// The claims that rules and the provider's settings ask for.
    pub wanted: Vec<String>,
}

/// What the claims are read with.
pub(super) struct Desk<'a> {
    pub(super) client: &'a Client,
    pub(super) known: &'a Known,
    pub(super) party: &'a Party,
    pub(super) now: Timestamp,
}

impl Desk<'_> {
    /// Exchanges the code and reads the claims.
    pub(super) fn claims(&self, metadata: &Metadata, returned: &Returned) -> Result<Claims> {
        let answer = self.exchange(metadata, returned)?;
        let token = answer.id_token().ok_or_else(|| {
            bad_token("the provider sent no ID token").with_hint("the scope `openid` must be asked for and allowed")
        })?;
        let nonce = Nonce::new(returned.nonce.expose().to_owned());
        let checked = match self.verify(metadata, token, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let metadata = self.known.read_keys(self.client, &self.party.issuer, metadata, self.now)?;
                self.verify(&metadata, token, &nonce)
            }
            other => other,
        };
        checked.map_err(explain)?;
        let mut document = payload(token)?;
        self.check_the_rest(&document)?;
        let mut claims = Claims::new(std::mem::take(&mut document));
        let lacking = claims.email().is_none() || returned.wanted.iter().any(|name| claims.get(name).is_none());
        if lacking && let Some(more) = self.userinfo(metadata, &answer, &claims)? {
            claims.add(more);
        }
        Ok(claims)
    }

    fn exchange(&self, metadata: &Metadata, returned: &Returned) -> Result<CoreTokenResponse> {
        let secret = self.party.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let ways = metadata.token_endpoint_auth_methods_supported();
        let by_header = ways.is_none_or(|ways| ways.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let redirect = RedirectUrl::new(returned.redirect_url.clone()).map_err(|e| Error::internal("sign in", e))?;
        let client_id = ClientId::new(self.party.client_id.clone());
        let client = CoreClient::from_provider_metadata((**metadata).clone(), client_id, secret)
            .set_redirect_uri(redirect)
            .set_auth_type(if by_header { AuthType::BasicAuth } else { AuthType::RequestBody });
        let request = client
            .exchange_code(AuthorizationCode::new(returned.code.expose().to_owned()))
            .map_err(|error| Error::internal("sign in", error))?
            .set_pkce_verifier(PkceCodeVerifier::new(returned.verifier.expose().to_owned()));
        request.request(&|request: HttpRequest| self.client.call(request)).map_err(|error| self.not_exchanged(error))
    }

    fn not_exchanged(&self, error: RequestTokenError<NoAnswer, StandardErrorResponse<CoreErrorResponseType>>) -> Error {
        let why = match error {
            RequestTokenError::Request(_) => return self.client.fault(),
            RequestTokenError::ServerResponse(answer) => word(answer.error().as_ref()),
            // Neither the answer nor what was found in it goes into a log: it may hold tokens.
            RequestTokenError::Parse(..) => return bad_token("the provider's answer to the code cannot be read"),
            RequestTokenError::Other(why) => word(&why),
        };
        Error::new(ErrorKind::Forbidden, "sign in", format!("the provider does not take the code: {why}"))
            .with_code("sso_exchange_refused")
            .with_hint("where it says invalid_client, the provider's `client_id` or `client_secret` here is wrong; else sign in again")
    }

    /// Issuer, audience, signature, time and nonce.
    fn verify(
        &self,
        metadata: &Metadata,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> std::result::Result<(), ClaimsVerificationError> {
        let at = |seconds: i64| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
        let now = self.now.millis() / 1000;
        // As a client without a secret: no signature by a shared secret is ever taken.
        let verifier = CoreIdTokenVerifier::new_public_client(
            ClientId::new(self.party.client_id.clone()),
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        );
        let verifier = verifier
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || at(now - SKEW))
            // Whether it is of the future is looked at below, where it has a code of its own.
            .set_issue_time_verifier_fn(|_| Ok(()));
        token.claims(&verifier, nonce).map(|_| ())
    }

    /// What the library leaves to its caller: `azp`, `nbf`, and an `iat` of the future.
    fn check_the_rest(&self, document: &Map<String, Value>) -> Result<()> {
        let azp = document.get("azp").filter(|azp| !azp.is_null());
        if azp.is_some_and(|azp| azp.as_str() != Some(&self.party.client_id)) {
            return Err(wrong_audience("the ID token was made for another application (`azp`)"));
        }
        let latest = self.now.millis() / 1000 + SKEW;
        for claim in ["nbf", "iat"] {
            let at = document.get(claim).and_then(Value::as_f64);
            // Seconds since 1970 are whole numbers far below 2^53.
            if at.is_some_and(|at| at > latest as f64) {
                let message = format!("the ID token counts from a later time on (`{claim}`)");
                return Err(Error::new(ErrorKind::Forbidden, "check ID token", message)
                    .with_code("sso_token_not_yet_valid")
                    .with_hint("compare this server's clock with the provider's"));
            }
        }
        Ok(())
    }

    /// What the userinfo endpoint adds; `None` where the provider has none.
    fn userinfo(
        &self,
        metadata: &Metadata,
        answer: &CoreTokenResponse,
        claims: &Claims,
    ) -> Result<Option<Map<String, Value>>> {
        let Some(url) = metadata.userinfo_endpoint() else { return Ok(None) };
        let request = openidconnect::http::Request::get(url.as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", answer.access_token().secret()))
            .body(Vec::new())
            .map_err(|error| Error::internal("ask userinfo", error))?;
        let reply = self.client.ask(request)?;
        let kind = reply.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !reply.status().is_success() {
            return Err(no_userinfo(&format!("it answers {}", reply.status())));
        }
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            return Err(no_userinfo("its answer is no JSON"));
        }
        let Ok(Value::Object(more)) = serde_json::from_slice(reply.body()) else {
            return Err(no_userinfo("its answer cannot be read"));
        };
        // Core, section 5.3.2: what is said of somebody else must not be used.
        match more.get("sub").and_then(Value::as_str) == claims.subject() && claims.subject().is_some() {
            true => Ok(Some(more)),
            false => Err(no_userinfo("it speaks of somebody else")),
        }
    }
}

/// The claims as the provider wrote them: what was checked is the very same text.
fn payload(token: &CoreIdToken) -> Result<Map<String, Value>> {
    let text = token.to_string();
    let middle = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    match middle.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        Some(Value::Object(document)) => Ok(document),
        _ => Err(bad_token("the ID token's claims cannot be read")),
    }
}

fn explain(error: ClaimsVerificationError) -> Error {
    use SignatureVerificationError as Signature;
    let (code, message) = match error {
        ClaimsVerificationError::InvalidIssuer(_) => {
            ("sso_wrong_issuer", "the ID token is of another issuer than the provider's")
        }
        ClaimsVerificationError::InvalidAudience(_) => {
            return wrong_audience("the ID token was made for another application (`aud`)");
        }
        ClaimsVerificationError::InvalidNonce(_) => ("sso_wrong_nonce", "the ID token was not made for this sign-in"),
        ClaimsVerificationError::Expired(_) => ("sso_token_expired", "the ID token has expired"),
        ClaimsVerificationError::SignatureVerification(signature) => match signature {
            Signature::NoSignature | Signature::DisallowedAlg(_) | Signature::UnsupportedAlg(_) => {
                ("sso_bad_algorithm", "the ID token is not signed with a key that the provider alone has")
            }
            Signature::NoMatchingKey => {
                ("sso_unknown_key", "the ID token is signed with a key that the provider does not publish")
            }
            _ => ("sso_bad_signature", "the ID token's signature is wrong"),
        },
        _ => ("sso_token_invalid", "the ID token is not what this sign-in asked for"),
    };
    Error::new(ErrorKind::Forbidden, "check ID token", message).with_code(code).with_hint(
        "nobody was signed in; if it happens again, the provider's settings and its own log are the place to look",
    )
}

fn wrong_audience(message: &str) -> Error {
    Error::new(ErrorKind::Forbidden, "check ID token", message)
        .with_code("sso_wrong_audience")
        .with_hint("compare `client_id` with what the provider's console shows for this application")
}

fn bad_token(message: &str) -> Error {
    Error::new(ErrorKind::Forbidden, "check ID token", message).with_code("sso_token_invalid")
}

fn no_userinfo(why: &str) -> Error {
    Error::new(ErrorKind::Forbidden, "ask userinfo", format!("the provider's userinfo endpoint cannot be used: {why}"))
        .with_code("sso_userinfo_failed")
        .with_hint(
            "let the provider put `email` and the claims that rules name into the ID token, or repair the endpoint",
        )
}

/// A word of the provider's, cut to what can be shown.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(80).collect()
}
