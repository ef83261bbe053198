//! What request is this: one enum for every operation, parsed once from what was verified.
//!
//! Path-style addressing: the first component of the decoded path is the bucket, the rest is the key, verbatim.

use super::error::S3Error;
use super::registry::{self, Place, Standing};
use actors::domain::names::{BucketName, ObjectKey};
use std::collections::BTreeMap;

mod body;
mod copy;
mod listing;
mod object;
mod probe;
#[cfg(test)]
mod tests;

pub use body::SignedBody;
pub use copy::{CopyObject, Source};
pub use listing::{ListBuckets, ListObjects, ListVersion, write_token};
pub use object::{DeleteObjects, Overrides, PutObject, ReadObject};
pub use probe::Probe;

/// Decoded names and values.
pub type Names = BTreeMap<String, String>;

/// The operations, as the registry names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `HEAD /`: a probe that some clients send.
    HeadService,
    /// `GET /`.
    ListBuckets,
    /// `PUT /bucket`.
    CreateBucket,
    /// `HEAD /bucket`.
    HeadBucket,
    /// `DELETE /bucket`.
    DeleteBucket,
    /// `GET /bucket?location`.
    GetBucketLocation,
    /// `GET /bucket`.
    ListObjects,
    /// `GET /bucket?list-type=2`.
    ListObjectsV2,
    /// `GET /bucket?versions`.
    ListObjectVersions,
    /// `GET` of a configuration that no bucket has.
    Probe(Probe),
    /// `PUT /bucket/key`.
    PutObject,
    /// `PUT /bucket/key` with `x-amz-copy-source`.
    CopyObject,
    /// `GET /bucket/key`.
    GetObject,
    /// `HEAD /bucket/key`.
    HeadObject,
    /// `DELETE /bucket/key`.
    DeleteObject,
    /// `POST /bucket?delete`.
    DeleteObjects,
}

impl Verb {
    /// Its name, as AWS has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeadService => "HeadService",
            Self::ListBuckets => "ListBuckets",
            Self::CreateBucket => "CreateBucket",
            Self::HeadBucket => "HeadBucket",
            Self::DeleteBucket => "DeleteBucket",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::ListObjectVersions => "ListObjectVersions",
            Self::Probe(probe) => probe.name(),
            Self::PutObject => "PutObject",
            Self::CopyObject => "CopyObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteObjects => "DeleteObjects",
        }
    }
}

/// A request, with everything that the signature covers. What a client may leave unsigned (`Range`, `If-*`, `Content-Type`, …)
/// is not in it and cannot change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `HEAD /`.
    HeadService,
    /// The caller's buckets.
    ListBuckets(ListBuckets),
    /// Makes a bucket.
    CreateBucket(BucketName),
    /// Is it there?
    HeadBucket(BucketName),
    /// Removes an empty bucket.
    DeleteBucket(BucketName),
    /// Where it is.
    GetBucketLocation(BucketName),
    /// A configuration that no bucket has.
    ProbeBucket(BucketName, Probe),
    /// A page of keys, version 1 or 2, or of versions.
    ListObjects(ListObjects),
    /// Stores a body.
    PutObject(PutObject),
    /// Stores what another object holds.
    CopyObject(CopyObject),
    /// Reads an object.
    GetObject(ReadObject),
    /// The same without the body.
    HeadObject(ReadObject),
    /// Removes an object.
    DeleteObject(BucketName, ObjectKey),
    /// Removes the objects that the body names.
    DeleteObjects(DeleteObjects),
}

impl Operation {
    /// Its name.
    pub fn verb(&self) -> Verb {
        match self {
            Self::HeadService => Verb::HeadService,
            Self::ListBuckets(_) => Verb::ListBuckets,
            Self::CreateBucket(_) => Verb::CreateBucket,
            Self::HeadBucket(_) => Verb::HeadBucket,
            Self::DeleteBucket(_) => Verb::DeleteBucket,
            Self::GetBucketLocation(_) => Verb::GetBucketLocation,
            Self::ProbeBucket(_, probe) => Verb::Probe(*probe),
            Self::ListObjects(list) => match list.version {
                ListVersion::V1 => Verb::ListObjects,
                ListVersion::V2 => Verb::ListObjectsV2,
                ListVersion::Versions => Verb::ListObjectVersions,
            },
            Self::PutObject(_) => Verb::PutObject,
            Self::CopyObject(_) => Verb::CopyObject,
            Self::GetObject(_) => Verb::GetObject,
            Self::HeadObject(_) => Verb::HeadObject,
            Self::DeleteObject(..) => Verb::DeleteObject,
            Self::DeleteObjects(_) => Verb::DeleteObjects,
        }
    }

    /// The bucket that it names.
    pub fn bucket(&self) -> Option<&BucketName> {
        match self {
            Self::HeadService | Self::ListBuckets(_) => None,
            Self::CreateBucket(bucket)
            | Self::HeadBucket(bucket)
            | Self::DeleteBucket(bucket)
            | Self::GetBucketLocation(bucket)
            | Self::ProbeBucket(bucket, _)
            | Self::DeleteObject(bucket, _) => Some(bucket),
            Self::ListObjects(list) => Some(&list.bucket),
            Self::DeleteObjects(delete) => Some(&delete.bucket),
            Self::PutObject(put) => Some(&put.bucket),
            Self::CopyObject(copy) => Some(&copy.to.bucket),
            Self::GetObject(read) | Self::HeadObject(read) => Some(&read.bucket),
        }
    }

    /// The key that it names.
    pub fn key(&self) -> Option<&ObjectKey> {
        match self {
            Self::PutObject(put) => Some(&put.key),
            Self::CopyObject(copy) => Some(&copy.to.key),
            Self::GetObject(read) | Self::HeadObject(read) => Some(&read.key),
            Self::DeleteObject(_, key) => Some(key),
            _ => None,
        }
    }
}

/// Reads the operation from the decoded path, the parameters and the `x-amz-*` headers.
pub fn parse(method: &str, path: &[u8], query: &Names, headers: &Names) -> Result<Operation, S3Error> {
    let path = std::str::from_utf8(path)
        .map_err(|_| S3Error::invalid_uri("Couldn't parse the specified URI: it is not UTF-8."))?;
    let path = path.strip_prefix('/').ok_or_else(|| S3Error::invalid_uri("Couldn't parse the specified URI."))?;
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    refuse_what_is_refused(query, headers)?;
    if path.is_empty() {
        return service(method, query, headers);
    }
    let bucket = BucketName::new(bucket)?;
    if key.is_empty() {
        return in_bucket(method, bucket, query, headers);
    }
    let key = ObjectKey::new(key)?;
    match method {
        "GET" => read(Verb::GetObject, bucket, key, query, headers).map(Operation::GetObject),
        "HEAD" => read(Verb::HeadObject, bucket, key, query, headers).map(Operation::HeadObject),
        "PUT" => match headers.get("x-amz-copy-source") {
            None => {
                check_names(Verb::PutObject, query, headers)?;
                PutObject::parse(bucket, key, headers).map(Operation::PutObject)
            }
            Some(source) => {
                check_names(Verb::CopyObject, query, headers)?;
                let to = PutObject::parse(bucket, key, headers)?;
                CopyObject::parse(to, source, headers).map(Operation::CopyObject)
            }
        },
        "DELETE" => {
            check_names(Verb::DeleteObject, query, headers)?;
            object::check_version(query)?;
            Ok(Operation::DeleteObject(bucket, key))
        }
        _ => Err(S3Error::method_not_allowed(method)),
    }
}

fn service(method: &str, query: &Names, headers: &Names) -> Result<Operation, S3Error> {
    match method {
        "HEAD" => {
            check_names(Verb::HeadService, query, headers)?;
            Ok(Operation::HeadService)
        }
        "GET" => {
            check_names(Verb::ListBuckets, query, headers)?;
            ListBuckets::parse(query).map(Operation::ListBuckets)
        }
        _ => Err(S3Error::method_not_allowed(method)),
    }
}

fn in_bucket(method: &str, bucket: BucketName, query: &Names, headers: &Names) -> Result<Operation, S3Error> {
    let verb = match method {
        "PUT" => Verb::CreateBucket,
        "HEAD" => Verb::HeadBucket,
        "DELETE" => Verb::DeleteBucket,
        "POST" if query.contains_key("delete") => Verb::DeleteObjects,
        "GET" if query.contains_key("location") => Verb::GetBucketLocation,
        "GET" if query.contains_key("versions") => Verb::ListObjectVersions,
        "GET" => get_in_bucket(query)?,
        _ => return Err(S3Error::method_not_allowed(method)),
    };
    check_names(verb, query, headers)?;
    Ok(match verb {
        Verb::CreateBucket => {
            create_bucket_headers(headers)?;
            Operation::CreateBucket(bucket)
        }
        Verb::DeleteObjects => Operation::DeleteObjects(DeleteObjects { body: SignedBody::parse(headers)?, bucket }),
        Verb::HeadBucket => Operation::HeadBucket(bucket),
        Verb::DeleteBucket => Operation::DeleteBucket(bucket),
        Verb::GetBucketLocation => Operation::GetBucketLocation(bucket),
        Verb::Probe(probe) => Operation::ProbeBucket(bucket, probe),
        Verb::ListObjects => Operation::ListObjects(ListObjects::parse(bucket, ListVersion::V1, query)?),
        Verb::ListObjectVersions => Operation::ListObjects(ListObjects::parse(bucket, ListVersion::Versions, query)?),
        _ => Operation::ListObjects(ListObjects::parse(bucket, ListVersion::V2, query)?),
    })
}

/// A probe, or a listing.
fn get_in_bucket(query: &Names) -> Result<Verb, S3Error> {
    if let Some(probe) = Probe::ALL.into_iter().find(|probe| query.contains_key(probe.parameter())) {
        return Ok(Verb::Probe(probe));
    }
    match query.get("list-type").map(String::as_str) {
        None => Ok(Verb::ListObjects),
        Some("2") => Ok(Verb::ListObjectsV2),
        Some(other) => Err(S3Error::invalid_argument("list-type", other, "Invalid List Type specified in Request")),
    }
}

fn read(verb: Verb, bucket: BucketName, key: ObjectKey, query: &Names, headers: &Names) -> Result<ReadObject, S3Error> {
    check_names(verb, query, headers)?;
    ReadObject::parse(bucket, key, query, headers)
}

/// What the registry refuses is refused whatever the operation.
fn refuse_what_is_refused(query: &Names, headers: &Names) -> Result<(), S3Error> {
    for (place, name) in names(query, headers) {
        match registry::standing(place, name) {
            Some(Standing::Refused(what)) => return Err(S3Error::not_implemented(&format!("{what} ({name})"))),
            None => {
                return Err(S3Error::invalid_argument(name, "", format!("'{name}' is not a parameter of S3")));
            }
            Some(Standing::Honoured(_) | Standing::Echoed(_) | Standing::Unconfigured(..) | Standing::Noise) => {}
        }
    }
    Ok(())
}

/// What the registry honours for other operations only is an error here.
fn check_names(verb: Verb, query: &Names, headers: &Names) -> Result<(), S3Error> {
    for (place, name) in names(query, headers) {
        match registry::standing(place, name) {
            Some(Standing::Honoured(verbs) | Standing::Echoed(verbs)) if !verbs.contains(&verb) => {
                let message = format!("'{name}' is not a parameter of this operation");
                return Err(S3Error::invalid_argument(name, "", message));
            }
            Some(Standing::Unconfigured(probe, what)) if verb != Verb::Probe(probe) => {
                return Err(S3Error::not_implemented(&format!("{what} ({name})")));
            }
            _ => {}
        }
    }
    Ok(())
}

fn names<'a>(query: &'a Names, headers: &'a Names) -> impl Iterator<Item = (Place, &'a String)> {
    query.keys().map(|name| (Place::Query, name)).chain(headers.keys().map(|name| (Place::Header, name)))
}

/// Values that say what holds anyway pass; others ask for something that is not there.
fn create_bucket_headers(headers: &Names) -> Result<(), S3Error> {
    check_acl(headers, &["private"])?;
    match headers.get("x-amz-object-ownership").map(String::as_str) {
        None | Some("BucketOwnerEnforced") => {}
        Some(_) => return Err(S3Error::not_implemented("object ownership other than BucketOwnerEnforced")),
    }
    match headers.get("x-amz-bucket-object-lock-enabled").map(|value| value.eq_ignore_ascii_case("true")) {
        Some(true) => Err(S3Error::not_implemented("object lock")),
        _ => Ok(()),
    }
}

fn check_acl(headers: &Names, accepted: &[&str]) -> Result<(), S3Error> {
    match headers.get("x-amz-acl") {
        Some(acl) if !accepted.contains(&acl.as_str()) => Err(S3Error::new(
            "AccessControlListNotSupported",
            actix_web::http::StatusCode::BAD_REQUEST,
            "The bucket does not allow ACLs",
        )),
        _ => Ok(()),
    }
}
