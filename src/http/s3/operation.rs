//! What request is this: one enum for every operation, parsed once from what was verified.
//!
//! Path-style addressing: the first component of the decoded path is the bucket, the rest is the key, verbatim.

use super::error::S3Error;
use actors::domain::names::{BucketName, ObjectKey};
use std::collections::BTreeMap;

mod attributes;
mod body;
mod configuration;
mod copy;
mod listing;
mod multipart;
mod object;
mod parse;
mod probe;
mod tagging;
#[cfg(test)]
mod tests;
mod verb;

pub use attributes::{Attribute, GetAttributes};
pub use body::SignedBody;
pub use configuration::{Configuration, PutConfiguration};
pub use copy::{CopyObject, Source};
pub use listing::{ListBuckets, ListObjects, ListVersion, write_token};
pub use multipart::{
    CompleteMultipartUpload, CreateMultipartUpload, ListMultipartUploads, ListParts, Upload, UploadPart, UploadPartCopy,
};
pub use object::{DeleteObjects, Overrides, PutObject, ReadObject, check_metadata_size};
pub use parse::{parse, put_by_form};
pub use probe::Probe;
pub use tagging::PutTagging;
pub use verb::Verb;

/// Decoded names and values.
pub type Names = BTreeMap<String, String>;

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
    /// What a bucket is configured with.
    GetConfiguration(BucketName, Configuration),
    /// Configures a bucket.
    PutConfiguration(PutConfiguration),
    /// Takes a configuration away.
    DeleteConfiguration(BucketName, Configuration),
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
    /// What is known of an object, as a document.
    GetObjectAttributes(GetAttributes),
    /// The tags of an object.
    GetObjectTagging(BucketName, ObjectKey),
    /// Other tags for an object.
    PutObjectTagging(PutTagging),
    /// No tags for an object.
    DeleteObjectTagging(BucketName, ObjectKey),
    /// Stores the file of a form, which says in its fields as what.
    PostObject(BucketName),
    /// Removes the objects that the body names.
    DeleteObjects(DeleteObjects),
    /// Begins an upload in parts.
    CreateMultipartUpload(CreateMultipartUpload),
    /// Stores a part.
    UploadPart(UploadPart),
    /// Stores what another object holds as a part.
    UploadPartCopy(UploadPartCopy),
    /// Makes an object of parts.
    CompleteMultipartUpload(CompleteMultipartUpload),
    /// Drops an upload and its parts.
    AbortMultipartUpload(Upload),
    /// A page of an upload's parts.
    ListParts(ListParts),
    /// A page of a bucket's uploads.
    ListMultipartUploads(ListMultipartUploads),
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
            Self::GetConfiguration(_, what) => Verb::GetConfiguration(*what),
            Self::PutConfiguration(put) => Verb::PutConfiguration(put.what),
            Self::DeleteConfiguration(_, what) => Verb::DeleteConfiguration(*what),
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
            Self::GetObjectAttributes(_) => Verb::GetObjectAttributes,
            Self::GetObjectTagging(..) => Verb::GetObjectTagging,
            Self::PutObjectTagging(_) => Verb::PutObjectTagging,
            Self::DeleteObjectTagging(..) => Verb::DeleteObjectTagging,
            Self::PostObject(_) => Verb::PostObject,
            Self::DeleteObjects(_) => Verb::DeleteObjects,
            Self::CreateMultipartUpload(_) => Verb::CreateMultipartUpload,
            Self::UploadPart(_) => Verb::UploadPart,
            Self::UploadPartCopy(_) => Verb::UploadPartCopy,
            Self::CompleteMultipartUpload(_) => Verb::CompleteMultipartUpload,
            Self::AbortMultipartUpload(_) => Verb::AbortMultipartUpload,
            Self::ListParts(_) => Verb::ListParts,
            Self::ListMultipartUploads(_) => Verb::ListMultipartUploads,
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
            | Self::PostObject(bucket)
            | Self::ProbeBucket(bucket, _)
            | Self::GetConfiguration(bucket, _)
            | Self::DeleteConfiguration(bucket, _)
            | Self::DeleteObject(bucket, _)
            | Self::GetObjectTagging(bucket, _)
            | Self::DeleteObjectTagging(bucket, _) => Some(bucket),
            Self::PutConfiguration(put) => Some(&put.bucket),
            Self::GetObjectAttributes(wanted) => Some(&wanted.bucket),
            Self::PutObjectTagging(put) => Some(&put.bucket),
            Self::ListObjects(list) => Some(&list.bucket),
            Self::DeleteObjects(delete) => Some(&delete.bucket),
            Self::PutObject(put) => Some(&put.bucket),
            Self::CopyObject(copy) => Some(&copy.to.bucket),
            Self::GetObject(read) | Self::HeadObject(read) => Some(&read.bucket),
            Self::CreateMultipartUpload(create) => Some(&create.to.bucket),
            Self::ListMultipartUploads(list) => Some(&list.bucket),
            Self::UploadPart(UploadPart { upload, .. })
            | Self::UploadPartCopy(UploadPartCopy { upload, .. })
            | Self::CompleteMultipartUpload(CompleteMultipartUpload { upload, .. })
            | Self::AbortMultipartUpload(upload)
            | Self::ListParts(ListParts { upload, .. }) => Some(&upload.bucket),
        }
    }

    /// The key that it names.
    pub fn key(&self) -> Option<&ObjectKey> {
        match self {
            Self::PutObject(put) => Some(&put.key),
            Self::CopyObject(copy) => Some(&copy.to.key),
            Self::GetObject(read) | Self::HeadObject(read) => Some(&read.key),
            Self::DeleteObject(_, key) | Self::GetObjectTagging(_, key) | Self::DeleteObjectTagging(_, key) => {
                Some(key)
            }
            Self::PutObjectTagging(put) => Some(&put.key),
            Self::GetObjectAttributes(wanted) => Some(&wanted.key),
            Self::CreateMultipartUpload(create) => Some(&create.to.key),
            Self::UploadPart(UploadPart { upload, .. })
            | Self::UploadPartCopy(UploadPartCopy { upload, .. })
            | Self::CompleteMultipartUpload(CompleteMultipartUpload { upload, .. })
            | Self::AbortMultipartUpload(upload)
            | Self::ListParts(ListParts { upload, .. }) => Some(&upload.key),
            _ => None,
        }
    }
}
