//! A disk that does what it is told and notes it, for the power-cut model; it can also be made to die or to fail at any operation.

use super::powercut::tree::Tree;
use super::real::RealDisk;
use super::{Disk, DiskFile};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One operation that was done. Paths are relative to the root of the record; `file` numbers the files made, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A new, empty file.
    Create { file: usize, path: PathBuf, mode: u32 },
    /// A file that was there, opened for its attributes.
    Open { file: usize, path: PathBuf },
    /// Bytes appended.
    Write { file: usize, bytes: Vec<u8> },
    /// An extended attribute set.
    SetXattr { file: usize, name: String, value: Vec<u8> },
    /// `fsync` of a file.
    SyncFile { file: usize },
    /// A rename, replacing or not.
    Rename { from: PathBuf, to: PathBuf },
    /// Two names exchanged.
    Exchange { a: PathBuf, b: PathBuf },
    /// A second name.
    HardLink { from: PathBuf, to: PathBuf },
    /// A name removed.
    RemoveFile { path: PathBuf },
    /// A new directory.
    CreateDir { path: PathBuf, mode: u32 },
    /// A directory removed.
    RemoveDir { path: PathBuf },
    /// `fsync` of a directory.
    SyncDir { path: PathBuf },
    /// The test says: from here on a client knows this.
    Mark(String),
}

impl Op {
    /// True for the fsync of a file or directory.
    pub fn is_sync(&self) -> bool {
        matches!(self, Self::SyncFile { .. } | Self::SyncDir { .. })
    }
}

/// What was there at first, and what was done since.
#[derive(Clone, Debug)]
pub struct Record {
    /// The tree when the recording began; all of it counts as durable.
    pub initial: Tree,
    /// The operations, in order.
    pub ops: Vec<Op>,
}

/// How an operation fails on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// This one operation fails; those after it work, as with a full disk or a bad sector.
    Once,
    /// This operation and all after it fail until [`RecordingDisk::revive`], as for a killed process: no clean-up happens.
    Lasting,
}

/// A [`RealDisk`] below one root, with a record. Clones share the record.
///
/// Syncs are noted, not performed: durability is the model's business here, and tests are many.
#[derive(Clone, Debug)]
pub struct RecordingDisk {
    root: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    record: Record,
    files: usize,
    outage: Option<(usize, Outage)>,
}

impl RecordingDisk {
    /// Starts a record; what is below `root` now counts as durable. All paths given later must begin with `root`.
    pub fn new(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        let record = Record { initial: Tree::read(&root)?, ops: Vec::new() };
        Ok(Self { root, state: Arc::new(Mutex::new(State { record, files: 0, outage: None })) })
    }

    /// Notes that from here on a client knows `label`.
    pub fn mark(&self, label: impl Into<String>) {
        self.lock().record.ops.push(Op::Mark(label.into()));
    }

    /// The record so far.
    pub fn record(&self) -> Record {
        self.lock().record.clone()
    }

    /// The `nth` operation from now (0 = the next) fails.
    pub fn fail(&self, nth: usize, outage: Outage) {
        self.lock().outage = Some((nth, outage));
    }

    /// Ends an outage; true if it had begun, that is, if any operation has failed of it.
    pub fn revive(&self) -> bool {
        !matches!(self.lock().outage.take(), Some((left, _)) if left > 0)
    }

    fn run<T>(&self, op: Op, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // The lock is held over the operation, so that the record has the order in which things happened.
        let mut state = self.lock();
        match &mut state.outage {
            Some((0, outage)) => {
                if *outage == Outage::Once {
                    // Nothing is left to fail; `revive` reads the absence as "it has happened".
                    state.outage = None;
                }
                return Err(io::Error::other(format!("an outage was ordered at {op:?}")));
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        let done = act()?;
        state.record.ops.push(op);
        Ok(done)
    }

    /// Below the root, and without `..`: a record knows no links, so that taking a step back is exact.
    fn relative(&self, path: &Path) -> io::Result<PathBuf> {
        let outside =
            || io::Error::new(io::ErrorKind::InvalidInput, format!("{} is outside the record", path.display()));
        let mut relative = PathBuf::new();
        for component in path.strip_prefix(&self.root).map_err(|_| outside())?.components() {
            match component {
                Component::ParentDir if !relative.pop() => return Err(outside()),
                Component::Normal(name) => relative.push(name),
                _ => {}
            }
        }
        Ok(relative)
    }

    fn next_file(&self) -> usize {
        let mut state = self.lock();
        state.files += 1;
        state.files - 1
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for RecordingDisk {
    fn create_file(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        let id = self.next_file();
        let op = Op::Create { file: id, path: self.relative(path)?, mode };
        let file = self.run(op, || RealDisk.create_file(path, mode))?;
        Ok(Box::new(RecordingFile { disk: self.clone(), id, file }))
    }

    fn open_attributes(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let id = self.next_file();
        let op = Op::Open { file: id, path: self.relative(path)? };
        let file = self.run(op, || RealDisk.open_attributes(path))?;
        Ok(Box::new(RecordingFile { disk: self.clone(), id, file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let op = Op::Rename { from: self.relative(from)?, to: self.relative(to)? };
        self.run(op, || RealDisk.rename(from, to))
    }

    fn rename_noreplace(&self, from: &Path, to: &Path) -> io::Result<()> {
        let op = Op::Rename { from: self.relative(from)?, to: self.relative(to)? };
        self.run(op, || RealDisk.rename_noreplace(from, to))
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        let op = Op::Exchange { a: self.relative(a)?, b: self.relative(b)? };
        self.run(op, || RealDisk.exchange(a, b))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let op = Op::HardLink { from: self.relative(from)?, to: self.relative(to)? };
        self.run(op, || RealDisk.hard_link(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let op = Op::RemoveFile { path: self.relative(path)? };
        self.run(op, || RealDisk.remove_file(path))
    }

    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        let op = Op::CreateDir { path: self.relative(path)?, mode };
        self.run(op, || RealDisk.create_dir(path, mode))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let op = Op::RemoveDir { path: self.relative(path)? };
        self.run(op, || RealDisk.remove_dir(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let op = Op::SyncDir { path: self.relative(path)? };
        self.run(op, || std::fs::read_dir(path).map(drop))
    }
}

#[derive(Debug)]
struct RecordingFile {
    disk: RecordingDisk,
    id: usize,
    file: Box<dyn DiskFile>,
}

impl DiskFile for RecordingFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let op = Op::Write { file: self.id, bytes: bytes.to_vec() };
        self.disk.run(op, || self.file.write_all(bytes))
    }

    fn append_from(&mut self, source: &File, offset: u64, len: u64) -> io::Result<()> {
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        source.read_exact_at(&mut bytes, offset)?;
        self.write_all(&bytes)
    }

    fn set_xattr(&mut self, name: &str, value: &[u8]) -> io::Result<()> {
        let op = Op::SetXattr { file: self.id, name: name.to_owned(), value: value.to_vec() };
        self.disk.run(op, || self.file.set_xattr(name, value))
    }

    fn write_back(&mut self) -> io::Result<()> {
        // It proves nothing, so a record without it is the harder case.
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.run(Op::SyncFile { file: self.id }, || Ok(()))
    }
}
