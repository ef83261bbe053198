//! What the owner of sessions knows: the sessions, and which of them make room. Pure.

use crate::domain::clock::Timestamp;
use crate::domain::session::Session;
use std::collections::HashMap;
use std::time::Duration;

/// One principal holds at most this many; the next one ends its own oldest.
const PER_PRINCIPAL: usize = 50;
/// `last_seen` is written down at most this often.
const WRITE_SEEN_EVERY: Duration = Duration::from_secs(60);

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_sha256: HashMap<String, Session>,
    written: HashMap<String, Timestamp>,
}

/// What a look-up found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The session as it is now.
    pub(super) session: Session,
    /// Its `last_seen` is due to be written down.
    pub(super) write_seen: bool,
}

impl Sessions {
    /// Takes the sessions that were stored.
    pub(super) fn load(stored: Vec<Session>) -> Self {
        let mut sessions = Self::default();
        for session in stored {
            sessions.insert(session);
        }
        sessions
    }

    /// Adds a session; gives back the hashes of those of the same principal that made room.
    pub(super) fn insert(&mut self, session: Session) -> Vec<String> {
        let principal = session.principal.clone();
        self.written.insert(session.sha256.clone(), session.last_seen);
        self.by_sha256.insert(session.sha256.clone(), session);
        let mut own: Vec<(Timestamp, String)> = self
            .by_sha256
            .values()
            .filter(|session| session.principal == principal)
            .map(|session| (session.last_seen, session.sha256.clone()))
            .collect();
        if own.len() <= PER_PRINCIPAL {
            return Vec::new();
        }
        own.sort();
        own.truncate(own.len() - PER_PRINCIPAL);
        let out: Vec<String> = own.into_iter().map(|(_, sha256)| sha256).collect();
        self.remove(&out);
        out
    }

    /// Finds a session by its token's hash and notes that it was used; one that ended is not found.
    pub(super) fn touch(&mut self, sha256: &str, idle: Duration, now: Timestamp) -> Option<Found> {
        let session = self.by_sha256.get_mut(sha256).filter(|session| session.alive(idle, now))?;
        session.last_seen = session.last_seen.max(now);
        let written = self.written.entry(sha256.to_owned()).or_insert(session.created_at);
        let write_seen = now.since(*written) >= WRITE_SEEN_EVERY;
        if write_seen {
            *written = now;
        }
        Some(Found { session: session.clone(), write_seen })
    }

    /// All of them, the latest first.
    pub(super) fn list(&self) -> Vec<Session> {
        let mut all: Vec<Session> = self.by_sha256.values().cloned().collect();
        all.sort_by(|a, b| (b.created_at, &b.sha256).cmp(&(a.created_at, &a.sha256)));
        all
    }

    /// Those of these hashes that there are sessions of.
    pub(super) fn known(&self, mut hashes: Vec<String>) -> Vec<String> {
        hashes.retain(|sha256| self.by_sha256.contains_key(sha256));
        hashes
    }

    /// The hashes of those whose time is over.
    pub(super) fn expired(&self, now: Timestamp) -> Vec<String> {
        self.by_sha256.values().filter(|session| now >= session.expires_at).map(|s| s.sha256.clone()).collect()
    }

    /// The hash of the one with this id.
    pub(super) fn named(&self, id: &str) -> Option<String> {
        self.by_sha256.values().find(|session| session.id() == id).map(|session| session.sha256.clone())
    }

    /// Forgets these.
    pub(super) fn remove(&mut self, hashes: &[String]) {
        for sha256 in hashes {
            self.by_sha256.remove(sha256);
            self.written.remove(sha256);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iam::principal::Principal;
    use crate::domain::session::{Proof, token_sha256};

    const IDLE: Duration = Duration::from_secs(600);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn session(n: usize, principal: Principal) -> Session {
        Session {
            sha256: token_sha256(&n.to_string()),
            principal,
            proof: Proof::Password,
            created_at: at(i64::try_from(n).unwrap()),
            auth_time: at(i64::try_from(n).unwrap()),
            last_seen: at(i64::try_from(n).unwrap()),
            expires_at: at(4000),
            auth_epoch: 1,
            credential_version: 1,
            ip: "127.0.0.1".into(),
            user_agent: "curl".into(),
        }
    }

    #[test]
    fn use_keeps_a_session_alive_and_is_written_once_a_minute() {
        let mut sessions = Sessions::load(vec![session(0, Principal::Bootstrap)]);
        let sha256 = token_sha256("0");
        assert!(!sessions.touch(&sha256, IDLE, at(59)).unwrap().write_seen);
        assert!(sessions.touch(&sha256, IDLE, at(60)).unwrap().write_seen);
        assert!(!sessions.touch(&sha256, IDLE, at(61)).unwrap().write_seen);
        assert_eq!(sessions.touch(&sha256, IDLE, at(600)).unwrap().session.last_seen, at(600));
        assert!(sessions.touch(&sha256, IDLE, at(1200)).is_none(), "idle for ten minutes");
        assert!(sessions.touch(&sha256, IDLE, at(1201)).is_none(), "and a try does not wake it up");
        assert!(sessions.touch("unknown", IDLE, at(1)).is_none());
    }

    #[test]
    fn a_principal_ends_its_own_oldest_and_nobody_elses() {
        let mut sessions = Sessions::default();
        assert!(sessions.insert(session(1000, Principal::Bootstrap)).is_empty());
        for n in 0..PER_PRINCIPAL {
            assert!(sessions.insert(session(n, Principal::User("u1".into()))).is_empty());
        }
        assert_eq!(sessions.insert(session(500, Principal::User("u1".into()))), [token_sha256("0")]);
        let of = |principal: &Principal| sessions.list().iter().filter(|s| s.principal == *principal).count();
        assert_eq!((of(&Principal::Bootstrap), of(&Principal::User("u1".into()))), (1, PER_PRINCIPAL));
        assert_eq!(sessions.known(vec![token_sha256("1000"), token_sha256("none")]), [token_sha256("1000")]);
        assert_eq!(sessions.list()[0].principal, Principal::Bootstrap);
        assert_eq!(sessions.named(sessions.list()[0].id()), Some(token_sha256("1000")));
        assert!(sessions.expired(at(3999)).is_empty());
        assert_eq!(sessions.expired(at(4000)).len(), PER_PRINCIPAL + 1);
    }
}
