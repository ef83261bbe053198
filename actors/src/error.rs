//! The one error of the system: what kind it is, which operation met it, what a client may read, and the source for the log.

use std::error::Error as StdError;
use std::fmt;

/// A result of the system.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller can act on it.
///
/// Each edge maps every kind once (`src/http/s3/error.rs`, `src/http/admin/error.rs`); `tests/tidy.rs` checks both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A bug or an unexpected I/O error: nothing the caller did.
    Internal,
    /// An owner or backend cannot answer now; a later try may succeed.
    Unavailable,
    /// All permits are out.
    Busy,
    /// The deadline passed before anything was done.
    Timeout,
    /// The change may or may not have happened.
    OutcomeUnknown,
    /// The input breaks a rule; the message says which.
    Invalid,
    /// Nobody proved who they are.
    Unauthenticated,
    /// The principal may not do this.
    Forbidden,
    /// The thing named does not exist.
    NotFound,
    /// The thing is in a state that forbids this; the code says which.
    Conflict,
    /// The state moved on since the caller read it (`If-Match` on a generation).
    StaleGeneration,
    /// Too many tries.
    TooManyRequests,
    /// A body or a part of it is above its limit.
    TooLarge,
    /// The system is locked: no key opens its database.
    Locked,
    /// A restore holds the fence.
    RestoreInProgress,
    /// A feature that S3 has and this server refuses.
    NotImplemented,
    /// No such bucket.
    NoSuchBucket,
    /// No multipart upload of that name is open.
    NoSuchUpload,
    /// A part that is listed is not there, or is not the one that is meant.
    InvalidPart,
    /// The parts are not listed in ascending order.
    InvalidPartOrder,
    /// A part that is not the last has less than 5 MiB.
    EntityTooSmall,
    /// What the request says does not fit together, or does not fit to what it is about.
    InvalidRequest,
    /// No such key.
    NoSuchKey,
    /// The bucket exists already and is ours.
    BucketExists,
    /// The bucket still holds objects.
    BucketNotEmpty,
    /// A bucket name outside AWS's rules.
    InvalidBucketName,
    /// A key above 1,024 bytes.
    KeyTooLong,
    /// `If-Match`, `If-None-Match` or a date did not hold.
    PreconditionFailed,
    /// The winner of a conditional write is still being written.
    ConditionalConflict,
    /// A range outside the object.
    InvalidRange,
    /// The body does not match the digest that came with it.
    BadDigest,
    /// The body ended before its declared length.
    IncompleteBody,
    /// An object above the size limit.
    EntityTooLarge,
    /// User metadata above 2 KiB.
    MetadataTooLarge,
    /// The write would go over the bucket's quota.
    QuotaExceeded,
    /// No space on the device.
    DiskFull,
    /// A stored form whose attribute is gone.
    MetadataStripped,
    /// The bucket's route changed while the object was being written.
    RouteChanged,
}

/// An error: kind, operation, what a client may read, an optional hint, and the source that only a log sees.
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    code: Option<&'static str>,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with the text that a client may see.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self { kind, operation, code: None, message: message.into(), hint: None, source: None }
    }

    /// An internal error whose details belong into the log only.
    pub fn internal(operation: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, operation, "internal error; the server's log has the details")
            .with_source(source)
    }

    /// An I/O error, told apart where the caller can act on it.
    pub fn io(operation: &'static str, error: std::io::Error) -> Self {
        let (kind, message) = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                (ErrorKind::DiskFull, "no space is left on the device")
            }
            _ => (ErrorKind::Internal, "an i/o error; the server's log has the details"),
        };
        Self::new(kind, operation, message).with_source(error)
    }

    /// Adds the stable code of the admin API (`db_key_mismatch`, `restore_in_progress`, …).
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds what the caller can do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause, for the log.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was being done, in a word or two.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The stable code, where one was given.
    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// The text for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The way out, for the client.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}: {}", self.kind, self.operation, self.message)?;
        let mut cause: Option<&(dyn StdError + 'static)> = self.source.as_ref().map(|s| s.as_ref() as _);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as _)
    }
}
