//! The entities of IAM, as they are held in memory and stored.

use crate::domain::clock::Timestamp;
use crate::domain::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A user's id: a UUID in text, or what an imported archive called it.
pub type UserId = String;
/// A group's id.
pub type GroupId = String;

/// A person or program with S3 access keys and rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Never reused, survives renames and restores.
    pub id: UserId,
    /// Unique; does not begin with `$`.
    pub name: String,
    /// A disabled user can do nothing.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// `local` or `external`.
    pub auth_source: String,
    /// Raised whenever a credential or the enabled flag changes: older sessions of this user end.
    pub credential_version: u64,
    /// The user's own rules.
    pub permissions: Vec<Permission>,
    /// The groups it is in.
    pub group_ids: BTreeSet<GroupId>,
    /// Its S3 key pairs; the first is the one that the one-key fields of the API show.
    pub keys: Vec<AccessKey>,
}

/// One S3 key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half; unique over all users.
    pub access_key_id: String,
    /// The secret half.
    pub secret: Secret,
    /// An inactive key signs nothing.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it signs nothing.
    pub expires_at: Option<Timestamp>,
}

/// A set of users with common rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Never reused.
    pub id: GroupId,
    /// Unique.
    pub name: String,
    /// For people.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The rules that every member has.
    pub permissions: Vec<Permission>,
}

/// One rule: Allow or Deny of actions on resources under conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// Stable within its owner; empty on input means: make one.
    #[serde(default)]
    pub id: String,
    /// Allow or Deny.
    pub effect: Effect,
    /// `read write delete list admin *`, admin rights such as `backup:export`, or AWS names (`s3:GetObject`, globs allowed).
    pub actions: Vec<String>,
    /// `bucket`, `bucket/prefix/*`, `*`; `*` and `?` anywhere, `${iam:username}` and its like expanded at evaluation.
    pub resources: Vec<String>,
    /// Operator → key → one value or several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<String, BTreeMap<String, OneOrMany>>,
}

impl Permission {
    /// Lets go of the room that reading a list has left: there may be hundreds of thousands of them.
    pub fn trim(list: &mut Vec<Permission>) {
        list.shrink_to_fit();
        for permission in list {
            permission.actions.shrink_to_fit();
            permission.resources.shrink_to_fit();
        }
    }
}

/// Allow or Deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Forbids, and wins.
    Deny,
}

/// A condition's value: AWS writes one value without a list, and accepts `true` and `50` beside `"true"` and `"50"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, from = "WrittenValue")]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A condition's value as people write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenValue {
    One(Scalar),
    Many(Vec<Scalar>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

impl From<WrittenValue> for OneOrMany {
    fn from(written: WrittenValue) -> Self {
        let text = |scalar| match scalar {
            Scalar::Text(text) => text,
            Scalar::Bool(value) => value.to_string(),
            Scalar::Number(number) => number.to_string(),
        };
        match written {
            WrittenValue::One(scalar) => Self::One(text(scalar)),
            WrittenValue::Many(scalars) => Self::Many(scalars.into_iter().map(text).collect()),
        }
    }
}

/// A sign-in provider. Its rules are in `sign_in`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthProvider {
    /// Never reused.
    pub id: String,
    /// Unique.
    pub name: String,
    /// `oidc`, or one of its presets: `google`, `okta`, `entra`.
    pub provider_type: String,
    /// Whether people may sign in with it.
    pub enabled: bool,
    /// Order on the sign-in page.
    pub priority: i64,
    /// For people.
    pub display_name: Option<String>,
    /// The OAuth client.
    pub client_id: Option<String>,
    /// Its secret: stored in the DB, exported only into `secrets.json`.
    #[serde(skip)]
    pub client_secret: Option<Secret>,
    /// The issuer.
    pub issuer_url: Option<String>,
    /// Space-separated.
    pub scopes: String,
    /// `allowed_domains`, `require_email_verified`, `auto_provision`: read by `sign_in::Settings`.
    pub extra_config: Option<serde_json::Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A rule that puts people of a provider into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRule {
    /// Never reused.
    pub id: String,
    /// One provider, or all where it is `None`.
    pub provider_id: Option<String>,
    /// Order.
    pub priority: i64,
    /// `email_exact`, `email_domain`, `email_glob`, `email_regex`, `claim_value`.
    pub match_type: String,
    /// Which claim.
    pub match_field: String,
    /// With what it is compared.
    pub match_value: String,
    /// The group it gives.
    pub group_id: GroupId,
    /// When it was made.
    pub created_at: Timestamp,
    /// An imported rule whose provider is unknown comes in disabled.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A person of a provider, bound to a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalIdentity {
    /// Never reused.
    pub id: String,
    /// The user it is bound to.
    pub user_id: UserId,
    /// The provider.
    pub provider_id: String,
    /// The provider's subject.
    pub external_sub: String,
    /// As last seen.
    pub email: Option<String>,
    /// As last seen.
    pub display_name: Option<String>,
    /// As last seen.
    pub raw_claims: Option<serde_json::Value>,
    /// Whether the provider vouches for the address.
    #[serde(default)]
    pub email_verified: bool,
    /// The user's groups that came from mapping rules at the last sign-in, and go when the rules no longer give them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rule_group_ids: BTreeSet<GroupId>,
    /// When it was bound.
    pub created_at: Timestamp,
}

/// An API token for the admin API; only its SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Never reused.
    pub id: String,
    /// For people.
    pub name: String,
    /// SHA-256 of the token in lower-case hex.
    pub sha256: String,
    /// Its rights.
    pub permissions: Vec<Permission>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it is void.
    pub expires_at: Option<Timestamp>,
}

/// What was revoked on this instance, so that no restore revives it (`backup.md` §4, rule 6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Revocation {
    /// `user`, `access_key`, `token`, `identity`.
    pub kind: String,
    /// The id: a user id, an access key id, a token id, an identity id; for a rotated secret its SHA-256.
    pub fingerprint: String,
    /// When.
    pub revoked_at: Timestamp,
}
