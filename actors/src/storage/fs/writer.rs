//! Takes a body in: small ones in memory, to be written by the commit in one go; others to a file beside their target.

use super::lane::{Gathering, Lane, Piece, Rooms};
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

const OPERATION: &str = "write object";
/// Bodies up to this stay in memory until the commit.
const SMALL: usize = 64 * 1024;
/// Larger ones are written in pieces of at least this, while the next are received.
const PIECE: usize = 256 * 1024;
/// From this size on a body is written back before it is committed.
const WRITTEN_BACK: u64 = 8 << 20;

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
    gathered: Gathering,
    state: State,
}

enum State {
    /// All bytes so far are gathered.
    Fresh,
    /// Pieces are being written and summed.
    Writing(Box<Lanes>),
    /// A write failed, or its caller went away in the middle of one.
    Failed,
}

/// The work on a long body. MD5 takes longer than all the rest together, so it has a lane of its own.
struct Lanes {
    rooms: Rooms,
    md5: Lane<Md5>,
    file: Lane<Sink>,
}

/// The file, once there is one, and what is known of its content.
struct Sink {
    fs: Arc<Fs>,
    goal: Goal,
    temp: Option<TempFile>,
    size: u64,
    sha256: Sha256,
}

impl FsWriter {
    pub(super) fn new(fs: Arc<Fs>, goal: Goal) -> Self {
        Self { fs, goal, gathered: Gathering::default(), state: State::Fresh }
    }

    /// Hands what was gathered to the lanes, when they have room.
    async fn flush(&mut self) -> Result<()> {
        // Whoever gives up in the middle of this leaves a writer that has failed.
        let lanes = match std::mem::replace(&mut self.state, State::Failed) {
            State::Fresh => Box::new(self.lanes()),
            State::Writing(lanes) => lanes,
            State::Failed => return Err(Error::internal(OPERATION, "the writer failed before")),
        };
        let piece = lanes.rooms.piece(self.gathered.take()).await?;
        lanes.md5.push(Arc::clone(&piece))?;
        lanes.file.push(piece)?;
        self.state = State::Writing(lanes);
        Ok(())
    }

    fn lanes(&self) -> Lanes {
        let (fs, goal) = (Arc::clone(&self.fs), self.goal.clone());
        let sink = Sink { fs, goal, temp: None, size: 0, sha256: Sha256::new() };
        Lanes { rooms: Rooms::new(), md5: Lane::new(Md5::new(), add), file: Lane::new(sink, Sink::add) }
    }
}

#[async_trait]
impl ObjectWriter for FsWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.gathered.push(bytes);
        if self.gathered.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn finish(mut self: Box<Self>) -> Result<Staged> {
        let (sums, content) = if matches!(self.state, State::Fresh) && self.gathered.len() <= SMALL {
            let body = self.gathered.take().concat();
            let sums = sums(body.len() as u64, Md5::new_with_prefix(&body), Sha256::new_with_prefix(&body));
            (sums, Content::Memory(body))
        } else {
            if self.gathered.len() > 0 || !matches!(self.state, State::Writing(_)) {
                self.flush().await?;
            }
            let State::Writing(lanes) = self.state else {
                return Err(Error::internal(OPERATION, "the writer failed before"));
            };
            lanes.rooms.all_done().await?;
            let (sink, md5) = (lanes.file.into_state()?, lanes.md5.into_state()?);
            let sums = sums(sink.size, md5, sink.sha256);
            let temp = sink.temp.ok_or_else(|| Error::internal(OPERATION, "no piece of the body was written"))?;
            let temp = write_back(temp, sums.size).await?;
            (sums, Content::File(temp))
        };
        let handle = StagedBody { goal: self.goal, content };
        Ok(Staged { sums, handle: Box::new(handle) })
    }
}

impl Sink {
    fn add(&mut self, piece: &Piece) -> Result<()> {
        let temp = match &mut self.temp {
            Some(temp) => temp,
            fresh => fresh.insert(self.goal.temp(&self.fs)?),
        };
        for bytes in &piece.bytes {
            self.size += bytes.len() as u64;
            self.sha256.update(bytes);
            temp.file.write_all(bytes).map_err(|e| Error::io(OPERATION, e))?;
        }
        Ok(())
    }
}

fn add(md5: &mut Md5, piece: &Piece) -> Result<()> {
    piece.bytes.iter().for_each(|bytes| md5.update(bytes));
    Ok(())
}

/// Has a long body on its way to the disk before the commit, which then holds its locks for a short time only.
async fn write_back(mut temp: TempFile, size: u64) -> Result<TempFile> {
    if size < WRITTEN_BACK {
        return Ok(temp);
    }
    super::blocking(OPERATION, move || {
        temp.file.write_back().map_err(|e| Error::io(OPERATION, e))?;
        Ok(temp)
    })
    .await
}

fn sums(size: u64, md5: Md5, sha256: Sha256) -> BodySums {
    BodySums { size, md5: hex::encode(md5.finalize()), sha256: hex::encode(sha256.finalize()) }
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
