//! How slow a peer may be: nothing for the idle time, or less than 16 KiB/s over 5 minutes, and it is cut off. Pure.

use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(300);
const LEAST: u64 = 16 * 1024 * 300;

/// Bytes moved, as time goes by. Times count from the start of the transfer.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Pace {
    idle: Duration,
    last: Duration,
    window: Duration,
    in_window: u64,
}

impl Pace {
    pub(in crate::http) fn new(idle: Duration) -> Self {
        Self { idle, last: Duration::ZERO, window: Duration::ZERO, in_window: 0 }
    }

    /// Notes bytes that moved at `at`.
    pub(in crate::http) fn moved(&mut self, at: Duration, bytes: u64) {
        self.last = at;
        self.in_window += bytes;
    }

    /// Whether the peer is too slow at `at`.
    pub(in crate::http) fn too_slow(&mut self, at: Duration) -> bool {
        if at.saturating_sub(self.last) >= self.idle {
            return true;
        }
        if at.saturating_sub(self.window) < WINDOW {
            return false;
        }
        let slow = self.in_window < LEAST;
        (self.window, self.in_window) = (at, 0);
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_stalls_or_dribbles_is_too_slow() {
        let at = Duration::from_secs;
        let mut pace = Pace::new(at(30));
        pace.moved(at(1), 10);
        assert!(!pace.too_slow(at(30)));
        assert!(pace.too_slow(at(31)));
        let (mut dribble, mut steady) = (Pace::new(at(30)), Pace::new(at(30)));
        for second in 0..300 {
            dribble.moved(at(second), 1024);
            steady.moved(at(second), 16 * 1024);
        }
        assert!(dribble.too_slow(at(300)));
        assert!(!steady.too_slow(at(300)));
    }
}
