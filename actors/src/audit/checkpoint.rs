//! The checkpoint in the state directory: where the log stood, signed, so that an end that was cut off shows.
//!
//! One JSON object: `{"version": 1, "count": …, "head": "…", "at": "…", "mac": "…"}`; `mac` is HMAC-SHA256(audit key, the JSON array
//! `["checkpoint", count, head, at]` without white space, `at` in milliseconds) in lower-case hex.

use crate::db::runtime::{AuditHead, AuditKey};
use crate::disk::{Disk, atomic};
use crate::domain::clock::Timestamp;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a checkpoint signs itself as.
const CHECKPOINT: &str = "checkpoint";
const OPERATION: &str = "audit checkpoint";

/// Where the log stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    version: u32,
    /// The number of its last row.
    pub count: u64,
    /// That row's `hmac` in lower-case hex.
    pub head: String,
    /// When.
    pub at: Timestamp,
    mac: String,
}

impl Checkpoint {
    /// Signs where the log stands.
    pub(super) fn sign(key: &AuditKey, head: &AuditHead, at: Timestamp) -> Result<Self> {
        let mac = key.sign(CHECKPOINT, head.count, &head.head, at)?;
        Ok(Self { version: 1, count: head.count, head: head.head.clone(), at, mac: hex::encode(mac) })
    }

    /// Where the log stood.
    pub fn head(&self) -> AuditHead {
        AuditHead { count: self.count, head: self.head.clone() }
    }

    pub(super) fn write(&self, disk: &dyn Disk, path: &Path) -> Result<()> {
        let mut text = serde_json::to_vec(self).map_err(|error| Error::internal(OPERATION, error))?;
        text.push(b'\n');
        atomic::replace_file(disk, path, &text, 0o600).map_err(|error| Error::io(OPERATION, error))
    }
}

/// Reads the checkpoint; one that this instance did not write is an error.
pub fn read_checkpoint(path: &Path, key: &AuditKey) -> Result<Option<Checkpoint>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(OPERATION, error)),
    };
    let read = serde_json::from_slice::<Checkpoint>(&text).ok();
    let good = match &read {
        Some(c) => {
            let mac = hex::decode(&c.mac).unwrap_or_default();
            c.version == 1 && key.signed(CHECKPOINT, c.count, &c.head, c.at, &mac)?
        }
        None => false,
    };
    read.filter(|_| good).map(Some).ok_or_else(|| {
        let message = format!("{} was not written by this instance", path.display());
        Error::new(ErrorKind::Conflict, OPERATION, message).with_code("audit_checkpoint_forged").with_hint(
            "compare the log with the last checkpoint in a backup's manifest or a sink; then remove the file",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::real::RealDisk;

    #[test]
    fn a_checkpoint_is_read_back_and_a_forged_one_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("checkpoint"), AuditKey::of_instance(&[7; 32]));
        assert_eq!(read_checkpoint(&path, &key).unwrap(), None);
        let head = AuditHead { count: 3, head: "ab".into() };
        let made = Checkpoint::sign(&key, &head, Timestamp::from_millis(5)).unwrap();
        made.write(&RealDisk, &path).unwrap();
        assert_eq!(read_checkpoint(&path, &key).unwrap(), Some(made));
        assert!(read_checkpoint(&path, &AuditKey::of_instance(&[8; 32])).is_err());
        let text = std::fs::read_to_string(&path).unwrap();
        for forged in [text.replace("\"count\":3", "\"count\":2"), text.replace("\"ab\"", "\"cd\""), "{".into()] {
            std::fs::write(&path, forged).unwrap();
            assert_eq!(read_checkpoint(&path, &key).unwrap_err().code(), Some("audit_checkpoint_forged"));
        }
    }
}
