//! The state directory: where it is, who holds it, and what the files in it are called.

use crate::domain::config::scalar::Environment;
use crate::{Error, ErrorKind, Result};
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The encrypted database of users, keys, the bucket registry and the secret store.
pub const CONFIG_DB: &str = "deltaglider_config.db";
/// The database of sessions, audit and job history.
pub const STATE_DB: &str = "deltaglider_state.db";
/// The bootstrap password hash.
pub const BOOTSTRAP_HASH: &str = ".deltaglider_bootstrap_hash";
/// What belongs to this instance alone.
pub const INSTANCE: &str = ".deltaglider_instance";
/// Where the audit log stood, so that an end that was cut off shows.
pub const AUDIT_CHECKPOINT: &str = ".deltaglider_audit_checkpoint";
/// Locked for as long as a process serves this directory.
pub const LOCK: &str = ".deltaglider_lock";
/// The config as the API persists it where no other file is in use.
pub const CONFIG_FILE: &str = "config.yaml";
/// The journal of a swap.
pub const RESTORE_JOURNAL: &str = "restore.journal";
/// Where swaps are staged.
pub const SWAP: &str = "swap";
/// Where the files that a swap replaced are kept.
pub const UNDO: &str = "undo";

/// Every name that no backend root and no secret file may have in the state directory.
pub const STATE_FILES: [&str; 10] =
    [CONFIG_DB, STATE_DB, BOOTSTRAP_HASH, INSTANCE, AUDIT_CHECKPOINT, LOCK, CONFIG_FILE, RESTORE_JOURNAL, SWAP, UNDO];

/// The state directory, held: while this lives, no other process gets it. The lock dies with the process.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Makes the directory where it is missing, follows its symbolic links, and locks it.
    pub fn open(path: &Path) -> Result<Self> {
        const OPERATION: &str = "open the state directory";
        let failed = |error: std::io::Error| {
            let message = format!("the state directory {} cannot be used: {error}", path.display());
            Error::new(ErrorKind::Unavailable, OPERATION, message)
                .with_hint("name another one with --state-dir, or make this one writable")
                .with_source(error)
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let path = fs::canonicalize(path).map_err(failed)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // A link in place of the lock would let another file be overwritten with a number.
            .custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default())
            .open(path.join(LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&path, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { path, _lock: lock })
    }

    /// The directory, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Where the state directory is: `--state-dir` > `DGP_STATE_DIR` > `$STATE_DIRECTORY` > the directory of a config file that
/// was named > the working directory. Never from the config file.
pub fn find(flag: Option<&Path>, environment: &Environment, named_config: Option<&Path>) -> PathBuf {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(flag) = flag {
        return flag.to_owned();
    }
    if let Some(named) = variable("DGP_STATE_DIR") {
        return PathBuf::from(named);
    }
    // systemd gives several directories separated by colons where a unit names several; the first is ours.
    if let Some(first) = variable("STATE_DIRECTORY").and_then(|list| list.split(':').next()) {
        return PathBuf::from(first);
    }
    match named_config.and_then(Path::parent) {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn held(path: &Path, lock: &mut File) -> Error {
    let mut holder = String::new();
    // The number is a courtesy: without it the error is the same.
    let holder = match lock.read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => format!("process {}", holder.trim()),
        _ => "another process".to_owned(),
    };
    let message = format!("the state directory {} is in use by {holder}", path.display());
    Error::new(ErrorKind::Conflict, "open the state directory", message)
        .with_code("state_dir_locked")
        .with_hint("stop that process, or give this one a directory of its own with --state-dir")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_directory_is_made_private_and_held_by_one() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let held = StateDir::open(&path).unwrap();
        assert_eq!(fs::metadata(held.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let refused = StateDir::open(&path).unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (ErrorKind::Conflict, Some("state_dir_locked")));
        assert!(refused.message().contains(&format!("process {}", std::process::id())), "{refused}");
        drop(held);
        assert!(StateDir::open(&path).is_ok());
    }

    #[test]
    fn a_lock_that_is_a_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("victim"), "precious").unwrap();
        std::os::unix::fs::symlink(dir.path().join("victim"), dir.path().join(LOCK)).unwrap();
        assert!(StateDir::open(dir.path()).is_err());
        assert_eq!(fs::read_to_string(dir.path().join("victim")).unwrap(), "precious");
    }

    #[test]
    fn the_directory_is_found_in_the_order_that_is_documented() {
        let all = environment(&[("DGP_STATE_DIR", "/two"), ("STATE_DIRECTORY", "/three:/x")]);
        let config = Some(Path::new("/four/config.yaml"));
        assert_eq!(find(Some(Path::new("/one")), &all, config), Path::new("/one"));
        assert_eq!(find(None, &all, config), Path::new("/two"));
        assert_eq!(find(None, &environment(&[("STATE_DIRECTORY", "/three:/x")]), config), Path::new("/three"));
        assert_eq!(find(None, &environment(&[("DGP_STATE_DIR", "")]), config), Path::new("/four"));
        assert_eq!(find(None, &environment(&[]), Some(Path::new("dgp.yaml"))), Path::new("."));
        assert_eq!(find(None, &environment(&[]), None), Path::new("."));
    }
}
