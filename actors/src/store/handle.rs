//! How the rest of the system reaches one backend: reads go straight to the published store, changes to its owner.

mod uploads;

use crate::domain::atrest::Seal;
use crate::domain::clock::Clock;
use crate::domain::condition::Conditions;
use crate::domain::listing::{ListPage, ListQuery};
use crate::domain::names::{BackendName, BucketName, ObjectKey};
use crate::domain::object::ObjectMeta;
use crate::domain::tags::Tags;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::kernel::permits::{Permit, Permits};
use crate::storage::{CommitRequest, ConditionalWrites, ObjectStore, ObjectWriter, ReadOutcome, ReadRequest};
use crate::store::actor::StoreActor;
use crate::store::messages::{BeginWrite, Commit, CreateBucket, Delete, DeleteBucket, Drain, Probe, SetTags};
use crate::store::state::Health;
use crate::{Error, ErrorKind, Result};
use actix::Actor;
use arc_swap::ArcSwapOption;
use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a commit may take.
const COMMIT: Duration = Duration::from_secs(600);

/// A backend, reachable or not. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StoreHandle {
    name: BackendName,
    backend: Backend,
    /// Why it takes no writes, where it takes none.
    seal: Option<Arc<Seal>>,
    /// Why nobody is let through for now; shared by all clones.
    closed: Arc<ArcSwapOption<String>>,
}

#[derive(Clone, Debug)]
enum Backend {
    /// Opened at start or restore.
    Open { store: Arc<dyn ObjectStore>, root: Arc<Path>, owner: OwnerRef<StoreActor>, transfers: Permits },
    /// It could not be opened: why.
    Down(Arc<str>),
}

/// A body that may be sent in. The permit covers the transfer and the commit.
#[derive(Debug)]
pub struct WriteTicket {
    /// Takes the bytes.
    pub writer: Box<dyn ObjectWriter>,
    /// Keep it until the commit has been answered.
    pub permit: Permit,
}

/// The owner's thread; it ends with the factory that uses it, when the guardian has let the owner go.
struct OwnThread(actix::Arbiter);

impl Drop for OwnThread {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl StoreHandle {
    /// Starts the owner of an opened store.
    pub async fn start(
        name: BackendName,
        store: Arc<dyn ObjectStore>,
        root: PathBuf,
        max_requests: usize,
        clock: Clock,
        guardian: &Guardian,
    ) -> Result<Self> {
        let owner = OwnerRef::new("store", max_requests.max(1) * 2, guardian.alarm());
        let (shared, thread) = (store.clone(), OwnThread(actix::Arbiter::new()));
        guardian
            .watch(&owner, move || {
                let (store, clock, arbiter) = (shared.clone(), clock.clone(), thread.0.handle());
                Box::pin(
                    async move { Ok(StoreActor::start_in_arbiter(&arbiter, move |_| StoreActor::new(store, clock))) },
                )
            })
            .await?;
        Ok(Self {
            name,
            seal: None,
            backend: Backend::Open {
                store,
                root: root.into(),
                owner,
                transfers: Permits::new("transfers", max_requests),
            },
            closed: Arc::default(),
        })
    }

    /// A backend that could not be opened: every call answers why.
    pub fn down(name: BackendName, reason: &str) -> Self {
        Self { name, backend: Backend::Down(reason.into()), seal: None, closed: Arc::default() }
    }

    /// The same backend, which takes no writes where there is a seal, and does nothing there of its own accord either.
    pub fn sealed(self, seal: Option<Seal>) -> Self {
        if let Backend::Open { store, .. } = &self.backend {
            store.hold(seal.is_some());
        }
        Self { seal: seal.map(Arc::new), ..self }
    }

    /// The operator's name of it.
    pub fn name(&self) -> &BackendName {
        &self.name
    }

    /// Why it is down, where it is.
    pub fn down_reason(&self) -> Option<Arc<str>> {
        match &self.backend {
            Backend::Open { .. } => self.closed.load().as_ref().map(|reason| reason.as_str().into()),
            Backend::Down(reason) => Some(reason.clone()),
        }
    }

    /// Lets nobody through until [`StoreHandle::let_through`]: it does not answer, and no request has to find that out again.
    pub fn close(&self, reason: &str) {
        let reason = reason.strip_prefix(&unavailable(&self.name, "")).unwrap_or(reason);
        if self.closed.swap(Some(Arc::new(reason.to_owned()))).is_none() {
            log::error!("backend {} is down: {reason}", self.name);
        }
    }

    /// It answers.
    pub fn let_through(&self) {
        if self.closed.swap(None).is_some() {
            log::info!("backend {} answers again", self.name);
        }
    }

    /// A cheap sign of life, also of one that nobody is let through to.
    pub async fn look_alive(&self) -> Result<()> {
        match &self.backend {
            Backend::Open { store, .. } => store.probe(false).await,
            Backend::Down(reason) => Err(self.unavailable(reason)),
        }
    }

    /// The directory it lives in, where it is open.
    pub fn root(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Open { root, .. } => Some(root),
            Backend::Down(_) => None,
        }
    }

    /// The id that its root bears, where it is open.
    pub fn backend_id(&self) -> Option<String> {
        match &self.backend {
            Backend::Open { store, .. } => Some(store.backend_id()),
            Backend::Down(_) => None,
        }
    }

    /// Whether a look at a key costs next to nothing ([`ObjectStore::is_near`]).
    pub fn is_near(&self) -> bool {
        match &self.backend {
            Backend::Open { store, .. } => store.is_near(),
            Backend::Down(_) => true,
        }
    }

    /// Why it takes no writes, where it takes none.
    pub fn seal(&self) -> Option<&Seal> {
        self.seal.as_deref()
    }

    /// Who decides the conditions of writes, where that is known.
    pub fn conditional_writes(&self) -> Option<ConditionalWrites> {
        match &self.backend {
            Backend::Open { store, .. } => store.conditional_writes(),
            Backend::Down(_) => None,
        }
    }

    /// What is known of an object.
    pub async fn head(&self, bucket: &BucketName, key: &ObjectKey) -> Result<ObjectMeta> {
        let (store, ..) = self.open()?;
        store.head(bucket, key).await.map_err(no_bucket_is_no_key)
    }

    /// Opens an object for `holder`; the permit travels in the body and goes back with its last byte.
    pub async fn open_read(&self, holder: &str, read: ReadRequest) -> Result<ReadOutcome> {
        let (store, _, transfers) = self.open()?;
        let permit = transfers.take_for(holder)?;
        let outcome = store.open_read(read).await.map_err(no_bucket_is_no_key)?;
        Ok(match outcome {
            ReadOutcome::Found(mut ticket) => {
                ticket.body = ticket
                    .body
                    .map(move |chunk| {
                        let _held = &permit;
                        chunk
                    })
                    .boxed();
                ReadOutcome::Found(ticket)
            }
            other => other,
        })
    }

    /// One page of a listing. The registry says which buckets exist: one without a place on the backend yet is empty.
    pub async fn list(&self, bucket: &BucketName, query: ListQuery) -> Result<ListPage> {
        let (store, ..) = self.open()?;
        match store.list(bucket, query).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => Ok(ListPage::default()),
            other => other,
        }
    }

    /// Whether a bucket holds an object.
    pub async fn holds_objects(&self, bucket: &BucketName) -> Result<bool> {
        let (store, ..) = self.open()?;
        match store.holds_objects(bucket).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => Ok(false),
            other => other,
        }
    }

    /// How many objects a bucket holds, as far as `most`, and whether there are more.
    pub async fn count(&self, bucket: &BucketName, most: usize) -> Result<(usize, bool)> {
        let (store, ..) = self.open()?;
        match store.count(bucket, most).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => Ok((0, false)),
            other => other,
        }
    }

    /// The buckets that have a place on the backend.
    pub async fn list_buckets(&self) -> Result<Vec<BucketName>> {
        self.open()?.0.list_buckets().await
    }

    /// Begins to write for `holder`; a bucket of the registry gets its place on the backend with its first object.
    pub async fn begin_write(&self, holder: &str, bucket: &BucketName, key: &ObjectKey) -> Result<WriteTicket> {
        let (_, owner, transfers) = self.writable()?;
        let permit = transfers.take_for(holder)?;
        let begin = || owner.ask(Intent::Read, BeginWrite { bucket: bucket.clone(), key: key.clone() });
        let writer = match begin().await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => {
                self.create_bucket(bucket).await?;
                begin().await?
            }
            other => other?,
        };
        Ok(WriteTicket { writer, permit })
    }

    /// Publishes a staged object. Callers outside `system` go through its handle, which checks the route.
    pub async fn commit(&self, commit: CommitRequest) -> Result<ObjectMeta> {
        // The body was written back before; on a file system that does not, a slow disk may take its time over 5 GiB.
        self.writable()?.1.ask_within(COMMIT, Intent::Change, Commit(commit)).await
    }

    /// Removes an object. Callers outside `system` go through its handle, which checks the route.
    pub async fn delete(&self, bucket: &BucketName, key: &ObjectKey, conditions: Conditions) -> Result<()> {
        let message = Delete { bucket: bucket.clone(), key: key.clone(), conditions };
        match self.writable()?.1.ask(Intent::Change, message).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => Ok(()),
            other => other,
        }
    }

    /// Gives an object other tags. Callers outside `system` go through its handle, which checks the route.
    pub async fn set_tags(&self, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<()> {
        let message = SetTags { bucket: bucket.clone(), key: key.clone(), tags };
        self.writable()?.1.ask(Intent::Change, message).await.map_err(no_bucket_is_no_key)
    }

    /// Makes a bucket's place; one that is there is fine.
    pub async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        match self.writable()?.1.ask(Intent::Change, CreateBucket(bucket.clone())).await {
            Err(error) if error.kind() == ErrorKind::BucketExists => Ok(()),
            other => other,
        }
    }

    /// Removes an empty bucket's place; none there is fine.
    pub async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        match self.writable()?.1.ask(Intent::Change, DeleteBucket(bucket.clone())).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => Ok(()),
            other => other,
        }
    }

    /// How the backend is, looked at now.
    pub async fn probe(&self) -> Result<Health> {
        self.open()?.1.ask(Intent::Read, Probe { writes: self.seal.is_none() }).await
    }

    /// Ends the writes under way and takes no new ones.
    pub async fn drain(&self) -> Result<()> {
        match self.open() {
            Ok((_, owner, _)) => owner.ask(Intent::Read, Drain).await,
            Err(_) => Ok(()),
        }
    }

    /// Transfers under way, and how many may be.
    pub fn load(&self) -> (usize, usize) {
        self.open().map_or((0, 0), |(_, _, transfers)| (transfers.in_use(), transfers.size()))
    }

    fn writable(&self) -> Result<(&Arc<dyn ObjectStore>, &OwnerRef<StoreActor>, &Permits)> {
        match &self.seal {
            Some(seal) => Err(seal.error(&self.name)),
            None => self.open(),
        }
    }

    fn open(&self) -> Result<(&Arc<dyn ObjectStore>, &OwnerRef<StoreActor>, &Permits)> {
        if let Some(reason) = self.closed.load().as_deref() {
            return Err(self.unavailable(reason));
        }
        match &self.backend {
            Backend::Open { store, owner, transfers, .. } => Ok((store, owner, transfers)),
            Backend::Down(reason) => Err(self.unavailable(reason)),
        }
    }

    fn unavailable(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Unavailable, "backend", unavailable(&self.name, reason))
    }
}

/// What a client is told of a backend that is down.
fn unavailable(name: &BackendName, reason: &str) -> String {
    format!("backend `{name}` is unavailable: {reason}")
}

/// The registry said that the bucket exists, so what is missing is the key.
fn no_bucket_is_no_key(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NoSuchBucket => Error::new(ErrorKind::NoSuchKey, "object", "The specified key does not exist."),
        _ => error,
    }
}
