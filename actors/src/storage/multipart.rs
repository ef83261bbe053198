//! What a multipart upload is to a backend: its name, its parts, its pages, and how it becomes an object.

use crate::domain::checksum::{ChecksumAlgorithm, ChecksumKind, Checksums};
use crate::domain::clock::Timestamp;
use crate::domain::condition::Conditions;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ETag, ObjectAttributes};
use crate::storage::Staged;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// A part other than the last has at least 5 MiB.
pub const MIN_PART_SIZE: u64 = 5 << 20;
/// An object has at most 5 TiB.
pub const MAX_OBJECT_SIZE: u64 = 5 << 40;

/// The name of an upload: 44 lower-case hex digits, the time of its beginning and 128 random bits. Ids sort by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UploadId(String);

/// The number of a part, 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartNumber(u16);

/// An upload, as every request names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UploadRef {
    /// The backend's own bucket name.
    pub bucket: BucketName,
    /// The key of the object to be.
    pub key: ObjectKey,
    /// The upload.
    pub id: UploadId,
}

/// Who began an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Initiator {
    /// The id, as in `<ID>`.
    pub id: String,
    /// The name, as in `<DisplayName>`.
    pub name: String,
}

/// The checksum that the object is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadChecksum {
    /// How.
    pub algorithm: ChecksumAlgorithm,
    /// Of what.
    pub kind: ChecksumKind,
}

/// An upload to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUpload {
    /// The backend's own bucket name.
    pub bucket: BucketName,
    /// The key of the object to be.
    pub key: ObjectKey,
    /// What to store with the object; `checksums` stays empty until it is complete.
    pub attributes: ObjectAttributes,
    /// The checksum that the object is to have. Every part must then be committed with a digest of that algorithm.
    pub checksum: Option<UploadChecksum>,
    /// Who begins it.
    pub initiator: Initiator,
}

/// What is known of an open upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadInfo {
    /// Its id.
    pub id: UploadId,
    /// The key of the object to be.
    pub key: ObjectKey,
    /// When it began.
    pub initiated: Timestamp,
    /// What is stored with the object.
    pub attributes: ObjectAttributes,
    /// The checksum that the object is to have.
    pub checksum: Option<UploadChecksum>,
    /// Who began it.
    pub initiator: Initiator,
}

/// A part to keep.
#[derive(Debug)]
pub struct PartCommit {
    /// The upload.
    pub upload: UploadRef,
    /// Its place; what was there before is replaced.
    pub number: PartNumber,
    /// The body, from the writer of `begin_part`.
    pub staged: Staged,
    /// Digests of the body that were verified or made, that of the upload's algorithm among them.
    pub checksums: Checksums,
}

/// A part that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// Its place.
    pub number: PartNumber,
    /// Its size in bytes.
    pub size: u64,
    /// The MD5 of its bytes.
    pub etag: ETag,
    /// Its digests.
    pub checksums: Checksums,
    /// When it was kept.
    pub modified: Timestamp,
}

/// One page of an upload's parts, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPage {
    /// The upload.
    pub upload: UploadInfo,
    /// The parts.
    pub parts: Vec<PartInfo>,
    /// The last part of the page, where more follow: the next page's `after`.
    pub next: Option<PartNumber>,
}

/// A question for the open uploads of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadQuery {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that hold this after the prefix are rolled up; empty means no delimiter.
    pub delimiter: String,
    /// Only keys after this one (`key-marker`). A key that was rolled up into a prefix at or before it is not shown again.
    pub after: String,
    /// With `after`: of that key the uploads after this one, too (`upload-id-marker`).
    pub after_id: Option<UploadId>,
    /// At most this many uploads and rolled-up prefixes together.
    pub max: usize,
}

/// One page of a bucket's open uploads, sorted by key and, for one key, by beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadPage {
    /// The uploads.
    pub uploads: Vec<UploadInfo>,
    /// The rolled-up prefixes, each ending in the delimiter.
    pub prefixes: Vec<String>,
    /// `after` and `after_id` of the next page, where more follows; no id where a rolled-up prefix was last.
    pub next: Option<(String, Option<UploadId>)>,
}

/// A part as the client lists it to complete its upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedPart {
    /// Its place.
    pub number: PartNumber,
    /// The entity tag that the client was given for it.
    pub etag: ETag,
    /// Digests that it must have.
    pub checksums: Checksums,
}

/// An upload to turn into an object.
#[derive(Clone, Debug)]
pub struct CompleteRequest {
    /// The upload.
    pub upload: UploadRef,
    /// Its parts.
    pub parts: Vec<CompletedPart>,
    /// The checksum that the client expects of the object, and its algorithm.
    pub checksum: Option<(ChecksumAlgorithm, String)>,
    /// The size that the client expects of the object (`x-amz-mp-object-size`).
    pub size: Option<u64>,
    /// Conditions, decided under the key's lock.
    pub conditions: Conditions,
}

impl UploadId {
    /// A fresh one.
    pub fn new(now: Timestamp) -> Self {
        let millis = u64::try_from(now.millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
        // Two UUIDs: one alone has six fixed bits.
        let (a, b) = (Uuid::new_v4().as_u128(), Uuid::new_v4().as_u128());
        Self(format!("{millis:012x}{:032x}", a ^ b.rotate_left(64)))
    }

    /// Takes the text that a client sent; `NoSuchUpload` for what cannot be one of ours.
    pub fn parse(text: &str) -> Result<Self> {
        let ours = text.len() == 44 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if ours { Ok(Self(text.to_owned())) } else { Err(no_such_upload()) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartNumber {
    /// Checks the range.
    pub fn new(number: u64) -> Result<Self> {
        u16::try_from(number).ok().filter(|n| (1..=10_000).contains(n)).map(Self).ok_or_else(|| {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            Error::new(ErrorKind::Invalid, "part number", message)
        })
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

/// The error of an upload that is not open.
pub fn no_such_upload() -> Error {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    Error::new(ErrorKind::NoSuchUpload, "upload", message)
}

/// The answer of a backend that keeps no uploads.
pub(super) fn unsupported() -> Error {
    Error::new(ErrorKind::NotImplemented, "upload", "this backend keeps no multipart uploads")
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for UploadId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<UploadId> for String {
    fn from(id: UploadId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_sorts_by_time_and_nothing_else_is_one() {
        let (early, late) = (UploadId::new(Timestamp::from_secs(1)), UploadId::new(Timestamp::from_secs(2)));
        assert_eq!(UploadId::parse(early.as_str()).unwrap(), early);
        assert!(early < late && early != UploadId::new(Timestamp::from_secs(1)));
        for bad in ["", "../../x", &early.as_str()[1..], &early.as_str().to_uppercase(), &format!("{early}0")] {
            assert_eq!(UploadId::parse(bad).map_err(|e| e.kind()), Err(ErrorKind::NoSuchUpload), "{bad}");
        }
    }

    #[test]
    fn a_part_has_a_number_from_1_to_10_000() {
        assert_eq!(PartNumber::new(10_000).map(PartNumber::get).map_err(|e| e.kind()), Ok(10_000));
        for bad in [0, 10_001, 65_537, u64::MAX] {
            assert_eq!(PartNumber::new(bad).map_err(|e| e.kind()), Err(ErrorKind::Invalid));
        }
    }
}
