//! What one may ask of a backend's owner. Bytes never travel in these: a writer is a ticket.

use crate::Result;
use crate::domain::condition::Conditions;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ObjectMeta;
use crate::domain::tags::Tags;
use crate::storage::multipart::{CompleteRequest, NewUpload, PartCommit, PartInfo, PartNumber, UploadInfo, UploadRef};
use crate::storage::{CommitRequest, ObjectWriter};
use crate::store::state::Health;
use actix::Message;

/// Begins to write an object.
#[derive(Debug, Message)]
#[rtype(result = "Result<Box<dyn ObjectWriter>>")]
pub struct BeginWrite {
    /// The backend's own bucket name.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
}

/// Publishes a staged object: the only step that changes what readers see.
#[derive(Debug, Message)]
#[rtype(result = "Result<ObjectMeta>")]
pub struct Commit(pub CommitRequest);

/// Removes an object.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Delete {
    /// The backend's own bucket name.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// Decided under the key's lock.
    pub conditions: Conditions,
}

/// Gives an object other tags.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct SetTags {
    /// The backend's own bucket name.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// All of them.
    pub tags: Tags,
}

/// Makes the bucket's place on the backend, if it is not there yet.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct CreateBucket(pub BucketName);

/// Removes the place of an empty bucket.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct DeleteBucket(pub BucketName);

/// Begins a multipart upload.
#[derive(Debug, Message)]
#[rtype(result = "Result<UploadInfo>")]
pub struct CreateUpload(pub NewUpload);

/// Begins to write a part.
#[derive(Debug, Message)]
#[rtype(result = "Result<Box<dyn ObjectWriter>>")]
pub struct BeginPart {
    /// The upload.
    pub upload: UploadRef,
    /// The part's place.
    pub number: PartNumber,
}

/// Keeps a part.
#[derive(Debug, Message)]
#[rtype(result = "Result<PartInfo>")]
pub struct CommitPart(pub PartCommit);

/// Turns an upload into an object.
#[derive(Debug, Message)]
#[rtype(result = "Result<ObjectMeta>")]
pub struct CompleteUpload(pub CompleteRequest);

/// Gives an upload up.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct AbortUpload(pub UploadRef);

/// Looks whether the backend answers; at most once a minute with a write.
#[derive(Debug, Message)]
#[rtype(result = "Result<Health>")]
pub struct Probe {
    /// It takes writes: one may be tried.
    pub writes: bool,
}

/// Takes no new writes; answers when those under way have ended.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Drain;
