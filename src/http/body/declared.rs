//! What a request says of its body before the body comes.

use super::checksum::{Algorithm, Checksum};
use crate::auth::sigv4::PayloadHash;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::SignedBody;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The most that one PUT may carry (AWS).
const LARGEST: u64 = 5 << 30;

/// What a body is declared to be.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its bytes, without framing: `Content-Length` or `x-amz-decoded-content-length`.
    pub length: u64,
    /// What the signature says of it.
    pub payload: PayloadHash,
    /// `Content-MD5`, in hex.
    pub md5: Option<String>,
    /// `x-amz-checksum-*`.
    pub checksum: Option<Checksum>,
    /// `x-amz-trailer`: the checksum comes after the body.
    pub trailer: Option<Algorithm>,
    /// How it is summed besides.
    pub also: Option<Algorithm>,
}

impl Declared {
    /// Reads the headers.
    pub fn new(headers: &HeaderMap, payload: &PayloadHash, signed: &SignedBody) -> Result<Self, S3Error> {
        let length = length(headers, payload, signed)?.ok_or_else(missing_length)?;
        if length > LARGEST {
            return Err(S3Error::new(
                "EntityTooLarge",
                StatusCode::BAD_REQUEST,
                "Your proposed upload exceeds the maximum allowed size",
            )
            .with_detail("ProposedSize", length.to_string())
            .with_detail("MaxSizeAllowed", LARGEST.to_string()));
        }
        let md5 = sent_md5(headers)?;
        let (checksum, trailer) = (signed.checksum.clone(), signed.trailer);
        Ok(Self { length, payload: payload.clone(), md5, checksum, trailer, also: None })
    }

    /// The same for a document that need not be there: a request without any length has no body.
    pub fn document(headers: &HeaderMap, payload: &PayloadHash, signed: &SignedBody) -> Result<Self, S3Error> {
        if !headers.contains_key("transfer-encoding") && length(headers, payload, signed)?.is_none() {
            let (checksum, trailer) = (signed.checksum.clone(), signed.trailer);
            let (payload, md5) = (payload.clone(), sent_md5(headers)?);
            return Ok(Self { length: 0, payload, md5, checksum, trailer, also: None });
        }
        Self::new(headers, payload, signed)
    }

    /// Of the file in a form, whose length only its end tells.
    pub fn of_file(md5: Option<String>, checksum: Option<Checksum>) -> Self {
        Self { length: 0, payload: PayloadHash::Unsigned, md5, checksum, trailer: None, also: None }
    }

    /// Whether its SHA-256 decides about anything.
    pub fn needs_sha256(&self) -> bool {
        let summed = [self.algorithm(), self.also].contains(&Some(Algorithm::Sha256));
        summed || matches!(self.payload, PayloadHash::Sha256(_))
    }

    /// The algorithm of the checksum that comes along.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.checksum.as_ref().map(|sum| sum.algorithm).or(self.trailer)
    }
}

/// What the headers say of the length, without framing; refused where they contradict each other.
fn length(headers: &HeaderMap, payload: &PayloadHash, signed: &SignedBody) -> Result<Option<u64>, S3Error> {
    match payload {
        PayloadHash::Chunked(form) if signed.trailer.is_some() && !form.has_trailer() => Err(S3Error::invalid_request(
            "x-amz-trailer was sent, but the x-amz-content-sha256 header names a form without trailer.",
        )),
        PayloadHash::Chunked(_) => Ok(signed.decoded_length),
        _ if signed.trailer.is_some() || signed.decoded_length.is_some() => Err(S3Error::invalid_request(
            "x-amz-trailer and x-amz-decoded-content-length describe a body in chunks, and the x-amz-content-sha256 \
             header does not name one.",
        )),
        _ => Ok(headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok())),
    }
}

fn sent_md5(headers: &HeaderMap) -> Result<Option<String>, S3Error> {
    headers.get("content-md5").map(|value| content_md5(value.as_bytes())).transpose()
}

/// `Content-MD5`, in hex.
pub fn content_md5(value: &[u8]) -> Result<String, S3Error> {
    match STANDARD.decode(value) {
        Ok(digest) if digest.len() == 16 => Ok(hex::encode(digest)),
        _ => Err(S3Error::new("InvalidDigest", StatusCode::BAD_REQUEST, "The Content-MD5 you specified was invalid.")),
    }
}

fn missing_length() -> S3Error {
    S3Error::new(
        "MissingContentLength",
        StatusCode::LENGTH_REQUIRED,
        "You must provide the Content-Length HTTP header.",
    )
}
