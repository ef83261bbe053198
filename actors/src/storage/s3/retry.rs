//! How long an upstream may take, what is asked again and when, and when it is taken for dead.

use http::StatusCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an upstream may take, and how often it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To accept a connection.
    pub connect: Duration,
    /// To begin its answer, beyond what the body of the request takes.
    pub head: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// How often a request is sent at most.
    pub tries: u32,
    /// The mean pause before the second try; it doubles with each one.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            tries: 4,
            pause: Duration::from_millis(100),
        }
    }
}

impl Limits {
    /// For those who only look.
    pub fn hasty() -> Self {
        Self { head: Duration::from_secs(10), tries: 2, ..Self::default() }
    }
}

/// What copies and completions of large objects may take: services answer when all is done.
const SLOW: Duration = Duration::from_secs(900);
/// A body is sent at this many bytes a second at least.
const SLOWEST: u64 = 256 << 10;
/// So many failures in a row shut the gate.
const FAILURES: u32 = 3;
/// For so long an answer is a sign of life.
const FRESH: Duration = Duration::from_secs(10);
/// While it is shut, one request goes through in this time.
const TRIAL: Duration = Duration::from_secs(1);

impl Limits {
    /// How long the head of an answer may take.
    pub(super) fn head(&self, slow: bool, body: u64) -> Duration {
        let head = if slow { SLOW.max(self.head) } else { self.head };
        head + Duration::from_secs(body / SLOWEST)
    }
}

/// Answers after which the same request may succeed.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// The pauses between the tries of one request.
pub(super) struct Pause {
    left: u32,
    next: Duration,
}

impl Pause {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { left: limits.tries.saturating_sub(1), next: limits.pause }
    }

    /// Counts one more try; false where there is none left.
    pub(super) fn may_repeat(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }

    /// Half of the pause, and up to as much again by chance: those that failed together do not come back together.
    pub(super) async fn wait(&mut self) {
        let chance = u32::from(uuid::Uuid::new_v4().as_bytes()[0]);
        tokio::time::sleep(self.next / 2 + self.next * chance / 256).await;
        self.next *= 2;
    }
}

/// Lets requests through to an upstream that lives, and now and then one to an upstream that does not.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Tally>);

#[derive(Debug, Default)]
struct Tally {
    failures: u32,
    trial: Option<Instant>,
    /// When it last answered.
    answered: Option<Instant>,
}

impl Gate {
    /// May this request go to the upstream?
    pub(super) fn admit(&self) -> bool {
        let (mut tally, now) = (self.tally(), Instant::now());
        if tally.failures < FAILURES {
            return true;
        }
        let due = tally.trial.is_none_or(|trial| now >= trial);
        if due {
            tally.trial = Some(now + TRIAL);
        }
        due
    }

    /// True while it lets only trials through.
    pub(super) fn is_shut(&self) -> bool {
        self.tally().failures >= FAILURES
    }

    /// True where its last word was an answer, and not long ago: nobody needs to ask whether it lives.
    pub(super) fn is_fresh(&self) -> bool {
        let tally = self.tally();
        tally.failures == 0 && tally.answered.is_some_and(|answered| answered.elapsed() < FRESH)
    }

    /// The upstream answered, whatever it was.
    pub(super) fn success(&self) {
        *self.tally() = Tally { answered: Some(Instant::now()), ..Tally::default() };
    }

    /// It did not.
    pub(super) fn failure(&self) {
        let mut tally = self.tally();
        tally.failures = tally.failures.saturating_add(1);
        tally.trial = Some(Instant::now() + TRIAL);
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_shut_the_gate_and_one_answer_opens_it() {
        let gate = Gate::default();
        gate.failure();
        gate.failure();
        gate.success();
        gate.failure();
        gate.failure();
        assert!(gate.admit() && !gate.is_shut());
        gate.failure();
        assert!(!gate.admit() && gate.is_shut());
        gate.success();
        assert!(gate.admit() && !gate.is_shut());
    }

    #[test]
    fn a_request_is_tried_so_often_and_no_more() {
        let mut pause = Pause::new(&Limits { tries: 3, ..Limits::default() });
        assert_eq!([pause.may_repeat(), pause.may_repeat(), pause.may_repeat()], [true, true, false]);
    }
}
