//! The published database file, as start tries hashes on it: only ever through a private copy, so nothing of it is touched.

use crate::boot::force::Database;
use crate::db::migrate::CONFIG;
use crate::db::open::{TryOpen, open_with_password, schema_of, try_open};
use crate::db::password::{OWN_PARAMETERS, PasswordHash};
use crate::db::state;
use crate::disk::atomic;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// `deltaglider_config.db`.
pub(crate) struct Published(pub(crate) PathBuf);

/// A private copy that goes away.
struct Copy(PathBuf);

impl Published {
    fn copy(&self) -> Result<Copy> {
        // A name that the sweep of the next start knows, should this process be killed.
        let copy = Copy(atomic::temp_beside(&self.0).map_err(|e| Error::io("open database", e))?);
        atomic::copy_private(&self.0, &copy.0).map_err(|e| Error::io("open database", e))?;
        Ok(copy)
    }
}

impl Published {
    /// The schema that the file has, where that is older than this program's.
    pub(crate) fn older_schema(&self, hash: &PasswordHash) -> Result<Option<i64>> {
        let found = schema_of(&self.copy()?.0, hash)?;
        Ok((found < CONFIG.version()).then_some(found))
    }
}

impl Database for Published {
    fn exists(&self) -> bool {
        // A dangling link or an unreadable directory is no absence: nothing may be made in its place.
        !matches!(self.0.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
    }

    fn open(&self, hash: &PasswordHash) -> Result<Option<State>> {
        read(&self.copy()?.0, hash)
    }

    fn open_with_password(&self, password: &Secret) -> Result<(PasswordHash, Option<State>)> {
        let copy = self.copy()?;
        if let Ok(Some((connection, hash))) = open_with_password(&copy.0, password.expose()) {
            return Ok((hash, Some(state::load(&connection)?)));
        }
        let salt = crate::db::open::header_salt(&copy.0).unwrap_or_default();
        Ok((PasswordHash::derive(password.expose(), salt, &OWN_PARAMETERS)?, None))
    }
}

/// The state in a private copy, if this hash opens it. Damage counts as not opening: the start is locked, and says so.
pub(crate) fn read(copy: &Path, hash: &PasswordHash) -> Result<Option<State>> {
    match try_open(copy, hash)? {
        TryOpen::Opened(connection) => state::load(&connection).map(Some),
        newer @ TryOpen::NewerSchema { .. } => newer.into_result().map(|_| None),
        other => {
            if let Err(error) = other.into_result() {
                log::warn!("the database does not open: {error:?}");
            }
            Ok(None)
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
