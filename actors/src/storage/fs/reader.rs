//! Opens an object once and streams it: conditions, range and bytes are all those of the one open file.

use super::Fs;
use crate::domain::condition::{ByteRange, ReadVerdict};
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

/// Finds, decides and opens. Runs on the blocking pool.
pub(super) fn open(fs: &Fs, read: &ReadRequest) -> Result<ReadOutcome> {
    let (found, described) = fs.look_existing(&read.bucket, &read.key)?;
    let meta = described.meta;
    if read.conditions.check_read(&meta)? == ReadVerdict::NotModified {
        return Ok(ReadOutcome::NotModified(meta));
    }
    let range = read.range.map(|range| range.resolve(meta.size)).transpose()?;
    let part = range.unwrap_or(ByteRange { start: 0, len: meta.size });
    let body = if part.len <= SMALL {
        let bytes = read_piece(&found.file, part.start, part.len)?;
        stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed()
    } else {
        pieces(Arc::new(found.file), part)
    };
    Ok(ReadOutcome::Found(ReadTicket { meta, range, body }))
}

/// What is left to read, and the piece on its way.
struct Ahead {
    file: Arc<File>,
    at: u64,
    end: u64,
    piece: Option<JoinHandle<Result<Bytes>>>,
}

fn pieces(file: Arc<File>, part: ByteRange) -> ByteStream {
    let mut ahead = Ahead { file, at: part.start, end: part.start + part.len, piece: None };
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
            let file = Arc::clone(&self.file);
            self.piece = Some(tokio::task::spawn_blocking(move || read_piece(&file, at, len)));
        }
    }
}

fn read_piece(file: &File, at: u64, len: u64) -> Result<Bytes> {
    let len = usize::try_from(len).map_err(|e| Error::internal(OPERATION, e))?;
    let mut bytes = vec![0; len];
    // Ends with an error where the file became shorter: a body never ends early and looks whole.
    file.read_exact_at(&mut bytes, at).map_err(|e| Error::io(OPERATION, e))?;
    Ok(bytes.into())
}
