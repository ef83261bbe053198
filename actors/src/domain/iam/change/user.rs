//! Changes of users and their key pairs.

use super::{check_access_key, check_name, reinstate, revoke, revoked, sign_in};
use crate::domain::change::Changed;
use crate::domain::clock::Timestamp;
use crate::domain::iam::check::check_permissions;
use crate::domain::iam::model::{AccessKey, GroupId, Permission, User, UserId};
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most key pairs of one user.
pub(in crate::domain::iam) const MAX_KEYS: usize = 16;

/// What an update changes.
pub(super) struct Edit {
    pub(super) name: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) permissions: Option<Vec<Permission>>,
    pub(super) group_ids: Option<BTreeSet<GroupId>>,
}

/// What an update of a key pair changes.
pub(super) struct KeyEdit {
    pub(super) active: Option<bool>,
    pub(super) expires_at: Option<Option<Timestamp>>,
}

pub(super) fn create(state: &mut State, mut user: User) -> Result<Changed> {
    check_name("user", &user.name)?;
    if state.users.contains_key(&user.id) {
        return Err(conflict("user_exists", "a user with this id exists"));
    }
    name_is_free(state, &user.name)?;
    groups_exist(state, &user.group_ids)?;
    user.permissions = check_permissions(user.permissions)?;
    for key in &user.keys {
        take_key_id(state, key)?;
    }
    reinstate(state, revoked::USER, &user.id);
    let id = user.id.clone();
    state.users.insert(id.clone(), Arc::new(user));
    Ok(Changed::new("user", id))
}

pub(super) fn update(state: &mut State, id: UserId, edit: Edit, now: Timestamp) -> Result<Changed> {
    let mut user = User::clone(find(state, &id)?);
    if let Some(name) = edit.name.filter(|name| *name != user.name) {
        check_name("user", &name)?;
        name_is_free(state, &name)?;
        user.name = name;
    }
    if let Some(permissions) = edit.permissions {
        user.permissions = check_permissions(permissions)?;
    }
    if let Some(group_ids) = edit.group_ids {
        groups_exist(state, &group_ids)?;
        let moved = group_ids.symmetric_difference(&user.group_ids).cloned().collect();
        sign_in::by_hand(state, &BTreeSet::from([id.clone()]), &moved);
        user.group_ids = group_ids;
    }
    if let Some(enabled) = edit.enabled.filter(|enabled| *enabled != user.enabled) {
        user.enabled = enabled;
        user.credential_version += 1;
        match enabled {
            true => reinstate(state, revoked::USER, &id),
            false => revoke(state, revoked::USER, id.clone(), now),
        }
    }
    Ok(put(state, user))
}

pub(super) fn delete(state: &mut State, id: UserId, now: Timestamp) -> Result<Changed> {
    let user = state.users.remove(&id).ok_or_else(no_such_user)?;
    revoke(state, revoked::USER, id.clone(), now);
    for key in &user.keys {
        revoke(state, revoked::ACCESS_KEY, key.access_key_id.clone(), now);
    }
    let identities: Vec<String> =
        state.identities.values().filter(|identity| identity.user_id == id).map(|i| i.id.clone()).collect();
    for identity in identities {
        state.identities.remove(&identity);
        revoke(state, revoked::IDENTITY, identity, now);
    }
    Ok(Changed::new("user", id))
}

pub(super) fn rotate(state: &mut State, id: UserId, key: AccessKey, now: Timestamp) -> Result<Changed> {
    let mut user = User::clone(find(state, &id)?);
    match user.keys.first().cloned() {
        Some(old) if old.access_key_id == key.access_key_id => {
            check_access_key(&key)?;
            if old.secret == key.secret {
                return Err(conflict("same_secret", "the new secret is the old one"));
            }
            reinstate(state, revoked::ACCESS_KEY, &secret_fingerprint(&key));
            revoke(state, revoked::ACCESS_KEY, secret_fingerprint(&old), now);
            user.keys[0] = key;
        }
        Some(old) => {
            take_key_id(state, &key)?;
            revoke(state, revoked::ACCESS_KEY, old.access_key_id, now);
            user.keys[0] = key;
        }
        None => {
            take_key_id(state, &key)?;
            user.keys.push(key);
        }
    }
    user.credential_version += 1;
    Ok(put(state, user))
}

pub(super) fn add_key(state: &mut State, id: UserId, key: AccessKey, now: Timestamp) -> Result<Changed> {
    let mut user = User::clone(find(state, &id)?);
    ends_later(key.expires_at, now)?;
    if user.keys.len() >= MAX_KEYS {
        return Err(conflict("too_many_keys", format!("a user has at most {MAX_KEYS} access keys")));
    }
    take_key_id(state, &key)?;
    user.keys.push(key);
    Ok(put(state, user))
}

pub(super) fn update_key(
    state: &mut State,
    id: UserId,
    access_key_id: &str,
    edit: KeyEdit,
    now: Timestamp,
) -> Result<Changed> {
    let mut user = User::clone(find(state, &id)?);
    let key = user.keys.iter_mut().find(|key| key.access_key_id == access_key_id).ok_or_else(no_such_key)?;
    if let Some(expires_at) = edit.expires_at {
        ends_later(expires_at, now)?;
        key.expires_at = expires_at;
    }
    if let Some(active) = edit.active.filter(|active| *active != key.active) {
        key.active = active;
        match active {
            true => reinstate(state, revoked::ACCESS_KEY, access_key_id),
            false => revoke(state, revoked::ACCESS_KEY, access_key_id.to_owned(), now),
        }
    }
    Ok(put(state, user))
}

pub(super) fn delete_key(state: &mut State, id: UserId, access_key_id: &str, now: Timestamp) -> Result<Changed> {
    let mut user = User::clone(find(state, &id)?);
    let at = user.keys.iter().position(|key| key.access_key_id == access_key_id).ok_or_else(no_such_key)?;
    user.keys.remove(at);
    revoke(state, revoked::ACCESS_KEY, access_key_id.to_owned(), now);
    Ok(put(state, user))
}

fn ends_later(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match expires_at.is_some_and(|at| at <= now) {
        true => Err(Error::new(ErrorKind::Invalid, "change user", "a key's expiry lies in the future")
            .with_code("invalid_expiry")),
        false => Ok(()),
    }
}

/// What a revocation calls a secret whose key id lives on.
pub(in crate::domain::iam) fn secret_fingerprint(key: &AccessKey) -> String {
    hex::encode(Sha256::digest(key.secret.expose().as_bytes()))
}

/// The user's entry, replaced only where it differs, so that no change writes nothing.
fn put(state: &mut State, user: User) -> Changed {
    let changed = Changed::new("user", user.id.clone());
    if state.users.get(&user.id).is_none_or(|old| **old != user) {
        state.users.insert(user.id.clone(), Arc::new(user));
    }
    changed
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<User>> {
    state.users.get(id).ok_or_else(no_such_user)
}

pub(super) fn no_such_user() -> Error {
    Error::new(ErrorKind::NotFound, "find user", "there is no such user").with_code("no_such_user")
}

fn no_such_key() -> Error {
    Error::new(ErrorKind::NotFound, "find access key", "the user has no such access key").with_code("no_such_key")
}

fn conflict(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Conflict, "change user", message).with_code(code)
}

fn name_is_free(state: &State, name: &str) -> Result<()> {
    match state.users.values().any(|user| user.name == name) {
        true => Err(conflict("user_name_taken", format!("there is a user named `{name}` already"))),
        false => Ok(()),
    }
}

fn groups_exist(state: &State, ids: &BTreeSet<GroupId>) -> Result<()> {
    match ids.iter().find(|id| !state.groups.contains_key(*id)) {
        Some(id) => Err(Error::new(ErrorKind::Invalid, "change user", format!("there is no group with the id `{id}`"))
            .with_code("no_such_group")),
        None => Ok(()),
    }
}

/// Checks a new key pair and that nobody has its id; an id that was revoked is in use again by the admin's own will.
fn take_key_id(state: &mut State, key: &AccessKey) -> Result<()> {
    check_access_key(key)?;
    let taken = |user: &Arc<User>| user.keys.iter().any(|other| other.access_key_id == key.access_key_id);
    if state.users.values().any(taken) {
        return Err(conflict("access_key_taken", "this access key id is in use"));
    }
    reinstate(state, revoked::ACCESS_KEY, &key.access_key_id);
    reinstate(state, revoked::ACCESS_KEY, &secret_fingerprint(key));
    Ok(())
}
