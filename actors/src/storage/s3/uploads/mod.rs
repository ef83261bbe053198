//! Multipart uploads: each is one of the upstream's own, with what S3 has no place for beside it.
//!
//! `.dg/uploads/<id>/open` is its record, sealed. `.dg/uploads/<id>/parts/<number>/<md5>/<checksums>` are empty objects whose names tell
//! the digests of parts, so that a listing gives them all. The sidecar `.dg/meta/<id>` is written before the upstream completes:
//! it is the answer that a completion gives again, and the facts of the object as long as it lives.

mod complete;
mod parts;
mod sweep;

pub(super) use sweep::Sweeps;

use super::Inner;
use super::change::sidecar_key;
use super::convert::{INTERNAL, stored};
use super::meta::Facts;
use super::temp;
use crate::domain::clock::Timestamp;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ObjectAttributes;
use crate::storage::fs::seal;
use crate::storage::multipart::{
    Initiator, NewUpload, UploadChecksum, UploadId, UploadInfo, UploadPage, UploadQuery, UploadRef, no_such_upload,
};
use crate::storage::upload_pages::{OpenUpload, page_of};
use crate::{Error, ErrorKind, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

const CREATE: &str = "create upload";
const READ: &str = "read upload";
const DOMAIN: &[u8] = b"dg-s3-upload-v1\n";
/// So many records are read at once.
const READ_AT_ONCE: usize = 16;

/// An upload, as it was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenRecord {
    id: UploadId,
    bucket: BucketName,
    key: String,
    /// The upstream's name of it.
    upstream: String,
    initiated: i64,
    attributes: ObjectAttributes,
    checksum: Option<UploadChecksum>,
    initiator: Initiator,
}

impl OpenRecord {
    /// What is told of it.
    pub(super) fn info(&self) -> UploadInfo {
        UploadInfo {
            id: self.id.clone(),
            // The record was made of a key that was checked, and its MAC says that it is the same.
            key: ObjectKey::new(self.key.clone()).expect("a sealed key is a key"),
            initiated: Timestamp::from_millis(self.initiated),
            attributes: self.attributes.clone(),
            checksum: self.checksum,
            initiator: self.initiator.clone(),
        }
    }
}

impl OpenUpload for OpenRecord {
    fn key(&self) -> &str {
        &self.key
    }

    fn id(&self) -> &UploadId {
        &self.id
    }
}

impl Inner {
    /// Begins an upload; durable when answered.
    pub(super) async fn create_upload(&self, upload: NewUpload) -> Result<UploadInfo> {
        if let Some(UploadChecksum { algorithm, kind }) = upload.checksum
            && !algorithm.allows(kind)
        {
            let message = format!(
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                kind.name(),
                algorithm.name().to_lowercase()
            );
            return Err(Error::new(ErrorKind::InvalidRequest, CREATE, message));
        }
        let _bucket_stays = self.shared.buckets.read().await;
        let (bucket, now) = (&upload.bucket, self.clock.now());
        let id = UploadId::new(now);
        // The facts are known at the end; what goes along now is where they will be.
        let facts = Facts::new(id.as_str().to_owned(), 0, None, &upload.attributes);
        let placed = facts.place(bucket, &upload.key, true, &self.mac.load())?;
        let key = stored(upload.key.as_str());
        let upstream = temp::begin_upload(self, bucket, &key, placed.headers, CREATE).await?;
        let record = OpenRecord {
            id: id.clone(),
            bucket: bucket.clone(),
            key: upload.key.as_str().to_owned(),
            upstream,
            initiated: now.millis(),
            attributes: upload.attributes,
            checksum: upload.checksum,
            initiator: upload.initiator,
        };
        let sealed = seal::seal(&self.mac.load(), DOMAIN, &record)?;
        if let Err(error) = self.put_own(bucket, &open_key(&id), sealed.into(), CREATE).await {
            // What the upstream began is no upload of ours.
            let _ = temp::abort(self, bucket, &key, &record.upstream).await;
            return Err(error);
        }
        Ok(record.info())
    }

    /// The record of an open upload.
    pub(super) async fn open_upload(&self, upload: &UploadRef) -> Result<OpenRecord> {
        let read = self.open_record(&upload.bucket, &upload.id).await;
        let record = match read {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => return Err(no_such_upload()),
            other => other?,
        };
        record.filter(|record| record.key == upload.key.as_str()).ok_or_else(no_such_upload)
    }

    /// Gives an upload up, with all its parts.
    pub(super) async fn abort_upload(&self, upload: &UploadRef) -> Result<()> {
        let _lock = self.shared.keys.lock(&upload_lock(upload)).await;
        let record = self.open_upload(upload).await?;
        let open = temp::abort(self, &upload.bucket, &stored(&record.key), &record.upstream).await?;
        if !open && self.is_completed(upload).await? {
            self.forget_upload(upload).await?;
            return Err(no_such_upload());
        }
        // The answer of a completion that failed must not be given for one that was.
        self.remove(&upload.bucket, &sidecar_key(upload.id.as_str())).await?;
        self.sidecars.forget(&upload.bucket);
        self.forget_upload(upload).await
    }

    /// One page of a bucket's open uploads.
    pub(super) async fn list_uploads(&self, bucket: &BucketName, query: &UploadQuery) -> Result<UploadPage> {
        self.check_bucket(bucket).await?;
        let ids = self.open_ids(bucket).await?;
        let read = stream::iter(ids).map(|id| async move { self.open_record(bucket, &id).await });
        let records: Vec<Option<OpenRecord>> = read.buffered(READ_AT_ONCE).try_collect().await?;
        page_of(records.into_iter().flatten().collect(), query, |record| Ok(record.info()))
    }

    /// The ids of the uploads that have a record.
    async fn open_ids(&self, bucket: &BucketName) -> Result<Vec<UploadId>> {
        let prefix = format!("{INTERNAL}uploads/");
        let keys = self.all_own_keys(bucket, &prefix).await?;
        let ids = keys.iter().filter_map(|key| {
            let (id, name) = key.strip_prefix(&prefix)?.split_once('/')?;
            (name == "open").then(|| UploadId::parse(id).ok()).flatten()
        });
        Ok(ids.collect())
    }

    async fn open_record(&self, bucket: &BucketName, id: &UploadId) -> Result<Option<OpenRecord>> {
        let Some(bytes) = self.get_own(bucket, &open_key(id), READ).await? else { return Ok(None) };
        let record: OpenRecord = seal::open(&self.mac.load(), DOMAIN, &bytes)?;
        Ok(Some(record).filter(|record| record.bucket == *bucket && record.id == *id))
    }
}

fn dir(id: &UploadId) -> String {
    format!("{INTERNAL}uploads/{id}/")
}

fn open_key(id: &UploadId) -> String {
    format!("{}open", dir(id))
}

/// The name of an upload's lock: no key's, since those hold a bucket's name first.
fn upload_lock(upload: &UploadRef) -> String {
    format!("/upload/{}/{}", upload.bucket, upload.id)
}
