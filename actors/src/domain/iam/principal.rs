//! Who asks: the principals of the system and how they are named in the audit log.

use crate::domain::iam::model::UserId;
use crate::domain::state::State;
use serde::{Deserialize, Serialize};

/// Whoever proved to be who they are, or nobody.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Principal {
    /// The holder of the bootstrap password: all rights.
    Bootstrap,
    /// The holder of the config's key pair: all rights on S3, none on the admin API.
    ConfigKey,
    /// A user, by id.
    User(UserId),
    /// An API token, by id.
    Token(String),
    /// Any S3 request while `access.authentication` is `none`: all rights on S3, by the operator's explicit choice.
    Open,
    /// Nobody.
    Anonymous,
}

impl Principal {
    /// The name that audit rows, logs and answers show: `$bootstrap`, `$config`, the user's name, `token:<name>`, ….
    ///
    /// User names never begin with `$`, so nobody can pose as one of the built-in principals.
    pub fn display_name(&self, state: &State) -> String {
        match self {
            Self::Bootstrap => "$bootstrap".into(),
            Self::ConfigKey => "$config".into(),
            Self::User(id) => state.users.get(id).map_or_else(|| format!("user:{id}"), |user| user.name.clone()),
            Self::Token(id) => {
                let name = state.tokens.get(id).map_or(id.as_str(), |token| token.name.as_str());
                format!("token:{name}")
            }
            Self::Open => "$open".into(),
            Self::Anonymous => "$anonymous".into(),
        }
    }

    /// What the bucket registry and `Owner` elements name: a user's id, or the built-in name.
    pub fn owner_id(&self) -> String {
        match self {
            Self::User(id) | Self::Token(id) => id.clone(),
            Self::Bootstrap => "$bootstrap".into(),
            Self::ConfigKey => "$config".into(),
            Self::Open => "$open".into(),
            Self::Anonymous => "$anonymous".into(),
        }
    }

    /// The version of the principal's credentials: a session made under an older one is void.
    ///
    /// `None` where the principal does not exist (any more) or is disabled. What is not a user has version 0: the bootstrap
    /// password's changes raise `auth_epoch` instead.
    pub fn credential_version(&self, state: &State) -> Option<u64> {
        match self {
            Self::User(id) => state.users.get(id).filter(|user| user.enabled).map(|user| user.credential_version),
            Self::Token(id) => state.tokens.get(id).map(|_| 0),
            Self::Bootstrap | Self::ConfigKey | Self::Open | Self::Anonymous => Some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_tagged() {
        let user = Principal::User("u1".into());
        assert_eq!(serde_json::to_string(&user).unwrap(), r#"{"kind":"user","id":"u1"}"#);
        assert_eq!(serde_json::from_str::<Principal>(r#"{"kind":"bootstrap"}"#).unwrap(), Principal::Bootstrap);
    }
}
