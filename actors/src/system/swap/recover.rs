//! The first thing a start does: complete the swap that a crash broke off, or sweep what never was one.

use super::stage::{Swept, holds_a_finished_swap, sweep};
use super::{JOURNAL, JOURNAL_VERSION, Journal, Move, SwapKind, remove_journal, sha256_file, sync_moves};
use crate::disk::Disk;
use crate::fault;
use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// What a start found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing to do.
    Clean,
    /// The staging of a swap that never committed is removed; the state is the old one.
    Swept,
    /// Leftovers of a swap that was finished are removed; the state is the new one.
    SweptFinished,
    /// Files of single writes that were broken off are removed; no swap had been begun.
    Tidied,
    /// A committed swap is completed; the state is the new one.
    RolledForward {
        /// The swap's id.
        restore_id: String,
        /// What it was for.
        kind: SwapKind,
    },
}

/// Why a start cannot go on. Where the journal or a file is not as it must be, nothing was touched.
#[derive(Debug)]
pub enum RecoverError {
    /// The journal cannot be read or is of another version.
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is neither the staged nor the swapped one.
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An operation failed; the next try goes on from here.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl RecoverError {
    /// The file that the operator has to look at.
    pub fn path(&self) -> &Path {
        match self {
            Self::Journal { path, .. } | Self::Mismatch { path, .. } | Self::Io { path, .. } => path,
        }
    }
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match self {
            Self::Journal { reason, .. } => {
                write!(f, "the journal {path} cannot be used: {reason}; nothing was changed")
            }
            Self::Mismatch { reason, .. } => {
                write!(f, "the swap in {JOURNAL} cannot be completed: {path} {reason}; nothing was changed")
            }
            Self::Io { source, .. } => write!(f, "recovery failed at {path}: {source}"),
        }
    }
}

impl StdError for RecoverError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Journal { .. } | Self::Mismatch { .. } => None,
        }
    }
}

/// Brings the state to exactly the old or exactly the new. To be called under the state directory's lock, before anything is read.
///
/// It may be broken off at any point and called again.
pub fn recover(disk: &dyn Disk, state_dir: &Path) -> Result<Recovery, RecoverError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| RecoverError::Io { path, source }
    };
    // A killed process leaves in memory what a power cut may still take back: a journal, and then no move may become durable before
    // it; or the removal of a journal, and then no change may become durable before that.
    disk.sync_dir(state_dir).map_err(at(state_dir))?;
    let Some(journal) = read_journal(state_dir)? else {
        let finished = holds_a_finished_swap(state_dir);
        let swept = sweep(disk, state_dir).map_err(at(state_dir))?;
        return Ok(match swept {
            Swept { staging: true, .. } if finished => Recovery::SweptFinished,
            Swept { staging: true, .. } => Recovery::Swept,
            Swept { writes: true, .. } => Recovery::Tidied,
            Swept { .. } => Recovery::Clean,
        });
    };
    // Every move is checked before the first is performed, so that a mismatch touches nothing.
    let mut left = Vec::new();
    for one in &journal.moves {
        if is_left(state_dir, one)? {
            left.push(one);
        }
    }
    for (n, one) in left.iter().enumerate() {
        let (from, to) = (state_dir.join(&one.from), state_dir.join(&one.to));
        disk.rename(&from, &to).map_err(at(&to))?;
        // A power cut may have left the file under both names, and rename(2) does nothing with two names of one file.
        if from.symlink_metadata().is_ok() {
            disk.remove_file(&from).map_err(at(&from))?;
        }
        fault::fallible(&format!("swap.recover.after_move.{n}")).map_err(at(&to))?;
    }
    // Also for moves that were done before: they may be in memory only.
    sync_moves(disk, state_dir, &journal).map_err(at(state_dir))?;
    fault::fallible("swap.recover.before_finish").map_err(at(state_dir))?;
    remove_journal(disk, state_dir).map_err(at(&state_dir.join(JOURNAL)))?;
    sweep(disk, state_dir).map_err(at(state_dir))?;
    Ok(Recovery::RolledForward { restore_id: journal.restore_id, kind: journal.kind })
}

/// The journal of a swap that is not finished, if there is one.
pub fn read_journal(state_dir: &Path) -> Result<Option<Journal>, RecoverError> {
    let path = state_dir.join(JOURNAL);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RecoverError::Io { path, source }),
    };
    let unusable = |reason: String| RecoverError::Journal { path: path.clone(), reason };
    // The version is read first: the rest of a newer journal may have any shape.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(JOURNAL_VERSION) => {}
        Some(version) => {
            return Err(unusable(format!("version {version} was written by a newer program; start that one")));
        }
        None => return Err(unusable("it names no version".to_owned())),
    }
    serde_json::from_value(value).map(Some).map_err(|error| unusable(error.to_string()))
}

/// True where the move is still to be done, false where it was done.
fn is_left(state_dir: &Path, one: &Move) -> Result<bool, RecoverError> {
    let (from, to) = (state_dir.join(&one.from), state_dir.join(&one.to));
    let hash = |path: &Path| sha256_file(path).map_err(|source| RecoverError::Io { path: path.to_owned(), source });
    let wrong = |path: PathBuf, reason: &str| Err(RecoverError::Mismatch { path, reason: reason.to_owned() });
    match hash(&from)? {
        Some(sum) if sum == one.new_sha256 => Ok(true),
        Some(_) => wrong(from, "is not the file that was staged"),
        None => match hash(&to)? {
            Some(sum) if sum == one.new_sha256 => Ok(false),
            Some(_) => wrong(to, "is not the new file, and the staged one is gone"),
            None => wrong(to, "is missing, and the staged file is gone"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::real::RealDisk;
    use crate::system::swap::{create_stage, seal, write_journal};

    const ID: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";

    /// Where the file that will be named lies, and what spoils it.
    type Spoilt = (&'static str, fn(&Path));

    /// A state directory in which a swap of `db` and `hash` was committed, and nothing moved yet.
    fn committed() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path();
        let stage = create_stage(&RealDisk, state, ID).unwrap();
        let mut moves = Vec::new();
        for name in ["db", "hash"] {
            fs::write(state.join(name), format!("old {name}")).unwrap();
            fs::write(stage.join(name), format!("new {name}")).unwrap();
            moves.push(Move {
                from: stage.join(name),
                to: name.into(),
                old_sha256: sha256_file(&state.join(name)).unwrap(),
                new_sha256: sha256_file(&stage.join(name)).unwrap().unwrap(),
            });
        }
        let journal = Journal {
            version: JOURNAL_VERSION,
            restore_id: ID.to_owned(),
            kind: SwapKind::PasswordChange,
            epoch: 1,
            old_generation: 4,
            new_generation: 5,
            moves,
        };
        seal(&RealDisk, state, &journal).unwrap();
        write_journal(&RealDisk, state, &journal).unwrap();
        assert_eq!(read_journal(state).unwrap(), Some(journal));
        dir
    }

    fn content(dir: &Path) -> [String; 2] {
        ["db", "hash"].map(|name| fs::read_to_string(dir.join(name)).unwrap_or_default())
    }

    #[test]
    fn a_committed_swap_is_completed_once() {
        let dir = committed();
        let expected = Recovery::RolledForward { restore_id: ID.to_owned(), kind: SwapKind::PasswordChange };
        assert_eq!(recover(&RealDisk, dir.path()).unwrap(), expected);
        assert_eq!(content(dir.path()), ["new db", "new hash"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(recover(&RealDisk, dir.path()).unwrap(), Recovery::Clean);
    }

    #[test]
    fn what_never_committed_is_swept() {
        let dir = committed();
        fs::remove_file(dir.path().join(JOURNAL)).unwrap();
        fs::write(dir.path().join(format!(".db.{ID}.tmp")), "half").unwrap();
        fs::write(dir.path().join(".mine.tmp"), "not ours").unwrap();
        assert_eq!(recover(&RealDisk, dir.path()).unwrap(), Recovery::Swept);
        assert_eq!(content(dir.path()), ["old db", "old hash"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_is_left_of_a_finished_swap_is_told_from_what_never_committed() {
        let dir = committed();
        let journal = read_journal(dir.path()).unwrap().unwrap();
        crate::system::swap::roll_forward(&RealDisk, dir.path(), &journal).unwrap();
        remove_journal(&RealDisk, dir.path()).unwrap();
        assert!(!dir.path().join(JOURNAL).exists());
        assert_eq!(recover(&RealDisk, dir.path()).unwrap(), Recovery::SweptFinished);
        assert_eq!(content(dir.path()), ["new db", "new hash"]);
        fs::write(dir.path().join(format!(".db.{ID}.tmp")), "half").unwrap();
        assert_eq!(recover(&RealDisk, dir.path()).unwrap(), Recovery::Tidied);
        assert_eq!(recover(&RealDisk, dir.path()).unwrap(), Recovery::Clean);
    }

    #[test]
    fn a_file_that_fits_neither_state_is_named_and_nothing_is_touched() {
        let cases: [Spoilt; 3] = [
            ("swap", |dir| fs::write(dir.join("swap").join(ID).join("hash"), "other").unwrap()),
            ("hash", |dir| fs::remove_file(dir.join("swap").join(ID).join("hash")).unwrap()),
            ("hash", |dir| {
                fs::remove_file(dir.join("swap").join(ID).join("hash")).unwrap();
                fs::remove_file(dir.join("hash")).unwrap();
            }),
        ];
        for (named, spoil) in cases {
            let dir = committed();
            spoil(dir.path());
            let before = content(dir.path());
            let error = recover(&RealDisk, dir.path()).unwrap_err();
            assert!(matches!(error, RecoverError::Mismatch { .. }), "{error}");
            assert!(error.path().starts_with(dir.path().join(named)) && error.path().ends_with("hash"), "{error}");
            assert_eq!(content(dir.path()), before);
            assert!(dir.path().join(JOURNAL).exists());
        }
    }

    #[test]
    fn a_journal_of_another_version_or_shape_is_left_alone() {
        for journal in [r#"{"version": 2, "steps": []}"#, r#"{"moves": []}"#, r#"{"version": 1}"#, "{", ""] {
            let dir = committed();
            fs::write(dir.path().join(JOURNAL), journal).unwrap();
            let error = recover(&RealDisk, dir.path()).unwrap_err();
            assert!(matches!(error, RecoverError::Journal { .. }), "{error}");
            assert_eq!(content(dir.path()), ["old db", "old hash"]);
            assert!(dir.path().join("swap").join(ID).join("db").exists());
        }
    }

    #[test]
    fn a_second_swap_waits_for_the_first_and_names_no_path_twice() {
        let dir = committed();
        let mut journal = read_journal(dir.path()).unwrap().unwrap();
        let error = write_journal(&RealDisk, dir.path(), &journal).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Conflict);
        recover(&RealDisk, dir.path()).unwrap();
        journal.moves[1].from = journal.moves[0].to.clone();
        assert!(write_journal(&RealDisk, dir.path(), &journal).is_err());
        assert!(!dir.path().join(JOURNAL).exists());
    }
}
