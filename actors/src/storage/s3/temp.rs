//! A body in the making on the upstream: an object of the store's own, sent in pieces while it is received, removed when nobody
//! publishes it.

use super::Inner;
use super::client::Call;
use super::convert::{INTERNAL, element};
use super::pool::runtime;
use crate::domain::names::BucketName;
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use quick_xml::escape::escape;
use rusoto_s3::{AbortMultipartUploadRequest, CompletedPart, S3};
use std::fmt;
use std::sync::Arc;
use tokio::task::JoinSet;
use uuid::Uuid;

const OPERATION: &str = "write object";
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// So many pieces are on their way at once: with their size, this bounds the memory of a transfer.
const UNDER_WAY: usize = 3;
const PIECE: usize = 8 << 20;

/// The object of the store's own; dropped, it is removed.
pub(super) struct Temp {
    store: Arc<Inner>,
    pub(super) bucket: BucketName,
    pub(super) key: String,
    /// The upload, until it is complete.
    upload: Option<String>,
}

/// A body that is being sent.
pub(super) struct Sending {
    temp: Temp,
    under_way: JoinSet<Result<CompletedPart>>,
    parts: Vec<CompletedPart>,
    next: i64,
    /// The next piece, as far as it came.
    piece: BytesMut,
}

impl Sending {
    /// Begins an upload under a fresh name.
    pub(super) async fn begin(store: &Arc<Inner>, bucket: &BucketName) -> Result<Self> {
        let key = format!("{INTERNAL}tmp/{}", Uuid::new_v4());
        let upload = begin_upload(store, bucket, &key, Vec::new(), OPERATION).await?;
        let temp = Temp { store: Arc::clone(store), bucket: bucket.clone(), key, upload: Some(upload) };
        Ok(Self { temp, under_way: JoinSet::new(), parts: Vec::new(), next: 1, piece: BytesMut::with_capacity(PIECE) })
    }

    /// Sends what comes, in pieces of one size; returns when there is room for more.
    pub(super) async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let fitting = bytes.len().min(PIECE - self.piece.len());
            self.piece.extend_from_slice(&bytes.split_to(fitting));
            if self.piece.len() == PIECE {
                let piece = std::mem::replace(&mut self.piece, BytesMut::with_capacity(PIECE));
                self.send(piece.freeze()).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, piece: Bytes) -> Result<()> {
        while self.under_way.len() >= UNDER_WAY {
            self.joined().await?;
        }
        let (store, bucket, key) = (Arc::clone(&self.temp.store), self.temp.bucket.clone(), self.temp.key.clone());
        let (number, upload) = (self.next, self.temp.upload.clone().unwrap_or_default());
        self.next += 1;
        let handle = runtime().map_err(|e| Error::io(OPERATION, e))?;
        self.under_way.spawn_on(
            async move {
                let call = Call {
                    method: "PUT",
                    bucket: bucket.as_str(),
                    key: &key,
                    query: vec![("partNumber", number.to_string()), ("uploadId", upload)],
                    body: Some(piece),
                    ..Call::default()
                };
                let answer = store.upstream.call(call).await.map_err(|e| store.upstream.error(OPERATION, e))?;
                Ok(CompletedPart { e_tag: Some(answer.header("etag").to_owned()), part_number: Some(number) })
            },
            &handle,
        );
        Ok(())
    }

    /// Waits for all pieces; the body is one object of the store's own then.
    pub(super) async fn finish(mut self) -> Result<Temp> {
        if !self.piece.is_empty() {
            let rest = std::mem::take(&mut self.piece);
            self.send(rest.freeze()).await?;
        }
        while !self.under_way.is_empty() {
            self.joined().await?;
        }
        self.parts.sort_by_key(|part| part.part_number);
        let upload = self.temp.upload.clone().unwrap_or_default();
        complete(&self.temp.store, &self.temp.bucket, &self.temp.key, &upload, (self.parts, None), OPERATION).await?;
        self.temp.upload = None;
        Ok(self.temp)
    }

    async fn joined(&mut self) -> Result<()> {
        let Some(joined) = self.under_way.join_next().await else { return Ok(()) };
        self.parts.push(joined.map_err(|e| Error::internal(OPERATION, e))??);
        Ok(())
    }
}

/// Begins an upload on the upstream; gives its name there.
pub(super) async fn begin_upload(
    store: &Inner,
    bucket: &BucketName,
    key: &str,
    headers: Vec<(String, String)>,
    operation: &'static str,
) -> Result<String> {
    let query = vec![("uploads", String::new())];
    let call = Call { method: "POST", bucket: bucket.as_str(), key, query, headers, body: None };
    let text = store.upstream.call_for_text(call).await.map_err(|e| store.failed(bucket, operation, e))?;
    element(&text, "UploadId").filter(|id| !id.is_empty()).ok_or_else(|| {
        store.upstream.error(operation, super::error::Failure::Lost("it began an upload without a name".to_owned()))
    })
}

/// Completes an upload on the upstream, on a condition where there is one. An answer without an entity tag is none.
pub(super) async fn complete(
    store: &Inner,
    bucket: &BucketName,
    key: &str,
    upload: &str,
    (parts, condition): (Vec<CompletedPart>, Option<(String, String)>),
    operation: &'static str,
) -> Result<String> {
    let part = |part: &CompletedPart| {
        let (number, tag) = (part.part_number.unwrap_or_default(), part.e_tag.as_deref().unwrap_or_default());
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", escape(tag))
    };
    let parts: String = parts.iter().map(part).collect();
    let body = format!("<CompleteMultipartUpload xmlns=\"{NAMESPACE}\">{parts}</CompleteMultipartUpload>");
    let mut headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
    headers.extend(condition);
    let query = vec![("uploadId", upload.to_owned())];
    let call = Call { method: "POST", bucket: bucket.as_str(), key, query, headers, body: Some(body.into()) };
    let text = store.upstream.call_for_text(call).await.map_err(|e| store.upstream.error(operation, e))?;
    element(&text, "ETag").filter(|tag| !tag.is_empty()).ok_or_else(|| {
        store.upstream.error(operation, super::error::Failure::Lost("it broke a completion off".to_owned()))
    })
}

/// Gives an upload on the upstream up; none there is fine, and false.
pub(super) async fn abort(store: &Inner, bucket: &BucketName, key: &str, upload: &str) -> Result<bool> {
    let request = AbortMultipartUploadRequest {
        bucket: bucket.to_string(),
        key: key.to_owned(),
        upload_id: upload.to_owned(),
        ..AbortMultipartUploadRequest::default()
    };
    match store.upstream.s3.abort_multipart_upload(request).await.map_err(super::error::Failure::from) {
        Ok(_) => Ok(true),
        Err(failure) if matches!(failure.code(), "NoSuchUpload" | "NoSuchKey") => Ok(false),
        Err(failure) => Err(store.upstream.error("abort upload", failure)),
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let (store, bucket, key) = (Arc::clone(&self.store), self.bucket.clone(), std::mem::take(&mut self.key));
        let upload = self.upload.take();
        // Without a runtime there was no upstream either.
        let Ok(handle) = runtime() else { return };
        handle.spawn(async move {
            let removed = match upload {
                Some(upload) => abort(&store, &bucket, &key, &upload).await.map(drop),
                None => store.remove(&bucket, &key).await,
            };
            if let Err(error) = removed {
                log::debug!(error:? = error; "an unfinished body stays on the upstream until the next sweep");
            }
        });
    }
}

impl fmt::Debug for Temp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Temp").field("bucket", &self.bucket).field("key", &self.key).finish_non_exhaustive()
    }
}
