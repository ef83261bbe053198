//! An S3 account elsewhere as a backend.
//!
//! Objects keep their key, type and metadata there, so that their buckets can be read without this server; what S3 has no place for
//! lies beside them (`meta`), and what is the store's own under `.dg/` in each bucket. rusoto stays inside this folder.

mod buckets;
mod cache;
mod cas;
mod change;
mod client;
mod convert;
mod dispatch;
mod error;
mod feed;
mod list;
mod look;
mod meta;
mod pool;
mod put;
mod read;
mod resolve;
mod retry;
mod shared;
mod stream;
mod temp;
mod uploads;
mod writer;

pub use pool::own_connections;
pub use retry::Limits;

use crate::Result;
use crate::domain::clock::Clock;
use crate::domain::condition::Conditions;
use crate::domain::listing::{ListPage, ListQuery};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ObjectMeta;
use crate::domain::secret::Secret;
use crate::domain::tags::Tags;
use crate::storage::mackeys::MacKeys;
use crate::storage::multipart::{
    CompleteRequest, NewUpload, PartCommit, PartInfo, PartNumber, PartPage, UploadInfo, UploadPage, UploadQuery,
    UploadRef,
};
use crate::storage::{CommitRequest, ConditionalWrites, ObjectStore, ObjectWriter, ReadOutcome, ReadRequest};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

/// A backend in an S3 account. Several stores on one endpoint, within one process, share locks.
#[derive(Clone)]
pub struct S3Store {
    inner: Arc<Inner>,
}

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// The operator's name of the backend, for messages.
    pub name: String,
    /// `http(s)://host[:port]` of the service.
    pub url: String,
    /// What requests are signed for.
    pub region: String,
    /// The public half of the key pair.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: Secret,
    /// The backend's id, where it was initialised once.
    pub expected_id: Option<String>,
    /// The id where none is expected.
    pub new_id: String,
    /// The real names of the buckets that are routed here: what the account is known by.
    pub routed: Vec<BucketName>,
    /// Buckets that are missing or bear another backend's mark are taken over.
    pub adopt: bool,
    /// This instance's id, for the marks.
    pub instance: String,
    /// When uploads begin and end.
    pub clock: Clock,
    /// What authenticates metadata.
    pub mac: MacKeys,
    /// How long the service may take.
    pub limits: Limits,
    /// Nothing is changed there until [`ObjectStore::hold`] says so.
    pub held: bool,
}

/// The store's inside.
struct Inner {
    upstream: client::Upstream,
    url: String,
    region: String,
    id: String,
    instance: String,
    clock: Clock,
    mac: ArcSwap<MacKeys>,
    shared: Arc<shared::Shared>,
    /// Buckets that were there when they were last asked for.
    known: Mutex<HashSet<BucketName>>,
    sidecars: cache::Sidecars,
    sizes: cache::Sizes,
    /// What the account must be known by before anything is done in it; `None` for one that is set up now.
    expected: Option<(Vec<BucketName>, bool)>,
    proven: OnceCell<()>,
    /// The same as far as it can be known without writing, while the store is held.
    looked: OnceCell<()>,
    swept: uploads::Sweeps,
    /// Which conditions of writes the upstream honours, once that was found out.
    honoured: OnceCell<cas::Honoured>,
}

impl S3Store {
    /// Makes a store. The account is not asked for anything yet: one that is away comes back by itself.
    pub fn open(options: S3Options) -> Result<Self> {
        let S3Options { name, url, region, access_key_id, secret_access_key, limits, .. } = options;
        let upstream = client::Upstream::new(&name, &url, &region, &access_key_id, &secret_access_key, limits)?;
        upstream.hold(options.held);
        let expected = options.expected_id.as_ref().map(|_| (options.routed, options.adopt));
        let inner = Inner {
            upstream,
            shared: shared::of(&url),
            url,
            region,
            id: options.expected_id.unwrap_or(options.new_id),
            instance: options.instance,
            clock: options.clock,
            mac: ArcSwap::from_pointee(options.mac),
            known: Mutex::default(),
            sidecars: cache::Sidecars::default(),
            sizes: cache::Sizes::default(),
            expected,
            proven: OnceCell::new(),
            looked: OnceCell::new(),
            swept: uploads::Sweeps::default(),
            honoured: OnceCell::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// True while the account is taken for dead: requests are answered without it, but for one a second.
    pub fn is_shut(&self) -> bool {
        self.inner.upstream.is_shut()
    }

    /// The inside, once it is known that the account is the right one.
    async fn ready(&self) -> Result<&Arc<Inner>> {
        let inner = &self.inner;
        let prove = || async {
            match &inner.expected {
                Some((routed, adopt)) => inner.check_identity(routed, *adopt).await,
                None => Ok(()),
            }
        };
        // What is held leaves no mark: the first request after that proves it once more, and marks what lacks one.
        let known = if inner.upstream.is_held() { &inner.looked } else { &inner.proven };
        known.get_or_try_init(prove).await?;
        Ok(inner)
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        self.ready().await?.create_bucket(bucket).await
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        self.ready().await?.delete_bucket(bucket).await
    }

    async fn list_buckets(&self) -> Result<Vec<BucketName>> {
        self.ready().await?.list_buckets().await
    }

    async fn head(&self, bucket: &BucketName, key: &ObjectKey) -> Result<ObjectMeta> {
        Ok(self.ready().await?.described(bucket, key).await?.meta)
    }

    async fn open_read(&self, read: ReadRequest) -> Result<ReadOutcome> {
        self.ready().await?.open_read(&read).await
    }

    async fn begin_write(&self, bucket: &BucketName, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        let inner = self.ready().await?;
        inner.check_known_bucket(bucket).await?;
        let goal = writer::Goal::Object { bucket: bucket.clone(), key: key.clone() };
        Ok(Box::new(writer::S3Writer::new(Arc::clone(inner), goal)))
    }

    async fn commit(&self, commit: CommitRequest) -> Result<ObjectMeta> {
        put::commit(self.ready().await?, commit).await
    }

    async fn delete(&self, bucket: &BucketName, key: &ObjectKey, conditions: &Conditions) -> Result<()> {
        self.ready().await?.delete(bucket, key, conditions).await
    }

    async fn set_tags(&self, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<()> {
        self.ready().await?.set_tags(bucket, key, tags).await
    }

    async fn list(&self, bucket: &BucketName, query: ListQuery) -> Result<ListPage> {
        self.ready().await?.list(bucket, &query).await
    }

    async fn holds_objects(&self, bucket: &BucketName) -> Result<bool> {
        self.ready().await?.holds_objects(bucket).await
    }

    async fn count(&self, bucket: &BucketName, most: usize) -> Result<(usize, bool)> {
        self.ready().await?.count(bucket, most).await
    }

    async fn create_upload(&self, upload: NewUpload) -> Result<UploadInfo> {
        self.ready().await?.create_upload(upload).await
    }

    async fn upload(&self, upload: &UploadRef) -> Result<UploadInfo> {
        Ok(self.ready().await?.open_upload(upload).await?.info())
    }

    async fn begin_part(&self, upload: &UploadRef, number: PartNumber) -> Result<Box<dyn ObjectWriter>> {
        let inner = self.ready().await?;
        inner.open_upload(upload).await?;
        let goal = writer::Goal::Part { upload: upload.clone(), number };
        Ok(Box::new(writer::S3Writer::new(Arc::clone(inner), goal)))
    }

    async fn commit_part(&self, commit: PartCommit) -> Result<PartInfo> {
        self.ready().await?.commit_part(commit).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u16, max: usize) -> Result<PartPage> {
        self.ready().await?.list_parts(upload, after, max).await
    }

    async fn list_uploads(&self, bucket: &BucketName, query: UploadQuery) -> Result<UploadPage> {
        self.ready().await?.list_uploads(bucket, &query).await
    }

    async fn complete_upload(&self, request: CompleteRequest) -> Result<ObjectMeta> {
        self.ready().await?.complete_upload(request).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<()> {
        self.ready().await?.abort_upload(upload).await
    }

    async fn upkeep(&self) -> Result<()> {
        if self.inner.upstream.is_shut() || self.inner.upstream.is_held() {
            return Ok(());
        }
        self.ready().await?.sweep().await
    }

    fn hold(&self, held: bool) {
        self.inner.upstream.hold(held);
    }

    /// A look is a request: no write of a bucket without a quota pays one for the bucket's account.
    fn is_near(&self) -> bool {
        false
    }

    fn conditional_writes(&self) -> Option<ConditionalWrites> {
        self.inner.conditional_writes()
    }

    fn backend_id(&self) -> String {
        self.inner.id.clone()
    }

    async fn probe(&self, write: bool) -> Result<()> {
        self.ready().await?.probe(write).await
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("url", &self.inner.url).field("id", &self.inner.id).finish_non_exhaustive()
    }
}
