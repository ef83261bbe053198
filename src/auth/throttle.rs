//! Slows down those who guess: failures are counted per (address, account) after verification, and each makes the next try wait
//! longer. Nobody else waits with them: a stranger's failures never lock the admin out.

use actors::domain::clock::{Clock, Timestamp};
use actors::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many failures cost nothing: people mistype.
const FREE: u32 = 5;
/// The first wait; it doubles with each failure.
const FIRST: Duration = Duration::from_secs(1);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(60);
/// Failures are forgotten after this long without another.
const MEMORY: Duration = Duration::from_secs(900);
/// So many pairs are remembered; beyond, the one that failed longest ago is forgotten.
const PAIRS: usize = 10_000;

/// The counts. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    failures: Arc<Mutex<HashMap<(String, String), Failures>>>,
    clock: Clock,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Throttle {
    /// Nobody has failed yet.
    pub fn new(clock: Clock) -> Self {
        Self { failures: Arc::default(), clock }
    }

    /// Whether this address may try this account now.
    pub fn check(&self, address: &str, account: &str) -> Result<()> {
        let now = self.clock.now();
        let wait = self.lock().get(&key(address, account)).map_or(Duration::ZERO, |failures| failures.wait(now));
        if wait.is_zero() {
            return Ok(());
        }
        let seconds = wait.as_millis().div_ceil(1000);
        Err(Error::new(
            ErrorKind::TooManyRequests,
            "sign in",
            format!("too many failed sign-ins from this address; try again in {seconds} s"),
        )
        .with_code("too_many_failures"))
    }

    /// A try failed.
    pub fn failed(&self, address: &str, account: &str) {
        let now = self.clock.now();
        let mut failures = self.lock();
        if failures.len() >= PAIRS {
            forget(&mut failures, now);
        }
        let entry = failures.entry(key(address, account)).or_insert(Failures { count: 0, last: now });
        entry.count = if now.since(entry.last) >= MEMORY { 1 } else { entry.count.saturating_add(1) };
        entry.last = now;
    }

    /// A try succeeded: what this address did wrong before is forgotten.
    pub fn succeeded(&self, address: &str, account: &str) {
        self.lock().remove(&key(address, account));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    /// How long the next try has to wait from now on.
    fn wait(self, now: Timestamp) -> Duration {
        let Some(beyond) = self.count.checked_sub(FREE) else { return Duration::ZERO };
        let delay = FIRST.saturating_mul(1 << beyond.min(16)).min(LONGEST);
        delay.saturating_sub(now.since(self.last))
    }
}

/// An IPv6 customer has a /64 at least, so that is one address here. The account is what a client sent: it is cut, not trusted.
fn key(address: &str, account: &str) -> (String, String) {
    let address = match address.parse() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => v6.segments()[..4].iter().map(|part| format!("{part:x}:")).collect(),
        },
        _ => address.to_owned(),
    };
    (address, account.chars().take(128).collect())
}

fn forget(failures: &mut HashMap<(String, String), Failures>, now: Timestamp) {
    failures.retain(|_, failures| now.since(failures.last) < MEMORY);
    if failures.len() >= PAIRS {
        let oldest = failures.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            failures.remove(&oldest);
        }
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
        throttle.check("10.0.0.1", "$bootstrap").unwrap();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            throttle.failed("10.0.0.1", "$bootstrap");
            let refused = throttle.check("10.0.0.1", "$bootstrap").unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::TooManyRequests);
            assert!(refused.message().ends_with(&format!(" {seconds} s")), "{refused}");
            clock.advance(Duration::from_secs(seconds));
            throttle.check("10.0.0.1", "$bootstrap").unwrap();
        }
    }

    #[test]
    fn a_stranger_locks_nobody_out() {
        let (throttle, _) = throttle();
        for _ in 0..50 {
            throttle.failed("10.0.0.1", "$bootstrap");
        }
        assert!(throttle.check("10.0.0.1", "$bootstrap").is_err());
        throttle.check("10.0.0.2", "$bootstrap").unwrap();
        throttle.check("10.0.0.1", "AKOTHER").unwrap();
    }

    #[test]
    fn success_and_time_forget_failures() {
        let (throttle, clock) = throttle();
        for _ in 0..9 {
            throttle.failed("10.0.0.1", "ann");
            throttle.failed("10.0.0.1", "bob");
        }
        throttle.succeeded("10.0.0.1", "ann");
        throttle.check("10.0.0.1", "ann").unwrap();
        clock.advance(MEMORY);
        throttle.failed("10.0.0.1", "bob");
        throttle.check("10.0.0.1", "bob").unwrap();
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_memory_is_bounded() {
        let (throttle, _) = throttle();
        for host in 0..20 {
            throttle.failed(&format!("2001:db8::{host:x}"), "a");
        }
        assert!(throttle.check("2001:db8::ffff:1", "a").is_err());
        throttle.check("2001:db8:1::1", "a").unwrap();
        for n in 0..PAIRS + 10 {
            throttle.failed("10.0.0.1", &n.to_string());
        }
        assert!(throttle.lock().len() <= PAIRS);
    }
}
