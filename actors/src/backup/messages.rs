//! What one may ask of the owner of backup and restore.

use crate::backup::pieces::Archive;
use crate::backup::recover::{Opened, Recovered};
use crate::db::password::PasswordHash;
use crate::domain::clock::Timestamp;
use crate::domain::config::edit::BackendEdit;
use crate::domain::config::reschedule::ScheduleEdit;
use crate::domain::names::BackendName;
use crate::domain::secret::Secret;
use crate::storage::look::Look;
use crate::zipper::Source;
use crate::{Error, Result};
use actix::Message;
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

/// Reads and checks an archive; changes nothing.
#[derive(Debug, Message)]
#[rtype(result = "Result<Value>")]
pub struct Verify(pub Source);

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

/// Puts the database of a locked system in force, which somebody could open.
#[derive(Debug, Message)]
#[rtype(result = "Result<Recovered>")]
pub struct Recover {
    /// The database.
    pub opened: Opened,
    /// SHA-256 of the caller's session or bearer token: the one that survives.
    pub caller_token_sha256: String,
}

/// Plans a change of the config and, unless it is a dry run, brings it into force.
#[derive(Debug, Message)]
#[rtype(result = "Result<Value>")]
pub struct Configure(pub Configuration);

/// A change of the config.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The change.
    pub edit: ConfigEdit,
    /// What may be done to the place that it opens, where that is not what one would expect there.
    pub root: RootMeans,
    /// Plan only.
    pub dry_run: bool,
    /// The `epoch.generation` that it was made for, where the caller bound it to one.
    pub if_version: Option<String>,
    /// Who asks, for the history of the config.
    pub who: String,
}

/// What can be changed through the API.
#[derive(Clone, Debug)]
pub enum ConfigEdit {
    /// A backend.
    Backend(BackendEdit),
    /// When and where backups are stored.
    Schedule(ScheduleEdit),
}

/// What may be done to a backend's place that does not bear the expected id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RootMeans {
    /// Nothing.
    #[default]
    AsIs,
    /// It is made a backend, where it is none.
    Init,
    /// It is taken over under the id that it bears.
    Adopt,
}

/// Makes the place of a configured backend its own, by `init` or `adopt`, and opens it.
#[derive(Debug, Message)]
#[rtype(result = "Result<String>")]
pub struct TakeRoot {
    /// The backend.
    pub name: BackendName,
    /// How.
    pub means: RootMeans,
}

/// What is found at the place of a configured backend, whoever has it open.
#[derive(Debug, Message)]
#[rtype(result = "Result<Look>")]
pub struct LookAt(pub BackendName);

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

/// A stored backup, to be read.
#[derive(Debug, Message)]
#[rtype(result = "Result<Source>")]
pub struct FetchStored {
    /// Which.
    pub id: String,
}

/// Refuses a stored archive, out of its envelope, that neither this instance nor somebody it trusts signed.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Trust {
    /// How it is called, for the error.
    pub id: String,
    /// The archive.
    pub archive: Source,
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
    pub archive: Source,
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
    /// Backends whose encryption keys nobody has come up read-only.
    pub allow_missing_keys: bool,
    /// Config values that are overridden on the way in: path, value.
    pub sets: Vec<(String, String)>,
    /// Proves that the pinned hash and the archive's are of one password.
    pub bootstrap_password: Option<Secret>,
    /// SHA-256 of the caller's session or bearer token: the one that survives.
    pub caller_token_sha256: Option<String>,
    /// Who asks, for the record.
    pub who: String,
    /// A repeat gets the first outcome.
    pub repeat: Option<Repeat>,
}

impl RestoreRequest {
    /// The same request, which an `Idempotency-Key` names; a plan holds no key. May read the whole archive.
    pub fn with_key(mut self, key: Option<&str>) -> Result<Self> {
        let Some(key) = key.filter(|_| !self.dry_run) else { return Ok(self) };
        let archive = self.archive.sha256().map_err(|error| Error::io("read archive", error))?;
        let Self { mode, strategy, revive, host_settings, prune_buckets, allow_missing_keys, sets, who, .. } = &self;
        let flags = (prune_buckets, allow_missing_keys);
        let asked = format!("{:?}", (archive, mode, strategy, revive, host_settings, flags, sets, who));
        self.repeat = Some(Repeat { key: key.to_owned(), asked: sha256(&asked) });
        Ok(self)
    }
}

impl UndoRequest {
    /// The same request, which an `Idempotency-Key` names.
    pub fn with_key(mut self, key: Option<&str>) -> Self {
        let asked = format!("undo {:?}", (self.discard_later_changes, &self.revive, self.prune_buckets, &self.who));
        let key = key.filter(|_| !self.dry_run);
        self.repeat = key.map(|key| Repeat { key: key.to_owned(), asked: sha256(&asked) });
        self
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A document may hold literal secrets.
impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Declaration({} bytes, dry run {})", self.yaml.len(), self.dry_run)
    }
}

/// The values that are put over the config may be secrets.
impl fmt::Debug for RestoreRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestoreRequest({:?}, mode {}, strategy {})", self.archive, self.mode, self.strategy)
    }
}
