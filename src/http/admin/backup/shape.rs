//! The shapes of what the owner of backups answers, for the document of the API: it gives JSON, and the tests compare the two.

#![allow(dead_code, reason = "only their descriptions are used")]

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A Full Backup as `web/docs/backup-format.md` describes it.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(in crate::http::admin) struct ArchiveFile(Vec<u8>);

/// What a restore did or, with `dry_run`, would do.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Restored {
    /// False for a plan.
    restored: bool,
    /// The id of this restore.
    restore_id: String,
    epoch: u64,
    generation: u64,
    /// `replace` or `merge`.
    strategy: String,
    /// `full`, `preserve-bootstrap`, `iam-only`, `config-only`, or `undo`.
    mode: String,
    /// The public key that signed the archive; of an undo this instance's own; older forms know no signature.
    #[schema(required)]
    signer: Option<String>,
    /// Missing in the records of older servers; `null` for an undo.
    archive: Option<ArchiveOrigin>,
    /// The restore that an undo takes back.
    #[schema(required = false)]
    undoes: Option<String>,
    /// What was changed since that restore, and is lost.
    #[schema(required = false)]
    later_changes: Option<LaterChanges>,
    /// Where the state before is kept; `null` for a plan.
    #[schema(required)]
    pre_restore_backup: Option<String>,
    changes: Changes,
    /// What was made of an archive of version 1 or the legacy JSON. Missing in the records of older servers.
    conversion: Option<Conversion>,
    /// What the caller should read before confirming.
    warnings: Vec<String>,
    /// Restored values that a variable of this host overrides.
    shadowed_by_environment: Vec<Shadowed>,
    /// What belongs to a host rather than to a capture. Missing for an undo, and in the records of older servers.
    #[schema(required = false)]
    host_settings: Option<HostSettings>,
    /// Changed values that take effect with the next start.
    requires_restart: Vec<String>,
    keys: Keys,
    /// Buckets that stay because they hold objects.
    buckets_kept: Vec<String>,
    /// The instance that this one is now a clone of.
    #[schema(required)]
    quarantined_from: Option<String>,
    self_check: SelfCheck,
    users_created: u64,
    users_skipped: u64,
    groups_created: u64,
    groups_skipped: u64,
    auth_providers_created: u64,
    auth_providers_skipped: u64,
    mapping_rules_created: u64,
    mapping_rules_skipped: u64,
    external_identities_created: u64,
    external_identities_skipped: u64,
}

/// What became of an older archive: a line for everything that it lacks, or that this version has no place for.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Conversion {
    /// `version-1` or `legacy-json`.
    from: String,
    gaps: Vec<Gap>,
    /// At-rest keys that the archive names and does not have; their backends come back read-only.
    missing_keys: Vec<MissingKey>,
}

/// One line of a conversion.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Gap {
    /// What kind of gap, for programs.
    code: String,
    /// Where in the archive.
    place: String,
    /// What is missing, for people.
    what: String,
    /// The call that fills it, where one does.
    #[schema(required)]
    call: Option<String>,
}

/// An at-rest key that is missing.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct MissingKey {
    key_id: String,
    backend: String,
}

/// What was changed since a restore.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct LaterChanges {
    changes: Changes,
    /// What is in no list, in words.
    other: Vec<String>,
}

/// What is added, changed and removed.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Changes {
    users: Counted,
    groups: Counted,
    providers: Counted,
    mapping_rules: Counted,
    external_identities: Counted,
    tokens: Counted,
    buckets: Counted,
    config: Vec<ConfigChange>,
}

/// The changes of one list.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Counted {
    /// In the archive only.
    created: u64,
    /// In both, and different.
    updated: u64,
    /// Here only.
    deleted: u64,
    /// In both, and equal.
    unchanged: u64,
    /// What is created, updated or deleted.
    items: Vec<Item>,
}

/// One changed entry.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedItem)]
pub(in crate::http::admin) struct Item {
    id: String,
    /// What people call it.
    name: String,
    change: Change,
    /// What differs, where it is updated.
    #[schema(required = false)]
    fields: Vec<FieldChange>,
}

/// One changed field; a secret is shown as `(secret)`.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct FieldChange {
    field: String,
    /// As it is; `null` where it is not set.
    from: Value,
    /// As it becomes; `null` where it is not set any more.
    to: Value,
}

/// Where an archive comes from.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct ArchiveOrigin {
    #[schema(format = DateTime)]
    captured_at: String,
    server_version: String,
    instance_id: String,
    /// Or of another one, whose clone this becomes.
    of_this_instance: bool,
    /// `epoch.generation` of what is in it.
    generation: String,
}

/// What happens to an entry.
#[derive(Serialize, ToSchema)]
#[schema(as = ItemChange)]
#[serde(rename_all = "snake_case")]
pub(in crate::http::admin) enum Change {
    Created,
    Updated,
    Deleted,
}

/// One changed value of the config; a secret is shown as `(secret)`.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct ConfigChange {
    path: String,
    /// As it is; `null` where it is not set.
    #[schema(required)]
    from: Option<String>,
    /// As it becomes; `null` where it is not set any more.
    #[schema(required)]
    to: Option<String>,
}

/// A restored value that this host overrides.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Shadowed {
    path: String,
    variable: String,
}

/// The settings that stay as this host has them, unless they were asked for from the archive.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct HostSettings {
    /// `host` or `archive`.
    from: String,
    /// Their paths: the same for every archive.
    settings: Vec<String>,
}

/// What becomes of the keyring, by key ids.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Keys {
    added: Vec<String>,
    kept: Vec<String>,
    active: Vec<String>,
    /// Keys of objects that no backend names any more; they are kept.
    retired: Vec<String>,
}

/// What was proven of the new state before it came into force.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct SelfCheck {
    status: String,
    users: u64,
    groups: u64,
    buckets: u64,
    keys: u64,
    config: String,
}

/// A restore that failed, and changed nothing.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Failed {
    /// False.
    restored: bool,
    restore_id: String,
    error: Failure,
}

/// Why it failed.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Failure {
    #[schema(required)]
    code: Option<String>,
    stage: String,
    detail: String,
    #[schema(required)]
    hint: Option<String>,
}

/// An archive that is whole, and who vouches for it.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Verified {
    valid: bool,
    /// The public key that signed it; older forms know no signature.
    #[schema(required)]
    signer: Option<String>,
    manifest: Manifest,
    /// What was made of an archive of version 1 or the legacy JSON; `null` for version 2.
    #[schema(required)]
    conversion: Option<Conversion>,
}

/// What the archive says of itself; more is described in `web/docs/backup-format.md`.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Manifest {
    version: u32,
    #[schema(format = DateTime)]
    captured_at: String,
    server_version: String,
    instance_id: String,
    epoch: u64,
    generation: u64,
    /// The schema of each part.
    schema: Value,
    /// Name, length and SHA-256 of the other entries.
    files: Vec<Value>,
    /// The keyring without its keys.
    encryption_keys: Vec<Value>,
    /// Backends that were initialised once, with their ids.
    backends: Vec<Value>,
    counts: Counts,
    bootstrap_password: PasswordFacts,
    /// Where the audit log stood.
    #[schema(required)]
    audit: Option<Value>,
    signature: Option<Value>,
}

/// How many entries each list has.
#[derive(Serialize, ToSchema)]
#[schema(as = ArchiveCounts)]
pub(in crate::http::admin) struct Counts {
    users: u64,
    groups: u64,
    auth_providers: u64,
    mapping_rules: u64,
    external_identities: u64,
    tokens: u64,
    revocations: u64,
    buckets: u64,
}

/// What is known of the bootstrap password that the archive brings.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct PasswordFacts {
    #[schema(format = DateTime, required)]
    set_at: Option<String>,
    /// It went through a log.
    logged: bool,
}

/// An outcome on record.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http::admin) enum Recorded {
    Restored(Box<Restored>),
    Failed(Failed),
}
