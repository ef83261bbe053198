//! The rules of CompleteMultipartUpload on the records of part files.

use super::part;
use super::records::{PartRecord, UploadRecord};
use crate::Result;
use crate::domain::checksum::Checksums;
use crate::domain::layout::PartLayout;
use crate::domain::object::{ETag, ObjectAttributes};
use crate::storage::completion::{self, KeptPart};
use crate::storage::fs::Fs;
use crate::storage::fs::parts::form::PartFile;
use crate::storage::multipart::{CompleteRequest, PartNumber};

pub(super) use crate::storage::completion::request_hash;

/// An object that can be put together.
pub(super) struct Assembled {
    pub(super) parts: Vec<PartFile>,
    pub(super) size: u64,
    pub(super) etag: ETag,
    pub(super) attributes: ObjectAttributes,
    pub(super) layout: PartLayout,
}

impl Assembled {
    pub(super) fn numbers(&self) -> Vec<PartNumber> {
        self.parts.iter().map(|part| part.0).collect()
    }
}

impl KeptPart for PartRecord {
    fn number(&self) -> PartNumber {
        self.number
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn md5(&self) -> &str {
        &self.md5
    }

    fn checksums(&self) -> &Checksums {
        &self.checksums
    }
}

/// Checks the list against the parts that are there, and tells what comes of it.
pub(super) fn assemble(fs: &Fs, upload: UploadRecord, request: &CompleteRequest) -> Result<Assembled> {
    let find = |number| part::read(fs, &request.upload, number);
    let whole = completion::assemble(upload.attributes, upload.checksum, request, find)?;
    let parts = whole.parts.into_iter().map(|r| PartFile(r.number, r.size, r.md5, r.sha256)).collect();
    Ok(Assembled { parts, size: whole.size, etag: whole.etag, attributes: whole.attributes, layout: whole.layout })
}
