//! A body that is sent while it is made: batches go in at one end, and a connection takes them at the other.

use bytes::Bytes;
use futures_util::stream;
use hyper::Body;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use std::vec::IntoIter;
use tokio::sync::{Mutex, Notify, mpsc};

/// How many batches wait for the connection.
const WAITING: usize = 3;

/// The end where the body goes in. Dropped before all of it went in, it breaks the connection.
pub(super) struct Sending {
    to: mpsc::Sender<Vec<Bytes>>,
    whole: Arc<Notify>,
    idle: Duration,
}

/// The end where a connection takes it.
pub(super) struct Feed {
    pieces: Arc<Mutex<Pieces>>,
    whole: Arc<Notify>,
}

struct Pieces {
    from: mpsc::Receiver<Vec<Bytes>>,
    ready: IntoIter<Bytes>,
}

/// Why a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untaken {
    /// The request has ended: its answer says why.
    Ended,
    /// For too long nothing went out.
    Stalled,
}

impl Feed {
    /// Both ends; nothing may stand still for longer than `idle`.
    pub(super) fn new(idle: Duration) -> (Sending, Self) {
        let (to, from) = mpsc::channel(WAITING);
        let whole = Arc::new(Notify::new());
        let pieces = Arc::new(Mutex::new(Pieces { from, ready: Vec::new().into_iter() }));
        (Sending { to, whole: Arc::clone(&whole), idle }, Self { pieces, whole })
    }

    /// The body of a request. A connection that was never made has taken nothing, so that the next one gets all.
    pub(super) fn body(&self) -> Body {
        let pieces = Arc::clone(&self.pieces);
        Body::wrap_stream(stream::unfold(pieces, |pieces| async move {
            let piece = pieces.lock().await.next().await?;
            Some((Ok::<_, io::Error>(piece), pieces))
        }))
    }

    /// Returns when the whole body went in.
    pub(super) async fn is_whole(&self) {
        self.whole.notified().await;
    }
}

impl Pieces {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.ready.next() {
                return Some(piece);
            }
            self.ready = self.from.recv().await?.into_iter();
        }
    }
}

impl Sending {
    /// Sends a batch; returns when there is room for it.
    pub(super) async fn send(&self, batch: Vec<Bytes>) -> Result<(), Untaken> {
        match tokio::time::timeout(self.idle, self.to.send(batch)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Untaken::Ended),
            Err(_) => Err(Untaken::Stalled),
        }
    }

    /// That was all: from now on the answer is due.
    pub(super) fn done(&self) {
        self.whole.notify_one();
    }
}
