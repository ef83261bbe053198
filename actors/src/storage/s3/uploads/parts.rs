//! Keeps parts: they go to the upstream as they are, and their digests into names beside the upload.

use super::{OpenRecord, dir, upload_lock};
use crate::domain::checksum::Checksums;
use crate::domain::clock::Timestamp;
use crate::domain::object::ETag;
use crate::storage::completion::KeptPart;
use crate::storage::multipart::{PartCommit, PartInfo, PartNumber, PartPage, UploadId, UploadRef, no_such_upload};
use crate::storage::s3::Inner;
use crate::storage::s3::client::{self, Call};
use crate::storage::s3::convert::{element, stored, to_second};
use crate::storage::s3::error::Failure;
use crate::storage::s3::put::copy_source;
use crate::storage::s3::writer::{Content, Goal, staged};
use crate::{Error, ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use rusoto_s3::{ListPartsRequest, Part, S3};
use std::collections::{BTreeMap, HashMap};

const KEEP: &str = "upload part";
const LIST: &str = "list parts";

/// A part as the upstream has it, with what we know of it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    number: PartNumber,
    size: u64,
    md5: String,
    checksums: Checksums,
    modified: Timestamp,
}

impl KeptPart for Kept {
    fn number(&self) -> PartNumber {
        self.number
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn md5(&self) -> &str {
        &self.md5
    }

    fn checksums(&self) -> &Checksums {
        &self.checksums
    }
}

impl Kept {
    fn info(self) -> PartInfo {
        let etag = ETag::new(&self.md5);
        PartInfo { number: self.number, size: self.size, etag, checksums: self.checksums, modified: self.modified }
    }
}

impl Inner {
    /// Keeps a part in the place of one of the same number.
    pub(in crate::storage::s3) async fn commit_part(&self, commit: PartCommit) -> Result<PartInfo> {
        let PartCommit { upload, number, staged: body, checksums } = commit;
        let content = staged(body.handle, &Goal::Part { upload: upload.clone(), number })?;
        // Side by side with other parts, and not while the upload ends: the upstream's half of a part would be in nobody's list.
        let _stays = self.shared.keys.share(&upload_lock(&upload)).await;
        let record = self.open_upload(&upload).await?;
        let wanted = record.checksum.map(|checksum| checksum.algorithm.name());
        if let Some(name) = wanted.filter(|name| !checksums.contains_key(*name)) {
            let message = format!("The upload was created using a {name} checksum; the part must come with one.");
            return Err(Error::new(ErrorKind::InvalidRequest, KEEP, message));
        }
        let md5 = body.sums.md5;
        // Before the part: whoever sees the part sees its digests, too.
        if !checksums.is_empty() {
            self.put_own(&upload.bucket, &digests_key(&upload.id, number, &md5, &checksums)?, Bytes::new(), KEEP)
                .await?;
        }
        let tag = self.send_part(&upload, &record, number, (content, &md5)).await?;
        if tag != ETag::new(&md5) {
            let lost = format!("it kept a part as {tag} whose MD5 is {md5}");
            return Err(self.upstream.error(KEEP, Failure::Lost(lost)));
        }
        let modified = to_second(self.clock.now());
        Ok(PartInfo { number, size: body.sums.size, etag: tag, checksums, modified })
    }

    async fn send_part(
        &self,
        upload: &UploadRef,
        record: &OpenRecord,
        number: PartNumber,
        (content, md5): (Content, &str),
    ) -> Result<ETag> {
        let key = stored(&record.key);
        let query = vec![("partNumber", number.to_string()), ("uploadId", record.upstream.clone())];
        let mut call = Call { method: "PUT", bucket: upload.bucket.as_str(), key: &key, query, ..Call::default() };
        let sent = match content {
            Content::Memory(bytes) => {
                let content = client::Content::new(bytes, md5)?;
                self.upstream.send(call, content).await.map(|answer| answer.header("etag").to_owned())
            }
            Content::Stream(_) => return Err(Error::internal(KEEP, "a part was sent as an object")),
            Content::Temp(temp) => {
                call.headers.push(("x-amz-copy-source".to_owned(), copy_source(&temp.bucket, &temp.key)));
                let text = self.upstream.call_for_text(call).await;
                text.map(|text| element(&text, "ETag").unwrap_or_default())
            }
        };
        match sent {
            Ok(tag) => Ok(ETag::new(&tag)),
            Err(failure) if matches!(failure.code(), "NoSuchUpload" | "NoSuchKey") => Err(no_such_upload()),
            Err(failure) => Err(self.failed(&upload.bucket, KEEP, failure)),
        }
    }

    /// One page of an upload's parts.
    pub(in crate::storage::s3) async fn list_parts(
        &self,
        upload: &UploadRef,
        after: u16,
        max: usize,
    ) -> Result<PartPage> {
        let record = self.open_upload(upload).await?;
        let kept = self.kept(upload, &record).await?.ok_or_else(no_such_upload)?;
        let mut page = PartPage { upload: record.info(), parts: Vec::new(), next: None };
        for part in kept.into_values().filter(|part| part.number.get() > after) {
            if page.parts.len() >= max {
                page.next = page.parts.last().map(|part| part.number);
                break;
            }
            page.parts.push(part.info());
        }
        Ok(page)
    }

    /// Every part of an upload; nothing where the upstream has no such upload any more.
    pub(super) async fn kept(
        &self,
        upload: &UploadRef,
        record: &OpenRecord,
    ) -> Result<Option<BTreeMap<PartNumber, Kept>>> {
        let mut parts: Vec<Part> = Vec::new();
        let mut request = ListPartsRequest {
            bucket: upload.bucket.to_string(),
            key: stored(&record.key),
            upload_id: record.upstream.clone(),
            ..ListPartsRequest::default()
        };
        loop {
            let page = match self.upstream.s3.list_parts(request.clone()).await.map_err(Failure::from) {
                Ok(page) => page,
                Err(failure) if matches!(failure.code(), "NoSuchUpload" | "NoSuchKey") => return Ok(None),
                Err(failure) => return Err(self.failed(&upload.bucket, LIST, failure)),
            };
            parts.extend(page.parts.unwrap_or_default());
            match page.next_part_number_marker.filter(|_| page.is_truncated == Some(true)) {
                Some(next) => request.part_number_marker = Some(next),
                None => break,
            }
        }
        let mut digests = self.digests(upload).await?;
        let kept = parts.into_iter().filter_map(|part| {
            let number = PartNumber::new(u64::try_from(part.part_number?).ok()?).ok()?;
            let md5 = ETag::new(&part.e_tag?).as_str().to_owned();
            let checksums = digests.remove(&(number, md5.clone())).unwrap_or_default();
            let modified = part.last_modified.as_deref().and_then(Timestamp::parse_rfc3339).unwrap_or_default();
            let size = u64::try_from(part.size?).ok()?;
            Some((number, Kept { number, size, md5, checksums, modified: to_second(modified) }))
        });
        Ok(Some(kept.collect()))
    }

    /// The digests of parts by number and MD5, as their names tell them.
    async fn digests(&self, upload: &UploadRef) -> Result<HashMap<(PartNumber, String), Checksums>> {
        let prefix = format!("{}parts/", dir(&upload.id));
        let keys = self.all_own_keys(&upload.bucket, &prefix).await?;
        let read = |key: &String| {
            let mut names = key.strip_prefix(&prefix)?.split('/');
            let number = PartNumber::new(names.next()?.parse().ok()?).ok()?;
            let md5 = names.next()?.to_owned();
            let checksums: Checksums = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(names.next()?).ok()?).ok()?;
            Some(((number, md5), checksums))
        };
        let mut digests: HashMap<_, Checksums> = HashMap::new();
        for (of, checksums) in keys.iter().filter_map(read) {
            // The same bytes, sent twice with other algorithms, have the digests of both.
            digests.entry(of).or_default().extend(checksums);
        }
        Ok(digests)
    }
}

fn digests_key(id: &UploadId, number: PartNumber, md5: &str, checksums: &Checksums) -> Result<String> {
    let json = serde_json::to_vec(checksums).map_err(|e| Error::internal(KEEP, e))?;
    Ok(format!("{}parts/{:05}/{md5}/{}", dir(id), number.get(), URL_SAFE_NO_PAD.encode(json)))
}
