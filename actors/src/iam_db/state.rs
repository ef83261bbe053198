//! The private work copy of the config DB: made from the published file, thrown away after any error.

use crate::db::database::Database;
use crate::db::open::try_open;
use crate::db::password::PasswordHash;
use crate::db::{publish, state};
use crate::disk::{SharedDisk, atomic};
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Side files that SQLite might leave beside a database that something opened in place.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The work copy and what it is a copy of.
pub(super) struct WorkCopy {
    published: PathBuf,
    /// `None` while no hash opens the published file.
    hash: Option<PasswordHash>,
    disk: SharedDisk,
    connection: Option<Database>,
}

impl WorkCopy {
    pub(super) fn new(published: PathBuf, hash: Option<PasswordHash>, disk: SharedDisk) -> Self {
        Self { published, hash, disk, connection: None }
    }

    /// Writes the difference of two states and publishes the file. After any error nothing of it is left.
    pub(super) fn write(&mut self, old: &State, new: &State) -> Result<()> {
        let outcome = self.try_write(old, new);
        if outcome.is_err() {
            self.discard();
        }
        outcome
    }

    fn try_write(&mut self, old: &State, new: &State) -> Result<()> {
        let work = self.work_path();
        state::write(self.connection()?, old, new)?;
        publish::publish(self.disk.as_ref(), &work, &self.published)
    }

    /// Reads the published file, through a fresh work copy.
    pub(super) fn load(&mut self) -> Result<State> {
        self.discard();
        let outcome = self.connection().and_then(|connection| state::load(connection));
        if outcome.is_err() {
            self.discard();
        }
        outcome
    }

    /// Lets go of the file, so that a swap may replace it.
    pub(super) fn close(&mut self) -> Result<()> {
        self.discard();
        for side in SIDE_FILES {
            let path = beside(&self.published, side);
            if path.exists() {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "iam_db",
                    format!(
                        "{} lies beside the database: something else has it open; nothing was changed",
                        path.display()
                    ),
                )
                .with_hint("stop what has the database open, remove that file, and try again"));
            }
        }
        Ok(())
    }

    /// Takes the file that is there now, under this hash.
    pub(super) fn take(&mut self, hash: PasswordHash) -> Result<()> {
        self.hash = Some(hash);
        self.discard();
        self.connection().map(|_| ())
    }

    /// Throws the work copy away; the next use makes it anew from the published file.
    pub(super) fn discard(&mut self) {
        self.connection = None;
        let work = self.work_path();
        for path in SIDE_FILES.iter().map(|side| beside(&work, side)).chain([work.clone()]) {
            let _ = std::fs::remove_file(path);
        }
    }

    fn connection(&mut self) -> Result<&mut Database> {
        if self.connection.is_none() {
            let hash = self.hash.as_ref().ok_or_else(|| {
                Error::new(ErrorKind::Locked, "iam_db", "no hash opens the database; nothing was changed")
                    .with_code("db_key_mismatch")
            })?;
            let work = self.work_path();
            atomic::copy_private(&self.published, &work).map_err(|e| Error::io("iam_db", e))?;
            self.connection = Some(try_open(&work, hash)?.into_result()?);
        }
        self.connection.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "iam_db", "no work copy"))
    }

    fn work_path(&self) -> PathBuf {
        beside(&self.published, ".work")
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(all(test, feature = "faults"))]
mod tests {
    use super::*;
    use crate::disk::powercut::every_fsync_is_needed;
    use crate::disk::recording::RecordingDisk;
    use crate::domain::secret::Secret;
    use std::sync::Arc;

    fn with_secret(number: usize) -> State {
        let mut state = State::default();
        state.meta.generation = number as u64;
        (0..number).for_each(|n| drop(state.secrets.insert(format!("s{n}"), Secret::new("v"))));
        state
    }

    /// Two changes of the state under the power-cut model: the published file is always whole, and never older than what was
    /// acknowledged.
    #[test]
    fn a_power_cut_never_takes_an_acknowledged_change() {
        let dir = tempfile::tempdir().unwrap();
        let hash = PasswordHash::make("some-password").unwrap();
        let published = dir.path().join("deltaglider_config.db");
        state::create(&published, &hash, &with_secret(0)).unwrap();
        let disk = RecordingDisk::new(dir.path()).unwrap();
        let mut work = WorkCopy::new(published, Some(hash.clone()), Arc::new(disk.clone()));
        for number in 1..=2 {
            work.write(&with_secret(number - 1), &with_secret(number)).unwrap();
            disk.mark(number.to_string());
        }
        every_fsync_is_needed(&disk.record(), |root, acknowledged| {
            let copy = root.join("copy");
            std::fs::copy(root.join("deltaglider_config.db"), &copy).map_err(|error| error.to_string())?;
            let opened = try_open(&copy, &hash).and_then(crate::db::open::TryOpen::into_result);
            let found = opened.and_then(|connection| state::load(&connection)).map_err(|error| format!("{error:?}"))?;
            let generation = found.meta.generation as usize;
            if found != with_secret(generation) || generation < acknowledged.len() {
                return Err(format!("generation {generation} after {acknowledged:?}"));
            }
            Ok(())
        });
    }

    /// A publish that fails leaves no trace in the next one.
    #[test]
    fn a_change_that_failed_never_surfaces() {
        use crate::fault::{Fault, arm};
        let dir = tempfile::tempdir().unwrap();
        let hash = PasswordHash::make("some-password").unwrap();
        let published = dir.path().join("deltaglider_config.db");
        state::create(&published, &hash, &with_secret(1)).unwrap();
        let mut work = WorkCopy::new(published, Some(hash), Arc::new(crate::disk::real::RealDisk));
        for point in ["db.publish.before", "db.publish.after_copy", "db.publish.after_rename"] {
            arm(point, Fault::Error, 1);
            assert!(work.write(&with_secret(1), &with_secret(3)).is_err(), "{point}");
            assert_eq!(work.load().unwrap(), with_secret(1), "{point}");
        }
        work.write(&with_secret(1), &with_secret(2)).unwrap();
        assert_eq!(work.load().unwrap(), with_secret(2));
    }
}
