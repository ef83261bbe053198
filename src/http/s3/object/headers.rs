//! The headers that show what is known of an object.

use crate::http::body::checksum::Algorithm;
use crate::http::reply::insert_stored;
use crate::http::s3::operation::{Overrides, ReadObject};
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actors::domain::checksum::ChecksumKind;
use actors::domain::condition::ByteRange;
use actors::domain::object::ObjectMeta;

/// What AWS shows where the client said no type.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// The head of a 200 or 206.
pub(super) fn found(meta: &ObjectMeta, range: Option<ByteRange>, read: &ReadObject) -> HttpResponseBuilder {
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    validators(&mut response, meta);
    response.insert_header(("accept-ranges", "bytes"));
    if let Some(range) = range {
        let last = range.start + range.len - 1;
        response.insert_header(("content-range", format!("bytes {}-{last}/{}", range.start, meta.size)));
    }
    stored(&mut response, meta, &read.overrides);
    if !meta.attributes.tags.is_empty() {
        response.insert_header(("x-amz-tagging-count", meta.attributes.tags.len()));
    }
    if read.with_checksums && range.is_none() {
        for algorithm in Algorithm::ALL {
            if let Some(value) = meta.attributes.checksums.get(algorithm.name()) {
                insert_stored(&mut response, algorithm.header(), value);
                response.insert_header(("x-amz-checksum-type", ChecksumKind::of(value).name()));
            }
        }
    }
    response
}

/// A 304.
pub(super) fn not_modified(meta: &ObjectMeta) -> HttpResponse {
    let mut response = HttpResponse::NotModified();
    validators(&mut response, meta);
    for (name, value) in
        [("cache-control", &meta.attributes.headers.cache_control), ("expires", &meta.attributes.headers.expires)]
    {
        if let Some(value) = value {
            insert_stored(&mut response, name, value);
        }
    }
    response.finish()
}

fn validators(response: &mut HttpResponseBuilder, meta: &ObjectMeta) {
    response.insert_header(("last-modified", meta.modified.http_date()));
    insert_stored(response, "etag", &meta.etag.quoted());
}

fn stored(response: &mut HttpResponseBuilder, meta: &ObjectMeta, overrides: &Overrides) {
    let headers = &meta.attributes.headers;
    let pick = |over: &Option<String>, kept: &Option<String>| over.clone().or_else(|| kept.clone());
    let shown = [
        (
            "content-type",
            pick(&overrides.content_type, &headers.content_type).or_else(|| Some(DEFAULT_TYPE.to_owned())),
        ),
        ("cache-control", pick(&overrides.cache_control, &headers.cache_control)),
        ("content-disposition", pick(&overrides.content_disposition, &headers.content_disposition)),
        ("content-encoding", pick(&overrides.content_encoding, &headers.content_encoding)),
        ("content-language", pick(&overrides.content_language, &headers.content_language)),
        ("expires", pick(&overrides.expires, &headers.expires)),
        ("x-amz-storage-class", headers.storage_class.clone()),
        ("x-amz-website-redirect-location", headers.website_redirect.clone()),
    ];
    for (name, value) in shown {
        if let Some(value) = value {
            insert_stored(response, name, &value);
        }
    }
    for (name, value) in &meta.attributes.user {
        insert_stored(response, &format!("x-amz-meta-{name}"), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::operation::{Names, Operation, parse};
    use actors::domain::clock::Timestamp;
    use actors::domain::object::{ETag, ObjectAttributes, SystemHeaders};

    fn meta() -> ObjectMeta {
        ObjectMeta {
            size: 10,
            etag: ETag::new("abc"),
            modified: Timestamp::from_secs(1_795_338_000),
            sha256: None,
            attributes: ObjectAttributes {
                headers: SystemHeaders { cache_control: Some("no-store".into()), ..SystemHeaders::default() },
                user: [("colour".to_owned(), "rot-grün".to_owned())].into(),
                tags: [("a".to_owned(), "1".to_owned())].into(),
                checksums: [("CRC32".to_owned(), "AAAAAA==".to_owned())].into(),
            },
            parts: None,
        }
    }

    fn read(query: &[(&str, &str)], mode: bool) -> ReadObject {
        let query: Names = query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let headers: Names = mode.then(|| ("x-amz-checksum-mode".into(), "ENABLED".into())).into_iter().collect();
        match parse("GET", b"/bkt/k", &query, &headers) {
            Ok(Operation::GetObject(read)) => read,
            other => panic!("{other:?}"),
        }
    }

    fn header(response: &HttpResponse, name: &str) -> Option<String> {
        response.headers().get(name).map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn what_was_stored_is_shown_and_overrides_win() {
        let read = read(&[("response-cache-control", "public")], true);
        let response = found(&meta(), None, &read).finish();
        assert_eq!(header(&response, "cache-control").as_deref(), Some("public"));
        assert_eq!(header(&response, "content-type").as_deref(), Some(DEFAULT_TYPE));
        assert_eq!(header(&response, "x-amz-meta-colour").as_deref(), Some("rot-grün"));
        assert_eq!(header(&response, "x-amz-checksum-crc32").as_deref(), Some("AAAAAA=="));
        assert_eq!(header(&response, "x-amz-checksum-type").as_deref(), Some("FULL_OBJECT"));
        assert_eq!(header(&response, "x-amz-tagging-count").as_deref(), Some("1"));
        assert_eq!(header(&response, "etag").as_deref(), Some("\"abc\""));
        assert_eq!(header(&response, "last-modified").as_deref(), Some("Sun, 22 Nov 2026 09:00:00 GMT"));
    }

    #[test]
    fn the_checksum_of_parts_says_so() {
        let mut meta = meta();
        meta.attributes.checksums =
            [("SHA256".to_owned(), "rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3".to_owned())].into();
        let response = found(&meta, None, &read(&[], true)).finish();
        assert_eq!(header(&response, "x-amz-checksum-type").as_deref(), Some("COMPOSITE"));
    }

    #[test]
    fn a_range_says_which_and_brings_no_checksum() {
        let range = Some(ByteRange { start: 2, len: 3 });
        let response = found(&meta(), range, &read(&[], true)).finish();
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(header(&response, "content-range").as_deref(), Some("bytes 2-4/10"));
        assert_eq!(header(&response, "x-amz-checksum-crc32"), None);
    }
}
