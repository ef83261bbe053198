//! L1: where objects live. One trait, every backend.

mod completion;
pub mod fs;
pub mod keylocks;
pub mod look;
pub mod mackeys;
pub mod multipart;
pub mod s3;
#[cfg(any(test, feature = "faults"))]
pub mod testkit;
mod upload_pages;

use crate::Result;
use crate::domain::condition::{ByteRange, Conditions, RangeRequest};
use crate::domain::listing::{ListPage, ListQuery};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{BodySums, ObjectAttributes, ObjectMeta};
use crate::domain::tags::Tags;
use crate::storage::multipart::{
    CompleteRequest, NewUpload, PartCommit, PartInfo, PartNumber, PartPage, UploadInfo, UploadPage, UploadQuery,
    UploadRef,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::any::Any;
use std::fmt::Debug;

/// The content of an object or range, as it is read. Its length was told beforehand.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// A place where objects live. Bucket names are the backend's own (aliases are resolved above).
#[async_trait]
pub trait ObjectStore: Debug + Send + Sync + 'static {
    /// Makes a bucket; `BucketExists` where it is there.
    async fn create_bucket(&self, bucket: &BucketName) -> Result<()>;
    /// Removes an empty bucket; `BucketNotEmpty`, `NoSuchBucket`.
    async fn delete_bucket(&self, bucket: &BucketName) -> Result<()>;
    /// The buckets there are.
    async fn list_buckets(&self) -> Result<Vec<BucketName>>;
    /// What is known of an object; `NoSuchKey`, `NoSuchBucket`.
    async fn head(&self, bucket: &BucketName, key: &ObjectKey) -> Result<ObjectMeta>;
    /// Opens an object: conditions and range are decided on the very object whose bytes follow.
    async fn open_read(&self, read: ReadRequest) -> Result<ReadOutcome>;
    /// Begins to write; nothing is visible before [`ObjectStore::commit`].
    async fn begin_write(&self, bucket: &BucketName, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>>;
    /// Publishes what was staged, durably, if the conditions hold: the only step that changes what readers see.
    async fn commit(&self, commit: CommitRequest) -> Result<ObjectMeta>;
    /// Removes an object, durably. Removing what is not there is fine.
    async fn delete(&self, bucket: &BucketName, key: &ObjectKey, conditions: &Conditions) -> Result<()>;
    /// Gives an object other tags, durably; nothing else of it changes. `NoSuchKey`, `NoSuchBucket`.
    async fn set_tags(&self, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<()>;
    /// One page of a listing.
    async fn list(&self, bucket: &BucketName, query: ListQuery) -> Result<ListPage>;
    /// True where the bucket holds at least one object.
    async fn holds_objects(&self, bucket: &BucketName) -> Result<bool>;
    /// How many objects a bucket holds, as far as `most`, and whether there are more.
    async fn count(&self, bucket: &BucketName, most: usize) -> Result<(usize, bool)> {
        let page = self.list(bucket, ListQuery { max_keys: most, ..ListQuery::default() }).await?;
        Ok((page.objects.len(), page.next.is_some()))
    }
    /// Begins a multipart upload; durable when answered. `NoSuchBucket`, `InvalidRequest` for a checksum that no object can have.
    async fn create_upload(&self, _upload: NewUpload) -> Result<UploadInfo> {
        Err(multipart::unsupported())
    }
    /// What is known of an open upload; `NoSuchUpload`.
    async fn upload(&self, _upload: &UploadRef) -> Result<UploadInfo> {
        Err(multipart::unsupported())
    }
    /// Begins to write a part; nothing is kept before [`ObjectStore::commit_part`]. `NoSuchUpload`.
    async fn begin_part(&self, _upload: &UploadRef, _number: PartNumber) -> Result<Box<dyn ObjectWriter>> {
        Err(multipart::unsupported())
    }
    /// Keeps a part, durably, in the place of one of the same number. `NoSuchUpload`, `InvalidRequest` where the upload's digest lacks.
    async fn commit_part(&self, _commit: PartCommit) -> Result<PartInfo> {
        Err(multipart::unsupported())
    }
    /// At most `max` parts after the one of number `after` (0 for the first page). `NoSuchUpload`.
    async fn list_parts(&self, _upload: &UploadRef, _after: u16, _max: usize) -> Result<PartPage> {
        Err(multipart::unsupported())
    }
    /// The open uploads of a bucket; `NoSuchBucket`.
    async fn list_uploads(&self, _bucket: &BucketName, _query: UploadQuery) -> Result<UploadPage> {
        Err(multipart::unsupported())
    }
    /// Turns an upload into an object, if the conditions hold. Asked again with the same parts it answers the same for 24 hours.
    ///
    /// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `EntityTooLarge`, `BadDigest`, `InvalidRequest`.
    async fn complete_upload(&self, _request: CompleteRequest) -> Result<ObjectMeta> {
        Err(multipart::unsupported())
    }
    /// Gives an upload up, durably, with all its parts. `NoSuchUpload`, also for one that is complete.
    async fn abort_upload(&self, _upload: &UploadRef) -> Result<()> {
        Err(multipart::unsupported())
    }
    /// Does what waits and that no request waits for: stores completed uploads as plain bodies, forgets their old answers.
    ///
    /// The owner calls it again and again; it may be broken off at any moment.
    async fn upkeep(&self) -> Result<()> {
        Ok(())
    }
    /// While it is held, a store that others may share changes nothing there, not even what is its own; until then and after, it may.
    fn hold(&self, _held: bool) {}
    /// Whether a look at a key costs next to nothing; false where it goes across a network. What buckets hold is exact without a
    /// quota only where it is near.
    fn is_near(&self) -> bool {
        true
    }
    /// Who decides the conditions of writes, where that is known.
    fn conditional_writes(&self) -> Option<ConditionalWrites> {
        Some(ConditionalWrites::Instance)
    }
    /// The id in the backend's `backend.json`.
    fn backend_id(&self) -> String;
    /// A cheap sign of life (the root is there and is ours); `write` also writes and removes a probe file.
    async fn probe(&self, write: bool) -> Result<()>;
}

/// What to read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// Conditions.
    pub conditions: Conditions,
    /// The range asked for.
    pub range: Option<RangeRequest>,
}

/// What came of it.
pub enum ReadOutcome {
    /// Send this.
    Found(ReadTicket),
    /// 304, with the headers of this.
    NotModified(ObjectMeta),
}

/// An opened object.
pub struct ReadTicket {
    /// What is known of it.
    pub meta: ObjectMeta,
    /// The part that `body` gives; `None` for the whole.
    pub range: Option<ByteRange>,
    /// The bytes; exactly the range, or `meta.size`.
    pub body: ByteStream,
}

/// Who decides whether the conditions of a write hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionalWrites {
    /// The backend itself: also among several servers on it, one wins.
    Backend,
    /// This server alone, by the lock of the key. One server is what such a backend is for.
    Instance,
}

impl ConditionalWrites {
    /// The word for it, which never changes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Instance => "instance",
        }
    }
}

/// What is known of a body before its first byte.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    /// How long it is.
    pub size: u64,
    /// What is to be stored with it.
    pub attributes: ObjectAttributes,
    /// Its checksums come behind it.
    pub digests_follow: bool,
    /// On what it is to be published.
    pub conditions: Conditions,
    /// Its MD5 is compared with what was declared.
    pub compares_md5: bool,
    /// Its SHA-256 is.
    pub compares_sha256: bool,
}

/// Takes a body in. Dropping it without [`ObjectWriter::finish`] leaves nothing behind.
#[async_trait]
pub trait ObjectWriter: Debug + Send {
    /// Tells what comes, before the first byte. Of a body that was announced only those sums need be made that are compared.
    fn announce(&mut self, _announced: Announced) {}
    /// Appends; returns when the writer can take more.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;
    /// Ends the body and hands over what [`ObjectStore::commit`] takes, with its sums.
    async fn finish(self: Box<Self>) -> Result<Staged>;
}

/// A body that was received completely and is not visible yet. Dropped without commit it disappears.
#[derive(Debug)]
pub struct Staged {
    /// Size, MD5 and SHA-256, made while writing.
    pub sums: BodySums,
    /// What the store knows of it.
    pub handle: Box<dyn Any + Send>,
}

/// What to publish.
#[derive(Debug)]
pub struct CommitRequest {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// The body.
    pub staged: Staged,
    /// What to store with it.
    pub attributes: ObjectAttributes,
    /// Conditions, decided under the key's lock.
    pub conditions: Conditions,
}

impl Debug for ReadTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadTicket").field("meta", &self.meta).field("range", &self.range).finish_non_exhaustive()
    }
}

impl Debug for ReadOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Found(ticket) => ticket.fmt(f),
            Self::NotModified(meta) => f.debug_tuple("NotModified").field(meta).finish(),
        }
    }
}
