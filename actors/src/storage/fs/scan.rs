//! Walks a bucket's directories: is there an object; what did an earlier process leave behind?

use super::index::WIDE;
use super::layout::{self, SELF_NAME, TEMP_PREFIX};
use super::root::{INTERNAL, SIDECARS};
use super::{Fs, root};
use crate::disk::{Disk, reach};
use crate::{Error, Result};
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

/// So many directories are met in one before those are walked.
const BATCH: usize = 256;

type Entries = Box<dyn Iterator<Item = io::Result<DirEntry>>>;

/// True where a bucket's directory holds an object.
pub(super) fn first_object(bucket: &Path) -> io::Result<bool> {
    object_below(bucket, Vec::new())
}

/// True where the directory of these names below a bucket's holds an object other than its own `%self`.
pub(super) fn object_below(bucket: &Path, names: Vec<String>) -> io::Result<bool> {
    let own = names.clone();
    walk(bucket, names, |found| Ok(matches!(found, Found::Object { dirs, name } if name != SELF_NAME || dirs != own)))
}

/// Removes what is left of files in the making, and tells of wide directories; true where there is an object.
fn sweep_bucket(disk: &dyn Disk, bucket: &Path, mut wide: impl FnMut(&Path)) -> io::Result<bool> {
    let mut objects = false;
    walk(bucket, Vec::new(), |found| {
        match found {
            Found::Object { .. } => objects = true,
            Found::Temp(path) => remove_temp(disk, path)?,
            Found::Wide(dir) => wide(dir),
        }
        Ok(false)
    })?;
    Ok(objects)
}

/// Removes a bucket's empty directories, deepest first, and leftovers. The bucket's own directory stays.
pub(super) fn remove_hollow(fs: &Fs, bucket: &Path) -> io::Result<()> {
    sweep_bucket(fs.disk.as_ref(), bucket, |_| ())?;
    let (mut dirs, mut next) = (vec![], vec![bucket.to_owned()]);
    while let Some(dir) = next.pop() {
        for entry in read_dir(&dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                next.push(dir.join(entry.file_name()));
                dirs.push(dir.join(entry.file_name()));
            }
        }
    }
    // A parent always stands before its children.
    for dir in dirs.iter().rev() {
        ignore_missing(fs.shared.directories.remove(fs.disk.as_ref(), dir))?;
    }
    Ok(())
}

impl Fs {
    /// Sweeps the whole root after an earlier process; true where a bucket holds an object.
    ///
    /// A sidecar is removed where the object that it names does not point at it.
    pub(super) fn sweep(&self) -> Result<bool> {
        let io = |e| Error::io("sweep", e);
        let mut objects = false;
        for bucket in root::buckets(&self.root)? {
            let (bucket, wide) = (self.root.join(bucket.as_str()), |dir: &Path| self.shared.index.want(dir));
            objects |= sweep_bucket(self.disk.as_ref(), &bucket, wide).map_err(io)?;
        }
        self.sweep_uploads()?;
        let internal = self.root.join(INTERNAL);
        let (own, sidecars) = (read_dir(&internal).map_err(io)?, read_dir(&internal.join(SIDECARS)).map_err(io)?);
        for entry in own.chain(sidecars) {
            let entry = entry.map_err(io)?;
            if entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX) {
                remove_temp(self.disk.as_ref(), &entry.path()).map_err(io)?;
            } else if self.is_leftover_sidecar(&entry).map_err(io)? {
                ignore_missing(self.disk.remove_file(&entry.path())).map_err(io)?;
            }
        }
        Ok(objects)
    }
}

enum Found<'a> {
    Object { dirs: &'a [String], name: &'a str },
    Temp(&'a Path),
    Wide(&'a Path),
}

/// A directory that is being walked.
struct Step {
    dir: PathBuf,
    /// What is left to be read of it.
    entries: Option<Entries>,
    /// Directories in it that were met and not walked as yet.
    below: Vec<String>,
    /// How many entries it has had so far.
    met: usize,
}

/// Visits objects and leftovers until the visitor says true; returns whether it did. Symlinks are not followed.
///
/// It goes down before it has read a wide directory to its end: what it keeps in memory does not grow with the bucket, and the
/// first object is found without a look at all its siblings.
fn walk(bucket: &Path, start: Vec<String>, mut visit: impl FnMut(Found<'_>) -> io::Result<bool>) -> io::Result<bool> {
    let mut names = start;
    let from = std::iter::once(bucket.as_os_str()).chain(names.iter().map(|n| n.as_ref())).collect();
    let mut steps = vec![Step::begin(from)?];
    while let Some(step) = steps.last_mut() {
        if let Some(name) = step.below.pop() {
            let next = Step::begin(step.dir.join(&name))?;
            names.push(name);
            steps.push(next);
            continue;
        }
        let Some(entry) = step.next()? else {
            if step.met > WIDE {
                visit(Found::Wide(&step.dir))?;
            }
            steps.pop();
            names.pop();
            continue;
        };
        if step.meet(entry, &names, &mut visit)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Step {
    fn begin(dir: PathBuf) -> io::Result<Self> {
        Ok(Self { entries: Some(read_dir(&dir)?), dir, below: Vec::new(), met: 0 })
    }

    fn next(&mut self) -> io::Result<Option<DirEntry>> {
        let next = self.entries.as_mut().and_then(Iterator::next).transpose()?;
        if next.is_none() {
            // Below, more directories are opened: this one need not stay so.
            self.entries = None;
        }
        Ok(next)
    }

    /// Looks at an entry and at those after it, until there is enough to go down to.
    fn meet(
        &mut self,
        first: DirEntry,
        names: &[String],
        visit: &mut impl FnMut(Found<'_>) -> io::Result<bool>,
    ) -> io::Result<bool> {
        let mut next = Some(first);
        while let Some(entry) = next {
            self.met += 1;
            if self.visit(&entry, names, visit)? {
                return Ok(true);
            }
            if self.below.len() >= BATCH {
                break;
            }
            next = self.next()?;
        }
        Ok(false)
    }

    fn visit(
        &mut self,
        entry: &DirEntry,
        names: &[String],
        visit: &mut impl FnMut(Found<'_>) -> io::Result<bool>,
    ) -> io::Result<bool> {
        let Ok(name) = entry.file_name().into_string() else { return Ok(false) };
        let kind = entry.file_type()?;
        if name.starts_with(TEMP_PREFIX) {
            return visit(Found::Temp(&self.dir.join(&name)));
        }
        if kind.is_dir() {
            self.below.push(name);
            return Ok(false);
        }
        Ok(kind.is_file() && is_object(names, &name) && visit(Found::Object { dirs: names, name: &name })?)
    }
}

fn is_object(dirs: &[String], name: &str) -> bool {
    if name == SELF_NAME {
        return !dirs.is_empty() && layout::decode(dirs).is_some();
    }
    let names: Vec<&str> = dirs.iter().map(String::as_str).chain([name]).collect();
    layout::decode(&names).is_some()
}

/// Removes a file in the making, or a directory prepared for a change-over, whose `%self` is a second name of an object.
fn remove_temp(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if !reach::symlink_metadata(path).is_ok_and(|m| m.is_dir()) {
        return ignore_missing(disk.remove_file(path));
    }
    ignore_missing(disk.remove_file(&path.join(SELF_NAME)))?;
    ignore_missing(disk.remove_dir(path))
}

/// A directory that is gone in the meantime has no entries.
fn read_dir(dir: &Path) -> io::Result<Entries> {
    match reach::read_dir(dir) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(e) => Err(e),
    }
}

pub(super) fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
