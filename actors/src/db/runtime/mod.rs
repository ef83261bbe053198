//! `deltaglider_state.db`: what one instance remembers for itself: sessions, the audit log, failed restores, exports, last uses.
//!
//! It is never part of a swap or backup. Unlike the config DB it is opened in place, in WAL mode with a flush for every commit.

mod audit;
mod export;
mod record;
mod session;

pub use audit::{
    AuditCheck, AuditHead, AuditKey, AuditRow, NewAuditRow, append_audit, audit_head, audit_tail, verify_audit,
};
pub use export::{last_export, put_export};
pub use record::{find_failed_restore, last_used, list_failed_restores, note_used, put_failed_restore};
pub use session::{SessionRow, delete_sessions, load_sessions, put_session, touch_session};

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
pub fn open(path: &Path, key: &DbKey) -> Result<Connection> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Error::io("open state database", error))?;
    let mut connection = open_keyed(path, key)?;
    Schema::found(&connection).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => Error::new(
            ErrorKind::Conflict,
            "open state database",
            "the key in .deltaglider_instance does not open deltaglider_state.db",
        )
        .with_code("state_db_key_mismatch")
        .with_hint(
            "put the .deltaglider_instance of this database back, or remove deltaglider_state.db: sessions and history are \
             lost then, users and settings are not in it",
        )
        .with_source(error),
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

/// Moves what is in the WAL into the file, which then stands alone: at shutdown.
pub fn checkpoint(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed("checkpoint state database"))
}

#[cfg(test)]
mod tests;
