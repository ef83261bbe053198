//! Range and condition headers, and the system headers of an object: what a client may leave unsigned, as the domain's types.

use crate::http::s3::error::S3Error;
use crate::http::s3::operation::check_metadata_size;
use actix_web::http::header::HeaderMap;
use actors::domain::clock::Timestamp;
use actors::domain::condition::{Conditions, ETagMatch, RangeRequest};
use actors::domain::object::SystemHeaders;
use std::collections::BTreeMap;

/// The conditions of GET and HEAD. A date that does not parse is no condition (RFC 9110 §13.1.3).
pub fn read_conditions(headers: &HeaderMap) -> Result<Conditions, S3Error> {
    let date = |name: &str| Ok::<_, S3Error>(joined(headers, name)?.and_then(|text| Timestamp::parse_http_date(&text)));
    Ok(Conditions {
        if_match: tags(headers, "if-match")?,
        if_none_match: tags(headers, "if-none-match")?,
        if_modified_since: date("if-modified-since")?,
        if_unmodified_since: date("if-unmodified-since")?,
    })
}

/// The conditions of PUT and DELETE. AWS has none by date for them, and says so.
pub fn write_conditions(headers: &HeaderMap) -> Result<Conditions, S3Error> {
    for name in ["if-modified-since", "if-unmodified-since"] {
        if headers.contains_key(name) {
            return Err(S3Error::not_implemented(&format!("the header {name} on a write")));
        }
    }
    let (if_match, if_none_match) = (tags(headers, "if-match")?, tags(headers, "if-none-match")?);
    Ok(Conditions { if_match, if_none_match, ..Conditions::default() })
}

/// `Range`; what S3 ignores (several ranges, other units, nonsense) is none.
pub fn range(headers: &HeaderMap) -> Result<Option<RangeRequest>, S3Error> {
    Ok(joined(headers, "range")?.and_then(|text| RangeRequest::parse(&text)))
}

/// `If-Range` (RFC 9110 §13.1.5): the condition under which a range is honoured. `None` inside is one that never holds.
pub fn if_range(headers: &HeaderMap) -> Result<Option<Option<Conditions>>, S3Error> {
    let Some(text) = joined(headers, "if-range")? else { return Ok(None) };
    let text = text.trim();
    if text.starts_with('"') {
        return Ok(Some(Some(Conditions { if_match: Some(ETagMatch::parse(text)), ..Conditions::default() })));
    }
    let since = Timestamp::parse_http_date(text);
    Ok(Some(since.map(|since| Conditions { if_unmodified_since: Some(since), ..Conditions::default() })))
}

/// The headers that are kept with an object. `Content-Encoding` loses `aws-chunked`, which is of the transfer.
pub fn system_headers(headers: &HeaderMap) -> Result<SystemHeaders, S3Error> {
    let content_encoding = joined(headers, "content-encoding")?.map(|text| {
        let codings = text.split(',').map(str::trim).filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked"));
        codings.collect::<Vec<_>>().join(",")
    });
    Ok(SystemHeaders {
        content_type: joined(headers, "content-type")?.filter(|text| !text.is_empty()),
        cache_control: joined(headers, "cache-control")?,
        content_disposition: joined(headers, "content-disposition")?,
        content_encoding: content_encoding.filter(|text| !text.is_empty()),
        content_language: joined(headers, "content-language")?,
        expires: joined(headers, "expires")?,
        storage_class: None,
        website_redirect: None,
    })
}

/// User metadata with its blanks as they were sent.
///
/// SigV4 signs a value with its runs of blanks collapsed, and what [`crate::auth::sigv4::Verified`] holds is that form: rules and
/// decisions see nothing that was not signed. AWS keeps the value as it came, and so do we: the stored text may differ from the
/// signed one in the number of blanks inside it, as every header that a client leaves unsigned may differ, and in nothing else.
pub fn user_metadata(
    headers: &HeaderMap,
    signed: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, S3Error> {
    let mut user = signed.clone();
    for (name, value) in &mut user {
        let values: Vec<&str> = headers
            .get_all(format!("x-amz-meta-{name}"))
            .filter_map(|sent| std::str::from_utf8(sent.as_bytes()).ok())
            .collect();
        let sent = values.iter().map(|sent| sent.trim_matches([' ', '\t'])).collect::<Vec<_>>().join(",");
        let words = |text: &str| text.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        // Metadata of a presigned URL stands in its query, where every byte is signed.
        if !values.is_empty() && words(&sent) == *value {
            *value = sent;
        }
    }
    check_metadata_size(&user)?;
    Ok(user)
}

fn tags(headers: &HeaderMap, name: &str) -> Result<Option<ETagMatch>, S3Error> {
    Ok(joined(headers, name)?.map(|text| ETagMatch::parse(&text)))
}

fn joined(headers: &HeaderMap, name: &str) -> Result<Option<String>, S3Error> {
    let mut text: Option<String> = None;
    for value in headers.get_all(name) {
        let value = std::str::from_utf8(value.as_bytes())
            .map_err(|_| S3Error::invalid_argument(name, "", format!("the header {name} is not UTF-8")))?;
        text = Some(text.map_or_else(|| value.trim().to_owned(), |first| format!("{first}, {}", value.trim())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn aws_chunked_is_of_the_transfer_and_is_not_kept() {
        let kept = |value| system_headers(&map(&[("content-encoding", value)])).unwrap().content_encoding;
        assert_eq!(kept("aws-chunked"), None);
        assert_eq!(kept("gzip, AWS-chunked,br").as_deref(), Some("gzip,br"));
    }

    #[test]
    fn metadata_keeps_the_blanks_that_its_signature_does_not_see() {
        let signed = [("a".to_owned(), "1 2,3".to_owned()), ("in-query".to_owned(), "4  5".to_owned())].into();
        let sent = map(&[("x-amz-meta-a", "1 \t 2"), ("x-amz-meta-a", "3")]);
        let kept = user_metadata(&sent, &signed).unwrap();
        assert_eq!((kept["a"].as_str(), kept["in-query"].as_str()), ("1 \t 2,3", "4  5"));
        let other = user_metadata(&map(&[("x-amz-meta-a", "1 9")]), &signed).unwrap();
        assert_eq!(other["a"], "1 2,3", "only blanks may differ");
    }

    #[test]
    fn a_write_has_no_conditions_by_date() {
        let error = write_conditions(&map(&[("if-unmodified-since", "Sun, 22 Nov 2026 09:00:00 GMT")])).unwrap_err();
        assert_eq!(error.code(), "NotImplemented");
        assert!(write_conditions(&map(&[("if-none-match", "*")])).unwrap().wants_absent());
    }

    #[test]
    fn a_date_that_does_not_parse_is_no_condition() {
        let read =
            read_conditions(&map(&[("if-modified-since", "yesterday"), ("if-match", "\"a\""), ("if-match", "b")]));
        let read = read.unwrap();
        assert_eq!(read.if_modified_since, None);
        assert_eq!(read.if_match, Some(ETagMatch::parse("\"a\", \"b\"")));
    }
}
