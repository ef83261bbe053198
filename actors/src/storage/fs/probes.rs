//! Is a file system fit to be a backend? Tried out once, at start, so that later errors mean what they say.

use super::attributes;
use super::temp_name;
use crate::disk::Disk;
use crate::{Error, ErrorKind};
use std::io;
use std::path::{Path, PathBuf};

/// What an attribute may take: well below what ext4 leaves (about 4,000 bytes), so that other attributes fit beside it.
const LIMITS: [usize; 3] = [3584, 2048, 1024];

/// Why a directory cannot be a backend.
pub(super) enum Unfit {
    /// A rule that it breaks.
    Because(String),
    /// An error while it was tried.
    Io(io::Error),
}

impl Unfit {
    /// As the error for the root at `path`.
    pub(super) fn at(self, path: &Path) -> Error {
        match self {
            Self::Because(reason) => {
                let message = format!("{} cannot be a backend: {reason}", path.display());
                Error::new(ErrorKind::Invalid, "open backend", message)
                    .with_code("backend_unfit")
                    .with_hint("use a directory on a local file system such as ext4, xfs or btrfs")
            }
            Self::Io(e) => Error::io("open backend", e),
        }
    }
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Files of a probe; they are removed when it ends.
struct Traces<'a>(&'a dyn Disk, Vec<PathBuf>);

impl Drop for Traces<'_> {
    fn drop(&mut self) {
        for path in &self.1 {
            // One that stays is swept at the next start.
            let _ = self.0.remove_file(path);
        }
    }
}

/// Tries attributes, names and renames in `dir`; returns how long an attribute may be.
pub(super) fn run(disk: &dyn Disk, dir: &Path) -> Result<usize, Unfit> {
    let base = temp_name();
    let named = |suffix: &str| dir.join(format!("{base}{suffix}"));
    let (lower, upper) = (named("-a"), named("-A"));
    let (composed, decomposed) = (named("-\u{e9}"), named("-e\u{301}"));
    let other = named("-b");
    let traces = Traces(disk, vec![lower.clone(), composed.clone(), other.clone()]);
    let mut file = disk.create_file(&lower, 0o600)?;
    let limit = attribute_limit(|value| file.set_xattr(attributes::NAME, value))?;
    disk.create_file(&composed, 0o600)?;
    if upper.symlink_metadata().is_ok() {
        return Err(Unfit::Because("it takes upper and lower case for the same name".to_owned()));
    }
    if decomposed.symlink_metadata().is_ok() || !lists(dir, &composed)? {
        return Err(Unfit::Because("it changes names (Unicode normalisation)".to_owned()));
    }
    disk.create_file(&other, 0o600)?;
    disk.exchange(&lower, &other).map_err(|e| rename_refused("RENAME_EXCHANGE", &e))?;
    match disk.rename_noreplace(&lower, &other) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(rename_refused("RENAME_NOREPLACE", &e)),
        Ok(()) => return Err(Unfit::Because("it ignores RENAME_NOREPLACE".to_owned())),
    }
    drop(traces);
    Ok(limit)
}

fn attribute_limit(mut set: impl FnMut(&[u8]) -> io::Result<()>) -> Result<usize, Unfit> {
    let mut last = None;
    for limit in LIMITS {
        match set(&vec![b'x'; limit]) {
            Ok(()) => return Ok(limit),
            Err(e) => last = Some(e),
        }
    }
    let reason = last.map(|e| e.to_string()).unwrap_or_default();
    Err(Unfit::Because(format!("it keeps no user extended attributes of 1 KiB ({reason})")))
}

fn lists(dir: &Path, path: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(dir)? {
        if Some(entry?.file_name().as_os_str()) == path.file_name() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn rename_refused(what: &str, error: &io::Error) -> Unfit {
    Unfit::Because(format!("it does not know {what} ({error})"))
}
