//! Opens an object once and streams it: conditions, range and bytes are all those of the one open file.

use super::Fs;
use super::attributes::Stored;
use super::lookup::{Described, Found, was_replaced};
use super::parts::lease::Lease;
use super::parts::read::{self, PartsReader};
use crate::domain::condition::{ByteRange, ReadVerdict};
use crate::storage::multipart::UploadRef;
use crate::storage::{ByteStream, ReadOutcome, ReadRequest, ReadTicket};
use crate::{Error, Result};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::fs::File;
use std::os::unix::fs::FileExt;
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
    if read.conditions.check_read(&meta)? == ReadVerdict::NotModified {
        return Ok(ReadOutcome::NotModified(meta));
    }
    let range = read.range.map(|range| range.resolve(meta.size)).transpose()?;
    let part = range.unwrap_or(ByteRange { start: 0, len: meta.size });
    let source = match (lease, described.record) {
        (Some(lease), Some(record)) => {
            let parts = read::list(fs, (&read.bucket, &read.key), &found, &record)?;
            Source::Parts(PartsReader::new(fs, lease, parts, part)?)
        }
        _ => Source::File(found.file),
    };
    let body = if part.len <= SMALL {
        let bytes = source.read_piece(part.start, part.len)?;
        stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed()
    } else {
        pieces(Arc::new(source), part)
    };
    Ok(ReadOutcome::Found(ReadTicket { meta, range, body }))
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
        let mut bytes = vec![0; len];
        match self {
            // Ends with an error where the file became shorter: a body never ends early and looks whole.
            Self::File(file) => file.read_exact_at(&mut bytes, at).map_err(|e| Error::io(OPERATION, e))?,
            Self::Parts(parts) => parts.read_exact_at(&mut bytes, at)?,
        }
        Ok(bytes.into())
    }
}
