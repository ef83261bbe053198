//! What an upstream says went wrong → what our client is told. The credentials and the network are ours, not the client's.

use super::convert::element;
use crate::storage::multipart::no_such_upload;
use crate::{Error, ErrorKind};
use rusoto_core::RusotoError;
use rusoto_core::request::BufferedHttpResponse;
use std::fmt;

/// Codes that speak of credentials under another status than 401 and 403.
const CREDENTIALS: [&str; 3] = ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"];

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The upstream refused it.
    Refused { status: u16, code: String, message: String },
    /// No answer came, or none that can be read.
    Lost(String),
}

impl Failure {
    /// From a status and the XML that came with it.
    pub(super) fn refused(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let code = element(&text, "Code").unwrap_or_else(|| by_status(status).to_owned());
        Self::Refused { status, code, message: element(&text, "Message").unwrap_or_default() }
    }

    /// The code of the upstream's error, empty where no answer came.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Lost(_) => "",
        }
    }

    /// The error for the client of a backend's operation.
    pub(super) fn into_error(self, backend: &str, operation: &'static str) -> Error {
        let source = self.to_string();
        let (status, code) = match &self {
            Self::Refused { status, code, .. } => (*status, code.as_str()),
            Self::Lost(why) => {
                let message = format!("backend `{backend}` is unavailable: {why}");
                return Error::new(ErrorKind::Unavailable, operation, message);
            }
        };
        let (kind, message) = match code {
            // The network between us, or a client that stalled: sent again it may go through.
            "RequestTimeout" => {
                let message = format!("backend `{backend}` is unavailable: it waited for the body too long");
                return Error::new(ErrorKind::Unavailable, operation, message).with_source(source);
            }
            "NoSuchKey" => (ErrorKind::NoSuchKey, "The specified key does not exist."),
            "NoSuchBucket" => (ErrorKind::NoSuchBucket, "The specified bucket does not exist"),
            "NoSuchUpload" => return no_such_upload().with_source(source),
            "BucketAlreadyOwnedByYou" => (ErrorKind::BucketExists, "The bucket exists already."),
            "BucketNotEmpty" => (ErrorKind::BucketNotEmpty, "The bucket you tried to delete is not empty"),
            "PreconditionFailed" => {
                (ErrorKind::PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
            }
            "ConditionalRequestConflict" | "OperationAborted" => {
                (ErrorKind::ConditionalConflict, "Another request changes the key at this moment.")
            }
            "InvalidRange" => (ErrorKind::InvalidRange, "The requested range is not satisfiable"),
            "EntityTooLarge" => (ErrorKind::EntityTooLarge, "The object is larger than the backend takes."),
            "EntityTooSmall" => (ErrorKind::EntityTooSmall, "A part is smaller than the minimum allowed size"),
            "InvalidPart" => (ErrorKind::InvalidPart, "One or more of the specified parts could not be found."),
            "InvalidPartOrder" => (ErrorKind::InvalidPartOrder, "The list of parts was not in ascending order."),
            "KeyTooLongError" | "KeyTooLong" => (ErrorKind::KeyTooLong, "Your key is too long"),
            "MetadataTooLarge" => (ErrorKind::MetadataTooLarge, "Your metadata headers exceed the maximum"),
            "InsufficientStorage" => (ErrorKind::DiskFull, "no space is left on the backend"),
            "BucketAlreadyExists" => {
                let message = format!("the bucket's name is taken by somebody else on backend `{backend}`");
                return Error::new(ErrorKind::Conflict, operation, message)
                    .with_source(source)
                    .with_hint("give the bucket another name there: storage.buckets.<name>.alias");
            }
            // An answer to HEAD has no words, and what is wrong with a session is said under 400.
            "" if status == 400 => {
                let message =
                    format!("backend `{backend}` is unavailable: it refuses the request and does not say why (400)");
                return Error::new(ErrorKind::Unavailable, operation, message)
                    .with_source(source)
                    .with_hint("check the backend's key pair, whether it has expired, and its region");
            }
            _ if matches!(status, 401 | 403) || CREDENTIALS.contains(&code) => {
                let message =
                    format!("backend `{backend}` is unavailable: it refuses this server's credentials ({code})");
                return Error::new(ErrorKind::Unavailable, operation, message)
                    .with_source(source)
                    .with_hint("check the backend's key pair, what it may do, and this host's clock");
            }
            _ if status >= 500 || status == 429 || (300..400).contains(&status) => {
                let message = format!("backend `{backend}` is unavailable: it answers {status} ({code})");
                return Error::new(ErrorKind::Unavailable, operation, message).with_source(source);
            }
            _ => {
                let message = format!("backend `{backend}` refuses the request with {status} ({code})");
                return Error::new(ErrorKind::Internal, operation, message).with_source(source);
            }
        };
        Error::new(kind, operation, message).with_source(source)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, code, message } => write!(f, "the upstream answers {status} {code}: {message}"),
            Self::Lost(why) => write!(f, "no answer of the upstream: {why}"),
        }
    }
}

impl From<BufferedHttpResponse> for Failure {
    fn from(answer: BufferedHttpResponse) -> Self {
        Self::refused(answer.status.as_u16(), &answer.body)
    }
}

/// A typed error of rusoto: its variants are named like the codes.
impl<E: fmt::Debug> From<RusotoError<E>> for Failure {
    fn from(error: RusotoError<E>) -> Self {
        match error {
            RusotoError::Service(variant) => {
                let text = format!("{variant:?}");
                let code = text.split('(').next().unwrap_or_default().to_owned();
                Self::Refused { status: 404, code, message: String::new() }
            }
            RusotoError::Unknown(answer) => answer.into(),
            RusotoError::HttpDispatch(error) => Self::Lost(error.to_string()),
            RusotoError::ParseError(why) => Self::Lost(format!("its answer cannot be read: {why}")),
            RusotoError::Credentials(error) => Self::Lost(error.to_string()),
            RusotoError::Validation(why) => Self::Lost(why),
            RusotoError::Blocking => Self::Lost("the request was not sent".to_owned()),
        }
    }
}

/// What an answer without XML means.
fn by_status(status: u16) -> &'static str {
    match status {
        404 => "NoSuchKey",
        409 => "OperationAborted",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        507 => "InsufficientStorage",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstreams_answer_becomes_ours() {
        let kind = |status, code: &str| {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>x</Message></Error>");
            Failure::refused(status, body.as_bytes()).into_error("cold", "test").kind()
        };
        for (status, code, expected) in [
            (404, "NoSuchKey", ErrorKind::NoSuchKey),
            (404, "NoSuchBucket", ErrorKind::NoSuchBucket),
            (412, "PreconditionFailed", ErrorKind::PreconditionFailed),
            (403, "AccessDenied", ErrorKind::Unavailable),
            (400, "ExpiredToken", ErrorKind::Unavailable),
            (403, "InvalidAccessKeyId", ErrorKind::Unavailable),
            (503, "SlowDown", ErrorKind::Unavailable),
            (500, "InternalError", ErrorKind::Unavailable),
            (301, "PermanentRedirect", ErrorKind::Unavailable),
            (507, "InsufficientStorage", ErrorKind::DiskFull),
            (418, "Teapot", ErrorKind::Internal),
        ] {
            assert_eq!(kind(status, code), expected, "{status} {code}");
        }
        assert_eq!(Failure::refused(404, b"").code(), "NoSuchKey");
        let lost = Failure::Lost("connection refused".to_owned()).into_error("cold", "test");
        assert!(lost.kind() == ErrorKind::Unavailable && lost.message().contains("`cold`"));
    }
}
