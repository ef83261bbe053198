//! The tables `bucket_usage` and `usage_state`.

use crate::db::failed;
use crate::domain::clock::Timestamp;
use crate::{Result, fault};
use rusqlite::{Connection, OptionalExtension, params};

/// What one bucket holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The id of its backend.
    pub backend_id: String,
    /// Its name there.
    pub bucket: String,
    /// Objects.
    pub objects: u64,
    /// Their logical bytes.
    pub bytes: u64,
    /// The bytes of parts whose uploads are open.
    pub parts: u64,
    /// When it was last counted.
    pub counted_at: Timestamp,
    /// Every write since is in it.
    pub exact: bool,
    /// False: nothing is known of it, and its row goes.
    pub known: bool,
}

/// Saves rows; `clean` says that nothing changes any more before the process ends. All in one transaction.
pub fn save_usage(connection: &Connection, rows: &[UsageRow], clean: bool) -> Result<()> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let write = || {
        let transaction = connection.unchecked_transaction()?;
        for row in rows {
            let place = params![row.backend_id, row.bucket];
            transaction
                .prepare_cached("DELETE FROM bucket_usage WHERE backend_id = ? AND bucket = ?")?
                .execute(place)?;
            if row.known {
                transaction
                    .prepare_cached(
                        "INSERT INTO bucket_usage (backend_id, bucket, objects, bytes, parts, counted_at, exact)
                         VALUES (?, ?, ?, ?, ?, ?, ?)",
                    )?
                    .execute(params![
                        row.backend_id,
                        row.bucket,
                        number(row.objects),
                        number(row.bytes),
                        number(row.parts),
                        row.counted_at.millis(),
                        row.exact,
                    ])?;
            }
        }
        if clean {
            set_clean(&transaction, true)?;
        }
        transaction.commit()
    };
    write().map_err(failed("save bucket usage"))
}

/// What was saved, and whether the last stop was a clean one; from now on it is not.
pub fn take_usage(connection: &Connection) -> Result<(Vec<UsageRow>, bool)> {
    let take = || {
        let transaction = connection.unchecked_transaction()?;
        let clean: Option<bool> =
            transaction.query_row("SELECT clean FROM usage_state", [], |row| row.get(0)).optional()?;
        let rows = {
            let mut statement = transaction.prepare("SELECT * FROM bucket_usage")?;
            let rows = statement.query_map([], |row| {
                let number = |name: &str| row.get::<_, i64>(name).map(|number| u64::try_from(number).unwrap_or(0));
                Ok(UsageRow {
                    backend_id: row.get("backend_id")?,
                    bucket: row.get("bucket")?,
                    objects: number("objects")?,
                    bytes: number("bytes")?,
                    parts: number("parts")?,
                    counted_at: Timestamp::from_millis(row.get("counted_at")?),
                    exact: row.get("exact")?,
                    known: true,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()?
        };
        set_clean(&transaction, false)?;
        transaction.commit()?;
        fault::point("db.usage.taken");
        Ok((rows, clean.unwrap_or(false)))
    };
    take().map_err(failed("read bucket usage"))
}

fn set_clean(connection: &Connection, clean: bool) -> rusqlite::Result<()> {
    connection
        .execute("INSERT INTO usage_state (only, clean) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET clean = excluded.clean", [clean])
        .map(drop)
}
