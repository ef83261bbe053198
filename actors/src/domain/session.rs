//! An admin session: whose it is, under what it was opened, and when it ends. Pure.

use crate::domain::clock::Timestamp;
use crate::domain::iam::principal::Principal;
use crate::domain::state::State;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// With what somebody signed in. A session does not outlive it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Proof {
    /// The bootstrap password.
    Password,
    /// A key pair, by its public half.
    AccessKey(String),
    /// A person of a provider, by the id of the identity.
    Identity(String),
}

impl Proof {
    /// Whether the principal could still prove who it is by it: the key signs, the provider is switched on and the person bound.
    fn holds(&self, principal: &Principal, state: &State, now: Timestamp) -> bool {
        let Principal::User(own) = principal else { return *self == Self::Password };
        match self {
            Self::Password => false,
            Self::AccessKey(id) => {
                let mut keys = state.users.get(own).into_iter().flat_map(|user| &user.keys);
                keys.any(|key| key.access_key_id == *id && key.active && key.expires_at.is_none_or(|end| now < end))
            }
            Self::Identity(id) => state.identities.get(id).is_some_and(|identity| {
                let provider = state.providers.get(&identity.provider_id);
                identity.user_id == *own && provider.is_some_and(|provider| provider.enabled)
            }),
        }
    }
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's token in lower-case hex; the token itself is kept nowhere.
    pub sha256: String,
    /// Whose it is.
    pub principal: Principal,
    /// With what it was opened.
    pub proof: Proof,
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
        self.alive(idle, now) && epoch && credentials && self.proof.holds(&self.principal, state, now)
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
    use crate::domain::iam::model::{AccessKey, AuthProvider, ExternalIdentity, User};
    use crate::domain::secret::Secret;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    const IDLE: Duration = Duration::from_secs(600);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn session(n: usize, principal: Principal) -> Session {
        Session {
            sha256: token_sha256(&n.to_string()),
            proof: match principal {
                Principal::User(_) => Proof::AccessKey("AK1".into()),
                _ => Proof::Password,
            },
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

    fn key() -> AccessKey {
        let (id, secret) = ("AK1".into(), Secret::new("s"));
        AccessKey { access_key_id: id, secret, active: true, created_at: at(0), expires_at: Some(at(3000)) }
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
            keys: vec![key()],
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
    fn a_key_pair_that_signs_no_more_ends_the_sessions_that_it_opened_and_no_others() {
        let ann = ann();
        let with = |key: Option<AccessKey>| {
            let mut state = state();
            Arc::make_mut(state.users.get_mut("u1").unwrap()).keys = key.into_iter().collect();
            state
        };
        let long = Duration::from_secs(9000);
        assert!(ann.valid(&with(Some(key())), long, at(2999)));
        assert!(!ann.valid(&with(Some(key())), long, at(3000)), "it has expired");
        assert!(!ann.valid(&with(Some(AccessKey { active: false, ..key() })), long, at(2)));
        assert!(!ann.valid(&with(None), long, at(2)));
        assert!(!ann.valid(&with(Some(AccessKey { access_key_id: "AK2".into(), ..key() })), long, at(2)));
    }

    #[test]
    fn a_provider_that_is_switched_off_or_gone_ends_the_sessions_that_it_opened() {
        let mut state = state();
        let provider = AuthProvider {
            id: "p1".into(),
            name: "main".into(),
            provider_type: "oidc".into(),
            enabled: true,
            priority: 0,
            display_name: None,
            client_id: None,
            client_secret: None,
            issuer_url: None,
            scopes: String::new(),
            extra_config: None,
            created_at: at(0),
            updated_at: at(0),
        };
        let identity = ExternalIdentity {
            id: "i1".into(),
            user_id: "u1".into(),
            provider_id: "p1".into(),
            external_sub: "sub".into(),
            email: None,
            display_name: None,
            raw_claims: None,
            email_verified: false,
            rule_group_ids: BTreeSet::new(),
            created_at: at(0),
        };
        state.providers.insert("p1".into(), Arc::new(provider));
        state.identities.insert("i1".into(), Arc::new(identity));
        let by_provider = Session { proof: Proof::Identity("i1".into()), ..ann() };
        assert!(by_provider.valid(&state, IDLE, at(2)));
        let without = |change: &dyn Fn(&mut State)| {
            let mut state = state.clone();
            change(&mut state);
            (by_provider.valid(&state, IDLE, at(2)), ann().valid(&state, IDLE, at(2)))
        };
        assert_eq!(
            without(&|state| Arc::make_mut(state.providers.get_mut("p1").unwrap()).enabled = false),
            (false, true)
        );
        assert_eq!(without(&|state| drop(state.providers.remove("p1"))), (false, true));
        assert_eq!(without(&|state| drop(state.identities.remove("i1"))), (false, true));
        assert_eq!(
            without(&|state| Arc::make_mut(state.identities.get_mut("i1").unwrap()).user_id = "u2".into()),
            (false, true)
        );
    }
}
