//! Users by name, with their key pairs.

use super::diff::{Diff, Verb, differing};
use super::{Means, groups, invalid};
use crate::Result;
use crate::domain::clock::Timestamp;
use crate::domain::config::declared::{Declared, DeclaredUser};
use crate::domain::config::model::SecretRef;
use crate::domain::iam::change::sign_in::by_hand;
use crate::domain::iam::change::user::{MAX_KEYS, secret_fingerprint};
use crate::domain::iam::change::{check_access_key, reinstate, revoke, revoked};
use crate::domain::iam::model::{AccessKey, GroupId, User};
use crate::domain::state::State;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What signs in with a provider.
const EXTERNAL: &str = "external";

pub(super) fn apply(declared: &Declared, next: &mut State, means: &Means<'_>, diff: &mut Diff) -> Result<()> {
    let before: Vec<Arc<User>> = next.users.values().cloned().collect();
    let named: HashSet<&str> = declared.users.iter().flatten().map(|user| user.name.as_str()).collect();
    if let Some(users) = &declared.users {
        let by_name: HashMap<&str, &Arc<User>> = before.iter().map(|user| (user.name.as_str(), user)).collect();
        let groups: HashMap<String, GroupId> =
            groups::by_name(next).into_iter().map(|(name, id)| (name.to_owned(), id.clone())).collect();
        for user in users {
            let old = by_name.get(user.name.as_str()).copied();
            // A group that went took its members along: what is compared is the user as it is by now.
            let old = old.and_then(|old| next.users.get(&old.id)).cloned();
            let group_ids = group_ids(user, &groups)?;
            put(user, old, group_ids, next, means, diff)?;
        }
        for user in before.iter().filter(|user| !named.contains(user.name.as_str())) {
            if user.auth_source != EXTERNAL {
                remove(user, next, means.now, diff);
            }
        }
    }
    let bound: HashSet<&String> = next.identities.values().map(|identity| &identity.user_id).collect();
    let lost = |user: &&Arc<User>| {
        user.auth_source == EXTERNAL && !bound.contains(&user.id) && !named.contains(user.name.as_str())
    };
    // Whom no identity binds any more, because the provider went, cannot come back: neither may the keys stay.
    let lost: Vec<Arc<User>> = match declared.providers {
        Some(_) => next.users.values().filter(lost).cloned().collect(),
        None => Vec::new(),
    };
    for user in lost {
        remove(&user, next, means.now, diff);
    }
    keys_are_unique(next)?;
    revoke_keys(&before, next, means.now);
    Ok(())
}

fn group_ids(user: &DeclaredUser, groups: &HashMap<String, GroupId>) -> Result<BTreeSet<GroupId>> {
    let id = |name: &String| {
        groups.get(name).cloned().ok_or_else(|| {
            invalid(
                "no_such_group",
                format!("the user `{}` is to be in the group `{name}`, which is not there", user.name),
            )
        })
    };
    user.groups.iter().map(id).collect()
}

fn put(
    declared: &DeclaredUser,
    old: Option<Arc<User>>,
    group_ids: BTreeSet<GroupId>,
    next: &mut State,
    means: &Means<'_>,
    diff: &mut Diff,
) -> Result<()> {
    let keys = keys(declared, old.as_deref(), means)?;
    let Some(old) = old else {
        let id = (means.new_id)();
        let user = User {
            id: id.clone(),
            name: declared.name.clone(),
            enabled: declared.enabled,
            created_at: means.now,
            auth_source: "local".to_owned(),
            credential_version: 1,
            permissions: declared.permissions.clone(),
            group_ids,
            keys,
        };
        if !user.enabled {
            revoke(next, revoked::USER, id.clone(), means.now);
        }
        diff.note("user", &user.name, Verb::Created, Vec::new());
        next.users.insert(id, Arc::new(user));
        return Ok(());
    };
    let fields = differing(&[
        ("enabled", old.enabled != declared.enabled),
        ("permissions", old.permissions != declared.permissions),
        ("groups", old.group_ids != group_ids),
        ("access_keys", old.keys != keys),
    ]);
    if fields.is_empty() {
        return Ok(());
    }
    let mut user = User { permissions: declared.permissions.clone(), group_ids, ..User::clone(&old) };
    if old.enabled != declared.enabled {
        user.enabled = declared.enabled;
        match user.enabled {
            true => reinstate(next, revoked::USER, &user.id),
            false => revoke(next, revoked::USER, user.id.clone(), means.now),
        }
    }
    user.keys = keys;
    if fields.contains(&"enabled") || fields.contains(&"access_keys") {
        user.credential_version += 1;
    }
    // What the file gives is no longer the mapping rules' to take away.
    let moved = old.group_ids.symmetric_difference(&user.group_ids).cloned().collect();
    by_hand(next, &BTreeSet::from([user.id.clone()]), &moved);
    diff.note("user", &user.name, Verb::Updated, fields);
    next.users.insert(user.id.clone(), Arc::new(user));
    Ok(())
}

/// The key pairs that a user is to have; those of the database where none is declared.
fn keys(declared: &DeclaredUser, old: Option<&User>, means: &Means<'_>) -> Result<Vec<AccessKey>> {
    if declared.access_key_id.is_none() && declared.access_keys.is_none() {
        return old.map(|old| old.keys.clone()).ok_or_else(|| {
            invalid("iam_secret_missing", format!("the new user `{}` has no key pair", declared.name))
                .with_hint("give it access_key_id and secret_access_key")
        });
    }
    let first = declared.access_key_id.as_ref().map(|id| (id, &declared.secret_access_key, true, None));
    let further = declared.access_keys.iter().flatten();
    let further = further.map(|key| (&key.access_key_id, &key.secret_access_key, key.active, key.expires_at));
    let mut keys = Vec::new();
    for (id, secret, active, expires_at) in first.into_iter().chain(further) {
        let known = old.and_then(|old| old.keys.iter().find(|key| key.access_key_id == *id));
        keys.push(key(&declared.name, id, secret.as_ref(), known, means)?);
        // What is given beside the pair itself is as the file says, also where the pair is known.
        if let Some(key) = keys.last_mut() {
            (key.active, key.expires_at) = (active, expires_at);
        }
    }
    if keys.len() > MAX_KEYS {
        let message = format!("the user `{}` has more than {MAX_KEYS} access keys", declared.name);
        return Err(invalid("too_many_keys", message));
    }
    Ok(keys)
}

fn key(
    user: &str,
    id: &str,
    declared: Option<&SecretRef>,
    known: Option<&AccessKey>,
    means: &Means<'_>,
) -> Result<AccessKey> {
    let secret = match declared {
        Some(reference) => Some((means.resolve)(reference)?),
        None => means.user_secrets.get(id).or_else(|| known.map(|key| &key.secret)).cloned(),
    };
    let secret = secret.ok_or_else(|| {
        invalid("iam_secret_missing", format!("the access key `{id}` of `{user}` is new and has no secret"))
            .with_hint("give it secret_access_key; an empty one keeps what the database has for the same key")
    })?;
    let created_at = known.map_or(means.now, |key| key.created_at);
    let key = AccessKey { access_key_id: id.to_owned(), secret, active: true, created_at, expires_at: None };
    check_access_key(&key)
        .map_err(|error| invalid("invalid_access_key", format!("user `{user}`: {}", error.message())))?;
    Ok(key)
}

fn remove(user: &User, next: &mut State, now: Timestamp, diff: &mut Diff) {
    diff.note("user", &user.name, Verb::Deleted, Vec::new());
    next.users.remove(&user.id);
    revoke(next, revoked::USER, user.id.clone(), now);
    let bound: Vec<String> =
        next.identities.values().filter(|identity| identity.user_id == user.id).map(|i| i.id.clone()).collect();
    for identity in bound {
        next.identities.remove(&identity);
        revoke(next, revoked::IDENTITY, identity, now);
    }
}

/// Looked at when all are in place, so that two users may change keys with one another.
fn keys_are_unique(next: &State) -> Result<()> {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for user in next.users.values() {
        for key in &user.keys {
            if let Some(other) = owners.insert(&key.access_key_id, &user.name) {
                let message =
                    format!("the access key `{}` is that of `{other}` and of `{}`", key.access_key_id, user.name);
                return Err(invalid("access_key_taken", message));
            }
        }
    }
    Ok(())
}

/// A pair that signed and does not any more is revoked; one that signs again, or for the first time, is not.
fn revoke_keys(before: &[Arc<User>], next: &mut State, now: Timestamp) {
    let after: Vec<Arc<User>> = next.users.values().cloned().collect();
    let index = |users: &'_ [Arc<User>]| -> HashMap<String, AccessKey> {
        users.iter().flat_map(|user| &user.keys).map(|key| (key.access_key_id.clone(), key.clone())).collect()
    };
    let (old, new) = (index(before), index(&after));
    for (id, key) in &old {
        match new.get(id) {
            None => revoke(next, revoked::ACCESS_KEY, id.clone(), now),
            Some(now_key) => {
                if now_key.secret != key.secret {
                    revoke(next, revoked::ACCESS_KEY, secret_fingerprint(key), now);
                }
                if key.active && !now_key.active {
                    revoke(next, revoked::ACCESS_KEY, id.clone(), now);
                }
            }
        }
    }
    for (id, key) in &new {
        let known = old.get(id);
        if known.is_none_or(|known| known.secret != key.secret) {
            reinstate(next, revoked::ACCESS_KEY, &secret_fingerprint(key));
        }
        if key.active && known.is_none_or(|known| !known.active) {
            reinstate(next, revoked::ACCESS_KEY, id);
        }
    }
}
