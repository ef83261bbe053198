//! Every operation that AWS publishes for S3, and what this server makes of it.
//!
//! Source: the API reference, "Amazon S3 operations", and "Browser-based uploads using POST". Operations that AWS has deprecated
//! in favour of others of the same request (`GetBucketLifecycle`, `PutBucketNotification`, …) stand under the others.

use super::super::operation::{Configuration, Probe, Verb};

/// An operation.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Its name, as AWS has it.
    pub name: &'static str,
    /// What is made of it.
    pub state: State,
}

/// What is made of an operation.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// It does what AWS says.
    Honoured(Verb),
    /// It is kept and given back, and one thing that AWS does with it is not done: this.
    Kept(Verb, &'static str),
    /// It is answered as AWS answers for a bucket that nobody configured.
    Unconfigured(Probe),
    /// It is answered 501 `NotImplemented`.
    Refused {
        /// A request for it, `@` being a bucket: what the tests send.
        request: &'static str,
        /// What is to come of it.
        plan: Plan,
    },
}

/// What is to come of an operation that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// It comes with the rest of the S3 API.
    Planned,
    /// It comes with versions and object lock.
    Versions,
    /// Rights are given by users, groups and policies only.
    NoAcl,
    /// It stands for a service of AWS that is not here.
    AwsOnly,
}

impl Plan {
    /// In plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Planned => "planned, with the rest of the S3 API",
            Self::Versions => "planned, with versions and object lock",
            Self::NoAcl => "not planned: rights are given by users, groups and policies",
            Self::AwsOnly => "not planned: it stands for a service of AWS",
        }
    }
}

use Plan::{AwsOnly, NoAcl, Planned, Versions};

const fn honoured(verb: Verb) -> Published {
    Published { name: verb.name(), state: State::Honoured(verb) }
}

const fn unconfigured(probe: Probe) -> Published {
    Published { name: probe.name(), state: State::Unconfigured(probe) }
}

const fn refused(name: &'static str, request: &'static str, plan: Plan) -> Published {
    Published { name, state: State::Refused { request, plan } }
}

/// The list, in the order of names.
pub const OPERATIONS: &[Published] = &[
    honoured(Verb::AbortMultipartUpload),
    honoured(Verb::CompleteMultipartUpload),
    honoured(Verb::CopyObject),
    honoured(Verb::CreateBucket),
    refused("CreateBucketMetadataConfiguration", "POST /@?metadataConfiguration", AwsOnly),
    refused("CreateBucketMetadataTableConfiguration", "POST /@?metadataTable", AwsOnly),
    honoured(Verb::CreateMultipartUpload),
    refused("CreateSession", "GET /@?session", AwsOnly),
    honoured(Verb::DeleteBucket),
    refused("DeleteBucketAnalyticsConfiguration", "DELETE /@?analytics&id=a", AwsOnly),
    honoured(Verb::DeleteConfiguration(Configuration::Cors)),
    refused("DeleteBucketEncryption", "DELETE /@?encryption", AwsOnly),
    refused("DeleteBucketIntelligentTieringConfiguration", "DELETE /@?intelligent-tiering&id=a", AwsOnly),
    refused("DeleteBucketInventoryConfiguration", "DELETE /@?inventory&id=a", AwsOnly),
    honoured(Verb::DeleteConfiguration(Configuration::Lifecycle)),
    refused("DeleteBucketMetadataConfiguration", "DELETE /@?metadataConfiguration", AwsOnly),
    refused("DeleteBucketMetadataTableConfiguration", "DELETE /@?metadataTable", AwsOnly),
    refused("DeleteBucketMetricsConfiguration", "DELETE /@?id=a&metrics", AwsOnly),
    refused("DeleteBucketOwnershipControls", "DELETE /@?ownershipControls", NoAcl),
    refused("DeleteBucketPolicy", "DELETE /@?policy", Planned),
    refused("DeleteBucketReplication", "DELETE /@?replication", AwsOnly),
    honoured(Verb::DeleteConfiguration(Configuration::Tagging)),
    refused("DeleteBucketWebsite", "DELETE /@?website", AwsOnly),
    honoured(Verb::DeleteObject),
    honoured(Verb::DeleteObjectTagging),
    honoured(Verb::DeleteObjects),
    refused("DeletePublicAccessBlock", "DELETE /@?publicAccessBlock", NoAcl),
    refused("GetBucketAbac", "GET /@?abac", AwsOnly),
    unconfigured(Probe::Accelerate),
    unconfigured(Probe::Acl),
    refused("GetBucketAnalyticsConfiguration", "GET /@?analytics&id=a", AwsOnly),
    honoured(Verb::GetConfiguration(Configuration::Cors)),
    unconfigured(Probe::Encryption),
    refused("GetBucketIntelligentTieringConfiguration", "GET /@?id=a&intelligent-tiering", AwsOnly),
    refused("GetBucketInventoryConfiguration", "GET /@?id=a&inventory", AwsOnly),
    honoured(Verb::GetConfiguration(Configuration::Lifecycle)),
    honoured(Verb::GetBucketLocation),
    unconfigured(Probe::Logging),
    refused("GetBucketMetadataConfiguration", "GET /@?metadataConfiguration", AwsOnly),
    refused("GetBucketMetadataTableConfiguration", "GET /@?metadataTable", AwsOnly),
    refused("GetBucketMetricsConfiguration", "GET /@?id=a&metrics", AwsOnly),
    unconfigured(Probe::Notification),
    unconfigured(Probe::OwnershipControls),
    unconfigured(Probe::Policy),
    unconfigured(Probe::PolicyStatus),
    unconfigured(Probe::Replication),
    unconfigured(Probe::RequestPayment),
    honoured(Verb::GetConfiguration(Configuration::Tagging)),
    unconfigured(Probe::Versioning),
    unconfigured(Probe::Website),
    honoured(Verb::GetObject),
    refused("GetObjectAcl", "GET /@/k?acl", NoAcl),
    honoured(Verb::GetObjectAttributes),
    refused("GetObjectLegalHold", "GET /@/k?legal-hold", Versions),
    unconfigured(Probe::ObjectLock),
    refused("GetObjectRetention", "GET /@/k?retention", Versions),
    honoured(Verb::GetObjectTagging),
    refused("GetObjectTorrent", "GET /@/k?torrent", AwsOnly),
    unconfigured(Probe::PublicAccessBlock),
    honoured(Verb::HeadBucket),
    honoured(Verb::HeadObject),
    refused("ListBucketAnalyticsConfigurations", "GET /@?analytics", AwsOnly),
    refused("ListBucketIntelligentTieringConfigurations", "GET /@?intelligent-tiering", AwsOnly),
    refused("ListBucketInventoryConfigurations", "GET /@?inventory", AwsOnly),
    refused("ListBucketMetricsConfigurations", "GET /@?metrics", AwsOnly),
    honoured(Verb::ListBuckets),
    refused("ListDirectoryBuckets", "GET /?max-directory-buckets=1", AwsOnly),
    honoured(Verb::ListMultipartUploads),
    honoured(Verb::ListObjectVersions),
    honoured(Verb::ListObjects),
    honoured(Verb::ListObjectsV2),
    honoured(Verb::ListParts),
    honoured(Verb::PostObject),
    refused("PutBucketAbac", "PUT /@?abac", AwsOnly),
    refused("PutBucketAccelerateConfiguration", "PUT /@?accelerate", AwsOnly),
    refused("PutBucketAcl", "PUT /@?acl", NoAcl),
    refused("PutBucketAnalyticsConfiguration", "PUT /@?analytics&id=a", AwsOnly),
    honoured(Verb::PutConfiguration(Configuration::Cors)),
    refused("PutBucketEncryption", "PUT /@?encryption", AwsOnly),
    refused("PutBucketIntelligentTieringConfiguration", "PUT /@?id=a&intelligent-tiering", AwsOnly),
    refused("PutBucketInventoryConfiguration", "PUT /@?id=a&inventory", AwsOnly),
    Published {
        name: Verb::PutConfiguration(Configuration::Lifecycle).name(),
        state: State::Kept(
            Verb::PutConfiguration(Configuration::Lifecycle),
            "no job carries the rules out yet, so nothing expires; transitions are refused",
        ),
    },
    refused("PutBucketLogging", "PUT /@?logging", AwsOnly),
    refused("PutBucketMetricsConfiguration", "PUT /@?id=a&metrics", AwsOnly),
    refused("PutBucketNotificationConfiguration", "PUT /@?notification", AwsOnly),
    refused("PutBucketOwnershipControls", "PUT /@?ownershipControls", NoAcl),
    refused("PutBucketPolicy", "PUT /@?policy", Planned),
    refused("PutBucketReplication", "PUT /@?replication", AwsOnly),
    refused("PutBucketRequestPayment", "PUT /@?requestPayment", AwsOnly),
    honoured(Verb::PutConfiguration(Configuration::Tagging)),
    refused("PutBucketVersioning", "PUT /@?versioning", Versions),
    refused("PutBucketWebsite", "PUT /@?website", AwsOnly),
    honoured(Verb::PutObject),
    refused("PutObjectAcl", "PUT /@/k?acl", NoAcl),
    refused("PutObjectLegalHold", "PUT /@/k?legal-hold", Versions),
    refused("PutObjectLockConfiguration", "PUT /@?object-lock", Versions),
    refused("PutObjectRetention", "PUT /@/k?retention", Versions),
    honoured(Verb::PutObjectTagging),
    refused("PutPublicAccessBlock", "PUT /@?publicAccessBlock", NoAcl),
    refused("RenameObject", "PUT /@/k?renameObject | x-amz-rename-source: /@/dir/a", AwsOnly),
    refused("RestoreObject", "POST /@/k?restore", AwsOnly),
    refused("SelectObjectContent", "POST /@/k?select&select-type=2", AwsOnly),
    refused("UpdateBucketMetadataInventoryTableConfiguration", "PUT /@?metadataInventoryTable", AwsOnly),
    refused("UpdateBucketMetadataJournalTableConfiguration", "PUT /@?metadataJournalTable", AwsOnly),
    refused("UpdateObjectEncryption", "PUT /@/k?encryption", AwsOnly),
    honoured(Verb::UploadPart),
    honoured(Verb::UploadPartCopy),
    refused(
        "WriteGetObjectResponse",
        "POST /WriteGetObjectResponse | x-amz-request-route: a | x-amz-request-token: b",
        AwsOnly,
    ),
];

/// Headers of HTTP that mean something to S3, besides `x-amz-*`, and for what.
pub const PLAIN_HEADERS: &[(&str, &str)] = &[
    ("Authorization", "the signature"),
    ("Cache-Control", "kept with an object and given back"),
    ("Content-Disposition", "kept with an object and given back"),
    ("Content-Encoding", "kept with an object and given back, but for `aws-chunked`"),
    ("Content-Language", "kept with an object and given back"),
    ("Content-Length", "the length of the body; `Transfer-Encoding` alone is answered 411, but for bodies in chunks"),
    ("Content-MD5", "verified where it is sent, never demanded"),
    ("Content-Type", "kept with an object and given back"),
    ("Expires", "kept with an object and given back"),
    ("If-Match", "on reads, PutObject, CopyObject, CompleteMultipartUpload and DeleteObject"),
    ("If-Modified-Since", "on reads; 501 on writes, as AWS has none there"),
    ("If-None-Match", "on reads, and on PutObject, CopyObject and CompleteMultipartUpload"),
    ("If-Range", "on reads"),
    ("If-Unmodified-Since", "on reads; 501 on writes, as AWS has none there"),
    ("Range", "one range; what S3 ignores (several, other units) is ignored"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_order_and_each_stands_once() {
        assert!(OPERATIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(OPERATIONS.len() >= 100, "{}", OPERATIONS.len());
        for probe in Probe::ALL {
            assert!(OPERATIONS.iter().any(|row| row.name == probe.name()), "{} is not on the list", probe.name());
        }
    }
}
