//! The directories around a swap: what is staged for it, what is kept for undo, and what is swept.

use super::{JOURNAL, Journal, OPERATION, io_step, sync_if_there};
use crate::disk::Disk;
use crate::disk::atomic::{is_temp_name, link_or_copy, parent};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const STAGING: &str = "swap";
const UNDO: &str = "undo";
const PRIVATE: u32 = 0o700;

/// Where the files of a swap are staged: `<state_dir>/swap/<id>`.
pub fn stage_dir(state_dir: &Path, id: &str) -> PathBuf {
    state_dir.join(STAGING).join(id)
}

/// Where the files that a swap replaces are kept: `<state_dir>/undo/<id>`.
pub fn undo_dir(state_dir: &Path, id: &str) -> PathBuf {
    state_dir.join(UNDO).join(id)
}

/// Where the new file for a target outside the state directory is staged: `.<name>.<id>` beside it.
pub fn stage_beside(target: &Path, id: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{id}"));
    target.with_file_name(name)
}

/// Makes the directory in which a swap is staged; [`seal`] makes it durable.
pub fn create_stage(disk: &dyn Disk, state_dir: &Path, id: &str) -> Result<PathBuf> {
    create_private(disk, state_dir, STAGING, id)
}

/// Makes the directory in which the replaced files are kept; [`seal`] makes it durable.
pub fn create_undo(disk: &dyn Disk, state_dir: &Path, id: &str) -> Result<PathBuf> {
    create_private(disk, state_dir, UNDO, id)
}

/// Keeps a file that will be replaced, by a hard link (or a synced copy where the file system has none) of the same name in `dir`.
///
/// `None` where there is no such file.
pub fn keep_old(disk: &dyn Disk, file: &Path, dir: &Path) -> Result<Option<PathBuf>> {
    let kept = dir.join(file.file_name().unwrap_or_default());
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(OPERATION, error)),
        Ok(_) => io_step(link_or_copy(disk, file, &kept)).map(|()| Some(kept)),
    }
}

/// Makes the names of everything that was staged and kept durable: the last step before the commit point.
///
/// The content is synced by whoever wrote it. The staging gets a copy of the journal, for the log of a start that finds what a killed
/// process left of it; it decides nothing, so it is not synced.
pub fn seal(disk: &dyn Disk, state_dir: &Path, journal: &Journal) -> Result<()> {
    let stage = stage_dir(state_dir, &journal.restore_id);
    if stage.is_dir() {
        let bytes = serde_json::to_vec(journal).map_err(|error| Error::internal(OPERATION, error))?;
        io_step(disk.create_file(&stage.join(JOURNAL), 0o600).and_then(|mut file| file.write_all(&bytes)))?;
    }
    let mut directories = BTreeSet::from([state_dir.to_owned()]);
    for one in &journal.moves {
        let staged = state_dir.join(&one.from);
        directories.insert(parent(&staged).map_err(|error| Error::io(OPERATION, error))?.to_owned());
    }
    for dir in [stage_dir(state_dir, &journal.restore_id), undo_dir(state_dir, &journal.restore_id)] {
        if dir.is_dir() {
            directories.extend(dir.parent().map(Path::to_owned));
            directories.insert(dir);
        }
    }
    directories.iter().try_for_each(|dir| io_step(sync_if_there(disk, dir)))
}

/// Removes the staging of a swap that is over or was given up. What cannot be removed is swept at the next start.
pub fn discard_stage(disk: &dyn Disk, state_dir: &Path, id: &str) {
    if let Err(error) = remove_tree(disk, &stage_dir(state_dir, id)) {
        log::warn!("could not remove the staging of {id}: {error}");
    }
}

/// Removes what swaps that never committed, and writes that never ended, left beside a file: `.<name>.<uuid>` and `.<name>.<uuid>.tmp`.
///
/// For targets outside the state directory; to be called when no journal is there.
pub fn sweep_beside(disk: &dyn Disk, target: &Path) -> io::Result<()> {
    let stem = format!(".{}.", target.file_name().unwrap_or_default().to_string_lossy());
    for entry in fs::read_dir(parent(target)?)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&stem)) else { continue };
        let id = rest.strip_suffix(".tmp").unwrap_or(rest);
        if id.len() == 36 && uuid::Uuid::try_parse(id).is_ok() && entry.file_type()?.is_file() {
            disk.remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a directory and all in it, without following links. True where there was one.
pub fn remove_tree(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(disk, &entry.path())?;
        } else {
            disk.remove_file(&entry.path())?;
        }
    }
    disk.remove_dir(dir)?;
    Ok(true)
}

/// True where all that a staging was sealed with has gone to its place: the swap was finished, and only its staging stayed.
pub(super) fn holds_a_finished_swap(state_dir: &Path) -> bool {
    let stages = fs::read_dir(state_dir.join(STAGING)).into_iter().flatten().flatten();
    let mut sealed = stages.filter_map(|stage| fs::read(stage.path().join(JOURNAL)).ok());
    sealed.any(|bytes| {
        let journal = serde_json::from_slice::<Journal>(&bytes);
        journal.is_ok_and(|journal| journal.moves.iter().all(|one| !state_dir.join(&one.from).exists()))
    })
}

/// What a sweep found.
pub(super) struct Swept {
    /// Something that was staged for a swap.
    pub(super) staging: bool,
    /// Temporary files of single writes.
    pub(super) writes: bool,
}

/// Removes all staging and our temporary files in the state directory.
///
/// Nothing is synced: what a power cut brings back is swept again.
pub(super) fn sweep(disk: &dyn Disk, state_dir: &Path) -> io::Result<Swept> {
    // The empty directory that a finished swap leaves is nothing that an unfinished one had staged.
    let staging = state_dir.join(STAGING);
    let empty = fs::read_dir(&staging).is_ok_and(|mut entries| entries.next().is_none());
    let mut swept = Swept { staging: remove_tree(disk, &staging)? && !empty, writes: false };
    for entry in fs::read_dir(state_dir)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_temp_name) && entry.file_type()?.is_file() {
            disk.remove_file(&entry.path())?;
            swept.writes = true;
        }
    }
    Ok(swept)
}

/// Removes the kept files of swaps that are not in `keep`: of old ones, and of those that never came to their commit point.
pub fn prune_undo(disk: &dyn Disk, state_dir: &Path, keep: &BTreeSet<String>) -> io::Result<()> {
    let entries = match fs::read_dir(state_dir.join(UNDO)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !keep.contains(entry.file_name().to_string_lossy().as_ref()) {
            remove_tree(disk, &entry.path())?;
        }
    }
    Ok(())
}

fn create_private(disk: &dyn Disk, state_dir: &Path, folder: &str, id: &str) -> Result<PathBuf> {
    let folder = state_dir.join(folder);
    match disk.create_dir(&folder, PRIVATE) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::io(OPERATION, error)),
        _ => {}
    }
    let dir = folder.join(id);
    io_step(disk.create_dir(&dir, PRIVATE))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::real::RealDisk;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    const ID: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";

    #[test]
    fn the_old_file_is_kept_by_a_link_in_a_private_directory() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("db");
        fs::write(&file, "old").unwrap();
        let undo = create_undo(&RealDisk, dir.path(), ID).unwrap();
        assert_eq!(undo, undo_dir(dir.path(), ID));
        assert_eq!(fs::metadata(&undo).unwrap().permissions().mode() & 0o777, PRIVATE);
        let kept = keep_old(&RealDisk, &file, &undo).unwrap().unwrap();
        assert_eq!(fs::metadata(&kept).unwrap().ino(), fs::metadata(&file).unwrap().ino());
        assert_eq!(keep_old(&RealDisk, &dir.path().join("none"), &undo).unwrap(), None);
    }

    #[test]
    fn a_staging_is_made_once_and_goes_whole() {
        let dir = tempfile::tempdir().unwrap();
        let stage = create_stage(&RealDisk, dir.path(), ID).unwrap();
        assert!(create_stage(&RealDisk, dir.path(), ID).is_err());
        fs::create_dir(stage.join("inner")).unwrap();
        fs::write(stage.join("inner/db"), "new").unwrap();
        discard_stage(&RealDisk, dir.path(), ID);
        assert!(!stage.exists());
    }

    #[test]
    fn only_our_leftovers_beside_a_target_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("config.yaml");
        let staged = stage_beside(&target, ID);
        let keep = [".config.yaml.bak", "config.yaml", ".other.yaml.6f9619ff-8b86-4011-b42d-00c04fc964ff"];
        fs::write(&staged, "").unwrap();
        fs::write(crate::disk::atomic::temp_beside(&target).unwrap(), "").unwrap();
        keep.iter().for_each(|name| fs::write(dir.path().join(name), "").unwrap());
        sweep_beside(&RealDisk, &target).unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [keep[0], keep[2], keep[1]].map(OsString::from));
    }
}
