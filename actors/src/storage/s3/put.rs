//! Publishes a body: one request for a short one, a copy on the upstream's side for one that is there already.

use super::Inner;
use super::client::Call;
use super::convert::stored;
use super::error::Failure;
use super::meta::Facts;
use super::read::Described;
use super::shared::lock_name;
use super::writer::{Content, Goal, staged};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ETag, ObjectMeta};
use crate::storage::CommitRequest;
use crate::{Error, ErrorKind, Result, fault};
use bytes::Bytes;
use std::sync::Arc;
use uuid::Uuid;

const OPERATION: &str = "write object";

/// Publishes what was staged, if the conditions hold.
pub(super) async fn commit(store: &Arc<Inner>, commit: CommitRequest) -> Result<ObjectMeta> {
    let CommitRequest { bucket, key, staged: body, attributes, conditions } = commit;
    let content = staged(body.handle, &Goal::Object { bucket: bucket.clone(), key: key.clone() })?;
    let _bucket_stays = store.shared.buckets.read().await;
    let _lock = store.shared.keys.lock(&lock_name(&bucket, key.as_str())).await;
    if !conditions.is_empty() {
        let current = store.current(&bucket, &key).await?;
        conditions.check_write(current.as_ref().map(|current| &current.meta))?;
    }
    let mut facts = Facts::new(Uuid::new_v4().to_string(), body.sums.size, ETag::new(&body.sums.md5), &attributes);
    facts.sha256 = Some(body.sums.sha256.clone());
    fault::point("s3.commit.before");
    let published = match content {
        Content::Memory(bytes) => store.put(&bucket, &key, facts, bytes, conditions.wants_absent()).await?,
        Content::Temp(temp) => {
            if conditions.wants_absent() && store.current(&bucket, &key).await?.is_some() {
                return Err(taken());
            }
            let source = (temp.key.as_str(), None);
            store.copy(&bucket, source, &key, facts).await?
        }
    };
    fault::point("s3.commit.after");
    Ok(published.meta)
}

impl Inner {
    /// Stores a short body under a key, and looks that it is there.
    async fn put(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        facts: Facts,
        body: Bytes,
        absent: bool,
    ) -> Result<Described> {
        let id = facts.id.clone();
        let mut headers = self.placed(bucket, key, facts).await?;
        if absent {
            // Our own lock has decided already; this is for those who write past us.
            headers.push(("if-none-match".to_owned(), "*".to_owned()));
        }
        let stored = stored(key.as_str());
        let body = Some(body);
        let call = Call { method: "PUT", bucket: bucket.as_str(), key: &stored, query: Vec::new(), headers, body };
        match self.upstream.call(call).await {
            Ok(_) => self.written(bucket, key, &id).await,
            // A try whose answer was lost may be what the key is taken by.
            Err(failure) if failure.code() == "PreconditionFailed" => match self.written(bucket, key, &id).await {
                Ok(described) => Ok(described),
                Err(_) => Err(taken()),
            },
            Err(failure) => Err(self.failed(bucket, OPERATION, failure)),
        }
    }

    /// Copies an object of this bucket to a key, with other metadata; the source may have to be of this entity tag.
    pub(super) async fn copy(
        &self,
        bucket: &BucketName,
        source: (&str, Option<&str>),
        key: &ObjectKey,
        facts: Facts,
    ) -> Result<Described> {
        let id = facts.id.clone();
        let mut headers = self.placed(bucket, key, facts).await?;
        headers.push(("x-amz-copy-source".to_owned(), copy_source(bucket, source.0)));
        headers.push(("x-amz-metadata-directive".to_owned(), "REPLACE".to_owned()));
        if let Some(tag) = source.1 {
            headers.push(("x-amz-copy-source-if-match".to_owned(), tag.to_owned()));
        }
        let stored = stored(key.as_str());
        let call = Call { method: "PUT", bucket: bucket.as_str(), key: &stored, headers, ..Call::default() };
        self.upstream.call_for_text(call).await.map_err(|e| self.failed(bucket, OPERATION, e))?;
        self.written(bucket, key, &id).await
    }

    /// Stores the sidecar where the facts need one; gives the headers that go with the object.
    async fn placed(&self, bucket: &BucketName, key: &ObjectKey, facts: Facts) -> Result<Vec<(String, String)>> {
        let id = facts.id.clone();
        let placed = facts.clone().place(bucket, key, false, &self.mac.load())?;
        if let Some(sidecar) = placed.sidecar {
            self.write_sidecar(bucket, key, &id, sidecar, facts).await?;
        }
        Ok(placed.headers)
    }

    /// The object as it is now, which must be what was written.
    async fn written(&self, bucket: &BucketName, key: &ObjectKey, id: &str) -> Result<Described> {
        let described = self.described(bucket, key).await?;
        match &described.facts {
            Some(facts) if facts.id == id => Ok(described),
            _ => {
                let lost = "another object is there than the one that it took".to_owned();
                Err(self.upstream.error(OPERATION, Failure::Lost(lost)))
            }
        }
    }
}

/// `/bucket/key`, as the header has it.
pub(super) fn copy_source(bucket: &BucketName, stored: &str) -> String {
    rusoto_core::signature::encode_uri_path(&format!("/{bucket}/{stored}"))
}

fn taken() -> Error {
    let message = "At least one of the pre-conditions you specified did not hold: If-None-Match";
    Error::new(ErrorKind::PreconditionFailed, OPERATION, message)
}
