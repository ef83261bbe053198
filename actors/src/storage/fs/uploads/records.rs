//! What is written of an upload: its record, that of each part, and the answer that it ended with. All of it under a MAC.

use crate::Result;
use crate::domain::checksum::Checksums;
use crate::domain::clock::Timestamp;
use crate::domain::layout::PartLayout;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ETag, ObjectAttributes, ObjectMeta};
use crate::storage::fs::seal;
use crate::storage::mackeys::MacKeys;
use crate::storage::multipart::{
    Initiator, NewUpload, PartInfo, PartNumber, UploadChecksum, UploadId, UploadInfo, UploadRef,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A claim, and the line that its MAC begins with.
pub(super) trait Claim: Serialize + DeserializeOwned {
    const DOMAIN: &'static [u8];

    fn seal(&self, keys: &MacKeys) -> Result<Vec<u8>> {
        seal::seal(keys, Self::DOMAIN, self)
    }

    fn open(bytes: &[u8], keys: &MacKeys) -> Result<Self> {
        seal::open(keys, Self::DOMAIN, bytes)
    }
}

/// `upload.json`: an upload, as it was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadRecord {
    id: UploadId,
    bucket: BucketName,
    key: String,
    initiated: i64,
    pub(super) attributes: ObjectAttributes,
    pub(super) checksum: Option<UploadChecksum>,
    initiator: Initiator,
}

/// The attribute of a part file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartRecord {
    pub(super) upload: UploadId,
    pub(super) number: PartNumber,
    pub(super) size: u64,
    pub(super) md5: String,
    pub(super) sha256: String,
    pub(super) checksums: Checksums,
    pub(super) modified: i64,
}

/// `done.json`: what an upload became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoneRecord {
    pub(super) id: UploadId,
    pub(super) bucket: BucketName,
    pub(super) key: String,
    /// The SHA-256 of the list that the client sent.
    pub(super) request: String,
    /// The parts of the object.
    pub(super) parts: Vec<PartNumber>,
    pub(super) size: u64,
    pub(super) etag: ETag,
    pub(super) modified: i64,
    pub(super) attributes: ObjectAttributes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layout: Option<PartLayout>,
}

impl Claim for UploadRecord {
    const DOMAIN: &'static [u8] = b"dg-upload-v1\n";
}

impl Claim for PartRecord {
    const DOMAIN: &'static [u8] = b"dg-part-v1\n";
}

impl Claim for DoneRecord {
    const DOMAIN: &'static [u8] = b"dg-upload-done-v1\n";
}

impl UploadRecord {
    pub(super) fn new(upload: NewUpload, now: Timestamp) -> Self {
        Self {
            id: UploadId::new(now),
            bucket: upload.bucket,
            key: upload.key.as_str().to_owned(),
            initiated: now.millis(),
            attributes: upload.attributes,
            checksum: upload.checksum,
            initiator: upload.initiator,
        }
    }

    /// True where this is the record of that upload.
    pub(super) fn is_of(&self, upload: &UploadRef) -> bool {
        self.id == upload.id && self.bucket == upload.bucket && self.key == upload.key.as_str()
    }

    pub(super) fn id(&self) -> &UploadId {
        &self.id
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn info(self) -> Result<UploadInfo> {
        Ok(UploadInfo {
            id: self.id,
            key: ObjectKey::new(self.key)?,
            initiated: Timestamp::from_millis(self.initiated),
            attributes: self.attributes,
            checksum: self.checksum,
            initiator: self.initiator,
        })
    }
}

impl PartRecord {
    pub(super) fn info(self) -> PartInfo {
        PartInfo {
            number: self.number,
            size: self.size,
            etag: ETag::new(&self.md5),
            checksums: self.checksums,
            modified: Timestamp::from_millis(self.modified),
        }
    }
}

impl DoneRecord {
    /// True where this is the end of that upload.
    pub(super) fn is_of(&self, upload: &UploadRef) -> bool {
        self.id == upload.id && self.bucket == upload.bucket && self.key == upload.key.as_str()
    }

    pub(super) fn answer(self) -> ObjectMeta {
        ObjectMeta {
            size: self.size,
            etag: self.etag,
            modified: Timestamp::from_millis(self.modified),
            sha256: None,
            attributes: self.attributes,
            parts: self.layout,
        }
    }
}
