//! An admin session: whose it is, under what it was opened, and when it ends. Pure.

use crate::domain::clock::Timestamp;
use crate::domain::iam::principal::Principal;
use crate::domain::state::State;
use sha2::{Digest, Sha256};
use std::time::Duration;

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

    /// Whether its time is not over yet.
    pub fn alive(&self, idle: Duration, now: Timestamp) -> bool {
        now < self.expires_at && now.since(self.last_seen) < idle
    }
}

/// The name under which a token is kept: SHA-256 in lower-case hex.
pub fn token_sha256(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
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
}
