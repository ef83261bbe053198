//! L1: the two encrypted databases: `deltaglider_config.db` (a [`State`](crate::domain::state::State)) and `deltaglider_state.db`.

pub mod database;
pub mod key;
pub mod migrate;
pub mod open;
pub mod password;
pub mod publish;
pub mod runtime;
pub mod state;

use crate::{Error, ErrorKind};

/// An error of SQLite, told apart where the caller can act on it.
pub(crate) fn failed(operation: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            Error::new(ErrorKind::DiskFull, operation, "no space is left on the device").with_source(error)
        }
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            Error::internal(operation, error).with_code("db_corrupt")
        }
        _ => Error::internal(operation, error),
    }
}
