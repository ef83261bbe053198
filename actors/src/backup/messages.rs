//! What one may ask of the owner of backup and restore.

use crate::Result;
use crate::db::password::PasswordHash;
use crate::domain::clock::Timestamp;
use crate::domain::secret::Secret;
use actix::Message;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt;

/// Makes a Full Backup of the published view, and notes that it was made.
#[derive(Debug, Message)]
#[rtype(result = "Result<Archive>")]
pub struct Export {
    /// Who asks, for the record.
    pub who: String,
}

/// A finished archive.
#[derive(Clone)]
pub struct Archive {
    /// The zip.
    pub bytes: Bytes,
    /// `dgp-backup-v<version>-<stamp>.zip`.
    pub filename: String,
    /// SHA-256 of the bytes in lower-case hex.
    pub sha256: String,
}

/// Reads and checks an archive; changes nothing.
#[derive(Message)]
#[rtype(result = "Result<Value>")]
pub struct Verify(pub Bytes);

/// Plans a restore and, unless it is a dry run, carries it out.
#[derive(Debug, Message)]
#[rtype(result = "Result<Value>")]
pub struct Restore(pub RestoreRequest);

/// Plans an undo of the last restore and, unless it is a dry run, carries it out.
#[derive(Debug, Message)]
#[rtype(result = "Result<Value>")]
pub struct Undo(pub UndoRequest);

/// What an undo is asked to do.
#[derive(Clone, Debug, Default)]
pub struct UndoRequest {
    /// Plan only.
    pub dry_run: bool,
    /// What was changed since the restore may be lost.
    pub discard_later_changes: bool,
    /// Ids whose revocation since the restore is taken back, or `all`.
    pub revive: Vec<String>,
    /// Registry entries go although their backend holds objects.
    pub prune_buckets: bool,
    /// SHA-256 of the caller's session or bearer token: the one that survives.
    pub caller_token_sha256: Option<String>,
    /// Who asks, for the record.
    pub who: String,
    /// A repeat gets the first outcome.
    pub repeat: Option<Repeat>,
}

/// What tells the repeat of a request from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The `Idempotency-Key`.
    pub key: String,
    /// SHA-256 over everything that is asked, and by whom.
    pub asked: String,
}

/// Takes another bootstrap password.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct ChangePassword(pub PasswordChange);

/// Another bootstrap password, by its hash.
#[derive(Debug)]
pub struct PasswordChange {
    /// Of the new password.
    pub hash: PasswordHash,
    /// The `epoch.generation` under which the old one was checked.
    pub version: String,
    /// SHA-256 of the caller's session or bearer token: the one that survives.
    pub caller_token_sha256: String,
}

/// Plans what a document declares of IAM and, unless it is a dry run, brings it into force.
#[derive(Debug, Message)]
#[rtype(result = "Result<Value>")]
pub struct Declare(pub Declaration);

/// A document of IAM.
pub struct Declaration {
    /// The YAML: the lists of `access`.
    pub yaml: String,
    /// Plan only.
    pub dry_run: bool,
    /// The `epoch.generation` that it was written for, where the caller bound it to one.
    pub if_version: Option<String>,
    /// Who asks, for the history of the config.
    pub who: String,
}

/// The record of restores, newest first.
#[derive(Debug, Message)]
#[rtype(result = "Result<Vec<Value>>")]
pub struct Restores;

/// Stores a backup now.
#[derive(Debug, Message)]
#[rtype(result = "Result<StoredBackup>")]
pub struct Store {
    /// Who asks.
    pub who: String,
}

/// Looks at the clock: stores a backup if one is due.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Tick;

/// The stored backups, the latest first.
#[derive(Debug, Message)]
#[rtype(result = "Result<Vec<StoredBackup>>")]
pub struct ListStored;

/// The bytes of a stored backup.
#[derive(Debug, Message)]
#[rtype(result = "Result<Bytes>")]
pub struct FetchStored {
    /// Which.
    pub id: String,
}

/// Refuses a stored archive, out of its envelope, that neither this instance nor somebody it trusts signed.
#[derive(Message)]
#[rtype(result = "Result<()>")]
pub struct Trust {
    /// How it is called, for the error.
    pub id: String,
    /// The archive.
    pub bytes: Bytes,
}

/// Reads a stored backup and checks it.
#[derive(Debug, Message)]
#[rtype(result = "Result<StoredBackup>")]
pub struct CheckStored {
    /// Which.
    pub id: String,
}

/// Deletes a stored backup.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct DeleteStored {
    /// Which.
    pub id: String,
    /// Also where it is the last verified one.
    pub even_the_last: bool,
}

/// A stored backup: what its place says, and what is on record of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBackup {
    /// Its name.
    pub id: String,
    /// When what is in it was captured.
    pub at: Timestamp,
    /// How large the file is.
    pub bytes: u64,
    /// It is encrypted.
    pub encrypted: bool,
    /// This instance made it, as its records say.
    pub own: bool,
    /// Why it was made, where that is known.
    pub trigger: Option<String>,
    /// Who asked for it.
    pub actor: Option<String>,
    /// SHA-256 of the file when it was stored or first checked.
    pub sha256: Option<String>,
    /// `epoch.generation` of what is in it.
    pub version: Option<String>,
    /// When it was last found whole; `None` where the last check failed or there was none.
    pub verified_at: Option<Timestamp>,
    /// Why the last check failed.
    pub verify_error: Option<String>,
    /// It is the last verified one: no rule of retention removes it.
    pub last_verified: bool,
    /// The rules of retention do not keep it: it goes after the next run.
    pub expires: bool,
}

/// What a restore is asked to do.
#[derive(Clone, Default)]
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

impl RestoreRequest {
    /// What tells this request from another one, where it may be repeated.
    pub fn repeat(&self) -> Option<Repeat> {
        let key = self.idempotency_key.clone().filter(|_| !self.dry_run)?;
        let Self { bytes, mode, strategy, revive, host_settings, prune_buckets, sets, who, .. } = self;
        let asked = format!("{:?}", (mode, strategy, revive, host_settings, prune_buckets, sets, who));
        Some(Repeat { key, asked: sha256(&[asked.as_bytes(), bytes]) })
    }
}

impl UndoRequest {
    /// The same request, which an `Idempotency-Key` names.
    pub fn with_key(mut self, key: Option<&str>) -> Self {
        let asked = format!("undo {:?}", (self.discard_later_changes, &self.revive, self.prune_buckets, &self.who));
        let key = key.filter(|_| !self.dry_run);
        self.repeat = key.map(|key| Repeat { key: key.to_owned(), asked: sha256(&[asked.as_bytes()]) });
        self
    }
}

fn sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hex::encode(hash.finalize())
}

/// An archive is a keystore: no debug output shows its bytes.
impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({}, {} bytes)", self.filename, self.bytes.len())
    }
}

/// A document may hold literal secrets.
impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Declaration({} bytes, dry run {})", self.yaml.len(), self.dry_run)
    }
}

impl fmt::Debug for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verify({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({}, {} bytes)", self.id, self.bytes.len())
    }
}

impl fmt::Debug for RestoreRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestoreRequest({} bytes, mode {}, strategy {})", self.bytes.len(), self.mode, self.strategy)
    }
}
