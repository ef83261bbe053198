//! The checksums that clients send along with a body (AWS: "Checking object integrity").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use sha1::{Digest, Sha1};

pub use actors::domain::checksum::ChecksumAlgorithm as Algorithm;

/// What a body is expected to sum to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How.
    pub algorithm: Algorithm,
    /// The digest in standard base64, as it was sent.
    pub value: String,
}

impl Checksum {
    /// Takes a digest in base64; `None` where it has not the algorithm's length.
    pub fn parse(algorithm: Algorithm, value: &str) -> Option<Self> {
        let digest = STANDARD.decode(value).ok()?;
        (digest.len() == algorithm.digest_len()).then(|| Self { algorithm, value: value.to_owned() })
    }
}

/// A sum in the making. SHA-256 is made by the store anyway, so there is nothing to do for it here.
pub enum Running {
    /// One of the CRCs.
    Crc(Box<crc_fast::Digest>, usize),
    /// SHA-1.
    Sha1(Box<Sha1>),
    /// The store's.
    Sha256,
}

impl Running {
    /// Begins.
    pub fn new(algorithm: Algorithm) -> Self {
        let crc = |kind, len| Self::Crc(Box::new(crc_fast::Digest::new(kind)), len);
        match algorithm {
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc, 4),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi, 4),
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme, 8),
            Algorithm::Sha1 => Self::Sha1(Box::default()),
            Algorithm::Sha256 => Self::Sha256,
        }
    }

    /// Takes more of the body in.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(digest, _) => digest.update(bytes),
            Self::Sha1(digest) => Digest::update(digest.as_mut(), bytes),
            Self::Sha256 => {}
        }
    }

    /// The digest in base64; `sha256` is the store's, in hex.
    pub fn finish(self, sha256: &str) -> String {
        match self {
            Self::Crc(digest, len) => STANDARD.encode(&digest.finalize().to_be_bytes()[8 - len..]),
            Self::Sha1(digest) => STANDARD.encode(digest.finalize()),
            Self::Sha256 => STANDARD.encode(hex::decode(sha256).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_of_123456789_are_the_published_ones() {
        let sum = |algorithm| {
            let mut running = Running::new(algorithm);
            running.update(b"12345");
            running.update(b"6789");
            running.finish("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225")
        };
        assert_eq!(sum(Algorithm::Crc32), STANDARD.encode(0xCBF4_3926_u32.to_be_bytes()));
        assert_eq!(sum(Algorithm::Crc32c), STANDARD.encode(0xE306_9283_u32.to_be_bytes()));
        assert_eq!(sum(Algorithm::Crc64Nvme), STANDARD.encode(0xAE8B_1486_0A79_9888_u64.to_be_bytes()));
        assert_eq!(sum(Algorithm::Sha1), "98O8HYCOBHMq32eZZczDTKeuNEE=");
        assert_eq!(sum(Algorithm::Sha256), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
    }

    #[test]
    fn a_digest_of_the_wrong_length_is_none() {
        assert!(Checksum::parse(Algorithm::Crc32, "AAAAAA==").is_some());
        assert!(Checksum::parse(Algorithm::Crc32, "AAAA").is_none());
        assert!(Checksum::parse(Algorithm::Sha1, "not base64").is_none());
    }
}
