//! Where passwords are hashed: one at a time, at most 16 waiting, whoever tried least goes first, so that guessers cost neither the
//! server its CPU nor anybody else the way in.

use crate::auth::throttle::Standing;
use actors::{Error, ErrorKind, Result};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How many may wait.
const QUEUE: usize = 16;

/// The pool. Clones share it.
#[derive(Clone, Default)]
pub struct PasswordPool {
    queue: Arc<Mutex<Queue<Job>>>,
}

type Job = Box<dyn FnOnce() + Send>;

impl PasswordPool {
    /// An idle pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs one computation, after those that stand before it. Where 16 wait already, the last of them is answered `TooManyRequests`.
    pub async fn run<T: Send + 'static>(
        &self,
        standing: Standing,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever asked may have hung up; then nobody needs the answer, nor the work.
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        });
        let start = self.lock().push(standing, job);
        if start {
            let queue = self.queue.clone();
            tokio::task::spawn_blocking(move || drain(&queue));
        }
        // A job that gave way is dropped, and its end of the channel with it.
        answer.await.map_err(|_| full())
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, Queue<Job>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works the queue off; there is never more than one of these.
fn drain(queue: &Mutex<Queue<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(job) = next else { return };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            log::error!("hashing a password panicked; the next one goes on");
        }
    }
}

/// Who waits: by standing, and of equals the latest first. A burst of strangers that came before costs whoever comes now one
/// computation, not as many as there are strangers.
struct Queue<J> {
    waiting: BTreeMap<(Standing, Reverse<u64>), J>,
    arrived: u64,
    running: bool,
}

impl<J> Queue<J> {
    /// Adds a job; true where nobody works the queue off yet. Where it is full the last one gives way, which may be this one:
    /// dropping it is its answer.
    fn push(&mut self, standing: Standing, job: J) -> bool {
        self.arrived += 1;
        self.waiting.insert((standing, Reverse(self.arrived)), job);
        if self.waiting.len() > QUEUE {
            self.waiting.pop_last();
        }
        !std::mem::replace(&mut self.running, true)
    }

    /// The next job.
    fn pop(&mut self) -> Option<J> {
        let next = self.waiting.pop_first().map(|(_, job)| job);
        self.running = next.is_some();
        next
    }
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), arrived: 0, running: false }
    }
}

fn full() -> Error {
    Error::new(ErrorKind::TooManyRequests, "check password", "too many sign-ins are waiting; try again in a moment")
        .with_code("too_many_sign_ins")
}

impl fmt::Debug for PasswordPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordPool({} waiting)", self.waiting())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::throttle::Throttle;
    use actors::domain::clock::{Clock, Timestamp};

    const ADMIN: &str = "192.0.2.1";

    /// Guessers, and the queue that they wait in.
    struct Siege {
        throttle: Throttle,
        queue: Queue<String>,
    }

    impl Siege {
        fn new() -> Self {
            Self { throttle: Throttle::new(Clock::fixed(Timestamp::from_secs(1000))), queue: Queue::default() }
        }

        fn comes(&mut self, address: &str) {
            let standing = self.throttle.admit(address, "$bootstrap").unwrap();
            self.queue.push(standing, address.to_owned());
        }

        /// Each of a hundred addresses guesses once.
        fn hundred_guess(&mut self) {
            (0..100).for_each(|n| self.comes(&format!("10.0.0.{n}")));
        }

        /// How many are looked at before the admin is; `None` where the admin was sent away.
        fn before_the_admin(&mut self) -> Option<usize> {
            let order: Vec<String> = std::iter::from_fn(|| self.queue.pop()).collect();
            order.iter().position(|address| address == ADMIN)
        }
    }

    #[test]
    fn an_admin_who_comes_while_a_hundred_hammer_is_next() {
        for rounds in 2..20 {
            let mut siege = Siege::new();
            (0..rounds).for_each(|_| siege.hundred_guess());
            assert_eq!(siege.queue.waiting.len(), QUEUE, "the rest was told to come back");
            siege.comes(ADMIN);
            (0..rounds).for_each(|_| siege.hundred_guess());
            assert_eq!(siege.before_the_admin(), Some(0), "after {rounds} rounds");
        }
    }

    #[test]
    fn an_admin_who_is_overrun_by_a_hundred_first_tries_is_next_with_the_second() {
        let mut siege = Siege::new();
        siege.comes(ADMIN);
        siege.hundred_guess();
        assert_eq!(siege.before_the_admin(), None, "a hundred strangers cannot be told from an admin");
        siege.hundred_guess();
        siege.comes(ADMIN);
        (0..5).for_each(|_| siege.hundred_guess());
        assert_eq!(siege.before_the_admin(), Some(0));
    }

    #[test]
    fn an_admin_who_signed_in_from_there_before_is_not_even_overrun_by_first_tries() {
        let mut siege = Siege::new();
        siege.throttle.succeeded(ADMIN, "$bootstrap");
        siege.comes(ADMIN);
        siege.hundred_guess();
        assert_eq!(siege.before_the_admin(), Some(0));
    }

    #[test]
    fn an_admin_who_mistyped_twice_goes_before_all_who_tried_more_often() {
        let mut siege = Siege::new();
        (0..6).for_each(|_| siege.hundred_guess());
        (0..2).for_each(|_| siege.comes(ADMIN));
        while siege.queue.pop().is_some() {}
        siege.hundred_guess();
        siege.comes(ADMIN);
        siege.hundred_guess();
        assert_eq!(siege.before_the_admin(), Some(0));
    }

    #[test]
    fn many_tries_of_one_address_wait_behind_the_first_of_another() {
        let mut siege = Siege::new();
        (0..100).for_each(|_| siege.comes("10.0.0.1"));
        siege.comes(ADMIN);
        (0..100).for_each(|_| siege.comes("10.0.0.1"));
        assert_eq!(siege.before_the_admin(), Some(0));
    }

    #[test]
    fn the_pool_runs_one_after_another_and_survives_a_panic() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let pool = PasswordPool::new();
            assert!(pool.run(Standing::PROVEN, || -> i32 { panic!("a bug") }).await.is_err());
            assert_eq!(pool.run(Standing::PROVEN, || 7).await.unwrap(), 7);
            assert_eq!(pool.waiting(), 0);
        });
    }

    #[test]
    fn whoever_gives_way_is_told_to_come_back() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let pool = PasswordPool::new();
            // Held, so that nothing is worked off meanwhile.
            pool.lock().running = true;
            let throttle = Throttle::default();
            let standing = |n: usize| throttle.admit(&format!("10.0.0.{n}"), "a").unwrap();
            let tries = (0..=QUEUE).map(|n| pool.run(standing(n), || ()));
            let mut tries: Vec<_> = tries.map(Box::pin).collect();
            for one in &mut tries {
                assert!(futures_util::poll!(one.as_mut()).is_pending());
            }
            let refused = tries.remove(0).await.unwrap_err();
            assert_eq!((refused.kind(), refused.code()), (ErrorKind::TooManyRequests, Some("too_many_sign_ins")));
        });
    }
}
