//! Is the signature right: one parser, one verifier, one [`Verified`] that nothing else can make.
//!
//! Rules and their order: `access.md` §4. Everything is read from the raw bytes; nothing downstream looks at them again.

mod canonical;
pub mod chunked;
mod claim;
mod fallback;
mod form;
mod freshness;
mod header;
mod parsed;
mod payload;
mod presigned;
mod refusal;
mod request;
mod share;
mod signing_key;
#[cfg(test)]
mod tests;

pub use fallback::Proxy;
pub use form::{FormProof, FormSigner};
pub use parsed::Parsed;
pub use payload::PayloadHash;
pub use refusal::Refusal;
pub use request::{Pair, RawRequest};
pub use share::{Share, presigned_get};

use crate::http::s3::error::S3Error;
use crate::http::s3::operation::Operation;
use actors::domain::clock::Timestamp;
use actors::domain::iam::principal::Principal;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::secret::Secret;
use canonical::Instead;
use chunked::Chain;
use claim::Claim;
use fallback::Fallbacks;
use signing_key::SigningKeys;
use std::collections::BTreeMap;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// What a request proved to be. Equal values mean the same effect: whatever is mutated on the way ends in a refusal or in an
/// identical value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    principal: Principal,
    access_key_id: Option<String>,
    operation: Operation,
    query: BTreeMap<String, String>,
    amz_headers: BTreeMap<String, String>,
    payload: PayloadHash,
}

impl Verified {
    /// Who asks.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// With which key, where one signed.
    pub fn access_key_id(&self) -> Option<&str> {
        self.access_key_id.as_deref()
    }

    /// For what.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// On which bucket.
    pub fn bucket(&self) -> Option<&BucketName> {
        self.operation.bucket()
    }

    /// On which key.
    pub fn key(&self) -> Option<&ObjectKey> {
        self.operation.key()
    }

    /// The decoded parameters, those of the credentials left out.
    pub fn query(&self) -> &BTreeMap<String, String> {
        &self.query
    }

    /// Every `x-amz-*` header as it was signed (blanks collapsed, repeated ones joined), and those that a presigned URL carries.
    pub fn amz_headers(&self) -> &BTreeMap<String, String> {
        &self.amz_headers
    }

    /// What the body must hash to.
    pub fn payload(&self) -> &PayloadHash {
        &self.payload
    }
}

/// The rules that the configuration sets.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Our time.
    pub now: Timestamp,
    /// How far a signature's time may be off.
    pub skew: Duration,
    /// The one region that a scope may name; any where `None`.
    pub region: Option<&'a str>,
    /// The trusted proxy through which the request came: what it may have changed is tried as well.
    pub proxy: Option<Proxy<'a>>,
}

/// Why there is no [`Verified`].
#[derive(Debug)]
pub enum Denied {
    /// The credentials do not hold.
    Credentials(Refusal),
    /// They hold, and the request itself is refused. Who sent it is known.
    Request(Principal, S3Error),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self::Credentials(refusal)
    }
}

impl From<Denied> for S3Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Credentials(refusal) => refusal.into(),
            Denied::Request(_, error) => error,
        }
    }
}

/// The verifier, with the signing keys that it remembers.
#[derive(Debug, Default)]
pub struct Verifier {
    keys: SigningKeys,
    fallbacks: Fallbacks,
}

impl Verifier {
    /// How many requests of trusted proxies were proven by other bytes than those that came, by what was changed.
    pub fn fallbacks(&self) -> [(&'static str, u64); 3] {
        self.fallbacks.counts()
    }

    /// Verifies a request. `lookup` gives the owner and secret of an access key that may sign now.
    pub fn verify(
        &self,
        raw: &RawRequest<'_>,
        parsed: Parsed,
        rules: &Rules<'_>,
        lookup: impl Fn(&str) -> Option<(Principal, Secret)>,
    ) -> Result<Verified, Denied> {
        let claim = read_claim(raw, &parsed.query)?;
        let (principal, key) = self.check(raw, &parsed, &claim, rules, lookup)?;
        let (scope, timestamp) = (claim.scope(), claim.timestamp.0);
        let payload = PayloadHash::read(&claim.payload, Some(Chain { key, last: claim.signature, timestamp, scope }))?;
        parsed.verified(principal, Some(claim.access_key_id), payload)
    }

    /// Takes a request as it is: `access.authentication: none`. Signatures are not looked at; a body's hash still is.
    pub fn open(&self, raw: &RawRequest<'_>, parsed: Parsed) -> Result<Verified, Denied> {
        let payload = PayloadHash::read(raw.once("x-amz-content-sha256")?.unwrap_or("UNSIGNED-PAYLOAD"), None)?;
        parsed.verified(Principal::Open, None, payload)
    }

    /// Takes a request without credentials as one of `$anonymous`. What cannot be read is refused as any other without them is:
    /// whoever may nothing learns nothing.
    pub fn anonymous(&self, raw: &RawRequest<'_>, parsed: Parsed) -> Result<Verified, Denied> {
        match read_claim(raw, &parsed.query) {
            Err(Refusal::Missing) => {}
            Err(refusal) => return Err(refusal.into()),
            Ok(_) => return Err(Refusal::Ambiguous("The request brings credentials").into()),
        }
        let payload = PayloadHash::read(raw.once("x-amz-content-sha256")?.unwrap_or("UNSIGNED-PAYLOAD"), None)?;
        parsed.verified(Principal::Anonymous, None, payload).map_err(|_| Refusal::Missing.into())
    }

    /// Who asks, and the key that signed.
    fn check(
        &self,
        raw: &RawRequest<'_>,
        parsed: &Parsed,
        claim: &Claim,
        rules: &Rules<'_>,
        lookup: impl Fn(&str) -> Option<(Principal, Secret)>,
    ) -> Result<(Principal, [u8; 32]), Refusal> {
        if raw.has("x-amz-security-token") {
            return Err(Refusal::SessionToken);
        }
        if let Some(expected) = rules.region.filter(|expected| *expected != claim.region) {
            return Err(Refusal::WrongRegion { expected: expected.to_owned(), found: claim.region.clone() });
        }
        claim.check_coverage(raw)?;
        let unknown = || Refusal::UnknownKey(claim.access_key_id.clone());
        let (principal, secret) = lookup(&claim.access_key_id).ok_or_else(unknown)?;
        freshness::check(claim, rules.now, rules.skew)?;
        let scope = claim.scope();
        let signed = canonical::Signed {
            headers: &claim.signed_headers,
            payload: &claim.payload,
            timestamp: &claim.timestamp.0,
            scope: &scope,
        };
        let text =
            |instead: &Instead<'_>| canonical::string_to_sign(raw, &parsed.path, &parsed.query, &signed, instead);
        let name = (claim.access_key_id.clone(), claim.date.clone(), claim.region.clone());
        let key = self.keys.get(&name, &secret);
        let fits = |text: &str| {
            let expected = hex::encode(signing_key::hmac(&key, text.as_bytes()));
            bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes()))
        };
        let string_to_sign = text(&Instead::default());
        if !fits(&string_to_sign) {
            let readings = rules.proxy.map(|proxy| fallback::readings(raw, &parsed.path, claim, proxy));
            let other = readings.into_iter().flatten().find(|instead| fits(&text(instead)));
            match other {
                Some(instead) => self.fallbacks.note(&instead),
                None => return Err(Refusal::WrongSignature { access_key_id: name.0, string_to_sign }),
            }
        }
        self.keys.keep(name, &secret, key);
        Ok((principal, key))
    }
}

/// True where the query carries what version 2 of the signatures puts there.
fn is_version_2(query: &[Pair]) -> bool {
    let named = |name: &str| query.iter().any(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
    named("AWSAccessKeyId") || named("Signature")
}

/// Finds the one set of credentials.
fn read_claim(raw: &RawRequest<'_>, query: &[Pair]) -> Result<Claim, Refusal> {
    let (in_query, version_2) = (presigned::is_present(query), is_version_2(query));
    let mut headers = raw.values("authorization");
    let first = headers.next();
    if headers.next().is_some() {
        return Err(Refusal::Ambiguous("Only one Authorization header is allowed"));
    }
    for name in ["host", "x-amz-date", "x-amz-content-sha256"] {
        raw.once(name)?;
    }
    match (first, in_query, version_2) {
        (Some(_), true, _) | (Some(_), _, true) => Err(Refusal::Ambiguous(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        )),
        (None, true, true) => Err(Refusal::Ambiguous("Only one signature version is allowed")),
        (None, false, true) => Err(Refusal::WrongScheme(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        )),
        (Some(value), false, false) => {
            let text = std::str::from_utf8(value).map_err(|_| Refusal::Malformed("it is not UTF-8.".into()))?;
            header::read(raw, text.trim_matches([' ', '\t']))
        }
        (None, true, false) => presigned::read(raw, query),
        (None, false, false) => Err(Refusal::Missing),
    }
}
