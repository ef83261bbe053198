//! What the signed part of an object's request says.

use super::multipart::part_number;
use super::parse::check_acl;
use super::{Names, S3Error, SignedBody, tagging};
use actix_web::http::StatusCode;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::tags::Tags;
use std::collections::BTreeMap;

/// User metadata, names and values together (AWS).
const MOST_METADATA: usize = 2048;

/// The labels that AWS knows. They are kept and shown; the storage is the same.
const STORAGE_CLASSES: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
];

/// `PUT /bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutObject {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// `x-amz-meta-*`, without the prefix.
    pub user: BTreeMap<String, String>,
    /// The class, where it is not `STANDARD`.
    pub storage_class: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect: Option<String>,
    /// `x-amz-tagging`.
    pub tags: Tags,
    /// What is said of the body.
    pub body: SignedBody,
}

/// `POST /bucket?delete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObjects {
    /// The bucket.
    pub bucket: BucketName,
    /// What is said of the document that names the keys.
    pub body: SignedBody,
}

/// `GET` or `HEAD /bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadObject {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// Headers of the answer that the request sets.
    pub overrides: Overrides,
    /// `x-amz-checksum-mode: ENABLED`.
    pub with_checksums: bool,
    /// `partNumber`: this part of it.
    pub part: Option<u32>,
}

/// `response-*`: headers of the answer in place of the stored ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Expires`.
    pub expires: Option<String>,
}

impl PutObject {
    pub(super) fn parse(bucket: BucketName, key: ObjectKey, headers: &Names) -> Result<Self, S3Error> {
        check_acl(headers, &["private", "bucket-owner-full-control", "bucket-owner-read"])?;
        let storage_class = match headers.get("x-amz-storage-class").map(String::as_str) {
            None | Some("STANDARD") => None,
            Some(class) if STORAGE_CLASSES.contains(&class) => Some(class.to_owned()),
            Some(_) => {
                return Err(S3Error::new(
                    "InvalidStorageClass",
                    StatusCode::BAD_REQUEST,
                    "The storage class you specified is not valid",
                ));
            }
        };
        let website_redirect = headers.get("x-amz-website-redirect-location").cloned();
        if let Some(place) = &website_redirect
            && !["/", "http://", "https://"].iter().any(|start| place.starts_with(start))
        {
            return Err(S3Error::new(
                "InvalidRedirectLocation",
                StatusCode::BAD_REQUEST,
                "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
            ));
        }
        Ok(Self {
            bucket,
            key,
            user: user_metadata(headers)?,
            storage_class,
            website_redirect,
            tags: tagging::header(headers)?,
            body: SignedBody::parse(headers)?,
        })
    }
}

impl ReadObject {
    /// The same, asking for no checksum of the whole.
    pub fn without_sums(&self) -> Self {
        Self { with_checksums: false, ..self.clone() }
    }

    pub(super) fn parse(bucket: BucketName, key: ObjectKey, query: &Names, headers: &Names) -> Result<Self, S3Error> {
        check_version(query)?;
        let with_checksums = match headers.get("x-amz-checksum-mode") {
            None => false,
            Some(mode) if mode.eq_ignore_ascii_case("ENABLED") => true,
            Some(mode) => {
                return Err(S3Error::invalid_argument(
                    "x-amz-checksum-mode",
                    mode,
                    "The checksum mode must be ENABLED",
                ));
            }
        };
        let text = |name: &str| {
            let value = query.get(name).cloned();
            match value {
                Some(value) if value.bytes().any(|b| b < b' ' && b != b'\t' || b == 0x7f) => {
                    Err(S3Error::invalid_argument(name, &value, "Header value cannot be represented"))
                }
                other => Ok(other),
            }
        };
        let overrides = Overrides {
            cache_control: text("response-cache-control")?,
            content_disposition: text("response-content-disposition")?,
            content_encoding: text("response-content-encoding")?,
            content_language: text("response-content-language")?,
            content_type: text("response-content-type")?,
            expires: text("response-expires")?,
        };
        let part = match query.contains_key("partNumber") {
            true => Some(u32::from(part_number(query)?.get())),
            false => None,
        };
        Ok(Self { bucket, key, overrides, with_checksums, part })
    }
}

/// A bucket without versions has one version of each object, `null`.
pub(super) fn check_version(query: &Names) -> Result<(), S3Error> {
    query.get("versionId").map_or(Ok(()), |version| check_source_version(version))
}

/// The same of a version that was named elsewhere.
pub(super) fn check_source_version(version: &str) -> Result<(), S3Error> {
    if version == "null" {
        return Ok(());
    }
    Err(S3Error::new("NoSuchVersion", StatusCode::NOT_FOUND, "The specified version does not exist.")
        .with_detail("VersionId", version))
}

fn user_metadata(headers: &Names) -> Result<BTreeMap<String, String>, S3Error> {
    let user: BTreeMap<String, String> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("x-amz-meta-")?.to_owned(), value.clone())))
        .collect();
    if let Some(value) = user.get("") {
        return Err(S3Error::invalid_argument("x-amz-meta-", value, "A user metadata header must have a name"));
    }
    check_metadata_size(&user)?;
    Ok(user)
}

/// User metadata has at most 2 KiB, names and values together.
pub fn check_metadata_size(user: &BTreeMap<String, String>) -> Result<(), S3Error> {
    let size: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size <= MOST_METADATA {
        return Ok(());
    }
    Err(S3Error::new(
        "MetadataTooLarge",
        StatusCode::BAD_REQUEST,
        "Your metadata headers exceed the maximum allowed metadata size",
    )
    .with_detail("Size", size.to_string())
    .with_detail("MaxSizeAllowed", MOST_METADATA.to_string()))
}
