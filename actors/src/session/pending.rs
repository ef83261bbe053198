//! Sign-ins that have gone to a provider and are not back yet: who began each, and what it must come back with. Pure.

use crate::domain::clock::Timestamp;
use crate::domain::secret::Secret;
use std::collections::HashMap;
use std::time::Duration;

/// A sign-in comes back within this long, or begins anew.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// So many of one address are remembered; the next one takes the place of its oldest.
const PER_ADDRESS: usize = 50;
/// So many are remembered in all.
const MOST: usize = 10_000;

/// A sign-in that has gone to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingLogin {
    /// SHA-256 of the state that the provider sends back: its name here.
    pub state_sha256: String,
    /// SHA-256 of the cookie of the browser that began it.
    pub browser_sha256: String,
    /// The provider.
    pub provider_id: String,
    /// As the provider was when it began.
    pub provider_updated_at: Timestamp,
    /// What the ID token must name.
    pub nonce: Secret,
    /// What proves that whoever exchanges the code began this (PKCE).
    pub verifier: Secret,
    /// Where the provider sends the browser back to.
    pub redirect_url: String,
    /// Where the browser goes in the end.
    pub next: String,
    /// The address that began it.
    pub ip: String,
    /// When it began.
    pub began: Timestamp,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct PendingLogins(HashMap<String, PendingLogin>);

impl PendingLogins {
    /// Remembers one; where there are too many the oldest goes, of the same address first.
    pub(super) fn begin(&mut self, login: PendingLogin) {
        self.sweep(login.began);
        let same = |other: &&PendingLogin| other.ip == login.ip;
        let crowded = self.0.values().filter(same).count() >= PER_ADDRESS;
        if crowded || self.0.len() >= MOST {
            let candidates = self.0.values().filter(|other| !crowded || same(other));
            let oldest = candidates.min_by_key(|other| other.began).map(|other| other.state_sha256.clone());
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(login.state_sha256.clone(), login);
    }

    /// Takes one out: it comes back once, and not too late.
    pub(super) fn take(&mut self, state_sha256: &str, now: Timestamp) -> Option<PendingLogin> {
        self.0.remove(state_sha256).filter(|login| now.since(login.began) < PATIENCE)
    }

    /// Forgets those that are late.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.0.retain(|_, login| now.since(login.began) < PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(state: usize, ip: &str, began: i64) -> PendingLogin {
        PendingLogin {
            state_sha256: state.to_string(),
            browser_sha256: String::new(),
            provider_id: "p1".into(),
            provider_updated_at: Timestamp::default(),
            nonce: Secret::new("n"),
            verifier: Secret::new("v"),
            redirect_url: String::new(),
            next: "/_/".into(),
            ip: ip.into(),
            began: Timestamp::from_secs(began),
        }
    }

    #[test]
    fn a_sign_in_comes_back_once_and_in_time() {
        let mut pending = PendingLogins::default();
        pending.begin(login(1, "a", 100));
        pending.begin(login(2, "a", 100));
        assert!(pending.take("1", Timestamp::from_secs(699)).is_some());
        assert!(pending.take("1", Timestamp::from_secs(699)).is_none());
        assert!(pending.take("2", Timestamp::from_secs(700)).is_none());
        pending.begin(login(3, "a", 800));
        pending.sweep(Timestamp::from_secs(1400));
        assert!(pending.0.is_empty());
    }

    #[test]
    fn whoever_begins_many_pushes_out_their_own() {
        let mut pending = PendingLogins::default();
        pending.begin(login(0, "other", 1));
        for n in 1..=PER_ADDRESS + 5 {
            pending.begin(login(n, "flood", i64::try_from(n).unwrap() + 1));
        }
        assert_eq!(pending.0.len(), PER_ADDRESS + 1);
        assert!(pending.0.contains_key("0") && !pending.0.contains_key("5") && pending.0.contains_key("6"));
        for n in 0..MOST + 5 {
            pending.begin(login(1000 + n, &format!("ip{n}"), 300));
        }
        assert!(pending.0.len() <= MOST);
    }
}
