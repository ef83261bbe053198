//! The tables `failed_restores` and `last_used`.

use crate::db::failed;
use crate::domain::clock::Timestamp;
use crate::domain::state::RestoreRecord;
use crate::{Error, Result};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// Notes a restore that changed nothing, so that a client that lost its connection can learn why.
pub fn put_failed_restore(connection: &Connection, record: &RestoreRecord) -> Result<()> {
    let outcome =
        serde_json::to_string(&record.outcome).map_err(|error| Error::internal("note failed restore", error))?;
    let write = || {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO failed_restores (restore_id, at, actor, outcome_json) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![record.restore_id, record.at.millis(), record.actor, outcome])
    };
    write().map(|_| ()).map_err(failed("note failed restore"))
}

/// One failed restore by its id.
pub fn find_failed_restore(connection: &Connection, restore_id: &str) -> Result<Option<RestoreRecord>> {
    connection
        .query_row("SELECT * FROM failed_restores WHERE restore_id = ?", [restore_id], read_restore)
        .optional()
        .map_err(failed("find failed restore"))
}

/// The latest failed restores, the latest first.
pub fn list_failed_restores(connection: &Connection, limit: usize) -> Result<Vec<RestoreRecord>> {
    let read = || {
        let mut statement = connection.prepare("SELECT * FROM failed_restores ORDER BY at DESC, restore_id LIMIT ?")?;
        let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], read_restore)?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(failed("list failed restores"))
}

/// Notes when things were last used: `(kind, id)` → when, with the kinds `access_key`, `user` and `token`. All in one transaction.
pub fn note_used(connection: &Connection, used: &BTreeMap<(String, String), Timestamp>) -> Result<()> {
    let write = || {
        let transaction = connection.unchecked_transaction()?;
        for ((kind, id), at) in used {
            transaction
                .prepare_cached(
                    "INSERT INTO last_used (kind, id, at) VALUES (?, ?, ?)
                     ON CONFLICT (kind, id) DO UPDATE SET at = max(at, excluded.at)",
                )?
                .execute(params![kind, id, at.millis()])?;
        }
        transaction.commit()
    };
    write().map_err(failed("note last use"))
}

/// When the things of one kind were last used, by id.
pub fn last_used(connection: &Connection, kind: &str) -> Result<BTreeMap<String, Timestamp>> {
    let read = || {
        let mut statement = connection.prepare_cached("SELECT id, at FROM last_used WHERE kind = ?")?;
        let rows = statement.query_map([kind], |row| Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?))))?;
        rows.collect::<rusqlite::Result<BTreeMap<_, _>>>()
    };
    read().map_err(failed("read last uses"))
}

fn read_restore(row: &Row<'_>) -> rusqlite::Result<RestoreRecord> {
    let outcome: String = row.get("outcome_json")?;
    let outcome = serde_json::from_str(&outcome)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    Ok(RestoreRecord {
        restore_id: row.get("restore_id")?,
        at: Timestamp::from_millis(row.get("at")?),
        actor: row.get("actor")?,
        outcome,
    })
}
