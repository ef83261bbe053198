//! What all stores on one root share within this process: the root's lock, the key locks, the knowledge of directories.

use super::durable::Directories;
use super::index::Index;
use super::parts::lease::Leases;
use super::root::INTERNAL;
use super::uploads::Waiting;
use crate::storage::keylocks::KeyLocks;
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use tokio::sync::RwLock;

/// Roots by device and inode, so that two paths to one directory are one root.
static ROOTS: LazyLock<Mutex<Roots>> = LazyLock::new(Mutex::default);

type Roots = HashMap<(u64, u64), Weak<Shared>>;

/// One root, as this process holds it.
#[derive(Debug)]
pub(super) struct Shared {
    /// The path under which it was first opened; what is known of directories is known by it.
    pub(super) path: PathBuf,
    /// Locks by `bucket/key`.
    pub(super) keys: Arc<KeyLocks>,
    /// Commits hold it shared; the removal of a bucket holds it alone.
    pub(super) buckets: Arc<RwLock<()>>,
    /// Who reads part files, so that none vanishes under a reader.
    pub(super) leases: Leases,
    /// Completed uploads that are still stored as parts, and what else waits.
    pub(super) waiting: Waiting,
    /// Directory fsyncs and which directories are durable.
    pub(super) directories: Directories,
    /// The names of wide directories, in order.
    pub(super) index: Arc<Index>,
    /// Held for its OS lock, which ends with the process or with the last store on this root.
    _lock: File,
}

/// Takes the root's lock, or joins the stores of this process that hold it. The flag is true for the first.
pub(super) fn attach(root: &Path, lock: &Path, instance: &str) -> Result<(Arc<Shared>, bool)> {
    let meta = std::fs::metadata(root).map_err(|e| Error::io("backend root", e))?;
    let mut roots = ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = roots.get(&(meta.dev(), meta.ino())).and_then(Weak::upgrade) {
        return Ok((shared, false));
    }
    let shared = Arc::new(Shared {
        path: root.to_owned(),
        keys: KeyLocks::new(),
        buckets: Arc::default(),
        leases: Leases::default(),
        waiting: Waiting::default(),
        directories: Directories::default(),
        index: Index::new(root.join(INTERNAL)),
        _lock: take_lock(root, lock, instance)?,
    });
    roots.retain(|_, root| root.strong_count() > 0);
    roots.insert((meta.dev(), meta.ino()), Arc::downgrade(&shared));
    Ok((shared, true))
}

/// Whether a store of this process is on the root.
pub(super) fn is_ours(root: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(root) else { return false };
    let roots = ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
    roots.get(&(meta.dev(), meta.ino())).is_some_and(|shared| shared.strong_count() > 0)
}

fn take_lock(root: &Path, path: &Path, instance: &str) -> Result<File> {
    let io = |e| Error::io("backend lock", e);
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow);
    let mut file = options.open(path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The text is only for the message; without it the refusal stands all the same.
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
            let message = format!("the backend at {} is in use by {holder}", root.display());
            return Err(Error::new(ErrorKind::Unavailable, "backend lock", message)
                .with_code("backend_locked")
                .with_hint("stop the other process, or give this instance a root of its own"));
        }
        Err(TryLockError::Error(e)) => return Err(io(e)),
    }
    file.set_len(0).map_err(io)?;
    file.write_all(format!("pid {}, instance {instance}\n", std::process::id()).as_bytes()).map_err(io)?;
    Ok(file)
}
