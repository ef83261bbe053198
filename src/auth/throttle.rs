//! Slows down those who guess: tries and failures are counted per (address, account), each failure makes the next try wait longer,
//! and whoever has tried least is looked at first. Nobody else waits with a guesser: a stranger's failures never lock the admin out.

use actors::domain::clock::{Clock, Timestamp};
use actors::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The account that the bootstrap password opens.
pub const BOOTSTRAP: &str = "$bootstrap";
/// So many failures cost nothing: people mistype.
const FREE: u32 = 5;
/// The first wait; it doubles with each failure.
const FIRST: Duration = Duration::from_secs(1);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(60);
/// Tries and failures are forgotten after this long without another.
const MEMORY: Duration = Duration::from_secs(900);
/// From where somebody signed in is remembered this long.
const KNOWN: Duration = Duration::from_secs(30 * 86_400);
/// So many pairs are remembered of each; beyond, the one that was seen longest ago is forgotten.
const PAIRS: usize = 10_000;

/// Where a try stands among those that wait to be looked at: the least goes first.
///
/// It grows with how often the address tried this account since it last succeeded, whether that was looked at or not. So those who
/// hammer stand behind whoever comes for the first time, however many addresses they have, and behind all who signed in from theirs
/// before. The first two tries are equals, and the next four, and so on: who was sent away in a crowd and comes again loses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing(u32);

impl Standing {
    /// Of those who proved already who they are: nobody goes before them.
    pub const PROVEN: Self = Self(0);
}

/// The counts. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    memory: Arc<Mutex<Memory>>,
    clock: Clock,
}

/// An address and an account.
type Pair = (String, String);

#[derive(Debug, Default)]
struct Memory {
    tries: HashMap<Pair, Tries>,
    /// When somebody last signed in to the account from the address.
    known: HashMap<Pair, Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    asked: u32,
    failed: u32,
    last_asked: Timestamp,
    last_failed: Timestamp,
}

impl Throttle {
    /// Nobody has tried yet.
    pub fn new(clock: Clock) -> Self {
        Self { memory: Arc::default(), clock }
    }

    /// Whether this address may try this account now, and where the try stands among others. It is counted as one.
    pub fn admit(&self, address: &str, account: &str) -> Result<Standing> {
        let (now, pair) = (self.clock.now(), key(address, account));
        let mut memory = self.lock();
        let known = memory.known.get(&pair).is_some_and(|at| now.since(*at) < KNOWN);
        let tries = memory.tries(pair, now);
        let wait = tries.wait(now);
        if !wait.is_zero() {
            let seconds = wait.as_millis().div_ceil(1000);
            let message = format!("too many failed sign-ins from this address; try again in {seconds} s");
            return Err(Error::new(ErrorKind::TooManyRequests, "sign in", message).with_code("too_many_failures"));
        }
        let before = tries.asked;
        tries.asked = before.saturating_add(1);
        tries.last_asked = now;
        // Whoever guesses beside an admin, behind one address, does not go first for long.
        match known && tries.failed < FREE {
            true => Ok(Standing::PROVEN),
            false => Ok(Standing(before.saturating_add(2).ilog2())),
        }
    }

    /// A try failed.
    pub fn failed(&self, address: &str, account: &str) {
        let now = self.clock.now();
        let mut memory = self.lock();
        let tries = memory.tries(key(address, account), now);
        tries.failed = tries.failed.saturating_add(1);
        tries.last_failed = now;
    }

    /// A try succeeded: what this address did wrong before is forgotten, and that it was right is remembered.
    pub fn succeeded(&self, address: &str, account: &str) {
        self.lock().tries.remove(&key(address, account));
        self.remember(address, account, self.clock.now());
    }

    /// Somebody signed in to this account from this address, at that time.
    pub fn remember(&self, address: &str, account: &str, at: Timestamp) {
        let now = self.clock.now();
        let mut memory = self.lock();
        make_room(&mut memory.known, |at| (now.since(*at) < KNOWN).then_some(*at));
        let last = memory.known.entry(key(address, account)).or_insert(at);
        *last = at.max(*last);
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// What is known of a pair, anew where it was forgotten.
    fn tries(&mut self, pair: Pair, now: Timestamp) -> &mut Tries {
        let recent = |tries: &Tries| (now.since(tries.seen()) < MEMORY).then(|| tries.seen());
        if !self.tries.contains_key(&pair) {
            make_room(&mut self.tries, recent);
        }
        let fresh = Tries { asked: 0, failed: 0, last_asked: now, last_failed: now };
        let tries = self.tries.entry(pair).or_insert(fresh);
        if recent(tries).is_none() {
            *tries = fresh;
        }
        tries
    }
}

impl Tries {
    fn seen(&self) -> Timestamp {
        self.last_asked.max(self.last_failed)
    }

    /// How long the next try has to wait from now on.
    fn wait(self, now: Timestamp) -> Duration {
        let Some(beyond) = self.failed.checked_sub(FREE) else { return Duration::ZERO };
        let delay = FIRST.saturating_mul(1 << beyond.min(16)).min(LONGEST);
        delay.saturating_sub(now.since(self.last_failed))
    }
}

/// An IPv6 customer has a /64 at least, so that is one address here. The account is what a client sent: it is cut, not trusted.
fn key(address: &str, account: &str) -> Pair {
    let address = match address.parse() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => v6.segments()[..4].iter().map(|part| format!("{part:x}:")).collect(),
        },
        _ => address.to_owned(),
    };
    (address, account.chars().take(128).collect())
}

/// Forgets what is over (`None`) where the table is full, and the oldest where that is not enough.
fn make_room<T>(table: &mut HashMap<Pair, T>, seen: impl Fn(&T) -> Option<Timestamp>) {
    if table.len() < PAIRS {
        return;
    }
    table.retain(|_, entry| seen(entry).is_some());
    if table.len() >= PAIRS {
        let oldest = table.iter().min_by_key(|(_, entry)| seen(entry)).map(|(pair, _)| pair.clone());
        oldest.and_then(|oldest| table.remove(&oldest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> (Throttle, Clock) {
        let clock = Clock::fixed(Timestamp::from_secs(1000));
        (Throttle::new(clock.clone()), clock)
    }

    #[test]
    fn each_failure_beyond_the_free_ones_doubles_the_wait() {
        let (throttle, clock) = throttle();
        for _ in 0..FREE - 1 {
            throttle.failed("10.0.0.1", "$bootstrap");
        }
        throttle.admit("10.0.0.1", "$bootstrap").unwrap();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            throttle.failed("10.0.0.1", "$bootstrap");
            let refused = throttle.admit("10.0.0.1", "$bootstrap").unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::TooManyRequests);
            assert!(refused.message().ends_with(&format!(" {seconds} s")), "{refused}");
            clock.advance(Duration::from_secs(seconds));
            throttle.admit("10.0.0.1", "$bootstrap").unwrap();
        }
    }

    #[test]
    fn a_stranger_locks_nobody_out() {
        let (throttle, _) = throttle();
        for _ in 0..50 {
            throttle.failed("10.0.0.1", "$bootstrap");
        }
        assert!(throttle.admit("10.0.0.1", "$bootstrap").is_err());
        throttle.admit("10.0.0.2", "$bootstrap").unwrap();
        throttle.admit("10.0.0.1", "AKOTHER").unwrap();
    }

    #[test]
    fn success_and_time_forget_failures() {
        let (throttle, clock) = throttle();
        for _ in 0..9 {
            throttle.failed("10.0.0.1", "ann");
            throttle.failed("10.0.0.1", "bob");
        }
        throttle.succeeded("10.0.0.1", "ann");
        throttle.admit("10.0.0.1", "ann").unwrap();
        clock.advance(MEMORY);
        throttle.failed("10.0.0.1", "bob");
        throttle.admit("10.0.0.1", "bob").unwrap();
    }

    #[test]
    fn whoever_tried_less_stands_before_whoever_tried_more() {
        let (throttle, clock) = throttle();
        let admit = |address: &str| throttle.admit(address, "$bootstrap").unwrap();
        let first = admit("10.0.0.1");
        assert_eq!(admit("10.0.0.1"), first, "who was sent away comes again");
        assert!(first < admit("10.0.0.1"), "a try counts, whether it was looked at or not");
        assert_eq!(admit("10.0.0.2"), first);
        assert!(Standing::PROVEN < first);
        clock.advance(MEMORY);
        assert_eq!(admit("10.0.0.1"), first, "and is forgotten");
    }

    #[test]
    fn an_address_that_was_right_before_stands_before_all_others_until_it_guesses() {
        let (throttle, clock) = throttle();
        throttle.succeeded("10.0.0.1", "$bootstrap");
        assert_eq!(throttle.admit("10.0.0.1", "$bootstrap").unwrap(), Standing::PROVEN);
        assert_ne!(
            throttle.admit("10.0.0.1", "AKOTHER").unwrap(),
            Standing::PROVEN,
            "one account says nothing of another"
        );
        for _ in 0..FREE {
            throttle.failed("10.0.0.1", "$bootstrap");
        }
        clock.advance(Duration::from_secs(1));
        assert_ne!(throttle.admit("10.0.0.1", "$bootstrap").unwrap(), Standing::PROVEN);
        throttle.succeeded("10.0.0.1", "$bootstrap");
        clock.advance(KNOWN);
        assert_ne!(
            throttle.admit("10.0.0.1", "$bootstrap").unwrap(),
            Standing::PROVEN,
            "thirty days later it is a stranger's"
        );
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_memory_is_bounded() {
        let (throttle, _) = throttle();
        for host in 0..20 {
            throttle.failed(&format!("2001:db8::{host:x}"), "a");
        }
        assert!(throttle.admit("2001:db8::ffff:1", "a").is_err());
        throttle.admit("2001:db8:1::1", "a").unwrap();
        for n in 0..PAIRS + 10 {
            throttle.failed("10.0.0.1", &n.to_string());
            throttle.succeeded("10.0.0.2", &n.to_string());
        }
        let memory = throttle.lock();
        assert!(memory.tries.len() <= PAIRS && memory.known.len() <= PAIRS);
    }
}
