//! What `x-amz-content-sha256` says of the body.

use super::chunked::{Chain, Chunked};
use super::refusal::Refusal;

/// What the signature says of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadHash {
    /// Nothing.
    Unsigned,
    /// Its SHA-256, in lower-case hex.
    Sha256(String),
    /// It comes in chunks, which may be signed one by one.
    Chunked(Chunked),
}

impl PayloadHash {
    /// Reads the header's value. `chain` begins the signatures of chunks; `None` where nobody checks signatures.
    pub(super) fn read(text: &str, chain: Option<Chain>) -> Result<Self, Refusal> {
        match text {
            "UNSIGNED-PAYLOAD" => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::Chunked(Chunked::signed(chain, false))),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::Chunked(Chunked::signed(chain, true))),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::Chunked(Chunked::unsigned())),
            _ if is_streaming(text) => Err(Refusal::PayloadForm(text.to_owned())),
            _ if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Self::Sha256(text.to_ascii_lowercase()))
            }
            _ => Err(Refusal::BadPayloadHash),
        }
    }
}

/// True for the names of bodies in chunks, known or not.
pub(super) fn is_streaming(text: &str) -> bool {
    text.starts_with("STREAMING-")
}
