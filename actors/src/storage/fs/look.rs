//! Looks at a root without opening it, and makes it a backend where somebody says so.

use super::root::{INTERNAL, buckets, read_id};
use super::{FsStore, root, shared};
use crate::disk::Disk;
use crate::storage::look::{Look, LookState};
use crate::{Error, ErrorKind, Result};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::Path;

const OPERATION: &str = "initialise backend";

impl FsStore {
    /// What is found at a root. Blocks; nothing is written.
    pub fn look(root: &Path, expected: Option<&str>) -> Look {
        look(root, expected).unwrap_or_else(|error| unusable(error.message().to_owned()))
    }

    /// Makes a root a backend of this id, whatever else lies there. Refused where it is one already. Blocks.
    pub fn initialise(root: &Path, id: &str, instance: &str, disk: &dyn Disk) -> Result<()> {
        root::make_dirs(disk, root)?;
        let root = root.canonicalize().map_err(|e| Error::io(OPERATION, e))?;
        let internal = root.join(INTERNAL);
        root::make_dir(disk, &internal)?;
        let (_shared, _) = shared::attach(&root, &internal.join("lock"), instance)?;
        if let Some(found) = read_id(&root)? {
            let message = format!("{} is the root of backend {found} already; nothing was changed", root.display());
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message)
                .with_code("backend_initialised")
                .with_hint("`backend adopt` takes it over as it is"));
        }
        root::write_identity(disk, &internal, id, instance)?;
        for dir in [&internal, &root] {
            disk.sync_dir(dir).map_err(|e| Error::io(OPERATION, e))?;
        }
        Ok(())
    }

    /// The id that a root bears, where it is a backend. Blocks.
    pub fn id_of(root: &Path) -> Result<Option<String>> {
        read_id(root)
    }
}

fn look(root: &Path, expected: Option<&str>) -> Result<Look> {
    let shown = root.display();
    let missing = match fs::metadata(root) {
        Ok(meta) if meta.is_dir() => false,
        Ok(_) => return Ok(unusable(format!("{shown} is no directory"))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => true,
        Err(e) => return Ok(unusable(format!("{shown} cannot be read: {e}"))),
    };
    if missing {
        return Ok(match expected {
            None => {
                Look { buckets: Some(0), ..found(LookState::New, format!("{shown} does not exist yet and is made")) }
            }
            Some(id) => {
                found(LookState::Lost, format!("{shown}, the root of backend {id}, is not there; is the disk mounted?"))
            }
        });
    }
    let held = holder(root)?;
    if let Some(holder) = held {
        return Ok(unusable(format!("{shown} is in use by {holder}")));
    }
    let id = read_id(root)?;
    let buckets = Some(buckets(root)?.len());
    let (state, message) = match (&id, expected) {
        (None, None) => (LookState::New, format!("{shown} becomes a backend")),
        (None, Some(expected)) => {
            (LookState::Lost, format!("{shown} holds no .dg/backend.json of backend {expected}; is the disk mounted?"))
        }
        (Some(id), Some(expected)) if id != expected => {
            (LookState::Foreign, format!("{shown} belongs to backend {id}, not to {expected}"))
        }
        (Some(id), _) => (LookState::Ready, format!("{shown} is the root of backend {id}")),
    };
    Ok(Look { backend_id: id, buckets, ..found(state, message) })
}

/// Who else holds the lock of a root. What this process holds itself is no hindrance.
fn holder(root: &Path) -> Result<Option<String>> {
    let Ok(mut lock) = File::open(root.join(INTERNAL).join("lock")) else { return Ok(None) };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) if !shared::is_ours(root) => {
            let mut holder = String::new();
            // The text is only for the message.
            let _ = lock.read_to_string(&mut holder);
            Ok(Some(if holder.trim().is_empty() { "another process".to_owned() } else { holder.trim().to_owned() }))
        }
        _ => Ok(None),
    }
}

fn found(state: LookState, message: String) -> Look {
    Look { state, backend_id: None, buckets: None, message }
}

fn unusable(message: String) -> Look {
    found(LookState::Unusable, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::real::RealDisk;

    #[test]
    fn a_look_tells_what_is_there_and_leaves_it_so() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        let state = |expected: Option<&str>| FsStore::look(&root, expected).state;
        assert_eq!((state(None), state(Some("a"))), (LookState::New, LookState::Lost));
        assert!(!root.exists(), "looking makes nothing");
        fs::create_dir_all(root.join("photos")).unwrap();
        assert_eq!((state(None), state(Some("a"))), (LookState::New, LookState::Lost));
        FsStore::initialise(&root, "a", "i1", &RealDisk).unwrap();
        assert_eq!(
            (state(None), state(Some("a")), state(Some("b"))),
            (LookState::Ready, LookState::Ready, LookState::Foreign)
        );
        assert_eq!(FsStore::look(&root, None).buckets, Some(1));
        let twice = FsStore::initialise(&root, "b", "i1", &RealDisk).unwrap_err();
        assert_eq!(twice.code(), Some("backend_initialised"));
        fs::write(dir.path().join("file"), "").unwrap();
        assert_eq!(FsStore::look(&dir.path().join("file"), None).state, LookState::Unusable);
    }
}
