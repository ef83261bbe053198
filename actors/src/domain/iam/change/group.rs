//! Changes of groups and memberships.

use super::user::no_such_user;
use super::{check_name, sign_in};
use crate::domain::change::Changed;
use crate::domain::clock::Timestamp;
use crate::domain::iam::check::check_permissions;
use crate::domain::iam::model::{Group, GroupId, Permission, User, UserId};
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 1024;

/// What a group is given.
pub(super) struct Edit {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) permissions: Option<Vec<Permission>>,
    pub(super) member_ids: Option<BTreeSet<UserId>>,
}

impl Edit {
    pub(super) fn all(name: String, description: String, rules: Vec<Permission>, members: BTreeSet<UserId>) -> Self {
        Self { name: Some(name), description: Some(description), permissions: Some(rules), member_ids: Some(members) }
    }
}

/// In or out of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    In,
    Out,
}

pub(super) fn create(state: &mut State, id: GroupId, edit: Edit, now: Timestamp) -> Result<Changed> {
    if state.groups.contains_key(&id) {
        return Err(conflict("group_exists", "a group with this id exists"));
    }
    let empty = Group {
        id: id.clone(),
        name: String::new(),
        description: String::new(),
        created_at: now,
        permissions: Vec::new(),
    };
    state.groups.insert(id.clone(), Arc::new(empty));
    update(state, id, edit)
}

pub(super) fn update(state: &mut State, id: GroupId, edit: Edit) -> Result<Changed> {
    let old = state.groups.get(&id).ok_or_else(no_such_group)?;
    let mut group = Group::clone(old);
    if let Some(name) = edit.name.filter(|name| *name != group.name || name.is_empty()) {
        check_name("group", &name)?;
        if state.groups.values().any(|other| other.name == name) {
            return Err(conflict("group_name_taken", format!("there is a group named `{name}` already")));
        }
        group.name = name;
    }
    if let Some(description) = edit.description {
        if description.chars().count() > MAX_DESCRIPTION {
            let message = format!("a description has at most {MAX_DESCRIPTION} characters");
            return Err(Error::new(ErrorKind::Invalid, "change group", message).with_code("invalid_description"));
        }
        group.description = description;
    }
    if let Some(permissions) = edit.permissions {
        group.permissions = check_permissions(permissions)?;
    }
    if **old != group {
        state.groups.insert(id.clone(), Arc::new(group));
    }
    if let Some(members) = edit.member_ids {
        if let Some(unknown) = members.iter().find(|member| !state.users.contains_key(*member)) {
            let message = format!("there is no user with the id `{unknown}`");
            return Err(Error::new(ErrorKind::Invalid, "change group", message).with_code("no_such_user"));
        }
        let member = |user: &UserId| if members.contains(user) { Member::In } else { Member::Out };
        let moved =
            state.users.iter_mut().filter_map(|(user, entry)| flip(entry, &id, member(user)).then(|| user.clone()));
        let moved = moved.collect();
        sign_in::by_hand(state, &moved, &BTreeSet::from([id.clone()]));
    }
    Ok(Changed::new("group", id))
}

pub(super) fn delete(state: &mut State, id: GroupId) -> Result<Changed> {
    state.groups.remove(&id).ok_or_else(no_such_group)?;
    for user in state.users.values_mut().filter(|user| user.group_ids.contains(&id)) {
        Arc::make_mut(user).group_ids.remove(&id);
    }
    sign_in::forget_group(state, &id);
    Ok(Changed::new("group", id))
}

pub(super) fn set_member(state: &mut State, group_id: GroupId, user_id: UserId, member: Member) -> Result<Changed> {
    if !state.groups.contains_key(&group_id) {
        return Err(no_such_group());
    }
    flip(state.users.get_mut(&user_id).ok_or_else(no_such_user)?, &group_id, member);
    sign_in::by_hand(state, &BTreeSet::from([user_id]), &BTreeSet::from([group_id.clone()]));
    Ok(Changed::new("group", group_id))
}

/// Puts a user in or takes it out; says whether that was a change.
fn flip(user: &mut Arc<User>, group_id: &GroupId, member: Member) -> bool {
    let (is, shall) = (user.group_ids.contains(group_id), member == Member::In);
    match (is, shall) {
        (false, true) => Arc::make_mut(user).group_ids.insert(group_id.clone()),
        (true, false) => Arc::make_mut(user).group_ids.remove(group_id),
        (true, true) | (false, false) => false,
    }
}

fn no_such_group() -> Error {
    Error::new(ErrorKind::NotFound, "find group", "there is no such group").with_code("no_such_group")
}

fn conflict(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Conflict, "change group", message).with_code(code)
}
