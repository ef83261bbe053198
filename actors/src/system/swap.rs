//! The journalled swap: several files become visible at once, or not at all, whatever dies in between.
//!
//! The order is: stage every file ([`create_stage`], [`keep_old`]), [`seal`] the staging, [`write_journal`] (the commit point),
//! [`roll_forward`], [`finish`]. An error before `write_journal` means: remove the staging, nothing has changed. An error from its
//! first step to the end of `finish` means: end the process; [`recover`] at the next start completes the swap.

mod recover;
mod stage;
#[cfg(all(test, feature = "faults"))]
mod tests;

pub use self::recover::{RecoverError, Recovery, read_journal, recover};
pub use self::stage::{
    create_stage, create_undo, discard_stage, keep_old, prune_undo, remove_tree, seal, stage_beside, stage_dir,
    sweep_beside, undo_dir,
};

use crate::disk::Disk;
use crate::disk::atomic::{parent, replace_file};
use crate::{Error, ErrorKind, Result, fault};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The journal's name in the state directory.
pub const JOURNAL: &str = "restore.journal";

/// The version of the journal that this program writes and reads.
pub const JOURNAL_VERSION: u32 = 1;

const OPERATION: &str = "swap";

/// What a swap will do, written before it does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// [`JOURNAL_VERSION`].
    pub version: u32,
    /// Names the swap and its directories: a UUID.
    pub restore_id: String,
    /// What the swap is for.
    pub kind: SwapKind,
    /// The epoch of the new state.
    pub epoch: u64,
    /// The generation that is replaced.
    pub old_generation: u64,
    /// The generation of the new state.
    pub new_generation: u64,
    /// The renames. No path occurs twice: what sets a file aside moves a link to it that was staged ([`keep_old`]).
    pub moves: Vec<Move>,
}

/// One rename of a swap. Paths are absolute or relative to the state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The staged file, on the same file system as its target.
    pub from: PathBuf,
    /// The file that it replaces.
    pub to: PathBuf,
    /// SHA-256 of the file that is replaced, in lower-case hex; `None` where there is none.
    pub old_sha256: Option<String>,
    /// SHA-256 of the staged file.
    pub new_sha256: String,
}

/// What a swap is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwapKind {
    /// The first files of an instance.
    Initialise,
    /// An archive or a database file is restored.
    Restore,
    /// The state before the last restore comes back.
    Undo,
    /// The bootstrap password changes.
    PasswordChange,
    /// The database is keyed to another hash.
    Rekey,
    /// The database gets a newer schema.
    Migration,
    /// A config change that also writes the database.
    ConfigChange,
}

impl fmt::Display for SwapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initialise => "initialise",
            Self::Restore => "restore",
            Self::Undo => "undo",
            Self::PasswordChange => "password_change",
            Self::Rekey => "rekey",
            Self::Migration => "migration",
            Self::ConfigChange => "config_change",
        })
    }
}

impl Move {
    /// The move of a staged file to its target, with the sums of both. What lies in the state directory is named relative to it,
    /// so that a state directory that was moved after a crash still recovers.
    pub fn of(state_dir: &Path, from: &Path, to: &Path) -> Result<Self> {
        let sum = |path| sha256_file(path).map_err(|error| Error::io(OPERATION, error));
        let named = |path: &Path| path.strip_prefix(state_dir).unwrap_or(path).to_owned();
        let new_sha256 =
            sum(from)?.ok_or_else(|| Error::internal(OPERATION, format!("{} is not staged", from.display())))?;
        Ok(Self { from: named(from), to: named(to), old_sha256: sum(to)?, new_sha256 })
    }
}

impl Journal {
    /// The directories in which a move takes or gives a name.
    fn directories(&self, state_dir: &Path) -> io::Result<BTreeSet<PathBuf>> {
        let mut directories = BTreeSet::new();
        for one in &self.moves {
            for path in [&one.from, &one.to] {
                directories.insert(parent(&state_dir.join(path))?.to_owned());
            }
        }
        Ok(directories)
    }

    fn path_named_twice(&self, state_dir: &Path) -> Option<PathBuf> {
        let mut seen = BTreeSet::new();
        self.moves
            .iter()
            .flat_map(|one| [&one.from, &one.to])
            .map(|path| state_dir.join(path))
            .find(|path| !seen.insert(path.clone()))
    }
}

/// Writes the journal, performs the moves and removes the journal: a swap in which nobody has to act in between.
pub fn commit(disk: &dyn Disk, state_dir: &Path, journal: &Journal) -> Result<()> {
    write_journal(disk, state_dir, journal)?;
    roll_forward(disk, state_dir, journal)?;
    finish(disk, state_dir, journal)
}

/// The commit point. After `Ok` the swap will be completed, by this process or by the next start.
pub fn write_journal(disk: &dyn Disk, state_dir: &Path, journal: &Journal) -> Result<()> {
    if let Some(path) = journal.path_named_twice(state_dir) {
        return Err(Error::internal(OPERATION, format!("{} occurs twice in the moves", path.display())));
    }
    let path = state_dir.join(JOURNAL);
    if path.symlink_metadata().is_ok() {
        let message = "a swap is not finished yet; restart the server, which finishes it first";
        return Err(Error::new(ErrorKind::Conflict, OPERATION, message).with_code("restore_in_progress"));
    }
    let bytes = serde_json::to_vec_pretty(journal).map_err(|error| Error::internal(OPERATION, error))?;
    io_step(fault::fallible("swap.before_journal"))?;
    io_step(replace_file(disk, &path, &bytes, 0o600))?;
    io_step(fault::fallible("swap.after_journal"))
}

/// Performs the moves and makes them durable.
pub fn roll_forward(disk: &dyn Disk, state_dir: &Path, journal: &Journal) -> Result<()> {
    for (n, one) in journal.moves.iter().enumerate() {
        io_step(disk.rename(&state_dir.join(&one.from), &state_dir.join(&one.to)))?;
        io_step(fault::fallible(&format!("swap.after_move.{n}")))?;
    }
    io_step(sync_moves(disk, state_dir, journal))
}

/// Removes the journal: from here on the files may change again.
pub fn finish(disk: &dyn Disk, state_dir: &Path, journal: &Journal) -> Result<()> {
    io_step(fault::fallible("swap.before_finish"))?;
    io_step(remove_journal(disk, state_dir))?;
    io_step(fault::fallible("swap.after_finish"))?;
    discard_stage(disk, state_dir, &journal.restore_id);
    Ok(())
}

/// SHA-256 of a file in lower-case hex, or `None` where there is no such file.
pub fn sha256_file(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(Some(hex::encode(hash.finalize()))),
            Ok(n) => hash.update(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn sync_moves(disk: &dyn Disk, state_dir: &Path, journal: &Journal) -> io::Result<()> {
    for directory in journal.directories(state_dir)? {
        sync_if_there(disk, &directory)?;
    }
    Ok(())
}

/// A directory that is gone (the staging, removed by hand after a crash) has no name to keep.
fn sync_if_there(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    match disk.sync_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced,
    }
}

fn remove_journal(disk: &dyn Disk, state_dir: &Path) -> io::Result<()> {
    disk.remove_file(&state_dir.join(JOURNAL))?;
    disk.sync_dir(state_dir)
}

fn io_step(done: io::Result<()>) -> Result<()> {
    done.map_err(|error| Error::io(OPERATION, error))
}
