//! Takes a body in: small ones in memory, to be written by the commit in one go; others to a file beside their target.

use super::{Fs, temp_name, uploads};
use crate::disk::{DiskFile, SharedDisk};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::BodySums;
use crate::storage::multipart::{PartNumber, UploadRef};
use crate::storage::{ObjectWriter, Staged};
use crate::{Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinHandle;

const OPERATION: &str = "write object";
/// Bodies up to this stay in memory until the commit.
const SMALL: usize = 64 * 1024;
/// Larger ones go to disk in batches of at least this, one being written while the next is gathered.
const BATCH: usize = 512 * 1024;

/// A file in the making. Dropped before it was published, it disappears.
pub(super) struct TempFile {
    disk: SharedDisk,
    pub(super) path: PathBuf,
    pub(super) file: Box<dyn DiskFile>,
    published: bool,
}

/// A body that was received completely: what `Staged::handle` holds.
#[derive(Debug)]
pub(super) struct StagedBody {
    pub(super) goal: Goal,
    pub(super) content: Content,
}

/// What a body is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Object { bucket: BucketName, key: ObjectKey },
    Part { upload: UploadRef, number: PartNumber },
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Content {
    Memory(Vec<u8>),
    File(TempFile),
}

/// The writer of one object or part.
pub(super) struct FsWriter {
    fs: Arc<Fs>,
    goal: Goal,
    gathered: Vec<u8>,
    state: State,
}

enum State {
    /// All bytes so far are gathered.
    Fresh,
    /// A batch is being written.
    Writing(JoinHandle<Result<Sink>>),
    /// A write failed, or its caller went away in the middle of one.
    Failed,
}

/// The file and the sums so far.
struct Sink {
    temp: TempFile,
    sums: Sums,
}

#[derive(Default)]
struct Sums {
    size: u64,
    md5: Md5,
    sha256: Sha256,
}

impl FsWriter {
    pub(super) fn new(fs: Arc<Fs>, goal: Goal) -> Self {
        Self { fs, goal, gathered: Vec::new(), state: State::Fresh }
    }

    /// Waits for the batch on its way and sends the next one.
    async fn flush(&mut self) -> Result<()> {
        let sink = match std::mem::replace(&mut self.state, State::Failed) {
            State::Fresh => None,
            State::Writing(job) => Some(join(job).await?),
            State::Failed => return Err(Error::internal(OPERATION, "the writer failed before")),
        };
        let batch = std::mem::take(&mut self.gathered);
        let (fs, goal) = (Arc::clone(&self.fs), self.goal.clone());
        self.state = State::Writing(tokio::task::spawn_blocking(move || {
            let mut sink = match sink {
                Some(sink) => sink,
                None => Sink { temp: goal.temp(&fs)?, sums: Sums::default() },
            };
            sink.sums.add(&batch);
            sink.temp.file.write_all(&batch).map_err(|e| Error::io(OPERATION, e))?;
            Ok(sink)
        }));
        Ok(())
    }
}

#[async_trait]
impl ObjectWriter for FsWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.gathered.extend_from_slice(&bytes);
        if self.gathered.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    async fn finish(mut self: Box<Self>) -> Result<Staged> {
        let (sums, content) = if matches!(self.state, State::Fresh) && self.gathered.len() <= SMALL {
            let mut sums = Sums::default();
            sums.add(&self.gathered);
            (sums, Content::Memory(self.gathered))
        } else {
            if !self.gathered.is_empty() || !matches!(self.state, State::Writing(_)) {
                self.flush().await?;
            }
            let State::Writing(job) = self.state else {
                return Err(Error::internal(OPERATION, "the writer failed before"));
            };
            let sink = join(job).await?;
            (sink.sums, Content::File(sink.temp))
        };
        let handle = StagedBody { goal: self.goal, content };
        Ok(Staged { sums: sums.finish(), handle: Box::new(handle) })
    }
}

impl Goal {
    /// A file in the making, on the file system of what it is to become.
    fn temp(&self, fs: &Fs) -> Result<TempFile> {
        match self {
            Self::Object { bucket, key } => fs.temp_near(bucket, key),
            Self::Part { upload, .. } => uploads::temp(fs, upload),
        }
    }
}

impl TempFile {
    /// Makes a fresh file in a directory.
    pub(super) fn create(disk: &SharedDisk, dir: &Path) -> io::Result<Self> {
        let path = dir.join(temp_name());
        let file = disk.create_file(&path, 0o600)?;
        Ok(Self { disk: Arc::clone(disk), path, file, published: false })
    }

    /// The file bears its final name now.
    pub(super) fn published(mut self) {
        self.published = true;
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        let (disk, path) = (Arc::clone(&self.disk), std::mem::take(&mut self.path));
        let remove = move || {
            if let Err(e) = super::scan::ignore_missing(disk.remove_file(&path)) {
                log::warn!(error:% = e; "an unfinished object file stays until the next start");
            }
        };
        // The removal of a large file takes time: not on the thread of an async worker.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

impl Sums {
    fn add(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.sha256.update(bytes);
    }

    fn finish(self) -> BodySums {
        BodySums { size: self.size, md5: hex::encode(self.md5.finalize()), sha256: hex::encode(self.sha256.finalize()) }
    }
}

async fn join(job: JoinHandle<Result<Sink>>) -> Result<Sink> {
    job.await.unwrap_or_else(|e| Err(Error::internal(OPERATION, e)))
}

impl fmt::Debug for FsWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FsWriter").field("goal", &self.goal).finish_non_exhaustive()
    }
}

impl fmt::Debug for TempFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TempFile").field(&self.path).finish()
    }
}
