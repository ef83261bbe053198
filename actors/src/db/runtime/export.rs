//! The table `exports`.

use crate::Result;
use crate::db::failed;
use crate::domain::clock::Timestamp;
use crate::domain::state::ExportRecord;
use rusqlite::{Connection, OptionalExtension, params};

/// How many are kept.
const KEPT: i64 = 100;

/// Notes that a Full Backup was made.
pub fn put_export(connection: &Connection, export: &ExportRecord) -> Result<()> {
    let write = || {
        let transaction = connection.unchecked_transaction()?;
        transaction
            .prepare_cached(
                "INSERT INTO exports (at, actor, filename, bytes, sha256, version) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                export.at.millis(),
                export.actor,
                export.filename,
                i64::try_from(export.bytes).unwrap_or(i64::MAX),
                export.sha256,
                export.version,
            ])?;
        transaction
            .prepare_cached("DELETE FROM exports WHERE rowid NOT IN (SELECT rowid FROM exports ORDER BY at DESC, rowid DESC LIMIT ?)")?
            .execute([KEPT])?;
        transaction.commit()
    };
    write().map_err(failed("note export"))
}

/// The last Full Backup that was made here.
pub fn last_export(connection: &Connection) -> Result<Option<ExportRecord>> {
    let read = || {
        connection
            .prepare_cached("SELECT * FROM exports ORDER BY at DESC, rowid DESC LIMIT 1")?
            .query_row([], |row| {
                Ok(ExportRecord {
                    at: Timestamp::from_millis(row.get("at")?),
                    actor: row.get("actor")?,
                    filename: row.get("filename")?,
                    bytes: u64::try_from(row.get::<_, i64>("bytes")?).unwrap_or_default(),
                    sha256: row.get("sha256")?,
                    version: row.get("version")?,
                })
            })
            .optional()
    };
    read().map_err(failed("find last export"))
}
