//! A request's body into a store's writer: counted, summed, compared with what was declared, never held as a whole.

use super::checksum::{Algorithm, Checksum, Running};
use super::pace::Pace;
use crate::auth::sigv4::PayloadHash;
use crate::http::s3::error::S3Error;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web;
use actors::storage::{ObjectWriter, Staged};
use actors::{Error, ErrorKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The most that one PUT may carry (AWS).
const LARGEST: u64 = 5 << 30;

/// What a body is declared to be.
#[derive(Clone, Debug)]
pub struct Declared {
    /// `Content-Length`.
    pub length: u64,
    /// What the signature says of it.
    pub payload: PayloadHash,
    /// `Content-MD5`, in hex.
    pub md5: Option<String>,
    /// `x-amz-checksum-*`.
    pub checksum: Option<Checksum>,
}

/// A body that was taken in and is what it was declared to be.
#[derive(Debug)]
pub struct Received {
    /// For the commit.
    pub staged: Staged,
    /// The checksum that was verified.
    pub checksum: Option<(Algorithm, String)>,
}

impl Declared {
    /// Reads the headers.
    pub fn new(headers: &HeaderMap, payload: PayloadHash, checksum: Option<Checksum>) -> Result<Self, S3Error> {
        let length = headers
            .get("content-length")
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
            .ok_or_else(missing_length)?;
        if length > LARGEST {
            return Err(S3Error::new(
                "EntityTooLarge",
                StatusCode::BAD_REQUEST,
                "Your proposed upload exceeds the maximum allowed size",
            )
            .with_detail("ProposedSize", length.to_string())
            .with_detail("MaxSizeAllowed", LARGEST.to_string()));
        }
        let md5 = content_md5(headers)?;
        Ok(Self { length, payload, md5, checksum })
    }
}

/// Pumps a body into a writer. Nothing is visible until what comes back is committed; dropped before, it leaves nothing.
pub async fn receive(
    payload: &mut web::Payload,
    mut writer: Box<dyn ObjectWriter>,
    declared: &Declared,
    idle: Duration,
) -> Result<Received, S3Error> {
    let mut running = declared.checksum.as_ref().map(|sum| Running::new(sum.algorithm));
    let (begun, mut pace, mut size) = (Instant::now(), Pace::new(idle), 0u64);
    loop {
        let chunk = match timeout(idle, payload.next()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(incomplete(declared.length, size)),
            Ok(Some(Ok(chunk))) => chunk,
        };
        size += chunk.len() as u64;
        pace.moved(begun.elapsed(), chunk.len() as u64);
        if size > declared.length {
            return Err(incomplete(declared.length, size));
        }
        if let Some(running) = &mut running {
            running.update(&chunk);
        }
        writer.write(chunk).await?;
        if pace.too_slow(begun.elapsed()) {
            return Err(too_slow());
        }
    }
    if size != declared.length {
        return Err(incomplete(declared.length, size));
    }
    let staged = writer.finish().await?;
    let checksum = compare(&staged, declared, running)?;
    Ok(Received { staged, checksum })
}

/// Reads a small body, such as an XML document, whole.
pub async fn read_small(
    payload: &mut web::Payload,
    headers: &HeaderMap,
    declared: &PayloadHash,
    most: usize,
    idle: Duration,
) -> Result<Vec<u8>, S3Error> {
    let md5 = content_md5(headers)?;
    let mut body = Vec::new();
    loop {
        match timeout(idle, payload.next()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(incomplete(0, body.len() as u64)),
            Ok(Some(Ok(chunk))) => body.extend_from_slice(&chunk),
        }
        if body.len() > most {
            return Err(Error::new(ErrorKind::TooLarge, "body", format!("The document is above {most} bytes")).into());
        }
    }
    let computed = hex::encode(Sha256::digest(&body));
    match declared {
        PayloadHash::Sha256(expected) if *expected != computed => Err(wrong_payload_hash(expected, &computed)),
        _ if md5.is_some_and(|md5| md5 != hex::encode(Md5::digest(&body))) => Err(wrong_md5()),
        _ => Ok(body),
    }
}

/// `Content-MD5`, in hex.
fn content_md5(headers: &HeaderMap) -> Result<Option<String>, S3Error> {
    let Some(value) = headers.get("content-md5") else { return Ok(None) };
    match STANDARD.decode(value.as_bytes()) {
        Ok(digest) if digest.len() == 16 => Ok(Some(hex::encode(digest))),
        _ => Err(S3Error::new("InvalidDigest", StatusCode::BAD_REQUEST, "The Content-MD5 you specified was invalid.")),
    }
}

fn compare(
    staged: &Staged,
    declared: &Declared,
    running: Option<Running>,
) -> Result<Option<(Algorithm, String)>, S3Error> {
    if let PayloadHash::Sha256(expected) = &declared.payload
        && *expected != staged.sums.sha256
    {
        return Err(wrong_payload_hash(expected, &staged.sums.sha256));
    }
    if declared.md5.as_ref().is_some_and(|md5| *md5 != staged.sums.md5) {
        return Err(wrong_md5());
    }
    let (Some(expected), Some(running)) = (&declared.checksum, running) else { return Ok(None) };
    if running.finish(&staged.sums.sha256) != expected.value {
        return Err(bad_digest(&format!(
            "The {} you specified did not match the calculated checksum.",
            expected.algorithm.name()
        )));
    }
    Ok(Some((expected.algorithm, expected.value.clone())))
}

fn missing_length() -> S3Error {
    S3Error::new(
        "MissingContentLength",
        StatusCode::LENGTH_REQUIRED,
        "You must provide the Content-Length HTTP header.",
    )
}

fn incomplete(declared: u64, received: u64) -> S3Error {
    S3Error::new(
        "IncompleteBody",
        StatusCode::BAD_REQUEST,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
    .with_detail("NumberBytesExpected", declared.to_string())
    .with_detail("NumberBytesProvided", received.to_string())
}

fn too_slow() -> S3Error {
    S3Error::new(
        "RequestTimeout",
        StatusCode::BAD_REQUEST,
        "Your socket connection to the server was not read from or written to within the timeout period.",
    )
}

fn wrong_md5() -> S3Error {
    bad_digest("The Content-MD5 you specified did not match what we received.")
}

fn bad_digest(message: &str) -> S3Error {
    S3Error::new("BadDigest", StatusCode::BAD_REQUEST, message)
}

fn wrong_payload_hash(expected: &str, computed: &str) -> S3Error {
    S3Error::new(
        "XAmzContentSHA256Mismatch",
        StatusCode::BAD_REQUEST,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
    .with_detail("ClientComputedContentSHA256", expected)
    .with_detail("S3ComputedContentSHA256", computed)
}

#[cfg(test)]
mod tests;
