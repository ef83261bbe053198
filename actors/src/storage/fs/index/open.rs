//! The index while it holds directories: their names, and how it follows what changes in them.

use super::names::{self, Name};
use super::rows::{Change, Rows, Window};
use super::watch::{News, Watch};
use crate::disk::reach;
use crate::{Error, Result};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, fstatfs, openat, statat};
use rustix::io::Errno;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const OPERATION: &str = "listing index";
/// More directories of long components than this, which are read live with every window, are no gain.
const MOST_CONTINUED: usize = 64;
/// The file systems on which nobody can change a directory but through this kernel: ext4, XFS, Btrfs, tmpfs, overlayfs, F2FS,
/// ZFS, bcachefs. On others (NFS, SMB, FUSE) another host may, and no event tells of it.
const LOCAL: [i64; 8] =
    [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0xF2F5_2010, 0x2FC1_2FC1, 0xCA45_1A4E];

/// Names, watches and directories.
#[derive(Debug)]
pub(super) struct Open {
    rows: Rows,
    watch: Watch,
    dirs: HashMap<PathBuf, Dir>,
    by_watch: HashMap<i32, PathBuf>,
    next_id: i64,
    /// Directories whose names are still to be removed.
    dropped: Vec<i64>,
}

/// A directory.
#[derive(Debug)]
struct Dir {
    id: i64,
    /// While it is watched, its inode's number is not given anew.
    watch: i32,
    identity: (u64, u64),
    /// While it is being read for the first time: what changed meanwhile.
    changing: Option<BTreeSet<String>>,
    continued: BTreeSet<String>,
}

/// How catching up ended.
pub(super) enum Caught {
    /// All is known; these directories are in the index no longer.
    Up { unfit: Vec<PathBuf> },
    /// Something happened that nobody can say.
    Lost,
}

/// A directory that is to be read.
pub(super) struct Begun {
    pub(super) id: i64,
    /// The directory itself, wherever it is by now.
    pub(super) dir: OwnedFd,
}

impl Open {
    /// An empty index, where the kernel can be seen to tell of changes.
    pub(super) fn new(internal: &Path) -> Result<Self> {
        let watch = Watch::new()?;
        let proof = watch.add(internal)?;
        let (rows, name) = Rows::create(internal)?;
        if !watch.news()?.changed.get(&proof).is_some_and(|names| names.contains(&name)) {
            return Err(Error::internal(OPERATION, "this system does not tell of changes in directories"));
        }
        watch.remove(proof);
        let (dirs, by_watch) = (HashMap::new(), HashMap::new());
        Ok(Self { rows, watch, dirs, by_watch, next_id: 1, dropped: Vec::new() })
    }

    pub(super) fn queue(&self) -> Arc<OwnedFd> {
        self.watch.queue()
    }

    pub(super) fn len(&self) -> usize {
        self.dirs.len()
    }

    pub(super) fn holds(&self, dir: &Path) -> bool {
        self.dirs.contains_key(dir)
    }

    pub(super) fn into_dirs(self) -> impl Iterator<Item = PathBuf> {
        self.dirs.into_keys()
    }

    /// Some names of a directory. Changes that came before this must be known already.
    pub(super) fn window(&mut self, path: &Path, from: &[u8], to: &[u8], room: usize) -> Result<Option<Window>> {
        let Some(dir) = self.dirs.get(path).filter(|dir| dir.changing.is_none()) else { return Ok(None) };
        // A directory above it may bear another name by now.
        if !reach::symlink_metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == dir.identity) {
            self.forget(path);
            return Ok(None);
        }
        let mut window = self.rows.window(dir.id, from, to, room)?;
        window.continued = dir.continued.iter().cloned().collect();
        Ok(Some(window))
    }

    /// Follows what has happened up to now.
    pub(super) fn catch_up(&mut self) -> Result<Caught> {
        let News { changed, gone, lost } = self.watch.news()?;
        if lost {
            return Ok(Caught::Lost);
        }
        for path in gone.iter().filter_map(|watch| self.by_watch.get(watch).cloned()).collect::<Vec<_>>() {
            self.forget(&path);
        }
        let mut unfit = Vec::new();
        for (watch, names) in changed {
            let Some(path) = self.by_watch.get(&watch).cloned() else { continue };
            if let Some(changing) = self.dirs.get_mut(&path).and_then(|dir| dir.changing.as_mut()) {
                changing.extend(names);
            } else if !self.look_at(&path, names)? {
                self.forget(&path);
                unfit.push(path);
            }
        }
        Ok(Caught::Up { unfit })
    }

    /// Begins with a directory: from now on nothing that happens in it is missed. `None` where it cannot come in.
    pub(super) fn begin(&mut self, path: &Path) -> Result<Option<Begun>> {
        let Ok((fd, identity)) = open(path) else { return Ok(None) };
        let Ok(watch) = self.watch.add(&way(&fd)) else { return Ok(None) };
        if self.by_watch.contains_key(&watch) {
            // The same directory under another name.
            return Ok(None);
        }
        let id = self.next_id;
        self.next_id += 1;
        let dir = Dir { id, watch, identity, changing: Some(BTreeSet::new()), continued: BTreeSet::new() };
        self.by_watch.insert(watch, path.to_owned());
        self.dirs.insert(path.to_owned(), dir);
        Ok(Some(Begun { id, dir: fd }))
    }

    /// Takes names that were read of a directory; false where it is to be read no longer.
    pub(super) fn take(&mut self, path: &Path, id: i64, read: Vec<Change>, continued: Vec<String>) -> Result<bool> {
        let Some(dir) = self.dirs.get_mut(path).filter(|dir| dir.id == id) else { return Ok(false) };
        dir.continued.extend(continued);
        self.rows.apply(id, read)?;
        Ok(dir.continued.len() <= MOST_CONTINUED)
    }

    /// Ends the reading of a directory: it is in the index, with all that has happened meanwhile.
    pub(super) fn end(&mut self, path: &Path, id: i64) -> Result<bool> {
        let Some(dir) = self.dirs.get_mut(path).filter(|dir| dir.id == id) else { return Ok(false) };
        let changed = dir.changing.take().unwrap_or_default();
        self.look_at(path, changed)
    }

    /// A directory is to be read live from now on.
    pub(super) fn forget(&mut self, path: &Path) {
        if let Some(dir) = self.dirs.remove(path) {
            self.by_watch.remove(&dir.watch);
            self.watch.remove(dir.watch);
            self.dropped.push(dir.id);
        }
    }

    /// Removes some of the names that nobody needs; false where there are none.
    pub(super) fn tidy(&mut self) -> Result<bool> {
        let Some(id) = self.dropped.last() else { return Ok(false) };
        if !self.rows.forget(*id)? {
            self.dropped.pop();
        }
        Ok(true)
    }

    #[cfg(test)]
    pub(super) fn break_rows(&mut self) {
        self.rows.destroy();
    }

    /// Looks what there is of these names now: the last event of a name does not tell it, as two files may change places.
    fn look_at(&mut self, path: &Path, changed: BTreeSet<String>) -> Result<bool> {
        let Some(dir) = self.dirs.get_mut(path) else { return Ok(true) };
        let Some((fd, _)) = open(path).ok().filter(|(_, identity)| *identity == dir.identity) else {
            self.forget(path);
            return Ok(true);
        };
        let mut changes = Vec::new();
        for name in changed {
            let meaning = names::read(&name);
            if meaning == Name::Foreign {
                continue;
            }
            let kind = match statat(&fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => Some(FileType::from_raw_mode(stat.st_mode)),
                Err(Errno::NOENT) => None,
                Err(e) => return Err(Error::io(OPERATION, e.into())),
            };
            let is_dir = kind == Some(FileType::Directory);
            if let Name::Component(component) = meaning {
                let (object, below) = names::orders(component);
                let may_be = is_dir || kind == Some(FileType::RegularFile);
                changes.push(if may_be { Change::Add(object) } else { Change::Remove(object) });
                changes.push(if is_dir { Change::Add(below) } else { Change::Remove(below) });
            } else if is_dir {
                dir.continued.insert(name);
            } else {
                dir.continued.remove(&name);
            }
        }
        let (id, fits) = (dir.id, dir.continued.len() <= MOST_CONTINUED);
        self.rows.apply(id, changes)?;
        Ok(fits)
    }
}

/// A path to an open directory, whatever its own is by now.
pub(super) fn way(dir: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd()))
}

/// A directory whose changes this kernel knows.
fn open(path: &Path) -> io::Result<(OwnedFd, (u64, u64))> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(rustix::fs::CWD, reach::reach(path)?.path(), flags, Mode::empty())?;
    let (stat, system) = (fstat(&fd)?, fstatfs(&fd)?);
    if !LOCAL.contains(&system.f_type) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok((fd, (stat.st_dev, stat.st_ino)))
}
