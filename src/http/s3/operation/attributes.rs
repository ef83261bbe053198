//! `GET /bucket/key?attributes`: which attributes of an object are asked for.

use super::multipart::{PAGE, whole_number};
use super::{Names, S3Error};
use actors::domain::names::{BucketName, ObjectKey};

/// GetObjectAttributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetAttributes {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// `x-amz-object-attributes`.
    pub wanted: Vec<Attribute>,
    /// `x-amz-max-parts`.
    pub max_parts: usize,
    /// `x-amz-part-number-marker`: the last part of the page before.
    pub marker: u32,
}

/// One that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// The entity tag.
    ETag,
    /// The checksum.
    Checksum,
    /// The parts.
    ObjectParts,
    /// The storage class.
    StorageClass,
    /// The size.
    ObjectSize,
}

impl Attribute {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ETag" => Self::ETag,
            "Checksum" => Self::Checksum,
            "ObjectParts" => Self::ObjectParts,
            "StorageClass" => Self::StorageClass,
            "ObjectSize" => Self::ObjectSize,
            _ => return None,
        })
    }
}

impl GetAttributes {
    pub(super) fn parse(bucket: BucketName, key: ObjectKey, query: &Names, headers: &Names) -> Result<Self, S3Error> {
        const NAME: &str = "x-amz-object-attributes";
        super::object::check_version(query)?;
        let names = headers.get(NAME).map(String::as_str).unwrap_or_default();
        let wanted: Option<Vec<Attribute>> = names.split(',').map(|name| Attribute::named(name.trim())).collect();
        let invalid = || S3Error::invalid_argument(NAME, names, "Invalid attribute name specified.");
        let number = |name: &str| match headers.get(name) {
            None => Ok(None),
            Some(text) => match whole_number(text).filter(|_| !text.is_empty()) {
                Some(number) if number <= u64::from(i32::MAX.unsigned_abs()) => Ok(Some(number)),
                _ => Err(S3Error::invalid_argument(
                    name,
                    text,
                    format!("Provided {name} not an integer or within integer range"),
                )),
            },
        };
        let max_parts = number("x-amz-max-parts")?.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE);
        let marker = number("x-amz-part-number-marker")?.and_then(|marker| u32::try_from(marker).ok());
        Ok(Self {
            bucket,
            key,
            wanted: wanted.ok_or_else(invalid)?,
            max_parts: max_parts.min(PAGE),
            marker: marker.unwrap_or(0),
        })
    }
}
