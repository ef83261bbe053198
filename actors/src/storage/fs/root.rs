//! Opens a backend's root: is it there, is it ours, is it fit? Nothing is written before that is known.

use super::probes;
use super::scan;
use super::shared::{self, Shared};
use super::{FsOptions, Opened, temp_name};
use crate::disk::Disk;
use crate::domain::names::BucketName;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const OPERATION: &str = "open backend";
const LAYOUT: u32 = 1;

/// The directory of what is the store's own.
pub(super) const INTERNAL: &str = ".dg";
/// The sidecars, inside [`INTERNAL`].
pub(super) const SIDECARS: &str = "meta";
/// The uploads, a directory for each bucket, inside [`INTERNAL`].
pub(super) const UPLOADS: &str = "uploads";

/// `.dg/backend.json`.
#[derive(Serialize, Deserialize)]
struct Identity {
    backend_id: String,
    layout: u32,
    created_by: String,
}

/// A root that is ours.
pub(super) struct Root {
    /// The directory, symlinks resolved.
    pub(super) path: PathBuf,
    /// What the stores on it share.
    pub(super) shared: Arc<Shared>,
    /// How long a metadata attribute may be.
    pub(super) attribute_limit: usize,
    /// What the caller is told.
    pub(super) opened: Opened,
    /// No other store of this process is on it: leftovers may be swept.
    pub(super) first: bool,
}

/// What to do with a root.
enum Decision {
    Keep(String),
    Initialise(String),
}

/// Opens a root, and initialises it where that is allowed.
pub(super) fn open(options: &FsOptions) -> Result<Root> {
    let disk = options.disk.as_ref();
    let path = existing_root(options)?;
    // Decided once before anything is written, and again under the lock.
    if matches!(decide(&path, options)?, Decision::Initialise(_)) {
        make_dir(disk, &path.join(INTERNAL))?;
    }
    let internal = path.join(INTERNAL);
    if !std::fs::symlink_metadata(&internal).map_err(|e| Error::io(OPERATION, e))?.is_dir() {
        return Err(unfit(&path, "`.dg` in it is no directory"));
    }
    let (shared, first) = shared::attach(&path, &internal.join("lock"), &options.instance)?;
    let decision = decide(&path, options)?;
    make_dir(disk, &internal.join(SIDECARS))?;
    make_dir(disk, &internal.join(UPLOADS))?;
    let attribute_limit = probes::run(disk, &internal).map_err(|e| e.at(&path))?;
    let (backend_id, initialised) = match decision {
        Decision::Keep(id) => (id, false),
        Decision::Initialise(id) => {
            write_identity(disk, &internal, &id, &options.instance)?;
            (id, true)
        }
    };
    for dir in [&internal, &path] {
        disk.sync_dir(dir).map_err(|e| Error::io(OPERATION, e))?;
    }
    let opened = Opened { backend_id, initialised, objects_present: false };
    Ok(Root { path: shared.path.clone(), shared, attribute_limit, opened, first })
}

/// The id in a root's `backend.json`, where there is one.
pub(super) fn read_id(root: &Path) -> Result<Option<String>> {
    let path = root.join(INTERNAL).join("backend.json");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(Error::io(OPERATION, e)),
    };
    let identity: Identity = serde_json::from_slice(&bytes)
        .map_err(|e| unavailable(format!("{} cannot be read", path.display())).with_source(e))?;
    if identity.layout != LAYOUT {
        return Err(unavailable(format!(
            "the backend at {} has layout {}; this version knows layout {LAYOUT}",
            root.display(),
            identity.layout
        )));
    }
    Ok(Some(identity.backend_id))
}

/// The error of a root that is known and is not there.
pub(super) fn missing(root: &Path, id: &str) -> Error {
    unavailable(format!("the root {} of backend {id} holds no .dg/backend.json; is the disk mounted?", root.display()))
        .with_code("backend_not_mounted")
        .with_hint("mount the disk, or make the root anew with `backend init`")
}

fn existing_root(options: &FsOptions) -> Result<PathBuf> {
    let root = &options.root;
    match std::fs::metadata(root) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => return Err(unfit(root, "it is no directory")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            if let (Some(id), false) = (&options.expected_id, options.adopt_empty) {
                return Err(missing(root, id));
            }
            make_dirs(options.disk.as_ref(), root)?;
        }
        Err(e) => return Err(unavailable(format!("the root {} cannot be read", root.display())).with_source(e)),
    }
    root.canonicalize().map_err(|e| Error::io(OPERATION, e))
}

fn decide(root: &Path, options: &FsOptions) -> Result<Decision> {
    let found = read_id(root)?;
    let (found, expected) = match (found, &options.expected_id) {
        (None, None) => return Ok(Decision::Initialise(options.new_id.clone())),
        (Some(found), None) => return Ok(Decision::Keep(found)),
        (Some(found), Some(expected)) if found == *expected => return Ok(Decision::Keep(found)),
        (found, Some(expected)) => (found, expected),
    };
    if options.adopt_empty && !holds_objects(root)? {
        return Ok(Decision::Initialise(expected.clone()));
    }
    let Some(found) = found else { return Err(missing(root, expected)) };
    Err(unavailable(format!("the root {} belongs to backend {found}, not to {expected}", root.display()))
        .with_code("backend_foreign")
        .with_hint("mount the right disk, or take this root over with `backend adopt`"))
}

/// True where a bucket of this root holds an object.
pub(super) fn holds_objects(root: &Path) -> Result<bool> {
    for bucket in buckets(root)? {
        if scan::first_object(&root.join(bucket.as_str())).map_err(|e| Error::io(OPERATION, e))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The directories that bear a bucket's name, in order.
pub(super) fn buckets(root: &Path) -> Result<Vec<BucketName>> {
    let io = |e| Error::io("list buckets", e);
    let mut buckets = Vec::new();
    for entry in std::fs::read_dir(root).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name();
        if let Some(Ok(name)) = name.to_str().map(BucketName::new)
            && entry.file_type().map_err(io)?.is_dir()
        {
            buckets.push(name);
        }
    }
    buckets.sort();
    Ok(buckets)
}

pub(super) fn write_identity(disk: &dyn Disk, internal: &Path, id: &str, instance: &str) -> Result<()> {
    let created_by = format!("deltaglider_proxy {}, instance {instance}", env!("CARGO_PKG_VERSION"));
    let identity = Identity { backend_id: id.to_owned(), layout: LAYOUT, created_by };
    let mut bytes = serde_json::to_vec_pretty(&identity).map_err(|e| Error::internal(OPERATION, e))?;
    bytes.push(b'\n');
    let temp = internal.join(temp_name());
    let write = || {
        let mut file = disk.create_file(&temp, 0o600)?;
        file.write_all(&bytes)?;
        file.sync()?;
        disk.rename(&temp, &internal.join("backend.json"))
    };
    write().map_err(|e| {
        // What stays of a failed attempt is swept at the next start.
        let _ = disk.remove_file(&temp);
        Error::io(OPERATION, e)
    })
}

pub(super) fn make_dirs(disk: &dyn Disk, path: &Path) -> Result<()> {
    let mut missing: Vec<&Path> = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    while let Some(dir) = missing.pop() {
        make_dir(disk, dir)?;
        let parent = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        disk.sync_dir(parent).map_err(|e| Error::io(OPERATION, e))?;
    }
    Ok(())
}

pub(super) fn make_dir(disk: &dyn Disk, path: &Path) -> Result<()> {
    match disk.create_dir(path, 0o700) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(Error::io(OPERATION, e)),
        _ => Ok(()),
    }
}

fn unavailable(message: String) -> Error {
    Error::new(ErrorKind::Unavailable, OPERATION, message)
}

fn unfit(root: &Path, reason: &str) -> Error {
    probes::Unfit::Because(reason.to_owned()).at(root)
}
