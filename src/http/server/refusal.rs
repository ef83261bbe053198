//! The last words to a peer whose request never became one: an error document like any other.

use super::inflow::Fault;
use crate::http::context::ids;
use crate::http::s3::error::{S3Error, Subject};
use actix_http::error::ParseError;
use actix_web::http::StatusCode;
use actors::domain::clock::Clock;

/// The whole answer; nothing where the peer said nothing.
pub(super) fn answer(fault: &Fault) -> Vec<u8> {
    let Some(error) = explain(fault) else { return Vec::new() };
    let (request_id, host_id) = ids();
    log::debug!("request {request_id}: {} {}", error.code(), error.message());
    let subject = Subject { resource: "/", bucket: None, key: None, request_id: &request_id, host_id: &host_id };
    let document = error.document(&subject);
    let date = Clock::system().now().http_date();
    let status = error.status();
    let head = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\ndate: {date}\r\n\
         x-amz-request-id: {request_id}\r\nx-amz-id-2: {host_id}\r\nx-content-type-options: nosniff\r\n\
         content-security-policy: sandbox\r\n\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        document.len(),
    );
    [head, document].concat().into_bytes()
}

fn explain(fault: &Fault) -> Option<S3Error> {
    let bad = StatusCode::BAD_REQUEST;
    let malformed = |what: &str| {
        S3Error::new("BadRequest", bad, format!("An error occurred when parsing the HTTP request: {what}."))
    };
    Some(match fault {
        Fault::TooSlow { begun: false } => return None,
        Fault::TooSlow { begun: true } => S3Error::new(
            "RequestTimeout",
            StatusCode::REQUEST_TIMEOUT,
            "Your socket connection to the server was not read from or written to within the timeout period.",
        ),
        Fault::TooLong | Fault::Malformed(ParseError::TooLarge, _) => S3Error::new(
            "RequestHeaderSectionTooLarge",
            bad,
            "Your request header section exceeds the maximum allowed size.",
        ),
        Fault::Malformed(ParseError::Uri(_), _) => S3Error::invalid_uri("Couldn't parse the specified URI."),
        Fault::Malformed(ParseError::Method, _) => malformed("the method is none"),
        Fault::Malformed(ParseError::Version, _) => malformed("the version of HTTP is not 1.0 or 1.1"),
        Fault::Malformed(_, sent) => header(sent).unwrap_or_else(|| malformed("a line of its head is malformed")),
    })
}

/// What is wrong with headers that are well-formed each for itself.
fn header(sent: &[u8]) -> Option<S3Error> {
    let text = String::from_utf8_lossy(sent).to_ascii_lowercase();
    let text = text.trim_start_matches(['\r', '\n']);
    let head = text.split_once("\r\n\r\n").map_or(text, |(head, _)| head);
    let values = |name: &str| -> Vec<&str> {
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| *known == name).map(|(_, value)| value.trim()).collect()
    };
    let encodings = values("transfer-encoding");
    if encodings.iter().any(|value| !matches!(*value, "chunked" | "identity")) {
        return Some(S3Error::not_implemented("a Transfer-Encoding other than chunked"));
    }
    let lengths = values("content-length");
    if lengths.len() > 1 || (!lengths.is_empty() && !encodings.is_empty()) || encodings.len() > 1 {
        return Some(S3Error::invalid_request("The request says more than once how long its body is."));
    }
    if lengths.iter().any(|value| value.parse::<u64>().is_err()) {
        return Some(S3Error::invalid_request("The Content-Length is no number."));
    }
    let none = S3Error::new(
        "InvalidHostHeader",
        StatusCode::BAD_REQUEST,
        "The request names no host, or more than one, or what it names is none.",
    );
    let line = head.lines().next().is_some_and(|line| line.split(' ').count() == 3 && line.ends_with(" http/1.1"));
    (line && values("host").len() != 1).then_some(none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    fn code(sent: &str) -> (u16, &'static str) {
        let sent = BytesMut::from(format!("PUT / HTTP/1.1\r\n{sent}\r\n\r\n").as_bytes());
        let error = explain(&Fault::Malformed(ParseError::Header, sent)).unwrap();
        (error.status().as_u16(), error.code())
    }

    #[test]
    fn each_malformed_head_has_its_code() {
        for (headers, expected) in [
            ("Host: h\r\nTransfer-Encoding: gzip, chunked", (501, "NotImplemented")),
            ("Host: h\r\nContent-Length: 1\r\nContent-Length: 1", (400, "InvalidRequest")),
            ("Host: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", (400, "InvalidRequest")),
            ("Host: h\r\nContent-Length: -1", (400, "InvalidRequest")),
            ("Accept: x", (400, "InvalidHostHeader")),
            ("Host: a\r\nHost: b", (400, "InvalidHostHeader")),
            ("Host: a\r\nna me: b", (400, "BadRequest")),
        ] {
            assert_eq!(code(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_answer_is_whole_and_silence_gets_none() {
        let answer = String::from_utf8(answer(&Fault::TooLong)).unwrap();
        let (head, document) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n") && head.contains("\r\nx-amz-request-id: "), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", document.len())), "{head}");
        assert!(document.contains("<Code>RequestHeaderSectionTooLarge</Code>"), "{document}");
        assert!(super::answer(&Fault::TooSlow { begun: false }).is_empty());
    }
}
