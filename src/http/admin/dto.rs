//! What the admin API sends and takes: shapes of their own, so that a domain type is never serialised by accident.

use actors::domain::clock::Timestamp;
use actors::domain::iam::model::{AccessKey, ApiToken, Effect, Group, OneOrMany, Permission, User};
use actors::domain::secret::Secret;
use actors::state_db::{LastUsed, Used};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};

/// A rule, sent and taken.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Stable within its owner; made here where it is empty.
    #[serde(default)]
    id: String,
    #[schema(schema_with = effect)]
    effect: Effect,
    /// `read write delete list admin *`, rights such as `backup:export`, or AWS names (`s3:GetObject`, globs allowed).
    actions: Vec<String>,
    /// `bucket`, `bucket/prefix/*`, `*`.
    resources: Vec<String>,
    /// Operator → key → one value or several.
    #[schema(schema_with = conditions)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conditions: Option<BTreeMap<String, BTreeMap<String, OneOrMany>>>,
}

fn effect() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["Allow", "Deny"])).into()
}

fn conditions() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String).build();
    let value = AnyOfBuilder::new().item(text()).item(ArrayBuilder::new().items(text()));
    let keys = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(Schema::from(value)));
    ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(keys)).into()
}

impl From<Rule> for Permission {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id,
            effect: rule.effect,
            actions: rule.actions,
            resources: rule.resources,
            conditions: rule.conditions.unwrap_or_default(),
        }
    }
}

impl From<&Permission> for Rule {
    fn from(permission: &Permission) -> Self {
        let conditions = (!permission.conditions.is_empty()).then(|| permission.conditions.clone());
        Self {
            id: permission.id.clone(),
            effect: permission.effect,
            actions: permission.actions.clone(),
            resources: permission.resources.clone(),
            conditions,
        }
    }
}

/// Rules as they are sent.
pub(super) fn rules(permissions: &[Permission]) -> Vec<Rule> {
    permissions.iter().map(Rule::from).collect()
}

/// Rules as they are kept.
pub(super) fn permissions(rules: Vec<Rule>) -> Vec<Permission> {
    rules.into_iter().map(Permission::from).collect()
}

/// A user. The secret is there once: when its pair was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserView<'a> {
    id: &'a str,
    name: &'a str,
    /// That of the first key pair.
    #[schema(required)]
    access_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
    enabled: bool,
    permissions: Vec<Rule>,
    group_ids: &'a BTreeSet<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    auth_source: &'a str,
    access_keys: Vec<KeyView<'a>>,
    /// When the user last signed in to the admin API.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_login_at: Option<Timestamp>,
    /// When one of the user's keys last signed a request.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_used_at: Option<Timestamp>,
}

/// A key pair. The secret half is there once: when it was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessKey)]
pub(super) struct KeyView<'a> {
    access_key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
    /// An inactive key signs nothing.
    active: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    expires_at: Option<Timestamp>,
    /// When it last signed a request.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_used_at: Option<Timestamp>,
}

impl<'a> UserView<'a> {
    /// Without any secret.
    pub(super) fn new(user: &'a User, times: &LastUsed) -> Self {
        let access_keys: Vec<KeyView<'a>> = user.keys.iter().map(|key| KeyView::new(key, times)).collect();
        Self {
            id: &user.id,
            name: &user.name,
            access_key_id: user.keys.first().map(|key| key.access_key_id.as_str()),
            secret_access_key: None,
            enabled: user.enabled,
            permissions: rules(&user.permissions),
            group_ids: &user.group_ids,
            created_at: user.created_at,
            auth_source: &user.auth_source,
            last_login_at: times.of(Used::User, &user.id),
            last_used_at: access_keys.iter().filter_map(|key| key.last_used_at).max(),
            access_keys,
        }
    }

    /// With the secret of the pair that was just made: the only time that it is shown.
    pub(super) fn with_secret(user: &'a User, times: &LastUsed, secret: &'a Secret) -> Self {
        Self { secret_access_key: Some(secret.expose()), ..Self::new(user, times) }
    }
}

impl<'a> KeyView<'a> {
    /// With its secret half, which was just made: the only time that it is shown.
    pub(super) fn with_secret(key: &'a AccessKey, times: &LastUsed) -> Self {
        Self { secret_access_key: Some(key.secret.expose()), ..Self::new(key, times) }
    }

    /// Without its secret half.
    pub(super) fn new(key: &'a AccessKey, times: &LastUsed) -> Self {
        Self {
            access_key_id: &key.access_key_id,
            secret_access_key: None,
            active: key.active,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: times.of(Used::AccessKey, &key.access_key_id),
        }
    }
}

/// A group and who is in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(super) struct GroupView<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    permissions: Vec<Rule>,
    member_ids: Vec<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl<'a> GroupView<'a> {
    /// As it is sent.
    pub(super) fn new(group: &'a Group, member_ids: Vec<&'a str>) -> Self {
        Self {
            id: &group.id,
            name: &group.name,
            description: &group.description,
            permissions: rules(&group.permissions),
            member_ids,
            created_at: group.created_at,
        }
    }
}

/// A token. Its text is there once: when it was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenView<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    permissions: Vec<Rule>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    expires_at: Option<Timestamp>,
    /// When it last made a call.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_used_at: Option<Timestamp>,
}

impl<'a> TokenView<'a> {
    /// Without its text.
    pub(super) fn new(token: &'a ApiToken, times: &LastUsed) -> Self {
        Self {
            id: &token.id,
            name: &token.name,
            token: None,
            permissions: rules(&token.permissions),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: times.of(Used::Token, &token.id),
        }
    }

    /// With its text: the only time that it is shown.
    pub(super) fn with_secret(token: &'a ApiToken, times: &LastUsed, secret: &'a Secret) -> Self {
        Self { token: Some(secret.expose()), ..Self::new(token, times) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user() -> User {
        let key = AccessKey {
            access_key_id: "AKANN".into(),
            secret: Secret::new("very secret"),
            active: true,
            created_at: Timestamp::from_secs(0),
            expires_at: None,
        };
        let rule: Rule =
            serde_json::from_value(json!({"effect": "Allow", "actions": ["read"], "resources": ["*"]})).unwrap();
        User {
            id: "u1".into(),
            name: "ann".into(),
            enabled: true,
            created_at: Timestamp::from_secs(0),
            auth_source: "local".into(),
            credential_version: 1,
            permissions: permissions(vec![rule]),
            group_ids: BTreeSet::from(["g1".to_owned()]),
            keys: vec![key],
        }
    }

    #[test]
    fn a_user_is_shown_without_its_secret() {
        let times = LastUsed::default();
        times.note(Used::AccessKey, "AKANN", Timestamp::from_secs(60));
        let shown = serde_json::to_value(UserView::new(&user(), &times)).unwrap();
        assert_eq!(
            shown,
            json!({
                "id": "u1", "name": "ann", "access_key_id": "AKANN", "enabled": true,
                "permissions": [{"id": "", "effect": "Allow", "actions": ["read"], "resources": ["*"]}],
                "group_ids": ["g1"], "created_at": "1970-01-01T00:00:00Z", "auth_source": "local",
                "access_keys": [{"access_key_id": "AKANN", "active": true, "created_at": "1970-01-01T00:00:00Z",
                                 "expires_at": null, "last_used_at": "1970-01-01T00:01:00Z"}],
                "last_login_at": null, "last_used_at": "1970-01-01T00:01:00Z",
            })
        );
    }

    #[test]
    fn a_new_pair_is_shown_once() {
        let user = user();
        let shown =
            serde_json::to_value(UserView::with_secret(&user, &LastUsed::default(), &user.keys[0].secret)).unwrap();
        assert_eq!(shown["secret_access_key"], "very secret");
    }

    #[test]
    fn a_rule_with_an_unknown_field_is_refused() {
        let bad = json!({"effect": "Allow", "actions": ["read"], "resources": ["*"], "resource": "typo"});
        assert!(serde_json::from_value::<Rule>(bad).is_err());
    }
}
