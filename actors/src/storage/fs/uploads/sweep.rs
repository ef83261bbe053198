//! What an earlier process left of uploads: completions that broke off, parts that no object needs, answers that are too old.

use super::complete::take_back;
use super::list::upload_dirs;
use super::records::DoneRecord;
use super::{DONE, STAGED, bucket_dir, discard, read_done, remove_parts_but, remove_tree};
use crate::domain::clock::Timestamp;
use crate::domain::names::{BucketName, ObjectKey};
use crate::storage::fs::layout::TEMP_PREFIX;
use crate::storage::fs::parts::form;
use crate::storage::fs::root::{INTERNAL, UPLOADS};
use crate::storage::fs::{Fs, root, scan};
use crate::storage::multipart::UploadRef;
use crate::{Error, Result};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

const OPERATION: &str = "sweep uploads";
/// How long a repeated completion gets its answer.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// What an object's key says of a completed upload.
enum Needed {
    /// The object is stored as these parts.
    Yes,
    /// It is not, or there is none.
    No,
    /// It cannot be told.
    Unknown,
}

impl Fs {
    /// Sweeps after an earlier process; nobody else is on the root.
    pub(in crate::storage::fs) fn sweep_uploads(&self) -> Result<()> {
        let uploads = self.root.join(INTERNAL).join(UPLOADS);
        let io = |e| Error::io(OPERATION, e);
        for entry in std::fs::read_dir(&uploads).map_err(io)? {
            let entry = entry.map_err(io)?;
            let bucket = entry.file_name().to_str().and_then(|name| BucketName::new(name).ok());
            match bucket.filter(|bucket| self.check_bucket(bucket).is_ok()) {
                Some(bucket) => self.sweep_bucket_uploads(&bucket)?,
                // The bucket was removed, or was on its way out.
                None => remove_tree(self.disk.as_ref(), &entry.path()).map_err(io)?,
            }
        }
        Ok(())
    }

    fn sweep_bucket_uploads(&self, bucket: &BucketName) -> Result<()> {
        let (dir, io) = (bucket_dir(self, bucket), |e| Error::io(OPERATION, e));
        remove_temps(self, &dir).map_err(io)?;
        for (_, dir) in upload_dirs(&dir).map_err(io)? {
            remove_temps(self, &dir).map_err(io)?;
            if let Err(error) = self.sweep_upload(&dir) {
                // One upload that cannot be read keeps no store from being opened.
                log::warn!(error:? = error; "an upload cannot be swept");
            }
        }
        Ok(())
    }

    fn sweep_upload(&self, dir: &Path) -> Result<()> {
        let io = |e| Error::io(OPERATION, e);
        let Some(done) = read_done(self, dir)? else {
            return scan::ignore_missing(self.disk.remove_file(&dir.join(STAGED))).map_err(io);
        };
        let upload = name_of(&done)?;
        if dir.join(STAGED).symlink_metadata().is_ok() {
            // The rename reached the disk with one of its ends, or not at all.
            match needed(self, &upload) {
                Needed::Yes => self.disk.remove_file(&dir.join(STAGED)).map_err(io)?,
                Needed::No => return take_back(self, dir).map_err(io),
                Needed::Unknown => return Ok(()),
            }
        }
        match needed(self, &upload) {
            Needed::Yes => {
                remove_parts_but(self, &upload, &done.parts);
                self.shared.waiting.add(upload);
            }
            Needed::No => remove_parts_but(self, &upload, &[]),
            Needed::Unknown => {}
        }
        Ok(())
    }

    /// Forgets the answers of a bucket's uploads that are too old.
    pub(super) fn forget_answers(&self, bucket: &BucketName, now: Timestamp) -> Result<()> {
        for (_, dir) in upload_dirs(&bucket_dir(self, bucket)).map_err(|e| Error::io(OPERATION, e))? {
            if !dir.join(DONE).exists() || dir.join(STAGED).exists() {
                continue;
            }
            let Some(done) = read_done(self, &dir)? else { continue };
            if now.since(Timestamp::from_millis(done.modified)) < REMEMBERED {
                continue;
            }
            let upload = name_of(&done)?;
            // Whoever still reads the parts of an object that is gone has them until the next time.
            if matches!(needed(self, &upload), Needed::No) && self.shared.leases.condemn(&upload.id) {
                discard(self, &dir).map_err(|e| Error::io(OPERATION, e))?;
            }
        }
        Ok(())
    }

    /// The buckets that have a place for uploads.
    pub(super) fn buckets_with_uploads(&self) -> Result<Vec<BucketName>> {
        root::buckets(&self.root.join(INTERNAL).join(UPLOADS))
    }
}

/// Looks at the object's file, not at its attribute: that may have been stripped, and its parts are needed all the same.
fn needed(fs: &Fs, upload: &UploadRef) -> Needed {
    let names = |file: &File| form::names(file).is_some_and(|id| id == upload.id);
    match fs.find(&upload.bucket, upload.key.as_str()) {
        Ok(Some(found)) if names(&found.file) => Needed::Yes,
        Ok(_) => Needed::No,
        Err(_) => Needed::Unknown,
    }
}

fn name_of(done: &DoneRecord) -> Result<UploadRef> {
    Ok(UploadRef { bucket: done.bucket.clone(), key: ObjectKey::new(done.key.clone())?, id: done.id.clone() })
}

fn remove_temps(fs: &Fs, dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => remove_tree(fs.disk.as_ref(), &entry.path())?,
            false => scan::ignore_missing(fs.disk.remove_file(&entry.path()))?,
        }
    }
    Ok(())
}
