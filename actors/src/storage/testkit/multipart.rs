//! Small verbs for multipart uploads. Test code.

use super::bucket;
use crate::Result;
use crate::domain::checksum::{ChecksumAlgorithm, Checksums};
use crate::domain::condition::Conditions;
use crate::domain::names::ObjectKey;
use crate::domain::object::{ObjectAttributes, ObjectMeta};
use crate::storage::ObjectStore;
use crate::storage::multipart::{
    CompleteRequest, CompletedPart, Initiator, MIN_PART_SIZE, NewUpload, PartCommit, PartInfo, PartNumber,
    UploadChecksum, UploadRef,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::sync::Arc;

/// A body that a part other than the last may have; `seed` tells it from others.
pub fn large(seed: u8) -> Vec<u8> {
    (0..MIN_PART_SIZE + 3).map(|i| (i % 251) as u8 ^ seed).collect()
}

/// Begins an upload with attributes and a checksum.
pub async fn begin_with(
    store: &Arc<dyn ObjectStore>,
    bucket_name: &str,
    key: &str,
    attributes: ObjectAttributes,
    checksum: Option<UploadChecksum>,
) -> Result<UploadRef> {
    let (bucket, key) = (bucket(bucket_name)?, ObjectKey::new(key)?);
    let initiator = Initiator { id: "AKIA1".to_owned(), name: "ann".to_owned() };
    let upload = NewUpload { bucket: bucket.clone(), key: key.clone(), attributes, checksum, initiator };
    Ok(UploadRef { bucket, key, id: store.create_upload(upload).await?.id })
}

/// Begins an upload.
pub async fn begin(store: &Arc<dyn ObjectStore>, bucket_name: &str, key: &str) -> Result<UploadRef> {
    begin_with(store, bucket_name, key, ObjectAttributes::default(), None).await
}

/// Keeps a part with these digests of it.
pub async fn keep_with(
    store: &Arc<dyn ObjectStore>,
    upload: &UploadRef,
    number: u64,
    body: &[u8],
    algorithms: &[ChecksumAlgorithm],
) -> Result<PartInfo> {
    let number = PartNumber::new(number)?;
    let mut writer = store.begin_part(upload, number).await?;
    for bytes in body.chunks(100_000) {
        writer.write(Bytes::copy_from_slice(bytes)).await?;
    }
    let staged = writer.finish().await?;
    let checksums: Checksums =
        algorithms.iter().map(|a| (a.name().to_owned(), STANDARD.encode(a.digest(body)))).collect();
    store.commit_part(PartCommit { upload: upload.clone(), number, staged, checksums }).await
}

/// Keeps a part; gives how a client lists it.
pub async fn keep(store: &Arc<dyn ObjectStore>, upload: &UploadRef, number: u64, body: &[u8]) -> Result<CompletedPart> {
    keep_with(store, upload, number, body, &[]).await.map(listed)
}

/// How a client lists a part.
pub fn listed(part: PartInfo) -> CompletedPart {
    CompletedPart { number: part.number, etag: part.etag, checksums: part.checksums }
}

/// The plainest request to complete an upload.
pub fn request(upload: &UploadRef, parts: &[CompletedPart]) -> CompleteRequest {
    CompleteRequest {
        upload: upload.clone(),
        parts: parts.to_vec(),
        checksum: None,
        size: None,
        conditions: Conditions::default(),
    }
}

/// Completes an upload.
pub async fn complete(store: &Arc<dyn ObjectStore>, upload: &UploadRef, parts: &[CompletedPart]) -> Result<ObjectMeta> {
    store.complete_upload(request(upload, parts)).await
}

/// Stores an object in parts.
pub async fn put_parts(
    store: &Arc<dyn ObjectStore>,
    bucket_name: &str,
    key: &str,
    bodies: &[&[u8]],
) -> Result<(UploadRef, ObjectMeta)> {
    let upload = begin(store, bucket_name, key).await?;
    let mut parts = Vec::new();
    for (body, number) in bodies.iter().zip(1..) {
        parts.push(keep(store, &upload, number, body).await?);
    }
    let meta = complete(store, &upload, &parts).await?;
    Ok((upload, meta))
}
