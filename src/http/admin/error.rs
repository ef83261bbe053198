//! Each error's answer of the admin API: `application/problem+json` (RFC 9457) with a stable code. The one map from error kinds.

use crate::http::admin::openapi::code_schema;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use actors::domain::archive::fault::ArchiveFault;
use actors::{Error, ErrorKind};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// An answer that is an error.
pub struct Problem {
    error: Box<Error>,
    /// Another status than that of the error's kind: HTTP knows a few that no rule of the system does.
    status: Option<StatusCode>,
}

/// The body of an error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Body<'a> {
    /// `urn:deltaglider:problem:<code>`.
    r#type: String,
    /// What kind of error it is, in a few words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    #[schema(schema_with = code_schema)]
    code: &'a str,
    /// What happened, for people.
    detail: &'a str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    /// The step that failed.
    stage: &'a str,
}

impl Problem {
    /// The error behind it.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The stable code: the error's own, or that of its kind.
    pub fn code(&self) -> &'static str {
        self.error.code().unwrap_or(row(self.error.kind()).1)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { error: Box::new(error), status: None }
    }
}

/// Status, code and title of a kind.
fn row(kind: ErrorKind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now"),
        ErrorKind::Busy => (StatusCode::SERVICE_UNAVAILABLE, "slow_down", "Too busy"),
        ErrorKind::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "timeout", "No answer in time"),
        ErrorKind::OutcomeUnknown => (StatusCode::INTERNAL_SERVER_ERROR, "outcome_unknown", "Outcome unknown"),
        ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid_request", "Invalid request"),
        ErrorKind::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in"),
        ErrorKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
        ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict", "Conflict"),
        ErrorKind::StaleGeneration => (StatusCode::PRECONDITION_FAILED, "generation_changed", "The state moved on"),
        ErrorKind::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many tries"),
        ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large"),
        ErrorKind::Locked => (StatusCode::SERVICE_UNAVAILABLE, "locked", "Locked"),
        ErrorKind::RestoreInProgress => (StatusCode::CONFLICT, "restore_in_progress", "A restore is in progress"),
        ErrorKind::NotImplemented => (StatusCode::NOT_IMPLEMENTED, "not_implemented", "Not implemented"),
        ErrorKind::NoSuchBucket => (StatusCode::NOT_FOUND, "no_such_bucket", "No such bucket"),
        ErrorKind::NoSuchKey => (StatusCode::NOT_FOUND, "no_such_key", "No such object"),
        ErrorKind::BucketExists => (StatusCode::CONFLICT, "bucket_exists", "The bucket exists"),
        ErrorKind::BucketNotEmpty => (StatusCode::CONFLICT, "bucket_not_empty", "The bucket is not empty"),
        ErrorKind::InvalidBucketName => (StatusCode::BAD_REQUEST, "invalid_bucket_name", "Invalid bucket name"),
        ErrorKind::KeyTooLong => (StatusCode::BAD_REQUEST, "key_too_long", "The key is too long"),
        ErrorKind::PreconditionFailed => {
            (StatusCode::PRECONDITION_FAILED, "precondition_failed", "Precondition failed")
        }
        ErrorKind::ConditionalConflict => (StatusCode::CONFLICT, "conditional_conflict", "Conflicting write"),
        ErrorKind::InvalidRange => (StatusCode::RANGE_NOT_SATISFIABLE, "invalid_range", "Invalid range"),
        ErrorKind::NoSuchUpload => (StatusCode::NOT_FOUND, "no_such_upload", "No such upload"),
        ErrorKind::InvalidPart => (StatusCode::BAD_REQUEST, "invalid_part", "Invalid part"),
        ErrorKind::InvalidPartOrder => (StatusCode::BAD_REQUEST, "invalid_part_order", "Parts out of order"),
        ErrorKind::EntityTooSmall => (StatusCode::BAD_REQUEST, "entity_too_small", "The part is too small"),
        ErrorKind::InvalidRequest => (StatusCode::BAD_REQUEST, "contradiction", "The request contradicts itself"),
        ErrorKind::BadDigest => (StatusCode::BAD_REQUEST, "bad_digest", "The digest does not match"),
        ErrorKind::IncompleteBody => (StatusCode::BAD_REQUEST, "incomplete_body", "The body is incomplete"),
        ErrorKind::EntityTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "entity_too_large", "The object is too large"),
        ErrorKind::MetadataTooLarge => (StatusCode::BAD_REQUEST, "metadata_too_large", "The metadata is too large"),
        ErrorKind::QuotaExceeded => (StatusCode::FORBIDDEN, "quota_exceeded", "The quota is exceeded"),
        ErrorKind::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk_full", "The disk is full"),
        ErrorKind::MetadataStripped => (StatusCode::INTERNAL_SERVER_ERROR, "metadata_stripped", "Metadata is lost"),
        ErrorKind::RouteChanged => (StatusCode::SERVICE_UNAVAILABLE, "route_changed", "The bucket moved"),
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status.unwrap_or(row(self.error.kind()).0)
    }

    fn error_response(&self) -> HttpResponse {
        let (_, _, title) = row(self.error.kind());
        let status = self.status_code();
        let code = self.code();
        if status.is_server_error() {
            log::error!("admin api: {:?}", self.error);
        }
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        response.insert_header(("cache-control", "no-store"));
        match self.error.kind() {
            ErrorKind::Unauthenticated => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            ErrorKind::Busy | ErrorKind::TooManyRequests | ErrorKind::Unavailable | ErrorKind::RestoreInProgress => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        // What is wrong with an archive has a title and a stage of its own.
        let fault = ArchiveFault::by_code(code);
        let body = Body {
            r#type: format!("urn:deltaglider:problem:{code}"),
            title: fault.map_or(title, ArchiveFault::title),
            status: status.as_u16(),
            code,
            detail: self.error.message(),
            hint: self.error.hint(),
            stage: fault.map_or(self.error.operation(), ArchiveFault::stage),
        };
        // A struct of texts and a number always serialises.
        response.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.error)
    }
}

/// 401: nobody is signed in.
pub fn unauthenticated() -> Problem {
    Error::new(ErrorKind::Unauthenticated, "admin api", "this call needs a session or a token")
        .with_hint("POST /_/api/admin/login, or send `Authorization: Bearer dgp_…`")
        .into()
}

/// 400: the request breaks a rule; the message says which.
pub fn invalid(message: impl Into<String>) -> Problem {
    Error::new(ErrorKind::Invalid, "read request", message).into()
}

/// 404: no such thing.
pub fn not_found(code: &'static str, message: impl Into<String>) -> Problem {
    Error::new(ErrorKind::NotFound, "admin api", message).with_code(code).into()
}

/// 405: the resource is there and does not take this method.
pub fn method_not_allowed(message: impl Into<String>) -> Problem {
    let error = Error::new(ErrorKind::Invalid, "admin api", message).with_code("method_not_allowed");
    Problem { error: Box::new(error), status: Some(StatusCode::METHOD_NOT_ALLOWED) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;
    use serde_json::{Value, json};

    fn answer(error: Error) -> (u16, Option<String>, Value) {
        let response = Problem::from(error).error_response();
        let kind = response.headers().get(CONTENT_TYPE).map(|v| v.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = futures_util::FutureExt::now_or_never(to_bytes(response.into_body())).unwrap().unwrap();
        (status, kind, serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn an_error_says_what_went_wrong_where_and_the_way_out() {
        let error = Error::new(ErrorKind::Conflict, "plan", "the archive's hash is another one")
            .with_code("db_key_mismatch")
            .with_hint("use mode=preserve-bootstrap")
            .with_source("only for the log");
        let (status, kind, body) = answer(error);
        assert_eq!((status, kind.as_deref()), (409, Some("application/problem+json")));
        assert_eq!(
            body,
            json!({
                "type": "urn:deltaglider:problem:db_key_mismatch", "title": "Conflict", "status": 409,
                "code": "db_key_mismatch", "detail": "the archive's hash is another one",
                "hint": "use mode=preserve-bootstrap", "stage": "plan",
            })
        );
    }

    #[test]
    fn each_kind_has_its_status_and_code() {
        let table = [
            (ErrorKind::Invalid, 400, "invalid_request"),
            (ErrorKind::Unauthenticated, 401, "unauthenticated"),
            (ErrorKind::Forbidden, 403, "forbidden"),
            (ErrorKind::NotFound, 404, "not_found"),
            (ErrorKind::Conflict, 409, "conflict"),
            (ErrorKind::RestoreInProgress, 409, "restore_in_progress"),
            (ErrorKind::StaleGeneration, 412, "generation_changed"),
            (ErrorKind::TooLarge, 413, "too_large"),
            (ErrorKind::TooManyRequests, 429, "too_many_requests"),
            (ErrorKind::Internal, 500, "internal_error"),
            (ErrorKind::NotImplemented, 501, "not_implemented"),
            (ErrorKind::Locked, 503, "locked"),
            (ErrorKind::Busy, 503, "slow_down"),
            (ErrorKind::DiskFull, 507, "disk_full"),
        ];
        for (kind, status, code) in table {
            let (got, _, body) = answer(Error::new(kind, "test", "a message"));
            assert_eq!((got, body["code"].as_str()), (status, Some(code)));
        }
    }
}
