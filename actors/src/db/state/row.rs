//! How values stand in columns, and which rows of a table a difference touches.

use crate::domain::clock::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{CachedStatement, Connection, Row, ToSql, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Reads a table into a map.
pub(super) fn load<K: Ord, V>(
    from: &Connection,
    select: &str,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<(K, V)>,
) -> rusqlite::Result<BTreeMap<K, V>> {
    let mut statement = from.prepare(select)?;
    let mut rows = statement.query([])?;
    let mut map = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (key, value) = read(row)?;
        map.insert(key, value);
    }
    Ok(map)
}

/// Writes a difference of two maps into their table: first every row that is gone or differs is deleted, then every row that is new
/// or differs is inserted, so that a name may move from one row to another. Entries that are the same `Arc` compare at once.
pub(super) fn write<K: Ord, V: PartialEq>(
    to: &Transaction<'_>,
    (old, new): (&BTreeMap<K, V>, &BTreeMap<K, V>),
    (delete, insert): (&[&str], &str),
    key_of: impl Fn(&mut CachedStatement<'_>, &K) -> rusqlite::Result<usize>,
    mut put: impl FnMut(&mut CachedStatement<'_>, &K, &V) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let gone = old.iter().filter(|(key, value)| new.get(*key) != Some(*value)).map(|(key, _)| key);
    for key in gone {
        for sql in delete {
            key_of(&mut to.prepare_cached(sql)?, key)?;
        }
    }
    let mut statement = to.prepare_cached(insert)?;
    for (key, value) in new.iter().filter(|(key, value)| old.get(*key) != Some(*value)) {
        put(&mut statement, key, value)?;
    }
    Ok(())
}

/// Deletes by a key of one column.
pub(super) fn by_text<K: AsRef<str>>(statement: &mut CachedStatement<'_>, key: &K) -> rusqlite::Result<usize> {
    statement.execute([key.as_ref()])
}

/// A time as milliseconds.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// A time that may be missing.
pub(super) fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

/// A count that is never negative.
pub(super) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| FromSqlError::OutOfRange(number).into())
}

/// A count as SQLite stores it.
pub(super) fn integer(count: u64) -> impl ToSql {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A JSON column.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    parse(row, column, &row.get::<_, String>(column)?)
}

/// A JSON column that may be missing.
pub(super) fn maybe_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    row.get::<_, Option<String>>(column)?.map(|text| parse(row, column, &text)).transpose()
}

/// A value as JSON.
pub(super) fn to_json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A value that its column's text must parse to.
pub(super) fn checked<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    read(&text).map_err(|error| unreadable(row, column, Box::new(error)))
}

fn parse<T: DeserializeOwned>(row: &Row<'_>, column: &str, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(row, column, Box::new(error)))
}

fn unreadable(
    row: &Row<'_>,
    column: &str,
    error: Box<dyn std::error::Error + Send + Sync + 'static>,
) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or_default();
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error)
}
