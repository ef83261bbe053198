//! A store that keeps everything in maps: what `ObjectStore` means, without a disk or a network in the way. Test code.
//!
//! It runs the conformance suite like every backend does, and shows that the suite asks for nothing that only a disk has.

mod uploads;

use self::uploads::{Done, Open};
use crate::domain::clock::Timestamp;
use crate::domain::condition::{Conditions, ReadVerdict};
use crate::domain::listing::{ListPage, ListQuery, ListedObject};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{BodySums, ETag, ObjectMeta};
use crate::domain::tags::Tags;
use crate::storage::multipart::{
    CompleteRequest, NewUpload, PartCommit, PartInfo, PartNumber, PartPage, UploadId, UploadInfo, UploadPage,
    UploadQuery, UploadRef,
};
use crate::storage::{CommitRequest, ObjectStore, ObjectWriter, ReadOutcome, ReadRequest, ReadTicket, Staged};
use crate::{Error, ErrorKind, Result};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The store.
#[derive(Debug, Default)]
pub struct MemoryStore {
    buckets: Mutex<BTreeMap<BucketName, Bucket>>,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    open: BTreeMap<UploadId, Open>,
    done: BTreeMap<UploadId, Done>,
}

#[derive(Clone, Debug)]
struct Object {
    meta: ObjectMeta,
    body: Bytes,
}

#[derive(Debug, Default)]
struct Writer(BytesMut);

impl MemoryStore {
    /// Does something in a bucket; one call after the other.
    fn within<T>(&self, name: &BucketName, work: impl FnOnce(&mut Bucket) -> Result<T>) -> Result<T> {
        work(self.all().get_mut(name).ok_or_else(|| refused(ErrorKind::NoSuchBucket, "there is no such bucket"))?)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<BucketName, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn object(&self, key: &ObjectKey) -> Result<&Object> {
        self.objects.get(key.as_str()).ok_or_else(|| refused(ErrorKind::NoSuchKey, "there is no such object"))
    }

    fn check(&self, key: &ObjectKey, conditions: &Conditions) -> Result<()> {
        conditions.check_write(self.objects.get(key.as_str()).map(|object| &object.meta))
    }

    fn store(&mut self, key: &ObjectKey, body: Bytes, meta: ObjectMeta) -> ObjectMeta {
        self.objects.insert(key.as_str().to_owned(), Object { meta: meta.clone(), body });
        meta
    }

    fn page(&self, query: &ListQuery) -> ListPage {
        let mut page = ListPage::default();
        let mut last = None;
        for (key, object) in self.objects.iter().filter(|(key, _)| key.starts_with(&query.prefix)) {
            let rest = &key[query.prefix.len()..];
            let cut = rest.find(&query.delimiter).filter(|_| !query.delimiter.is_empty());
            let rolled = cut.map(|at| key[..query.prefix.len() + at + query.delimiter.len()].to_owned());
            let name = rolled.as_ref().unwrap_or(key);
            if key <= &query.start_after || name <= &query.start_after || page.prefixes.last() == Some(name) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == query.max_keys {
                page.next = last;
                break;
            }
            last = Some(name.clone());
            match rolled {
                Some(rolled) => page.prefixes.push(rolled),
                None => page.objects.push(ListedObject {
                    key: key.clone(),
                    size: object.meta.size,
                    etag: object.meta.etag.clone(),
                    modified: object.meta.modified,
                    storage_class: object.meta.attributes.headers.storage_class.clone(),
                }),
            }
        }
        page
    }
}

#[async_trait]
impl ObjectWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.0.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Staged> {
        let body = self.0.freeze();
        let (md5, sha256) = (hex::encode(Md5::digest(&body)), hex::encode(Sha256::digest(&body)));
        Ok(Staged { sums: BodySums { size: body.len() as u64, md5, sha256 }, handle: Box::new(body) })
    }
}

/// The body that one of our writers took in.
fn body_of(staged: Staged) -> Result<(Bytes, BodySums)> {
    let body = staged.handle.downcast::<Bytes>().map_err(|_| Error::internal("memory store", "a foreign body"))?;
    Ok((*body, staged.sums))
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        let mut all = self.all();
        if all.contains_key(bucket) {
            return Err(refused(ErrorKind::BucketExists, "the bucket is there"));
        }
        all.insert(bucket.clone(), Bucket::default());
        Ok(())
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        if self.holds_objects(bucket).await? {
            return Err(refused(ErrorKind::BucketNotEmpty, "the bucket holds objects"));
        }
        self.all().remove(bucket);
        Ok(())
    }

    async fn list_buckets(&self) -> Result<Vec<BucketName>> {
        Ok(self.all().keys().cloned().collect())
    }

    async fn head(&self, bucket: &BucketName, key: &ObjectKey) -> Result<ObjectMeta> {
        self.within(bucket, |bucket| Ok(bucket.object(key)?.meta.clone()))
    }

    async fn open_read(&self, read: ReadRequest) -> Result<ReadOutcome> {
        let Object { meta, body } = self.within(&read.bucket, |bucket| bucket.object(&read.key).cloned())?;
        if read.conditions.check_read(&meta)? == ReadVerdict::NotModified {
            return Ok(ReadOutcome::NotModified(meta));
        }
        let range = read.range.map(|range| range.resolve(meta.size)).transpose()?;
        let body =
            range.map_or(body.clone(), |range| body.slice(range.start as usize..(range.start + range.len) as usize));
        Ok(ReadOutcome::Found(ReadTicket { meta, range, body: stream::iter([Ok(body)]).boxed() }))
    }

    async fn begin_write(&self, bucket: &BucketName, _key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        self.within(bucket, |_| Ok(Box::new(Writer::default()) as Box<dyn ObjectWriter>))
    }

    async fn commit(&self, commit: CommitRequest) -> Result<ObjectMeta> {
        let (body, sums) = body_of(commit.staged)?;
        self.within(&commit.bucket, |bucket| {
            bucket.check(&commit.key, &commit.conditions)?;
            let meta = ObjectMeta {
                size: sums.size,
                etag: ETag::new(&sums.md5),
                modified: now(),
                sha256: Some(sums.sha256),
                attributes: commit.attributes,
                parts: None,
            };
            Ok(bucket.store(&commit.key, body, meta))
        })
    }

    async fn delete(&self, bucket: &BucketName, key: &ObjectKey, conditions: &Conditions) -> Result<()> {
        self.within(bucket, |bucket| {
            if !conditions.is_empty() {
                bucket.check(key, conditions)?;
            }
            bucket.objects.remove(key.as_str());
            Ok(())
        })
    }

    async fn set_tags(&self, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<()> {
        self.within(bucket, |bucket| {
            bucket.object(key)?;
            if let Some(object) = bucket.objects.get_mut(key.as_str()) {
                object.meta.attributes.tags = tags;
            }
            Ok(())
        })
    }

    async fn list(&self, bucket: &BucketName, query: ListQuery) -> Result<ListPage> {
        self.within(bucket, |bucket| Ok(if query.max_keys == 0 { ListPage::default() } else { bucket.page(&query) }))
    }

    async fn holds_objects(&self, bucket: &BucketName) -> Result<bool> {
        self.within(bucket, |bucket| Ok(!bucket.objects.is_empty()))
    }

    async fn create_upload(&self, upload: NewUpload) -> Result<UploadInfo> {
        self.within(&upload.bucket.clone(), |bucket| bucket.create_upload(upload))
    }

    async fn upload(&self, upload: &UploadRef) -> Result<UploadInfo> {
        self.within(&upload.bucket, |bucket| Ok(bucket.upload(upload)?.info.clone()))
    }

    async fn begin_part(&self, upload: &UploadRef, _number: PartNumber) -> Result<Box<dyn ObjectWriter>> {
        self.within(&upload.bucket, |bucket| bucket.upload(upload).map(drop))?;
        Ok(Box::new(Writer::default()))
    }

    async fn commit_part(&self, commit: PartCommit) -> Result<PartInfo> {
        self.within(&commit.upload.bucket.clone(), |bucket| bucket.commit_part(commit))
    }

    async fn list_parts(&self, upload: &UploadRef, after: u16, max: usize) -> Result<PartPage> {
        self.within(&upload.bucket, |bucket| bucket.list_parts(upload, after, max))
    }

    async fn list_uploads(&self, bucket: &BucketName, query: UploadQuery) -> Result<UploadPage> {
        self.within(bucket, |bucket| bucket.list_uploads(&query))
    }

    async fn complete_upload(&self, request: CompleteRequest) -> Result<ObjectMeta> {
        self.within(&request.upload.bucket, |bucket| bucket.complete_upload(&request))
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<()> {
        self.within(&upload.bucket, |bucket| {
            bucket.upload(upload)?;
            bucket.open.remove(&upload.id);
            Ok(())
        })
    }

    fn backend_id(&self) -> String {
        "memory".to_owned()
    }

    async fn probe(&self, _write: bool) -> Result<()> {
        Ok(())
    }
}

fn now() -> Timestamp {
    crate::domain::clock::Clock::system().now()
}

fn refused(kind: ErrorKind, message: &str) -> Error {
    Error::new(kind, "memory store", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testkit::{conformance, conformance_of_uploads};
    use std::sync::Arc;

    #[tokio::test]
    async fn it_conforms() {
        conformance(Arc::new(MemoryStore::default())).await.unwrap();
    }

    #[tokio::test]
    async fn its_uploads_conform() {
        conformance_of_uploads(Arc::new(MemoryStore::default())).await.unwrap();
    }
}
