//! Where passwords are hashed: one at a time, at most 16 waiting, the addresses in turn, so that guessers cost neither the
//! server its CPU nor anybody else the way in.

use actors::{Error, ErrorKind, Result};
use std::collections::VecDeque;
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

    /// Runs one computation for an address, after those that are its turn first. A full queue answers `TooManyRequests`.
    pub async fn run<T: Send + 'static>(&self, address: &str, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever asked may have hung up; then nobody needs the answer, nor the work.
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        });
        let start = self.lock().push(address, job)?;
        if start {
            let queue = self.queue.clone();
            tokio::task::spawn_blocking(move || drain(&queue));
        }
        answer.await.map_err(|_| full())
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().len()
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

/// Who waits, by address; the addresses take turns.
struct Queue<J> {
    turns: VecDeque<(String, VecDeque<J>)>,
    running: bool,
}

impl<J> Queue<J> {
    /// Adds a job; true where nobody works the queue off yet. Where it is full, the newest job of the address that has the most
    /// gives way to one of an address that has fewer; dropping it is its answer.
    fn push(&mut self, address: &str, job: J) -> Result<bool> {
        if self.len() >= QUEUE {
            let own = self.turns.iter().find(|(name, _)| name == address).map_or(0, |(_, jobs)| jobs.len());
            match self.turns.iter_mut().max_by_key(|(_, jobs)| jobs.len()) {
                Some((_, most)) if most.len() > own + 1 => drop(most.pop_back()),
                _ => return Err(full()),
            }
        }
        match self.turns.iter_mut().find(|(name, _)| name == address) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.turns.push_back((address.to_owned(), VecDeque::from([job]))),
        }
        Ok(!std::mem::replace(&mut self.running, true))
    }

    /// The next job: the oldest of the address whose turn it is, which then goes to the end.
    fn pop(&mut self) -> Option<J> {
        while let Some((address, mut jobs)) = self.turns.pop_front() {
            if let Some(job) = jobs.pop_front() {
                if !jobs.is_empty() {
                    self.turns.push_back((address, jobs));
                }
                return Some(job);
            }
        }
        self.running = false;
        None
    }

    fn len(&self) -> usize {
        self.turns.iter().map(|(_, jobs)| jobs.len()).sum()
    }
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { turns: VecDeque::new(), running: false }
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

    #[test]
    fn addresses_take_turns() {
        let mut queue = Queue::default();
        assert!(queue.push("a", 1).unwrap(), "the first one starts the work");
        for (address, job) in [("a", 2), ("a", 3), ("b", 4)] {
            assert!(!queue.push(address, job).unwrap());
        }
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [1, 4, 2, 3]);
        assert!(queue.push("a", 5).unwrap(), "an idle queue is started again");
    }

    #[test]
    fn a_full_queue_refuses_the_greedy_and_makes_room_for_others() {
        let mut queue = Queue::default();
        for job in 0..QUEUE {
            queue.push("guesser", job).unwrap();
        }
        assert_eq!(queue.push("guesser", 99).unwrap_err().kind(), ErrorKind::TooManyRequests);
        queue.push("admin", 100).unwrap();
        assert_eq!(queue.len(), QUEUE);
        assert_eq!((queue.pop(), queue.pop()), (Some(0), Some(100)));
        let mut even = Queue::default();
        for address in 0..QUEUE {
            even.push(&address.to_string(), 1).unwrap();
        }
        assert!(even.push("one more", 1).is_err(), "nobody has more than its share");
    }

    #[test]
    fn a_hundred_guesses_let_an_admin_wait_for_no_more_than_one_of_each_address() {
        let mut queue = Queue::default();
        let taken = (0..100).filter(|guess| queue.push(&format!("10.0.0.{}", guess % 10), *guess).is_ok()).count();
        assert_eq!(taken, QUEUE, "the rest is told to come back");
        queue.push("admin", 1000).unwrap();
        let before = std::iter::from_fn(|| queue.pop()).take_while(|job| *job != 1000).count();
        assert_eq!(before, 10);
    }

    #[test]
    fn the_pool_runs_one_after_another_and_survives_a_panic() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let pool = PasswordPool::new();
            assert!(pool.run("a", || -> i32 { panic!("a bug") }).await.is_err());
            assert_eq!(pool.run("a", || 7).await.unwrap(), 7);
            assert_eq!(pool.waiting(), 0);
        });
    }
}
