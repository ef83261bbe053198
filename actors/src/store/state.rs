//! What a backend's owner knows: writes under way, whether it drains, how healthy the backend is. Pure.

use crate::domain::clock::Timestamp;
use crate::{Error, ErrorKind, Result};
use std::time::Duration;

/// A write probe is made at most this often.
const WRITE_PROBE_EVERY: Duration = Duration::from_secs(60);

/// How healthy a backend is, with ages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When an operation last succeeded.
    pub last_success: Option<Timestamp>,
    /// When one last failed for the backend's own reasons, and how.
    pub last_failure: Option<(Timestamp, String)>,
    /// Writes under way.
    pub writes: usize,
}

/// The state of one backend's owner.
#[derive(Debug, Default)]
pub struct StoreState {
    health: Health,
    draining: bool,
    last_write_probe: Option<Timestamp>,
}

impl Health {
    /// The backend's last word was a success.
    pub fn is_up(&self) -> bool {
        match (&self.last_success, &self.last_failure) {
            (Some(good), Some((bad, _))) => good >= bad,
            (None, Some(_)) => false,
            _ => true,
        }
    }
}

impl StoreState {
    /// Admits one more change, unless draining.
    pub fn begin(&mut self) -> Result<()> {
        if self.draining {
            return Err(Error::new(ErrorKind::Unavailable, "store", "the server is stopping; try again"));
        }
        self.health.writes += 1;
        Ok(())
    }

    /// Notes how a change ended.
    pub fn end(&mut self, now: Timestamp, failure: Option<&Error>) {
        self.health.writes = self.health.writes.saturating_sub(1);
        self.note(now, failure);
    }

    /// Notes an outcome; only the backend's own faults count against it.
    pub fn note(&mut self, now: Timestamp, failure: Option<&Error>) {
        match failure {
            Some(error)
                if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable | ErrorKind::DiskFull) =>
            {
                self.health.last_failure = Some((now, error.to_string()));
            }
            _ => self.health.last_success = Some(now),
        }
    }

    /// Whether a write probe is due; a yes counts as made.
    pub fn write_probe_due(&mut self, now: Timestamp) -> bool {
        let due = self.last_write_probe.is_none_or(|last| now.since(last) >= WRITE_PROBE_EVERY);
        if due {
            self.last_write_probe = Some(now);
        }
        due
    }

    /// Takes no new changes from now on.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// True when no new changes are taken.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// True when nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.health.writes == 0
    }

    /// The health, as published.
    pub fn health(&self) -> Health {
        self.health.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draining_store_takes_no_new_changes_and_ends_those_under_way() {
        let mut state = StoreState::default();
        state.begin().unwrap();
        state.drain();
        assert_eq!(state.begin().unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(!state.is_idle());
        state.end(Timestamp::from_secs(1), None);
        assert!(state.is_idle());
    }

    #[test]
    fn only_the_backends_own_faults_make_it_unhealthy() {
        let mut state = StoreState::default();
        state.note(Timestamp::from_secs(1), Some(&Error::new(ErrorKind::NoSuchKey, "get", "not there")));
        assert!(state.health().is_up());
        state.note(Timestamp::from_secs(2), Some(&Error::new(ErrorKind::DiskFull, "put", "full")));
        assert!(!state.health().is_up());
        state.note(Timestamp::from_secs(3), None);
        assert!(state.health().is_up());
    }

    #[test]
    fn a_write_probe_is_due_once_a_minute() {
        let mut state = StoreState::default();
        assert!(state.write_probe_due(Timestamp::from_secs(100)));
        assert!(!state.write_probe_due(Timestamp::from_secs(159)));
        assert!(state.write_probe_due(Timestamp::from_secs(160)));
    }
}
