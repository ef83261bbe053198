//! What the signed part of a multipart request says.

use super::copy::conditions;
use super::{Names, PutObject, S3Error, SignedBody, Source};
use crate::http::body::checksum::{Algorithm, Checksum};
use actors::domain::checksum::ChecksumKind;
use actors::domain::condition::Conditions;
use actors::domain::names::{BucketName, ObjectKey};
use actors::storage::multipart::{PartNumber, UploadChecksum};

/// The most parts or uploads on one page (AWS).
pub(super) const PAGE: usize = 1000;

/// `POST /bucket/key?uploads`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateMultipartUpload {
    /// What the object will be, and what it will carry.
    pub to: PutObject,
    /// `x-amz-checksum-algorithm` and `x-amz-checksum-type`.
    pub checksum: Option<UploadChecksum>,
}

/// An upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// `uploadId`, as it was sent.
    pub id: String,
}

/// `PUT /bucket/key?partNumber=…&uploadId=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPart {
    /// Of which upload.
    pub upload: Upload,
    /// Its place.
    pub number: PartNumber,
    /// What is said of the body.
    pub body: SignedBody,
}

/// The same with `x-amz-copy-source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPartCopy {
    /// Of which upload.
    pub upload: Upload,
    /// Its place.
    pub number: PartNumber,
    /// From where.
    pub source: Source,
    /// `x-amz-copy-source-if-*`.
    pub conditions: Conditions,
    /// `x-amz-copy-source-range`: the first and the last byte.
    pub range: Option<(u64, u64)>,
}

/// `POST /bucket/key?uploadId=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteMultipartUpload {
    /// Which upload.
    pub upload: Upload,
    /// `x-amz-checksum-*`: what the object must sum to, its parts counted or not.
    pub checksum: Option<(Algorithm, String)>,
    /// `x-amz-checksum-type`.
    pub kind: Option<ChecksumKind>,
    /// `x-amz-mp-object-size`.
    pub size: Option<u64>,
}

/// `GET /bucket/key?uploadId=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListParts {
    /// Of which upload.
    pub upload: Upload,
    /// At most this many, 0 to 1,000.
    pub max_parts: usize,
    /// `part-number-marker`: only parts after this one.
    pub marker: u16,
    /// `encoding-type=url`.
    pub url_encoded: bool,
}

/// `GET /bucket?uploads`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMultipartUploads {
    /// The bucket.
    pub bucket: BucketName,
    /// A string prefix.
    pub prefix: String,
    /// Empty means none.
    pub delimiter: String,
    /// At most this many, 1 to 1,000.
    pub max_uploads: usize,
    /// `key-marker`: only keys after this one, or uploads of it after `after_id`.
    pub after: String,
    /// `upload-id-marker`; without `key-marker` it says nothing (AWS).
    pub after_id: String,
    /// `encoding-type=url`.
    pub url_encoded: bool,
}

impl CreateMultipartUpload {
    pub(super) fn parse(to: PutObject, headers: &Names) -> Result<Self, S3Error> {
        let algorithm = algorithm(headers)?;
        let kind = checksum_type(headers)?;
        let checksum = match (algorithm, kind) {
            (None, None) => None,
            (None, Some(_)) => {
                return Err(S3Error::invalid_request(
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
                ));
            }
            (Some(algorithm), kind) => {
                let kind = kind.unwrap_or_else(|| default_kind(algorithm));
                if !algorithm.allows(kind) {
                    return Err(S3Error::invalid_request(format!(
                        "The {} checksum type cannot be used with the {} checksum algorithm.",
                        kind.name(),
                        algorithm.name().to_ascii_lowercase()
                    )));
                }
                Some(UploadChecksum { algorithm, kind })
            }
        };
        Ok(Self { to, checksum })
    }
}

impl Upload {
    pub(super) fn parse(bucket: BucketName, key: ObjectKey, query: &Names) -> Result<Self, S3Error> {
        let id = query.get("uploadId").cloned();
        let missing = || S3Error::invalid_argument("uploadId", "", "This operation needs the parameter uploadId");
        Ok(Self { bucket, key, id: id.ok_or_else(missing)? })
    }
}

impl UploadPart {
    pub(super) fn parse(upload: Upload, query: &Names, headers: &Names) -> Result<Self, S3Error> {
        Ok(Self { upload, number: part_number(query)?, body: SignedBody::parse(headers)? })
    }
}

impl UploadPartCopy {
    pub(super) fn parse(upload: Upload, source: &str, query: &Names, headers: &Names) -> Result<Self, S3Error> {
        Ok(Self {
            upload,
            number: part_number(query)?,
            source: Source::parse(source)?,
            conditions: conditions(headers)?,
            range: headers.get("x-amz-copy-source-range").map(|text| source_range(text)).transpose()?,
        })
    }
}

impl CompleteMultipartUpload {
    pub(super) fn parse(upload: Upload, headers: &Names) -> Result<Self, S3Error> {
        let size = match headers.get("x-amz-mp-object-size") {
            None => None,
            Some(text) => Some(whole_number(text).ok_or_else(|| {
                S3Error::invalid_request(format!("Value for x-amz-mp-object-size header is invalid: {text}"))
            })?),
        };
        Ok(Self { upload, checksum: object_checksum(headers)?, kind: checksum_type(headers)?, size })
    }
}

impl ListParts {
    pub(super) fn parse(upload: Upload, query: &Names) -> Result<Self, S3Error> {
        let marker = count(query, "part-number-marker", 0)?.unwrap_or(0);
        Ok(Self {
            upload,
            max_parts: page(query, "max-parts", 0)?,
            marker: u16::try_from(marker).unwrap_or(u16::MAX),
            url_encoded: super::listing::url_encoded(query)?,
        })
    }
}

impl ListMultipartUploads {
    pub(super) fn parse(bucket: BucketName, query: &Names) -> Result<Self, S3Error> {
        let text = |name: &str| query.get(name).cloned().unwrap_or_default();
        Ok(Self {
            bucket,
            prefix: text("prefix"),
            delimiter: text("delimiter"),
            max_uploads: page(query, "max-uploads", 1)?,
            after: text("key-marker"),
            after_id: text("upload-id-marker"),
            url_encoded: super::listing::url_encoded(query)?,
        })
    }
}

/// `x-amz-checksum-algorithm`.
pub(super) fn algorithm(headers: &Names) -> Result<Option<Algorithm>, S3Error> {
    let Some(name) = headers.get("x-amz-checksum-algorithm") else { return Ok(None) };
    Algorithm::named(&name.to_ascii_uppercase()).map(Some).ok_or_else(|| {
        S3Error::invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
             [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    })
}

/// What AWS takes where the client names an algorithm only.
fn default_kind(algorithm: Algorithm) -> ChecksumKind {
    if algorithm == Algorithm::Crc64Nvme { ChecksumKind::FullObject } else { ChecksumKind::Composite }
}

fn checksum_type(headers: &Names) -> Result<Option<ChecksumKind>, S3Error> {
    let Some(name) = headers.get("x-amz-checksum-type") else { return Ok(None) };
    let invalid = || S3Error::invalid_request("Value for x-amz-checksum-type header is invalid.");
    ChecksumKind::named(&name.to_ascii_uppercase()).map(Some).ok_or_else(invalid)
}

/// The one checksum that the object is to have. A composite one may count its parts.
fn object_checksum(headers: &Names) -> Result<Option<(Algorithm, String)>, S3Error> {
    let mut found = None;
    for algorithm in Algorithm::ALL {
        let Some(value) = headers.get(algorithm.header()) else { continue };
        if found.is_some() {
            return Err(S3Error::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let digest = match value.split_once('-') {
            Some((digest, count)) if whole_number(count).is_some() => digest,
            _ => value,
        };
        let invalid = || S3Error::invalid_request(format!("Value for {} header is invalid.", algorithm.header()));
        Checksum::parse(algorithm, digest).ok_or_else(invalid)?;
        found = Some((algorithm, value.clone()));
    }
    Ok(found)
}

pub(super) fn part_number(query: &Names) -> Result<PartNumber, S3Error> {
    let text = query.get("partNumber").map(String::as_str).unwrap_or_default();
    whole_number(text).and_then(|number| PartNumber::new(number).ok()).ok_or_else(|| {
        S3Error::invalid_argument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive")
    })
}

/// `bytes=first-last` and nothing else (AWS).
fn source_range(text: &str) -> Result<(u64, u64), S3Error> {
    let bounds = text.strip_prefix("bytes=").and_then(|spec| spec.split_once('-'));
    let range = bounds.and_then(|(first, last)| Some((whole_number(first)?, whole_number(last)?)));
    range.filter(|(first, last)| first <= last).ok_or_else(|| {
        S3Error::invalid_argument(
            "x-amz-copy-source-range",
            text,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    })
}

fn page(query: &Names, name: &str, least: u64) -> Result<usize, S3Error> {
    let most = count(query, name, least)?;
    Ok(most.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE).min(PAGE))
}

fn count(query: &Names, name: &str, least: u64) -> Result<Option<u64>, S3Error> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let most = u64::from(i32::MAX.unsigned_abs());
    match whole_number(text) {
        Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
        Some(_) => Err(S3Error::invalid_argument(
            name,
            text,
            format!("Argument {name} must be an integer between {least} and {most}"),
        )),
        None => Err(S3Error::invalid_argument(
            name,
            text,
            format!("Provided {name} not an integer or within integer range"),
        )),
    }
}

/// Digits only.
pub(super) fn whole_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
