//! The file sink: rows and checkpoints appended to a file, one JSON object a line, durable before they count as delivered.

use super::{checkpoint, row};
use crate::audit::checkpoint::Checkpoint;
use crate::db::runtime::AuditRow;
use crate::{Error, ErrorKind, Result};
use rustix::fs::OFlags;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const OPERATION: &str = "audit file";

/// Appends lines. The file is opened anew each time, so that it may be rotated away under us.
pub(super) fn append(path: &Path, rows: &[AuditRow], made: Option<&Checkpoint>) -> Result<()> {
    let failed = |error| Error::io(OPERATION, error);
    let mut lines: String = rows.iter().map(|one| format!("{}\n", row(one))).collect();
    if let Some(made) = made {
        lines.push_str(&format!("{}\n", json!({"checkpoint": checkpoint(made)})));
    }
    // A link would lead the rows elsewhere, and a pipe nobody reads would hold us up.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)
        .map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Error::new(ErrorKind::Invalid, OPERATION, format!("{} is no plain file", path.display())));
    }
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
}
