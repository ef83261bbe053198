//! What a bucket is configured with by a document of its own: read, put and removed as a whole.

use super::{Names, S3Error, SignedBody};
use actors::domain::names::BucketName;

/// What is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// `?tagging`.
    Tagging,
    /// `?cors`.
    Cors,
    /// `?lifecycle`.
    Lifecycle,
}

/// `PUT /bucket?cors` and its like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutConfiguration {
    /// The bucket.
    pub bucket: BucketName,
    /// What is configured.
    pub what: Configuration,
    /// What is said of the document.
    pub body: SignedBody,
}

impl Configuration {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tagging, Self::Cors, Self::Lifecycle];

    /// The parameter that names it.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Tagging => "tagging",
            Self::Cors => "cors",
            Self::Lifecycle => "lifecycle",
        }
    }

    /// The operation that reads it, as AWS names it.
    pub const fn get_name(self) -> &'static str {
        match self {
            Self::Tagging => "GetBucketTagging",
            Self::Cors => "GetBucketCors",
            Self::Lifecycle => "GetBucketLifecycleConfiguration",
        }
    }

    /// The operation that puts it.
    pub const fn put_name(self) -> &'static str {
        match self {
            Self::Tagging => "PutBucketTagging",
            Self::Cors => "PutBucketCors",
            Self::Lifecycle => "PutBucketLifecycleConfiguration",
        }
    }

    /// The operation that removes it.
    pub const fn delete_name(self) -> &'static str {
        match self {
            Self::Tagging => "DeleteBucketTagging",
            Self::Cors => "DeleteBucketCors",
            Self::Lifecycle => "DeleteBucketLifecycle",
        }
    }

    /// The one that a query names.
    pub(super) fn of(query: &Names) -> Option<Self> {
        Self::ALL.into_iter().find(|what| query.contains_key(what.parameter()))
    }
}

impl PutConfiguration {
    pub(super) fn parse(bucket: BucketName, what: Configuration, headers: &Names) -> Result<Self, S3Error> {
        match headers.get("x-amz-transition-default-minimum-object-size").map(String::as_str) {
            // There is nothing that objects move to, so this says what holds anyway.
            None | Some("all_storage_classes_128K") => {}
            Some(_) => return Err(S3Error::not_implemented("transitions between storage classes")),
        }
        Ok(Self { bucket, what, body: SignedBody::parse(headers)? })
    }
}
