//! What is known of an object: identity, sums, headers and metadata.

use crate::domain::clock::Timestamp;
use crate::domain::layout::PartLayout;
use crate::domain::tags::Tags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An entity tag without its quotes: MD5 in hex for a single PUT, `md5-N` for multipart, `<hash>-0` for a file that was dropped in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ETag(String);

impl ETag {
    /// From its text, quotes removed.
    pub fn new(text: &str) -> Self {
        Self(text.trim_matches('"').to_owned())
    }

    /// Without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With quotes, as in headers and XML.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The headers that S3 stores with an object and gives back as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SystemHeaders {
    /// `Content-Type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Expires`, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `x-amz-storage-class`, where it was not `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `x-amz-website-redirect-location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
}

/// What a client sends along with a body, and what is stored with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectAttributes {
    /// The system headers.
    pub headers: SystemHeaders,
    /// `x-amz-meta-*`, names in lower case and without the prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
    /// The tags. They change without the object: `ObjectStore::set_tags`.
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Checksums that the client sent and that were verified: algorithm (`CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`) → base64.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
}

/// Everything known of one stored object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The logical size in bytes.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
    /// When it became visible. Shown to one second.
    pub modified: Timestamp,
    /// SHA-256 of the content in lower-case hex, where we wrote it.
    pub sha256: Option<String>,
    /// What the client stored with it.
    pub attributes: ObjectAttributes,
    /// How it lies in its parts, where it was put together of some and that is known.
    pub parts: Option<PartLayout>,
}

/// The sums of a body, made in the one pass in which it was received. One that nobody compares may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodySums {
    /// Bytes received.
    pub size: u64,
    /// MD5 in lower-case hex: the entity tag.
    pub md5: String,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}
