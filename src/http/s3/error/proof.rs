//! The codes of AWS for what does not prove itself: credentials, signatures, bodies in chunks.

use super::S3Error;
use crate::auth::sigv4::Refusal;
use crate::auth::sigv4::chunked::Broken;
use actix_web::http::StatusCode;

/// The codes that AWS gives when credentials do not hold.
impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let bad = StatusCode::BAD_REQUEST;
        let (code, status) = match &refusal {
            Refusal::Missing | Refusal::Unsigned(_) | Refusal::Expired { .. } => {
                ("AccessDenied", StatusCode::FORBIDDEN)
            }
            Refusal::Ambiguous(_) | Refusal::WrongScheme(_) | Refusal::MissingHeader(_) => ("InvalidRequest", bad),
            Refusal::Duplicate(_) | Refusal::BadPayloadHash => ("InvalidArgument", bad),
            Refusal::Malformed(_) | Refusal::WrongRegion { .. } => ("AuthorizationHeaderMalformed", bad),
            Refusal::MalformedQuery(_) => ("AuthorizationQueryParametersError", bad),
            Refusal::UnknownKey(_) => ("InvalidAccessKeyId", StatusCode::FORBIDDEN),
            Refusal::AbsentSigned(_) | Refusal::WrongSignature { .. } => {
                ("SignatureDoesNotMatch", StatusCode::FORBIDDEN)
            }
            Refusal::Skewed { .. } => ("RequestTimeTooSkewed", StatusCode::FORBIDDEN),
            Refusal::PayloadForm(_) => ("NotImplemented", StatusCode::NOT_IMPLEMENTED),
            Refusal::SessionToken => ("InvalidToken", bad),
            Refusal::BadUri(_) => ("InvalidURI", bad),
        };
        let answer = Self::new(code, status, refusal.to_string());
        match refusal {
            Refusal::Unsigned(names) => answer.with_detail("HeadersNotSigned", names.join(", ")),
            Refusal::WrongRegion { expected, .. } => answer.with_detail("Region", expected),
            Refusal::UnknownKey(key) => answer.with_detail("AWSAccessKeyId", key),
            Refusal::WrongSignature { access_key_id, string_to_sign } => {
                answer.with_detail("AWSAccessKeyId", access_key_id).with_detail("StringToSign", string_to_sign)
            }
            Refusal::Skewed { requested, now, allowed } => answer
                .with_detail("RequestTime", requested.compact())
                .with_detail("ServerTime", now.rfc3339_seconds())
                .with_detail("MaxAllowedSkewMilliseconds", allowed.as_millis().to_string()),
            Refusal::Expired { expired, now } => answer
                .with_detail("Expires", expired.rfc3339_seconds())
                .with_detail("ServerTime", now.rfc3339_seconds()),
            _ => answer,
        }
    }
}

/// The codes that AWS gives when a body in chunks does not hold.
impl From<Broken> for S3Error {
    fn from(broken: Broken) -> Self {
        let bad = StatusCode::BAD_REQUEST;
        match broken {
            Broken::Framing => {
                Self::new("IncompleteBody", bad, "The chunks of the request body are malformed or end early")
            }
            Broken::Length => Self::new(
                "IncompleteBody",
                bad,
                "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header",
            ),
            Broken::Signature => Self::new(
                "SignatureDoesNotMatch",
                StatusCode::FORBIDDEN,
                "The signature we calculated for a chunk does not match the signature you provided.",
            ),
            Broken::Trailer => Self::new(
                "MalformedTrailerError",
                bad,
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ),
        }
    }
}

/// `2026-11-22T09:00:00Z`, as AWS writes times in error documents.
trait Seconds {
    fn rfc3339_seconds(self) -> String;
}

impl Seconds for actors::domain::clock::Timestamp {
    fn rfc3339_seconds(self) -> String {
        Self::from_secs(self.secs()).rfc3339()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::error::Subject;
    use actors::domain::clock::Timestamp;
    use std::time::Duration;

    #[test]
    fn a_skewed_clock_is_told_the_time() {
        let refusal = Refusal::Skewed {
            requested: Timestamp::from_secs(0),
            now: Timestamp::from_millis(1_795_338_000_123),
            allowed: Duration::from_secs(900),
        };
        let subject = Subject { resource: "/", bucket: None, key: None, request_id: "id", host_id: "id-2" };
        let document = S3Error::from(refusal).document(&subject);
        assert!(document.contains("<Code>RequestTimeTooSkewed</Code>"), "{document}");
        assert!(document.contains("<ServerTime>2026-11-22T09:00:00Z</ServerTime>"), "{document}");
        assert!(document.contains("<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>"), "{document}");
    }
}
