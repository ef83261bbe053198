//! What else on the disk goes with an object's file: the sidecar with its record, the files of its parts.

use super::lookup::Found;
use super::parts::{self, form};
use super::scan::ignore_missing;
use super::{Fs, attributes, lookup};
use crate::domain::names::{BucketName, ObjectKey};
use crate::storage::multipart::{UploadId, UploadRef};

/// What a file names. Nothing of it is proven; whoever removes it looks first whether it is the object's.
#[derive(Debug, Default)]
pub(super) struct Belongings {
    sidecar: Option<String>,
    upload: Option<UploadId>,
}

impl Fs {
    /// What goes with a file.
    pub(super) fn belongings(&self, found: &Found) -> Belongings {
        Belongings { sidecar: self.named_sidecar(found), upload: form::names(&found.file) }
    }

    /// The sidecar that a file's attribute names.
    pub(super) fn named_sidecar(&self, found: &Found) -> Option<String> {
        attributes::sidecar_of(&lookup::attribute(&found.file).ok()??)
    }

    /// Removes what went with a file that is durably gone.
    pub(super) fn let_go(&self, bucket: &BucketName, key: &ObjectKey, old: Belongings) {
        if let Some(path) = old.sidecar.and_then(|id| self.sidecar_path(&id))
            && let Err(e) = ignore_missing(self.disk.remove_file(&path))
        {
            log::warn!(error:% = e; "a sidecar without object stays until the next start");
        }
        if let Some(id) = old.upload {
            parts::release(self, &UploadRef { bucket: bucket.clone(), key: key.clone(), id });
        }
    }
}
