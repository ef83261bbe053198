//! What one may ask of the owner of backup and restore.

use crate::Result;
use crate::domain::secret::Secret;
use actix::Message;
use bytes::Bytes;
use serde_json::Value;

/// Makes a Full Backup of the published view.
#[derive(Debug, Message)]
#[rtype(result = "Result<Archive>")]
pub struct Export;

/// A finished archive.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The zip.
    pub bytes: Bytes,
    /// `dgp-backup-v<version>-<stamp>.zip`.
    pub filename: String,
    /// SHA-256 of the bytes in lower-case hex.
    pub sha256: String,
}

/// Reads and checks an archive; changes nothing.
#[derive(Debug, Message)]
#[rtype(result = "Result<Value>")]
pub struct Verify(pub Bytes);

/// Plans a restore and, unless it is a dry run, carries it out.
#[derive(Debug, Message)]
#[rtype(result = "Result<Value>")]
pub struct Restore(pub RestoreRequest);

/// The record of restores, newest first.
#[derive(Debug, Message)]
#[rtype(result = "Result<Vec<Value>>")]
pub struct Restores;

/// What a restore is asked to do.
#[derive(Clone, Debug, Default)]
pub struct RestoreRequest {
    /// The archive.
    pub bytes: Bytes,
    /// `full`, `preserve-bootstrap`, `iam-only`, `config-only`.
    pub mode: String,
    /// `replace`, `merge`.
    pub strategy: String,
    /// Plan only.
    pub dry_run: bool,
    /// Ids whose revocation is taken back, or `all`.
    pub revive: Vec<String>,
    /// `archive`: host settings come from the archive too.
    pub host_settings: Option<String>,
    /// Registry entries go although their backend holds objects.
    pub prune_buckets: bool,
    /// Config values that are overridden on the way in: path, value.
    pub sets: Vec<(String, String)>,
    /// Proves that the pinned hash and the archive's are of one password.
    pub bootstrap_password: Option<Secret>,
    /// SHA-256 of the caller's session or bearer token: the one that survives.
    pub caller_token_sha256: Option<String>,
    /// Who asks, for the record.
    pub who: String,
    /// A repeat of this key gets the first outcome.
    pub idempotency_key: Option<String>,
}
