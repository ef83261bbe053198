//! The recipes of durable writing that need no more than one directory: replace a file, copy a file, keep an old file.

use super::Disk;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const CHUNK: usize = 1 << 20;
const TEMP_SUFFIX: &str = ".tmp";

/// Replaces the content of `target`, durably: after `Ok` the new bytes survive a power cut; before it, the old ones do.
///
/// An error from the last step (the directory's fsync) leaves the new content visible, though not proven durable.
pub fn replace_file(disk: &dyn Disk, target: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temp = temp_beside(target)?;
    let staged = write_file(disk, &temp, bytes, mode).and_then(|()| disk.rename(&temp, target));
    if let Err(error) = staged {
        discard(disk, &temp);
        return Err(error);
    }
    disk.sync_dir(parent(target)?)
}

/// Writes a fresh file and syncs its content; its name becomes durable with the fsync of the directory, which is the caller's.
pub fn write_file(disk: &dyn Disk, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = disk.create_file(path, mode)?;
    file.write_all(bytes)?;
    file.sync()
}

/// Copies the bytes of `from` into the fresh file `to` and syncs them; the fsync of the directory is the caller's.
pub fn copy_file(disk: &dyn Disk, from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut file = disk.create_file(to, mode)?;
    let mut chunk = vec![0; CHUNK];
    let copied = loop {
        match source.read(&mut chunk) {
            Ok(0) => break file.sync(),
            Ok(n) => {
                if let Err(error) = file.write_all(&chunk[..n]) {
                    break Err(error);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    if copied.is_err() {
        discard(disk, to);
    }
    copied
}

/// A scratch copy that only this process reads (0600, whatever the original's mode), replacing one that was left behind. Not durable.
pub fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let _ = std::fs::remove_file(to);
    let mut target = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut std::fs::File::open(from)?, &mut target).map(|_| ())
}

/// Gives `from` a second name that outlives its replacement: a hard link, or a synced copy where the file system has none.
pub fn link_or_copy(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match disk.hard_link(from, to) {
        Err(error) if cannot_link(&error) => {
            copy_file(disk, from, to, fs::metadata(from)?.permissions().mode() & 0o777)
        }
        linked => linked,
    }
}

/// A fresh name for a temporary file in the same directory: `.<name>.<uuid>.tmp`.
pub fn temp_beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or_else(|| no_name(target))?;
    let mut temp = std::ffi::OsString::from(".");
    temp.push(name);
    temp.push(format!(".{}{TEMP_SUFFIX}", Uuid::new_v4()));
    Ok(parent(target)?.join(temp))
}

/// True for the names that [`temp_beside`] makes, and for no name that anyone else would choose.
pub fn is_temp_name(name: &str) -> bool {
    name.strip_prefix('.')
        .and_then(|rest| rest.strip_suffix(TEMP_SUFFIX))
        .and_then(|rest| rest.rsplit_once('.'))
        .is_some_and(|(target, id)| !target.is_empty() && id.len() == 36 && Uuid::try_parse(id).is_ok())
}

/// The directory that holds the name.
pub fn parent(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(dir) => Ok(dir),
        None => Err(no_name(path)),
    }
}

/// Removes what a failed step left. The failure is what the caller hears of; a leftover is swept at the next start.
pub fn discard(disk: &dyn Disk, path: &Path) {
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("could not remove {}: {error}", path.display());
        }
        _ => {}
    }
}

fn cannot_link(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

fn no_name(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::real::RealDisk;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn replace_leaves_the_new_content_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("config.yaml");
        replace_file(&RealDisk, &target, b"old", 0o600).unwrap();
        replace_file(&RealDisk, &target, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["config.yaml"]);
    }

    #[test]
    fn a_replace_that_fails_leaves_the_old_content_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("taken");
        fs::create_dir(&target).unwrap();
        assert!(replace_file(&RealDisk, &target, b"new", 0o600).is_err());
        assert_eq!(names(dir.path()), ["taken"]);
    }

    #[test]
    fn copy_is_exact_beyond_one_chunk_and_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        let bytes: Vec<u8> = (0..CHUNK * 2 + 17).map(|i| (i % 251) as u8).collect();
        fs::write(&from, &bytes).unwrap();
        copy_file(&RealDisk, &from, &to, 0o600).unwrap();
        assert!(fs::read(&to).unwrap() == bytes);
        assert_eq!(copy_file(&RealDisk, &from, &to, 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(to.exists());
    }

    #[test]
    fn only_our_temporary_names_are_recognised() {
        let temp = temp_beside(Path::new("/x/deltaglider_config.db")).unwrap();
        assert_eq!(temp.parent().unwrap(), Path::new("/x"));
        assert!(is_temp_name(temp.file_name().unwrap().to_str().unwrap()));
        for other in ["a.tmp", ".a.tmp", ".a.123.tmp", "..tmp", ".tmp", &format!("x.{}.tmp", Uuid::new_v4())] {
            assert!(!is_temp_name(other), "{other}");
        }
    }
}
