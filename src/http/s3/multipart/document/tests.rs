//! The documents, to the letter of the AWS pages of the operations.

use super::*;
use crate::http::s3::operation::{Names, Operation, parse};
use actors::domain::clock::Timestamp;
use actors::domain::names::ObjectKey;
use actors::domain::object::{ETag, SystemHeaders};
use actors::storage::multipart::{Initiator, PartNumber, UploadChecksum, UploadId};

const START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

fn ask(path: &[u8], query: &[(&str, &str)]) -> Operation {
    let query: Names = query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    parse("GET", path, &query, &Names::new()).unwrap()
}

fn upload() -> UploadInfo {
    UploadInfo {
        id: UploadId::parse(&"0".repeat(44)).unwrap(),
        key: ObjectKey::new("a b").unwrap(),
        initiated: Timestamp::from_secs(1_795_338_000),
        attributes: ObjectAttributes {
            headers: SystemHeaders { storage_class: Some("STANDARD_IA".into()), ..SystemHeaders::default() },
            ..ObjectAttributes::default()
        },
        checksum: Some(UploadChecksum { algorithm: Algorithm::Crc32, kind: ChecksumKind::Composite }),
        initiator: Initiator { id: "u2".into(), name: "ci".into() },
    }
}

fn owner() -> Owner {
    ("u1".to_owned(), "root".to_owned())
}

fn part() -> PartInfo {
    PartInfo {
        number: PartNumber::new(2).unwrap(),
        size: 9,
        etag: ETag::new("e2"),
        checksums: [("CRC32".to_owned(), "y/Q5Jg==".to_owned())].into(),
        modified: Timestamp::from_secs(1_795_338_000),
    }
}

#[test]
fn a_page_of_parts() {
    let id = "0".repeat(44);
    let asked = [("uploadId", id.as_str()), ("part-number-marker", "1"), ("max-parts", "1"), ("encoding-type", "url")];
    let Operation::ListParts(list) = ask(b"/bkt/a b", &asked) else { panic!("no ListParts") };
    let page = PartPage { upload: upload(), parts: vec![part()], next: Some(PartNumber::new(2).unwrap()) };
    assert_eq!(
        parts(&list, &page, &owner()),
        format!(
            "{START}<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>bkt</Bucket><Key>a%20b</Key>\
             <UploadId>{id}</UploadId><PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>2</NextPartNumberMarker>\
             <MaxParts>1</MaxParts><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>\
             <Part><PartNumber>2</PartNumber><LastModified>2026-11-22T09:00:00.000Z</LastModified>\
             <ETag>&quot;e2&quot;</ETag><Size>9</Size><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part>\
             <Initiator><ID>u2</ID><DisplayName>ci</DisplayName></Initiator>\
             <Owner><ID>u1</ID><DisplayName>root</DisplayName></Owner><StorageClass>STANDARD_IA</StorageClass>\
             <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType></ListPartsResult>"
        )
    );
}

#[test]
fn a_page_of_uploads() {
    let id = "0".repeat(44);
    let asked = [("uploads", ""), ("delimiter", "/"), ("key-marker", "A&"), ("max-uploads", "2")];
    let Operation::ListMultipartUploads(list) = ask(b"/bkt", &asked) else { panic!("no ListMultipartUploads") };
    let next = Some(("a b".to_owned(), Some(upload().id)));
    let page = UploadPage { uploads: vec![upload()], prefixes: vec!["Z/".to_owned()], next };
    assert_eq!(
        uploads(&list, &page, &owner()),
        format!(
            "{START}<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>bkt</Bucket>\
             <KeyMarker>A&amp;</KeyMarker><UploadIdMarker/><NextKeyMarker>a b</NextKeyMarker>\
             <NextUploadIdMarker>{id}</NextUploadIdMarker><Prefix/><Delimiter>/</Delimiter><MaxUploads>2</MaxUploads>\
             <IsTruncated>true</IsTruncated><Upload><Key>a b</Key><UploadId>{id}</UploadId>\
             <Initiator><ID>u2</ID><DisplayName>ci</DisplayName></Initiator>\
             <Owner><ID>u1</ID><DisplayName>root</DisplayName></Owner><StorageClass>STANDARD_IA</StorageClass>\
             <Initiated>2026-11-22T09:00:00.000Z</Initiated><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
             <ChecksumType>COMPOSITE</ChecksumType></Upload><CommonPrefixes><Prefix>Z/</Prefix></CommonPrefixes>\
             </ListMultipartUploadsResult>"
        )
    );
}

#[test]
fn a_part_that_was_copied_and_an_object_that_was_completed() {
    assert_eq!(
        copied(&part()),
        format!(
            "{START}<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LastModified>2026-11-22T09:00:00.000Z</LastModified><ETag>&quot;e2&quot;</ETag>\
             <ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></CopyPartResult>"
        )
    );
    let checksums = [("SHA1".to_owned(), "CBB1y8xhBCot1HoCMQCx18NR2tU=-2".to_owned())].into();
    let stored = ObjectMeta {
        size: 18,
        etag: ETag::new("e-2"),
        modified: Timestamp::from_secs(1_795_338_000),
        sha256: None,
        attributes: ObjectAttributes { checksums, ..ObjectAttributes::default() },
        parts: None,
    };
    let Operation::ListParts(list) = ask(b"/bkt/k", &[("uploadId", "u")]) else { panic!("no ListParts") };
    assert_eq!(
        completed(&list.upload, "http://h/bkt/k", &stored),
        format!(
            "{START}<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Location>http://h/bkt/k</Location><Bucket>bkt</Bucket><Key>k</Key><ETag>&quot;e-2&quot;</ETag>\
             <ChecksumSHA1>CBB1y8xhBCot1HoCMQCx18NR2tU=-2</ChecksumSHA1><ChecksumType>COMPOSITE</ChecksumType>\
             </CompleteMultipartUploadResult>"
        )
    );
}
