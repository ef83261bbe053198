//! Removes: an object, durably and never recursively; an empty bucket. Makes buckets, too.

use super::{Fs, scan};
use crate::disk::reach;
use crate::domain::condition::Conditions;
use crate::domain::names::{BucketName, ObjectKey};
use crate::{Error, ErrorKind, Result, fault};
use std::io;
use std::path::Path;

const OPERATION: &str = "delete object";

impl Fs {
    /// Removes the file of a key, under its lock. Also the second of two deletes waits until the first is durable.
    pub(super) fn delete_object(&self, bucket: &BucketName, key: &ObjectKey, conditions: &Conditions) -> Result<()> {
        fault::point("fs.delete.before");
        let old = self.current(bucket, key, conditions)?;
        let place = self.place(bucket, key);
        let Some(found) = self.find(bucket, key.as_str())? else {
            self.check_bucket(bucket)?;
            // A process that was killed between its unlink and its fsync left the removal undurable.
            let file = place.file();
            let dir =
                if reach::symlink_metadata(&file).is_ok_and(|m| m.is_dir()) { file.as_path() } else { place.dir() };
            return match self.shared.directories.sync(self.disk.as_ref(), dir) {
                Err(e) if !is_gone(&e) => Err(Error::io(OPERATION, e)),
                _ => Ok(()),
            };
        };
        let dir = found.path.parent().unwrap_or(place.dir());
        // Another delete must not take the directory away before our removal in it is durable.
        let pin = self.shared.directories.pin(dir);
        scan::ignore_missing(self.disk.remove_file(&found.path)).map_err(|e| Error::io(OPERATION, e))?;
        fault::point("fs.delete.after_unlink");
        self.shared.directories.sync(self.disk.as_ref(), dir).map_err(|e| {
            Error::new(ErrorKind::OutcomeUnknown, OPERATION, "the object was removed; after a power cut it may be back")
                .with_source(e)
        })?;
        drop(pin);
        self.prune(dir, &self.bucket_dir(bucket));
        self.let_go(bucket, key, old);
        fault::point("fs.delete.after");
        Ok(())
    }

    /// Makes a bucket's directory, durably.
    pub(super) fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        let dir = self.bucket_dir(bucket);
        let made = self.disk.create_dir(&dir, 0o700);
        match made {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                // Who repeats a request whose answer was lost relies on the directory as well.
                self.sync_dirs(std::slice::from_ref(&dir)).map_err(|e| Error::io("create bucket", e))?;
                let message = "Your previous request to create the named bucket succeeded and you already own it.";
                Err(Error::new(ErrorKind::BucketExists, "create bucket", message))
            }
            Err(e) => Err(Error::io("create bucket", e)),
            Ok(()) => self.sync_dirs(&[dir]).map_err(|e| Error::io("create bucket", e)),
        }
    }

    /// Removes a bucket that holds no object, while no commit is under way.
    pub(super) fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        let io = |e| Error::io("delete bucket", e);
        self.check_bucket(bucket)?;
        let dir = self.bucket_dir(bucket);
        if scan::first_object(&dir).map_err(io)? {
            return Err(not_empty("The bucket you tried to delete is not empty"));
        }
        match scan::remove_hollow(self, &dir).and_then(|()| self.shared.directories.remove(self.disk.as_ref(), &dir)) {
            Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => {
                return Err(not_empty("The bucket you tried to delete holds files that are no objects")
                    .with_hint("`doctor` lists them"));
            }
            outcome => outcome.map_err(io)?,
        }
        self.shared.directories.sync(self.disk.as_ref(), &self.root).map_err(io)?;
        self.forget_uploads(bucket);
        Ok(())
    }

    /// Removes directories that became empty, upward to the bucket's own, as far as it goes.
    fn prune(&self, from: &Path, bucket: &Path) {
        let mut dir = from;
        while dir != bucket && dir.starts_with(bucket) {
            // A directory that is not empty, or that is gone already, ends it.
            if self.shared.directories.remove(self.disk.as_ref(), dir).is_err() {
                return;
            }
            let Some(parent) = dir.parent() else { return };
            dir = parent;
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn not_empty(message: &str) -> Error {
    Error::new(ErrorKind::BucketNotEmpty, "delete bucket", message)
}
