//! Which permission an operation needs: the one map from operations to AWS's action names and resources.

use super::operation::{Configuration, ListMultipartUploads, ListObjects, ListVersion, Operation, Probe, Source};
use actors::domain::iam::context::{ListParameters, Resource};
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::tags::Tags;

/// What must be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed<'a> {
    /// An AWS action name.
    pub action: &'static str,
    /// On what.
    pub resource: Resource<'a>,
}

/// The permissions of an operation, all of which are needed (AWS: "Required permissions for Amazon S3 API operations").
pub fn needed(operation: &Operation) -> Vec<Needed<'_>> {
    let action = match operation {
        Operation::HeadService | Operation::ListBuckets(_) => "s3:ListAllMyBuckets",
        Operation::CreateBucket(_) => "s3:CreateBucket",
        Operation::DeleteBucket(_) => "s3:DeleteBucket",
        Operation::ListObjects(list) if list.version == ListVersion::Versions => "s3:ListBucketVersions",
        Operation::HeadBucket(_) | Operation::ListObjects(_) => "s3:ListBucket",
        Operation::ProbeBucket(_, asked) => probe(*asked),
        Operation::GetConfiguration(_, what) => configuration(*what).0,
        Operation::PutConfiguration(put) => configuration(put.what).1,
        Operation::DeleteConfiguration(_, what) => configuration(*what).1,
        Operation::GetBucketLocation(_) => "s3:GetBucketLocation",
        Operation::PutObject(put) if !put.tags.is_empty() => return tagged(&put.bucket, &put.key),
        Operation::CreateMultipartUpload(create) if !create.to.tags.is_empty() => {
            return tagged(&create.to.bucket, &create.to.key);
        }
        Operation::PutObject(_)
        | Operation::CreateMultipartUpload(_)
        | Operation::UploadPart(_)
        | Operation::CompleteMultipartUpload(_) => "s3:PutObject",
        Operation::AbortMultipartUpload(_) => "s3:AbortMultipartUpload",
        Operation::ListParts(_) => "s3:ListMultipartUploadParts",
        Operation::ListMultipartUploads(_) => "s3:ListBucketMultipartUploads",
        // A version of a bucket without versions is the object itself, so a rule about the object is a rule about it.
        Operation::GetObject(_) | Operation::HeadObject(_) => "s3:GetObject",
        Operation::DeleteObject(bucket, key) => return vec![delete(bucket, key)],
        Operation::CopyObject(copy) => {
            let mut needed = both(&copy.to.bucket, &copy.to.key, &copy.source);
            if copy.replace_tags && !copy.to.tags.is_empty() {
                needed.push(tag(&copy.to.bucket, &copy.to.key));
            }
            return needed;
        }
        Operation::UploadPartCopy(copy) => return both(&copy.upload.bucket, &copy.upload.key, &copy.source),
        // AWS asks for both: who may not read an object does not learn of its checksum.
        Operation::GetObjectAttributes(wanted) => {
            let resource = Resource::object(wanted.bucket.as_str(), wanted.key.as_str());
            return ["s3:GetObject", "s3:GetObjectAttributes"].map(|action| Needed { action, resource }).to_vec();
        }
        Operation::GetObjectTagging(..) => "s3:GetObjectTagging",
        Operation::DeleteObjectTagging(..) => "s3:DeleteObjectTagging",
        // Decided when the form was read.
        Operation::PostObject(_) => return Vec::new(),
        // Decided key by key: see `delete`.
        Operation::DeleteObjects(_) => return Vec::new(),
        // Decided when the tags are read, which a rule may be about: see `tag`.
        Operation::PutObjectTagging(_) => return Vec::new(),
    };
    let resource = match (operation.bucket(), operation.key()) {
        (Some(bucket), Some(key)) => Resource::object(bucket.as_str(), key.as_str()),
        (Some(bucket), None) => Resource::bucket(bucket.as_str()),
        (None, _) => Resource::NONE,
    };
    vec![Needed { action, resource }]
}

/// A copy reads one object and writes another.
fn both<'a>(bucket: &'a BucketName, key: &'a ObjectKey, from: &'a Source) -> Vec<Needed<'a>> {
    vec![
        Needed { action: "s3:PutObject", resource: Resource::object(bucket.as_str(), key.as_str()) },
        Needed { action: "s3:GetObject", resource: Resource::object(from.bucket.as_str(), from.key.as_str()) },
    ]
}

/// A write that brings tags needs the right to set them.
fn tagged<'a>(bucket: &'a BucketName, key: &'a ObjectKey) -> Vec<Needed<'a>> {
    let write = Needed { action: "s3:PutObject", resource: Resource::object(bucket.as_str(), key.as_str()) };
    vec![write, tag(bucket, key)]
}

/// The permission to set tags.
pub fn tag<'a>(bucket: &'a BucketName, key: &'a ObjectKey) -> Needed<'a> {
    Needed { action: "s3:PutObjectTagging", resource: Resource::object(bucket.as_str(), key.as_str()) }
}

/// The permissions to carry the tags of a source over to its copy.
pub fn carry_tags<'a>(bucket: &'a BucketName, key: &'a ObjectKey, from: &'a Source) -> [Needed<'a>; 2] {
    let read = Resource::object(from.bucket.as_str(), from.key.as_str());
    [tag(bucket, key), Needed { action: "s3:GetObjectTagging", resource: read }]
}

/// The tags that a request brings in its head; rules may be about them.
pub fn request_tags(operation: &Operation) -> Tags {
    match operation {
        Operation::PutObject(put) => put.tags.clone(),
        Operation::CopyObject(copy) => copy.to.tags.clone(),
        Operation::CreateMultipartUpload(create) => create.to.tags.clone(),
        _ => Tags::new(),
    }
}

/// The permission to delete one key, alone or among others.
pub fn delete<'a>(bucket: &'a BucketName, key: &'a ObjectKey) -> Needed<'a> {
    Needed { action: "s3:DeleteObject", resource: Resource::object(bucket.as_str(), key.as_str()) }
}

/// The permissions to read what a bucket is configured with, and to put or remove it.
fn configuration(what: Configuration) -> (&'static str, &'static str) {
    match what {
        Configuration::Tagging => ("s3:GetBucketTagging", "s3:PutBucketTagging"),
        Configuration::Cors => ("s3:GetBucketCORS", "s3:PutBucketCORS"),
        Configuration::Lifecycle => ("s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    }
}

/// The permission to read a configuration of a bucket.
fn probe(probe: Probe) -> &'static str {
    match probe {
        Probe::Acl => "s3:GetBucketAcl",
        Probe::Policy => "s3:GetBucketPolicy",
        Probe::PolicyStatus => "s3:GetBucketPolicyStatus",
        Probe::PublicAccessBlock => "s3:GetBucketPublicAccessBlock",
        Probe::OwnershipControls => "s3:GetBucketOwnershipControls",
        Probe::Encryption => "s3:GetEncryptionConfiguration",
        Probe::Website => "s3:GetBucketWebsite",
        Probe::Logging => "s3:GetBucketLogging",
        Probe::Replication => "s3:GetReplicationConfiguration",
        Probe::Notification => "s3:GetBucketNotification",
        Probe::Accelerate => "s3:GetAccelerateConfiguration",
        Probe::RequestPayment => "s3:GetBucketRequestPayment",
        Probe::Versioning => "s3:GetBucketVersioning",
        Probe::ObjectLock => "s3:GetBucketObjectLockConfiguration",
    }
}

/// Whether it is a listing under a prefix.
pub fn is_listing(operation: &Operation) -> bool {
    matches!(operation, Operation::ListObjects(_) | Operation::ListMultipartUploads(_))
}

/// What `s3:prefix` and its like are compared with.
pub fn list_parameters(operation: &Operation) -> ListParameters {
    match operation {
        Operation::ListObjects(ListObjects { prefix, delimiter, max_keys, .. }) => ListParameters {
            prefix: prefix.clone(),
            delimiter: (!delimiter.is_empty()).then(|| delimiter.clone()),
            max_keys: u64::try_from(*max_keys).ok(),
        },
        Operation::ListMultipartUploads(ListMultipartUploads { prefix, delimiter, .. }) => ListParameters {
            prefix: prefix.clone(),
            delimiter: (!delimiter.is_empty()).then(|| delimiter.clone()),
            max_keys: None,
        },
        _ => ListParameters::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::operation::{Names, parse};

    #[test]
    fn each_operation_needs_its_aws_action_on_its_decoded_resource() {
        let rows = [
            ("GET", "/", "s3:ListAllMyBuckets", Resource::NONE),
            ("PUT", "/bkt", "s3:CreateBucket", Resource::bucket("bkt")),
            ("DELETE", "/bkt", "s3:DeleteBucket", Resource::bucket("bkt")),
            ("HEAD", "/bkt", "s3:ListBucket", Resource::bucket("bkt")),
            ("GET", "/bkt", "s3:ListBucket", Resource::bucket("bkt")),
            ("PUT", "/bkt/secret/x", "s3:PutObject", Resource::object("bkt", "secret/x")),
            ("GET", "/bkt/secret/x", "s3:GetObject", Resource::object("bkt", "secret/x")),
            ("HEAD", "/bkt/k", "s3:GetObject", Resource::object("bkt", "k")),
            ("DELETE", "/bkt/k", "s3:DeleteObject", Resource::object("bkt", "k")),
        ];
        for (method, path, action, resource) in rows {
            let operation = parse(method, path.as_bytes(), &Names::new(), &Names::new()).unwrap();
            assert_eq!(needed(&operation), [Needed { action, resource }], "{method} {path}");
        }
    }

    #[test]
    fn a_copy_needs_both_sides() {
        let headers = [("x-amz-copy-source".to_owned(), "other/secret%2Fx".to_owned())].into();
        let part = [("partNumber".to_owned(), "1".to_owned()), ("uploadId".to_owned(), "u".to_owned())].into();
        for query in [Names::new(), part] {
            let operation = parse("PUT", b"/bkt/k", &query, &headers).unwrap();
            let to = Needed { action: "s3:PutObject", resource: Resource::object("bkt", "k") };
            let from = Needed { action: "s3:GetObject", resource: Resource::object("other", "secret/x") };
            assert_eq!(needed(&operation), [to, from]);
        }
    }

    #[test]
    fn an_upload_in_parts_needs_what_aws_names() {
        let rows = [
            ("POST", "uploads", "s3:PutObject"),
            ("POST", "uploadId", "s3:PutObject"),
            ("DELETE", "uploadId", "s3:AbortMultipartUpload"),
            ("GET", "uploadId", "s3:ListMultipartUploadParts"),
        ];
        for (method, parameter, action) in rows {
            let query = [(parameter.to_owned(), String::new())].into();
            let operation = parse(method, b"/bkt/secret/x", &query, &Names::new()).unwrap();
            let resource = Resource::object("bkt", "secret/x");
            assert_eq!(needed(&operation), [Needed { action, resource }], "{method} {parameter}");
        }
        let query = [("uploads".to_owned(), String::new())].into();
        let operation = parse("GET", b"/bkt", &query, &Names::new()).unwrap();
        let (action, resource) = ("s3:ListBucketMultipartUploads", Resource::bucket("bkt"));
        assert_eq!(needed(&operation), [Needed { action, resource }]);
    }

    #[test]
    fn a_batch_is_decided_key_by_key() {
        let query = [("delete".to_owned(), String::new())].into();
        let operation = parse("POST", b"/bkt", &query, &Names::new()).unwrap();
        assert_eq!(needed(&operation), []);
        let (bucket, key) = (BucketName::new("bkt").unwrap(), ObjectKey::new("k").unwrap());
        let resource = Resource::object("bkt", "k");
        assert_eq!(delete(&bucket, &key), Needed { action: "s3:DeleteObject", resource });
    }
}
