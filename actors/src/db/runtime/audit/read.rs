//! Rows of the audit log in pages, filtered; and how far each sink has come.

use super::{AuditHead, AuditRow, audit_stub, number, read_row, signed};
use crate::Result;
use crate::db::failed;
use crate::domain::clock::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

/// Which rows are wanted; what is `None` does not matter. A text that ends with `*` is the beginning of what is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who.
    pub actor: Option<String>,
    /// What.
    pub action: Option<String>,
    /// To what.
    pub target: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// The conditions, each beginning with ` AND `, and their values.
    fn conditions(&self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = (String::new(), Vec::new());
        let texts =
            [("actor", &self.actor), ("action", &self.action), ("target", &self.target), ("outcome", &self.outcome)];
        for (column, wanted) in texts {
            match wanted.as_deref().map(|text| (text, text.strip_suffix('*'))) {
                None => {}
                Some((_, Some(start))) => {
                    sql.push_str(&format!(" AND substr({column}, 1, length(?)) = ?"));
                    values.extend([Value::from(start.to_owned()), Value::from(start.to_owned())]);
                }
                Some((whole, None)) => {
                    sql.push_str(&format!(" AND {column} = ?"));
                    values.push(Value::from(whole.to_owned()));
                }
            }
        }
        for (comparison, at) in [(">=", self.since), ("<", self.until)] {
            if let Some(at) = at {
                sql.push_str(&format!(" AND at {comparison} ?"));
                values.push(Value::from(at.millis()));
            }
        }
        (sql, values)
    }
}

/// A page of what the filter lets through, the latest first: rows before the number `before`, at most `limit`.
pub fn audit_page(
    connection: &Connection,
    filter: &AuditFilter,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<AuditRow>> {
    rows(connection, filter, "<", before.unwrap_or(u64::MAX), "DESC", limit)
}

/// A page of what the filter lets through, the oldest first: rows after the number `after`, at most `limit`.
pub fn audit_from(connection: &Connection, filter: &AuditFilter, after: u64, limit: usize) -> Result<Vec<AuditRow>> {
    rows(connection, filter, ">", after, "ASC", limit)
}

fn rows(
    connection: &Connection,
    filter: &AuditFilter,
    comparison: &str,
    bound: u64,
    order: &str,
    limit: usize,
) -> Result<Vec<AuditRow>> {
    let (conditions, mut values) = filter.conditions();
    values.insert(0, Value::from(signed(bound)));
    values.push(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
    let read = || {
        let sql = format!("SELECT * FROM audit WHERE seq {comparison} ?{conditions} ORDER BY seq {order} LIMIT ?");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), read_row)?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(failed("read audit log"))
}

/// Whether the log holds, or has pruned in order, the row that a checkpoint names.
pub fn audit_knows(connection: &Connection, checkpoint: &AuditHead) -> Result<bool> {
    if audit_stub(connection)?.is_some_and(|stub| stub.count > checkpoint.count) {
        return Ok(true);
    }
    let known: Option<Vec<u8>> = connection
        .query_row(
            "SELECT hmac FROM audit WHERE seq = ?1 UNION ALL SELECT head FROM audit_stub WHERE count = ?1",
            [signed(checkpoint.count)],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed("read audit log"))?;
    Ok(known.is_some_and(|hmac| hex::encode(hmac) == checkpoint.head))
}

/// The number of the last row that a sink has; 0 for a new one.
pub fn sink_position(connection: &Connection, name: &str) -> Result<u64> {
    connection
        .query_row("SELECT position FROM audit_sinks WHERE name = ?", [name], |row| number(row, 0))
        .optional()
        .map(Option::unwrap_or_default)
        .map_err(failed("read audit sink"))
}

/// Notes how far a sink has come.
pub fn set_sink_position(connection: &Connection, name: &str, position: u64) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO audit_sinks (name, position) VALUES (?, ?)")
        .and_then(|mut statement| statement.execute(params![name, signed(position)]))
        .map(|_| ())
        .map_err(failed("note audit sink"))
}
