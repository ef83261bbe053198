//! What an object becomes of the parts that a client lists: the rules of CompleteMultipartUpload, for every backend. Pure.

use crate::domain::checksum::{ChecksumAlgorithm, ChecksumKind, Checksums};
use crate::domain::layout::PartLayout;
use crate::domain::object::{ETag, ObjectAttributes};
use crate::storage::multipart::{
    CompleteRequest, CompletedPart, MAX_OBJECT_SIZE, MIN_PART_SIZE, PartNumber, UploadChecksum,
};
use crate::{Error, ErrorKind, Result};
use md5::{Digest, Md5};
use sha2::Sha256;

const OPERATION: &str = "complete upload";

/// A part that is kept, as the rules look at it.
pub(super) trait KeptPart {
    fn number(&self) -> PartNumber;
    fn size(&self) -> u64;
    /// In hex: its entity tag.
    fn md5(&self) -> &str;
    fn checksums(&self) -> &Checksums;
}

/// An object that can be put together.
pub(super) struct Assembled<P> {
    pub(super) parts: Vec<P>,
    pub(super) size: u64,
    pub(super) etag: ETag,
    pub(super) attributes: ObjectAttributes,
    pub(super) layout: PartLayout,
}

/// What the list is known by: who sends the same again gets the same answer.
pub(super) fn request_hash(parts: &[CompletedPart]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(format!("{} {}\n", part.number, part.etag));
    }
    hex::encode(hash.finalize())
}

/// Checks the list against the parts that are there, and tells what comes of it.
pub(super) fn assemble<P: KeptPart>(
    mut attributes: ObjectAttributes,
    of_upload: Option<UploadChecksum>,
    request: &CompleteRequest,
    mut find: impl FnMut(PartNumber) -> Result<Option<P>>,
) -> Result<Assembled<P>> {
    if request.parts.is_empty() {
        return Err(refused(ErrorKind::Invalid, "You must specify at least one part"));
    }
    if !request.parts.windows(2).all(|pair| pair[0].number < pair[1].number) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(refused(ErrorKind::InvalidPartOrder, message));
    }
    let records = request.parts.iter().map(|listed| meant(find(listed.number)?, listed)).collect::<Result<Vec<_>>>()?;
    if let Some(small) = records.iter().rev().skip(1).find(|record| record.size() < MIN_PART_SIZE) {
        let message = format!(
            "Your proposed upload is smaller than the minimum allowed object size: part {} has {} bytes",
            small.number(),
            small.size()
        );
        return Err(refused(ErrorKind::EntityTooSmall, message));
    }
    let size = records.iter().map(|record| record.size()).sum();
    if size > MAX_OBJECT_SIZE {
        let message = "Your proposed upload exceeds the maximum allowed object size";
        return Err(refused(ErrorKind::EntityTooLarge, message));
    }
    if request.size.is_some_and(|expected| expected != size) {
        let message = "The provided 'x-amz-mp-object-size' header value does not match what was computed.";
        return Err(refused(ErrorKind::InvalidRequest, message));
    }
    if let Some((algorithm, value)) = checksum(of_upload, &records, request)? {
        attributes.checksums.insert(algorithm.name().to_owned(), value);
    }
    let etag = etag(&records)?;
    let algorithm = of_upload.map(|checksum| checksum.algorithm);
    let layout = PartLayout::new(records.iter().map(|record| (record.size(), record.checksums())), algorithm);
    Ok(Assembled { parts: records, size, etag, attributes, layout })
}

/// The part, where it is the one that the client means.
fn meant<P: KeptPart>(found: Option<P>, listed: &CompletedPart) -> Result<P> {
    let found = found.filter(|part| {
        listed.etag == ETag::new(part.md5())
            && listed.checksums.iter().all(|(name, value)| part.checksums().get(name) == Some(value))
    });
    found.ok_or_else(|| {
        let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, \
                       or the specified entity tag may not match the part's entity tag.";
        refused(ErrorKind::InvalidPart, message)
    })
}

/// `md5-of-md5s-N`.
fn etag<P: KeptPart>(records: &[P]) -> Result<ETag> {
    let mut md5 = Md5::new();
    for record in records {
        md5.update(hex::decode(record.md5()).map_err(|e| Error::internal(OPERATION, e))?);
    }
    Ok(ETag::new(&format!("{}-{}", hex::encode(md5.finalize()), records.len())))
}

/// The object's checksum, which must be the one that the client expects.
fn checksum<P: KeptPart>(
    of_upload: Option<UploadChecksum>,
    records: &[P],
    request: &CompleteRequest,
) -> Result<Option<(ChecksumAlgorithm, String)>> {
    let expected = request.checksum.as_ref();
    let UploadChecksum { algorithm, kind } = match (of_upload, expected) {
        (Some(checksum), Some((algorithm, _))) if checksum.algorithm != *algorithm => {
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                checksum.algorithm.name().to_lowercase(),
                algorithm.name().to_lowercase()
            );
            return Err(refused(ErrorKind::InvalidRequest, message));
        }
        (Some(checksum), _) => checksum,
        // The upload was begun without one: what the parts came with decides whether it can be known.
        (None, Some((algorithm, _))) => UploadChecksum { algorithm: *algorithm, kind: ChecksumKind::FullObject },
        (None, None) => return Ok(None),
    };
    let digests: Option<Vec<_>> =
        records.iter().map(|r| Some((r.checksums().get(algorithm.name())?.as_str(), r.size()))).collect();
    let Some(value) = digests.and_then(|digests| algorithm.of_parts(kind, digests)) else {
        let message = format!(
            "The upload was not created with a {} checksum, and its parts have none that it could be computed from.",
            algorithm.name()
        );
        return Err(refused(ErrorKind::InvalidRequest, message));
    };
    match expected {
        // A composite checksum may come with or without the number of parts.
        Some((_, expected)) if *expected != value && value.split_once('-').is_none_or(|(sum, _)| sum != expected) => {
            let message = format!("The {} you specified did not match the calculated checksum.", algorithm.name());
            Err(refused(ErrorKind::BadDigest, message))
        }
        _ => Ok(Some((algorithm, value))),
    }
}

fn refused(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, OPERATION, message)
}
