//! Which checksums a part needs: the upload's, and the one that it brings along.

use crate::http::body::checksum::Algorithm;
use crate::http::s3::error::S3Error;
use actix_web::http::StatusCode;
use actors::domain::checksum::{ChecksumKind, Checksums};
use actors::storage::multipart::{CompletedPart, UploadChecksum};

/// How a part is summed besides what it brings, so that the object's checksum follows from its parts'.
///
/// A part of a composite checksum brings its own (AWS). CRC64NVME is also what AWS takes where the upload named nothing, and then
/// a part may come with any checksum: it is verified, and CRC64NVME is made beside it.
pub(super) fn needed(upload: Option<UploadChecksum>, brought: Option<Algorithm>) -> Result<Option<Algorithm>, S3Error> {
    let Some(UploadChecksum { algorithm, kind }) = upload else { return Ok(None) };
    match brought {
        Some(brought) if brought == algorithm => Ok(None),
        None if kind == ChecksumKind::FullObject => Ok(Some(algorithm)),
        Some(_) if algorithm == Algorithm::Crc64Nvme => Ok(Some(algorithm)),
        brought => {
            let name = |algorithm: Algorithm| algorithm.name().to_ascii_lowercase();
            Err(S3Error::invalid_request(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                name(algorithm),
                brought.map_or_else(|| "null".to_owned(), name)
            )))
        }
    }
}

/// What a completion says of checksums, against what the upload was begun with: the type, and for a composite one the checksum of
/// each part (AWS). Whether they are right the store decides.
pub(super) fn check_complete(
    upload: Option<UploadChecksum>,
    asked: Option<ChecksumKind>,
    parts: &[CompletedPart],
) -> Result<(), S3Error> {
    let Some(UploadChecksum { algorithm, kind }) = upload else { return Ok(()) };
    if asked.is_some_and(|asked| asked != kind) {
        return Err(S3Error::invalid_request(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            kind.name()
        )));
    }
    if kind == ChecksumKind::FullObject {
        return Ok(());
    }
    let Some(part) = parts.iter().find(|part| !part.checksums.contains_key(algorithm.name())) else { return Ok(()) };
    match part.checksums.keys().next() {
        Some(other) => Err(S3Error::new(
            "BadDigest",
            StatusCode::BAD_REQUEST,
            format!(
                "The {} you specified for part {} did not match what we received.",
                other.to_ascii_lowercase(),
                part.number
            ),
        )),
        None => Err(S3Error::invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each part. \
             It was missing for part {} in the request.",
            algorithm.name().to_ascii_lowercase(),
            part.number
        ))),
    }
}

/// As they are kept with a part.
pub(super) fn kept(sums: &[(Algorithm, String)]) -> Checksums {
    sums.iter().map(|(algorithm, value)| (algorithm.name().to_owned(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actors::domain::object::ETag;
    use actors::storage::multipart::PartNumber;

    #[test]
    fn a_part_is_summed_as_its_upload_says() {
        let (composite, whole) = (ChecksumKind::Composite, ChecksumKind::FullObject);
        let rows = [
            (Algorithm::Crc32, composite, Some(Algorithm::Crc32), Some(None)),
            (Algorithm::Crc32, composite, Some(Algorithm::Sha1), None),
            (Algorithm::Crc32, composite, None, None),
            (Algorithm::Crc32, whole, None, Some(Some(Algorithm::Crc32))),
            (Algorithm::Crc32, whole, Some(Algorithm::Crc32c), None),
            (Algorithm::Crc64Nvme, whole, None, Some(Some(Algorithm::Crc64Nvme))),
            (Algorithm::Crc64Nvme, whole, Some(Algorithm::Crc32), Some(Some(Algorithm::Crc64Nvme))),
        ];
        for (algorithm, kind, brought, expected) in rows {
            let found = needed(Some(UploadChecksum { algorithm, kind }), brought);
            match expected {
                Some(also) => assert_eq!(found.unwrap(), also, "{algorithm:?} {kind:?} {brought:?}"),
                None => assert_eq!(found.unwrap_err().code(), "InvalidRequest", "{algorithm:?} {kind:?} {brought:?}"),
            }
        }
    }

    #[test]
    fn a_completion_says_what_its_upload_said() {
        let part = |checksums: &[&str]| CompletedPart {
            number: PartNumber::new(7).unwrap(),
            etag: ETag::new("e"),
            checksums: checksums.iter().map(|name| ((*name).to_owned(), "AAAAAA==".to_owned())).collect(),
        };
        let (composite, whole) = (ChecksumKind::Composite, ChecksumKind::FullObject);
        let check = |kind, asked, checksums: &[&str]| {
            let upload = UploadChecksum { algorithm: Algorithm::Crc32, kind };
            check_complete(Some(upload), asked, &[part(&["CRC32"]), part(checksums)]).map_err(|error| error.code())
        };
        assert_eq!(check(composite, None, &["CRC32"]), Ok(()));
        assert_eq!(check(composite, Some(composite), &["CRC32"]), Ok(()));
        assert_eq!(check(composite, Some(whole), &["CRC32"]), Err("InvalidRequest"));
        assert_eq!(check(composite, None, &[]), Err("InvalidRequest"));
        assert_eq!(check(composite, None, &["SHA1"]), Err("BadDigest"));
        assert_eq!(check(whole, Some(whole), &[]), Ok(()));
    }
}
