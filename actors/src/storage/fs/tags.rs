//! Gives an object other tags: a new record, and one `setxattr` that puts it in the old one's place.
//!
//! The file stays as it is; a reader sees the old record or the new one. A record too large for the attribute is a new sidecar,
//! durable before the attribute names it.

use super::attributes::{self, Record};
use super::commit::Sidecar;
use super::{Fs, scan};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::tags::Tags;
use crate::{Error, ErrorKind, Result, fault};

const OPERATION: &str = "tag object";

impl Fs {
    /// Replaces the tags of an object, under its key's lock.
    pub(super) fn set_tags(&self, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<()> {
        fault::point("fs.tags.before");
        let (found, described) = self.look_existing(bucket, key)?;
        let record = match described.record {
            Some(record) => record.with_tags(tags),
            // A file that somebody dropped in is adopted as it lies there.
            None => Record::of_file(bucket, key, described.meta).with_tags(tags),
        };
        let old = self.named_sidecar(&found);
        let encoded = attributes::encode(record, &self.mac.load(), self.attribute_limit)?;
        let sidecar = Sidecar::write(self, &encoded)?;
        fault::point("fs.tags.after_sidecar");
        let io = |e| Error::io(OPERATION, e);
        let mut file = self.disk.open_attributes(&found.path).map_err(io)?;
        file.set_xattr(attributes::NAME, &encoded.attribute).map_err(io)?;
        if let Some(sidecar) = sidecar {
            sidecar.keep();
        }
        fault::point("fs.tags.set");
        file.sync().map_err(|e| {
            Error::new(ErrorKind::OutcomeUnknown, OPERATION, "the tags were set; after a power cut they may be the old")
                .with_source(e)
        })?;
        if let Some(path) = old.and_then(|id| self.sidecar_path(&id))
            && let Err(e) = scan::ignore_missing(self.disk.remove_file(&path))
        {
            log::warn!(error:% = e; "a sidecar that nothing names stays until the next start");
        }
        fault::point("fs.tags.after");
        Ok(())
    }
}
