//! Opening an encrypted database, and telling apart why one does not open.
//!
//! Nothing here opens the published `deltaglider_config.db` in place: callers give a private copy, which may be written to.

use crate::db::database::Database;
use crate::db::failed;
use crate::db::key::DbKey;
use crate::db::migrate::{CONFIG, Schema};
use crate::db::password::{Parameters, PasswordHash};
use crate::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The size of a page, SQLCipher's default; a file is a whole number of them.
const PAGE: u64 = 4096;
/// 16 MB of decrypted pages: a point read is four times as fast as with SQLite's 2 MB. Setting it reads the file.
pub(super) const CACHE: i64 = -16000;
/// What an unencrypted SQLite file begins with.
const PLAINTEXT: &[u8; 16] = b"SQLite format 3\0";

/// What became of opening a config DB.
#[derive(Debug)]
pub enum TryOpen {
    /// Open, at this binary's schema version.
    Opened(Database),
    /// The key is another one.
    WrongKey,
    /// A newer program wrote it; it was not touched.
    NewerSchema {
        /// Its version.
        found: i64,
    },
    /// Damaged: not a whole number of pages, or a page that does not authenticate.
    Corrupt {
        /// What was found, for the log.
        why: String,
    },
    /// Not encrypted.
    Plaintext,
    /// No bytes at all: any key would open it as a new database, so it is never opened.
    Empty,
    /// No such file.
    Missing,
}

impl TryOpen {
    /// The connection, or the error that login and health show.
    pub fn into_result(self) -> Result<Database> {
        let corrupt = |why: &str| {
            Error::new(ErrorKind::Locked, "open database", format!("the config database is damaged: {why}"))
                .with_code("db_corrupt")
                .with_hint("restore an archive, or put a copy of the file from before the damage in its place")
        };
        match self {
            Self::Opened(connection) => Ok(connection),
            Self::WrongKey => Err(key_mismatch()),
            Self::NewerSchema { found } => Err(CONFIG.newer(found)),
            Self::Corrupt { why } => Err(corrupt("it does not authenticate").with_source(why)),
            Self::Plaintext => Err(corrupt("it is not encrypted")),
            Self::Empty => Err(corrupt("the file is empty")),
            Self::Missing => Err(Error::new(ErrorKind::NotFound, "open database", "there is no config database")),
        }
    }
}

/// The error of a system whose database no hash opens.
pub fn key_mismatch() -> Error {
    Error::new(
        ErrorKind::Locked,
        "open database",
        "the bootstrap password hash in force does not open the config database (SQLCipher: file is not a database)",
    )
    .with_code("db_key_mismatch")
    .with_hint(
        "set DGP_BOOTSTRAP_PASSWORD_HASH to the hash this database was made with and restart, call recover-db with its \
         password, or restore an archive",
    )
}

/// The salt in a DB file's header: the salt of the hash that keys it.
pub fn header_salt(path: &Path) -> std::io::Result<[u8; 16]> {
    let mut salt = [0; 16];
    File::open(path)?.read_exact(&mut salt)?;
    Ok(salt)
}

/// Opens a private copy of a config DB with a hash and migrates it.
pub fn try_open(path: &Path, hash: &PasswordHash) -> Result<TryOpen> {
    let size = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(TryOpen::Missing),
        Err(error) => return Err(Error::io("open database", error)),
    };
    if size == 0 {
        return Ok(TryOpen::Empty);
    }
    if size < PAGE {
        return Ok(TryOpen::Corrupt { why: format!("{size} bytes are less than a page") });
    }
    let salt = header_salt(path).map_err(|error| Error::io("open database", error))?;
    if salt == *PLAINTEXT {
        return Ok(TryOpen::Plaintext);
    }
    if salt != *hash.salt() {
        return Ok(TryOpen::WrongKey);
    }
    let mut connection = open_keyed(path, &DbKey::of_config_db(hash))?;
    let found = match read_first_page(&connection) {
        Ok(found) => found,
        Err(rusqlite::Error::SqliteFailure(error, why)) => match error.code {
            // The first page of another key and a damaged first page look alike; a torn file gives itself away by its size.
            rusqlite::ErrorCode::NotADatabase if size % PAGE == 0 => return Ok(TryOpen::WrongKey),
            rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt => {
                return Ok(TryOpen::Corrupt { why: why.unwrap_or_else(|| error.to_string()) });
            }
            _ => return Err(failed("open database")(rusqlite::Error::SqliteFailure(error, why))),
        },
        Err(error) => return Err(failed("open database")(error)),
    };
    if size % PAGE != 0 {
        return Ok(TryOpen::Corrupt { why: format!("{size} bytes are not a whole number of pages") });
    }
    if found > CONFIG.version() {
        return Ok(TryOpen::NewerSchema { found });
    }
    if found < 1 {
        return Ok(TryOpen::Corrupt { why: "it has no schema".into() });
    }
    work_mode(&connection)?;
    CONFIG.migrate(&mut connection)?;
    Ok(TryOpen::Opened(connection))
}

/// The schema version of a private copy that this hash opens; nothing of it is migrated.
pub fn schema_of(path: &Path, hash: &PasswordHash) -> Result<i64> {
    let connection = open_keyed(path, &DbKey::of_config_db(hash))?;
    read_first_page(&connection).map_err(failed("read schema version"))
}

/// Opens a private copy of a config DB with the password alone: tries every row of `KNOWN_PARAMETERS` and every cost of bcrypt on
/// the salt in the header. Takes seconds where the password is wrong. `None`: no candidate opens it.
pub fn open_with_password(path: &Path, password: &str) -> Result<Option<(Database, PasswordHash)>> {
    let salt = header_salt(path).map_err(|error| Error::io("open database", error))?;
    for parameters in Parameters::candidates() {
        let hash = PasswordHash::derive(password, salt, &parameters)?;
        match try_open(path, &hash)? {
            TryOpen::WrongKey => {}
            other => return other.into_result().map(|connection| Some((connection, hash))),
        }
    }
    Ok(None)
}

/// Reads every page and every index: for a staged database before it is swapped in, and for copies in tests.
pub fn check_integrity(connection: &Connection) -> Result<()> {
    for pragma in ["PRAGMA cipher_integrity_check", "PRAGMA integrity_check"] {
        let mut statement = connection.prepare(pragma).map_err(failed("check database"))?;
        let mut rows = statement.query([]).map_err(failed("check database"))?;
        while let Some(row) = rows.next().map_err(failed("check database"))? {
            let line: String = row.get(0).map_err(failed("check database"))?;
            if line != "ok" {
                return Err(Error::internal("check database", line).with_code("db_corrupt"));
            }
        }
    }
    Ok(())
}

/// Opens a file under a key. A file that is not there is made; whether the key is right, the first read tells.
pub(super) fn open_keyed(path: &Path, key: &DbKey) -> Result<Database> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Before SQLCipher does it: started in this way OpenSSL does not clean itself up at exit, under threads that still use it.
    openssl_sys::init();
    let connection = Database::new(Connection::open_with_flags(path, flags).map_err(failed("open database"))?);
    // SQLCipher writes to stderr by itself; every failure comes back as an error anyway. Process-wide, before the key.
    connection
        .query_row("PRAGMA cipher_log_level = NONE", [], |_| Ok(()))
        .or_else(none_is_fine)
        .map_err(failed("open database"))?;
    connection.pragma_update(None, "key", key.raw().as_str()).map_err(failed("open database"))?;
    let version: Result<String, _> = connection.query_row("PRAGMA cipher_version", [], |row| row.get(0));
    if !version.is_ok_and(|version| version.starts_with("4.")) {
        let message = "this build has no SQLCipher 4: it would write the database in plain text";
        return Err(Error::internal("open database", message));
    }
    Ok(connection)
}

/// The mode of a private copy: its durability is the publish step's, so SQLite needs neither journal file nor fsync.
pub(super) fn work_mode(connection: &Connection) -> Result<()> {
    connection
        .query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))
        .and_then(|()| connection.pragma_update(None, "synchronous", "OFF"))
        .and_then(|()| connection.pragma_update(None, "cache_size", CACHE))
        .map_err(failed("open database"))
}

fn read_first_page(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Schema::found(connection)
}

fn none_is_fine(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests;
