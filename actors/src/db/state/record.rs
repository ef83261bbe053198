//! The tables `tokens`, `revocations`, `restores` and `config_history`.

use super::row;
use crate::domain::iam::model::{ApiToken, Revocation};
use crate::domain::state::{ConfigRevision, RestoreRecord};
use rusqlite::{CachedStatement, Connection, Transaction, params};
use std::collections::BTreeMap;
use std::sync::Arc;

type Map<K, T> = BTreeMap<K, Arc<T>>;

pub(super) fn load_tokens(from: &Connection) -> rusqlite::Result<Map<String, ApiToken>> {
    row::load(from, "SELECT * FROM tokens", |row| {
        let token = ApiToken {
            id: row.get("id")?,
            name: row.get("name")?,
            sha256: row.get("sha256")?,
            permissions: row::json(row, "permissions_json")?,
            created_at: row::time(row, "created_at")?,
            expires_at: row::maybe_time(row, "expires_at")?,
        };
        Ok((token.id.clone(), Arc::new(token)))
    })
}

pub(super) fn write_tokens(
    to: &Transaction<'_>,
    old: &Map<String, ApiToken>,
    new: &Map<String, ApiToken>,
) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) = (
        &["DELETE FROM tokens WHERE id = ?"],
        "INSERT INTO tokens (id, name, sha256, permissions_json, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
    );
    row::write(to, (old, new), sql, row::by_text, |statement, id, token| {
        let (rules, expires) = (row::to_json(&token.permissions)?, token.expires_at.map(|at| at.millis()));
        statement.execute(params![id, token.name, token.sha256, rules, token.created_at.millis(), expires])?;
        Ok(())
    })
}

pub(super) fn load_revocations(from: &Connection) -> rusqlite::Result<Map<(String, String), Revocation>> {
    row::load(from, "SELECT * FROM revocations", |row| {
        let revocation = Revocation {
            kind: row.get("kind")?,
            fingerprint: row.get("fingerprint")?,
            revoked_at: row::time(row, "revoked_at")?,
        };
        Ok(((revocation.kind.clone(), revocation.fingerprint.clone()), Arc::new(revocation)))
    })
}

pub(super) fn write_revocations(
    to: &Transaction<'_>,
    old: &Map<(String, String), Revocation>,
    new: &Map<(String, String), Revocation>,
) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) = (
        &["DELETE FROM revocations WHERE kind = ? AND fingerprint = ?"],
        "INSERT INTO revocations (kind, fingerprint, revoked_at) VALUES (?, ?, ?)",
    );
    let delete =
        |statement: &mut CachedStatement<'_>, (kind, print): &(String, String)| statement.execute([kind, print]);
    row::write(to, (old, new), sql, delete, |statement, (kind, print), revocation| {
        statement.execute(params![kind, print, revocation.revoked_at.millis()])?;
        Ok(())
    })
}

pub(super) fn load_restores(from: &Connection) -> rusqlite::Result<Map<String, RestoreRecord>> {
    row::load(from, "SELECT * FROM restores", |row| {
        let record = RestoreRecord {
            restore_id: row.get("restore_id")?,
            at: row::time(row, "at")?,
            actor: row.get("actor")?,
            outcome: row::json(row, "outcome_json")?,
        };
        Ok((record.restore_id.clone(), Arc::new(record)))
    })
}

pub(super) fn write_restores(
    to: &Transaction<'_>,
    old: &Map<String, RestoreRecord>,
    new: &Map<String, RestoreRecord>,
) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) = (
        &["DELETE FROM restores WHERE restore_id = ?"],
        "INSERT INTO restores (restore_id, at, actor, outcome_json) VALUES (?, ?, ?, ?)",
    );
    row::write(to, (old, new), sql, row::by_text, |statement, id, record| {
        statement.execute(params![id, record.at.millis(), record.actor, row::to_json(&record.outcome)?])?;
        Ok(())
    })
}

pub(super) fn load_config_history(from: &Connection) -> rusqlite::Result<Map<u64, ConfigRevision>> {
    row::load(from, "SELECT * FROM config_history", |row| {
        let revision = ConfigRevision {
            number: row::count(row, "number")?,
            at: row::time(row, "at")?,
            actor: row.get("actor")?,
            yaml: row.get("yaml")?,
        };
        Ok((revision.number, Arc::new(revision)))
    })
}

pub(super) fn write_config_history(
    to: &Transaction<'_>,
    old: &Map<u64, ConfigRevision>,
    new: &Map<u64, ConfigRevision>,
) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) = (
        &["DELETE FROM config_history WHERE number = ?"],
        "INSERT INTO config_history (number, at, actor, yaml) VALUES (?, ?, ?, ?)",
    );
    let delete = |statement: &mut CachedStatement<'_>, number: &u64| statement.execute([row::integer(*number)]);
    row::write(to, (old, new), sql, delete, |statement, number, revision| {
        statement.execute(params![row::integer(*number), revision.at.millis(), revision.actor, revision.yaml])?;
        Ok(())
    })
}
