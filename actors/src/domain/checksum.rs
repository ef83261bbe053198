//! Checksums of S3 objects: algorithms, the two kinds of a multipart object's, and how it follows from those of its parts.
//!
//! AWS: "Checking object integrity". A digest is standard base64; a composite one ends in `-<number of parts>`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Digests by the name of their algorithm, in standard base64.
pub type Checksums = BTreeMap<String, String>;

/// A checksum's algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC).
    #[serde(rename = "CRC32")]
    Crc32,
    /// CRC-32C (Castagnoli).
    #[serde(rename = "CRC32C")]
    Crc32c,
    /// CRC-64/NVME.
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
    /// SHA-1.
    #[serde(rename = "SHA1")]
    Sha1,
    /// SHA-256.
    #[serde(rename = "SHA256")]
    Sha256,
}

/// What the checksum of a multipart object is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// Of the parts' digests, one after the other.
    #[serde(rename = "COMPOSITE")]
    Composite,
    /// Of the object's bytes.
    #[serde(rename = "FULL_OBJECT")]
    FullObject,
}

impl ChecksumAlgorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// Its name in headers, in XML and in stored metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries it.
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The XML element that carries it.
    pub fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// True where a multipart object can have a checksum of this kind: SHA cannot be put together, CRC64NVME is only ever whole.
    pub fn allows(self, kind: ChecksumKind) -> bool {
        match self {
            Self::Crc32 | Self::Crc32c => true,
            Self::Crc64Nvme => kind == ChecksumKind::FullObject,
            Self::Sha1 | Self::Sha256 => kind == ChecksumKind::Composite,
        }
    }

    /// The checksum of an object from the digests and sizes of its parts, in order.
    ///
    /// `None` where a digest has not the algorithm's length, or where there can be none of that kind.
    pub fn of_parts<'a>(self, kind: ChecksumKind, parts: impl IntoIterator<Item = (&'a str, u64)>) -> Option<String> {
        if !self.allows(kind) {
            return None;
        }
        let mut digests = Vec::new();
        for (digest, size) in parts {
            let digest = STANDARD.decode(digest).ok().filter(|digest| digest.len() == self.digest_len())?;
            digests.push((digest, size));
        }
        match kind {
            ChecksumKind::Composite => {
                let all: Vec<u8> = digests.iter().flat_map(|(digest, _)| digest).copied().collect();
                Some(format!("{}-{}", STANDARD.encode(self.digest(&all)), digests.len()))
            }
            ChecksumKind::FullObject => {
                let crc = self.crc()?;
                let whole = digests.iter().fold(None, |whole: Option<u64>, (digest, size)| {
                    let digest = digest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
                    Some(whole.map_or(digest, |whole| crc_fast::checksum_combine(crc, whole, digest, *size)))
                })?;
                Some(STANDARD.encode(&whole.to_be_bytes()[8 - self.digest_len()..]))
            }
        }
    }

    /// The digest of some bytes.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Crc32 | Self::Crc32c | Self::Crc64Nvme => {
                let sum = self.crc().map_or(0, |crc| crc_fast::checksum(crc, bytes));
                sum.to_be_bytes()[8 - self.digest_len()..].to_vec()
            }
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// The length of a digest in bytes.
    pub fn digest_len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }
}

impl ChecksumKind {
    /// Its name in headers and in XML.
    pub fn name(self) -> &'static str {
        match self {
            Self::Composite => "COMPOSITE",
            Self::FullObject => "FULL_OBJECT",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Composite, Self::FullObject].into_iter().find(|kind| kind.name() == name)
    }

    /// What a stored checksum is of: composite ones say so themselves.
    pub fn of(value: &str) -> Self {
        // The standard base64 alphabet has no hyphen.
        if value.contains('-') { Self::Composite } else { Self::FullObject }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(algorithm: ChecksumAlgorithm, bodies: &[&[u8]]) -> Vec<(String, u64)> {
        bodies.iter().map(|body| (STANDARD.encode(algorithm.digest(body)), body.len() as u64)).collect()
    }

    fn combined(algorithm: ChecksumAlgorithm, kind: ChecksumKind, bodies: &[&[u8]]) -> Option<String> {
        let parts = parts(algorithm, bodies);
        algorithm.of_parts(kind, parts.iter().map(|(digest, size)| (digest.as_str(), *size)))
    }

    #[test]
    fn digests_have_the_check_values_of_the_catalogues() {
        for (algorithm, value) in [
            (ChecksumAlgorithm::Crc32, "cbf43926"),
            (ChecksumAlgorithm::Crc32c, "e3069283"),
            (ChecksumAlgorithm::Crc64Nvme, "ae8b14860a799888"),
            (ChecksumAlgorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (ChecksumAlgorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            assert_eq!(hex::encode(algorithm.digest(b"123456789")), value, "{algorithm:?}");
            assert_eq!(ChecksumAlgorithm::named(algorithm.name()), Some(algorithm));
        }
    }

    #[test]
    fn the_crc_of_the_whole_follows_from_those_of_the_parts() {
        let (long, short) = (vec![7; 100_000], b"1234".as_slice());
        for bodies in [&[&long[..], short][..], &[short, b"", &long[..], short], &[b"only"]] {
            for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc64Nvme] {
                let whole = STANDARD.encode(algorithm.digest(&bodies.concat()));
                assert_eq!(combined(algorithm, ChecksumKind::FullObject, bodies), Some(whole), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn a_composite_checksum_is_of_the_digests_and_says_how_many() {
        let digests = [ChecksumAlgorithm::Sha256.digest(b"a"), ChecksumAlgorithm::Sha256.digest(b"b")].concat();
        let expected = format!("{}-2", STANDARD.encode(ChecksumAlgorithm::Sha256.digest(&digests)));
        assert_eq!(combined(ChecksumAlgorithm::Sha256, ChecksumKind::Composite, &[b"a", b"b"]), Some(expected.clone()));
        assert_eq!(ChecksumKind::of(&expected), ChecksumKind::Composite);
        assert_eq!(ChecksumKind::of("y/Q5Jg=="), ChecksumKind::FullObject);
    }

    #[test]
    fn what_cannot_be_put_together_is_refused() {
        assert_eq!(combined(ChecksumAlgorithm::Sha1, ChecksumKind::FullObject, &[b"a"]), None);
        assert_eq!(combined(ChecksumAlgorithm::Crc64Nvme, ChecksumKind::Composite, &[b"a"]), None);
        assert_eq!(ChecksumAlgorithm::Crc32.of_parts(ChecksumKind::FullObject, [("AAAAAAAAAAA=", 1)]), None);
    }
}
