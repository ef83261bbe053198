//! What a request claims about itself, before the claim is checked: whose key, which scope, which headers, which signature.

use super::refusal::Refusal;
use super::request::RawRequest;
use actors::domain::clock::Timestamp;

/// The one algorithm.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A claim, in header or presigned form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) access_key_id: String,
    /// `YYYYMMDD`.
    pub(super) date: String,
    pub(super) region: String,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// The compact time as it was sent, and read.
    pub(super) timestamp: (String, Timestamp),
    /// `x-amz-content-sha256`, verbatim, or what stands in for it.
    pub(super) payload: String,
    /// How long a presigned request holds.
    pub(super) expires: Option<std::time::Duration>,
}

impl Claim {
    /// `date/region/s3/aws4_request`.
    pub(super) fn scope(&self) -> String {
        format!("{}/{}/s3/aws4_request", self.date, self.region)
    }

    /// `host` and every `x-amz-*` header that is present must be signed, and every signed header be present.
    pub(super) fn check_coverage(&self, raw: &RawRequest<'_>) -> Result<(), Refusal> {
        let mut unsigned: Vec<String> = raw
            .headers
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name == "host" || name.starts_with("x-amz-"))
            .filter(|name| !self.signed_headers.iter().any(|signed| signed == name))
            .map(str::to_owned)
            .collect();
        if !raw.has("host") {
            unsigned.push("host".to_owned());
        }
        unsigned.sort();
        unsigned.dedup();
        if !unsigned.is_empty() {
            return Err(Refusal::Unsigned(unsigned));
        }
        match self.signed_headers.iter().find(|name| !raw.has(name)) {
            Some(name) => Err(Refusal::AbsentSigned(name.clone())),
            None => Ok(()),
        }
    }
}

/// `<key>/<date>/<region>/s3/aws4_request`. The key may hold slashes; the rest may not.
pub(super) fn credential(text: &str) -> Result<(String, String, String), String> {
    let mut parts = text.rsplitn(5, '/');
    let (terminal, service, region, date, key) =
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(terminal), Some(service), Some(region), Some(date), Some(key)) => {
                (terminal, service, region, date, key)
            }
            _ => {
                return Err(
                    "the Credential is malformed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
                        .into(),
                );
            }
        };
    if terminal != "aws4_request" {
        return Err("the Credential's scope must end in \"aws4_request\".".into());
    }
    if service != "s3" {
        return Err(format!("incorrect service \"{service}\". This endpoint belongs to \"s3\"."));
    }
    if date.len() != 8 || !date.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
        ));
    }
    if key.is_empty() || region.is_empty() {
        return Err("the Credential's key and region must not be empty.".into());
    }
    Ok((key.to_owned(), date.to_owned(), region.to_owned()))
}

/// Names in lower case, sorted, each once, separated by semicolons.
pub(super) fn signed_headers(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let plain = |name: &String| !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase() || b == b' ');
    if !names.iter().all(plain) || !names.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err("SignedHeaders must be lower-case names, sorted and separated by semicolons.".into());
    }
    Ok(names)
}

/// 64 lower-case hex digits.
pub(super) fn signature(text: &str) -> Result<String, String> {
    if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(text.to_owned());
    }
    Err("the Signature must be 64 lower-case hex digits.".into())
}

/// `YYYYMMDD'T'HHMMSS'Z'`, on the scope's date.
pub(super) fn timestamp(text: &str, date: &str) -> Result<(String, Timestamp), String> {
    let at = Timestamp::parse_compact(text)
        .filter(|at| at.compact() == text)
        .ok_or("the date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\".")?;
    if !text.starts_with(date) {
        return Err(format!(
            "the date in the Credential scope, {date}, does not match the date of the request, {text}."
        ));
    }
    Ok((text.to_owned(), at))
}
