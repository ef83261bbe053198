//! Changes of an object that is there: it is removed, or gets other tags.

use super::Inner;
use super::client::Call;
use super::convert::{INTERNAL, stored};
use super::error::Failure;
use super::meta::Facts;
use super::shared::lock_name;
use crate::domain::condition::Conditions;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::tags::Tags;
use crate::{ErrorKind, Result};
use bytes::Bytes;
use std::sync::Arc;
use uuid::Uuid;

const DELETE: &str = "delete object";
const SIDECAR: &str = "object metadata";

impl Inner {
    /// Removes an object, if the conditions hold.
    pub(super) async fn delete(&self, bucket: &BucketName, key: &ObjectKey, conditions: &Conditions) -> Result<()> {
        let _lock = self.shared.keys.lock(&lock_name(bucket, key.as_str())).await;
        if !conditions.is_empty() {
            let current = self.current(bucket, key).await?;
            conditions.check_write(current.as_ref().map(|current| &current.meta))?;
        }
        self.remove(bucket, &stored(key.as_str())).await
    }

    /// Removes what lies under a stored key; nothing there is fine.
    pub(super) async fn remove(&self, bucket: &BucketName, stored: &str) -> Result<()> {
        let call = Call { method: "DELETE", bucket: bucket.as_str(), key: stored, ..Call::default() };
        match self.upstream.call(call).await {
            Err(failure) if failure.code() != "NoSuchKey" => Err(self.failed(bucket, DELETE, failure)),
            _ => Ok(()),
        }
    }

    /// Gives an object other tags: it is copied onto itself with other facts, on the upstream's side.
    pub(super) async fn set_tags(&self, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<()> {
        let _bucket_stays = self.shared.buckets.read().await;
        let _lock = self.shared.keys.lock(&lock_name(bucket, key.as_str())).await;
        let current = self.described(bucket, key).await?;
        let meta = current.meta;
        let mut attributes = meta.attributes;
        attributes.tags = tags;
        let mut facts = Facts::new(Uuid::new_v4().to_string(), meta.size, Some(meta.etag), &attributes);
        facts.sha256 = meta.sha256;
        facts.parts = meta.parts;
        facts.modified = Some(meta.modified.millis());
        facts.request = current.facts.and_then(|facts| facts.request.clone());
        let stored = stored(key.as_str());
        self.copy(bucket, (&stored, Some(&current.tag)), key, facts).await.map(drop)
    }

    /// Stores what does not fit beside an object, under a name that the object will bear.
    pub(super) async fn write_sidecar(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: &str,
        bytes: Vec<u8>,
        facts: Facts,
    ) -> Result<()> {
        self.put_own(bucket, &sidecar_key(id), bytes.into(), SIDECAR).await?;
        self.sidecars.put(bucket, key, id, Arc::new(facts));
        Ok(())
    }

    /// What lies beside an object; nothing where the name leads nowhere, or to what belongs to another object.
    pub(super) async fn sidecar(&self, bucket: &BucketName, key: &ObjectKey, id: &str) -> Result<Option<Arc<Facts>>> {
        if let Some(facts) = self.sidecars.get(bucket, key, id) {
            return Ok(Some(facts));
        }
        let Some(bytes) = self.get_own(bucket, &sidecar_key(id), SIDECAR).await? else { return Ok(None) };
        let facts = Facts::of_sidecar(&bytes, bucket, key, &self.mac.load())?.map(Arc::new);
        if let Some(facts) = &facts {
            self.sidecars.put(bucket, key, id, Arc::clone(facts));
        }
        Ok(facts)
    }

    /// Stores a small object of the store's own.
    pub(super) async fn put_own(
        &self,
        bucket: &BucketName,
        key: &str,
        body: Bytes,
        operation: &'static str,
    ) -> Result<()> {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let (query, body) = (Vec::new(), Some(body));
        let call = Call { method: "PUT", bucket: bucket.as_str(), key, query, headers, body };
        self.upstream.call(call).await.map(drop).map_err(|e| self.failed(bucket, operation, e))
    }

    /// Reads a small object of the store's own.
    pub(super) async fn get_own(
        &self,
        bucket: &BucketName,
        key: &str,
        operation: &'static str,
    ) -> Result<Option<Bytes>> {
        let call = Call { method: "GET", bucket: bucket.as_str(), key, ..Call::default() };
        let answer = match self.upstream.call(call).await {
            Ok(answer) => answer.text().await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(bytes) => Ok(Some(bytes)),
            Err(failure) if failure.code() == "NoSuchKey" => Ok(None),
            Err(failure) => Err(self.failed(bucket, operation, failure)),
        }
    }

    /// A failure about a bucket; one that is gone is remembered as such.
    pub(super) fn failed(&self, bucket: &BucketName, operation: &'static str, failure: Failure) -> crate::Error {
        let error = failure.into_error(&self.upstream.name, operation);
        if error.kind() == ErrorKind::NoSuchBucket {
            self.forget_bucket(bucket);
        }
        error
    }
}

/// Where a sidecar lies.
pub(super) fn sidecar_key(id: &str) -> String {
    format!("{INTERNAL}meta/{id}")
}
