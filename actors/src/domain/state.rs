//! Everything that `deltaglider_config.db` holds, as one immutable value.
//!
//! A change clones the maps (entities are shared by `Arc`), edits the clone, and the clone becomes the next state once it is
//! durable. The DB layer writes the difference of two states; a restore writes a state into an empty file.

use crate::domain::bucket::settings::Settings;
use crate::domain::clock::Timestamp;
use crate::domain::iam::model::{
    ApiToken, AuthProvider, ExternalIdentity, Group, GroupId, MappingRule, Revocation, User, UserId,
};
use crate::domain::names::{BackendName, BucketName};
use crate::domain::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The state of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Where in time this state stands, and what a restore left behind.
    pub meta: Meta,
    /// Users by id.
    pub users: BTreeMap<UserId, Arc<User>>,
    /// Groups by id.
    pub groups: BTreeMap<GroupId, Arc<Group>>,
    /// Sign-in providers by id.
    pub providers: BTreeMap<String, Arc<AuthProvider>>,
    /// Mapping rules by id.
    pub mapping_rules: BTreeMap<String, Arc<MappingRule>>,
    /// External identities by id.
    pub identities: BTreeMap<String, Arc<ExternalIdentity>>,
    /// API tokens by id.
    pub tokens: BTreeMap<String, Arc<ApiToken>>,
    /// Revocations by (kind, fingerprint).
    pub revocations: BTreeMap<(String, String), Arc<Revocation>>,
    /// The bucket registry.
    pub buckets: BTreeMap<BucketName, Arc<Bucket>>,
    /// Backends that were initialised once: name → the id in their `.dg/backend.json`.
    pub backends: BTreeMap<BackendName, String>,
    /// Stored secrets by name: what `{stored: NAME}` in the config names, and what a restore brought for references (`env:NAME`, `file:PATH`).
    pub secrets: BTreeMap<String, Secret>,
    /// The keyring: every at-rest key and metadata MAC key there ever was, by id.
    pub keyring: BTreeMap<String, Arc<StoredKey>>,
    /// Ed25519 public keys (standard base64) whose archives are trusted.
    pub trusted_signers: BTreeMap<String, Timestamp>,
    /// The record of restores, by restore id.
    pub restores: BTreeMap<String, Arc<RestoreRecord>>,
    /// The history of the config, by number.
    pub config_history: BTreeMap<u64, Arc<ConfigRevision>>,
}

/// Where in time a state stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The instance that wrote it last.
    pub instance_id: String,
    /// Raised by a restore or undo.
    pub epoch: u64,
    /// Raised by every published batch of changes within an epoch.
    pub generation: u64,
    /// Raised by a restore, an undo or a password change: older sessions end.
    pub auth_epoch: u64,
    /// SHA-256 of the one session or bearer token that survives the last rise of `auth_epoch`.
    pub auth_exception: Option<String>,
    /// When the bootstrap password in force was set.
    pub password_set_at: Option<Timestamp>,
    /// The bootstrap password in force went through a log.
    pub password_logged: bool,
    /// The instance whose state this is a clone of, while what acts on other systems is paused.
    pub quarantined_from: Option<String>,
    /// Restored, and not yet pushed to the config-sync bucket.
    pub unpushed: bool,
}

impl Meta {
    /// Where in time a state stands, as entity tags name it: `epoch.generation`.
    pub fn version(&self) -> String {
        format!("{}.{}", self.epoch, self.generation)
    }

    /// The instance that `instance` is a clone of when it runs on this state: until it goes live the one of the quarantine, and
    /// right after a database was copied the one that wrote it last.
    pub fn clone_of(&self, instance: &str) -> Option<&str> {
        let copied = !self.instance_id.is_empty() && self.instance_id != instance;
        if copied { Some(&self.instance_id) } else { self.quarantined_from.as_deref() }
    }
}

/// A bucket of the registry. What the config pins overlays this, field by field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The name that clients use.
    pub name: BucketName,
    /// Where its objects are.
    pub backend: BackendName,
    /// The name on the backend, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<BucketName>,
    /// The user id that made it, or `$bootstrap`, `$config`.
    pub owner: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What anybody may read of it, sorted; an empty prefix is the whole bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_prefixes: Vec<String>,
    /// Tags, CORS and lifecycle rules, quota, flags.
    #[serde(flatten)]
    pub settings: Settings,
}

/// A key of the keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Named by stored objects; never reused.
    pub id: String,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// 64 lower-case hex digits.
    pub key: Secret,
    /// When it was made.
    pub created_at: Timestamp,
    /// New objects use it. One key of a purpose is active.
    pub active: bool,
}

/// What a key of the keyring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPurpose {
    /// Authenticates `user.dg.metadata`.
    MetadataMac,
    /// Encrypts objects at rest.
    ObjectData,
}

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreRecord {
    /// Its id, a UUID.
    pub restore_id: String,
    /// When it was committed.
    pub at: Timestamp,
    /// Who asked for it.
    pub actor: String,
    /// The answer that the caller got: the JSON of `POST /backup`.
    pub outcome: serde_json::Value,
}

/// A Full Backup that was made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRecord {
    /// When.
    pub at: Timestamp,
    /// Who asked for it.
    pub actor: String,
    /// What it was called.
    pub filename: String,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 of its bytes in lower-case hex.
    pub sha256: String,
    /// `epoch.generation` of the state that is in it.
    pub version: String,
}

/// One revision of the config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRevision {
    /// 1, 2, 3, ….
    pub number: u64,
    /// When it came into force.
    pub at: Timestamp,
    /// Who changed it.
    pub actor: String,
    /// The canonical YAML, secrets redacted.
    pub yaml: String,
}

impl StoredKey {
    /// What identifies the key without giving it away: the first 16 hex digits of SHA-256 over its 64 digits.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        hex::encode(&Sha256::digest(self.key.expose().as_bytes())[..8])
    }
}
