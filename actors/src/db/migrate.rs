//! The schema versions of the databases (`PRAGMA user_version`) and the steps between them.
//!
//! A step is pure SQL and runs in one transaction with the new number: a failed or interrupted one leaves the old schema. A newer
//! schema than this binary knows is refused before anything is written.

use crate::db::failed;
use crate::{Error, ErrorKind, Result};
use rusqlite::Connection;

/// The schema of one of our databases: step `n` leads from version `n` to `n + 1`.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    steps: &'static [&'static str],
}

/// `deltaglider_config.db`.
pub const CONFIG: Schema = Schema {
    steps: &[
        include_str!("schema/config_v1.sql"),
        include_str!("schema/config_v2.sql"),
        include_str!("schema/config_v3.sql"),
        include_str!("schema/config_v4.sql"),
    ],
};
/// `deltaglider_state.db`.
pub const STATE: Schema = Schema {
    steps: &[
        include_str!("schema/state_v1.sql"),
        include_str!("schema/state_v2.sql"),
        include_str!("schema/state_v3.sql"),
        include_str!("schema/state_v4.sql"),
        include_str!("schema/state_v5.sql"),
        include_str!("schema/state_v6.sql"),
    ],
};

impl Schema {
    /// The version that this binary writes.
    pub fn version(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }

    /// The version of an open database; 0 where it has no schema yet.
    pub fn found(connection: &Connection) -> rusqlite::Result<i64> {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0))
    }

    /// Brings the database to this binary's version.
    pub fn migrate(&self, connection: &mut Connection) -> Result<()> {
        let found = Self::found(connection).map_err(failed("read schema version"))?;
        if found > self.version() {
            return Err(self.newer(found));
        }
        for (version, sql) in (1..).zip(self.steps.iter()).filter(|(version, _)| *version > found) {
            let transaction = connection.transaction().map_err(failed("migrate"))?;
            transaction.execute_batch(sql).map_err(failed("migrate"))?;
            transaction.pragma_update(None, "user_version", version).map_err(failed("migrate"))?;
            transaction.commit().map_err(failed("migrate"))?;
        }
        Ok(())
    }

    /// The error for a schema that this binary does not know.
    pub fn newer(&self, found: i64) -> Error {
        let message =
            format!("the database has schema version {found}; this version of the program knows {}", self.version());
        Error::new(ErrorKind::Conflict, "open database", message)
            .with_code("newer_schema")
            .with_hint("start the version of the program that wrote it; the file was not touched")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_done_once_and_a_newer_schema_is_left_alone() {
        for schema in [CONFIG, STATE] {
            let mut connection = Connection::open_in_memory().unwrap();
            schema.migrate(&mut connection).unwrap();
            schema.migrate(&mut connection).unwrap();
            assert_eq!(Schema::found(&connection), Ok(schema.version()));
            connection.pragma_update(None, "user_version", 99).unwrap();
            assert_eq!(schema.migrate(&mut connection).unwrap_err().code(), Some("newer_schema"));
            assert_eq!(Schema::found(&connection), Ok(99));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_schema() {
        let broken = Schema { steps: &["CREATE TABLE a (x); CREATE TABLE a (x)"] };
        let mut connection = Connection::open_in_memory().unwrap();
        assert!(broken.migrate(&mut connection).is_err());
        assert_eq!(Schema::found(&connection), Ok(0));
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
