//! From a verified request to its operation: method, path and parameters say which, and the registry says what may come along.

use super::{
    CompleteMultipartUpload, Configuration, CopyObject, CreateMultipartUpload, DeleteObjects, GetAttributes,
    ListBuckets, ListMultipartUploads, ListObjects, ListParts, ListVersion, Names, Operation, Probe, PutConfiguration,
    PutObject, PutTagging, ReadObject, SignedBody, Upload, UploadPart, UploadPartCopy, Verb, object,
};
use crate::http::s3::error::S3Error;
use crate::http::s3::registry::{self, Place, Standing};
use actors::domain::names::{BucketName, ObjectKey};

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
    let verb = object_verb(method, query, headers)?;
    check_names(verb, query, headers)?;
    in_object(verb, bucket, key, query, headers)
}

/// Which operation on a key it is.
fn object_verb(method: &str, query: &Names, headers: &Names) -> Result<Verb, S3Error> {
    let copies = headers.contains_key("x-amz-copy-source");
    if query.contains_key("tagging") {
        return match method {
            "GET" => Ok(Verb::GetObjectTagging),
            "PUT" => Ok(Verb::PutObjectTagging),
            "DELETE" => Ok(Verb::DeleteObjectTagging),
            _ => Err(S3Error::method_not_allowed(method)),
        };
    }
    if query.contains_key("attributes") {
        return match method {
            "GET" => Ok(Verb::GetObjectAttributes),
            _ => Err(S3Error::method_not_allowed(method)),
        };
    }
    Ok(match (method, query.contains_key("uploadId"), query.contains_key("partNumber")) {
        ("GET", true, _) => Verb::ListParts,
        ("GET", false, _) => Verb::GetObject,
        ("HEAD", ..) => Verb::HeadObject,
        ("PUT", true, _) | ("PUT", _, true) if copies => Verb::UploadPartCopy,
        ("PUT", true, _) | ("PUT", _, true) => Verb::UploadPart,
        ("PUT", ..) if copies => Verb::CopyObject,
        ("PUT", ..) => Verb::PutObject,
        ("DELETE", true, _) => Verb::AbortMultipartUpload,
        ("DELETE", false, _) => Verb::DeleteObject,
        ("POST", true, _) => Verb::CompleteMultipartUpload,
        ("POST", false, _) if query.contains_key("uploads") => Verb::CreateMultipartUpload,
        _ => return Err(S3Error::method_not_allowed(method)),
    })
}

fn in_object(
    verb: Verb,
    bucket: BucketName,
    key: ObjectKey,
    query: &Names,
    headers: &Names,
) -> Result<Operation, S3Error> {
    let source = || headers.get("x-amz-copy-source").map(String::as_str).unwrap_or_default();
    Ok(match verb {
        Verb::GetObject => Operation::GetObject(ReadObject::parse(bucket, key, query, headers)?),
        Verb::HeadObject => Operation::HeadObject(ReadObject::parse(bucket, key, query, headers)?),
        Verb::CopyObject => {
            let to = PutObject::parse(bucket, key, headers)?;
            Operation::CopyObject(CopyObject::parse(to, source(), headers)?)
        }
        Verb::DeleteObject => {
            object::check_version(query)?;
            Operation::DeleteObject(bucket, key)
        }
        Verb::GetObjectAttributes => Operation::GetObjectAttributes(GetAttributes::parse(bucket, key, query, headers)?),
        Verb::GetObjectTagging => {
            object::check_version(query)?;
            Operation::GetObjectTagging(bucket, key)
        }
        Verb::PutObjectTagging => {
            object::check_version(query)?;
            Operation::PutObjectTagging(PutTagging { bucket, key, body: SignedBody::parse(headers)? })
        }
        Verb::DeleteObjectTagging => {
            object::check_version(query)?;
            Operation::DeleteObjectTagging(bucket, key)
        }
        Verb::CreateMultipartUpload => {
            let to = PutObject::parse(bucket, key, headers)?;
            Operation::CreateMultipartUpload(CreateMultipartUpload::parse(to, headers)?)
        }
        Verb::UploadPart => {
            let upload = Upload::parse(bucket, key, query)?;
            Operation::UploadPart(UploadPart::parse(upload, query, headers)?)
        }
        Verb::UploadPartCopy => {
            let upload = Upload::parse(bucket, key, query)?;
            Operation::UploadPartCopy(UploadPartCopy::parse(upload, source(), query, headers)?)
        }
        Verb::CompleteMultipartUpload => {
            let upload = Upload::parse(bucket, key, query)?;
            Operation::CompleteMultipartUpload(CompleteMultipartUpload::parse(upload, headers)?)
        }
        Verb::AbortMultipartUpload => Operation::AbortMultipartUpload(Upload::parse(bucket, key, query)?),
        Verb::ListParts => {
            let upload = Upload::parse(bucket, key, query)?;
            Operation::ListParts(ListParts::parse(upload, query)?)
        }
        _ => Operation::PutObject(PutObject::parse(bucket, key, headers)?),
    })
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
        "GET" | "PUT" | "DELETE" if Configuration::of(query).is_some() => configuration(method, query),
        "PUT" => Verb::CreateBucket,
        "HEAD" => Verb::HeadBucket,
        "DELETE" => Verb::DeleteBucket,
        "POST" if query.contains_key("delete") => Verb::DeleteObjects,
        "GET" if query.contains_key("location") => Verb::GetBucketLocation,
        "GET" if query.contains_key("uploads") => Verb::ListMultipartUploads,
        "GET" if query.contains_key("versions") => Verb::ListObjectVersions,
        "GET" => get_in_bucket(query)?,
        "POST" if Configuration::of(query).is_some() => return Err(S3Error::method_not_allowed(method)),
        "POST" => Verb::PostObject,
        _ => return Err(S3Error::method_not_allowed(method)),
    };
    check_names(verb, query, headers)?;
    Ok(match verb {
        Verb::CreateBucket => {
            bucket.check_unreserved()?;
            create_bucket_headers(headers)?;
            Operation::CreateBucket(bucket)
        }
        Verb::PostObject => Operation::PostObject(bucket),
        Verb::DeleteObjects => Operation::DeleteObjects(DeleteObjects { body: SignedBody::parse(headers)?, bucket }),
        Verb::HeadBucket => Operation::HeadBucket(bucket),
        Verb::DeleteBucket => Operation::DeleteBucket(bucket),
        Verb::GetBucketLocation => Operation::GetBucketLocation(bucket),
        Verb::Probe(probe) => Operation::ProbeBucket(bucket, probe),
        Verb::GetConfiguration(what) => Operation::GetConfiguration(bucket, what),
        Verb::PutConfiguration(what) => Operation::PutConfiguration(PutConfiguration::parse(bucket, what, headers)?),
        Verb::DeleteConfiguration(what) => Operation::DeleteConfiguration(bucket, what),
        Verb::ListMultipartUploads => Operation::ListMultipartUploads(ListMultipartUploads::parse(bucket, query)?),
        Verb::ListObjects => Operation::ListObjects(ListObjects::parse(bucket, ListVersion::V1, query)?),
        Verb::ListObjectVersions => Operation::ListObjects(ListObjects::parse(bucket, ListVersion::Versions, query)?),
        _ => Operation::ListObjects(ListObjects::parse(bucket, ListVersion::V2, query)?),
    })
}

/// What is done with the configuration that the query names.
fn configuration(method: &str, query: &Names) -> Verb {
    // The caller found one; the first that a query names counts, and `check_names` refuses the others.
    let what = Configuration::of(query).unwrap_or(Configuration::Tagging);
    match method {
        "GET" => Verb::GetConfiguration(what),
        "PUT" => Verb::PutConfiguration(what),
        _ => Verb::DeleteConfiguration(what),
    }
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

/// The PUT that the fields of a form ask for, under the rules of a PUT's headers. A field may hold what no header can: it is refused.
pub fn put_by_form(bucket: BucketName, key: ObjectKey, headers: &Names) -> Result<PutObject, S3Error> {
    let query = Names::new();
    refuse_what_is_refused(&query, headers)?;
    check_names(Verb::PutObject, &query, headers)?;
    for (name, value) in headers {
        let of_chunks = matches!(name.as_str(), "x-amz-trailer" | "x-amz-decoded-content-length");
        let token = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if of_chunks || !token || value.chars().any(char::is_control) {
            return Err(S3Error::invalid_argument(name, value, "A form cannot have this field or value"));
        }
    }
    PutObject::parse(bucket, key, headers)
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

pub(super) fn check_acl(headers: &Names, accepted: &[&str]) -> Result<(), S3Error> {
    match headers.get("x-amz-acl") {
        Some(acl) if !accepted.contains(&acl.as_str()) => Err(S3Error::new(
            "AccessControlListNotSupported",
            actix_web::http::StatusCode::BAD_REQUEST,
            "The bucket does not allow ACLs",
        )),
        _ => Ok(()),
    }
}
