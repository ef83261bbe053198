//! Requests and what they are: one row each.

use super::*;
use crate::http::body::checksum::Algorithm;
use crate::http::percent;

fn split(text: &str) -> Names {
    text.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let text = |part: &str| String::from_utf8(percent::decode(part).unwrap()).unwrap();
            (text(name), text(value))
        })
        .collect()
}

fn ask(line: &str, headers: &[(&str, &str)]) -> Result<Operation, S3Error> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse(method, &percent::decode(path).unwrap(), &split(query), &headers)
}

#[test]
fn each_request_is_one_operation() {
    let rows = [
        ("GET /", Verb::ListBuckets, None, None),
        ("GET /?x-id=ListBuckets", Verb::ListBuckets, None, None),
        ("HEAD /", Verb::HeadService, None, None),
        ("PUT /bkt", Verb::CreateBucket, Some("bkt"), None),
        ("PUT /bkt/", Verb::CreateBucket, Some("bkt"), None),
        ("HEAD /bkt", Verb::HeadBucket, Some("bkt"), None),
        ("DELETE /bkt", Verb::DeleteBucket, Some("bkt"), None),
        ("GET /bkt", Verb::ListObjects, Some("bkt"), None),
        ("GET /bkt?list-type=2&prefix=a%2Fb&delimiter=/", Verb::ListObjectsV2, Some("bkt"), None),
        ("GET /bkt?acl", Verb::Probe(Probe::Acl), Some("bkt"), None),
        ("GET /bkt/?object-lock=&x-id=GetObjectLockConfiguration", Verb::Probe(Probe::ObjectLock), Some("bkt"), None),
        ("GET /bkt?versions&prefix=a&key-marker=b", Verb::ListObjectVersions, Some("bkt"), None),
        ("GET /bkt?location", Verb::GetBucketLocation, Some("bkt"), None),
        ("PUT /bkt/k?x-id=PutObject", Verb::PutObject, Some("bkt"), Some("k")),
        ("GET /bkt/a/b%20c+d", Verb::GetObject, Some("bkt"), Some("a/b c+d")),
        ("GET /bkt//a/../b", Verb::GetObject, Some("bkt"), Some("/a/../b")),
        ("GET /bkt%2Fkey%252F", Verb::GetObject, Some("bkt"), Some("key%2F")),
        ("HEAD /bkt/dir/", Verb::HeadObject, Some("bkt"), Some("dir/")),
        ("DELETE /bkt/dir/", Verb::DeleteObject, Some("bkt"), Some("dir/")),
        ("POST /bkt?delete", Verb::DeleteObjects, Some("bkt"), None),
        ("POST /bkt/?delete=&x-id=DeleteObjects", Verb::DeleteObjects, Some("bkt"), None),
        ("POST /bkt/a/b?uploads", Verb::CreateMultipartUpload, Some("bkt"), Some("a/b")),
        ("POST /bkt/k?uploads=&x-id=CreateMultipartUpload", Verb::CreateMultipartUpload, Some("bkt"), Some("k")),
        ("PUT /bkt/k?partNumber=1&uploadId=x&x-id=UploadPart", Verb::UploadPart, Some("bkt"), Some("k")),
        ("POST /bkt/k?uploadId=x", Verb::CompleteMultipartUpload, Some("bkt"), Some("k")),
        ("DELETE /bkt/k?uploadId=x", Verb::AbortMultipartUpload, Some("bkt"), Some("k")),
        ("GET /bkt/k?uploadId=x&max-parts=2&part-number-marker=1", Verb::ListParts, Some("bkt"), Some("k")),
        ("GET /bkt?uploads&prefix=a&delimiter=/", Verb::ListMultipartUploads, Some("bkt"), None),
        ("GET /bkt/k?versionId=null", Verb::GetObject, Some("bkt"), Some("k")),
    ];
    for (line, verb, bucket, key) in rows {
        let operation = ask(line, &[]).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        assert_eq!(operation.verb(), verb, "{line}");
        assert_eq!(operation.bucket().map(BucketName::as_str), bucket, "{line}");
        assert_eq!(operation.key().map(ObjectKey::as_str), key, "{line}");
    }
}

#[test]
fn what_is_not_honoured_is_refused() {
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let rows: &[Row<'_>] = &[
        ("PUT /bkt?acl", &[], "NotImplemented"),
        ("PUT /bkt?versioning", &[], "NotImplemented"),
        ("DELETE /bkt?policy", &[], "NotImplemented"),
        ("HEAD /bkt?encryption", &[], "NotImplemented"),
        ("GET /bkt?acl&policy", &[], "NotImplemented"),
        ("GET /bkt/k?acl", &[], "NotImplemented"),
        ("GET /bkt?acl&prefix=a", &[], "InvalidArgument"),
        ("HEAD /bkt?tagging", &[], "InvalidArgument"),
        ("GET /bkt?cors&lifecycle", &[], "InvalidArgument"),
        ("GET /bkt/k?lifecycle", &[], "InvalidArgument"),
        ("POST /bkt/k?tagging", &[], "MethodNotAllowed"),
        ("GET /bkt/k?partNumber=0", &[], "InvalidArgument"),
        ("HEAD /bkt/k?partNumber=a", &[], "InvalidArgument"),
        ("GET /bkt/k?attributes", &[], "InvalidArgument"),
        ("HEAD /bkt/k?attributes", &[], "MethodNotAllowed"),
        ("PUT /bkt?delete", &[], "InvalidArgument"),
        ("POST /bkt/k?delete", &[], "MethodNotAllowed"),
        ("POST /bkt?cors", &[], "MethodNotAllowed"),
        ("POST /bkt?prefix=a", &[], "InvalidArgument"),
        ("POST /bkt?delete", &[("x-amz-bypass-governance-retention", "true")], "NotImplemented"),
        ("POST /bkt/k", &[], "MethodNotAllowed"),
        ("POST /", &[], "MethodNotAllowed"),
        ("GET /bkt/k?versionId=3", &[], "NoSuchVersion"),
        ("GET /bkt/k?prefix=a", &[], "InvalidArgument"),
        ("GET /bkt/k?unheard=of", &[], "InvalidArgument"),
        ("PUT /bkt/k?response-content-type=a", &[], "InvalidArgument"),
        ("GET /bkt?list-type=3", &[], "InvalidArgument"),
        ("GET /bkt?list-type=2&max-keys=-1", &[], "InvalidArgument"),
        ("GET /bkt?list-type=2&max-keys=ten", &[], "InvalidArgument"),
        ("GET /bkt?encoding-type=xml", &[], "InvalidArgument"),
        ("GET /bkt?list-type=2&continuation-token=nonsense", &[], "InvalidArgument"),
        ("GET /Bkt/k", &[], "InvalidBucketName"),
        ("GET //k", &[], "InvalidBucketName"),
        ("GET /bkt/%FF", &[], "InvalidURI"),
        ("PUT /bkt/k", &[("x-amz-server-side-encryption-customer-key", "x")], "NotImplemented"),
        ("PUT /bkt", &[("x-amz-copy-source", "/a/b")], "InvalidArgument"),
        ("GET /bkt/k", &[("x-amz-copy-source", "/a/b")], "InvalidArgument"),
        ("PUT /bkt/k", &[("x-amz-tagging", "a=b&a=c")], "InvalidArgument"),
        ("PUT /bkt/k", &[("x-amz-tagging", "%zz=b")], "InvalidArgument"),
        ("PUT /bkt/k", &[("x-amz-tagging", "a=<")], "InvalidTag"),
        ("GET /bkt/k", &[("x-amz-tagging", "a=b")], "InvalidArgument"),
        ("PUT /bkt/k", &[("x-amz-acl", "public-read")], "AccessControlListNotSupported"),
        ("PUT /bkt/k", &[("x-amz-storage-class", "FAST")], "InvalidStorageClass"),
        ("PUT /bkt/k", &[("x-amz-checksum-crc32", "AAAA")], "InvalidRequest"),
        ("PUT /bkt/k", &[("x-amz-checksum-sha512", "AAAA")], "NotImplemented"),
        ("PUT /bkt/k", &[("x-amz-sdk-checksum-algorithm", "CRC32")], "InvalidRequest"),
        (
            "PUT /bkt/k",
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")],
            "InvalidRequest",
        ),
        (
            "PUT /bkt/k",
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-trailer", "x-amz-checksum-crc32")],
            "InvalidRequest",
        ),
        ("PUT /bkt/k", &[("x-amz-trailer", "x-amz-meta-colour")], "InvalidRequest"),
        ("PUT /bkt/k", &[("x-amz-trailer", "x-amz-checksum-crc32, x-amz-checksum-sha1")], "InvalidRequest"),
        (
            "PUT /bkt/k",
            &[("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-sdk-checksum-algorithm", "SHA1")],
            "InvalidRequest",
        ),
        ("PUT /bkt/k", &[("x-amz-decoded-content-length", "+5")], "InvalidArgument"),
        ("GET /bkt/k", &[("x-amz-decoded-content-length", "5")], "InvalidArgument"),
        ("GET /bkt/k", &[("x-amz-meta-a", "b")], "InvalidArgument"),
        ("PUT /bkt", &[("x-amz-bucket-object-lock-enabled", "true")], "NotImplemented"),
    ];
    for (line, headers, code) in rows {
        let error = ask(line, headers).expect_err(line);
        assert_eq!(error.code(), *code, "{line} {headers:?}: {}", error.message());
    }
    let long = ask(&format!("GET /bkt/{}", "k".repeat(1025)), &[]).unwrap_err();
    assert_eq!(long.code(), "KeyTooLongError");
    let heavy = ask("PUT /bkt/k", &[("x-amz-meta-a", &"v".repeat(2048))]).unwrap_err();
    assert_eq!(heavy.code(), "MetadataTooLarge");
}

#[test]
fn a_put_carries_its_metadata_and_checksum() {
    let headers = [
        ("x-amz-meta-colour", "red"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-acl", "bucket-owner-full-control"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ("x-amz-checksum-crc32", "AAAAAA=="),
    ];
    let Ok(Operation::PutObject(put)) = ask("PUT /bkt/k", &headers) else { panic!("no PutObject") };
    assert_eq!(put.user.get("colour").map(String::as_str), Some("red"));
    assert_eq!(put.storage_class.as_deref(), Some("STANDARD_IA"));
    assert_eq!(put.body.checksum.map(|sum| sum.algorithm), Some(Algorithm::Crc32));
}

#[test]
fn a_token_leads_where_the_last_page_ended_and_beats_start_after() {
    let token = listing::write_token("a/ü b");
    let Ok(Operation::ListObjects(list)) =
        ask(&format!("GET /bkt?list-type=2&start-after=x&max-keys=0&continuation-token={token}"), &[])
    else {
        panic!("no listing")
    };
    assert_eq!((list.after.as_str(), list.max_keys, list.owner), ("a/ü b", 0, false));
    let Ok(Operation::ListObjects(list)) = ask("GET /bkt?marker=m&max-keys=5000", &[]) else { panic!("no listing") };
    assert_eq!((list.after.as_str(), list.max_keys, list.owner), ("m", 1000, true));
}
