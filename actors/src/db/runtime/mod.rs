//! `deltaglider_state.db`: what one instance remembers for itself: sessions, the audit log, failed restores, exports, stored backups,
//! last uses, what buckets hold.
//!
//! It is never part of a swap or backup. Unlike the config DB it is opened in place, in WAL mode with a flush for every commit.

mod audit;
mod export;
mod record;
mod session;
mod stored;
mod usage;

pub use audit::{
    AuditCheck, AuditFilter, AuditHead, AuditKey, AuditRow, AuditStub, Gap, GapKind, NewAuditRow, append_audit,
    audit_from, audit_head, audit_knows, audit_page, audit_stub, prune_audit, set_sink_position, sink_position,
    verify_audit,
};
pub use export::{last_export, put_export};
pub use record::{find_failed_restore, last_used, list_failed_restores, note_used, put_failed_restore};
pub use session::{delete_sessions, load_sessions, put_session, touch_session};
pub use stored::{backup_standing, delete_stored, note_armed, note_failure, note_success, put_stored, stored_records};
pub use usage::{UsageRow, save_usage, take_usage};

use crate::db::database::Database;
use crate::db::failed;
use crate::db::key::DbKey;
use crate::db::migrate::{STATE, Schema};
use crate::db::open::{CACHE, open_keyed};
use crate::{Error, ErrorKind, Result};
use rusqlite::Connection;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Opens the state DB with the instance's own key, or makes it (0600) where there is none.
pub fn open(path: &Path, key: &DbKey) -> Result<Database> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Error::io("open state database", error))?;
    let mut connection = open_keyed(path, key)?;
    Schema::found(&connection).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => mismatch(error),
        _ => failed("open state database")(error),
    })?;
    let mode = || -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", CACHE)
    };
    mode().map_err(failed("open state database"))?;
    STATE.migrate(&mut connection)?;
    Ok(connection)
}

fn mismatch(error: rusqlite::Error) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "open state database",
        "the key in .deltaglider_instance does not open deltaglider_state.db",
    )
    .with_code("state_db_key_mismatch")
    .with_hint(
        "put the .deltaglider_instance of this database back, or remove deltaglider_state.db: sessions and history are \
         lost then, users and settings are not in it",
    )
    .with_source(error)
}

/// Opens the state DB for reading alone, beside whoever writes it. One that another version of the program wrote is not read.
pub fn open_reader(path: &Path, key: &DbKey) -> Result<Database> {
    if !path.exists() {
        let message = format!("there is no {}", path.display());
        return Err(Error::new(ErrorKind::NotFound, "open state database", message));
    }
    let connection = open_keyed(path, key)?;
    let mode = || -> rusqlite::Result<i64> {
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "cache_size", CACHE)?;
        connection.pragma_update(None, "query_only", true)?;
        Schema::found(&connection)
    };
    let found = mode().map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => mismatch(error),
        _ => failed("open state database")(error),
    })?;
    match found.cmp(&STATE.version()) {
        std::cmp::Ordering::Equal => Ok(connection),
        std::cmp::Ordering::Greater => Err(STATE.newer(found)),
        std::cmp::Ordering::Less => {
            let message = format!("the database has schema version {found}; this program reads {}", STATE.version());
            Err(Error::new(ErrorKind::Conflict, "open state database", message)
                .with_code("older_schema")
                .with_hint("start the server once: it brings the database up to date"))
        }
    }
}

/// Moves what is in the WAL into the file, which then stands alone: at shutdown.
pub(crate) fn checkpoint(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed("checkpoint state database"))
}

#[cfg(test)]
mod tests;
