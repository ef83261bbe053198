//! Why a request's credentials were not accepted. `src/http/s3/error.rs` gives each its AWS code.

use actors::domain::clock::Timestamp;
use std::fmt;
use std::time::Duration;

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No credentials at all.
    Missing,
    /// More than one form or set of credentials; the text says what.
    Ambiguous(&'static str),
    /// A header or parameter that may come once came twice.
    Duplicate(&'static str),
    /// Signature version 2, or a scheme that S3 does not know.
    WrongScheme(&'static str),
    /// An `Authorization` header that does not parse.
    Malformed(String),
    /// Presigned parameters that do not parse.
    MalformedQuery(String),
    /// A scope that names another region than the one that this server is pinned to.
    WrongRegion {
        /// What it is pinned to.
        expected: String,
        /// What the request names.
        found: String,
    },
    /// `host` or `x-amz-*` headers that are not covered by the signature.
    Unsigned(Vec<String>),
    /// Headers that the signature names and that are not there.
    AbsentSigned(String),
    /// A key that is unknown, disabled or expired.
    UnknownKey(String),
    /// The signature does not fit.
    WrongSignature {
        /// Whose key it was.
        access_key_id: String,
        /// What we signed.
        string_to_sign: String,
    },
    /// The time of the request is too far off ours.
    Skewed {
        /// The request's.
        requested: Timestamp,
        /// Ours.
        now: Timestamp,
        /// What is allowed.
        allowed: Duration,
    },
    /// A presigned request that has had its time.
    Expired {
        /// When it ended.
        expired: Timestamp,
        /// Our time.
        now: Timestamp,
    },
    /// A header that the header form demands is missing.
    MissingHeader(&'static str),
    /// `x-amz-content-sha256` holds neither a SHA-256 nor a known word.
    BadPayloadHash,
    /// A payload form that this server does not take.
    PayloadForm(String),
    /// Temporary credentials, which this server does not issue.
    SessionToken,
    /// The URI does not decode.
    BadUri(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Access Denied: the request carries no credentials"),
            Self::Ambiguous(what) => f.write_str(what),
            Self::Duplicate(name) => write!(f, "{name} may be sent once only"),
            Self::WrongScheme(what) => f.write_str(what),
            Self::Malformed(what) => write!(f, "The authorization header is malformed; {what}"),
            Self::MalformedQuery(what) => f.write_str(what),
            Self::WrongRegion { expected, found } => {
                write!(
                    f,
                    "The authorization header is malformed; the region '{found}' is wrong; expecting '{expected}'"
                )
            }
            Self::Unsigned(names) => {
                write!(f, "There were headers present in the request which were not signed: {}", names.join(", "))
            }
            Self::AbsentSigned(name) => {
                write!(f, "The signature covers the header '{name}', which is not in the request")
            }
            Self::UnknownKey(_) => f.write_str("The AWS Access Key Id you provided does not exist in our records."),
            Self::WrongSignature { .. } => f.write_str(
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            ),
            Self::Skewed { .. } => {
                f.write_str("The difference between the request time and the current time is too large.")
            }
            Self::Expired { .. } => f.write_str("Request has expired"),
            Self::MissingHeader(name) => write!(f, "Missing required header for this request: {name}"),
            Self::BadPayloadHash => f.write_str(
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.",
            ),
            Self::PayloadForm(form) => write!(
                f,
                "The payload form {form} is not supported here; sign the payload's SHA-256 or send UNSIGNED-PAYLOAD."
            ),
            Self::SessionToken => f.write_str("The provided token is malformed or otherwise invalid."),
            Self::BadUri(what) => write!(f, "Couldn't parse the specified URI: {what}."),
        }
    }
}
