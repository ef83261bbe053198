//! Keeps a part: written and synced beside the others, then named under the upload's lock, then durable.

use super::records::{Claim, PartRecord};
use super::{dir, open_record, part_name, upload_lock};
use crate::domain::checksum::Checksums;
use crate::domain::object::BodySums;
use crate::storage::fs::writer::{Content, Goal, StagedBody, TempFile};
use crate::storage::fs::{Fs, blocking};
use crate::storage::multipart::{PartCommit, PartInfo, PartNumber, UploadRef, no_such_upload};
use crate::{Error, ErrorKind, Result, fault};
use std::io;
use std::path::Path;
use std::sync::Arc;

const OPERATION: &str = "upload part";
/// The attribute with a part's record.
const ATTRIBUTE: &str = "user.dg.part";

/// A file in the making, for a part.
pub(in crate::storage::fs) fn temp(fs: &Fs, upload: &UploadRef) -> Result<TempFile> {
    TempFile::create(&fs.disk, &dir(fs, upload)).map_err(failed)
}

/// Keeps a part. Its lock is held for the naming only: parts of one upload are written and synced side by side.
pub(in crate::storage::fs) async fn commit_part(fs: &Arc<Fs>, commit: PartCommit) -> Result<PartInfo> {
    let PartCommit { upload, number, staged, checksums } = commit;
    let staged_body = staged.handle.downcast::<StagedBody>();
    let body = staged_body.map_err(|_| Error::internal(OPERATION, "the part was staged by another kind of store"))?;
    if body.goal != (Goal::Part { upload: upload.clone(), number }) {
        return Err(Error::internal(OPERATION, "the body was staged for another part"));
    }
    let bucket_stays = Arc::clone(&fs.shared.buckets).read_owned().await;
    let (mine, of) = (Arc::clone(fs), upload.clone());
    let written = blocking(OPERATION, move || write(&mine, &of, number, &staged.sums, checksums, body.content)).await?;
    let lock = fs.shared.keys.lock(&upload_lock(&upload)).await;
    let fs = Arc::clone(fs);
    blocking(OPERATION, move || {
        let _bucket_stays = bucket_stays;
        let (temp, record) = written;
        let dir = dir(&fs, &upload);
        open_record(&fs, &upload)?;
        fs.disk.rename(&temp.path, &dir.join(part_name(number))).map_err(failed)?;
        temp.published();
        drop(lock);
        fault::point("fs.part.named");
        fs.shared.directories.sync(fs.disk.as_ref(), &dir).map_err(failed)?;
        fault::point("fs.part.after");
        Ok(record.info())
    })
    .await
}

/// The record of a part file; `None` where there is none, or another file than was kept.
pub(super) fn read(fs: &Fs, upload: &UploadRef, number: PartNumber) -> Result<Option<PartRecord>> {
    let path = dir(fs, upload).join(part_name(number));
    let io = |e| Error::io(OPERATION, e);
    let Some(record) = attribute(&path).map_err(io)? else { return Ok(None) };
    let record = PartRecord::open(&record, &fs.mac.load())?;
    let len = path.symlink_metadata().map_err(io)?.len();
    Ok(Some(record).filter(|record| record.upload == upload.id && record.number == number && record.size == len))
}

fn attribute(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match xattr::get(path, ATTRIBUTE) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other,
    }
}

fn write(
    fs: &Fs,
    upload: &UploadRef,
    number: PartNumber,
    sums: &BodySums,
    checksums: Checksums,
    content: Content,
) -> Result<(TempFile, PartRecord)> {
    let algorithm = open_record(fs, upload)?.checksum.map(|checksum| checksum.algorithm.name());
    if let Some(name) = algorithm.filter(|name| !checksums.contains_key(*name)) {
        let message = format!("The upload was created using a {name} checksum; the part must come with one.");
        return Err(Error::new(ErrorKind::InvalidRequest, OPERATION, message));
    }
    let record = PartRecord {
        upload: upload.id.clone(),
        number,
        size: sums.size,
        md5: sums.md5.clone(),
        sha256: sums.sha256.clone(),
        checksums,
        modified: fs.clock.now().millis(),
    };
    let attribute = record.seal(&fs.mac.load())?;
    let mut file = match content {
        Content::File(file) => file,
        Content::Memory(bytes) => {
            let mut file = temp(fs, upload)?;
            file.file.write_all(&bytes).map_err(failed)?;
            file
        }
    };
    file.file.set_xattr(ATTRIBUTE, &attribute).map_err(failed)?;
    file.file.sync().map_err(failed)?;
    fault::point("fs.part.synced");
    Ok((file, record))
}

/// What is gone while a part is written is the upload.
fn failed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => no_such_upload(),
        _ => Error::io(OPERATION, error),
    }
}
