//! The changes of users, groups and tokens: what each does to the state, and what it refuses.
//!
//! A change is pure: the caller makes ids and key pairs, and `apply` works on a clone that becomes the state once it is durable.

mod group;
mod name;
pub(super) mod sign_in;
mod token;
pub(super) mod user;
mod withdraw;

use crate::Result;
use crate::domain::change::Changed;
use crate::domain::clock::Timestamp;
use crate::domain::iam::model::{AccessKey, ApiToken, GroupId, Permission, Revocation, User, UserId};
use crate::domain::state::State;
use std::collections::BTreeSet;
use std::sync::Arc;

pub use name::{check_access_key, check_name};
pub use sign_in::{ProviderEdit, RuleEdit, SignInChange};

/// One change of IAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IamChange {
    /// Makes a user with one key pair.
    CreateUser {
        /// A new UUID.
        id: UserId,
        /// Unique, 1–128 characters, does not begin with `$`.
        name: String,
        /// Whether it may do anything.
        enabled: bool,
        /// Its own rules.
        permissions: Vec<Permission>,
        /// The groups it is in.
        group_ids: BTreeSet<GroupId>,
        /// Its key pair.
        key: AccessKey,
    },
    /// Changes the fields that are given.
    UpdateUser {
        /// Whom.
        id: UserId,
        /// A new name.
        name: Option<String>,
        /// Enables or disables it.
        enabled: Option<bool>,
        /// Replaces its rules.
        permissions: Option<Vec<Permission>>,
        /// Replaces its groups.
        group_ids: Option<BTreeSet<GroupId>>,
    },
    /// Removes a user, its keys and its identities.
    DeleteUser {
        /// Whom.
        id: UserId,
    },
    /// Replaces the user's first key pair; the old one signs nothing more.
    RotateKeys {
        /// Whose.
        id: UserId,
        /// The new pair.
        key: AccessKey,
    },
    /// Adds a further key pair.
    AddKey {
        /// Whose.
        id: UserId,
        /// The pair.
        key: AccessKey,
    },
    /// Switches a key pair on or off, or gives it another end; what is not given stays.
    UpdateKey {
        /// Whose.
        id: UserId,
        /// Which.
        access_key_id: String,
        /// On or off.
        active: Option<bool>,
        /// From when on it signs nothing; `Some(None)`: it does not expire.
        expires_at: Option<Option<Timestamp>>,
    },
    /// Removes a key pair.
    DeleteKey {
        /// Whose.
        id: UserId,
        /// Which.
        access_key_id: String,
    },
    /// Makes a group.
    CreateGroup {
        /// A new UUID.
        id: GroupId,
        /// Unique, as user names.
        name: String,
        /// For people.
        description: String,
        /// Every member has these rules.
        permissions: Vec<Permission>,
        /// The users that are in it from the start.
        member_ids: BTreeSet<UserId>,
    },
    /// Changes the fields that are given.
    UpdateGroup {
        /// Which.
        id: GroupId,
        /// A new name.
        name: Option<String>,
        /// A new description.
        description: Option<String>,
        /// Replaces its rules.
        permissions: Option<Vec<Permission>>,
        /// Replaces its members.
        member_ids: Option<BTreeSet<UserId>>,
    },
    /// Removes a group, its memberships and the mapping rules that give it.
    DeleteGroup {
        /// Which.
        id: GroupId,
    },
    /// Puts a user into a group; again is no change.
    AddMember {
        /// Which group.
        group_id: GroupId,
        /// Which user.
        user_id: UserId,
    },
    /// Takes a user out of a group.
    RemoveMember {
        /// Which group.
        group_id: GroupId,
        /// Which user.
        user_id: UserId,
    },
    /// Makes an API token.
    CreateToken {
        /// Complete, with its hash.
        token: ApiToken,
    },
    /// Removes an API token.
    DeleteToken {
        /// Which.
        id: String,
    },
    /// Providers, mapping rules, identities, and somebody signing in.
    SignIn(SignInChange),
}

impl IamChange {
    /// True for what a declarative config file owns: users with their keys, groups, providers and mapping rules. API tokens are no
    /// part of it, nor is what a sign-in brings, nor the keys of people who came by one: the file does not know them.
    pub fn is_owned_by_file(&self, state: &State) -> bool {
        match self {
            Self::AddKey { id, .. } | Self::UpdateKey { id, .. } | Self::DeleteKey { id, .. } => {
                state.users.get(id).is_none_or(|user| user.auth_source != "external")
            }
            Self::CreateUser { .. }
            | Self::UpdateUser { .. }
            | Self::DeleteUser { .. }
            | Self::RotateKeys { .. }
            | Self::CreateGroup { .. }
            | Self::UpdateGroup { .. }
            | Self::DeleteGroup { .. }
            | Self::AddMember { .. }
            | Self::RemoveMember { .. } => true,
            Self::SignIn(change) => !matches!(change, SignInChange::Login(_)),
            Self::CreateToken { .. } | Self::DeleteToken { .. } => false,
        }
    }

    /// Applies the change; on an error the state must be thrown away, as a part may have been applied.
    pub fn apply(self, state: &mut State, now: Timestamp) -> Result<Changed> {
        match self {
            Self::CreateUser { id, name, enabled, permissions, group_ids, key } => {
                let user = User {
                    id,
                    name,
                    enabled,
                    created_at: now,
                    auth_source: "local".into(),
                    credential_version: 1,
                    permissions,
                    group_ids,
                    keys: vec![key],
                };
                user::create(state, user)
            }
            Self::UpdateUser { id, name, enabled, permissions, group_ids } => {
                user::update(state, id, user::Edit { name, enabled, permissions, group_ids }, now)
            }
            Self::DeleteUser { id } => user::delete(state, id, now),
            Self::RotateKeys { id, key } => user::rotate(state, id, key, now),
            Self::AddKey { id, key } => user::add_key(state, id, key, now),
            Self::UpdateKey { id, access_key_id, active, expires_at } => {
                user::update_key(state, id, &access_key_id, user::KeyEdit { active, expires_at }, now)
            }
            Self::DeleteKey { id, access_key_id } => user::delete_key(state, id, &access_key_id, now),
            Self::CreateGroup { id, name, description, permissions, member_ids } => {
                group::create(state, id, group::Edit::all(name, description, permissions, member_ids), now)
            }
            Self::UpdateGroup { id, name, description, permissions, member_ids } => {
                group::update(state, id, group::Edit { name, description, permissions, member_ids })
            }
            Self::DeleteGroup { id } => group::delete(state, id),
            Self::AddMember { group_id, user_id } => group::set_member(state, group_id, user_id, group::Member::In),
            Self::RemoveMember { group_id, user_id } => group::set_member(state, group_id, user_id, group::Member::Out),
            Self::CreateToken { token } => token::create(state, token, now),
            Self::DeleteToken { id } => token::delete(state, id, now),
            Self::SignIn(change) => sign_in::apply(change, state, now),
        }
    }
}

/// Kinds of revocations.
pub mod revoked {
    /// A user, by id.
    pub const USER: &str = "user";
    /// An access key, by its id, or by the SHA-256 of its secret where only that was replaced.
    pub const ACCESS_KEY: &str = "access_key";
    /// An API token, by id.
    pub const TOKEN: &str = "token";
    /// An external identity, by id.
    pub const IDENTITY: &str = "identity";
}

/// Notes that something was revoked here, so that no restore of an older archive brings it back.
pub(super) fn revoke(state: &mut State, kind: &str, fingerprint: String, now: Timestamp) {
    let revocation = Revocation { kind: kind.to_owned(), fingerprint: fingerprint.clone(), revoked_at: now };
    state.revocations.insert((kind.to_owned(), fingerprint), Arc::new(revocation));
}

/// Forgets a revocation: an admin has brought the thing back by name.
pub(super) fn reinstate(state: &mut State, kind: &str, fingerprint: &str) {
    state.revocations.remove(&(kind.to_owned(), fingerprint.to_owned()));
}

#[cfg(test)]
mod tests;
