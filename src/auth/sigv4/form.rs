//! The proof of a form: the signature over its policy, in version 4, or in version 2 where the config allows it.

use super::claim::{self, ALGORITHM};
use super::refusal::Refusal;
use super::{Denied, PayloadHash, Rules, Verified, Verifier, signing_key};
use crate::http::s3::operation::{Names, Operation};
use actors::domain::iam::principal::Principal;
use actors::domain::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;

/// What a form brings to prove who made it.
#[derive(Clone, Copy, Debug)]
pub struct FormProof<'a> {
    /// `policy`, as it was sent: this is what is signed.
    pub policy: Option<&'a str>,
    /// `x-amz-algorithm`.
    pub algorithm: Option<&'a str>,
    /// `x-amz-credential`.
    pub credential: Option<&'a str>,
    /// `x-amz-date`.
    pub date: Option<&'a str>,
    /// `x-amz-signature`.
    pub signature: Option<&'a str>,
    /// `x-amz-security-token` is there.
    pub security_token: bool,
    /// `AWSAccessKeyId` and `signature`: version 2.
    pub version_2: (Option<&'a str>, Option<&'a str>),
}

/// Whose proof it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormSigner {
    principal: Principal,
    access_key_id: Option<String>,
}

impl FormProof<'_> {
    /// Whether the form brings credentials of any kind, good or bad.
    pub fn has_credentials(&self) -> bool {
        let (key, signature) = self.version_2;
        [self.algorithm, self.credential, self.date, self.signature, key, signature].iter().any(Option::is_some)
            || self.security_token
    }
}

impl FormSigner {
    /// Nobody in particular, or whoever it is where nobody is asked.
    pub fn unproven(open: bool) -> Self {
        let principal = if open { Principal::Open } else { Principal::Anonymous };
        Self { principal, access_key_id: None }
    }

    /// Who asks.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What the form proved to be: the operation is read from fields that its policy names.
    pub fn verified(self, operation: Operation, amz_headers: Names) -> Verified {
        let Self { principal, access_key_id } = self;
        let query = BTreeMap::new();
        Verified { principal, access_key_id, operation, query, amz_headers, payload: PayloadHash::Unsigned }
    }
}

impl Verifier {
    /// Verifies the signature over a form's policy. What the policy says is looked at by whoever asks.
    pub fn form(
        &self,
        proof: &FormProof<'_>,
        rules: &Rules<'_>,
        version_2: bool,
        lookup: impl Fn(&str) -> Option<(Principal, Secret)>,
    ) -> Result<FormSigner, Denied> {
        let (key_id, signature) = proof.version_2;
        if proof.security_token {
            return Err(Refusal::SessionToken.into());
        }
        let in_version_4 = [proof.algorithm, proof.credential, proof.date, proof.signature].iter().any(Option::is_some);
        match (in_version_4, key_id.is_some() || signature.is_some()) {
            (true, true) => Err(Refusal::Ambiguous("Only one signature version is allowed").into()),
            (true, false) => self.form_4(proof, rules, lookup).map_err(Denied::from),
            (false, true) if version_2 => form_2(proof, lookup).map_err(Denied::from),
            (false, true) => Err(Refusal::WrongScheme(
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            )
            .into()),
            (false, false) => Err(Refusal::Missing.into()),
        }
    }

    fn form_4(
        &self,
        proof: &FormProof<'_>,
        rules: &Rules<'_>,
        lookup: impl Fn(&str) -> Option<(Principal, Secret)>,
    ) -> Result<FormSigner, Refusal> {
        let malformed = |what: &str| Refusal::MalformedQuery(format!("Bucket POST is malformed; {what}"));
        let field = |value: Option<&str>, name: &str| {
            value.map(str::to_owned).ok_or_else(|| malformed(&format!("it must contain a field named '{name}'.")))
        };
        let policy = field(proof.policy, "policy")?;
        if field(proof.algorithm, "x-amz-algorithm")? != ALGORITHM {
            return Err(Refusal::WrongScheme("The algorithm of a form must be AWS4-HMAC-SHA256."));
        }
        let (id, date, region) =
            claim::credential(&field(proof.credential, "x-amz-credential")?).map_err(|what| malformed(&what))?;
        let (_, requested) =
            claim::timestamp(&field(proof.date, "x-amz-date")?, &date).map_err(|what| malformed(&what))?;
        let signature =
            claim::signature(&field(proof.signature, "x-amz-signature")?).map_err(|what| malformed(&what))?;
        if let Some(expected) = rules.region.filter(|expected| *expected != region) {
            return Err(Refusal::WrongRegion { expected: expected.to_owned(), found: region });
        }
        let (principal, secret) = lookup(&id).ok_or_else(|| Refusal::UnknownKey(id.clone()))?;
        // How long a form holds, its policy says; one from the future is a mistake or a forgery.
        if requested.since(rules.now) > rules.skew {
            return Err(Refusal::Skewed { requested, now: rules.now, allowed: rules.skew });
        }
        let name = (id.clone(), date, region);
        let key = self.keys.get(&name, &secret);
        let expected = hex::encode(signing_key::hmac(&key, policy.as_bytes()));
        if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(Refusal::WrongSignature { access_key_id: id, string_to_sign: policy });
        }
        self.keys.keep(name, &secret, key);
        Ok(FormSigner { principal, access_key_id: Some(id) })
    }
}

/// Version 2: HMAC-SHA-1 over the policy, in base64.
fn form_2(proof: &FormProof<'_>, lookup: impl Fn(&str) -> Option<(Principal, Secret)>) -> Result<FormSigner, Refusal> {
    let (Some(policy), (Some(id), Some(signature))) = (proof.policy, proof.version_2) else {
        let what = "Bucket POST is malformed; it must contain the fields 'policy', 'AWSAccessKeyId' and 'signature'.";
        return Err(Refusal::MalformedQuery(what.to_owned()));
    };
    let (principal, secret) = lookup(id).ok_or_else(|| Refusal::UnknownKey(id.to_owned()))?;
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes()).expect("hmac takes a key of any length");
    mac.update(policy.as_bytes());
    let expected = STANDARD.encode(mac.finalize().into_bytes());
    if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
        let (access_key_id, string_to_sign) = (id.to_owned(), policy.to_owned());
        return Err(Refusal::WrongSignature { access_key_id, string_to_sign });
    }
    Ok(FormSigner { principal, access_key_id: Some(id.to_owned()) })
}
