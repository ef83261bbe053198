//! What a merge adds of a captured state: what is missing here, under the ids of here. Nothing that is here is touched.

use crate::domain::iam::model::{ExternalIdentity, GroupId, MappingRule, User};
use crate::domain::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Captured id → id here: the same thing is known by its id or by its name.
type Ids = BTreeMap<String, String>;

/// The users, groups, providers, rules, identities and tokens that `current` lacks. What they refer to by another id here is
/// renamed to that. Revocations come along whole: they are knowledge, not things.
pub(super) fn missing(current: &State, captured: State, warnings: &mut Vec<String>) -> State {
    let mut missing = State { revocations: captured.revocations, ..State::default() };
    let mut groups = Ids::new();
    let names: BTreeMap<&str, &str> = current.groups.values().map(|g| (g.name.as_str(), g.id.as_str())).collect();
    for (id, group) in captured.groups {
        let here = same(&id, &group.name, &current.groups, &names);
        groups.insert(id.clone(), here.clone().unwrap_or_else(|| id.clone()));
        if here.is_none() {
            missing.groups.insert(id, group);
        }
    }
    let users = users(current, captured.users, &groups, &mut missing, warnings);
    let mut providers = Ids::new();
    let names: BTreeMap<&str, &str> = current.providers.values().map(|p| (p.name.as_str(), p.id.as_str())).collect();
    for (id, provider) in captured.providers {
        let here = same(&id, &provider.name, &current.providers, &names);
        providers.insert(id.clone(), here.clone().unwrap_or_else(|| id.clone()));
        if here.is_none() {
            missing.providers.insert(id, provider);
        }
    }
    let known: BTreeSet<_> = current.mapping_rules.values().map(|rule| meaning(rule)).collect();
    for (id, rule) in captured.mapping_rules {
        let rule = MappingRule {
            provider_id: rule.provider_id.as_ref().map(|id| mapped(&providers, id)),
            group_id: mapped(&groups, &rule.group_id),
            ..MappingRule::clone(&rule)
        };
        if !current.mapping_rules.contains_key(&id) && !known.contains(&meaning(&rule)) {
            missing.mapping_rules.insert(id, Arc::new(rule));
        }
    }
    let bound: BTreeSet<(&str, &str)> =
        current.identities.values().map(|i| (i.provider_id.as_str(), i.external_sub.as_str())).collect();
    for (id, identity) in captured.identities {
        let identity = ExternalIdentity {
            provider_id: mapped(&providers, &identity.provider_id),
            user_id: mapped(&users, &identity.user_id),
            ..ExternalIdentity::clone(&identity)
        };
        let there = bound.contains(&(identity.provider_id.as_str(), identity.external_sub.as_str()));
        if !there && !current.identities.contains_key(&id) {
            missing.identities.insert(id, Arc::new(identity));
        }
    }
    for (id, token) in captured.tokens {
        let here = |other: &&Arc<_>| token_is(other, &token.name, &token.sha256);
        if !current.tokens.contains_key(&id) && current.tokens.values().find(here).is_none() {
            missing.tokens.insert(id, token);
        }
    }
    missing
}

/// Adds what [`missing`] found to what is.
pub(super) fn add(next: &mut State, missing: State) {
    next.groups.extend(missing.groups);
    next.users.extend(missing.users);
    next.providers.extend(missing.providers);
    next.mapping_rules.extend(missing.mapping_rules);
    next.identities.extend(missing.identities);
    next.tokens.extend(missing.tokens);
    next.revocations = missing.revocations;
}

fn users(
    current: &State,
    captured: BTreeMap<String, Arc<User>>,
    groups: &Ids,
    missing: &mut State,
    warnings: &mut Vec<String>,
) -> Ids {
    let names: BTreeMap<&str, &str> = current.users.values().map(|u| (u.name.as_str(), u.id.as_str())).collect();
    let taken: BTreeSet<&str> =
        current.users.values().flat_map(|user| &user.keys).map(|key| key.access_key_id.as_str()).collect();
    let mut users = Ids::new();
    for (id, user) in captured {
        if let Some(here) = same(&id, &user.name, &current.users, &names) {
            users.insert(id, here);
            continue;
        }
        let mut user = User::clone(&user);
        let group_ids: BTreeSet<GroupId> = user.group_ids.iter().map(|group| mapped(groups, group)).collect();
        user.group_ids = group_ids;
        for key in user.keys.iter().filter(|key| taken.contains(key.access_key_id.as_str())) {
            warnings.push(format!(
                "user `{}` comes without the access key {}: another user here has it",
                user.name, key.access_key_id
            ));
        }
        user.keys.retain(|key| !taken.contains(key.access_key_id.as_str()));
        users.insert(id.clone(), id.clone());
        missing.users.insert(id, Arc::new(user));
    }
    users
}

/// The id under which a thing is here already.
fn same<T>(id: &str, name: &str, here: &BTreeMap<String, Arc<T>>, names: &BTreeMap<&str, &str>) -> Option<String> {
    match here.contains_key(id) {
        true => Some(id.to_owned()),
        false => names.get(name).map(|id| (*id).to_owned()),
    }
}

fn mapped(ids: &Ids, id: &str) -> String {
    ids.get(id).cloned().unwrap_or_else(|| id.to_owned())
}

fn meaning(rule: &MappingRule) -> (Option<String>, String, String, String, String) {
    let MappingRule { provider_id, match_type, match_field, match_value, group_id, .. } = rule.clone();
    (provider_id, match_type, match_field, match_value, group_id)
}

fn token_is(token: &crate::domain::iam::model::ApiToken, name: &str, sha256: &str) -> bool {
    token.name == name || token.sha256 == sha256
}
