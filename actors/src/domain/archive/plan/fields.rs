//! What differs between two states of one entry, field by field and without secrets: what people read before they confirm.

use crate::domain::iam::model::{AccessKey, ApiToken, AuthProvider, Group, User};
use crate::domain::state::State;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One changed field; a secret is shown as `(secret)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Its name, as the API calls it.
    pub field: String,
    /// As it is; `null` where it is not set.
    pub from: Value,
    /// As it becomes; `null` where it is not set any more.
    pub to: Value,
}

/// Of a user: groups are named, keys listed without their secrets.
pub(super) fn user(now: &State, next: &State, from: &User, to: &User) -> Vec<FieldChange> {
    let shown = |state: &State, user: &User, other: Option<&User>| {
        let mut groups: Vec<&str> =
            user.group_ids.iter().map(|id| state.groups.get(id).map_or(id.as_str(), |group| &group.name)).collect();
        groups.sort_unstable();
        json!({
            "name": user.name,
            "enabled": user.enabled,
            "permissions": user.permissions,
            "groups": groups,
            "access_keys": user.keys.iter().map(|key| shown_key(key, other)).collect::<Vec<_>>(),
            "auth_source": user.auth_source,
            "created_at": user.created_at,
        })
    };
    between(shown(now, from, None), shown(next, to, Some(from)))
}

/// A key pair; its secret half is another where `before` has it with a different one.
fn shown_key(key: &AccessKey, before: Option<&User>) -> Value {
    let old = before.and_then(|user| user.keys.iter().find(|old| old.access_key_id == key.access_key_id));
    let another = old.is_some_and(|old| old.secret != key.secret);
    json!({
        "access_key_id": key.access_key_id,
        "secret_access_key": if another { "(another secret)" } else { "(secret)" },
        "active": key.active,
        "expires_at": key.expires_at,
    })
}

/// Of a group; who is in it is shown with the users.
pub(super) fn group(from: &Group, to: &Group) -> Vec<FieldChange> {
    let shown = |group: &Group| {
        json!({
            "name": group.name,
            "description": group.description,
            "permissions": group.permissions,
            "created_at": group.created_at,
        })
    };
    between(shown(from), shown(to))
}

/// Of a token.
pub(super) fn token(from: &ApiToken, to: &ApiToken) -> Vec<FieldChange> {
    let shown = |token: &ApiToken, another: bool| {
        json!({
            "name": token.name,
            "token": if another { "(another secret)" } else { "(secret)" },
            "permissions": token.permissions,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        })
    };
    between(shown(from, false), shown(to, from.sha256 != to.sha256))
}

/// Of a sign-in provider; what is stored of it has no secret in it but one.
pub(super) fn provider(from: &AuthProvider, to: &AuthProvider) -> Vec<FieldChange> {
    let mut changes = stored(from, to);
    if from.client_secret != to.client_secret {
        let shown = |secret: bool, mark: &str| if secret { mark.into() } else { Value::Null };
        changes.push(FieldChange {
            field: "client_secret".into(),
            from: shown(from.client_secret.is_some(), "(secret)"),
            to: shown(to.client_secret.is_some(), "(another secret)"),
        });
    }
    changes
}

/// Of an entry that is stored without any secret.
pub(super) fn stored<T: Serialize>(from: &T, to: &T) -> Vec<FieldChange> {
    let value = |entry| serde_json::to_value(entry).unwrap_or_default();
    between(value(from), value(to))
}

fn between(from: Value, to: Value) -> Vec<FieldChange> {
    let map = |value| match value {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let (mut from, to) = (map(from), map(to));
    let mut changes = Vec::new();
    for (field, to) in to {
        let from = from.remove(&field).unwrap_or_default();
        if from != to {
            changes.push(FieldChange { field, from, to });
        }
    }
    changes.extend(from.into_iter().map(|(field, from)| FieldChange { field, from, to: Value::Null }));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::secret::Secret;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    fn key(id: &str, secret: &str) -> AccessKey {
        AccessKey {
            access_key_id: id.into(),
            secret: Secret::new(secret),
            active: true,
            created_at: Timestamp::default(),
            expires_at: None,
        }
    }

    #[test]
    fn a_users_changes_are_named_and_show_no_secret() {
        let from = User {
            id: "u1".into(),
            name: "ann".into(),
            enabled: true,
            created_at: Timestamp::default(),
            auth_source: "local".into(),
            credential_version: 3,
            permissions: Vec::new(),
            group_ids: BTreeSet::from(["g1".to_owned()]),
            keys: vec![key("AK1", "one-secret"), key("AK2", "kept-secret")],
        };
        let mut to = User { credential_version: 9, ..from.clone() };
        let mut state = State::default();
        let group = Group {
            id: "g1".into(),
            name: "readers".into(),
            description: String::new(),
            created_at: Timestamp::default(),
            permissions: Vec::new(),
        };
        state.groups.insert("g1".into(), Arc::new(group));
        assert_eq!(user(&state, &state, &from, &to), [], "a version is no news to people");
        to.group_ids.clear();
        to.enabled = false;
        to.keys[0].secret = Secret::new("other-secret");
        let changes = user(&state, &state, &from, &to);
        let find = |field: &str| changes.iter().find(|change| change.field == field).unwrap();
        assert_eq!(changes.len(), 3, "{changes:?}");
        assert_eq!((&find("groups").from, &find("groups").to), (&json!(["readers"]), &json!([])));
        assert_eq!((&find("enabled").from, &find("enabled").to), (&json!(true), &json!(false)));
        assert_eq!(find("access_keys").to[0]["secret_access_key"], "(another secret)");
        assert_eq!(find("access_keys").to[1]["secret_access_key"], "(secret)");
        let text = serde_json::to_string(&changes).unwrap();
        assert!(!text.contains("one-secret") && !text.contains("other-secret") && !text.contains("kept-secret"));
    }
}
