//! What every S3 answer carries, and the answers themselves: XML, errors, a head without a body.

use super::context::Context;
use super::host::Place;
use super::s3::error::{S3Error, Subject};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{self, Poll};

/// An answer with an XML document.
pub fn xml(status: StatusCode, document: String) -> HttpResponse {
    HttpResponse::build(status).insert_header((header::CONTENT_TYPE, "application/xml")).body(document)
}

/// The answer to what failed. `HEAD` gets no document.
pub fn error(error: &S3Error, head: bool, subject: &Subject<'_>) -> HttpResponse {
    let mut builder = HttpResponse::build(error.status());
    for (name, value) in error.headers() {
        builder.insert_header((*name, value.as_str()));
    }
    let document = error.document(subject);
    builder.insert_header((header::CONTENT_TYPE, "application/xml"));
    if head { builder.body(Headless(Some(document.len() as u64))) } else { builder.body(document) }
}

/// Adds a header to an answer.
pub fn set(response: &mut HttpResponse, name: &'static str, value: &str) {
    insert(response.headers_mut(), name, value);
}

/// Adds what every answer carries. Object bytes never run in the console's origin (`operations.md` §2): on the hosts that serve
/// the console no browser guesses a type, and what it could run it takes for a page of nobody.
pub fn stamp(response: &mut HttpResponse, context: &Context, place: &Place) {
    let whole = matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT);
    let headers = response.headers_mut();
    insert(headers, "x-amz-request-id", &context.request_id);
    insert(headers, "x-amz-id-2", &context.host_id);
    if !place.has_console() {
        return;
    }
    insert(headers, "x-content-type-options", "nosniff");
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if kind.map_or(whole, |kind| !is_inert(kind)) {
        insert(headers, "content-security-policy", "sandbox");
    }
}

/// A builder with a header whose value came from outside; one that no header can hold is left out.
pub fn insert_stored(builder: &mut HttpResponseBuilder, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
    {
        builder.insert_header((name, value));
    }
}

/// The head of an answer whose body is not sent: it has the length that a body would have.
pub fn without_body(builder: &mut HttpResponseBuilder, length: u64) -> HttpResponse {
    builder.body(Headless(Some(length)))
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// True for types that no browser runs. Anything that is not exactly one media type counts as able to run.
fn is_inert(content_type: &str) -> bool {
    if content_type.contains(',') {
        return false;
    }
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.split_once('/') {
        Some(("image", subtype)) => !subtype.contains("svg") && !subtype.contains("xml"),
        Some(("audio" | "video", subtype)) => !subtype.contains("xml"),
        _ => matches!(
            kind.as_str(),
            "application/pdf" | "text/plain" | "application/octet-stream" | "binary/octet-stream"
        ),
    }
}

/// A body that has a length and no bytes.
struct Headless(Option<u64>);

impl MessageBody for Headless {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0.map_or(BodySize::None, BodySize::Sized)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }

    fn boxed(self) -> BoxBody {
        BoxBody::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_that_no_browser_runs_are_inert() {
        for inert in ["image/png", "text/plain; charset=utf-8", "video/mp4", "application/pdf", "binary/octet-stream"] {
            assert!(is_inert(inert), "{inert}");
        }
        for runs in
            ["text/html", "image/svg+xml", "application/xml", "text/plain, text/html", "", "nonsense", "TEXT/HTML"]
        {
            assert!(!is_inert(runs), "{runs}");
        }
    }
}
