//! Bodies in chunks, as the SDKs of AWS send them by default: the content is stored, the framing is not.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3};

fn put(s3: &S3, key: &str, body: &str) -> Reply {
    let request = Request::new("PUT", &format!("/chunks/{key}"))
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("x-amz-decoded-content-length", "9")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .header("x-amz-sdk-checksum-algorithm", "CRC32")
        .header("Content-Encoding", "aws-chunked");
    s3.send(request.body(body))
}

#[test]
fn a_body_in_chunks_is_stored_without_them_or_not_at_all() {
    let host = Host::start();
    let s3 = host.admin_user("sdk");
    s3.make_bucket("chunks");
    let body = |checksum: &str| format!("4\r\n1234\r\n5\r\n56789\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
    let stored = put(&s3, "good", &body("y/Q5Jg==")).expect(200);
    assert_eq!(stored.header("x-amz-checksum-crc32"), Some("y/Q5Jg=="));
    let got = s3.get("chunks", "good").expect(200);
    assert_eq!((got.text().as_str(), got.header("content-encoding")), ("123456789", None));
    assert_eq!(put(&s3, "bad", &body("AAAAAA==")).expect(400).s3_code(), "BadDigest");
    assert_eq!(put(&s3, "bad", "9\r\n123456789\r\n0\r\n\r\n").expect(400).s3_code(), "MalformedTrailerError");
    assert_eq!(put(&s3, "bad", "123456789").expect(400).s3_code(), "IncompleteBody");
    s3.get("chunks", "bad").expect(404);
}
