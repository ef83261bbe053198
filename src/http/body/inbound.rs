//! A request's body into a store's writer: counted, summed, compared with what was declared, never held as a whole.

use super::checksum::{Algorithm, Checksum, Running};
use super::declared::Declared;
use super::form::FormBody;
use super::incoming::Incoming;
use super::multipart_form::{Broken, Event};
use crate::auth::sigv4::PayloadHash;
use crate::http::s3::error::S3Error;
use actix_web::http::StatusCode;
use actix_web::web;
use actors::domain::object::BodySums;
use actors::storage::{ObjectWriter, Staged};
use actors::{Error, ErrorKind};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// A body that was taken in and is what it was declared to be.
#[derive(Debug)]
pub struct Received {
    /// For the commit.
    pub staged: Staged,
    /// The checksum that was verified.
    pub checksum: Option<(Algorithm, String)>,
    /// The one that was made besides.
    pub also: Option<(Algorithm, String)>,
}

/// Pumps a body into a writer. Nothing is visible until what comes back is committed; dropped before, it leaves nothing.
pub async fn receive(
    payload: &mut web::Payload,
    mut writer: Box<dyn ObjectWriter>,
    declared: &Declared,
    idle: Duration,
) -> Result<Received, S3Error> {
    let mut running = declared.algorithm().map(Running::new);
    let mut also = declared.also.map(|algorithm| (algorithm, Running::new(algorithm)));
    let mut incoming = Incoming::new(payload, declared, idle);
    while let Some(piece) = incoming.next().await? {
        for running in running.iter_mut().chain(also.iter_mut().map(|(_, running)| running)) {
            running.update(&piece);
        }
        writer.write(piece).await?;
    }
    let trailer = incoming.finish()?;
    let staged = writer.finish().await?;
    let checksum = compare(&staged.sums, declared, running, trailer)?;
    let also = also.map(|(algorithm, running)| (algorithm, running.finish(&staged.sums.sha256)));
    Ok(Received { staged, checksum, also })
}

/// Pumps the file of a form into a writer; it may have so many bytes, at least and at most. The form must be whole.
pub async fn receive_file(
    mut form: FormBody<'_>,
    mut writer: Box<dyn ObjectWriter>,
    declared: &Declared,
    (least, most): (u64, u64),
) -> Result<Received, S3Error> {
    let mut running = declared.algorithm().map(Running::new);
    let mut size = 0;
    loop {
        match form.next().await? {
            Event::Piece(piece) => {
                size += piece.len() as u64;
                if size > most {
                    let message = "Your proposed upload exceeds the maximum allowed size";
                    return Err(out_of_bounds("EntityTooLarge", message, size, ("MaxSizeAllowed", most)));
                }
                if let Some(running) = &mut running {
                    running.update(&piece);
                }
                writer.write(piece).await?;
            }
            Event::Done => break,
            Event::Field { .. } | Event::File { .. } | Event::NoFile => return Err(Broken::Grammar.into()),
        }
    }
    if size < least {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(out_of_bounds("EntityTooSmall", message, size, ("MinSizeAllowed", least)));
    }
    form.finish().await?;
    let staged = writer.finish().await?;
    let checksum = compare(&staged.sums, declared, running, None)?;
    Ok(Received { staged, checksum, also: None })
}

fn out_of_bounds(code: &'static str, message: &str, size: u64, (bound, bytes): (&'static str, u64)) -> S3Error {
    S3Error::new(code, StatusCode::BAD_REQUEST, message)
        .with_detail("ProposedSize", size.to_string())
        .with_detail(bound, bytes.to_string())
}

/// Reads a small body, such as an XML document, whole.
pub async fn read_small(
    payload: &mut web::Payload,
    declared: &Declared,
    most: usize,
    idle: Duration,
) -> Result<Vec<u8>, S3Error> {
    let mut running = declared.algorithm().map(Running::new);
    let mut body = Vec::new();
    let mut incoming = Incoming::new(payload, declared, idle);
    while let Some(piece) = incoming.next().await? {
        body.extend_from_slice(&piece);
        if body.len() > most {
            return Err(Error::new(ErrorKind::TooLarge, "body", format!("The document is above {most} bytes")).into());
        }
    }
    let trailer = incoming.finish()?;
    if let Some(running) = &mut running {
        running.update(&body);
    }
    let sums = BodySums {
        size: body.len() as u64,
        md5: hex::encode(Md5::digest(&body)),
        sha256: hex::encode(Sha256::digest(&body)),
    };
    compare(&sums, declared, running, trailer)?;
    Ok(body)
}

fn compare(
    sums: &BodySums,
    declared: &Declared,
    running: Option<Running>,
    trailer: Option<String>,
) -> Result<Option<(Algorithm, String)>, S3Error> {
    if let PayloadHash::Sha256(expected) = &declared.payload
        && *expected != sums.sha256
    {
        return Err(wrong_payload_hash(expected, &sums.sha256));
    }
    if declared.md5.as_ref().is_some_and(|md5| *md5 != sums.md5) {
        return Err(bad_digest("The Content-MD5 you specified did not match what we received."));
    }
    let (Some(expected), Some(running)) = (expected(declared, trailer)?, running) else { return Ok(None) };
    if running.finish(&sums.sha256) != expected.value {
        return Err(bad_digest(&format!(
            "The {} you specified did not match the calculated checksum.",
            expected.algorithm.name()
        )));
    }
    Ok(Some((expected.algorithm, expected.value)))
}

/// The checksum that the body must have: the header's, or the trailer's.
fn expected(declared: &Declared, trailer: Option<String>) -> Result<Option<Checksum>, S3Error> {
    match (declared.trailer, trailer) {
        (Some(algorithm), Some(value)) => {
            let invalid =
                || S3Error::invalid_request(format!("Value for {} trailing header is invalid.", algorithm.header()));
            Checksum::parse(algorithm, &value).map(Some).ok_or_else(invalid)
        }
        _ => Ok(declared.checksum.clone()),
    }
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
