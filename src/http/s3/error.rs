//! Each error's S3 answer: code, status, message, extra elements. The one map from error kinds to S3 codes.

mod proof;

use super::xml::write::Document;
use actix_web::http::StatusCode;
use actors::{Error, ErrorKind};

/// An answer that is an error.
#[derive(Debug)]
pub struct S3Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: &'static str,
    status: StatusCode,
    message: String,
    details: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    /// What only the log sees.
    source: Option<Error>,
}

/// What the error document says of the request.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The path, as it was sent.
    pub resource: &'a str,
    /// The bucket, where one was named.
    pub bucket: Option<&'a str>,
    /// The key, where one was named.
    pub key: Option<&'a str>,
    /// `x-amz-request-id`.
    pub request_id: &'a str,
    /// `x-amz-id-2`.
    pub host_id: &'a str,
}

impl S3Error {
    /// An error with AWS's code and status.
    pub fn new(code: &'static str, status: StatusCode, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            status,
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
            source: None,
        }))
    }

    /// 400 `InvalidArgument`, naming the argument.
    pub fn invalid_argument(name: &str, value: &str, message: impl Into<String>) -> Self {
        Self::new("InvalidArgument", StatusCode::BAD_REQUEST, message)
            .with_detail("ArgumentName", name)
            .with_detail("ArgumentValue", value)
    }

    /// 400 `InvalidRequest`.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequest", StatusCode::BAD_REQUEST, message)
    }

    /// 400 `InvalidURI`.
    pub fn invalid_uri(message: impl Into<String>) -> Self {
        Self::new("InvalidURI", StatusCode::BAD_REQUEST, message)
    }

    /// 400 `MalformedXML`.
    pub fn malformed_xml() -> Self {
        Self::new(
            "MalformedXML",
            StatusCode::BAD_REQUEST,
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    }

    /// 501 `NotImplemented`, naming what is not.
    pub fn not_implemented(what: &str) -> Self {
        Self::new(
            "NotImplemented",
            StatusCode::NOT_IMPLEMENTED,
            format!("A part of the request asks for functionality that is not implemented: {what}"),
        )
    }

    /// 405 `MethodNotAllowed`.
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(
            "MethodNotAllowed",
            StatusCode::METHOD_NOT_ALLOWED,
            "The specified method is not allowed against this resource.",
        )
        .with_detail("Method", method)
    }

    /// 403 `AccessDenied`.
    pub fn access_denied() -> Self {
        Self::new("AccessDenied", StatusCode::FORBIDDEN, "Access Denied")
    }

    /// Adds an element to the document.
    pub fn with_detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.details.push((name, value.into()));
        self
    }

    /// Adds a header to the answer.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// AWS's code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The text for the client.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Headers of the answer, such as `Retry-After`.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.0.headers
    }

    /// The cause, for the log.
    pub fn cause(&self) -> Option<&Error> {
        self.0.source.as_ref()
    }

    /// Writes it to the log: loudly where the server is to blame.
    pub fn log(&self, request_id: &str) {
        match self.cause() {
            Some(cause) if self.status().is_server_error() && self.code() != "SlowDown" => {
                log::error!("request {request_id}: {} {cause:?}", self.code())
            }
            _ => log::debug!("request {request_id}: {} {}", self.code(), self.message()),
        }
    }

    /// The error document.
    pub fn document(&self, subject: &Subject<'_>) -> String {
        let mut document = Document::plain("Error");
        document.text("Code", self.0.code).text("Message", &self.0.message);
        for (name, value) in &self.0.details {
            document.text(name, value);
        }
        document
            .optional("BucketName", subject.bucket)
            .optional("Key", subject.key)
            .text("Resource", subject.resource)
            .text("RequestId", subject.request_id)
            .text("HostId", subject.host_id);
        document.finish()
    }

    fn retry_later(self) -> Self {
        self.with_header("Retry-After", "1")
    }
}

/// The map of kinds. A new kind does not compile without a row here.
impl From<Error> for S3Error {
    fn from(error: Error) -> Self {
        let bad = StatusCode::BAD_REQUEST;
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        let (code, status) = match error.kind() {
            ErrorKind::Internal | ErrorKind::OutcomeUnknown | ErrorKind::MetadataStripped => {
                ("InternalError", StatusCode::INTERNAL_SERVER_ERROR)
            }
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Locked => ("ServiceUnavailable", unavailable),
            ErrorKind::Busy | ErrorKind::TooManyRequests | ErrorKind::RestoreInProgress | ErrorKind::RouteChanged => {
                ("SlowDown", unavailable)
            }
            ErrorKind::Invalid => ("InvalidArgument", bad),
            ErrorKind::Unauthenticated | ErrorKind::Forbidden => ("AccessDenied", StatusCode::FORBIDDEN),
            ErrorKind::NotFound | ErrorKind::NoSuchKey => ("NoSuchKey", StatusCode::NOT_FOUND),
            ErrorKind::NoSuchBucket => ("NoSuchBucket", StatusCode::NOT_FOUND),
            ErrorKind::Conflict | ErrorKind::StaleGeneration => ("OperationAborted", StatusCode::CONFLICT),
            ErrorKind::TooLarge | ErrorKind::EntityTooLarge => ("EntityTooLarge", bad),
            ErrorKind::NotImplemented => ("NotImplemented", StatusCode::NOT_IMPLEMENTED),
            ErrorKind::BucketExists => ("BucketAlreadyOwnedByYou", StatusCode::CONFLICT),
            ErrorKind::BucketNotEmpty => ("BucketNotEmpty", StatusCode::CONFLICT),
            ErrorKind::InvalidBucketName => ("InvalidBucketName", bad),
            ErrorKind::KeyTooLong => ("KeyTooLongError", bad),
            ErrorKind::PreconditionFailed => ("PreconditionFailed", StatusCode::PRECONDITION_FAILED),
            ErrorKind::ConditionalConflict => ("ConditionalRequestConflict", StatusCode::CONFLICT),
            ErrorKind::InvalidRange => ("InvalidRange", StatusCode::RANGE_NOT_SATISFIABLE),
            ErrorKind::BadDigest => ("BadDigest", bad),
            ErrorKind::NoSuchUpload => ("NoSuchUpload", StatusCode::NOT_FOUND),
            ErrorKind::InvalidPart => ("InvalidPart", bad),
            ErrorKind::InvalidPartOrder => ("InvalidPartOrder", bad),
            ErrorKind::EntityTooSmall => ("EntityTooSmall", bad),
            ErrorKind::InvalidRequest => ("InvalidRequest", bad),
            ErrorKind::IncompleteBody => ("IncompleteBody", bad),
            ErrorKind::MetadataTooLarge => ("MetadataTooLarge", bad),
            ErrorKind::QuotaExceeded => ("QuotaExceeded", StatusCode::FORBIDDEN),
            ErrorKind::DiskFull => ("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE),
        };
        let answer = Self::new(code, status, error.message());
        let mut answer = if status == unavailable { answer.retry_later() } else { answer };
        answer.0.source = Some(error);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'static> = Subject {
        resource: "/b/k%26",
        bucket: Some("b"),
        key: Some("k&"),
        request_id: "4442587FB7D0A2F9",
        host_id: "id-2",
    };

    #[test]
    fn an_error_document_has_the_elements_of_aws() {
        let error = S3Error::from(Error::new(ErrorKind::NoSuchKey, "get", "The specified key does not exist."));
        assert_eq!(error.status(), StatusCode::NOT_FOUND);
        assert_eq!(
            error.document(&SUBJECT),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
             <Message>The specified key does not exist.</Message><BucketName>b</BucketName><Key>k&amp;</Key>\
             <Resource>/b/k%26</Resource><RequestId>4442587FB7D0A2F9</RequestId><HostId>id-2</HostId></Error>"
        );
    }

    #[test]
    fn overload_says_when_to_come_back_and_a_full_disk_does_not() {
        let busy = S3Error::from(Error::new(ErrorKind::Busy, "put", "busy"));
        assert_eq!((busy.code(), busy.status().as_u16(), busy.headers().len()), ("SlowDown", 503, 1));
        let full = S3Error::from(Error::new(ErrorKind::DiskFull, "put", "full"));
        assert_eq!((full.code(), full.status().as_u16(), full.headers().len()), ("InsufficientStorage", 507, 0));
    }
}
