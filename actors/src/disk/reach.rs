//! Paths of any length: what is longer than the system takes in one call is reached through a directory opened on the way.

use rustix::fs::{CWD, Mode, OFlags, openat};
use std::borrow::Cow;
use std::fs::{Metadata, ReadDir};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Linux takes 4,095 bytes; the way through `/proc/self/fd` needs a few of them.
const LONGEST: usize = 4000;

/// A path that the system takes. It holds while this lives.
pub struct Reach<'a> {
    path: Cow<'a, Path>,
    _dir: Option<OwnedFd>,
}

/// Makes a path short enough. For all but the longest keys it is the path itself.
pub fn reach(path: &Path) -> io::Result<Reach<'_>> {
    let (mut dir, mut rest) = (None, path);
    while let Some((piece, after)) = split(rest) {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        dir = Some(match &dir {
            None => openat(CWD, piece, flags, Mode::empty())?,
            Some(dir) => openat(dir, piece, flags, Mode::empty())?,
        });
        rest = after;
    }
    let path = match &dir {
        None => Cow::Borrowed(rest),
        Some(dir) => Cow::Owned(Path::new(&format!("/proc/self/fd/{}", dir.as_raw_fd())).join(rest)),
    };
    Ok(Reach { path, _dir: dir })
}

/// The longest beginning of a path that the system takes, and what comes after it; `None` where it takes the whole.
pub fn split(path: &Path) -> Option<(&Path, &Path)> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() <= LONGEST {
        return None;
    }
    // A name has at most 255 bytes, so there is a slash.
    let slash = bytes[..=LONGEST].iter().rposition(|byte| *byte == b'/').filter(|at| *at > 0)?;
    let part = |bytes| Path::new(std::ffi::OsStr::from_bytes(bytes));
    Some((part(&bytes[..slash]), part(&bytes[slash + 1..])))
}

/// `lstat(2)`.
pub fn symlink_metadata(path: &Path) -> io::Result<Metadata> {
    std::fs::symlink_metadata(reach(path)?.path())
}

/// The entries of a directory. Their own `path()` is of no use where this path is a long one: join their names to it.
pub fn read_dir(path: &Path) -> io::Result<ReadDir> {
    std::fs::read_dir(reach(path)?.path())
}

impl Reach<'_> {
    /// The path to use.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::disk::real::RealDisk;
    use std::path::PathBuf;

    #[test]
    fn what_is_too_long_is_cut_at_a_slash_and_nothing_is_lost() {
        assert!(split(Path::new("/short")).is_none());
        let long: PathBuf = std::iter::once("/").chain(std::iter::repeat_n("%00", 2000)).collect();
        let (piece, rest) = split(&long).unwrap();
        assert!(piece.as_os_str().len() <= LONGEST);
        assert_eq!(piece.join(rest), long);
        assert!(split(rest).is_none());
    }

    #[test]
    fn every_operation_works_on_a_path_that_is_too_long() {
        let root = tempfile::tempdir().unwrap();
        let mut dir = root.path().to_owned();
        for _ in 0..1500 {
            dir.push("%00");
            RealDisk.create_dir(&dir, 0o700).unwrap();
        }
        assert!(std::fs::symlink_metadata(&dir).is_err(), "the path is not long enough to prove anything");
        let (a, b) = (dir.join("a"), dir.join("b"));
        RealDisk.create_file(&a, 0o600).unwrap().write_all(b"a").unwrap();
        RealDisk.hard_link(&a, &b).unwrap();
        RealDisk.exchange(&a, &b).unwrap();
        assert!(RealDisk.rename_noreplace(&a, &b).is_err());
        RealDisk.remove_file(&b).unwrap();
        RealDisk.rename(&a, &b).unwrap();
        RealDisk.sync_dir(&dir).unwrap();
        assert_eq!(symlink_metadata(&b).unwrap().len(), 1);
        let names: Vec<_> = read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["b"]);
        RealDisk.remove_file(&b).unwrap();
        RealDisk.remove_dir(&dir).unwrap();
    }
}
