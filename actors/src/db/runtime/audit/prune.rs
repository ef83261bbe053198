//! Pruning: the oldest rows go, and a signed stub says that they went in order.

use super::{AuditKey, number, signed};
use crate::Result;
use crate::db::failed;
use crate::domain::clock::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// What a stub signs itself as.
const STUB: &str = "stub";

/// What a pruned log begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditStub {
    /// The number of the last row that went.
    pub count: u64,
    /// Its `hmac`.
    pub head: Vec<u8>,
    /// When it went.
    pub at: Timestamp,
    pub(super) mac: Vec<u8>,
}

impl AuditStub {
    /// Whether this instance wrote it.
    pub(super) fn is_signed(&self, key: &AuditKey) -> Result<bool> {
        key.signed(STUB, self.count, &hex::encode(&self.head), self.at, &self.mac)
    }
}

/// The stub, where rows were ever pruned.
pub fn audit_stub(connection: &Connection) -> Result<Option<AuditStub>> {
    connection
        .query_row("SELECT count, head, at, mac FROM audit_stub", [], |row| {
            let at = Timestamp::from_millis(row.get(2)?);
            Ok(AuditStub { count: number(row, 0)?, head: row.get(1)?, at, mac: row.get(3)? })
        })
        .optional()
        .map_err(failed("read audit log"))
}

/// Takes away the oldest rows beyond the latest `keep`, and those from before `older_than`, at most `most` of them and never the last
/// row. Answers the new stub where any went, and how many did.
pub fn prune_audit(
    connection: &Connection,
    key: &AuditKey,
    keep: Option<u64>,
    older_than: Option<Timestamp>,
    now: Timestamp,
    most: u64,
) -> Result<Option<(AuditStub, u64)>> {
    let transaction = connection.unchecked_transaction().map_err(failed("prune audit log"))?;
    let ends = transaction.query_row("SELECT min(seq), max(seq) FROM audit", [], |row| {
        Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?))
    });
    let Some((first, last)) = ends.map_err(failed("prune audit log"))? else { return Ok(None) };
    let by_count = keep.map_or(0, |keep| last.saturating_sub(signed(keep)));
    let by_age = match older_than {
        None => 0,
        // The first row that is young enough stays, and all after it, whatever the clock said meanwhile.
        Some(at) => transaction
            .query_row("SELECT min(seq) FROM audit WHERE at >= ?", [at.millis()], |row| row.get::<_, Option<i64>>(0))
            .map_err(failed("prune audit log"))?
            .map_or(last, |young| young - 1),
    };
    let through = by_count.max(by_age).min(last - 1).min((first - 1).saturating_add(signed(most)));
    if through < first {
        return Ok(None);
    }
    let prune = || -> rusqlite::Result<(Vec<u8>, usize)> {
        let head = transaction.query_row("SELECT hmac FROM audit WHERE seq = ?", [through], |row| row.get(0))?;
        Ok((head, transaction.execute("DELETE FROM audit WHERE seq <= ?", [through])?))
    };
    let (head, gone) = prune().map_err(failed("prune audit log"))?;
    let count = u64::try_from(through).unwrap_or_default();
    let mac = key.sign(STUB, count, &hex::encode(&head), now)?.to_vec();
    let stub = AuditStub { count, head, at: now, mac };
    transaction
        .execute(
            "INSERT OR REPLACE INTO audit_stub (only, count, head, at, mac) VALUES (1, ?, ?, ?, ?)",
            params![signed(stub.count), stub.head, stub.at.millis(), stub.mac],
        )
        .map_err(failed("prune audit log"))?;
    transaction.commit().map_err(failed("prune audit log"))?;
    Ok(Some((stub, gone as u64)))
}
