//! The way back: the declaration that a state answers to.

use crate::domain::config::declared::{
    Declared, DeclaredGroup, DeclaredKey, DeclaredProvider, DeclaredRule, DeclaredUser,
};
use crate::domain::iam::model::{AccessKey, User};
use crate::domain::state::State;
use std::collections::HashMap;

/// What would have to stand in the config file for this state, without any secret. People of a sign-in provider are not in it: they
/// are the provider's.
pub fn export(state: &State) -> Declared {
    let group = |id: &String| state.groups.get(id).map(|group| group.name.clone());
    let mut users: Vec<DeclaredUser> = state
        .users
        .values()
        .filter(|user| user.auth_source != "external")
        .map(|user| {
            let mut groups: Vec<String> = user.group_ids.iter().filter_map(group).collect();
            groups.sort();
            self::user(user, groups)
        })
        .collect();
    users.sort_by(|a, b| a.name.cmp(&b.name));
    let mut groups: Vec<DeclaredGroup> = state
        .groups
        .values()
        .map(|group| DeclaredGroup {
            name: group.name.clone(),
            description: group.description.clone(),
            permissions: group.permissions.clone(),
        })
        .collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    let mut mapping_rules: Vec<DeclaredRule> = state
        .mapping_rules
        .values()
        .filter_map(|rule| {
            // A rule whose provider or group is gone gives nothing, and has no name to be written by.
            let provider = match &rule.provider_id {
                None => None,
                Some(id) => Some(state.providers.get(id)?.name.clone()),
            };
            Some(DeclaredRule {
                provider,
                priority: rule.priority,
                match_type: rule.match_type.clone(),
                match_field: rule.match_field.clone(),
                match_value: rule.match_value.clone(),
                group: group(&rule.group_id)?,
                enabled: rule.enabled,
            })
        })
        .collect();
    mapping_rules.sort_by(|a, b| (a.priority, &a.match_value, &a.group).cmp(&(b.priority, &b.match_value, &b.group)));
    let some = |any: bool| any.then_some(());
    Declared {
        users: Some(users),
        groups: Some(groups),
        providers: some(!state.providers.is_empty()).map(|()| providers(state)),
        mapping_rules: some(!mapping_rules.is_empty()).map(|()| mapping_rules),
    }
}

fn user(user: &User, groups: Vec<String>) -> DeclaredUser {
    // The short form says nothing of expiry and switches: a first pair that has them is written in the long one.
    let plain = |key: &AccessKey| key.active && key.expires_at.is_none();
    let (first, further) = match user.keys.split_first() {
        Some((first, further)) if plain(first) => (Some(first), further),
        _ => (None, user.keys.as_slice()),
    };
    let further: Vec<DeclaredKey> = further
        .iter()
        .map(|key| DeclaredKey {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: None,
            active: key.active,
            expires_at: key.expires_at,
        })
        .collect();
    DeclaredUser {
        name: user.name.clone(),
        access_key_id: first.map(|key| key.access_key_id.clone()),
        secret_access_key: None,
        enabled: user.enabled,
        groups,
        permissions: user.permissions.clone(),
        access_keys: (!further.is_empty()).then_some(further),
    }
}

fn providers(state: &State) -> Vec<DeclaredProvider> {
    let mut providers: Vec<DeclaredProvider> = state
        .providers
        .values()
        .map(|provider| DeclaredProvider {
            name: provider.name.clone(),
            provider_type: provider.provider_type.clone(),
            enabled: provider.enabled,
            priority: provider.priority,
            display_name: provider.display_name.clone(),
            client_id: provider.client_id.clone(),
            client_secret: None,
            issuer_url: provider.issuer_url.clone(),
            scopes: provider.scopes.clone(),
            extra_config: provider.extra_config.clone(),
        })
        .collect();
    providers.sort_by(|a, b| a.name.cmp(&b.name));
    providers
}

/// Makes a declaration say of each of its users what the state has of switches: after a restore that brought some back disabled
/// (`backup.md` §4, rule 6), the file must not enable them at the next start.
pub fn agree(declared: &mut Declared, state: &State) {
    let by_name: HashMap<&str, &User> = state.users.values().map(|user| (user.name.as_str(), &**user)).collect();
    for user in declared.users.iter_mut().flatten() {
        let Some(own) = by_name.get(user.name.as_str()) else { continue };
        user.enabled = own.enabled;
        let active = |id: &str| own.keys.iter().find(|key| key.access_key_id == id).is_none_or(|key| key.active);
        for key in user.access_keys.iter_mut().flatten() {
            key.active = active(&key.access_key_id);
        }
        if let Some(id) = user.access_key_id.take_if(|id| !active(id)) {
            let secret_access_key = user.secret_access_key.take();
            let key = DeclaredKey { access_key_id: id, secret_access_key, active: false, expires_at: None };
            user.access_keys.get_or_insert_default().insert(0, key);
        }
    }
}
