//! Proof of the chain: a walk from the stub to the end that names the first row which is not as it was written.

use super::{AuditHead, AuditKey, AuditRow, AuditStub, audit_stub, read_row, signed};
use crate::Result;
use crate::db::failed;
use rusqlite::{Connection, OptionalExtension};
use subtle::ConstantTimeEq;

/// How far from its place a row is looked for that was moved.
const FAR: u64 = 10_000;

/// What a walk along the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// The end of the log.
    pub head: AuditHead,
    /// How many rows there are.
    pub rows: u64,
    /// The number of the last row that was pruned; 0 where none ever was.
    pub pruned: u64,
    /// The first thing that is wrong.
    pub gap: Option<Gap>,
}

/// Where the log is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The number of the row.
    pub seq: u64,
    /// What happened to it.
    pub kind: GapKind,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// It is there, and not as it was written.
    Edited,
    /// It is not there, others after it are.
    Dropped,
    /// Another row stands in its place.
    Reordered,
    /// It and all after it are not there, or others are in their place: a checkpoint knew it.
    Truncated,
    /// It is the last that was pruned, and nobody of this instance pruned it.
    ForgedStub,
}

impl GapKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Dropped => "dropped",
            Self::Reordered => "reordered",
            Self::Truncated => "truncated",
            Self::ForgedStub => "forged_stub",
        }
    }
}

/// One stored row with its links.
struct Link {
    row: AuditRow,
    prev: Vec<u8>,
    hmac: Vec<u8>,
}

impl Link {
    /// Whether it was written as the row of this number.
    fn written_as(&self, key: &AuditKey, seq: u64) -> Result<bool> {
        Ok(key.mac_as(seq, &self.prev, &self.row)?.ct_eq(&self.hmac).into())
    }
}

/// Walks along the whole chain and names the first row that is missing, moved or changed. That the end was not cut off, only
/// checkpoints tell that were kept elsewhere.
pub fn verify_audit(connection: &Connection, key: &AuditKey, checkpoints: &[AuditHead]) -> Result<AuditCheck> {
    // One state of the database for all that is read here.
    let snapshot = connection.unchecked_transaction().map_err(failed("read audit log"))?;
    let stub = audit_stub(&snapshot)?;
    let (mut count, mut head) = stub.as_ref().map_or((0, Vec::new()), |stub| (stub.count, stub.head.clone()));
    let pruned = count;
    let mut gap = forged(stub.as_ref(), key)?;
    let mut rows = 0;
    gap = gap.or_else(|| contradicted(checkpoints, count, &head));
    let mut statement = snapshot.prepare("SELECT * FROM audit ORDER BY seq").map_err(failed("read audit log"))?;
    let mut found = statement.query([]).map_err(failed("read audit log"))?;
    while let Some(row) = found.next().map_err(failed("read audit log"))? {
        let read = || Ok(Link { row: read_row(row)?, prev: row.get("prev")?, hmac: row.get("hmac")? });
        let link = read().map_err(failed("read audit log"))?;
        let expected = count + 1;
        let good = link.row.seq == expected && link.prev == head && link.written_as(key, expected)?;
        if !good && gap.is_none() {
            gap = Some(Gap { seq: expected, kind: kind(&snapshot, key, &link, expected, &head)? });
        }
        (count, head) = (link.row.seq, link.hmac);
        rows += 1;
        gap = gap.or_else(|| contradicted(checkpoints, count, &head));
    }
    let beyond = checkpoints.iter().any(|checkpoint| checkpoint.count > count);
    if beyond && gap.is_none() {
        gap = Some(Gap { seq: count + 1, kind: GapKind::Truncated });
    }
    Ok(AuditCheck { head: AuditHead { count, head: hex::encode(head) }, rows, pruned, gap })
}

fn forged(stub: Option<&AuditStub>, key: &AuditKey) -> Result<Option<Gap>> {
    Ok(match stub {
        Some(stub) if !stub.is_signed(key)? => Some(Gap { seq: stub.count, kind: GapKind::ForgedStub }),
        _ => None,
    })
}

/// A checkpoint that knew another row of this number: the end was cut off, and the log went on from there.
fn contradicted(checkpoints: &[AuditHead], count: u64, head: &[u8]) -> Option<Gap> {
    let mut known = checkpoints.iter().filter(|checkpoint| checkpoint.count == count && count > 0);
    known.any(|checkpoint| checkpoint.head != hex::encode(head)).then_some(Gap { seq: count, kind: GapKind::Truncated })
}

/// What became of the row `expected`, in whose place `link` was found; `head` is the `hmac` of the row before it.
fn kind(connection: &Connection, key: &AuditKey, link: &Link, expected: u64, head: &[u8]) -> Result<GapKind> {
    // The row that follows on `head` is the one that belongs here: is it elsewhere?
    let elsewhere = connection
        .query_row("SELECT 1 FROM audit WHERE prev = ? AND seq > ?", (head, signed(expected)), |_| Ok(()))
        .optional()
        .map_err(failed("read audit log"))?
        .is_some();
    if elsewhere {
        return Ok(GapKind::Reordered);
    }
    if link.row.seq != expected {
        return Ok(GapKind::Dropped);
    }
    // A row of another number that was put here, the one that belongs here being gone.
    for seq in (expected + 1)..=(expected + FAR) {
        if link.written_as(key, seq)? {
            return Ok(GapKind::Dropped);
        }
    }
    Ok(GapKind::Edited)
}
