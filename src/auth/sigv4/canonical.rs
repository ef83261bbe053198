//! The canonical request and the string to sign, from the raw bytes.
//!
//! Source: AWS, "Create a signed AWS API request", and S3's exceptions to it: the path is escaped once and never normalised.

use super::request::{Pair, RawRequest};
use crate::http::percent;
use sha2::{Digest, Sha256};

/// What a signature covers besides method, path and query.
pub(super) struct Signed<'a> {
    /// The headers' names, as the claim lists them.
    pub(super) headers: &'a [String],
    /// `x-amz-content-sha256`, verbatim.
    pub(super) payload: &'a str,
    /// The time in compact form.
    pub(super) timestamp: &'a str,
    /// `date/region/s3/aws4_request`.
    pub(super) scope: &'a str,
}

/// What is hashed instead of what came, where something between the signer and us may have changed it ([`super::fallback`]).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instead<'a> {
    /// The path as it came, whatever its escapes.
    pub(super) raw_path: bool,
    /// Another `host`.
    pub(super) host: Option<&'a [u8]>,
    /// Another `accept-encoding`.
    pub(super) accept_encoding: Option<&'a [u8]>,
}

/// The string to sign of a request whose path and query were decoded before.
pub(super) fn string_to_sign(
    raw: &RawRequest<'_>,
    path: &[u8],
    query: &[Pair],
    signed: &Signed<'_>,
    instead: &Instead<'_>,
) -> String {
    let request = canonical_request(raw, path, query, signed, instead);
    format!("AWS4-HMAC-SHA256\n{}\n{}\n{}", signed.timestamp, signed.scope, hex::encode(Sha256::digest(&request)))
}

fn canonical_request(
    raw: &RawRequest<'_>,
    path: &[u8],
    query: &[Pair],
    signed: &Signed<'_>,
    instead: &Instead<'_>,
) -> Vec<u8> {
    let mut text = String::with_capacity(512);
    text.push_str(raw.method);
    text.push('\n');
    match instead.raw_path {
        true => text.push_str(raw.path),
        false => percent::encode_path(path, &mut text),
    }
    text.push('\n');
    text.push_str(&canonical_query(query));
    text.push('\n');
    let mut out = text.into_bytes();
    for name in signed.headers {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        let other = match name.as_str() {
            "host" => instead.host,
            "accept-encoding" => instead.accept_encoding,
            _ => None,
        };
        match other {
            Some(value) => out.extend_from_slice(value),
            None => out.extend_from_slice(&header_value(raw.values(name))),
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed.headers.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(signed.payload.as_bytes());
    out
}

/// Escaped, sorted by name and then value, without the signature itself.
fn canonical_query(query: &[Pair]) -> String {
    let mut pieces: Vec<(String, String)> = query
        .iter()
        .filter(|(name, _)| name != b"X-Amz-Signature")
        .map(|(name, value)| {
            let (mut n, mut v) = (String::new(), String::new());
            percent::encode(name, &mut n);
            percent::encode(value, &mut v);
            (n, v)
        })
        .collect();
    pieces.sort();
    pieces.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// A header's value as it is signed: ends trimmed, runs of blanks one space, repeated headers joined by commas.
///
/// What is signed is also all that [`super::Verified`] shows of an `x-amz-*` header, so that blanks cannot be changed on the way.
pub(super) fn header_value<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let words = value.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty());
        for (place, word) in words.enumerate() {
            if place > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
    out
}
