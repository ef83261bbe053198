//! Multipart requests and what they are, or why they are none.

use super::*;
use crate::http::s3::operation::{Operation, parse};

const COPY: (&str, &str) = ("x-amz-copy-source", "other/k");

fn ask(line: &str, headers: &[(&str, &str)]) -> Result<Operation, S3Error> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    parse(method, path.as_bytes(), &query.map(owned).collect(), &headers.iter().copied().map(owned).collect())
}

#[test]
fn an_algorithm_has_the_type_that_aws_gives_it() {
    let create = |headers: &[(&str, &str)]| match ask("POST /bkt/k?uploads", headers) {
        Ok(Operation::CreateMultipartUpload(create)) => create.checksum,
        other => panic!("{other:?}"),
    };
    assert_eq!(create(&[]), None);
    for (algorithm, kind) in [
        ("CRC32", ChecksumKind::Composite),
        ("crc32c", ChecksumKind::Composite),
        ("SHA1", ChecksumKind::Composite),
        ("SHA256", ChecksumKind::Composite),
        ("CRC64NVME", ChecksumKind::FullObject),
    ] {
        assert_eq!(create(&[("x-amz-checksum-algorithm", algorithm)]).map(|sum| sum.kind), Some(kind), "{algorithm}");
    }
    let asked = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")];
    assert_eq!(create(&asked), Some(UploadChecksum { algorithm: Algorithm::Crc32, kind: ChecksumKind::FullObject }));
}

#[test]
fn what_is_wrong_with_an_upload_is_said() {
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let rows: &[Row<'_>] = &[
        ("POST /bkt/k?uploads", &[("x-amz-checksum-algorithm", "MD5")], "InvalidRequest"),
        ("POST /bkt/k?uploads", &[("x-amz-checksum-type", "COMPOSITE")], "InvalidRequest"),
        (
            "POST /bkt/k?uploads",
            &[("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "FULL_OBJECT")],
            "InvalidRequest",
        ),
        (
            "POST /bkt/k?uploads",
            &[("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "COMPOSITE")],
            "InvalidRequest",
        ),
        ("POST /bkt/k?uploads", &[("x-amz-checksum-crc32", "AAAAAA==")], "InvalidArgument"),
        ("POST /bkt/k?uploads", &[("x-amz-storage-class", "FAST")], "InvalidStorageClass"),
        ("POST /bkt/k?uploads", &[("x-amz-tagging", "a=&a=")], "InvalidArgument"),
        ("POST /bkt/k?uploads&prefix=a", &[], "InvalidArgument"),
        ("PUT /bkt/k?uploads", &[], "InvalidArgument"),
        ("PUT /bkt/k?uploadId=u", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=0&uploadId=u", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=10001&uploadId=u", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=-1&uploadId=u", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=+1&uploadId=u", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=one&uploadId=u", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=99999999999999999999&uploadId=u", &[], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[("x-amz-meta-a", "b")], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[("x-amz-copy-source-range", "bytes=0-1")], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[COPY, ("x-amz-checksum-crc32", "AAAAAA==")], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[COPY, ("x-amz-metadata-directive", "COPY")], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[COPY, ("x-amz-copy-source-range", "bytes=1-")], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[COPY, ("x-amz-copy-source-range", "bytes=-1")], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[COPY, ("x-amz-copy-source-range", "bytes=2-1")], "InvalidArgument"),
        ("PUT /bkt/k?partNumber=1&uploadId=u", &[COPY, ("x-amz-copy-source-range", "0-1")], "InvalidArgument"),
        (
            "PUT /bkt/k?partNumber=1&uploadId=u",
            &[COPY, ("x-amz-copy-source-range", "bytes=0-1,3-4")],
            "InvalidArgument",
        ),
        ("POST /bkt/k?uploadId=u", &[("x-amz-checksum-type", "WHOLE")], "InvalidRequest"),
        ("POST /bkt/k?uploadId=u", &[("x-amz-checksum-crc32", "AAAA")], "InvalidRequest"),
        ("POST /bkt/k?uploadId=u", &[("x-amz-checksum-crc32", "AAAAAA==-x")], "InvalidRequest"),
        (
            "POST /bkt/k?uploadId=u",
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")],
            "InvalidRequest",
        ),
        ("POST /bkt/k?uploadId=u", &[("x-amz-mp-object-size", "-1")], "InvalidRequest"),
        ("POST /bkt/k?uploadId=u&partNumber=1", &[], "InvalidArgument"),
        ("GET /bkt/k?uploadId=u&max-parts=-1", &[], "InvalidArgument"),
        ("GET /bkt/k?uploadId=u&max-parts=2147483648", &[], "InvalidArgument"),
        ("GET /bkt/k?uploadId=u&part-number-marker=x", &[], "InvalidArgument"),
        ("GET /bkt/k?max-parts=1", &[], "InvalidArgument"),
        ("HEAD /bkt/k?uploadId=u", &[], "InvalidArgument"),
        ("GET /bkt?uploads&max-uploads=0", &[], "InvalidArgument"),
        ("GET /bkt?uploads&max-keys=1", &[], "InvalidArgument"),
        ("GET /bkt?uploads&encoding-type=xml", &[], "InvalidArgument"),
        ("DELETE /bkt?uploads", &[], "InvalidArgument"),
    ];
    for (line, headers, code) in rows {
        let error = ask(line, headers).expect_err(line);
        assert_eq!(error.code(), *code, "{line} {headers:?}: {}", error.message());
    }
}

#[test]
fn pages_and_ranges_are_read() {
    let Ok(Operation::ListParts(list)) = ask("GET /bkt/k?uploadId=u&max-parts=5000&part-number-marker=7", &[]) else {
        panic!("no ListParts")
    };
    assert_eq!((list.upload.id.as_str(), list.max_parts, list.marker), ("u", 1000, 7));
    let headers = [COPY, ("x-amz-copy-source-range", "bytes=5-9"), ("x-amz-copy-source-if-match", "\"a\"")];
    let Ok(Operation::UploadPartCopy(copy)) = ask("PUT /bkt/k?partNumber=10000&uploadId=u", &headers) else {
        panic!("no UploadPartCopy")
    };
    assert_eq!((copy.number.get(), copy.range, copy.source.key.as_str()), (10_000, Some((5, 9)), "k"));
    let headers = [("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=-2"), ("x-amz-mp-object-size", "9")];
    let Ok(Operation::CompleteMultipartUpload(complete)) = ask("POST /bkt/k?uploadId=u", &headers) else {
        panic!("no CompleteMultipartUpload")
    };
    assert_eq!((complete.size, complete.checksum.map(|(algorithm, _)| algorithm)), (Some(9), Some(Algorithm::Sha1)));
}
