//! What the owner of sessions knows: the sessions, who each is for, and when each ends. Pure.

use crate::domain::clock::Timestamp;
use crate::domain::iam::principal::Principal;
use crate::domain::state::State;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// One principal holds at most this many; the next one ends its own oldest.
const PER_PRINCIPAL: usize = 50;
/// `last_seen` is written down at most this often.
const WRITE_SEEN_EVERY: Duration = Duration::from_secs(60);

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's token in lower-case hex; the token itself is kept nowhere.
    pub sha256: String,
    /// Whose it is.
    pub principal: Principal,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its principal last proved who it is.
    pub auth_time: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// From then on it is void.
    pub expires_at: Timestamp,
    /// The `auth_epoch` of the view under which it was opened.
    pub auth_epoch: u64,
    /// The version of the principal's credentials under which it was opened.
    pub credential_version: u64,
    /// The address that signed in.
    pub ip: String,
    /// The program that signed in, as it called itself.
    pub user_agent: String,
}

impl Session {
    /// 12 hex digits: what lists show and revocations name. It opens nothing.
    pub fn id(&self) -> &str {
        self.sha256.get(..12).unwrap_or(&self.sha256)
    }

    /// Whether it is good now: not expired, not idle for too long, and not older than what its principal or a restore revoked.
    pub fn valid(&self, state: &State, idle: Duration, now: Timestamp) -> bool {
        let epoch = self.auth_epoch >= state.meta.auth_epoch
            || state.meta.auth_exception.as_deref() == Some(self.sha256.as_str());
        let credentials = self.principal.credential_version(state).is_some_and(|now| self.credential_version >= now);
        self.alive(idle, now) && epoch && credentials
    }

    fn alive(&self, idle: Duration, now: Timestamp) -> bool {
        now < self.expires_at && now.since(self.last_seen) < idle
    }
}

/// The name under which a token is kept: SHA-256 in lower-case hex.
pub fn token_sha256(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

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

    /// The hashes of one principal's sessions.
    pub(super) fn of(&self, principal: &Principal) -> Vec<String> {
        self.by_sha256.values().filter(|session| session.principal == *principal).map(|s| s.sha256.clone()).collect()
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
    use crate::domain::iam::model::User;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    const IDLE: Duration = Duration::from_secs(600);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn session(n: usize, principal: Principal) -> Session {
        Session {
            sha256: token_sha256(&n.to_string()),
            principal,
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

    fn state() -> State {
        let user = User {
            id: "u1".into(),
            name: "ann".into(),
            enabled: true,
            created_at: at(0),
            auth_source: "local".into(),
            credential_version: 1,
            permissions: Vec::new(),
            group_ids: BTreeSet::new(),
            keys: Vec::new(),
        };
        let mut state = State::default();
        state.meta.auth_epoch = 1;
        state.users.insert("u1".into(), Arc::new(user));
        state
    }

    fn ann() -> Session {
        session(1, Principal::User("u1".into()))
    }

    #[test]
    fn a_session_is_good_until_it_expires_or_idles() {
        let (state, ann) = (state(), ann());
        assert!(ann.valid(&state, IDLE, at(600)));
        assert!(!ann.valid(&state, IDLE, at(601)), "idle");
        assert!(!ann.valid(&state, Duration::from_secs(9000), at(4000)), "absolute lifetime");
    }

    #[test]
    fn a_raised_epoch_ends_all_sessions_but_the_one_named() {
        let (mut state, ann) = (state(), ann());
        state.meta.auth_epoch = 2;
        assert!(!ann.valid(&state, IDLE, at(2)));
        state.meta.auth_exception = Some(ann.sha256.clone());
        assert!(ann.valid(&state, IDLE, at(2)));
        assert!(!session(2, Principal::User("u1".into())).valid(&state, IDLE, at(2)));
    }

    #[test]
    fn a_new_credential_a_disabled_and_a_deleted_user_end_its_sessions() {
        let ann = ann();
        let mut rotated = state();
        Arc::make_mut(rotated.users.get_mut("u1").unwrap()).credential_version = 2;
        assert!(!ann.valid(&rotated, IDLE, at(2)));
        let mut disabled = state();
        Arc::make_mut(disabled.users.get_mut("u1").unwrap()).enabled = false;
        assert!(!ann.valid(&disabled, IDLE, at(2)));
        let mut deleted = state();
        deleted.users.clear();
        assert!(!ann.valid(&deleted, IDLE, at(2)));
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
        assert_eq!(sessions.of(&Principal::Bootstrap).len(), 1);
        assert_eq!(sessions.of(&Principal::User("u1".into())).len(), PER_PRINCIPAL);
        assert_eq!(sessions.list()[0].principal, Principal::Bootstrap);
        assert_eq!(sessions.named(sessions.list()[0].id()), Some(token_sha256("1000")));
        assert!(sessions.expired(at(3999)).is_empty());
        assert_eq!(sessions.expired(at(4000)).len(), PER_PRINCIPAL + 1);
    }
}
