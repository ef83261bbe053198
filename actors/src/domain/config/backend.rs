//! One backend of the config: its kind, where it lies, and how it is reached.

use super::encryption::Encryption;
use super::model::{SecretRef, WrittenPath};
use std::path::{Path, PathBuf};

/// One backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its kind and place.
    pub kind: BackendKind,
    /// No write is taken: a restore found that keys of its objects are missing, or an operator wants it so.
    pub read_only: bool,
    /// How objects are encrypted at rest.
    pub encryption: Encryption,
}

impl Backend {
    /// Whether it is a directory and nothing more, as the short forms write it.
    pub fn is_plain(&self) -> bool {
        self.kind.directory().is_some() && !self.read_only && self.encryption == Encryption::default()
    }
}

/// The kind of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// A directory.
    Filesystem {
        /// As written, so that a backup carries `./data` and not one host's absolute path.
        path: WrittenPath,
    },
    /// An S3 account elsewhere.
    S3(S3Account),
}

/// An account of an S3 service, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Account {
    /// `http(s)://host[:port][/path]`; AWS's own of the region where it is not set.
    pub endpoint: Option<String>,
    /// What requests are signed for.
    pub region: String,
    /// The public half of the key pair.
    pub access_key_id: String,
    /// The secret half; an archive has a literal one in its keystore.
    pub secret_access_key: Option<SecretRef>,
}

impl S3Account {
    /// The region where none is written.
    pub const DEFAULT_REGION: &str = "us-east-1";

    /// Where requests go.
    pub fn url(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("https://s3.{}.amazonaws.com", self.region))
    }
}

impl BackendKind {
    /// The directory, where it is one.
    pub fn directory(&self) -> Option<&WrittenPath> {
        match self {
            Self::Filesystem { path } => Some(path),
            Self::S3(_) => None,
        }
    }

    /// Where its buckets lie on this host or in the network, to be compared and shown.
    pub fn place(&self, base: &Path) -> PathBuf {
        match self {
            Self::Filesystem { path } => path.resolve(base),
            Self::S3(account) => PathBuf::from(account.url()),
        }
    }
}
