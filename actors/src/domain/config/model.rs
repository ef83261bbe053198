//! The checked configuration: what the rest of the system reads. Every value is valid, every default filled in.

use super::declared::{Declared, IamMode};
use super::upstream;
use crate::domain::admission::Block;
use crate::domain::bucket::settings::Pinned;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::network::WrittenNetwork;
use crate::domain::secret::Secret;
use crate::domain::stored::cron::Cron;
use crate::domain::stored::retention::Keep;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

pub use super::backend::{Backend, BackendKind, S3Account};

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which S3 requests go on at all, in the order of the file.
    pub admission: Vec<Block>,
    /// Who you are.
    pub access: Access,
    /// Where objects are.
    pub storage: Storage,
    /// How the process runs.
    pub advanced: Advanced,
    /// Backups of the system's own state.
    pub backup: Backup,
}

/// `access:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// `required` (default) or `none`.
    pub authentication: Authentication,
    /// The config key pair's public half.
    pub access_key_id: Option<String>,
    /// Its secret half.
    pub secret_access_key: Option<SecretRef>,
    /// Export with secrets, restore and password need a login no older than this.
    pub reauth_window: Duration,
    /// A session ends this long after login.
    pub session_lifetime: Duration,
    /// A session ends after this long without a call.
    pub session_idle: Duration,
    /// Hosts of sign-in providers that may speak plain http, or be at a link-local or metadata address.
    pub sso_allowed_hosts: Vec<String>,
    /// Who owns IAM.
    pub iam_mode: IamMode,
    /// What the file says of IAM; in force where it owns it.
    pub iam: Declared,
}

/// Whether S3 and the admin API ask who you are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Yes.
    Required,
    /// No: an explicit choice, warned about.
    None,
}

/// `storage:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The backends by name; never empty.
    pub backends: BTreeMap<BackendName, Backend>,
    /// Where a new bucket goes.
    pub default_backend: BackendName,
    /// What the file pins of the bucket registry.
    pub buckets: BTreeMap<BucketName, BucketPin>,
}

/// What the config says of a bucket; `None` leaves it to the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketPin {
    /// The backend.
    pub backend: Option<BackendName>,
    /// The name on the backend.
    pub alias: Option<BucketName>,
    /// What anybody may read; an empty prefix is the whole bucket, an empty list nothing.
    pub public_prefixes: Option<Vec<String>>,
    /// Tags, CORS and lifecycle rules, quota, flags.
    pub settings: Pinned,
}

impl BucketPin {
    /// True where anybody may read the whole bucket.
    pub fn is_all_public(&self) -> bool {
        self.public_prefixes.as_ref().is_some_and(|prefixes| prefixes.iter().any(String::is_empty))
    }
}

/// `advanced:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// Where the one port listens (a host setting).
    pub listen_addr: SocketAddr,
    /// Whether and with what https is served (host settings).
    pub tls: Tls,
    /// `env_logger` filter (a host setting).
    pub log_level: String,
    /// `text` or `json` (a host setting).
    pub log_format: LogFormat,
    /// A pinned bootstrap hash (PHC or bcrypt, already decoded from base64).
    pub bootstrap_password_hash: Option<SecretRef>,
    /// Where filesystem roots may lie; empty means: the parent of the configured data directory.
    pub data_roots: Vec<WrittenPath>,
    /// Where `{file:}` references may lie.
    pub secret_roots: Vec<WrittenPath>,
    /// How far a signature's time may be off.
    pub clock_skew: Duration,
    /// Forms of browsers may be signed in version 2, too.
    pub auth_sigv2_post: bool,
    /// The one region that signatures may name; any where `None`.
    pub region: Option<String>,
    /// The address of the console as people type it.
    pub public_url: Option<String>,
    /// Names under which each bucket has a host of its own, in lower case.
    pub domains: Vec<String>,
    /// The one host name that serves the console; every name that is no bucket's where `None`.
    pub console_host: Option<String>,
    /// The proxies that are believed where a request comes from.
    pub trusted_proxies: Vec<WrittenNetwork>,
    /// Requests under way on one backend before 503 `SlowDown`.
    pub max_requests: usize,
    /// A peer that neither gives nor takes a byte for this long is cut off.
    pub idle_timeout: Duration,
    /// How much of the audit log is kept.
    pub audit: Audit,
}

/// `advanced.audit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// So many of the latest rows.
    pub keep_rows: u64,
    /// Those no older than this.
    pub keep_days: Option<u64>,
    /// A file that rows are appended to.
    pub file: Option<WrittenPath>,
    /// An address that rows are sent to.
    pub webhook: Option<Webhook>,
}

/// `advanced.audit.webhook`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// What is sent along, by name; an archive has the literal ones in its keystore.
    pub headers: BTreeMap<String, Option<SecretRef>>,
}

/// `advanced.tls`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// What was written.
    pub enabled: Option<bool>,
    /// The certificate and its chain.
    pub cert_path: Option<WrittenPath>,
    /// Its key; there exactly when the certificate is.
    pub key_path: Option<WrittenPath>,
}

/// Where the pair for https comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPair<'a> {
    /// From these files: certificate, key.
    Files(&'a WrittenPath, &'a WrittenPath),
    /// It is made anew at each start, and nobody knows it.
    SelfMade,
}

impl Tls {
    /// The pair to serve https with; `None` for http.
    pub fn pair(&self) -> Option<TlsPair<'_>> {
        match (self.enabled, &self.cert_path, &self.key_path) {
            (Some(false), _, _) => None,
            (_, Some(cert), Some(key)) => Some(TlsPair::Files(cert, key)),
            (Some(true), _, _) => Some(TlsPair::SelfMade),
            (None, _, _) => None,
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `backup:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When backups are stored.
    pub schedule: Option<Cron>,
    /// Also after changes that have rested for this long.
    pub on_change: Option<Duration>,
    /// Where they are stored.
    pub to: Option<BackupTarget>,
    /// Which of them stay.
    pub keep: Keep,
    /// Each is read back and checked.
    pub verify: bool,
    /// They may lie in a bucket as plain keystores.
    pub plaintext_in_bucket: bool,
    /// Age recipients to whom archives are encrypted where the caller may not choose.
    pub recipients: Vec<String>,
    /// Ed25519 public keys (standard base64) whose stored archives may be restored.
    pub trusted_signers: Vec<String>,
    /// What an archive may weigh.
    pub limits: ArchiveLimits,
}

/// Where backups are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupTarget {
    /// In a directory.
    Directory(WrittenPath),
    /// In a bucket of this server.
    Bucket {
        /// The bucket.
        bucket: BucketName,
        /// What their keys begin with: empty, or with a slash at its end.
        prefix: String,
    },
}

/// `backup.limits`: what import and export alike accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// The body of a request.
    pub body: u64,
    /// One entry, inflated.
    pub entry: u64,
    /// All entries, inflated.
    pub total: u64,
    /// How many entries are looked at before it is refused.
    pub entries: usize,
    /// Inflated to deflated, for entries above 16 MiB.
    pub ratio: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { body: 256 << 20, entry: 512 << 20, total: 768 << 20, entries: 16, ratio: 100 }
    }
}

/// Where a value comes from that must not stand in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// `{env: NAME}`.
    Env(String),
    /// `{file: PATH}`.
    File(WrittenPath),
    /// `{stored: NAME}`: `State::secrets`.
    Stored(String),
    /// Written out.
    Literal(Secret),
}

impl SecretRef {
    /// `env:NAME`, `file:PATH` or `stored:NAME`; a literal has no name.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Env(name) => Some(format!("env:{name}")),
            Self::File(path) => Some(format!("file:{}", path.as_str())),
            Self::Stored(name) => Some(format!("stored:{name}")),
            Self::Literal(_) => None,
        }
    }
}

impl Config {
    /// Every secret that the config holds or refers to, by its canonical path.
    pub fn secrets(&self) -> impl Iterator<Item = (String, &SecretRef)> {
        let named = [
            ("access.secret_access_key", &self.access.secret_access_key),
            ("advanced.bootstrap_password_hash", &self.advanced.bootstrap_password_hash),
        ];
        let headers = self.advanced.audit.webhook.iter().flat_map(|webhook| &webhook.headers);
        let headers = headers.map(|(name, value)| (header_path(name), value.as_ref()));
        let named = named.into_iter().map(|(path, secret)| (path.to_owned(), secret.as_ref()));
        let keys = self.storage.backends.iter().flat_map(|(name, backend)| {
            let path = move |id| format!("storage.backends.{name}.encryption.keys.{id}");
            backend.encryption.keys.iter().map(move |(id, reference)| (path(id), Some(reference)))
        });
        let accounts = self.storage.backends.iter().filter_map(|(name, backend)| match &backend.kind {
            BackendKind::S3(account) => Some((upstream::secret_path(name), account.secret_access_key.as_ref())),
            BackendKind::Filesystem { .. } => None,
        });
        named.chain(accounts).chain(headers).chain(keys).filter_map(|(path, secret)| Some((path, secret?)))
    }

    /// The same configuration with every path made absolute: for a file that is first written elsewhere than where the
    /// paths counted from.
    pub fn with_absolute_paths(mut self, base: &Path) -> Self {
        let absolute = |path: &mut WrittenPath| *path = WrittenPath::new(path.resolve(base).to_string_lossy());
        for backend in self.storage.backends.values_mut() {
            match &mut backend.kind {
                BackendKind::Filesystem { path } => absolute(path),
                BackendKind::S3(account) => {
                    if let Some(SecretRef::File(path)) = &mut account.secret_access_key {
                        absolute(path);
                    }
                }
            }
        }
        let Advanced { data_roots, secret_roots, tls, audit, bootstrap_password_hash, .. } = &mut self.advanced;
        let tls = tls.cert_path.iter_mut().chain(&mut tls.key_path);
        data_roots.iter_mut().chain(secret_roots).chain(tls).chain(&mut audit.file).for_each(absolute);
        if let Some(BackupTarget::Directory(path)) = &mut self.backup.to {
            *path = WrittenPath::new(path.resolve(base).to_string_lossy());
        }
        let headers = audit.webhook.iter_mut().flat_map(|webhook| webhook.headers.values_mut());
        let own = [&mut self.access.secret_access_key, bootstrap_password_hash].into_iter().chain(headers).flatten();
        let keys = self.storage.backends.values_mut().flat_map(|backend| backend.encryption.keys.values_mut());
        for secret in own.chain(keys).chain(self.access.iam.secrets_mut()) {
            if let SecretRef::File(path) = secret {
                absolute(path);
            }
        }
        self
    }

    /// The same and the secrets of the declared IAM, whose literals the database keeps with their users and providers.
    pub fn all_secrets(&self) -> impl Iterator<Item = &SecretRef> {
        self.secrets().map(|(_, secret)| secret).chain(self.access.iam.secrets())
    }

    /// True where the config file owns users, groups, providers and mapping rules.
    pub fn is_declarative(&self) -> bool {
        self.access.iam_mode == IamMode::Declarative
    }
}

/// The canonical path of a webhook header's value.
pub fn header_path(name: &str) -> String {
    format!("advanced.audit.webhook.headers.{name}.value")
}

/// A path as the config writes it. A relative one counts from the config file's directory (without a file, from the
/// working directory), so it must go through [`WrittenPath::resolve`] before anything is opened: a type, not a habit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WrittenPath(String);

impl WrittenPath {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path below `base` (`.` components dropped), or itself where it is absolute. Symbolic links are not followed.
    pub fn resolve(&self, base: &Path) -> PathBuf {
        base.join(&self.0).components().filter(|part| !matches!(part, Component::CurDir)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_counts_from_the_base_and_an_absolute_one_does_not() {
        assert_eq!(WrittenPath::new("./data").resolve(Path::new("/etc/dgp")), PathBuf::from("/etc/dgp/data"));
        assert_eq!(WrittenPath::new("/srv/data").resolve(Path::new("/etc/dgp")), PathBuf::from("/srv/data"));
    }
}
