//! Bodies that are what they were declared to be, and bodies that are not.

use super::*;
use crate::auth::sigv4::{Parsed, Verifier};
use crate::http::s3::operation::SignedBody;
use actix_web::FromRequest;
use actix_web::test::TestRequest;
use actors::Result;
use actors::domain::object::BodySums;
use async_trait::async_trait;
use bytes::Bytes;

/// Keeps what it is given.
#[derive(Debug, Default)]
struct Kept(Vec<u8>);

#[async_trait]
impl ObjectWriter for Kept {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.0.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Staged> {
        let sums = BodySums {
            size: self.0.len() as u64,
            md5: hex::encode(Md5::digest(&self.0)),
            sha256: hex::encode(Sha256::digest(&self.0)),
        };
        Ok(Staged { sums, handle: Box::new(self.0) })
    }
}

fn send(body: &'static str, headers: &[(&str, &str)], payload: PayloadHash) -> Result<Received, S3Error> {
    actix_web::rt::System::new().block_on(async move {
        let mut request = TestRequest::put();
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        let (request, mut raw) = request.set_payload(body).to_http_parts();
        // `set_payload` declares the length by itself; the tests declare their own.
        let mut map = request.headers().clone();
        if let Some((_, length)) = headers.iter().find(|(name, _)| *name == "content-length") {
            map.insert(
                actix_web::http::header::CONTENT_LENGTH,
                actix_web::http::header::HeaderValue::from_str(length).unwrap(),
            );
        }
        let text = |name: &str| map.get(name).map(|value| value.to_str().unwrap().to_owned());
        let signed = SignedBody {
            checksum: text("x-amz-checksum-crc32").map(|value| Checksum::parse(Algorithm::Crc32, &value).unwrap()),
            trailer: text("x-amz-trailer").map(|_| Algorithm::Crc32),
            decoded_length: text("x-amz-decoded-content-length").map(|value| value.parse().unwrap()),
        };
        let mut declared = Declared::new(&map, &payload, &signed)?;
        declared.also = Some(Algorithm::Crc32c);
        let mut payload = web::Payload::from_request(&request, &mut raw).await.unwrap();
        receive(&mut payload, Box::<Kept>::default(), &declared, Duration::from_secs(5)).await
    })
}

fn code(outcome: Result<Received, S3Error>) -> &'static str {
    outcome.map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn a_body_that_is_as_declared_is_taken() {
    let sha256 = PayloadHash::Sha256("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225".into());
    let headers = [("x-amz-checksum-crc32", "y/Q5Jg=="), ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")];
    let received = send("123456789", &headers, sha256).unwrap();
    assert_eq!(received.staged.sums.size, 9);
    assert_eq!(received.checksum, Some((Algorithm::Crc32, "y/Q5Jg==".to_owned())));
    assert_eq!(received.also, Some((Algorithm::Crc32c, "4waSgw==".to_owned())));
}

#[test]
fn a_body_that_is_not_as_declared_is_refused() {
    let unsigned = || PayloadHash::Unsigned;
    let wrong = PayloadHash::Sha256("0".repeat(64));
    assert_eq!(code(send("123456789", &[], wrong)), "XAmzContentSHA256Mismatch");
    assert_eq!(code(send("123456789", &[("x-amz-checksum-crc32", "AAAAAA==")], unsigned())), "BadDigest");
    assert_eq!(code(send("123456789", &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], unsigned())), "BadDigest");
    assert_eq!(code(send("123456789", &[("content-md5", "AAAA")], unsigned())), "InvalidDigest");
    assert_eq!(code(send("123456789", &[("content-length", "10")], unsigned())), "IncompleteBody");
    assert_eq!(code(send("123456789", &[("content-length", "8")], unsigned())), "IncompleteBody");
    assert_eq!(code(send("123456789", &[("content-length", "none")], unsigned())), "MissingContentLength");
    assert_eq!(code(send("", &[("content-length", "5368709121")], unsigned())), "EntityTooLarge");
}

/// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
fn chunked(form: &str) -> PayloadHash {
    let headers = vec![("host", &b"h"[..]), ("x-amz-content-sha256", form.as_bytes())];
    let raw = crate::auth::sigv4::RawRequest { bucket: None, method: "PUT", path: "/bkt/k", query: "", headers };
    Verifier::default().open(&raw, Parsed::new(&raw).unwrap()).unwrap().payload().clone()
}

#[test]
fn a_body_in_chunks_is_taken_without_its_framing() {
    let headers = [("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-decoded-content-length", "9")];
    let body = "4\r\n1234\r\n5\r\n56789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
    let received = send(body, &headers, chunked("STREAMING-UNSIGNED-PAYLOAD-TRAILER")).unwrap();
    assert_eq!((received.staged.sums.size, received.staged.sums.md5.as_str()), (9, "25f9e794323b453885f5181f1b624d0b"));
    assert_eq!(received.checksum, Some((Algorithm::Crc32, "y/Q5Jg==".to_owned())));
}

#[test]
fn a_body_in_chunks_that_is_not_as_declared_is_refused() {
    let form = || chunked("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    let headers = [("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-decoded-content-length", "3")];
    assert_eq!(code(send("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", &headers, form())), "BadDigest");
    assert_eq!(code(send("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n", &headers, form())), "InvalidRequest");
    assert_eq!(code(send("3\r\nabc\r\n0\r\n\r\n", &headers, form())), "MalformedTrailerError");
    assert_eq!(code(send("3\r\nabc\r\n0\r\n", &headers, form())), "IncompleteBody");
    assert_eq!(code(send("abc", &headers, form())), "IncompleteBody");
    assert_eq!(code(send("0\r\n\r\n", &headers[..1], form())), "MissingContentLength");
    assert_eq!(code(send("abc", &headers[1..], PayloadHash::Unsigned)), "InvalidRequest");
    let signed = chunked("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    assert_eq!(code(send("0\r\n\r\n", &headers, signed)), "InvalidRequest", "a trailer in a form without");
}
