//! The keys of `access.iam_*`, `access.auth_providers` and `access.group_mapping_rules`: IAM that the config file owns.
//!
//! No variable of the environment overrides what stands in these lists: their secrets are references instead.

use super::{Key, Kind};
use crate::domain::config::rule::Rule;

/// The lists that no variable reaches into.
pub const LISTS: [&str; 4] =
    ["access.iam_users", "access.iam_groups", "access.auth_providers", "access.group_mapping_rules"];

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "access.iam_mode",
        Kind::Choice(&["gui", "declarative"]),
        "Who owns users, groups, providers and mapping rules: the database, or the lists of this file.",
    )
    .default("gui"),
    Key::new("access.iam_users", Kind::Items, "The users; without the list those of the database stay."),
    Key::new("access.iam_users[].name", Kind::Text(Rule::Word), "What it is known by; its id survives every change."),
    Key::new(
        "access.iam_users[].access_key_id",
        Kind::Text(Rule::Word),
        "The public half of its key pair; without it the pairs in the database stay.",
    ),
    Key::new(
        "access.iam_users[].secret_access_key",
        Kind::Secret(Rule::KeptSecret),
        "The secret half; where it is empty, the one in the database stays.",
    ),
    Key::new("access.iam_users[].enabled", Kind::Flag, "A disabled user can do nothing.").default("true"),
    Key::new("access.iam_users[].groups", Kind::Texts(Rule::Word), "The names of its groups."),
    Key::new("access.iam_users[].permissions", Kind::Rules, "Its own rules."),
    Key::new("access.iam_users[].access_keys", Kind::Items, "Further key pairs, and those that expire."),
    Key::new("access.iam_users[].access_keys[].access_key_id", Kind::Text(Rule::Word), "The public half."),
    Key::new(
        "access.iam_users[].access_keys[].secret_access_key",
        Kind::Secret(Rule::KeptSecret),
        "The secret half of it; where it is empty, the one in the database stays.",
    ),
    Key::new("access.iam_users[].access_keys[].active", Kind::Flag, "An inactive key signs nothing.").default("true"),
    Key::new(
        "access.iam_users[].access_keys[].expires_at",
        Kind::Text(Rule::Timestamp),
        "From then on it signs nothing (RFC 3339).",
    ),
    Key::new("access.iam_groups", Kind::Items, "The groups; without the list those of the database stay."),
    Key::new("access.iam_groups[].name", Kind::Text(Rule::Word), "What the group is known by."),
    Key::new("access.iam_groups[].description", Kind::Text(Rule::Anything), "A description for people."),
    Key::new("access.iam_groups[].permissions", Kind::Rules, "The rules that every member has."),
    Key::new(
        "access.auth_providers",
        Kind::Items,
        "The sign-in providers; without the list those of the database stay.",
    ),
    Key::new("access.auth_providers[].name", Kind::Text(Rule::Word), "What the provider is known by."),
    Key::new("access.auth_providers[].provider_type", Kind::Choice(&["oidc", "google", "okta", "entra"]), "Its kind.")
        .default("oidc"),
    Key::new("access.auth_providers[].enabled", Kind::Flag, "Whether people may sign in with it.").default("true"),
    Key::new("access.auth_providers[].priority", Kind::Integer, "Its place on the sign-in page.").default("0"),
    Key::new("access.auth_providers[].display_name", Kind::Text(Rule::Anything), "What people see."),
    Key::new("access.auth_providers[].client_id", Kind::Text(Rule::Word), "The OAuth client."),
    Key::new(
        "access.auth_providers[].client_secret",
        Kind::Secret(Rule::KeptSecret),
        "The client's secret; where it is empty, the one in the database stays.",
    ),
    Key::new("access.auth_providers[].issuer_url", Kind::Text(Rule::Word), "The issuer of its identities."),
    Key::new("access.auth_providers[].scopes", Kind::Text(Rule::Word), "What is asked for, separated by spaces.")
        .default("openid email profile"),
    Key::new(
        "access.auth_providers[].extra_config",
        Kind::Json,
        "Settings of the provider: allowed_domains, require_email_verified.",
    ),
    Key::new(
        "access.group_mapping_rules",
        Kind::Items,
        "Which people of which provider are in which group; without the list the rules of the database stay.",
    ),
    Key::new("access.group_mapping_rules[].provider", Kind::Text(Rule::Word), "One provider; all where it is not set."),
    Key::new("access.group_mapping_rules[].priority", Kind::Integer, "The order of the rules.").default("0"),
    Key::new(
        "access.group_mapping_rules[].match_type",
        Kind::Choice(&["email_exact", "email_domain", "email_glob", "email_regex", "claim_value"]),
        "How the claim is compared.",
    ),
    Key::new("access.group_mapping_rules[].match_field", Kind::Text(Rule::Word), "Which claim.").default("email"),
    Key::new("access.group_mapping_rules[].match_value", Kind::Text(Rule::Word), "With what it is compared."),
    Key::new("access.group_mapping_rules[].group", Kind::Text(Rule::Word), "The group that it gives."),
    Key::new("access.group_mapping_rules[].enabled", Kind::Flag, "A disabled rule gives nothing.").default("true"),
];
