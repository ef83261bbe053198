//! Work on a body's pieces, in their order, beside whoever receives them: each lane is one job at a time.
//!
//! A thread works on a lane only while there is a piece: a peer that stalls holds none. Every piece carries its room, so that
//! a body waits for its slowest lane and not the other way round.

use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const OPERATION: &str = "write object";
/// How many pieces of one body may wait or be worked on.
const PIECES: u32 = 4;
/// What is shorter than this is copied together: a client that sends byte by byte must not cost a record each.
const SHORT: usize = 16 * 1024;

/// A piece of a body, as it came from the network: no copy is made for the lanes.
pub(in crate::storage) struct Piece {
    /// Its bytes, one after the other.
    pub(in crate::storage) bytes: Vec<Bytes>,
    /// Goes back when the last lane is done with the piece.
    _room: OwnedSemaphorePermit,
}

/// Gathers what comes into pieces.
#[derive(Default)]
pub(in crate::storage) struct Gathering {
    bytes: Vec<Bytes>,
    short: BytesMut,
    len: usize,
}

/// Room for the pieces of one body.
pub(in crate::storage) struct Rooms(Arc<Semaphore>);

/// One kind of work, with what it works on.
pub(in crate::storage) struct Lane<S> {
    queue: Arc<Mutex<Queue<S>>>,
    work: fn(&mut S, &Piece) -> Result<()>,
}

struct Queue<S> {
    waiting: VecDeque<Arc<Piece>>,
    rest: Rest<S>,
}

/// What a lane is at.
enum Rest<S> {
    /// No piece is left; here is the state.
    Idle(S),
    /// A job has the state.
    Busy,
    /// The work failed: why, until somebody was told.
    Failed(Option<Error>),
}

impl Gathering {
    /// How many bytes were gathered.
    pub(in crate::storage) fn len(&self) -> usize {
        self.len
    }

    /// Adds to the piece.
    pub(in crate::storage) fn push(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if bytes.len() < SHORT {
            self.short.extend_from_slice(&bytes);
            return;
        }
        self.close_short();
        self.bytes.push(bytes);
    }

    /// What was gathered; nothing is left.
    pub(in crate::storage) fn take(&mut self) -> Vec<Bytes> {
        self.close_short();
        self.len = 0;
        std::mem::take(&mut self.bytes)
    }

    fn close_short(&mut self) {
        if !self.short.is_empty() {
            self.bytes.push(self.short.split().freeze());
        }
    }
}

impl Rooms {
    pub(in crate::storage) fn new() -> Self {
        Self(Arc::new(Semaphore::new(PIECES as usize)))
    }

    /// Waits for room and makes a piece.
    pub(in crate::storage) async fn piece(&self, bytes: Vec<Bytes>) -> Result<Arc<Piece>> {
        let room = Arc::clone(&self.0).acquire_owned().await.map_err(|e| Error::internal(OPERATION, e))?;
        Ok(Arc::new(Piece { bytes, _room: room }))
    }

    /// Waits until no lane has a piece any more.
    pub(in crate::storage) async fn all_done(&self) -> Result<()> {
        self.0.acquire_many(PIECES).await.map(drop).map_err(|e| Error::internal(OPERATION, e))
    }
}

impl<S: Send + 'static> Lane<S> {
    pub(in crate::storage) fn new(state: S, work: fn(&mut S, &Piece) -> Result<()>) -> Self {
        let queue = Queue { waiting: VecDeque::new(), rest: Rest::Idle(state) };
        Self { queue: Arc::new(Mutex::new(queue)), work }
    }

    /// Hands a piece over; an error if the work on an earlier one failed.
    pub(in crate::storage) fn push(&self, piece: Arc<Piece>) -> Result<()> {
        let mut queue = lock(&self.queue);
        match std::mem::replace(&mut queue.rest, Rest::Busy) {
            Rest::Failed(error) => {
                queue.rest = Rest::Failed(None);
                return Err(error.unwrap_or_else(failed_before));
            }
            Rest::Busy => queue.waiting.push_back(piece),
            Rest::Idle(state) => {
                queue.waiting.push_back(piece);
                let (job, work) = (Job { queue: Arc::clone(&self.queue), over: false }, self.work);
                drop(tokio::task::spawn_blocking(move || job.run(state, work)));
            }
        }
        Ok(())
    }

    /// The state, when all work is done ([`Rooms::all_done`]).
    pub(in crate::storage) fn into_state(self) -> Result<S> {
        match std::mem::replace(&mut lock(&self.queue).rest, Rest::Failed(None)) {
            Rest::Idle(state) => Ok(state),
            Rest::Busy => Err(Error::internal(OPERATION, "a lane is still at work")),
            Rest::Failed(error) => Err(error.unwrap_or_else(failed_before)),
        }
    }
}

/// A job under way. A panic in it counts as a failure and gives all room back.
struct Job<S> {
    queue: Arc<Mutex<Queue<S>>>,
    over: bool,
}

impl<S> Job<S> {
    fn run(mut self, mut state: S, work: fn(&mut S, &Piece) -> Result<()>) {
        let mut done: Option<Arc<Piece>> = None;
        let queue = Arc::clone(&self.queue);
        loop {
            let mut locked = lock(&queue);
            let Some(piece) = locked.waiting.pop_front() else {
                // The last piece's room goes back after the state is there: whoever waits for all room finds it.
                self.over = true;
                locked.rest = Rest::Idle(state);
                return;
            };
            drop(locked);
            drop(done.take());
            if let Err(error) = work(&mut state, &piece) {
                self.over = true;
                let mut locked = lock(&queue);
                locked.rest = Rest::Failed(Some(error));
                locked.waiting.clear();
                return;
            }
            done = Some(piece);
        }
    }
}

impl<S> Drop for Job<S> {
    fn drop(&mut self) {
        if !self.over {
            let mut locked = lock(&self.queue);
            locked.rest = Rest::Failed(Some(Error::internal(OPERATION, "the work on a body panicked")));
            locked.waiting.clear();
        }
    }
}

fn failed_before() -> Error {
    Error::internal(OPERATION, "the writer failed before")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(seen: &mut Vec<u8>, piece: &Piece) -> Result<()> {
        for bytes in &piece.bytes {
            match bytes.first() {
                Some(255) => panic!("ordered by the test"),
                Some(254) => return Err(Error::internal(OPERATION, "ordered by the test")),
                _ => seen.extend_from_slice(bytes),
            }
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_lanes_see_every_piece_in_order_and_give_all_room_back() {
        let (rooms, a, b) = (Rooms::new(), Lane::new(Vec::new(), gather), Lane::new(Vec::new(), gather));
        let sent: Vec<u8> = (0..100).collect();
        for byte in &sent {
            let piece = rooms.piece(vec![Bytes::copy_from_slice(&[*byte])]).await.unwrap();
            a.push(Arc::clone(&piece)).unwrap();
            b.push(piece).unwrap();
        }
        rooms.all_done().await.unwrap();
        assert_eq!((a.into_state().unwrap(), b.into_state().unwrap()), (sent.clone(), sent));
    }

    #[tokio::test]
    async fn a_failure_or_a_panic_is_told_and_keeps_no_room() {
        for order in [254, 255] {
            let (rooms, lane) = (Rooms::new(), Lane::new(Vec::new(), gather));
            for byte in [1, order, 2] {
                let piece = rooms.piece(vec![Bytes::copy_from_slice(&[byte])]).await.unwrap();
                // The failure may be known already.
                let _ = lane.push(piece);
            }
            rooms.all_done().await.unwrap();
            assert!(lane.into_state().is_err());
        }
    }

    #[test]
    fn short_bytes_are_copied_together_and_long_ones_are_not_copied() {
        let mut gathering = Gathering::default();
        let long = Bytes::from(vec![7; SHORT]);
        for bytes in [Bytes::from_static(b"ab"), Bytes::from_static(b"c"), long.clone(), Bytes::from_static(b"d")] {
            gathering.push(bytes);
        }
        assert_eq!(gathering.len(), SHORT + 4);
        let taken = gathering.take();
        assert_eq!((&taken[0][..], &taken[2][..], taken.len()), (&b"abc"[..], &b"d"[..], 3));
        assert_eq!(taken[1].as_ptr(), long.as_ptr());
        assert_eq!((gathering.len(), gathering.take().len()), (0, 0));
    }
}
