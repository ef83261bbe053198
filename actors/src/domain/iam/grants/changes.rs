//! What each change of IAM gives, and whom it touches.

use super::rules_of;
use crate::domain::iam::change::{IamChange, SignInChange};
use crate::domain::iam::model::{Effect, Group, Permission};
use crate::domain::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// What a change does to the rights of others.
#[derive(Default)]
pub(super) struct Change<'a> {
    /// What somebody may from then on: Allows only.
    pub(super) granted: Vec<Permission>,
    /// Denies that hold for whoever gets it.
    pub(super) kept: Vec<&'a Permission>,
    /// Whose account it touches: name and rules.
    pub(super) touches: Vec<(&'a str, Vec<&'a Permission>)>,
    /// It changes who people are.
    pub(super) admin_only: bool,
}

/// What a change does. What names nothing that is there does nothing: applying it will say so.
pub(super) fn effect<'a>(state: &'a State, change: &'a IamChange) -> Change<'a> {
    let mut effect = Change::default();
    match change {
        IamChange::CreateUser { permissions, group_ids, .. } => {
            effect.rules(&[], permissions);
            effect.kept.extend(denies(permissions));
            for id in group_ids {
                effect.joins(state, id);
            }
        }
        IamChange::UpdateUser { id, name, enabled, permissions, group_ids } => {
            let Some(user) = state.users.get(id) else { return effect };
            effect.touch(state, id);
            effect.kept.extend(denies(permissions.as_ref().unwrap_or(&user.permissions)));
            if let Some(permissions) = permissions {
                effect.rules(&user.permissions, permissions);
            }
            if let Some(group_ids) = group_ids {
                for id in group_ids.difference(&user.group_ids) {
                    effect.joins(state, id);
                }
                for id in user.group_ids.difference(group_ids) {
                    effect.leaves(state, id);
                }
            }
            // Who is enabled again, or has another name in `${iam:username}`, has what its rules say anew.
            let renamed = name.as_ref().is_some_and(|name| *name != user.name);
            if renamed || (*enabled == Some(true) && !user.enabled) {
                effect.becomes(state, id);
            }
        }
        IamChange::DeleteUser { id } | IamChange::DeleteKey { id, .. } => effect.touch(state, id),
        // Whoever makes a key pair for somebody can sign as that somebody.
        IamChange::RotateKeys { id, .. } | IamChange::AddKey { id, .. } => {
            effect.touch(state, id);
            effect.becomes(state, id);
            effect.kept.extend(rules_of(state, id).filter(|rule| rule.effect == Effect::Deny));
        }
        IamChange::UpdateKey { id, active, expires_at, .. } => {
            effect.touch(state, id);
            if *active == Some(true) || expires_at.is_some() {
                effect.becomes(state, id);
                effect.kept.extend(rules_of(state, id).filter(|rule| rule.effect == Effect::Deny));
            }
        }
        IamChange::CreateGroup { permissions, member_ids, .. } => {
            effect.rules(&[], permissions);
            for id in member_ids {
                effect.touch(state, id);
            }
        }
        IamChange::UpdateGroup { id, permissions, member_ids, .. } => {
            let Some(group) = state.groups.get(id) else { return effect };
            if let Some(permissions) = permissions {
                effect.rules(&group.permissions, permissions);
                effect.touch_members(state, id);
            }
            let Some(wanted) = member_ids else { return effect };
            let now = members(state, id);
            let rules = permissions.as_ref().unwrap_or(&group.permissions);
            if wanted.difference(&now).next().is_some() {
                effect.granted.extend(allows(rules).cloned());
            }
            if now.difference(wanted).next().is_some() {
                effect.granted.extend(denies(&group.permissions).map(lifted));
            }
            for user in wanted.symmetric_difference(&now) {
                effect.touch(state, user);
            }
        }
        IamChange::DeleteGroup { id } => {
            effect.leaves(state, id);
            effect.touch_members(state, id);
        }
        IamChange::AddMember { group_id, user_id } => {
            effect.touch(state, user_id);
            effect.joins(state, group_id);
            effect.kept.extend(state.users.get(user_id).into_iter().flat_map(|user| denies(&user.permissions)));
        }
        IamChange::RemoveMember { group_id, user_id } => {
            effect.touch(state, user_id);
            effect.leaves(state, group_id);
        }
        IamChange::SignIn(change) => sign_in(state, change, &mut effect),
        IamChange::CreateToken { token } => {
            effect.rules(&[], &token.permissions);
            effect.kept.extend(denies(&token.permissions));
        }
        IamChange::DeleteToken { id } => {
            if let Some(token) = state.tokens.get(id) {
                effect.touches.push((&token.name, token.permissions.iter().collect()));
            }
        }
    }
    effect
}

fn sign_in<'a>(state: &'a State, change: &'a SignInChange, effect: &mut Change<'a>) {
    let rule = |id: &str| state.mapping_rules.get(id).map(|rule| rule.group_id.as_str());
    match change {
        SignInChange::CreateProvider(_) | SignInChange::UpdateProvider { .. } | SignInChange::DeleteProvider { .. } => {
            effect.admin_only = true;
        }
        SignInChange::CreateRule(rule) => effect.joins(state, &rule.group_id),
        // Whom it reaches changes with any field of it.
        SignInChange::UpdateRule { id, edit } => {
            for group in rule(id).into_iter().chain(edit.group_id.as_deref()) {
                effect.joins(state, group);
                effect.leaves(state, group);
            }
        }
        SignInChange::DeleteRule { id } => rule(id).into_iter().for_each(|group| effect.leaves(state, group)),
        SignInChange::Bind { user_id, .. } => {
            effect.touch(state, user_id);
            effect.becomes(state, user_id);
        }
        SignInChange::Unbind { id } => {
            let Some(identity) = state.identities.get(id) else { return };
            effect.touch(state, &identity.user_id);
            identity.rule_group_ids.iter().for_each(|group| effect.leaves(state, group));
        }
        // The provider vouches for who it is, and rules that somebody was allowed to make say what it gets.
        SignInChange::Login(_) => {}
    }
}

impl<'a> Change<'a> {
    /// Rules take the place of others: what is allowed now and was not, and what is forbidden no more.
    fn rules(&mut self, old: &[Permission], new: &[Permission]) {
        let same = |one: &Permission, other: &Permission| Permission { id: other.id.clone(), ..one.clone() } == *other;
        let new_allows = allows(new).filter(|rule| !old.iter().any(|known| same(known, rule)));
        self.granted.extend(new_allows.cloned());
        let lost = denies(old).filter(|rule| !new.iter().any(|kept| same(kept, rule)));
        self.granted.extend(lost.map(lifted));
    }

    fn joins(&mut self, state: &'a State, group_id: &str) {
        let Some(group) = state.groups.get(group_id) else { return };
        self.granted.extend(allows(&group.permissions).cloned());
        self.kept.extend(denies(&group.permissions));
    }

    fn leaves(&mut self, state: &State, group_id: &str) {
        let group: Option<&Group> = state.groups.get(group_id).map(|group| &**group);
        self.granted.extend(group.into_iter().flat_map(|group| denies(&group.permissions)).map(lifted));
    }

    /// The author, or whoever holds a key, becomes what this user is.
    fn becomes(&mut self, state: &State, id: &str) {
        self.granted.extend(rules_of(state, id).filter(|rule| rule.effect == Effect::Allow).cloned());
    }

    fn touch(&mut self, state: &'a State, id: &str) {
        if let Some(user) = state.users.get(id) {
            self.touches.push((&user.name, rules_of(state, id).collect()));
        }
    }

    fn touch_members(&mut self, state: &'a State, group_id: &str) {
        for user in state.users.values().filter(|user| user.group_ids.contains(group_id)) {
            self.touches.push((&user.name, rules_of(state, &user.id).collect()));
        }
    }
}

fn members(state: &State, group_id: &str) -> BTreeSet<String> {
    state.users.values().filter(|user| user.group_ids.contains(group_id)).map(|user| user.id.clone()).collect()
}

fn allows(rules: &[Permission]) -> impl Iterator<Item = &Permission> {
    rules.iter().filter(|rule| rule.effect == Effect::Allow)
}

fn denies(rules: &[Permission]) -> impl Iterator<Item = &Permission> {
    rules.iter().filter(|rule| rule.effect == Effect::Deny)
}

/// Who takes a Deny away gives what it forbade, under whatever conditions.
fn lifted(deny: &Permission) -> Permission {
    Permission { effect: Effect::Allow, conditions: BTreeMap::new(), ..deny.clone() }
}
