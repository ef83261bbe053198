//! Publishes a body: one request for a short one, the end of the request for one under way, a copy on the upstream's side for one
//! that is there already.

use super::Inner;
use super::cas::{Expected, taken};
use super::client::{self, Call};
use super::convert::{stored, to_second};
use super::error::Failure;
use super::meta::Facts;
use super::read::Described;
use super::shared::lock_name;
use super::writer::{Content, Goal, staged};
use crate::domain::clock::Timestamp;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ETag, ObjectMeta};
use crate::storage::CommitRequest;
use crate::{Result, fault};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const OPERATION: &str = "write object";

/// Publishes what was staged, if the conditions hold.
pub(super) async fn commit(store: &Arc<Inner>, commit: CommitRequest) -> Result<ObjectMeta> {
    let CommitRequest { bucket, key, staged: body, attributes, conditions } = commit;
    let content = staged(body.handle, &Goal::Object { bucket: bucket.clone(), key: key.clone() })?;
    let _bucket_stays = store.shared.buckets.read().await;
    let _lock = store.shared.keys.lock(&lock_name(&bucket, key.as_str())).await;
    let mut expected = Expected::Anything;
    if !conditions.is_empty() {
        let current = store.current(&bucket, &key).await?;
        conditions.check_write(current.as_ref().map(|current| &current.meta))?;
        expected = Expected::of(current.as_ref());
    }
    let facts = || {
        let etag = Some(ETag::new(&body.sums.md5));
        let mut facts = Facts::new(Uuid::new_v4().to_string(), body.sums.size, etag, &attributes);
        facts.sha256 = Some(body.sums.sha256.clone());
        facts
    };
    fault::point("s3.commit.before");
    let published = match content {
        Content::Memory(bytes) => {
            let content = client::Content::new(bytes, &body.sums.md5)?;
            store.put(&bucket, &key, facts(), content, &expected).await?
        }
        Content::Temp(temp) => store.copy(&bucket, (temp.key.as_str(), None), &key, facts()).await?,
        Content::Stream(stream) => stream.publish(&attributes, expected).await?,
    };
    fault::point("s3.commit.after");
    Ok(published.meta)
}

impl Inner {
    /// Stores a short body under a key. The entity tag of the answer says that it is what was sent; where it says something else,
    /// the object is looked at.
    async fn put(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        facts: Facts,
        content: client::Content,
        expected: &Expected,
    ) -> Result<Described> {
        let id = facts.id.clone();
        let mut headers = self.placed(bucket, key, facts.clone()).await?;
        headers.extend(self.condition(bucket, expected).await);
        let stored = stored(key.as_str());
        let call = Call { method: "PUT", bucket: bucket.as_str(), key: &stored, headers, ..Call::default() };
        match self.upstream.send(call, content).await {
            Ok(answer) if facts.etag.as_ref() == Some(&ETag::new(answer.header("etag"))) => {
                let now = Timestamp::parse_http_date(answer.header("date"));
                let meta = facts.meta("", BTreeMap::new(), now.unwrap_or_else(|| to_second(self.clock.now())));
                Ok(Described { meta, tag: answer.header("etag").to_owned(), facts: Some(Arc::new(facts)) })
            }
            Ok(_) => self.written(bucket, key, &id).await,
            // A try whose answer was lost may be what the key is taken by.
            Err(failure) if failure.code() == "PreconditionFailed" => match self.written(bucket, key, &id).await {
                Ok(described) => Ok(described),
                Err(_) => Err(taken(expected)),
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
    pub(super) async fn written(&self, bucket: &BucketName, key: &ObjectKey, id: &str) -> Result<Described> {
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
