//! The table `audit`: append-only, every row chained to the one before by an HMAC under a key of this instance.
//!
//! `hmac` = HMAC-SHA256(key, prev ‖ canonical row); `prev` is the `hmac` of the row before, empty for the first; the canonical row is
//! the JSON array `[seq, at, actor, action, target, outcome, ip, request_id, detail]`, `at` in milliseconds, without white space.

use crate::db::failed;
use crate::db::key::expand;
use crate::domain::clock::Timestamp;
use crate::{Error, Result};
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The key of the chain: HKDF-SHA256 of the instance's `state_key`, info = `dgp-audit/1`.
#[derive(Clone)]
pub struct AuditKey(Zeroizing<[u8; 32]>);

/// A row that is to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// How it ended.
    pub outcome: String,
    /// From where.
    pub ip: String,
    /// In which request.
    pub request_id: String,
    /// What else there is to know, as JSON.
    pub detail: String,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// 1, 2, 3, ….
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// How it ended.
    pub outcome: String,
    /// From where.
    pub ip: String,
    /// In which request.
    pub request_id: String,
    /// What else there is to know, as JSON.
    pub detail: String,
}

/// The end of the log: a checkpoint that is kept elsewhere shows when rows were cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditHead {
    /// The number of the last row; 0 where there is none.
    pub count: u64,
    /// Its `hmac` in lower-case hex.
    pub head: String,
}

/// What a walk along the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// The end of the log.
    pub head: AuditHead,
    /// The number of the first row that is missing, moved or changed.
    pub first_gap: Option<u64>,
}

impl AuditKey {
    /// The chain's key of an instance.
    pub fn of_instance(state_key: &[u8; 32]) -> Self {
        Self(expand(state_key, b"dgp-audit/1"))
    }

    fn mac(&self, prev: &[u8], row: &AuditRow) -> Result<[u8; 32]> {
        let AuditRow { seq, at, actor, action, target, outcome, ip, request_id, detail } = row;
        let canonical = (seq, at.millis(), actor, action, target, outcome, ip, request_id, detail);
        let canonical = serde_json::to_vec(&canonical).map_err(|error| Error::internal("audit", error))?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).map_err(|error| Error::internal("audit", error))?;
        mac.update(prev);
        mac.update(&canonical);
        Ok(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(«secret»)")
    }
}

/// Appends rows, all or none. They are durable when this returns.
pub fn append_audit(connection: &Connection, key: &AuditKey, rows: &[NewAuditRow]) -> Result<()> {
    let transaction = connection.unchecked_transaction().map_err(failed("audit"))?;
    let (mut seq, mut prev) = last(&transaction).map_err(failed("audit"))?;
    for new in rows {
        seq += 1;
        let row = new.clone().numbered(seq);
        let hmac = key.mac(&prev, &row)?.to_vec();
        insert(&transaction, &row, &prev, &hmac).map_err(failed("audit"))?;
        prev = hmac;
    }
    transaction.commit().map_err(failed("audit"))
}

/// The latest rows, the latest first.
pub fn audit_tail(connection: &Connection, limit: usize) -> Result<Vec<AuditRow>> {
    let read = || {
        let mut statement = connection.prepare_cached("SELECT * FROM audit ORDER BY seq DESC LIMIT ?")?;
        let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], read_row)?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(failed("read audit log"))
}

/// The end of the log, for a checkpoint.
pub fn audit_head(connection: &Connection) -> Result<AuditHead> {
    let (count, head) = last(connection).map_err(failed("read audit log"))?;
    Ok(AuditHead { count, head: hex::encode(head) })
}

/// Walks along the whole chain and names the first row that is missing, moved or changed. That the end was not cut off, only a
/// checkpoint kept elsewhere tells.
pub fn verify_audit(connection: &Connection, key: &AuditKey) -> Result<AuditCheck> {
    let mut statement = connection.prepare("SELECT * FROM audit ORDER BY seq").map_err(failed("read audit log"))?;
    let mut rows = statement.query([]).map_err(failed("read audit log"))?;
    let (mut count, mut head) = (0, Vec::new());
    let mut first_gap = None;
    while let Some(row) = rows.next().map_err(failed("read audit log"))? {
        let read = || Ok((read_row(row)?, row.get::<_, Vec<u8>>("prev")?, row.get::<_, Vec<u8>>("hmac")?));
        let (audit, prev, hmac) = read().map_err(failed("read audit log"))?;
        let good = audit.seq == count + 1 && prev == head && bool::from(key.mac(&prev, &audit)?.ct_eq(&hmac));
        if !good && first_gap.is_none() {
            first_gap = Some(count + 1);
        }
        (count, head) = (audit.seq, hmac);
    }
    Ok(AuditCheck { head: AuditHead { count, head: hex::encode(head) }, first_gap })
}

impl NewAuditRow {
    fn numbered(self, seq: u64) -> AuditRow {
        let Self { at, actor, action, target, outcome, ip, request_id, detail } = self;
        AuditRow { seq, at, actor, action, target, outcome, ip, request_id, detail }
    }
}

fn last(connection: &Connection) -> rusqlite::Result<(u64, Vec<u8>)> {
    let row = connection
        .prepare_cached("SELECT seq, hmac FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.map_or((0, Vec::new()), |(seq, hmac)| (u64::try_from(seq).unwrap_or_default(), hmac)))
}

fn insert(connection: &Connection, row: &AuditRow, prev: &[u8], hmac: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, at, actor, action, target, outcome, ip, request_id, detail, prev, hmac)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            i64::try_from(row.seq).unwrap_or(i64::MAX),
            row.at.millis(),
            row.actor,
            row.action,
            row.target,
            row.outcome,
            row.ip,
            row.request_id,
            row.detail,
            prev,
            hmac,
        ])
        .map(|_| ())
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        seq: u64::try_from(row.get::<_, i64>("seq")?).unwrap_or_default(),
        at: Timestamp::from_millis(row.get("at")?),
        actor: row.get("actor")?,
        action: row.get("action")?,
        target: row.get("target")?,
        outcome: row.get("outcome")?,
        ip: row.get("ip")?,
        request_id: row.get("request_id")?,
        detail: row.get("detail")?,
    })
}
