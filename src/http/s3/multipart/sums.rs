//! Which checksums a part needs: the upload's, and the one that it brings along.

use crate::http::body::checksum::Algorithm;
use crate::http::s3::error::S3Error;
use actors::domain::checksum::{ChecksumKind, Checksums};
use actors::storage::multipart::UploadChecksum;

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

/// As they are kept with a part.
pub(super) fn kept(sums: &[(Algorithm, String)]) -> Checksums {
    sums.iter().map(|(algorithm, value)| (algorithm.name().to_owned(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
