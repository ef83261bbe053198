//! What the requests of a connection and others may know of it, and the way to end it from outside.

use futures_util::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

/// A connection, as others see it.
#[derive(Clone, Debug)]
pub struct Line(Arc<State>);

#[derive(Debug)]
struct State {
    secure: bool,
    begun: Instant,
    /// Milliseconds after `begun` since when bytes wait for the peer to take them; none do at 0.
    waiting: AtomicU64,
    cut: AtomicBool,
    /// The connection, while bytes wait.
    task: AtomicWaker,
}

impl Line {
    pub(in crate::http) fn new(secure: bool) -> Self {
        let (waiting, cut, task) = (AtomicU64::new(0), AtomicBool::new(false), AtomicWaker::new());
        Self(Arc::new(State { secure, begun: Instant::now(), waiting, cut, task }))
    }

    /// It is https.
    pub fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// How long the peer has taken nothing of what waits for it.
    pub fn stalled(&self) -> Duration {
        match self.0.waiting.load(Ordering::Acquire) {
            0 => Duration::ZERO,
            since => self.0.begun.elapsed().saturating_sub(Duration::from_millis(since)),
        }
    }

    /// Ends the connection, and frees what its request holds.
    pub fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
        self.0.task.wake();
    }

    /// Bytes wait for the peer; true where the connection was cut meanwhile.
    pub(in crate::http) fn waits(&self, task: &Waker) -> bool {
        self.0.task.register(task);
        let now = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        // Only the first of several looks counts.
        let _ = self.0.waiting.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
        self.0.cut.load(Ordering::Acquire)
    }

    /// The peer took some.
    pub(super) fn moves(&self) {
        self.0.waiting.store(0, Ordering::Release);
    }
}
