//! Opens an object once and streams it: conditions, range and bytes are all those of the one open file.

use super::Fs;
use super::attributes::Stored;
use super::lookup::{Described, Found, was_replaced};
use super::parts::lease::Lease;
use super::parts::read::{self, PartsReader};
use crate::domain::condition::{ByteRange, ReadVerdict};
use crate::domain::object::ObjectMeta;
use crate::storage::multipart::UploadRef;
use crate::storage::{ByteStream, ReadOutcome, ReadRequest, ReadTicket};
use crate::{Error, Result};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::sync::Arc;
use tokio::task::JoinHandle;

const OPERATION: &str = "read object";
/// Parts up to this are read while opening.
const SMALL: u64 = 64 * 1024;
/// Larger ones are read in pieces of this, one ahead of what is sent.
const PIECE: u64 = 512 * 1024;

/// Where the bytes of an object lie.
enum Source {
    /// In its file.
    File(File),
    /// In those of its parts.
    Parts(PartsReader),
}

/// Finds, decides and opens. Runs on the blocking pool.
pub(super) fn open(fs: &Arc<Fs>, read: &ReadRequest) -> Result<ReadOutcome> {
    loop {
        let (found, described) = fs.look_existing(&read.bucket, &read.key)?;
        let upload = match described.record.as_ref().and_then(|record| record.stored.as_ref()) {
            None => return open_found(fs, read, found, described, None),
            Some(Stored::Parts { upload, .. }) => upload.clone(),
        };
        let upload = UploadRef { bucket: read.bucket.clone(), key: read.key.clone(), id: upload };
        let lease = Lease::take(fs, upload);
        // Whoever replaces the object from here on sees the lease and leaves its parts.
        if !was_replaced(&found) {
            return open_found(fs, read, found, described, Some(lease));
        }
    }
}

fn open_found(
    fs: &Fs,
    read: &ReadRequest,
    found: Found,
    described: Described,
    lease: Option<Lease>,
) -> Result<ReadOutcome> {
    let meta = described.meta;
    let Some((range, part)) = decide(read, &meta)? else { return Ok(ReadOutcome::NotModified(meta)) };
    let source = match (lease, described.record) {
        (Some(lease), Some(record)) => {
            let parts = read::list(fs, (&read.bucket, &read.key), &found, &record)?;
            Source::Parts(PartsReader::new(fs, lease, parts, part)?)
        }
        _ => Source::File(found.file),
    };
    let body = if part.len <= SMALL {
        whole(source.read_piece(part.start, part.len)?)
    } else {
        pieces(Arc::new(source), part)
    };
    Ok(ReadOutcome::Found(ReadTicket { meta, range, body }))
}

/// The same where nothing has to be waited for: the kernel has names, attribute and content in memory. Another thread is not
/// worth waking for that. `None` says nothing: [`open`] must look.
pub(super) fn open_cached(fs: &Fs, read: &ReadRequest) -> Option<Result<ReadOutcome>> {
    let (file, record) = fs.look_cached(&read.bucket, read.key.as_str())?;
    if record.stored.is_some() {
        return None;
    }
    let meta = record.into_meta();
    let (range, part) = match decide(read, &meta) {
        Ok(Some(decided)) => decided,
        Ok(None) => return Some(Ok(ReadOutcome::NotModified(meta))),
        Err(error) => return Some(Err(error)),
    };
    let body =
        if part.len <= SMALL { whole(read_cached(&file, part)?) } else { pieces(Arc::new(Source::File(file)), part) };
    Some(Ok(ReadOutcome::Found(ReadTicket { meta, range, body })))
}

/// The range to name and the bytes to send; `None` where the client has them.
fn decide(read: &ReadRequest, meta: &ObjectMeta) -> Result<Option<(Option<ByteRange>, ByteRange)>> {
    if read.conditions.check_read(meta)? == ReadVerdict::NotModified {
        return Ok(None);
    }
    let range = read.range.map(|range| range.resolve(meta.size)).transpose()?;
    Ok(Some((range, range.unwrap_or(ByteRange { start: 0, len: meta.size }))))
}

fn whole(bytes: Bytes) -> ByteStream {
    stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed()
}

/// Reads what is in the page cache: all of it or nothing.
fn read_cached(file: &File, part: ByteRange) -> Option<Bytes> {
    let mut bytes = vec![0; usize::try_from(part.len).ok()?];
    let read = preadv2(file, &mut [IoSliceMut::new(&mut bytes)], part.start, ReadWriteFlags::NOWAIT).ok()?;
    (read == bytes.len()).then(|| bytes.into())
}

/// What is left to read, and the piece on its way.
struct Ahead {
    source: Arc<Source>,
    at: u64,
    end: u64,
    piece: Option<JoinHandle<Result<Bytes>>>,
}

fn pieces(source: Arc<Source>, part: ByteRange) -> ByteStream {
    let mut ahead = Ahead { source, at: part.start, end: part.start + part.len, piece: None };
    ahead.fetch();
    stream::try_unfold(ahead, |mut ahead| async move {
        let Some(piece) = ahead.piece.take() else { return Ok(None) };
        let bytes = piece.await.unwrap_or_else(|e| Err(Error::internal(OPERATION, e)))?;
        ahead.fetch();
        Ok(Some((bytes, ahead)))
    })
    .boxed()
}

impl Ahead {
    /// Sends the next piece on its way, if there is one.
    fn fetch(&mut self) {
        let (at, len) = (self.at, PIECE.min(self.end - self.at));
        if len > 0 {
            self.at += len;
            let source = Arc::clone(&self.source);
            self.piece = Some(tokio::task::spawn_blocking(move || source.read_piece(at, len)));
        }
    }
}

impl Source {
    fn read_piece(&self, at: u64, len: u64) -> Result<Bytes> {
        let len = usize::try_from(len).map_err(|e| Error::internal(OPERATION, e))?;
        match self {
            Self::File(file) => read_file(file, at, len).map_err(|e| Error::io(OPERATION, e)),
            Self::Parts(parts) => {
                let mut bytes = vec![0; len];
                parts.read_exact_at(&mut bytes, at)?;
                Ok(bytes.into())
            }
        }
    }
}

/// Reads into memory that nobody has cleared before.
fn read_file(file: &File, at: u64, len: usize) -> io::Result<Bytes> {
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let from = at + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), from) {
            // The file became shorter: a body never ends early and looks whole.
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    // A vector may have more room than was asked for.
    bytes.truncate(len);
    Ok(bytes.into())
}
