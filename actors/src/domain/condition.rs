//! Preconditions and ranges: the rules of RFC 9110 §13–14 as S3 applies them.

use crate::domain::clock::Timestamp;
use crate::domain::object::{ETag, ObjectMeta};
use crate::{Error, ErrorKind};

/// The conditions that a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-Match`.
    pub if_match: Option<ETagMatch>,
    /// `If-None-Match`.
    pub if_none_match: Option<ETagMatch>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<Timestamp>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<Timestamp>,
}

/// `*`, or a list of entity tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ETagMatch {
    /// Any existing object.
    Any,
    /// One of these.
    OneOf(Vec<ETag>),
}

/// What a read's conditions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadVerdict {
    /// Send it.
    Proceed,
    /// 304.
    NotModified,
}

impl ETagMatch {
    /// Reads a header value: `*`, or entity tags with or without quotes, separated by commas. A weak mark is dropped: S3 has none.
    pub fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        Self::OneOf(
            text.split(',')
                .map(|t| ETag::new(t.trim().trim_start_matches("W/")))
                .filter(|t| !t.as_str().is_empty())
                .collect(),
        )
    }

    fn holds(&self, etag: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(etag),
        }
    }
}

impl Conditions {
    /// True where there is nothing to check.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True for a write that wants the key to be free (`If-None-Match: *`).
    pub fn wants_absent(&self) -> bool {
        self.if_none_match == Some(ETagMatch::Any)
    }

    /// GET and HEAD: `If-Match` before `If-Unmodified-Since`, `If-None-Match` before `If-Modified-Since`.
    pub fn check_read(&self, meta: &ObjectMeta) -> Result<ReadVerdict, Error> {
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !tags.holds(&meta.etag) => return Err(failed("If-Match")),
            (None, Some(since)) if meta.modified.secs() > since.secs() => return Err(failed("If-Unmodified-Since")),
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if tags.holds(&meta.etag) => Ok(ReadVerdict::NotModified),
            (None, Some(since)) if meta.modified.secs() <= since.secs() => Ok(ReadVerdict::NotModified),
            _ => Ok(ReadVerdict::Proceed),
        }
    }

    /// PUT, Complete and DELETE, checked against what is there now, under the key's lock.
    ///
    /// `If-Match` on a key that is not there is 404, as AWS answers it.
    pub fn check_write(&self, current: Option<&ObjectMeta>) -> Result<(), Error> {
        match (&self.if_match, current) {
            (Some(_), None) => {
                return Err(Error::new(ErrorKind::NoSuchKey, "condition", "The specified key does not exist."));
            }
            (Some(tags), Some(meta)) if !tags.holds(&meta.etag) => return Err(failed("If-Match")),
            _ => {}
        }
        match (&self.if_none_match, current) {
            (Some(tags), Some(meta)) if tags.holds(&meta.etag) => Err(failed("If-None-Match")),
            _ => Ok(()),
        }
    }
}

fn failed(condition: &str) -> Error {
    Error::new(
        ErrorKind::PreconditionFailed,
        "condition",
        format!("At least one of the pre-conditions you specified did not hold: {condition}"),
    )
}

/// A `Range` header that asks for one range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeRequest {
    /// `bytes=a-b`, both included.
    Between(u64, u64),
    /// `bytes=a-`.
    From(u64),
    /// `bytes=-n`.
    Last(u64),
}

/// A range that lies inside an object: `start` and length, never empty but for an empty whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
}

impl RangeRequest {
    /// Reads a header value. `None` for what S3 ignores: malformed, other units, several ranges.
    pub fn parse(text: &str) -> Option<Self> {
        let (unit, spec) = text.trim().split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
            return None;
        }
        let (first, last) = spec.trim().split_once('-')?;
        let number = |t: &str| {
            (!t.is_empty() && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u64>().unwrap_or(u64::MAX))
        };
        match (first, last) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => number(first).map(Self::From),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// The part of an object of `size` bytes that this names.
    pub fn resolve(self, size: u64) -> Result<ByteRange, Error> {
        let unsatisfiable = || Error::new(ErrorKind::InvalidRange, "range", "The requested range is not satisfiable");
        let (start, end) = match self {
            Self::Between(first, last) => (first, last.saturating_add(1).min(size)),
            Self::From(first) => (first, size),
            Self::Last(0) => return Err(unsatisfiable()),
            Self::Last(n) => (size.saturating_sub(n), size),
        };
        if start >= size {
            return Err(unsatisfiable());
        }
        Ok(ByteRange { start, len: end - start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_s3_reads_them() {
        assert_eq!(RangeRequest::parse("bytes=0-4"), Some(RangeRequest::Between(0, 4)));
        assert_eq!(RangeRequest::parse("bytes=5-"), Some(RangeRequest::From(5)));
        assert_eq!(RangeRequest::parse("bytes=-3"), Some(RangeRequest::Last(3)));
        for ignored in ["bytes=4-0", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes", "bytes=-"] {
            assert_eq!(RangeRequest::parse(ignored), None, "{ignored}");
        }
        assert_eq!(RangeRequest::Between(2, 100).resolve(10).ok(), Some(ByteRange { start: 2, len: 8 }));
        assert_eq!(RangeRequest::Last(100).resolve(10).ok(), Some(ByteRange { start: 0, len: 10 }));
        assert!(RangeRequest::From(10).resolve(10).is_err());
        assert!(RangeRequest::Last(0).resolve(10).is_err());
        assert!(RangeRequest::From(0).resolve(0).is_err());
    }
}
