//! A request that was read once: what is signed, what it asks for, and whether it brings credentials, before anybody looks at whose.

use super::{Denied, PayloadHash, Refusal, Verified, canonical, is_version_2, presigned};
use super::{Pair, RawRequest};
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{self, Operation};
use actors::domain::iam::principal::Principal;
use std::collections::BTreeMap;

/// A request's path and query, each escape undone once, and the operation that they are.
#[derive(Debug)]
pub struct Parsed {
    /// The path that is signed, decoded.
    pub(super) path: Vec<u8>,
    /// The parameters, decoded, in the order they came.
    pub(super) query: Vec<Pair>,
    /// The bucket that the host names.
    host_bucket: Option<String>,
    credentials: bool,
    asked: Result<Asked, Unread>,
}

/// What a request asks for.
#[derive(Debug)]
struct Asked {
    operation: Operation,
    query: BTreeMap<String, String>,
    amz_headers: BTreeMap<String, String>,
}

/// Why a request is none.
#[derive(Debug)]
enum Unread {
    /// Its parameters or headers contradict one another.
    Refusal(Refusal),
    /// S3 has no such operation.
    Request(S3Error),
}

impl Parsed {
    /// Reads a request; an error where its URI does not decode.
    pub fn new(raw: &RawRequest<'_>) -> Result<Self, Refusal> {
        let (path, query) = (raw.decoded_path()?, raw.decoded_query()?);
        let credentials = raw.has("authorization") || presigned::is_present(&query) || is_version_2(&query);
        let host_bucket = raw.bucket.map(str::to_owned);
        let asked = names(raw, &query).map_err(Unread::Refusal).and_then(|(names, amz_headers)| {
            let full = match raw.bucket {
                None => operation::parse(raw.method, &path, &names, &amz_headers),
                Some(bucket) => {
                    operation::parse(raw.method, &[b"/", bucket.as_bytes(), &path].concat(), &names, &amz_headers)
                }
            };
            full.map(|operation| Asked { operation, query: names, amz_headers }).map_err(Unread::Request)
        });
        Ok(Self { path, query, host_bucket, credentials, asked })
    }

    /// The operation; `None` where the request is none that anybody could be allowed.
    pub fn operation(&self) -> Option<&Operation> {
        self.asked.as_ref().ok().map(|asked| &asked.operation)
    }

    /// Whether it brings credentials of any kind, good or bad.
    pub fn has_credentials(&self) -> bool {
        self.credentials
    }

    /// The bucket and key that its path names, whether or not it is an operation; empty where there is none.
    pub fn named(&self) -> (&str, &str) {
        let path = std::str::from_utf8(&self.path).unwrap_or_default();
        let path = path.strip_prefix('/').unwrap_or(path);
        match &self.host_bucket {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        }
    }

    /// What it proved to be.
    pub(super) fn verified(
        self,
        principal: Principal,
        access_key_id: Option<String>,
        payload: PayloadHash,
    ) -> Result<Verified, Denied> {
        match self.asked {
            Ok(Asked { operation, query, amz_headers }) => {
                Ok(Verified { principal, access_key_id, operation, query, amz_headers, payload })
            }
            Err(Unread::Refusal(refusal)) => Err(Denied::Credentials(refusal)),
            Err(Unread::Request(error)) => Err(Denied::Request(principal, error)),
        }
    }
}

/// The parameters, and the `x-amz-*` headers with those that the query carries in their place.
#[allow(clippy::type_complexity)] // Two maps of the same kind, named by the caller at once.
fn names(raw: &RawRequest<'_>, sent: &[Pair]) -> Result<(BTreeMap<String, String>, BTreeMap<String, String>), Refusal> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, _) in raw.headers.iter().filter(|(name, _)| name.starts_with("x-amz-")) {
        let value = String::from_utf8(canonical::header_value(raw.values(name)))
            .map_err(|_| Refusal::Ambiguous("The value of an x-amz-* header is not UTF-8"))?;
        headers.insert((*name).to_owned(), value);
    }
    let mut query = BTreeMap::new();
    let hollow = presigned::sums_nothing(sent);
    let is_read = |(name, value): &&Pair| {
        !(presigned::is_credential(name) || hollow && presigned::belongs_to_sum_of_nothing(name, value))
    };
    for (name, value) in sent.iter().filter(is_read) {
        let text =
            |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).map_err(|_| Refusal::BadUri("the query is not UTF-8"));
        let (name, value) = (text(name)?, text(value)?);
        let lower = name.to_ascii_lowercase();
        let taken = if lower.starts_with("x-amz-") { headers.insert(lower, value) } else { query.insert(name, value) };
        if taken.is_some() {
            return Err(Refusal::Ambiguous("A parameter may be sent once only, and not as a header too"));
        }
    }
    Ok((query, headers))
}
