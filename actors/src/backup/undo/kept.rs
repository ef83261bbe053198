//! What a swap keeps of the state before it: the old files, and `undo.json` beside them with their sums.

use crate::backup::handle::Tools;
use crate::backup::stage::file_name;
use crate::db::open::{TryOpen, try_open};
use crate::db::password::PasswordHash;
use crate::db::state as stored;
use crate::disk::{Disk, atomic};
use crate::domain::clock::Timestamp;
use crate::domain::state::{RestoreRecord, State};
use crate::system::swap;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The folder with second names of the files that came in.
pub(in crate::backup) const RESTORED: &str = "restored";

const NAME: &str = "undo.json";
const VERSION: u32 = 1;
const OPERATION: &str = "undo";

/// Undo copies younger than this are kept, however many there are.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// The latest are kept, however old they are.
const KEPT_LAST: usize = 5;

/// `undo.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::backup) struct Kept {
    version: u32,
    restore_id: String,
    files: Vec<KeptFile>,
}

/// A file as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::backup) struct KeptFile {
    /// Its name, beside `undo.json`.
    pub(in crate::backup) name: String,
    /// SHA-256 in lower-case hex; `None` where there was no such file.
    pub(in crate::backup) sha256: Option<String>,
}

/// What was before a swap, read back.
pub(super) struct Before {
    pub(super) state: State,
    pub(super) hash: PasswordHash,
    /// The hash file, byte for byte.
    pub(super) hash_file: Vec<u8>,
    /// The config file: `None` where it was not kept, `Some(None)` where there was none.
    pub(super) config: Option<Option<String>>,
}

/// What a swap brought in, as far as it can still be read.
pub(super) struct After {
    pub(super) state: State,
    pub(super) config: Option<String>,
}

impl Kept {
    pub(in crate::backup) fn new(restore_id: &str, files: Vec<KeptFile>) -> Self {
        Self { version: VERSION, restore_id: restore_id.to_owned(), files }
    }

    pub(in crate::backup) fn write(&self, disk: &dyn Disk, undo: &Path) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::internal(OPERATION, error))?;
        atomic::write_file(disk, &undo.join(NAME), &bytes, 0o600).map_err(|error| Error::io(OPERATION, error))
    }

    fn read(undo: &Path, restore_id: &str) -> Result<Self> {
        let bytes = std::fs::read(undo.join(NAME))
            .map_err(|_| unavailable(format!("the state before restore {restore_id} is not kept any more")))?;
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(kept) if kept.version == VERSION => Ok(kept),
            _ => Err(damaged(&undo.join(NAME))),
        }
    }
}

/// Reads what was before a swap; every file must be the one that was kept.
pub(super) fn before(tools: &Tools, restore_id: &str) -> Result<Before> {
    let undo = swap::undo_dir(&tools.host.state_dir, restore_id);
    let kept = Kept::read(&undo, restore_id)?;
    for file in &kept.files {
        let found = swap::sha256_file(&undo.join(&file.name)).map_err(|error| Error::io(OPERATION, error))?;
        if found != file.sha256 {
            return Err(damaged(&undo.join(&file.name)));
        }
    }
    let files = tools.host.files();
    let hash_file = std::fs::read(undo.join(file_name(&files.hash)))
        .map_err(|_| unavailable("there was no bootstrap hash before that restore".to_owned()))?;
    let hash = PasswordHash::parse(String::from_utf8_lossy(&hash_file).trim())?;
    let Some(state) = open(tools, &undo.join(file_name(&files.config_db)), &hash)? else {
        return Err(unavailable(format!(
            "no hash opened the database before that restore; it lies in {} as it was",
            undo.display()
        )));
    };
    let config = kept.files.iter().find(|file| file.name == *file_name(&tools.host.config_file.path).to_string_lossy());
    let config = match config {
        None => None,
        Some(KeptFile { sha256: None, .. }) => Some(None),
        Some(file) => {
            let text = std::fs::read_to_string(undo.join(&file.name)).map_err(|e| Error::io(OPERATION, e))?;
            Some(Some(text))
        }
    };
    Ok(Before { state, hash, hash_file, config })
}

/// Reads what a swap brought in: only for telling what was changed since.
pub(super) fn after(tools: &Tools, restore_id: &str, before: &Before) -> Option<After> {
    let restored = swap::undo_dir(&tools.host.state_dir, restore_id).join(RESTORED);
    let files = tools.host.files();
    let text = std::fs::read_to_string(restored.join(file_name(&files.hash))).ok()?;
    let hash = PasswordHash::parse(text.trim()).ok()?;
    let state = open(tools, &restored.join(file_name(&files.config_db)), &hash).ok()??;
    let config = std::fs::read_to_string(restored.join(file_name(&tools.host.config_file.path))).ok();
    // Where it is known what there was before, no file means that there was none afterwards.
    let config = config.or_else(|| before.config.is_some().then(String::new));
    Some(After { state, config })
}

/// The last restore or undo: the one that began the epoch in force. No clock is asked, which may have been set back since.
pub fn last(state: &State) -> Option<&Arc<RestoreRecord>> {
    state.restores.values().find(|record| epoch(record) == Some(state.meta.epoch))
}

/// The restores whose replaced files are kept: the last five, and all of the last 30 days.
pub fn undo_kept(state: &State, now: Timestamp) -> BTreeSet<String> {
    let mut records: Vec<_> = state.restores.values().collect();
    records.sort_by_key(|record| std::cmp::Reverse((epoch(record), record.at)));
    let kept =
        records.iter().enumerate().filter(|(place, record)| *place < KEPT_LAST || now.since(record.at) < KEPT_FOR);
    kept.map(|(_, record)| record.restore_id.clone()).collect()
}

fn epoch(record: &RestoreRecord) -> Option<u64> {
    record.outcome.get("epoch").and_then(serde_json::Value::as_u64)
}

/// The state in a database file, if this hash opens it: through a private copy, whose name the next start sweeps.
fn open(tools: &Tools, file: &Path, hash: &PasswordHash) -> Result<Option<State>> {
    let io = |error| Error::io(OPERATION, error);
    let copy = Scratch(atomic::temp_beside(&tools.host.files().config_db).map_err(io)?);
    atomic::copy_private(file, &copy.0).map_err(io)?;
    match try_open(&copy.0, hash)? {
        TryOpen::Opened(connection) => stored::load(&connection).map(Some),
        _ => Ok(None),
    }
}

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn unavailable(message: String) -> Error {
    Error::new(ErrorKind::Conflict, OPERATION, format!("{message}; nothing was changed"))
        .with_code("undo_unavailable")
        .with_hint("restore a Full Backup of the state that you want")
}

fn damaged(path: &Path) -> Error {
    unavailable(format!("{} is not what was kept", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(number: u64, days: i64) -> Arc<RestoreRecord> {
        Arc::new(RestoreRecord {
            restore_id: format!("r{number}"),
            at: Timestamp::from_secs(days * 86_400),
            actor: "a".into(),
            outcome: json!({ "epoch": number }),
        })
    }

    #[test]
    fn the_last_five_and_the_last_thirty_days_are_kept() {
        let mut state = State::default();
        // The clock was set back before the eighth: what came last is told by epochs.
        for (number, days) in [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50), (6, 60), (7, 61), (8, 15)] {
            state.restores.insert(format!("r{number}"), record(number, days));
        }
        let kept = |day: i64| undo_kept(&state, Timestamp::from_secs(day * 86_400)).into_iter().collect::<Vec<_>>();
        assert_eq!(kept(1000), ["r4", "r5", "r6", "r7", "r8"]);
        assert_eq!(kept(59), ["r3", "r4", "r5", "r6", "r7", "r8"]);
        state.meta.epoch = 8;
        assert_eq!(last(&state).unwrap().restore_id, "r8");
        state.meta.epoch = 9;
        assert_eq!(last(&state), None);
    }
}
