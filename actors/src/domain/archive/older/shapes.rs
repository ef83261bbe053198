//! The shapes of version 1: what serde reads of its `iam.json`, field by field.

use crate::domain::iam::model::{Effect, OneOrMany};
use crate::domain::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `iam.json`, or the legacy body. Shape v1 of the latter ends with the groups.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) users: Vec<OlderUser>,
    pub(super) groups: Vec<OlderGroup>,
    #[serde(default)]
    pub(super) auth_providers: Vec<OlderProvider>,
    #[serde(default)]
    pub(super) mapping_rules: Vec<OlderRule>,
    #[serde(default)]
    pub(super) external_identities: Vec<OlderIdentity>,
}

#[derive(Deserialize)]
pub(super) struct OlderUser {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Option<Secret>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) permissions: Vec<OlderPermission>,
    #[serde(default)]
    pub(super) group_ids: Vec<i64>,
}

#[derive(Deserialize)]
pub(super) struct OlderGroup {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) permissions: Vec<OlderPermission>,
    #[serde(default)]
    pub(super) member_ids: Vec<i64>,
}

#[derive(Deserialize)]
pub(super) struct OlderPermission {
    pub(super) id: Option<i64>,
    pub(super) effect: Effect,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    #[serde(default)]
    pub(super) conditions: Option<BTreeMap<String, BTreeMap<String, OneOrMany>>>,
}

#[derive(Deserialize)]
pub(super) struct OlderProvider {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) provider_type: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) priority: i64,
    pub(super) display_name: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) issuer_url: Option<String>,
    #[serde(default)]
    pub(super) scopes: String,
    pub(super) extra_config: Option<Value>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OlderRule {
    pub(super) id: Option<i64>,
    pub(super) provider_id: Option<i64>,
    #[serde(default)]
    pub(super) priority: i64,
    pub(super) match_type: String,
    pub(super) match_field: String,
    pub(super) match_value: String,
    pub(super) group_id: i64,
    pub(super) created_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OlderIdentity {
    pub(super) id: Option<i64>,
    pub(super) user_id: i64,
    pub(super) provider_id: i64,
    pub(super) external_sub: String,
    pub(super) email: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) raw_claims: Option<Value>,
    pub(super) created_at: Option<String>,
    #[serde(default)]
    pub(super) email_verified: bool,
}

fn yes() -> bool {
    true
}

/// The lists and the fields that are read of their entries; what is there besides is a line of the report.
pub(super) const KNOWN: [(&str, &[&str]); 5] = [
    ("users", &["id", "name", "access_key_id", "secret_access_key", "enabled", "permissions", "group_ids"]),
    ("groups", &["id", "name", "description", "permissions", "member_ids"]),
    (
        "auth_providers",
        &[
            "id",
            "name",
            "provider_type",
            "enabled",
            "priority",
            "display_name",
            "client_id",
            "client_secret",
            "issuer_url",
            "scopes",
            "extra_config",
            "created_at",
            "updated_at",
        ],
    ),
    (
        "mapping_rules",
        &["id", "provider_id", "priority", "match_type", "match_field", "match_value", "group_id", "created_at"],
    ),
    (
        "external_identities",
        &[
            "id",
            "user_id",
            "provider_id",
            "external_sub",
            "email",
            "display_name",
            "last_login",
            "raw_claims",
            "created_at",
            "email_verified",
        ],
    ),
];
