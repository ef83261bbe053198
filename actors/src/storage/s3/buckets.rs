//! Buckets on the upstream, and the mark in each of ours that says which backend it belongs to.

use super::Inner;
use super::client::Call;
use super::convert::INTERNAL;
use super::error::Failure;
use crate::domain::clock::Timestamp;
use crate::domain::names::BucketName;
use crate::{Error, ErrorKind, Result};
use rusoto_s3::{CreateBucketConfiguration, CreateBucketRequest, DeleteBucketRequest, ListMultipartUploadsRequest, S3};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;
use uuid::Uuid;

const CREATE: &str = "create bucket";
const DELETE: &str = "delete bucket";
const LIST: &str = "list buckets";
const OPEN: &str = "open backend";
const PROBE: &str = "probe backend";
const LAYOUT: u32 = 1;

/// `.dg/backend.json` of a bucket.
#[derive(Serialize, Deserialize)]
struct Identity {
    backend_id: String,
    layout: u32,
    created_by: String,
}

fn mark() -> String {
    format!("{INTERNAL}backend.json")
}

impl Inner {
    /// Makes a bucket and marks it as ours; `BucketExists` where it is there.
    pub(super) async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        if self.has_bucket(bucket, CREATE).await? {
            match self.marked(bucket).await? {
                // One that somebody made for us, or whose mark was lost on the way.
                None => self.mark(bucket).await?,
                Some(id) if id != self.id => {
                    let message = format!("the bucket {bucket} at {} belongs to backend {id}", self.url);
                    return Err(Error::new(ErrorKind::Conflict, CREATE, message)
                        .with_code("backend_foreign")
                        .with_hint("give the bucket another name there: storage.buckets.<name>.alias"));
                }
                Some(_) => {}
            }
            return Err(Error::new(ErrorKind::BucketExists, CREATE, "The bucket exists already."));
        }
        let region = &self.region;
        let request = CreateBucketRequest {
            bucket: bucket.to_string(),
            // AWS's first region is the one that must not be named.
            create_bucket_configuration: (region != "us-east-1")
                .then(|| CreateBucketConfiguration { location_constraint: Some(region.clone()) }),
            ..CreateBucketRequest::default()
        };
        self.upstream.s3.create_bucket(request).await.map_err(|e| self.upstream.error(CREATE, e))?;
        self.mark(bucket).await
    }

    /// Removes a bucket without objects, with what is the store's own in it.
    pub(super) async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        let _alone = self.shared.buckets.write().await;
        self.check_bucket(bucket).await?;
        if self.holds_objects(bucket).await? {
            let message = "The bucket you tried to delete is not empty";
            return Err(Error::new(ErrorKind::BucketNotEmpty, DELETE, message));
        }
        self.abort_uploads(bucket, "", |_| true).await?;
        self.remove_own(bucket, INTERNAL).await?;
        let request = DeleteBucketRequest { bucket: bucket.to_string(), ..DeleteBucketRequest::default() };
        let deleted = self.upstream.s3.delete_bucket(request).await;
        self.forget_bucket(bucket);
        deleted.map_err(|e| self.upstream.error(DELETE, e))
    }

    /// The buckets of this backend: those that bear its mark. What else is in the account is somebody else's.
    pub(super) async fn list_buckets(&self) -> Result<Vec<BucketName>> {
        let there = self.account_buckets().await?;
        let marks = self.marks(&there, &[]).await?;
        Ok(marks.into_iter().filter(|(_, id)| *id == self.id).map(|(bucket, _)| bucket).collect())
    }

    /// Every bucket of the account whose name could be one of ours.
    pub(super) async fn account_buckets(&self) -> Result<Vec<BucketName>> {
        let answer = self.upstream.s3.list_buckets().await.map_err(|e| self.upstream.error(LIST, e))?;
        let names = answer.buckets.unwrap_or_default().into_iter().filter_map(|bucket| bucket.name);
        let mut buckets: Vec<BucketName> = names.filter_map(|name| BucketName::new(&name).ok()).collect();
        buckets.sort();
        Ok(buckets)
    }

    /// `NoSuchBucket` where it is missing. A bucket that was there is not asked for again.
    pub(super) async fn check_bucket(&self, bucket: &BucketName) -> Result<()> {
        if self.has_bucket(bucket, LIST).await? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NoSuchBucket, LIST, "The specified bucket does not exist"))
    }

    /// The same, without a request where the bucket is known.
    pub(super) async fn check_known_bucket(&self, bucket: &BucketName) -> Result<()> {
        if !self.is_known(bucket) {
            self.check_bucket(bucket).await?;
            self.note_bucket(bucket);
        }
        Ok(())
    }

    fn is_known(&self, bucket: &BucketName) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(bucket)
    }

    fn note_bucket(&self, bucket: &BucketName) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.clone());
    }

    pub(super) fn forget_bucket(&self, bucket: &BucketName) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(bucket);
        self.sidecars.forget(bucket);
    }

    async fn has_bucket(&self, bucket: &BucketName, operation: &'static str) -> Result<bool> {
        let call = Call { method: "HEAD", bucket: bucket.as_str(), ..Call::default() };
        match self.upstream.call(call).await {
            Ok(_) => Ok(true),
            Err(Failure::Refused { status: 404, .. }) => Ok(false),
            Err(failure) => Err(self.upstream.error(operation, failure)),
        }
    }

    /// Is this the account that the backend was set up in? Decided by the marks of the buckets that are routed here: none of
    /// them there means that the endpoint is another one, unless a restore fills an account anew.
    pub(super) async fn check_identity(&self, routed: &[BucketName], adopt: bool) -> Result<()> {
        let there = self.account_buckets().await?;
        let ours: Vec<&BucketName> = routed.iter().filter(|bucket| there.contains(bucket)).collect();
        if ours.is_empty() && !routed.is_empty() && !adopt {
            let message = format!(
                "backend `{}` has none of its buckets at {}: is the endpoint the right one?",
                self.upstream.name, self.url
            );
            return Err(Error::new(ErrorKind::Unavailable, OPEN, message)
                .with_code("backend_not_mounted")
                .with_hint("correct the endpoint, or make its buckets there with `backend init`"));
        }
        for bucket in ours {
            match self.marked(bucket).await? {
                Some(id) if id != self.id && !adopt => {
                    let message =
                        format!("the bucket {bucket} at {} belongs to backend {id}, not to {}", self.url, self.id);
                    return Err(Error::new(ErrorKind::Unavailable, OPEN, message)
                        .with_code("backend_foreign")
                        .with_hint("correct the endpoint, or take the account over with `backend adopt`"));
                }
                Some(id) if id == self.id => {}
                _ if self.upstream.is_held() => {}
                _ => self.mark(bucket).await?,
            }
            self.note_bucket(bucket);
        }
        Ok(())
    }

    pub(super) async fn marked(&self, bucket: &BucketName) -> Result<Option<String>> {
        let Some(bytes) = self.get_own(bucket, &mark(), OPEN).await? else { return Ok(None) };
        let identity: Identity = serde_json::from_slice(&bytes).map_err(|e| {
            let message = format!("{} of the bucket {bucket} at {} cannot be read", mark(), self.url);
            Error::new(ErrorKind::Unavailable, OPEN, message).with_source(e)
        })?;
        if identity.layout == LAYOUT {
            return Ok(Some(identity.backend_id));
        }
        let message = format!("the bucket {bucket} has layout {}; this version knows layout {LAYOUT}", identity.layout);
        Err(Error::new(ErrorKind::Unavailable, OPEN, message))
    }

    async fn mark(&self, bucket: &BucketName) -> Result<()> {
        let created_by = format!("deltaglider_proxy {}, instance {}", env!("CARGO_PKG_VERSION"), self.instance);
        let identity = Identity { backend_id: self.id.clone(), layout: LAYOUT, created_by };
        let bytes = serde_json::to_vec_pretty(&identity).map_err(|e| Error::internal(OPEN, e))?;
        self.put_own(bucket, &mark(), bytes.into(), OPEN).await
    }

    /// A sign of life; `write` also stores and removes an object of the store's own, where there is a bucket for it.
    pub(super) async fn probe(&self, write: bool) -> Result<()> {
        if !write && self.upstream.is_fresh() {
            return Ok(());
        }
        let there = self.account_buckets().await?;
        let Some(bucket) = there.iter().find(|bucket| write && self.is_known(bucket)) else { return Ok(()) };
        let key = format!("{INTERNAL}tmp/probe-{}", Uuid::new_v4());
        self.put_own(bucket, &key, "probe".into(), PROBE).await?;
        self.remove(bucket, &key).await?;
        self.honoured(bucket).await;
        Ok(())
    }

    /// Gives up what the upstream still holds of uploads below a stored prefix that were begun at these times.
    pub(super) async fn abort_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        wanted: impl Fn(&Timestamp) -> bool,
    ) -> Result<()> {
        let mut request = ListMultipartUploadsRequest {
            bucket: bucket.to_string(),
            prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
            ..ListMultipartUploadsRequest::default()
        };
        loop {
            let page = self.upstream.s3.list_multipart_uploads(request.clone()).await;
            let page = page.map_err(|e| self.upstream.error(DELETE, e))?;
            for upload in page.uploads.unwrap_or_default() {
                let begun = upload.initiated.as_deref().and_then(Timestamp::parse_rfc3339);
                if let (Some(key), Some(id)) = (upload.key, upload.upload_id)
                    && key.starts_with(prefix)
                    && wanted(&begun.unwrap_or_else(|| self.clock.now()))
                {
                    super::temp::abort(self, bucket, &key, &id).await?;
                }
            }
            if page.is_truncated != Some(true) || page.next_key_marker.is_none() {
                return Ok(());
            }
            request.key_marker = page.next_key_marker;
            request.upload_id_marker = page.next_upload_id_marker;
        }
    }
}
