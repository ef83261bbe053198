//! Conditional writes of the upstream: whether it honours them, found out by trying, and what a write says where it does.
//!
//! Within this server the key's lock decides a condition. What is sent along decides it among several servers on one account.

use super::Inner;
use super::client::Call;
use super::convert::INTERNAL;
use super::error::Failure;
use super::read::Described;
use super::temp;
use crate::domain::names::BucketName;
use crate::storage::ConditionalWrites;
use crate::{Error, Result};
use bytes::Bytes;
use rusoto_s3::CompletedPart;
use uuid::Uuid;

const OPERATION: &str = "probe backend";
const NONE_MATCH: &str = "if-none-match";
const MATCH: &str = "if-match";
/// An entity tag that nothing has.
const NO_TAG: &str = "\"00000000000000000000000000000000\"";

/// What a write expects under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Whatever there is.
    Anything,
    /// Nothing.
    Nothing,
    /// The object with this entity tag of the upstream's.
    Object(String),
}

/// Which conditions the upstream honours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Honoured {
    /// `If-None-Match: *` of a PUT.
    absent: bool,
    /// `If-Match` of a PUT.
    matching: bool,
    /// Both of a CompleteMultipartUpload.
    completes: bool,
}

impl Expected {
    /// What was found under the key when the conditions were decided.
    pub(super) fn of(current: Option<&Described>) -> Self {
        current.map_or(Self::Nothing, |current| Self::Object(current.tag.clone()))
    }

    fn header(&self) -> Option<(String, String)> {
        match self {
            Self::Anything => None,
            Self::Nothing => Some((NONE_MATCH.to_owned(), "*".to_owned())),
            Self::Object(tag) => Some((MATCH.to_owned(), tag.clone())),
        }
    }
}

impl Honoured {
    fn word(self) -> ConditionalWrites {
        if self.absent && self.matching { ConditionalWrites::Backend } else { ConditionalWrites::Instance }
    }

    fn honours(self, expected: &Expected) -> bool {
        match expected {
            Expected::Anything => false,
            Expected::Nothing => self.absent,
            Expected::Object(_) => self.matching,
        }
    }
}

/// What came of a write that was tried.
enum Tried {
    Taken(String),
    Precondition,
    Refused,
}

impl Inner {
    /// The header of a PUT that lets the upstream decide what our lock has decided; none where it would not.
    pub(super) async fn condition(&self, bucket: &BucketName, expected: &Expected) -> Option<(String, String)> {
        let header = expected.header()?;
        self.honoured(bucket).await?.honours(expected).then_some(header)
    }

    /// The same of a completion.
    pub(super) async fn condition_of_completion(
        &self,
        bucket: &BucketName,
        expected: &Expected,
    ) -> Option<(String, String)> {
        let header = expected.header()?;
        let honoured = self.honoured(bucket).await?;
        (honoured.completes && honoured.honours(expected)).then_some(header)
    }

    /// Who decides conditions, as far as it was found out.
    pub(super) fn conditional_writes(&self) -> Option<ConditionalWrites> {
        self.honoured.get().map(|honoured| honoured.word())
    }

    /// What the upstream honours; nothing where that cannot be found out now, and our lock decides alone.
    pub(super) async fn honoured(&self, bucket: &BucketName) -> Option<Honoured> {
        match self.honoured.get_or_try_init(|| self.find_out(bucket)).await {
            Ok(honoured) => Some(*honoured),
            Err(error) => {
                log::warn!(error:? = error; "whether an upstream honours conditional writes could not be found out");
                None
            }
        }
    }

    async fn find_out(&self, bucket: &BucketName) -> Result<Honoured> {
        let key = format!("{INTERNAL}tmp/conditions-{}", Uuid::new_v4());
        let found = self.find_out_with(bucket, &key).await;
        self.remove(bucket, &key).await?;
        let found = found?;
        log::info!("backend {}: conditional writes on the upstream: {found:?}", self.upstream.name);
        Ok(found)
    }

    /// Each condition must be refused where it does not hold, and taken where it does.
    async fn find_out_with(&self, bucket: &BucketName, key: &str) -> Result<Honoured> {
        let fresh = self.try_put(bucket, key, Some((NONE_MATCH, "*"))).await?;
        let (taken, tag) = match fresh {
            Tried::Taken(tag) => (true, tag),
            _ => match self.try_put(bucket, key, None).await? {
                Tried::Taken(tag) => (false, tag),
                _ => return Ok(Honoured { absent: false, matching: false, completes: false }),
            },
        };
        let again = self.try_put(bucket, key, Some((NONE_MATCH, "*"))).await?;
        let absent = taken && matches!(again, Tried::Precondition);
        let other = self.try_put(bucket, key, Some((MATCH, NO_TAG))).await?;
        let same = self.try_put(bucket, key, Some((MATCH, &tag))).await?;
        let matching = matches!((other, same), (Tried::Precondition, Tried::Taken(_)));
        let completes = absent && matching && self.completion_is_refused(bucket, key).await?;
        Ok(Honoured { absent, matching, completes })
    }

    async fn try_put(&self, bucket: &BucketName, key: &str, condition: Option<(&str, &str)>) -> Result<Tried> {
        let headers = condition.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let body = Some(Bytes::from_static(b"conditions"));
        let call = Call { method: "PUT", bucket: bucket.as_str(), key, query: Vec::new(), headers, body };
        match self.upstream.call(call).await {
            Ok(answer) => Ok(Tried::Taken(answer.header("etag").to_owned())),
            Err(Failure::Refused { status: 412, .. }) => Ok(Tried::Precondition),
            // What it does not know it may refuse as it likes.
            Err(Failure::Refused { status: 400 | 404 | 405 | 409 | 501, .. }) => Ok(Tried::Refused),
            Err(failure) => Err(self.upstream.error(OPERATION, failure)),
        }
    }

    /// Whether a completion over an object that is there is refused, both by `If-None-Match: *` and by `If-Match` of another one.
    async fn completion_is_refused(&self, bucket: &BucketName, key: &str) -> Result<bool> {
        let upload = temp::begin_upload(self, bucket, key, Vec::new(), OPERATION).await?;
        let query = vec![("partNumber", "1".to_owned()), ("uploadId", upload.clone())];
        let body = Some(Bytes::from_static(b"conditions"));
        let call = Call { method: "PUT", bucket: bucket.as_str(), key, query, headers: Vec::new(), body };
        let part = self.upstream.call(call).await.map_err(|e| self.upstream.error(OPERATION, e))?;
        let part = CompletedPart { e_tag: Some(part.header("etag").to_owned()), part_number: Some(1) };
        let mut refused = true;
        for (name, value) in [(NONE_MATCH, "*"), (MATCH, NO_TAG)] {
            let condition = Some((name.to_owned(), value.to_owned()));
            let parts = vec![part.clone()];
            match temp::complete(self, bucket, key, &upload, (parts, condition), OPERATION).await {
                Err(error) if error.kind() == crate::ErrorKind::PreconditionFailed => {}
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == crate::ErrorKind::Unavailable => return Err(error),
                Err(_) => refused = false,
            }
        }
        temp::abort(self, bucket, key, &upload).await?;
        Ok(refused)
    }
}

/// The error of a write whose key is not as it expected it.
pub(super) fn taken(expected: &Expected) -> Error {
    let condition = if *expected == Expected::Nothing { "If-None-Match" } else { "If-Match" };
    let message = format!("At least one of the pre-conditions you specified did not hold: {condition}");
    Error::new(crate::ErrorKind::PreconditionFailed, "write object", message)
}
