//! What the signed part of a copy says: from where, under which conditions, and what is carried over.

use super::multipart::algorithm;
use super::object::check_source_version;
use super::{Names, PutObject, S3Error};
use crate::http::body::checksum::Algorithm;
use crate::http::percent;
use actors::domain::clock::Timestamp;
use actors::domain::condition::{Conditions, ETagMatch};
use actors::domain::names::{BucketName, ObjectKey};

/// `PUT /bucket/key` with `x-amz-copy-source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyObject {
    /// Where to, and what a new object would carry.
    pub to: PutObject,
    /// From where.
    pub source: Source,
    /// `x-amz-copy-source-if-*`.
    pub conditions: Conditions,
    /// `x-amz-metadata-directive: REPLACE`: metadata comes from the request and not from the source.
    pub replace: bool,
    /// `x-amz-tagging-directive: REPLACE`: tags come from the request and not from the source.
    pub replace_tags: bool,
    /// `x-amz-checksum-algorithm`: how the copy is summed.
    pub checksum: Option<Algorithm>,
}

/// An object to copy from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its bucket.
    pub bucket: BucketName,
    /// Its key.
    pub key: ObjectKey,
}

impl CopyObject {
    pub(super) fn parse(to: PutObject, source: &str, headers: &Names) -> Result<Self, S3Error> {
        let source = Source::parse(source)?;
        let replace = directive(headers, "x-amz-metadata-directive", "Unknown metadata directive.")?;
        let replace_tags = directive(headers, "x-amz-tagging-directive", "Unknown tagging directive.")?;
        let changes = replace
            || ["x-amz-storage-class", "x-amz-website-redirect-location"]
                .iter()
                .any(|name| headers.contains_key(*name));
        if !changes && source.bucket == to.bucket && source.key == to.key {
            return Err(S3Error::invalid_request(
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        let (conditions, checksum) = (conditions(headers)?, algorithm(headers)?);
        Ok(Self { to, source, conditions, replace, replace_tags, checksum })
    }
}

impl Source {
    /// `[/]bucket/key[?versionId=…]`, each escape undone once.
    pub(super) fn parse(text: &str) -> Result<Self, S3Error> {
        let invalid = |message: &str| S3Error::invalid_argument("x-amz-copy-source", text, message);
        let (path, version) = text.split_once('?').map_or((text, None), |(path, version)| (path, Some(version)));
        let decoded = |text: &str| {
            let bytes = percent::decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            bytes.ok_or_else(|| invalid("Invalid copy source encoding."))
        };
        if let Some(version) = version {
            let version =
                version.strip_prefix("versionId=").ok_or_else(|| invalid("Invalid copy source object key"))?;
            check_source_version(&decoded(version)?)?;
        }
        let path = decoded(path)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        if path.starts_with("arn:") {
            return Err(S3Error::not_implemented("access points as copy sources"));
        }
        match path.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: BucketName::new(bucket)?, key: ObjectKey::new(key)? })
            }
            _ => Err(invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")),
        }
    }
}

/// True for `REPLACE`.
fn directive(headers: &Names, name: &str, message: &str) -> Result<bool, S3Error> {
    match headers.get(name).map(String::as_str) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(S3Error::invalid_argument(name, other, message)),
    }
}

/// `x-amz-copy-source-if-*`.
pub(super) fn conditions(headers: &Names) -> Result<Conditions, S3Error> {
    let tags = |name: &str| headers.get(name).map(|text| ETagMatch::parse(text));
    let date = |name: &str| {
        let parse = |text: &String| {
            Timestamp::parse_http_date(text)
                .ok_or_else(|| S3Error::invalid_argument(name, text, format!("Bad value for {name}")))
        };
        headers.get(name).map(parse).transpose()
    };
    Ok(Conditions {
        if_match: tags("x-amz-copy-source-if-match"),
        if_none_match: tags("x-amz-copy-source-if-none-match"),
        if_modified_since: date("x-amz-copy-source-if-modified-since")?,
        if_unmodified_since: date("x-amz-copy-source-if-unmodified-since")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::operation::{Operation, parse};

    fn copy(headers: &[(&str, &str)]) -> Result<CopyObject, S3Error> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match parse("PUT", b"/bkt/k", &Names::new(), &headers)? {
            Operation::CopyObject(copy) => Ok(copy),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_source_is_decoded_once() {
        let rows = [
            ("other/a", "a"),
            ("/other/a", "a"),
            ("other%2Fa%2Fb", "a/b"),
            ("/other//a/../b/", "/a/../b/"),
            ("other/a%2520+%C3%BC%3Fx", "a%20+ü?x"),
            ("other/a?versionId=null", "a"),
        ];
        for (text, key) in rows {
            let source = copy(&[("x-amz-copy-source", text)]).unwrap().source;
            assert_eq!((source.bucket.as_str(), source.key.as_str()), ("other", key), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_copy_is_said() {
        let rows: &[(&[(&str, &str)], &str)] = &[
            (&[("x-amz-copy-source", "")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/%zz")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/%FF")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/a?part=1")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/a?versionId=3")], "NoSuchVersion"),
            (&[("x-amz-copy-source", "Other/a")], "InvalidBucketName"),
            (&[("x-amz-copy-source", "arn:aws:s3:us-east-1:1:accesspoint/a/object/k")], "NotImplemented"),
            (&[("x-amz-copy-source", "bkt/k")], "InvalidRequest"),
            (&[("x-amz-copy-source", "bkt%2Fk"), ("x-amz-metadata-directive", "COPY")], "InvalidRequest"),
            (&[("x-amz-copy-source", "other/k"), ("x-amz-metadata-directive", "KEEP")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/k"), ("x-amz-tagging-directive", "KEEP")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/k"), ("x-amz-checksum-algorithm", "MD5")], "InvalidRequest"),
            (&[("x-amz-copy-source", "other/k"), ("x-amz-checksum-crc32", "AAAAAA==")], "InvalidArgument"),
            (&[("x-amz-copy-source", "other/k"), ("x-amz-copy-source-range", "bytes=0-1")], "InvalidArgument"),
            (
                &[("x-amz-copy-source", "other/k"), ("x-amz-copy-source-if-modified-since", "yesterday")],
                "InvalidArgument",
            ),
            (&[("x-amz-copy-source-if-match", "a")], "InvalidArgument"),
            (&[("x-amz-metadata-directive", "COPY")], "InvalidArgument"),
        ];
        for (headers, code) in rows {
            assert_eq!(copy(headers).unwrap_err().code(), *code, "{headers:?}");
        }
    }

    #[test]
    fn an_object_is_copied_onto_itself_only_to_change_it() {
        for change in [
            ("x-amz-metadata-directive", "REPLACE"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("x-amz-website-redirect-location", "/"),
        ] {
            let copied = copy(&[("x-amz-copy-source", "bkt/k"), change]).unwrap();
            assert_eq!(copied.replace, change.1 == "REPLACE");
        }
    }
}
