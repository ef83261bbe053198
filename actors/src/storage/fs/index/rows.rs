//! The names of wide directories, in order, in an SQLite file that has no name and ends with the process.
//!
//! A name is its order in the listing: the component of an object, the component and a slash of what lies below it.

use super::super::temp_name;
use crate::{Error, Result};
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

const OPERATION: &str = "listing index";
/// The file is written without a journal and without an fsync: whatever goes wrong with it, it is thrown away and made anew.
const SETTINGS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;";
const SCHEMA: &str =
    "CREATE TABLE names (dir INTEGER NOT NULL, name BLOB NOT NULL, PRIMARY KEY (dir, name)) WITHOUT ROWID";
/// So many rows are removed at once.
const REMOVED: i64 = 4096;

/// The table.
#[derive(Debug)]
pub(super) struct Rows {
    db: Connection,
}

/// What a directory has between two names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::storage::fs) struct Window {
    /// The names, in order.
    pub(in crate::storage::fs) names: Vec<String>,
    /// There was no room for more, and there may be some.
    pub(in crate::storage::fs) left_out: bool,
    /// The directories in which a long component goes on; they are read live.
    pub(in crate::storage::fs) continued: Vec<String>,
}

/// What is to be done about a name.
#[derive(Debug)]
pub(super) enum Change {
    /// It is there.
    Add(String),
    /// It is not.
    Remove(String),
}

impl Change {
    /// The name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Add(name) | Self::Remove(name) => name,
        }
    }
}

impl Rows {
    /// Makes the file and takes its name away: nobody can put another in its place, and nothing is left of it afterwards.
    /// Returns the name that it had for a moment, too.
    pub(super) fn create(dir: &Path) -> Result<(Self, String)> {
        let name = temp_name();
        let path = dir.join(&name);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&path, flags).and_then(|db| {
            db.execute_batch(SETTINGS)?;
            db.execute_batch(SCHEMA)?;
            Ok(db)
        });
        let removed = std::fs::remove_file(&path);
        let db = opened.map_err(broken)?;
        removed.map_err(|e| Error::io(OPERATION, e))?;
        Ok((Self { db }, name))
    }

    /// Writes changes of one directory.
    pub(super) fn apply(&mut self, dir: i64, changes: impl IntoIterator<Item = Change>) -> Result<()> {
        let all = self.db.transaction().map_err(broken)?;
        {
            let mut add = all.prepare_cached("INSERT OR IGNORE INTO names VALUES (?1, ?2)").map_err(broken)?;
            let mut remove = all.prepare_cached("DELETE FROM names WHERE dir = ?1 AND name = ?2").map_err(broken)?;
            for change in changes {
                match change {
                    Change::Add(name) => add.execute(params![dir, name.as_bytes()]),
                    Change::Remove(name) => remove.execute(params![dir, name.as_bytes()]),
                }
                .map_err(broken)?;
            }
        }
        all.commit().map_err(broken)
    }

    /// The names of a directory, from one on and below another, as many as there is room for.
    pub(super) fn window(&self, dir: i64, from: &[u8], to: &[u8], room: usize) -> Result<Window> {
        let question = "SELECT name FROM names WHERE dir = ?1 AND name >= ?2 AND name < ?3 ORDER BY name LIMIT ?4";
        let mut question = self.db.prepare_cached(question).map_err(broken)?;
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let rows = question.query_map(params![dir, from, to, limit], |row| row.get::<_, Vec<u8>>(0)).map_err(broken)?;
        let mut window = Window::default();
        for row in rows {
            let name = String::from_utf8(row.map_err(broken)?).map_err(|e| Error::internal(OPERATION, e))?;
            window.names.push(name);
        }
        window.left_out = window.names.len() >= room;
        Ok(window)
    }

    #[cfg(test)]
    pub(super) fn destroy(&mut self) {
        self.db.execute_batch("DROP TABLE names").unwrap();
    }

    /// Removes some of the names of a directory that nobody lists any more; false where none is left.
    pub(super) fn forget(&mut self, dir: i64) -> Result<bool> {
        let some = "DELETE FROM names WHERE dir = ?1 AND name <= (SELECT max(name) FROM
            (SELECT name FROM names WHERE dir = ?1 ORDER BY name LIMIT ?2))";
        let removed = self.db.prepare_cached(some).and_then(|mut some| some.execute(params![dir, REMOVED]));
        Ok(removed.map_err(broken)? > 0)
    }
}

fn broken(error: rusqlite::Error) -> Error {
    Error::internal(OPERATION, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_their_bytes_and_within_bounds() {
        let dir = tempfile::tempdir().unwrap();
        let (mut rows, name) = Rows::create(dir.path()).unwrap();
        assert!(name.starts_with(".dg-tmp-") && std::fs::read_dir(dir.path()).unwrap().next().is_none());
        let names = ["", "\0", "a", "a-", "a/", "a0", "b", "é", "😀"];
        for dir in [7, 8] {
            rows.apply(dir, names.iter().rev().map(|name| Change::Add((*name).to_owned()))).unwrap();
        }
        rows.apply(7, [Change::Remove("b".to_owned()), Change::Add("a".to_owned())]).unwrap();
        let window = |from: &[u8], to: &[u8], room| rows.window(7, from, to, room).unwrap();
        assert_eq!(window(b"", &[0xFF], 99).names, ["", "\0", "a", "a-", "a/", "a0", "é", "😀"]);
        let some = window(b"a\0", b"a\xFF", 2);
        assert_eq!((some.names, some.left_out), (vec!["a-".to_owned(), "a/".to_owned()], true));
        assert!(!window(b"a/", b"a\xFF", 3).left_out);
        while rows.forget(7).unwrap() {}
        assert_eq!(rows.window(7, b"", &[0xFF], 99).unwrap(), Window::default());
        assert_eq!(rows.window(8, b"", &[0xFF], 99).unwrap().names.len(), names.len());
    }
}
