//! Stored backups in a directory: private files, each written whole and durably under its name, or not there at all.

use crate::disk::{Disk, DiskFile, atomic};
use crate::domain::stored::StoredName;
use crate::zipper::Source;
use crate::zipper::source::check_length;
use crate::{Error, ErrorKind, Result, fault};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

const OPERATION: &str = "stored backups";
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIR: u32 = 0o700;

/// One file that is there.
pub(super) struct Found {
    pub(super) name: StoredName,
    pub(super) bytes: u64,
}

/// The backups in a directory; none where there is no directory yet.
pub(super) fn list(directory: &Path) -> Result<Vec<Found>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| unusable(directory, error))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unusable(directory, error))?;
        let Some(name) = entry.file_name().to_str().and_then(StoredName::parse) else { continue };
        // One that was deleted meanwhile is none.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            found.push(Found { name, bytes: metadata.len() });
        }
    }
    Ok(found)
}

/// Writes a file of this name, durably, with what `content` writes. False where one is there already: it stays as it is.
pub(super) fn put(
    disk: &dyn Disk,
    directory: &Path,
    name: &StoredName,
    content: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<bool> {
    let failed = |error| unusable(directory, error);
    make(disk, directory).map_err(failed)?;
    let target = directory.join(name.as_str());
    let temp = atomic::temp_beside(&target).map_err(failed)?;
    let mut file = Sink { file: disk.create_file(&temp, PRIVATE_FILE).map_err(failed)?, error: None };
    let written = content(&mut file).map_err(|error| file.error.take().map_or(error, failed));
    let staged = written.and_then(|()| {
        let synced = file.file.sync().and_then(|()| fault::fallible("backup.stored.written"));
        match synced.and_then(|()| publish(disk, &temp, &target)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            published => published.map(|()| true).map_err(failed),
        }
    });
    match staged {
        Ok(true) => disk.sync_dir(directory).map(|()| true).map_err(failed),
        other => {
            atomic::discard(disk, &temp);
            other
        }
    }
}

/// A file that is being written, and why it could not be.
struct Sink {
    file: Box<dyn DiskFile>,
    error: Option<io::Error>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes).map(|()| bytes.len()).map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file, at most `limit` bytes long.
pub(super) fn get(directory: &Path, name: &StoredName, limit: u64) -> Result<Source> {
    let file = match fs::File::open(directory.join(name.as_str())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(super::destination::missing(name.as_str()));
        }
        file => file.map_err(|error| unusable(directory, error))?,
    };
    let source = Source::file(file).map_err(|error| unusable(directory, error))?;
    check_length(source.len(), limit)?;
    Ok(source)
}

/// Removes a file, durably; none there is fine.
pub(super) fn delete(disk: &dyn Disk, directory: &Path, name: &StoredName) -> Result<()> {
    let removed = match disk.remove_file(&directory.join(name.as_str())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed,
    };
    removed.and_then(|()| disk.sync_dir(directory)).map_err(|error| unusable(directory, error))
}

/// Removes what a process that died while it wrote has left.
pub(super) fn sweep(disk: &dyn Disk, directory: &Path) {
    let ours = |name: &str| atomic::is_temp_name(name) && name.starts_with(".dgp-backup-v");
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(ours) {
            atomic::discard(disk, &entry.path());
        }
    }
}

/// Takes the name, unless somebody has it.
fn publish(disk: &dyn Disk, temp: &Path, target: &Path) -> io::Result<()> {
    match disk.rename_noreplace(temp, target) {
        // A network file system may not know the flag; nobody else writes names like ours.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            if target.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk.rename(temp, target)
        }
        renamed => renamed,
    }
}

/// Makes the directory and those above it that are missing, each durably in the one that holds it.
fn make(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = atomic::parent(directory)?;
    make(disk, above)?;
    match disk.create_dir(directory, PRIVATE_DIR) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| disk.sync_dir(above)),
    }
}

fn unusable(directory: &Path, error: io::Error) -> Error {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return Error::io(OPERATION, error).with_hint(format!("make room in {}", directory.display()));
    }
    let message = format!("the backup directory {} cannot be used: {error}", directory.display());
    Error::new(ErrorKind::Unavailable, OPERATION, message)
        .with_code("backup_destination_unusable")
        .with_hint("make it a directory that this server may write, or set backup.to.directory to another one")
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::real::RealDisk;
    use std::os::unix::fs::PermissionsExt;

    fn put(disk: &dyn Disk, directory: &Path, name: &StoredName, bytes: &[u8]) -> Result<bool> {
        super::put(disk, directory, name, |out| out.write_all(bytes).map_err(|error| Error::io("test", error)))
    }

    fn get(directory: &Path, name: &StoredName, limit: u64) -> Result<Vec<u8>> {
        super::get(directory, name, limit).map(|source| source.head(limit).to_vec())
    }

    fn name(number: u8) -> StoredName {
        StoredName::parse(&format!("dgp-backup-v1-2026112{number}T090000Z.zip")).unwrap()
    }

    #[test]
    fn a_stored_file_is_private_and_its_name_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("a/b");
        assert!(list(&directory).unwrap().is_empty());
        assert!(put(&RealDisk, &directory, &name(1), b"one").unwrap());
        assert!(!put(&RealDisk, &directory, &name(1), b"two").unwrap());
        assert_eq!(get(&directory, &name(1), 10).unwrap(), b"one");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join(name(1).as_str())), 0o600);
        fs::write(directory.join("notes.txt"), "x").unwrap();
        fs::create_dir(directory.join(name(2).as_str())).unwrap();
        let found: Vec<_> = list(&directory).unwrap().into_iter().map(|found| (found.name, found.bytes)).collect();
        assert_eq!(found, [(name(1), 3)]);
        assert_eq!(get(&directory, &name(1), 2).unwrap_err().code(), Some("archive_too_large"));
        delete(&RealDisk, &directory, &name(1)).unwrap();
        delete(&RealDisk, &directory, &name(1)).unwrap();
        assert_eq!(get(&directory, &name(1), 10).unwrap_err().code(), Some("no_such_backup"));
    }

    #[test]
    fn what_is_no_directory_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        for refused in [put(&RealDisk, &file, &name(1), b"x").err(), list(&file).err()] {
            let error = refused.unwrap();
            assert_eq!(error.code(), Some("backup_destination_unusable"));
            assert!(error.message().contains("/file"), "{error}");
        }
    }

    /// Each backup that was acknowledged is there whole after a power cut, and none is there in part.
    #[cfg(feature = "faults")]
    #[test]
    fn a_power_cut_leaves_whole_files() {
        use crate::disk::powercut::every_fsync_is_needed;
        use crate::disk::recording::RecordingDisk;
        let dir = tempfile::tempdir().unwrap();
        let disk = RecordingDisk::new(dir.path()).unwrap();
        let directory = dir.path().join("backups");
        for number in 1..=2 {
            assert!(put(&disk, &directory, &name(number), format!("archive {number}").as_bytes()).unwrap());
            disk.mark(number.to_string());
        }
        delete(&disk, &directory, &name(1)).unwrap();
        disk.mark("deleted");
        every_fsync_is_needed(&disk.record(), |root, acknowledged| {
            let directory = root.join("backups");
            sweep(&RealDisk, &directory);
            let found = list(&directory).map_err(|error| error.to_string())?;
            for file in &found {
                let bytes = get(&directory, &file.name, 100).map_err(|error| error.to_string())?;
                let whole = (1..=2).any(|n| file.name == name(n) && bytes == format!("archive {n}").as_bytes());
                if !whole {
                    return Err(format!("{} holds {bytes:?}", file.name.as_str()));
                }
            }
            let has = |number| found.iter().any(|file| file.name == name(number));
            let expected = match acknowledged.len() {
                0 => true,
                1 => has(1),
                2 => has(2),
                _ => has(2) && !has(1),
            };
            if expected { Ok(()) } else { Err(format!("{} files after {acknowledged:?}", found.len())) }
        });
    }
}
