//! An archive on its way out: made on a thread of its own, a few pieces ahead of whoever takes them, and never there as a whole.

use crate::zipper::envelope::{Envelope, Seal, sealed_length};
use crate::zipper::{Prepared, Source};
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::sync::mpsc::{Receiver, Sender, channel};

const PIECE: usize = 64 << 10;
/// Pieces that wait for the one who takes them.
const AHEAD: usize = 4;

/// A Full Backup whose first pass is done.
#[derive(Clone, Debug)]
pub struct Archive(Arc<Prepared>);

/// The bytes of an archive. An error, which may come instead of the last piece, means that what came is not the archive.
pub struct Pieces {
    length: u64,
    receiver: Receiver<Result<Bytes>>,
}

impl Archive {
    pub(super) fn new(prepared: Prepared) -> Self {
        Self(Arc::new(prepared))
    }

    /// `dgp-backup-v<version>-<stamp>.zip`.
    pub fn filename(&self) -> &str {
        self.0.filename()
    }

    /// The exact length of the zip.
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// SHA-256 of the zip in lower-case hex.
    pub fn sha256(&self) -> &str {
        self.0.sha256()
    }

    /// Writes it, in an envelope where one is given.
    pub fn write(&self, out: impl Write, envelope: Option<Envelope>) -> Result<()> {
        let Some(envelope) = envelope else { return self.0.write(out) };
        let mut seal = envelope.seal(out)?;
        self.0.write(&mut seal)?;
        seal.finish().map(|_| ())
    }

    /// The second pass: its bytes as they are made, in an envelope where one is given.
    pub fn pieces(&self, envelope: Option<Envelope>) -> Result<Pieces> {
        let archive = self.0.clone();
        let (writer, receiver) = PieceWriter::new();
        let Some(envelope) = envelope else {
            let length = archive.length();
            writer.spawn(move |mut writer| archive.write(&mut writer).map(|()| writer));
            return Ok(Pieces { length, receiver });
        };
        let (taken, sender) = (writer.taken.clone(), writer.sender.clone());
        // The header is far below one piece: nothing waits for a reader here.
        let mut seal = envelope.seal(writer)?;
        let length = sealed_length(taken.load(Ordering::Relaxed), archive.length());
        run(sender, move || archive.write(&mut seal).and_then(|()| Seal::finish(seal)));
        Ok(Pieces { length, receiver })
    }
}

impl Pieces {
    /// What is there already, as it is.
    pub fn of(source: Source) -> Self {
        let (writer, receiver) = PieceWriter::new();
        let length = source.len();
        writer.spawn(move |mut writer| {
            io::copy(&mut source.reader(), &mut writer).map_err(|error| Error::io("send archive", error))?;
            Ok(writer)
        });
        Self { length, receiver }
    }

    /// How long all of them are together.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(cx)
    }
}

/// Cuts what is written into pieces. The last one stays here until all is known to be good.
struct PieceWriter {
    sender: Sender<Result<Bytes>>,
    buffer: BytesMut,
    taken: Arc<AtomicU64>,
}

impl PieceWriter {
    fn new() -> (Self, Receiver<Result<Bytes>>) {
        let (sender, receiver) = channel(AHEAD);
        (Self { sender, buffer: BytesMut::new(), taken: Arc::default() }, receiver)
    }

    fn spawn(self, work: impl FnOnce(Self) -> Result<Self> + Send + 'static) {
        run(self.sender.clone(), move || work(self));
    }
}

/// Runs what writes, then sends the last piece or the error.
fn run(sender: Sender<Result<Bytes>>, work: impl FnOnce() -> Result<PieceWriter> + Send + 'static) {
    tokio::task::spawn_blocking(move || {
        let last = match work() {
            Ok(writer) if writer.buffer.is_empty() => return,
            Ok(writer) => Ok(writer.buffer.freeze()),
            Err(error) => {
                if !sender.is_closed() {
                    log::error!("an archive broke off on its way out: {error:?}");
                }
                Err(error)
            }
        };
        // Nobody takes it any more where the client has gone.
        let _ = sender.blocking_send(last);
    });
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        self.taken.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        while self.buffer.len() > PIECE {
            let piece = self.buffer.split_to(PIECE).freeze();
            self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    #[tokio::test]
    async fn what_breaks_off_ends_with_an_error_and_never_with_the_last_piece() {
        for (length, broken) in
            [(0, false), (1, false), (PIECE, false), (3 * PIECE, false), (PIECE, true), (3 * PIECE, true)]
        {
            let (writer, receiver) = PieceWriter::new();
            writer.spawn(move |mut writer| {
                writer.write_all(&vec![7; length]).map_err(|error| Error::io("test", error))?;
                if broken { Err(Error::internal("test", "the sums differ")) } else { Ok(writer) }
            });
            let pieces = Pieces { length: length as u64, receiver };
            let (mut taken, mut failed) = (0, false);
            let mut pieces = std::pin::pin!(pieces);
            while let Some(piece) = pieces.next().await {
                match piece {
                    Ok(piece) => taken += piece.len(),
                    Err(_) => failed = true,
                }
            }
            assert_eq!((taken == length, failed), (!broken, broken), "{length}");
        }
    }

    #[tokio::test]
    async fn what_is_there_comes_as_it_is() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let pieces = Pieces::of(bytes.clone().into());
        assert_eq!(pieces.length(), 200_000);
        let all: Vec<Bytes> = pieces.map(|piece| piece.unwrap()).collect().await;
        assert_eq!(all.concat(), bytes);
    }
}
