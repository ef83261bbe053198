//! The legacy JSON of a state, with its secrets: numbers as ids, one access key per user, as scripts of version 1 read it.

use crate::domain::iam::model::{AuthProvider, Group, Permission, User};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::{Error, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The document. What the shape has no place for is left out: further access keys of a user, disabled rules, tokens.
pub fn legacy_json(state: &State) -> Result<Vec<u8>> {
    let users = numbers(state.users.keys());
    let groups = numbers(state.groups.keys());
    let providers = numbers(state.providers.keys());
    let mut members: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for user in state.users.values() {
        for group in &user.group_ids {
            members.entry(group).or_default().push(users[user.id.as_str()]);
        }
    }
    let mut out = b"{\"version\":2".to_vec();
    list(&mut out, "users", state.users.values().map(|user| one_user(user, users[user.id.as_str()], &groups)))?;
    let group = |group: &Arc<Group>| {
        json!({
            "id": groups[group.id.as_str()], "name": group.name, "description": group.description,
            "permissions": permissions(&group.permissions),
            "member_ids": members.get(group.id.as_str()).cloned().unwrap_or_default(),
        })
    };
    list(&mut out, "groups", state.groups.values().map(group))?;
    let provider = |provider: &Arc<AuthProvider>| {
        json!({
            "id": providers[provider.id.as_str()], "name": provider.name, "provider_type": provider.provider_type,
            "enabled": provider.enabled, "priority": provider.priority, "display_name": provider.display_name,
            "client_id": provider.client_id, "client_secret": provider.client_secret.as_ref().map(Secret::expose),
            "issuer_url": provider.issuer_url, "scopes": provider.scopes, "extra_config": provider.extra_config,
            "created_at": provider.created_at, "updated_at": provider.updated_at,
        })
    };
    list(&mut out, "auth_providers", state.providers.values().map(provider))?;
    // The shape has no switch, and no way to say "none": a disabled rule, or one of nobody's, would hold again.
    let known = |id: &Option<String>| id.as_ref().is_none_or(|id| providers.contains_key(id.as_str()));
    let rules = state.mapping_rules.values().filter(|rule| rule.enabled && known(&rule.provider_id));
    let rules = rules.filter(|rule| groups.contains_key(rule.group_id.as_str())).enumerate().map(|(index, rule)| {
        json!({
            "id": index + 1, "provider_id": rule.provider_id.as_deref().map(|id| providers[id]), "priority": rule.priority,
            "match_type": rule.match_type, "match_field": rule.match_field, "match_value": rule.match_value,
            "group_id": groups[rule.group_id.as_str()], "created_at": rule.created_at,
        })
    });
    list(&mut out, "mapping_rules", rules)?;
    let bound = state.identities.values().filter(|identity| {
        users.contains_key(identity.user_id.as_str()) && providers.contains_key(identity.provider_id.as_str())
    });
    let identities = bound.enumerate().map(|(index, identity)| {
        json!({
            "id": index + 1, "user_id": users[identity.user_id.as_str()],
            "provider_id": providers[identity.provider_id.as_str()], "external_sub": identity.external_sub,
            "email": identity.email, "display_name": identity.display_name, "raw_claims": identity.raw_claims,
            "created_at": identity.created_at, "email_verified": identity.email_verified,
        })
    });
    list(&mut out, "external_identities", identities)?;
    out.extend(b"}\n");
    Ok(out)
}

fn one_user(user: &User, number: u64, groups: &BTreeMap<&str, u64>) -> Value {
    let key = user.keys.iter().find(|key| key.active).or(user.keys.first());
    let groups: Vec<u64> = user.group_ids.iter().filter_map(|id| groups.get(id.as_str()).copied()).collect();
    json!({
        "id": number, "name": user.name,
        "access_key_id": key.map(|key| key.access_key_id.as_str()).unwrap_or_default(),
        "secret_access_key": key.map(|key| key.secret.expose()).unwrap_or_default(),
        // A key that signs nothing must not sign there.
        "enabled": user.enabled && key.is_some_and(|key| key.active),
        "permissions": permissions(&user.permissions), "group_ids": groups,
    })
}

fn permissions(list: &[Permission]) -> Vec<Value> {
    let one = |(index, permission): (usize, &Permission)| {
        let mut value = json!(permission);
        value["id"] = (index + 1).into();
        value
    };
    list.iter().enumerate().map(one).collect()
}

fn numbers<'a>(ids: impl Iterator<Item = &'a String>) -> BTreeMap<&'a str, u64> {
    ids.map(String::as_str).zip(1..).collect()
}

fn list(out: &mut Vec<u8>, name: &str, items: impl Iterator<Item = Value>) -> Result<()> {
    out.extend(format!(",\"{name}\":[").bytes());
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, &item).map_err(|error| Error::internal("write the legacy JSON", error))?;
    }
    out.push(b']');
    Ok(())
}
