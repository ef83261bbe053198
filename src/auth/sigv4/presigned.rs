//! Credentials in the query: presigned URLs, valid for seven days at most.

use super::claim::{self, ALGORITHM, Claim};
use super::payload::is_streaming;
use super::refusal::Refusal;
use super::request::{Pair, RawRequest};
use std::time::Duration;

/// The longest life of a presigned URL, in seconds (AWS: seven days).
const LONGEST: u64 = 604_800;

/// The parameters that carry credentials. They are never shown as parameters of the request.
const PARAMETERS: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// The parameter in which some signers say `UNSIGNED-PAYLOAD`.
const PAYLOAD: &str = "X-Amz-Content-Sha256";

/// The checksums of no bytes at all, by the parameter that carries them.
const SUMS_OF_NOTHING: [(&str, &str); 5] = [
    ("x-amz-checksum-crc32", "AAAAAA=="),
    ("x-amz-checksum-crc32c", "AAAAAA=="),
    ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
    ("x-amz-checksum-sha1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
    ("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
];

/// True where the signer summed a body that it did not have.
///
/// The AWS SDK for JavaScript signs a presigned PUT before there is a body and writes the sum of nothing into the URL. AWS does
/// not hold the body to it, and nobody who uses the URL could.
pub(super) fn sums_nothing(query: &[Pair]) -> bool {
    is_present(query) && query.iter().any(|(name, value)| is_sum_of_nothing(name, value))
}

/// True for such a sum, and for the parameter that only names its algorithm.
pub(super) fn belongs_to_sum_of_nothing(name: &[u8], value: &[u8]) -> bool {
    is_sum_of_nothing(name, value) || name.eq_ignore_ascii_case(b"x-amz-sdk-checksum-algorithm")
}

fn is_sum_of_nothing(name: &[u8], value: &[u8]) -> bool {
    SUMS_OF_NOTHING.iter().any(|(known, sum)| name.eq_ignore_ascii_case(known.as_bytes()) && value == sum.as_bytes())
}

/// True for a parameter that belongs to the credentials and not to the operation, however its name is cased.
pub(super) fn is_credential(name: &[u8]) -> bool {
    PARAMETERS.iter().chain([&PAYLOAD]).any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// True where the query carries credentials.
pub(super) fn is_present(query: &[Pair]) -> bool {
    query.iter().any(|(name, _)| is_credential(name))
}

/// Reads the claim of a request in presigned form.
pub(super) fn read(raw: &RawRequest<'_>, query: &[Pair]) -> Result<Claim, Refusal> {
    let malformed = Refusal::MalformedQuery;
    for (name, _) in query.iter().filter(|(name, _)| is_credential(name)) {
        if !PARAMETERS.iter().chain([&PAYLOAD]).any(|known| known.as_bytes() == name) {
            return Err(malformed(format!("{} is not cased as AWS writes it", String::from_utf8_lossy(name))));
        }
    }
    if optional(query, "X-Amz-Security-Token")?.is_some() {
        return Err(Refusal::SessionToken);
    }
    if required(query, "X-Amz-Algorithm")? != ALGORITHM {
        return Err(malformed("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"".into()));
    }
    let in_query = |text: String| malformed(format!("Error parsing the X-Amz-Credential parameter; {text}"));
    let (access_key_id, date, region) = claim::credential(&required(query, "X-Amz-Credential")?).map_err(in_query)?;
    let signed_headers = claim::signed_headers(&required(query, "X-Amz-SignedHeaders")?).map_err(malformed)?;
    let signature = claim::signature(&required(query, "X-Amz-Signature")?).map_err(malformed)?;
    if raw.has("x-amz-date") {
        return Err(Refusal::Ambiguous("A presigned request carries its time in X-Amz-Date and in no header"));
    }
    let timestamp = claim::timestamp(&required(query, "X-Amz-Date")?, &date).map_err(malformed)?;
    let payload = match (raw.once("x-amz-content-sha256")?, optional(query, PAYLOAD)?) {
        (Some(_), Some(_)) => return Err(Refusal::Duplicate("x-amz-content-sha256")),
        (Some(header), None) => header.to_owned(),
        (None, Some(parameter)) => parameter,
        (None, None) => "UNSIGNED-PAYLOAD".to_owned(),
    };
    if is_streaming(&payload) {
        return Err(Refusal::PayloadForm(payload));
    }
    let expires = Some(lifetime(&required(query, "X-Amz-Expires")?)?);
    Ok(Claim { access_key_id, date, region, signed_headers, signature, timestamp, payload, expires })
}

fn lifetime(text: &str) -> Result<Duration, Refusal> {
    if text.starts_with('-') && text[1..].bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::MalformedQuery("X-Amz-Expires must be non-negative".into()));
    }
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::MalformedQuery("X-Amz-Expires should be a number".into()));
    }
    match text.parse::<u64>() {
        Ok(seconds) if seconds <= LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err(Refusal::MalformedQuery(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
                .into(),
        )),
    }
}

fn required(query: &[Pair], name: &'static str) -> Result<String, Refusal> {
    optional(query, name)?.ok_or_else(|| {
        Refusal::MalformedQuery(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
             X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
                .into(),
        )
    })
}

fn optional(query: &[Pair], name: &'static str) -> Result<Option<String>, Refusal> {
    let mut values = query.iter().filter(|(known, _)| known == name.as_bytes()).map(|(_, value)| value);
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Duplicate(name));
    }
    String::from_utf8(first.clone()).map(Some).map_err(|_| Refusal::MalformedQuery(format!("{name} is not UTF-8")))
}
