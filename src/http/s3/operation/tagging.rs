//! What a request says of tags: in a header of a write, or of the document that brings them.

use super::{Names, S3Error, SignedBody};
use crate::http::percent;
use actix_web::http::StatusCode;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::tags::{self, MOST_OF_OBJECT, TagFault, Tags};

/// `PUT /bucket/key?tagging`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutTagging {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// What is said of the document.
    pub body: SignedBody,
}

/// `x-amz-tagging`: `key=value&…`, encoded as a query.
pub(super) fn header(headers: &Names) -> Result<Tags, S3Error> {
    let Some(text) = headers.get("x-amz-tagging") else { return Ok(Tags::new()) };
    let undo = |text: &str| {
        let bytes = percent::decode(&text.replace('+', " ")).ok();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok())
    };
    let pairs: Option<Vec<(String, String)>> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((undo(key)?, undo(value)?))
        })
        .collect();
    let unreadable = || {
        S3Error::invalid_argument(
            "x-amz-tagging",
            text,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        )
    };
    match tags::checked(pairs.ok_or_else(unreadable)?, MOST_OF_OBJECT) {
        Err(TagFault::Twice(_)) => Err(unreadable()),
        other => other.map_err(S3Error::from),
    }
}

impl From<TagFault> for S3Error {
    fn from(fault: TagFault) -> Self {
        let (code, message, name, value) = match fault {
            TagFault::TooMany(most) => {
                let whose = if most == MOST_OF_OBJECT { "Object tags" } else { "Bucket tag count" };
                let message = format!("{whose} cannot be greater than {most}");
                return Self::new("BadRequest", StatusCode::BAD_REQUEST, message);
            }
            TagFault::Key(key) => ("InvalidTag", "The TagKey you have provided is invalid", "TagKey", key),
            TagFault::Value(value) => ("InvalidTag", "The TagValue you have provided is invalid", "TagValue", value),
            TagFault::Twice(key) => ("InvalidTag", "Cannot provide multiple Tags with the same key", "TagKey", key),
        };
        Self::new(code, StatusCode::BAD_REQUEST, message).with_detail(name, value)
    }
}
