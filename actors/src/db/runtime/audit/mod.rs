//! The table `audit`: append-only, every row chained to the one before by an HMAC under a key of this instance.
//!
//! `hmac` = HMAC-SHA256(key, prev ‖ canonical row); `prev` is the `hmac` of the row before, empty for the first; the canonical row is
//! the JSON array `[seq, at, actor, action, target, outcome, ip, request_id, detail]`, `at` in milliseconds, without white space.
//! A log that was pruned begins with a signed stub (`prune`): its `head` is the `prev` of the first row that is left.

mod prune;
mod read;
mod verify;

pub use prune::{AuditStub, audit_stub, prune_audit};
pub use read::{AuditFilter, audit_from, audit_knows, audit_page, set_sink_position, sink_position};
pub use verify::{AuditCheck, Gap, GapKind, verify_audit};

use crate::db::failed;
use crate::db::key::expand;
use crate::domain::clock::Timestamp;
use crate::{Error, ErrorKind, Result};
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the last row; 0 where there is none.
    pub count: u64,
    /// Its `hmac` in lower-case hex.
    pub head: String,
}

/// `COUNT:HEAD`, as an operator carries it.
impl FromStr for AuditHead {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let (count, head) = text.split_once(':')?;
            let good = head.len() == 64 && head.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            Some(Self { count: count.parse().ok().filter(|count| *count > 0 && good)?, head: head.to_owned() })
        };
        read().ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "read checkpoint", "a checkpoint is COUNT:HEAD, a number and 64 hex digits")
        })
    }
}

impl AuditKey {
    /// The chain's key of an instance.
    pub fn of_instance(state_key: &[u8; 32]) -> Self {
        Self(expand(state_key, b"dgp-audit/1"))
    }

    fn mac(&self, prev: &[u8], row: &AuditRow) -> Result<[u8; 32]> {
        self.mac_as(row.seq, prev, row)
    }

    /// What the row's `hmac` would be, were `seq` its number.
    fn mac_as(&self, seq: u64, prev: &[u8], row: &AuditRow) -> Result<[u8; 32]> {
        let AuditRow { seq: _, at, actor, action, target, outcome, ip, request_id, detail } = row;
        let canonical = (seq, at.millis(), actor, action, target, outcome, ip, request_id, detail);
        let canonical = serde_json::to_vec(&canonical).map_err(|error| Error::internal("audit", error))?;
        self.sum(&[prev, &canonical])
    }

    /// Signs a statement on the log that is no row: `what` keeps one kind from passing for another.
    pub(crate) fn sign(&self, what: &str, count: u64, head: &str, at: Timestamp) -> Result<[u8; 32]> {
        let canonical =
            serde_json::to_vec(&(what, count, head, at.millis())).map_err(|e| Error::internal("audit", e))?;
        self.sum(&[&canonical])
    }

    /// Whether a statement was signed under this key.
    pub(crate) fn signed(&self, what: &str, count: u64, head: &str, at: Timestamp, mac: &[u8]) -> Result<bool> {
        Ok(self.sign(what, count, head, at)?.ct_eq(mac).into())
    }

    fn sum(&self, parts: &[&[u8]]) -> Result<[u8; 32]> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).map_err(|error| Error::internal("audit", error))?;
        parts.iter().for_each(|part| mac.update(part));
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

/// The end of the log, for a checkpoint.
pub fn audit_head(connection: &Connection) -> Result<AuditHead> {
    let (count, head) = last(connection).map_err(failed("read audit log"))?;
    Ok(AuditHead { count, head: hex::encode(head) })
}

impl NewAuditRow {
    fn numbered(self, seq: u64) -> AuditRow {
        let Self { at, actor, action, target, outcome, ip, request_id, detail } = self;
        AuditRow { seq, at, actor, action, target, outcome, ip, request_id, detail }
    }
}

/// The number and `hmac` of the last row; those of the stub where nothing came after it.
fn last(connection: &Connection) -> rusqlite::Result<(u64, Vec<u8>)> {
    let row = connection
        .prepare_cached(
            "SELECT seq, hmac FROM audit UNION ALL SELECT count, head FROM audit_stub ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([], |row| Ok((number(row, 0)?, row.get(1)?)))
        .optional()?;
    Ok(row.unwrap_or_default())
}

/// A number that is stored as SQLite's signed one.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

/// SQLite's signed form of a number.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn insert(connection: &Connection, row: &AuditRow, prev: &[u8], hmac: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, at, actor, action, target, outcome, ip, request_id, detail, prev, hmac)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            signed(row.seq),
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
