//! Multipart uploads, as the rest of the system reaches them: questions go to the store, changes to its owner.

use super::{COMMIT, StoreHandle, WriteTicket};
use crate::domain::names::BucketName;
use crate::domain::object::ObjectMeta;
use crate::kernel::owner::Intent;
use crate::storage::multipart::{
    CompleteRequest, NewUpload, PartCommit, PartInfo, PartNumber, PartPage, UploadInfo, UploadPage, UploadQuery,
    UploadRef, no_such_upload,
};
use crate::store::messages::{AbortUpload, BeginPart, CommitPart, CompleteUpload, CreateUpload};
use crate::{Error, ErrorKind, Result};

impl StoreHandle {
    /// Begins an upload; a bucket of the registry gets its place with it. Callers outside `system` go through its handle, which
    /// checks the route.
    pub async fn create_upload(&self, upload: NewUpload) -> Result<UploadInfo> {
        let (_, owner, _) = self.writable()?;
        match owner.ask(Intent::Change, CreateUpload(upload.clone())).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => {
                self.create_bucket(&upload.bucket).await?;
                owner.ask(Intent::Change, CreateUpload(upload)).await
            }
            other => other,
        }
    }

    /// What is known of an open upload.
    pub async fn upload(&self, upload: &UploadRef) -> Result<UploadInfo> {
        self.open()?.0.upload(upload).await.map_err(no_bucket_is_no_upload)
    }

    /// Begins to write a part for `holder`.
    pub async fn begin_part(&self, holder: &str, upload: &UploadRef, number: PartNumber) -> Result<WriteTicket> {
        let (_, owner, transfers) = self.writable()?;
        let permit = transfers.take_for(holder)?;
        let message = BeginPart { upload: upload.clone(), number };
        let writer = owner.ask(Intent::Read, message).await.map_err(no_bucket_is_no_upload)?;
        Ok(WriteTicket { writer, permit })
    }

    /// Keeps a part. Callers outside `system` go through its handle, which checks the route.
    pub async fn commit_part(&self, commit: PartCommit) -> Result<PartInfo> {
        // A part has up to 5 GiB, and a slow disk takes its time to sync them.
        let outcome = self.writable()?.1.ask_within(COMMIT, Intent::Change, CommitPart(commit)).await;
        outcome.map_err(no_bucket_is_no_upload)
    }

    /// One page of an upload's parts.
    pub async fn list_parts(&self, upload: &UploadRef, after: u16, max: usize) -> Result<PartPage> {
        self.open()?.0.list_parts(upload, after, max).await.map_err(no_bucket_is_no_upload)
    }

    /// One page of a bucket's open uploads. The registry says which buckets exist: one without a place on the backend has none.
    pub async fn list_uploads(&self, bucket: &BucketName, query: UploadQuery) -> Result<UploadPage> {
        match self.open()?.0.list_uploads(bucket, query).await {
            Err(error) if error.kind() == ErrorKind::NoSuchBucket => Ok(UploadPage::default()),
            other => other,
        }
    }

    /// Turns an upload into an object, for `holder`. Callers outside `system` go through its handle, which checks the route.
    pub async fn complete_upload(&self, holder: &str, request: CompleteRequest) -> Result<ObjectMeta> {
        let (_, owner, transfers) = self.writable()?;
        let _permit = transfers.take_for(holder)?;
        let outcome = owner.ask_within(COMMIT, Intent::Change, CompleteUpload(request)).await;
        outcome.map_err(no_bucket_is_no_upload)
    }

    /// Gives an upload up. Callers outside `system` go through its handle, which checks the route.
    pub async fn abort_upload(&self, upload: UploadRef) -> Result<()> {
        self.writable()?.1.ask(Intent::Change, AbortUpload(upload)).await.map_err(no_bucket_is_no_upload)
    }
}

/// The registry said that the bucket exists, so what is missing is the upload.
fn no_bucket_is_no_upload(error: Error) -> Error {
    if error.kind() == ErrorKind::NoSuchBucket { no_such_upload() } else { error }
}
