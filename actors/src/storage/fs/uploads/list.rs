//! Lists the parts of an upload, and the open uploads of a bucket.

use super::records::UploadRecord;
use super::{DONE, STAGED, bucket_dir, dir, open, part, part_numbers, read_record};
use crate::domain::names::BucketName;
use crate::storage::fs::Fs;
use crate::storage::multipart::{PartPage, UploadId, UploadPage, UploadQuery, UploadRef};
use crate::storage::upload_pages::{OpenUpload, page_of};
use crate::{Error, Result};
use std::io;
use std::path::Path;

const OPERATION: &str = "list uploads";

/// One page of an upload's parts.
pub(in crate::storage::fs) fn list_parts(fs: &Fs, upload: &UploadRef, after: u16, max: usize) -> Result<PartPage> {
    let info = open(fs, upload)?;
    let numbers = match part_numbers(&dir(fs, upload)) {
        // Given up, since it was looked at.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(|e| Error::io("list parts", e))?,
    };
    let mut page = PartPage { upload: info, parts: Vec::new(), next: None };
    for number in numbers.into_iter().filter(|number| number.get() > after) {
        if page.parts.len() >= max {
            page.next = page.parts.last().map(|part| part.number);
            break;
        }
        page.parts.extend(part::read(fs, upload, number)?.map(|record| record.info()));
    }
    Ok(page)
}

/// One page of a bucket's open uploads.
pub(in crate::storage::fs) fn list_uploads(fs: &Fs, bucket: &BucketName, query: &UploadQuery) -> Result<UploadPage> {
    fs.check_bucket(bucket)?;
    let records = open_uploads(fs, bucket)?;
    page_of(records, query, |record| record.info())
}

impl OpenUpload for UploadRecord {
    fn key(&self) -> &str {
        self.key()
    }

    fn id(&self) -> &UploadId {
        self.id()
    }
}

fn open_uploads(fs: &Fs, bucket: &BucketName) -> Result<Vec<UploadRecord>> {
    let mut records = Vec::new();
    for (_, dir) in upload_dirs(&bucket_dir(fs, bucket)).map_err(|e| Error::io(OPERATION, e))? {
        if is_there(&dir.join(DONE)) && !is_there(&dir.join(STAGED)) {
            continue;
        }
        match read_record(fs, &dir) {
            Ok(record) => records.extend(record),
            // One upload that cannot be read takes the listing away from no other.
            Err(error) => log::warn!(error:? = error; "the record of an upload cannot be read"),
        }
    }
    Ok(records)
}

/// The directories in a bucket's that bear the name of an upload.
pub(super) fn upload_dirs(bucket: &Path) -> io::Result<Vec<(UploadId, std::path::PathBuf)>> {
    let entries = match std::fs::read_dir(bucket) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut dirs = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some(Ok(id)) = entry.file_name().to_str().map(UploadId::parse) {
            dirs.push((id, entry.path()));
        }
    }
    Ok(dirs)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
