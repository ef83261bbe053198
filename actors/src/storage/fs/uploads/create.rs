//! Begins an upload, and gives one up: its directory comes and goes as a whole.

use super::records::{Claim, UploadRecord};
use super::{RECORD, bucket_dir, dir, open_record, remove_tree, upload_lock};
use crate::storage::fs::{Fs, blocking, temp_name};
use crate::storage::multipart::{NewUpload, UploadChecksum, UploadInfo, UploadRef, no_such_upload};
use crate::{Error, ErrorKind, Result, fault};
use std::io;
use std::path::Path;
use std::sync::Arc;

const CREATE: &str = "create upload";
const ABORT: &str = "abort upload";

/// Begins an upload.
pub(in crate::storage::fs) async fn create(fs: &Arc<Fs>, upload: NewUpload) -> Result<UploadInfo> {
    if let Some(UploadChecksum { algorithm, kind }) = upload.checksum
        && !algorithm.allows(kind)
    {
        let message = format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.name(),
            algorithm.name().to_lowercase()
        );
        return Err(Error::new(ErrorKind::InvalidRequest, CREATE, message));
    }
    let bucket_stays = Arc::clone(&fs.shared.buckets).read_owned().await;
    let fs = Arc::clone(fs);
    blocking(CREATE, move || {
        let _bucket_stays = bucket_stays;
        begin(&fs, upload)
    })
    .await
}

/// Gives an upload up, with all its parts.
pub(in crate::storage::fs) async fn abort(fs: &Arc<Fs>, upload: UploadRef) -> Result<()> {
    let lock = fs.shared.keys.lock(&upload_lock(&upload)).await;
    let fs = Arc::clone(fs);
    blocking(ABORT, move || {
        let _lock = lock;
        open_record(&fs, &upload)?;
        give_up(&fs, &dir(&fs, &upload))
    })
    .await
}

fn begin(fs: &Fs, upload: NewUpload) -> Result<UploadInfo> {
    fs.check_bucket(&upload.bucket)?;
    let parent = bucket_dir(fs, &upload.bucket);
    let record = UploadRecord::new(upload, fs.clock.now());
    let temp = parent.join(temp_name());
    let made = write(fs, &parent, &temp, &record.seal(&fs.mac.load())?).and_then(|()| {
        fault::point("fs.upload.written");
        fs.disk.rename(&temp, &parent.join(record.id().as_str()))
    });
    if let Err(e) = made {
        // What stays of a failed attempt is swept at the next start.
        let _ = remove_tree(fs.disk.as_ref(), &temp);
        return Err(Error::io(CREATE, e));
    }
    fault::point("fs.upload.named");
    let io = |e| Error::io(CREATE, e);
    fs.shared.directories.sync(fs.disk.as_ref(), &parent).map_err(io)?;
    fs.sync_dirs(&[parent]).map_err(io)?;
    record.info()
}

fn write(fs: &Fs, parent: &Path, temp: &Path, record: &[u8]) -> io::Result<()> {
    match fs.disk.create_dir(parent, 0o700) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => fs.disk.create_dir(temp, 0o700)?,
    }
    let mut file = fs.disk.create_file(&temp.join(RECORD), 0o600)?;
    file.write_all(record)?;
    file.sync()?;
    fs.disk.sync_dir(temp)
}

fn give_up(fs: &Fs, dir: &Path) -> Result<()> {
    fault::point("fs.abort.before");
    let away = dir.with_file_name(temp_name());
    fs.disk.rename(dir, &away).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => no_such_upload(),
        _ => Error::io(ABORT, e),
    })?;
    fault::point("fs.abort.renamed");
    fs.shared.directories.sync(fs.disk.as_ref(), dir.parent().unwrap_or(&fs.root)).map_err(|e| {
        Error::new(ErrorKind::OutcomeUnknown, ABORT, "the upload was aborted; after a power cut it may be back")
            .with_source(e)
    })?;
    if let Err(e) = remove_tree(fs.disk.as_ref(), &away) {
        log::warn!(error:% = e; "the parts of an aborted upload stay until the next start");
    }
    fault::point("fs.abort.after");
    Ok(())
}
