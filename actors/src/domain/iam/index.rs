//! From an access key id or a token's hash to its owner, in one look-up: every signed request begins here.

use crate::domain::clock::Timestamp;
use crate::domain::iam::conditions;
use crate::domain::iam::model::{AccessKey, ApiToken, User};
use crate::domain::state::State;
use std::collections::HashMap;
use std::sync::Arc;

/// The index of one state. Built anew for each state that is published.
#[derive(Clone, Debug, Default)]
pub struct AccessIndex {
    keys: HashMap<String, (Arc<User>, usize)>,
    tokens: HashMap<String, Arc<ApiToken>>,
    asks_tags: bool,
}

impl AccessIndex {
    /// Builds it.
    pub fn new(state: &State) -> Self {
        let mut keys = HashMap::with_capacity(state.users.len());
        for user in state.users.values() {
            for (at, key) in user.keys.iter().enumerate() {
                keys.insert(key.access_key_id.clone(), (Arc::clone(user), at));
            }
        }
        let tokens = state.tokens.values().map(|token| (token.sha256.clone(), Arc::clone(token))).collect();
        let of_groups = state.groups.values().flat_map(|group| &group.permissions);
        let rules = state.users.values().flat_map(|user| &user.permissions).chain(of_groups);
        let asks_tags = rules.into_iter().any(|rule| conditions::ask_tags(&rule.conditions));
        Self { keys, tokens, asks_tags }
    }

    /// True where a rule hangs on the tags that an object has: only then somebody has to look at them before he decides.
    pub fn asks_tags(&self) -> bool {
        self.asks_tags
    }

    /// The owner of an access key that may sign now: active, not expired, its user enabled.
    pub fn access_key(&self, access_key_id: &str, now: Timestamp) -> Option<(&Arc<User>, &AccessKey)> {
        let (user, at) = self.keys.get(access_key_id)?;
        let key = user.keys.get(*at)?;
        let good = user.enabled && key.active && key.expires_at.is_none_or(|expires| now < expires);
        good.then_some((user, key))
    }

    /// The token with this SHA-256 (lower-case hex) where it has not expired.
    pub fn token(&self, sha256: &str, now: Timestamp) -> Option<&Arc<ApiToken>> {
        self.tokens.get(sha256).filter(|token| token.expires_at.is_none_or(|expires| now < expires))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iam::evaluate::tests::world;

    #[test]
    fn a_key_signs_while_it_is_active_unexpired_and_its_user_enabled() {
        let now = Timestamp::from_secs(10);
        let mut state = world();
        assert!(AccessIndex::new(&state).access_key("AKci", now).is_some());
        assert!(AccessIndex::new(&state).access_key("AKnobody", now).is_none());
        let user = Arc::make_mut(state.users.get_mut("ci").unwrap());
        user.keys[0].expires_at = Some(now);
        assert!(AccessIndex::new(&state).access_key("AKci", now).is_none());
        assert!(AccessIndex::new(&state).access_key("AKci", Timestamp::from_secs(9)).is_some());
        let user = Arc::make_mut(state.users.get_mut("ci").unwrap());
        user.keys[0].expires_at = None;
        user.keys[0].active = false;
        assert!(AccessIndex::new(&state).access_key("AKci", now).is_none());
        let admin = Arc::make_mut(state.users.get_mut("admin").unwrap());
        admin.enabled = false;
        assert!(AccessIndex::new(&state).access_key("AKadmin", now).is_none());
        assert!(AccessIndex::new(&state).token(&"00".repeat(32), now).is_some());
        assert!(AccessIndex::new(&state).token(&"00".repeat(32), Timestamp::from_secs(1000)).is_none());
    }
}
