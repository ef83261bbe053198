//! The table `sessions`.

use crate::db::failed;
use crate::domain::clock::Timestamp;
use crate::domain::session::Session;
use crate::{Error, Result};
use rusqlite::types::Type;
use rusqlite::{Connection, params};

/// Every session that is stored.
pub fn load_sessions(connection: &Connection) -> Result<Vec<Session>> {
    let read = || {
        let mut statement = connection.prepare_cached("SELECT * FROM sessions ORDER BY created_at, token_sha256")?;
        let rows = statement.query_map([], |row| {
            let principal: String = row.get("principal_json")?;
            let proof: String = row.get("proof_json")?;
            Ok(Session {
                sha256: row.get("token_sha256")?,
                principal: serde_json::from_str(&principal).map_err(unreadable)?,
                proof: serde_json::from_str(&proof).map_err(unreadable)?,
                created_at: Timestamp::from_millis(row.get("created_at")?),
                auth_time: Timestamp::from_millis(row.get("auth_time")?),
                last_seen: Timestamp::from_millis(row.get("last_seen")?),
                expires_at: Timestamp::from_millis(row.get("expires_at")?),
                auth_epoch: u64::try_from(row.get::<_, i64>("auth_epoch")?).unwrap_or_default(),
                credential_version: u64::try_from(row.get::<_, i64>("credential_version")?).unwrap_or_default(),
                ip: row.get("ip")?,
                user_agent: row.get("user_agent")?,
            })
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(failed("load sessions"))
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error))
}

/// Stores a session, in place of an older one of the same token.
pub fn put_session(connection: &Connection, session: &Session) -> Result<()> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let written = |error| Error::internal("store session", error);
    let principal = serde_json::to_string(&session.principal).map_err(written)?;
    let proof = serde_json::to_string(&session.proof).map_err(written)?;
    let write = || {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO sessions (token_sha256, principal_json, created_at, auth_time, last_seen,
                 expires_at, auth_epoch, credential_version, ip, user_agent, proof_json)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                session.sha256,
                principal,
                session.created_at.millis(),
                session.auth_time.millis(),
                session.last_seen.millis(),
                session.expires_at.millis(),
                number(session.auth_epoch),
                number(session.credential_version),
                session.ip,
                session.user_agent,
                proof,
            ])
    };
    write().map(|_| ()).map_err(failed("store session"))
}

/// Deletes sessions by the hash of their token, all or none; one that is not there is fine.
pub fn delete_sessions(connection: &Connection, hashes: &[String]) -> Result<()> {
    let write = || {
        let transaction = connection.unchecked_transaction()?;
        for sha256 in hashes {
            transaction.prepare_cached("DELETE FROM sessions WHERE token_sha256 = ?")?.execute([sha256])?;
        }
        transaction.commit()
    };
    write().map_err(failed("delete sessions"))
}

/// Notes that a session was used.
pub fn touch_session(connection: &Connection, sha256: &str, seen: Timestamp) -> Result<()> {
    let write = || {
        connection
            .prepare_cached("UPDATE sessions SET last_seen = max(last_seen, ?) WHERE token_sha256 = ?")?
            .execute(params![seen.millis(), sha256])
    };
    write().map(|_| ()).map_err(failed("touch session"))
}
