//! Turns an upload into an object. The sidecar with the answer is durable before the upstream completes: asked again, whatever
//! happened in between, the answer is the same.

use super::{OpenRecord, dir, open_key, upload_lock};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ObjectMeta;
use crate::storage::completion::{Assembled, KeptPart, assemble, request_hash};
use crate::storage::multipart::{CompleteRequest, UploadRef, no_such_upload};
use crate::storage::s3::Inner;
use crate::storage::s3::cas::Expected;
use crate::storage::s3::convert::{stored, to_second};
use crate::storage::s3::meta::Facts;
use crate::storage::s3::shared::lock_name;
use crate::storage::s3::temp;
use crate::{Error, ErrorKind, Result, fault};
use rusoto_s3::CompletedPart;
use std::sync::Arc;

const OPERATION: &str = "complete upload";

impl Inner {
    /// Completes an upload; the same list again gives the same answer.
    pub(in crate::storage::s3) async fn complete_upload(&self, request: CompleteRequest) -> Result<ObjectMeta> {
        let upload = &request.upload;
        let (bucket, key) = (&upload.bucket, &upload.key);
        let _bucket_stays = self.shared.buckets.read().await;
        let _upload = self.shared.keys.lock(&upload_lock(upload)).await;
        let record = match self.open_upload(upload).await {
            Err(error) if error.kind() == ErrorKind::NoSuchUpload => return self.again(&request).await,
            other => other?,
        };
        let _lock = self.shared.keys.lock(&lock_name(bucket, key.as_str())).await;
        let Some(kept) = self.kept(upload, &record).await? else {
            // The upstream has completed it, and the answer was lost on the way.
            return self.ended(&request, upload).await;
        };
        let find = |number| Ok(kept.get(&number).cloned());
        let whole = assemble(record.attributes.clone(), record.checksum, &request, find)?;
        let mut expected = Expected::Anything;
        if !request.conditions.is_empty() {
            let current = self.current(bucket, key).await?;
            request.conditions.check_write(current.as_ref().map(|current| &current.meta))?;
            expected = Expected::of(current.as_ref());
        }
        let condition = self.condition_of_completion(bucket, &expected).await;
        let facts = self.answer(&request, &record, &whole).await?;
        fault::point("s3.complete.answered");
        let parts = whole.parts.iter().map(|part| CompletedPart {
            e_tag: Some(format!("\"{}\"", part.md5())),
            part_number: Some(i64::from(part.number().get())),
        });
        let how = (parts.collect(), condition);
        let completed = temp::complete(self, bucket, &stored(key.as_str()), &record.upstream, how, OPERATION).await;
        fault::point("s3.complete.after");
        let tag = match completed {
            Ok(tag) => tag,
            // Whether it did is what the object itself tells: it bears the upload's name.
            Err(error) => match self.current(bucket, key).await? {
                Some(there) if there.facts.as_ref().is_some_and(|there| there.id == facts.id) => there.tag,
                _ => return Err(error),
            },
        };
        let meta = facts.meta(&tag, record.attributes.user.clone(), to_second(self.clock.now()));
        self.sizes.note(bucket, key.as_str(), &tag, &meta);
        self.forget_upload(upload).await?;
        Ok(meta)
    }

    /// Writes the sidecar with the answer.
    async fn answer(
        &self,
        request: &CompleteRequest,
        record: &OpenRecord,
        whole: &Assembled<impl KeptPart>,
    ) -> Result<Arc<Facts>> {
        let (bucket, key) = (&request.upload.bucket, &request.upload.key);
        let id = record.id.as_str();
        let mut facts = Facts::new(id.to_owned(), whole.size, Some(whole.etag.clone()), &whole.attributes);
        facts.modified = Some(to_second(self.clock.now()).millis());
        facts.parts = Some(whole.layout.clone());
        facts.request = Some(request_hash(&request.parts));
        let placed = facts.clone().place(bucket, key, true, &self.mac.load())?;
        let sidecar = placed.sidecar.ok_or_else(|| Error::internal(OPERATION, "the facts found no place"))?;
        self.write_sidecar(bucket, key, id, sidecar, facts.clone()).await?;
        Ok(Arc::new(facts))
    }

    /// The answer of an upload that is complete, where the list is the same.
    async fn again(&self, request: &CompleteRequest) -> Result<ObjectMeta> {
        let UploadRef { bucket, key, id } = &request.upload;
        let facts = match self.sidecar(bucket, key, id.as_str()).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => return Err(no_such_upload()),
            other => other?.ok_or_else(no_such_upload)?,
        };
        if facts.request.as_deref() != Some(request_hash(&request.parts).as_str()) {
            let message = "The upload was completed with another list of parts.";
            return Err(Error::new(ErrorKind::InvalidPart, OPERATION, message));
        }
        Ok(facts.meta("", Default::default(), self.clock.now()))
    }

    /// The answer of an upload that the upstream has ended: completed where the object bears its name, else given up.
    async fn ended(&self, request: &CompleteRequest, upload: &UploadRef) -> Result<ObjectMeta> {
        if !self.is_completed(upload).await? {
            // Who wanted the key as it was learns of who was faster, also where that one's write has ended the upload (Garage).
            if !request.conditions.is_empty() {
                let current = self.current(&upload.bucket, &upload.key).await?;
                request.conditions.check_write(current.as_ref().map(|current| &current.meta))?;
            }
            return Err(no_such_upload());
        }
        let meta = self.again(request).await?;
        self.forget_upload(upload).await?;
        Ok(meta)
    }

    /// True where the object is what became of the upload.
    pub(super) async fn is_completed(&self, upload: &UploadRef) -> Result<bool> {
        let current = self.current(&upload.bucket, &upload.key).await?;
        Ok(current.and_then(|current| current.facts).is_some_and(|facts| facts.id == upload.id.as_str()))
    }

    /// The upload is no longer open; what lay beside it goes.
    pub(super) async fn forget_upload(&self, upload: &UploadRef) -> Result<()> {
        self.remove(&upload.bucket, &open_key(&upload.id)).await?;
        if let Err(error) = self.remove_own(&upload.bucket, &dir(&upload.id)).await {
            log::warn!(error:? = error; "what lay beside a completed upload stays until the next sweep");
        }
        Ok(())
    }
}

/// The object that a sidecar belongs to is gone or is another one.
pub(super) async fn is_orphan(store: &Inner, bucket: &BucketName, key: &ObjectKey, id: &str) -> Result<bool> {
    let current = store.current(bucket, key).await?;
    Ok(current.and_then(|current| current.facts).is_none_or(|facts| facts.id != id))
}
