//! A directory as a backend.
//!
//! `<root>/<bucket>/<components of the key…>` hold the objects, `<root>/.dg/` what is the store's own. Every change goes
//! through the `Disk` seam; reading does not.

pub mod attributes;
mod belongings;
mod commit;
mod durable;
mod index;
pub(super) mod lane;
mod layout;
mod level;
mod lister;
mod look;
mod lookup;
mod parts;
mod place;
mod probes;
mod reader;
mod remover;
mod root;
mod scan;
pub(super) mod seal;
mod shared;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;
mod writer;

use crate::disk::SharedDisk;
use crate::domain::clock::Clock;
use crate::domain::condition::Conditions;
use crate::domain::listing::{ListPage, ListQuery};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ObjectMeta;
use crate::domain::tags::Tags;
use crate::storage::mackeys::MacKeys;
use crate::storage::multipart::{
    CompleteRequest, NewUpload, PartCommit, PartInfo, PartNumber, PartPage, UploadInfo, UploadPage, UploadQuery,
    UploadRef,
};
use crate::storage::{CommitRequest, ObjectStore, ObjectWriter, ReadOutcome, ReadRequest};
use crate::{Error, ErrorKind, Result};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// A backend in a directory. Several stores on one root, within one process, share locks and order.
pub struct FsStore {
    fs: Arc<Fs>,
}

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct FsOptions {
    /// The directory.
    pub root: PathBuf,
    /// The backend's id, where it was initialised once.
    pub expected_id: Option<String>,
    /// A root that is missing or has no objects is initialised under `expected_id`.
    pub adopt_empty: bool,
    /// The id for a root that has none, where none is expected.
    pub new_id: String,
    /// This instance's id, for the lock and for `backend.json`.
    pub instance: String,
    /// Where changes go.
    pub disk: SharedDisk,
    /// When objects become visible.
    pub clock: Clock,
    /// What authenticates metadata.
    pub mac: MacKeys,
}

/// What opening found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The id in `backend.json`.
    pub backend_id: String,
    /// It was written just now.
    pub initialised: bool,
    /// A bucket holds an object.
    pub objects_present: bool,
}

/// The store's inside, shared with the jobs that run for it.
struct Fs {
    root: PathBuf,
    /// The root, opened: paths are resolved beneath it.
    dir: File,
    id: String,
    disk: SharedDisk,
    clock: Clock,
    mac: ArcSwap<MacKeys>,
    attribute_limit: usize,
    shared: Arc<shared::Shared>,
}

impl FsStore {
    /// Opens a root: checks that it is there, ours and fit, takes its lock and sweeps leftovers. Blocks; the sweep reads
    /// every directory.
    pub fn open(options: FsOptions) -> Result<(Arc<Self>, Opened)> {
        let root::Root { path, shared, attribute_limit, mut opened, first } = root::open(&options)?;
        let dir = File::open(&path).map_err(|e| Error::io("open backend", e))?;
        let fs = Fs {
            root: path,
            dir,
            id: opened.backend_id.clone(),
            disk: options.disk,
            clock: options.clock,
            mac: ArcSwap::from_pointee(options.mac),
            attribute_limit,
            shared,
        };
        // While another store of this process is on the root, what looks like a leftover may be in the making.
        opened.objects_present = if first { fs.sweep()? } else { root::holds_objects(&fs.root)? };
        Ok((Arc::new(Self { fs: Arc::new(fs) }), opened))
    }

    /// Takes other keys from now on.
    pub fn set_mac_keys(&self, keys: MacKeys) {
        self.fs.mac.store(Arc::new(keys));
    }

    /// Runs a job on the blocking pool.
    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        job: impl FnOnce(&Arc<Fs>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let fs = Arc::clone(&self.fs);
        blocking(operation, move || job(&fs)).await
    }
}

#[async_trait]
impl ObjectStore for FsStore {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        let bucket = bucket.clone();
        self.run("create bucket", move |fs| fs.create_bucket(&bucket)).await
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        let alone = Arc::clone(&self.fs.shared.buckets).write_owned().await;
        let bucket = bucket.clone();
        self.run("delete bucket", move |fs| {
            let outcome = fs.delete_bucket(&bucket);
            drop(alone);
            outcome
        })
        .await
    }

    async fn list_buckets(&self) -> Result<Vec<BucketName>> {
        self.run("list buckets", |fs| root::buckets(&fs.root)).await
    }

    async fn head(&self, bucket: &BucketName, key: &ObjectKey) -> Result<ObjectMeta> {
        if let Some((_, record)) = self.fs.look_cached(bucket, key.as_str()) {
            return Ok(record.into_meta());
        }
        let (bucket, key) = (bucket.clone(), key.clone());
        self.run("head object", move |fs| {
            let (_, described) = fs.look_existing(&bucket, &key)?;
            Ok(described.meta)
        })
        .await
    }

    async fn open_read(&self, read: ReadRequest) -> Result<ReadOutcome> {
        if let Some(outcome) = reader::open_cached(&self.fs, &read) {
            return outcome;
        }
        self.run("read object", move |fs| reader::open(fs, &read)).await
    }

    async fn begin_write(&self, bucket: &BucketName, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        let goal = writer::Goal::Object { bucket: bucket.clone(), key: key.clone() };
        Ok(Box::new(writer::FsWriter::new(Arc::clone(&self.fs), goal)))
    }

    async fn commit(&self, commit: CommitRequest) -> Result<ObjectMeta> {
        commit::commit(&self.fs, commit).await
    }

    async fn delete(&self, bucket: &BucketName, key: &ObjectKey, conditions: &Conditions) -> Result<()> {
        let guard = self.fs.shared.keys.lock(&lock_name(bucket, key.as_str())).await;
        let (bucket, key, conditions) = (bucket.clone(), key.clone(), conditions.clone());
        self.run("delete object", move |fs| {
            let outcome = fs.delete_object(&bucket, &key, &conditions);
            // Released by the job: a caller that goes away does not let the next one in early.
            drop(guard);
            outcome
        })
        .await
    }

    async fn set_tags(&self, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<()> {
        let bucket_stays = Arc::clone(&self.fs.shared.buckets).read_owned().await;
        let guard = self.fs.shared.keys.lock(&lock_name(bucket, key.as_str())).await;
        let (bucket, key) = (bucket.clone(), key.clone());
        self.run("tag object", move |fs| {
            let outcome = fs.set_tags(&bucket, &key, tags);
            drop((guard, bucket_stays));
            outcome
        })
        .await
    }

    async fn list(&self, bucket: &BucketName, query: ListQuery) -> Result<ListPage> {
        let bucket = bucket.clone();
        self.run("list objects", move |fs| {
            let (page, effort) = lister::list(fs, &bucket, &query)?;
            log::trace!(bucket:% = bucket, effort:? = effort; "listed");
            Ok(page)
        })
        .await
    }

    async fn holds_objects(&self, bucket: &BucketName) -> Result<bool> {
        let bucket = bucket.clone();
        self.run("list objects", move |fs| {
            fs.check_bucket(&bucket)?;
            scan::first_object(&fs.bucket_dir(&bucket)).map_err(|e| Error::io("list objects", e))
        })
        .await
    }

    async fn create_upload(&self, upload: NewUpload) -> Result<UploadInfo> {
        uploads::create(&self.fs, upload).await
    }

    async fn upload(&self, upload: &UploadRef) -> Result<UploadInfo> {
        let upload = upload.clone();
        self.run("read upload", move |fs| uploads::open(fs, &upload)).await
    }

    async fn begin_part(&self, upload: &UploadRef, number: PartNumber) -> Result<Box<dyn ObjectWriter>> {
        self.upload(upload).await?;
        let goal = writer::Goal::Part { upload: upload.clone(), number };
        Ok(Box::new(writer::FsWriter::new(Arc::clone(&self.fs), goal)))
    }

    async fn commit_part(&self, commit: PartCommit) -> Result<PartInfo> {
        uploads::commit_part(&self.fs, commit).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u16, max: usize) -> Result<PartPage> {
        let upload = upload.clone();
        self.run("list parts", move |fs| uploads::list_parts(fs, &upload, after, max)).await
    }

    async fn list_uploads(&self, bucket: &BucketName, query: UploadQuery) -> Result<UploadPage> {
        let bucket = bucket.clone();
        self.run("list uploads", move |fs| uploads::list_uploads(fs, &bucket, &query)).await
    }

    async fn complete_upload(&self, request: CompleteRequest) -> Result<ObjectMeta> {
        uploads::complete(&self.fs, request).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<()> {
        uploads::abort(&self.fs, upload.clone()).await
    }

    async fn upkeep(&self) -> Result<()> {
        uploads::upkeep(&self.fs).await
    }

    fn backend_id(&self) -> String {
        self.fs.id.clone()
    }

    async fn probe(&self, write: bool) -> Result<()> {
        self.run("probe backend", move |fs| fs.probe(write)).await
    }
}

impl Fs {
    /// Is the directory at our path still the one that was opened, with our id, and can it be written?
    fn probe(&self, write: bool) -> Result<()> {
        let io = |e| Error::new(ErrorKind::Unavailable, "probe backend", "the backend's root is gone").with_source(e);
        let there = std::fs::metadata(&self.root).map_err(io)?;
        let opened = self.dir.metadata().map_err(io)?;
        if (there.dev(), there.ino()) != (opened.dev(), opened.ino())
            || root::read_id(&self.root)?.as_ref() != Some(&self.id)
        {
            return Err(root::missing(&self.root, &self.id));
        }
        if !write {
            return Ok(());
        }
        let path = self.root.join(root::INTERNAL).join(temp_name());
        let mut file = self.disk.create_file(&path, 0o600).map_err(|e| Error::io("probe backend", e))?;
        let written = file.write_all(b"probe").and_then(|()| file.sync());
        let removed = self.disk.remove_file(&path);
        written.and(removed).map_err(|e| Error::io("probe backend", e))
    }
}

impl fmt::Debug for FsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FsStore").field("root", &self.fs.root).field("id", &self.fs.id).finish_non_exhaustive()
    }
}

/// The name of a key's lock. A bucket's name has no slash, so no two keys share one.
fn lock_name(bucket: &BucketName, key: &str) -> String {
    format!("{bucket}/{key}")
}

/// A fresh name for something in the making.
fn temp_name() -> String {
    format!("{}{}", layout::TEMP_PREFIX, Uuid::new_v4())
}

/// Runs a job on the blocking pool; a panic in it is an internal error.
async fn blocking<T: Send + 'static>(
    operation: &'static str,
    job: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(job).await.unwrap_or_else(|e| Err(Error::internal(operation, e)))
}
