//! Everything a client may ask of S3, and whether this server honours it, echoes it or refuses it. Nothing is ignored silently.
//!
//! `operation.rs` asks this table for each query parameter and each `x-amz-*` header; the documentation is made from it.

pub mod operations;

use super::operation::{Configuration, Probe, Verb};

/// Where a name stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A parameter of the query.
    Query,
    /// A header, or a parameter that stands for one in a presigned URL.
    Header,
}

/// What the server does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does what AWS says, for these operations; for any other it is 400.
    Honoured(&'static [Verb]),
    /// It is stored with the object, and given back as it came.
    Echoed(&'static [Verb]),
    /// It changes nothing on AWS either, whatever the operation.
    Noise,
    /// A `GET` of the bucket is told, as by AWS, that nothing is configured; all else is 501.
    Unconfigured(Probe, &'static str),
    /// 501 `NotImplemented`: the operation or feature that it stands for.
    Refused(&'static str),
}

/// One row. A name that ends in `*` stands for all that begin with it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Query or header.
    pub place: Place,
    /// The name; headers in lower case.
    pub name: &'static str,
    /// What is done with it.
    pub standing: Standing,
}

/// What the table says of a name; `None` for one that it does not have.
pub fn standing(place: Place, name: &str) -> Option<Standing> {
    let matches = |row: &&Row| match row.name.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => row.name == name,
    };
    TABLE.iter().filter(|row| row.place == place).find(matches).map(|row| row.standing)
}

use Standing::{Echoed, Honoured, Noise, Refused, Unconfigured};
use Verb::{
    AbortMultipartUpload, CompleteMultipartUpload, CopyObject, CreateBucket, CreateMultipartUpload,
    DeleteConfiguration, DeleteObject, DeleteObjectTagging, DeleteObjects, GetBucketLocation, GetConfiguration,
    GetObject, GetObjectAttributes, GetObjectTagging, HeadObject, ListBuckets, ListMultipartUploads,
    ListObjectVersions, ListObjects, ListObjectsV2, ListParts, PutConfiguration, PutObject, PutObjectTagging,
    UploadPart, UploadPartCopy,
};

const PAGES: &[Verb] = &[ListObjects, ListObjectsV2, ListObjectVersions];
const LISTS: &[Verb] = &[ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads];
const VERSIONS: &[Verb] = &[ListObjectVersions];
const READS: &[Verb] = &[GetObject, HeadObject];
const OBJECTS: &[Verb] = &[
    GetObject,
    HeadObject,
    DeleteObject,
    GetObjectAttributes,
    GetObjectTagging,
    PutObjectTagging,
    DeleteObjectTagging,
];
const TAGGING: &[Verb] = &[
    GetObjectTagging,
    PutObjectTagging,
    DeleteObjectTagging,
    GetConfiguration(Configuration::Tagging),
    PutConfiguration(Configuration::Tagging),
    DeleteConfiguration(Configuration::Tagging),
];
const CORS: &[Verb] = &[
    GetConfiguration(Configuration::Cors),
    PutConfiguration(Configuration::Cors),
    DeleteConfiguration(Configuration::Cors),
];
const LIFECYCLE: &[Verb] = &[
    GetConfiguration(Configuration::Lifecycle),
    PutConfiguration(Configuration::Lifecycle),
    DeleteConfiguration(Configuration::Lifecycle),
];
const ATTRIBUTES: &[Verb] = &[GetObjectAttributes];
const V2: &[Verb] = &[ListObjectsV2];
const COPY: &[Verb] = &[CopyObject];
const COPIES: &[Verb] = &[CopyObject, UploadPartCopy];
const WRITES: &[Verb] = &[PutObject, CopyObject, CreateMultipartUpload];
const BODIES: &[Verb] = &[
    PutObject,
    UploadPart,
    DeleteObjects,
    PutObjectTagging,
    PutConfiguration(Configuration::Tagging),
    PutConfiguration(Configuration::Cors),
    PutConfiguration(Configuration::Lifecycle),
];
const SUMMED: &[Verb] = &[
    PutObject,
    UploadPart,
    DeleteObjects,
    CompleteMultipartUpload,
    PutObjectTagging,
    PutConfiguration(Configuration::Tagging),
    PutConfiguration(Configuration::Cors),
    PutConfiguration(Configuration::Lifecycle),
];
const UPLOADS: &[Verb] = &[ListMultipartUploads];
const OF_UPLOAD: &[Verb] = &[UploadPart, UploadPartCopy, CompleteMultipartUpload, AbortMultipartUpload, ListParts];

const fn query(name: &'static str, standing: Standing) -> Row {
    Row { place: Place::Query, name, standing }
}

const fn header(name: &'static str, standing: Standing) -> Row {
    Row { place: Place::Header, name, standing }
}

/// The table. The first row that fits counts.
pub const TABLE: &[Row] = &[
    // Listings and the bucket itself.
    query("list-type", Honoured(V2)),
    query("prefix", Honoured(&[ListObjects, ListObjectsV2, ListObjectVersions, ListBuckets, ListMultipartUploads])),
    query("delimiter", Honoured(LISTS)),
    query("max-keys", Honoured(PAGES)),
    query(
        "encoding-type",
        Honoured(&[ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads, ListParts]),
    ),
    query("marker", Honoured(&[ListObjects])),
    query("continuation-token", Honoured(&[ListObjectsV2, ListBuckets])),
    query("start-after", Honoured(V2)),
    query("fetch-owner", Honoured(V2)),
    query("versions", Honoured(VERSIONS)),
    query("key-marker", Honoured(&[ListObjectVersions, ListMultipartUploads])),
    query("version-id-marker", Honoured(VERSIONS)),
    query("max-buckets", Honoured(&[ListBuckets])),
    query("bucket-region", Honoured(&[ListBuckets])),
    query("location", Honoured(&[GetBucketLocation])),
    // Objects.
    query("delete", Honoured(&[DeleteObjects])),
    query("versionId", Honoured(OBJECTS)),
    query("response-cache-control", Honoured(READS)),
    query("response-content-disposition", Honoured(READS)),
    query("response-content-encoding", Honoured(READS)),
    query("response-content-language", Honoured(READS)),
    query("response-content-type", Honoured(READS)),
    query("response-expires", Honoured(READS)),
    query("attributes", Honoured(ATTRIBUTES)),
    // Multipart uploads.
    query("uploads", Honoured(&[CreateMultipartUpload, ListMultipartUploads])),
    query("uploadId", Honoured(OF_UPLOAD)),
    query("partNumber", Honoured(&[UploadPart, UploadPartCopy, GetObject, HeadObject])),
    query("max-parts", Honoured(&[ListParts])),
    query("part-number-marker", Honoured(&[ListParts])),
    query("max-uploads", Honoured(UPLOADS)),
    query("upload-id-marker", Honoured(UPLOADS)),
    // Configurations of a bucket.
    query("tagging", Honoured(TAGGING)),
    query("cors", Honoured(CORS)),
    query("lifecycle", Honoured(LIFECYCLE)),
    // Configurations of a bucket that nothing configures yet.
    query("acl", Unconfigured(Probe::Acl, "access control lists")),
    query("policy", Unconfigured(Probe::Policy, "bucket policies")),
    query("policyStatus", Unconfigured(Probe::PolicyStatus, "bucket policies")),
    query("publicAccessBlock", Unconfigured(Probe::PublicAccessBlock, "public access blocks")),
    query("ownershipControls", Unconfigured(Probe::OwnershipControls, "ownership controls")),
    query("encryption", Unconfigured(Probe::Encryption, "bucket encryption")),
    query("website", Unconfigured(Probe::Website, "bucket websites")),
    query("logging", Unconfigured(Probe::Logging, "bucket logging")),
    query("replication", Unconfigured(Probe::Replication, "bucket replication")),
    query("notification", Unconfigured(Probe::Notification, "bucket notifications")),
    query("accelerate", Unconfigured(Probe::Accelerate, "transfer acceleration")),
    query("requestPayment", Unconfigured(Probe::RequestPayment, "requester pays")),
    query("versioning", Unconfigured(Probe::Versioning, "bucket versioning")),
    query("object-lock", Unconfigured(Probe::ObjectLock, "object lock")),
    // Refused for now or for good.
    query("abac", Refused("bucket ABAC")),
    query("allow-unordered", Refused("unordered listings")),
    query("analytics", Refused("analytics configurations")),
    query("append", Refused("appending to objects")),
    query("intelligent-tiering", Refused("intelligent tiering")),
    query("inventory", Refused("inventory configurations")),
    query("legal-hold", Refused("object lock")),
    query("metadata", Refused("metadata in listings")),
    query("metadataConfiguration", Refused("metadata tables")),
    query("metadataInventoryTable", Refused("metadata tables")),
    query("metadataJournalTable", Refused("metadata tables")),
    query("metadataTable", Refused("metadata tables")),
    query("metrics", Refused("metrics configurations")),
    query("renameObject", Refused("RenameObject")),
    query("restore", Refused("RestoreObject")),
    query("retention", Refused("object lock")),
    query("select", Refused("SelectObjectContent")),
    query("select-type", Refused("SelectObjectContent")),
    query("session", Refused("CreateSession")),
    query("id", Refused("configurations by id")),
    query("max-directory-buckets", Refused("directory buckets")),
    query("torrent", Refused("torrents")),
    // What SDKs add so that logs can tell operations apart; AWS ignores `x-` parameters.
    query("x-*", Noise),
    // Read by the verifier.
    header("x-amz-date", Noise),
    header("x-amz-content-sha256", Noise),
    // Say who called or who pays, and change no answer.
    header("x-amz-user-agent", Noise),
    header("x-amz-request-payer", Noise),
    // Bodies.
    header("x-amz-sdk-checksum-algorithm", Honoured(BODIES)),
    header("x-amz-checksum-crc32", Honoured(SUMMED)),
    header("x-amz-checksum-crc32c", Honoured(SUMMED)),
    header("x-amz-checksum-crc64nvme", Honoured(SUMMED)),
    header("x-amz-checksum-sha1", Honoured(SUMMED)),
    header("x-amz-checksum-sha256", Honoured(SUMMED)),
    header("x-amz-checksum-mode", Honoured(READS)),
    header("x-amz-checksum-algorithm", Honoured(&[CopyObject, CreateMultipartUpload])),
    header("x-amz-checksum-type", Honoured(&[CreateMultipartUpload, CompleteMultipartUpload])),
    header("x-amz-mp-object-size", Honoured(&[CompleteMultipartUpload])),
    header("x-amz-checksum-*", Refused("checksums other than CRC32, CRC32C, CRC64NVME, SHA1 and SHA256 of one body")),
    header("x-amz-decoded-content-length", Honoured(BODIES)),
    header("x-amz-trailer", Honoured(BODIES)),
    // Kept with the object.
    header("x-amz-meta-*", Echoed(WRITES)),
    header("x-amz-storage-class", Echoed(WRITES)),
    header("x-amz-website-redirect-location", Echoed(WRITES)),
    header("x-amz-tagging", Honoured(WRITES)),
    // What is asked for of an object.
    header("x-amz-object-attributes", Honoured(ATTRIBUTES)),
    header("x-amz-max-parts", Honoured(ATTRIBUTES)),
    header("x-amz-part-number-marker", Honoured(ATTRIBUTES)),
    // Copies.
    header("x-amz-copy-source", Honoured(COPIES)),
    header("x-amz-copy-source-if-match", Honoured(COPIES)),
    header("x-amz-copy-source-if-none-match", Honoured(COPIES)),
    header("x-amz-copy-source-if-modified-since", Honoured(COPIES)),
    header("x-amz-copy-source-if-unmodified-since", Honoured(COPIES)),
    header("x-amz-copy-source-range", Honoured(&[UploadPartCopy])),
    header("x-amz-copy-source-*", Refused("customer keys of copy sources")),
    header("x-amz-metadata-directive", Honoured(COPY)),
    header("x-amz-tagging-directive", Honoured(COPY)),
    // Accepted where the value says what holds anyway.
    header("x-amz-acl", Honoured(&[PutObject, CopyObject, CreateBucket, CreateMultipartUpload])),
    header("x-amz-object-ownership", Honoured(&[CreateBucket])),
    header("x-amz-bucket-object-lock-enabled", Honoured(&[CreateBucket])),
    header("x-amz-transition-default-minimum-object-size", Honoured(&[PutConfiguration(Configuration::Lifecycle)])),
    header("x-amz-server-side-encryption*", Refused("server-side encryption by request")),
    header("x-amz-object-lock-*", Refused("object lock")),
    header("x-amz-grant-*", Refused("access control lists")),
    header("x-amz-expected-bucket-owner", Refused("bucket owners' account ids")),
    header("x-amz-*", Refused("this header")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_that_fits_counts_and_each_name_stands_once() {
        assert_eq!(standing(Place::Header, "x-amz-meta-a"), Some(Echoed(WRITES)));
        assert_eq!(standing(Place::Header, "x-amz-mfa"), Some(Refused("this header")));
        assert_eq!(standing(Place::Query, "x-id"), Some(Noise));
        assert_eq!(standing(Place::Query, "unheard-of"), None);
        for (index, row) in TABLE.iter().enumerate() {
            let twice = TABLE[..index].iter().any(|other| other.place == row.place && other.name == row.name);
            assert!(!twice, "{} stands twice", row.name);
        }
    }
}
