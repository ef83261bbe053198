//! The files of a swap: the new ones staged, the old ones kept for an undo, and the journal that says what goes where.

use crate::backup::handle::Tools;
use crate::backup::stage::{Next, file_name};
use crate::backup::undo::kept::{self, Kept, KeptFile};
use crate::db;
use crate::disk::{Disk, atomic};
use crate::domain::config::canonical::{self, Literals};
use crate::domain::config::{Loaded, emit};
use crate::domain::state::State;
use crate::system::staging::Staging;
use crate::system::swap::{self, Journal, Move, SwapKind};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// What becomes of the config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ConfigFile {
    /// It stays as it is, or absent.
    Kept,
    /// It becomes this text.
    Written(String),
    /// There was none, and there is none again.
    Removed,
}

/// The config file's next text, and the configuration that it says: where paths count from elsewhere from then on, they are absolute.
pub(super) fn config_text(tools: &Tools, mut next: Loaded) -> (Loaded, String) {
    if let Some(base) = tools.host.paths_from() {
        next.config = next.config.with_absolute_paths(&base);
    }
    let text = emit::emit(&canonical::file_tree(&next, Literals::Store));
    (next, text)
}

/// Writes the new files, keeps the old ones, and says what goes where.
pub(super) fn write_files(
    tools: &Tools,
    staging: &mut Staging,
    next: &Next,
    old_generation: u64,
    locked: bool,
) -> Result<Journal> {
    let (disk, dir, id) = (tools.disk.as_ref(), &tools.host.state_dir, staging.id.clone());
    let io = |error| Error::io("stage restore", error);
    let stage = swap::create_stage(disk, dir, &id)?;
    let files = tools.host.files();

    let (built, staged_db) = (stage.join("building"), stage.join(file_name(&files.config_db)));
    db::state::create(&built, &next.hash, &next.state)?;
    atomic::copy_file(disk, &built, &staged_db, 0o600).map_err(io)?;
    // A scratch file of SQLite's: it was never synced, and the staging's sweep would take it as well.
    std::fs::remove_file(&built).map_err(io)?;
    let staged_hash = stage.join(file_name(&files.hash));
    let line = format!("{}\n", next.hash.expose());
    let hash_file = next.hash_file.as_deref().unwrap_or(line.as_bytes());
    atomic::write_file(disk, &staged_hash, hash_file, 0o600).map_err(io)?;

    let mut pairs = vec![(staged_db, files.config_db.clone()), (staged_hash, files.hash)];
    let config = tools.host.config_file.path.clone();
    if let ConfigFile::Written(text) = &next.config {
        let staged = beside_config(staging, &stage, dir, &config);
        atomic::write_file(disk, &staged, text.as_bytes(), 0o600).map_err(io)?;
        keep_hand_written(disk, &config, &next.state)?;
        pairs.push((staged, config.clone()));
    }
    let removed = match next.config {
        ConfigFile::Removed if config.exists() => Some(beside_config(staging, &stage, dir, &config)),
        _ => None,
    };
    // Another password has its own way back, and a config change has the history.
    if !matches!(next.kind, SwapKind::PasswordChange | SwapKind::ConfigChange) {
        let gone: Vec<&Path> = removed.iter().map(|_| config.as_path()).collect();
        let stays = matches!(next.config, ConfigFile::Kept).then_some(config.as_path());
        keep_for_undo(tools, &id, &pairs, &gone, stays)?;
    }
    let mut moves = pairs.iter().map(|(from, to)| Move::of(dir, from, to)).collect::<Result<Vec<_>>>()?;
    // A file that goes is moved into the staging, which is swept: a journal knows nothing but renames.
    moves.extend(removed.map(|aside| Move::of(dir, &config, &aside)).transpose()?);
    if locked && files.config_db.exists() {
        // The file that nothing opens is set aside under a name of its own, beside the restored one.
        let aside = free_aside(&files.config_db, &tools.clock.now().compact());
        staging.set_aside = Some(aside.clone());
        atomic::link_or_copy(disk, &files.config_db, &aside).map_err(io)?;
    }
    let meta = &next.state.meta;
    Ok(Journal {
        version: swap::JOURNAL_VERSION,
        restore_id: id,
        kind: next.kind,
        epoch: meta.epoch,
        old_generation,
        new_generation: meta.generation,
        moves,
    })
}

/// A name for the file that nothing opens. An attempt that was killed within the same second may have left its own behind.
fn free_aside(config_db: &Path, stamp: &str) -> PathBuf {
    let named = |tail: &str| {
        let mut name = config_db.as_os_str().to_owned();
        name.push(format!(".locked-{stamp}{tail}"));
        PathBuf::from(name)
    };
    let mut aside = named("");
    for number in 2.. {
        if !aside.exists() {
            break;
        }
        aside = named(&format!("-{number}"));
    }
    aside
}

/// Where the new config file is staged: where a rename reaches its target.
fn beside_config(staging: &mut Staging, stage: &Path, state_dir: &Path, config: &Path) -> PathBuf {
    if config.parent() == Some(state_dir) {
        return stage.join(file_name(config));
    }
    let beside = swap::stage_beside(config, &staging.id);
    staging.beside = Some(beside.clone());
    beside
}

/// Keeps what is replaced and what goes, and a second name of what comes: by comparing with that an undo tells what was changed since.
///
/// A config file that stays may be changed later, where it lies: of it a copy is kept, so that an undo brings it back as well.
fn keep_for_undo(
    tools: &Tools,
    id: &str,
    pairs: &[(PathBuf, PathBuf)],
    gone: &[&Path],
    stays: Option<&Path>,
) -> Result<()> {
    let (disk, dir) = (tools.disk.as_ref(), &tools.host.state_dir);
    let io = |error| Error::io("stage restore", error);
    let undo = swap::create_undo(disk, dir, id)?;
    let restored = undo.join(kept::RESTORED);
    disk.create_dir(&restored, 0o700).map_err(io)?;
    let mut files = Vec::new();
    for to in pairs.iter().map(|(_, to)| to.as_path()).chain(gone.iter().copied()) {
        swap::keep_old(disk, to, &undo)?;
        files.push(KeptFile {
            name: file_name(to).to_string_lossy().into_owned(),
            sha256: swap::sha256_file(to).map_err(io)?,
        });
    }
    for (from, to) in pairs {
        atomic::link_or_copy(disk, from, &restored.join(file_name(to))).map_err(io)?;
    }
    if let Some(stays) = stays {
        let (name, there) = (file_name(stays), stays.exists());
        for copy in [undo.join(name), restored.join(name)].iter().filter(|_| there) {
            atomic::copy_file(disk, stays, copy, 0o600).map_err(io)?;
        }
        files.push(KeptFile {
            name: name.to_string_lossy().into_owned(),
            sha256: swap::sha256_file(&undo.join(name)).map_err(io)?,
        });
    }
    Kept::new(id, files).write(disk, &undo)?;
    disk.sync_dir(&restored).map_err(io)
}

/// Keeps a config file that somebody wrote by hand as `<name>.orig`, once: its comments do not survive the rewrite.
fn keep_hand_written(disk: &dyn Disk, config: &Path, state: &State) -> Result<()> {
    let Ok(text) = std::fs::read_to_string(config) else { return Ok(()) };
    let mut name = config.as_os_str().to_owned();
    name.push(".orig");
    let original = PathBuf::from(name);
    if original.exists() || state.config_history.values().any(|revision| revision.yaml == text) {
        return Ok(());
    }
    atomic::link_or_copy(disk, config, &original).map_err(|error| Error::io("stage restore", error))
}
