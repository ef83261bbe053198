//! The tables `meta` (one row) and `trusted_signers`.

use super::row;
use crate::domain::clock::Timestamp;
use crate::domain::state::Meta;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

pub(super) fn load_meta(from: &Connection) -> rusqlite::Result<Meta> {
    let meta = from.query_row("SELECT * FROM meta", [], |row| {
        Ok(Meta {
            instance_id: row.get("instance_id")?,
            epoch: row::count(row, "epoch")?,
            generation: row::count(row, "generation")?,
            auth_epoch: row::count(row, "auth_epoch")?,
            auth_exception: row.get("auth_exception")?,
            password_set_at: row::maybe_time(row, "password_set_at")?,
            password_logged: row.get("password_logged")?,
            quarantined_from: row.get("quarantined_from")?,
            unpushed: row.get("unpushed")?,
        })
    });
    Ok(meta.optional()?.unwrap_or_default())
}

pub(super) fn write_meta(to: &Transaction<'_>, old: &Meta, new: &Meta) -> rusqlite::Result<()> {
    if old == new {
        return Ok(());
    }
    to.prepare_cached(
        "INSERT OR REPLACE INTO meta (only, instance_id, epoch, generation, auth_epoch, auth_exception, password_set_at,
         password_logged, quarantined_from, unpushed) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        new.instance_id,
        row::integer(new.epoch),
        row::integer(new.generation),
        row::integer(new.auth_epoch),
        new.auth_exception,
        new.password_set_at.map(|at| at.millis()),
        new.password_logged,
        new.quarantined_from,
        new.unpushed,
    ])?;
    Ok(())
}

pub(super) fn load_trusted_signers(from: &Connection) -> rusqlite::Result<BTreeMap<String, Timestamp>> {
    row::load(from, "SELECT * FROM trusted_signers", |row| Ok((row.get("key")?, row::time(row, "since")?)))
}

pub(super) fn write_trusted_signers(
    to: &Transaction<'_>,
    old: &BTreeMap<String, Timestamp>,
    new: &BTreeMap<String, Timestamp>,
) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) =
        (&["DELETE FROM trusted_signers WHERE key = ?"], "INSERT INTO trusted_signers (key, since) VALUES (?, ?)");
    row::write(to, (old, new), sql, row::by_text, |statement, key, since| {
        statement.execute(params![key, since.millis()])?;
        Ok(())
    })
}
