//! Why an upload could not be completed, with the elements of AWS: the store says what is wrong, its list of parts says where.

use crate::http::s3::error::S3Error;
use actors::storage::multipart::{CompletedPart, MIN_PART_SIZE, PartInfo, UploadRef};
use actors::store::StoreHandle;
use actors::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// As many parts at a time.
const PAGE: usize = 1000;

/// The answer to an error of `complete_upload`.
pub(super) async fn explain(
    error: Error,
    store: &StoreHandle,
    upload: &UploadRef,
    listed: &[CompletedPart],
) -> S3Error {
    let kind = error.kind();
    let answer = S3Error::from(error);
    match kind {
        ErrorKind::NoSuchUpload | ErrorKind::InvalidPartOrder => answer.with_detail("UploadId", upload.id.as_str()),
        ErrorKind::InvalidPart | ErrorKind::EntityTooSmall => match kept(store, upload).await {
            Ok(kept) => point_at(answer, kind, upload, listed, &kept),
            // It went meanwhile: the error stands without the place.
            Err(_) => answer.with_detail("UploadId", upload.id.as_str()),
        },
        _ => answer,
    }
}

async fn kept(store: &StoreHandle, upload: &UploadRef) -> Result<BTreeMap<u16, PartInfo>> {
    let (mut kept, mut after) = (BTreeMap::new(), 0);
    loop {
        let page = store.list_parts(upload, after, PAGE).await?;
        kept.extend(page.parts.into_iter().map(|part| (part.number.get(), part)));
        match page.next {
            Some(next) => after = next.get(),
            None => return Ok(kept),
        }
    }
}

fn point_at(
    answer: S3Error,
    kind: ErrorKind,
    upload: &UploadRef,
    listed: &[CompletedPart],
    kept: &BTreeMap<u16, PartInfo>,
) -> S3Error {
    if kind == ErrorKind::InvalidPart {
        let answer = answer.with_detail("UploadId", upload.id.as_str());
        return match listed.iter().find(|part| !fits(part, kept.get(&part.number.get()))) {
            Some(part) => {
                answer.with_detail("PartNumber", part.number.to_string()).with_detail("ETag", part.etag.as_str())
            }
            None => answer,
        };
    }
    let before_last = listed.len().saturating_sub(1);
    let small = listed.iter().take(before_last).filter_map(|part| kept.get(&part.number.get()));
    match small.into_iter().find(|part| part.size < MIN_PART_SIZE) {
        Some(part) => answer
            .with_detail("ETag", part.etag.as_str())
            .with_detail("MinSizeAllowed", MIN_PART_SIZE.to_string())
            .with_detail("PartNumber", part.number.to_string())
            .with_detail("ProposedSize", part.size.to_string()),
        None => answer,
    }
}

fn fits(listed: &CompletedPart, kept: Option<&PartInfo>) -> bool {
    kept.is_some_and(|kept| {
        let sums = listed.checksums.iter().all(|(name, value)| kept.checksums.get(name) == Some(value));
        kept.etag == listed.etag && sums
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::error::Subject;
    use actix_web::http::StatusCode;
    use actors::domain::checksum::Checksums;
    use actors::domain::clock::Timestamp;
    use actors::domain::names::{BucketName, ObjectKey};
    use actors::domain::object::ETag;
    use actors::storage::multipart::{PartNumber, UploadId};

    fn listed(number: u64, etag: &str) -> CompletedPart {
        CompletedPart { number: PartNumber::new(number).unwrap(), etag: ETag::new(etag), checksums: Checksums::new() }
    }

    fn document(kind: ErrorKind, listed: &[CompletedPart]) -> String {
        let kept = [(1, "a", 3), (2, "b", MIN_PART_SIZE), (3, "c", 1)].map(|(number, etag, size)| PartInfo {
            number: PartNumber::new(number).unwrap(),
            size,
            etag: ETag::new(etag),
            checksums: Checksums::new(),
            modified: Timestamp::from_secs(0),
        });
        let kept = kept.into_iter().map(|part| (part.number.get(), part)).collect();
        let upload = UploadRef {
            bucket: BucketName::new("bkt").unwrap(),
            key: ObjectKey::new("k").unwrap(),
            id: UploadId::new(Timestamp::from_secs(0)),
        };
        let answer = S3Error::new("Code", StatusCode::BAD_REQUEST, "message");
        let subject = Subject { resource: "/", bucket: None, key: None, request_id: "", host_id: "" };
        point_at(answer, kind, &upload, listed, &kept).document(&subject)
    }

    #[test]
    fn the_part_that_is_not_what_it_should_be_is_named() {
        let text = document(ErrorKind::InvalidPart, &[listed(1, "a"), listed(2, "x"), listed(9, "z")]);
        assert!(text.contains("</UploadId><PartNumber>2</PartNumber><ETag>x</ETag>"), "{text}");
        let text = document(ErrorKind::InvalidPart, &[listed(1, "a"), listed(9, "z")]);
        assert!(text.contains("<PartNumber>9</PartNumber>"), "{text}");
    }

    #[test]
    fn the_part_that_is_too_small_is_named() {
        let text = document(ErrorKind::EntityTooSmall, &[listed(1, "a"), listed(2, "b"), listed(3, "c")]);
        let expected = "<ETag>a</ETag><MinSizeAllowed>5242880</MinSizeAllowed><PartNumber>1</PartNumber>\
                        <ProposedSize>3</ProposedSize>";
        assert!(text.contains(expected), "{text}");
    }
}
