//! Multipart uploads in maps. Test code.

use super::{Bucket, body_of, now, refused};
use crate::domain::checksum::Checksums;
use crate::domain::object::{ETag, ObjectMeta};
use crate::storage::completion::{KeptPart, assemble, request_hash};
use crate::storage::multipart::{
    CompleteRequest, NewUpload, PartCommit, PartInfo, PartNumber, PartPage, UploadId, UploadInfo, UploadPage,
    UploadQuery, UploadRef, no_such_upload,
};
use crate::storage::upload_pages::{OpenUpload, page_of};
use crate::{ErrorKind, Result};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// An upload that is open.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) info: UploadInfo,
    parts: BTreeMap<PartNumber, Kept>,
}

/// What a completion answered, and to which list.
#[derive(Clone, Debug)]
pub(super) struct Done {
    key: String,
    request: String,
    answer: ObjectMeta,
}

#[derive(Clone, Debug)]
struct Kept {
    info: PartInfo,
    body: Bytes,
}

impl KeptPart for Kept {
    fn number(&self) -> PartNumber {
        self.info.number
    }

    fn size(&self) -> u64 {
        self.info.size
    }

    fn md5(&self) -> &str {
        self.info.etag.as_str()
    }

    fn checksums(&self) -> &Checksums {
        &self.info.checksums
    }
}

impl OpenUpload for Open {
    fn key(&self) -> &str {
        self.info.key.as_str()
    }

    fn id(&self) -> &UploadId {
        &self.info.id
    }
}

impl Bucket {
    pub(super) fn create_upload(&mut self, upload: NewUpload) -> Result<UploadInfo> {
        let NewUpload { bucket: _, key, attributes, checksum, initiator } = upload;
        if checksum.is_some_and(|checksum| !checksum.algorithm.allows(checksum.kind)) {
            return Err(refused(ErrorKind::InvalidRequest, "no object can have this checksum"));
        }
        let initiated = now();
        let info = UploadInfo { id: UploadId::new(initiated), key, initiated, attributes, checksum, initiator };
        self.open.insert(info.id.clone(), Open { info: info.clone(), parts: BTreeMap::new() });
        Ok(info)
    }

    pub(super) fn upload(&self, upload: &UploadRef) -> Result<&Open> {
        self.open.get(&upload.id).filter(|open| open.info.key == upload.key).ok_or_else(no_such_upload)
    }

    pub(super) fn commit_part(&mut self, commit: PartCommit) -> Result<PartInfo> {
        let wanted = self.upload(&commit.upload)?.info.checksum.map(|checksum| checksum.algorithm.name());
        if wanted.is_some_and(|name| !commit.checksums.contains_key(name)) {
            return Err(refused(ErrorKind::InvalidRequest, "the part lacks the upload's checksum"));
        }
        let (body, sums) = body_of(commit.staged)?;
        let (number, etag, checksums) = (commit.number, ETag::new(&sums.md5), commit.checksums);
        let info = PartInfo { number, size: sums.size, etag, checksums, modified: now() };
        if let Some(open) = self.open.get_mut(&commit.upload.id) {
            open.parts.insert(number, Kept { info: info.clone(), body });
        }
        Ok(info)
    }

    pub(super) fn list_parts(&self, upload: &UploadRef, after: u16, max: usize) -> Result<PartPage> {
        let open = self.upload(upload)?;
        let mut rest = open.parts.values().map(|part| part.info.clone()).filter(|part| part.number.get() > after);
        let parts: Vec<PartInfo> = rest.by_ref().take(max).collect();
        let next = rest.next().and(parts.last().map(|part| part.number));
        Ok(PartPage { upload: open.info.clone(), parts, next })
    }

    pub(super) fn list_uploads(&self, query: &UploadQuery) -> Result<UploadPage> {
        page_of(self.open.values().cloned().collect(), query, |open| Ok(open.info))
    }

    pub(super) fn complete_upload(&mut self, request: &CompleteRequest) -> Result<ObjectMeta> {
        let upload = &request.upload;
        if let Some(done) = self.done.get(&upload.id).filter(|done| done.key == upload.key.as_str()) {
            let same = done.request == request_hash(&request.parts);
            let other = || refused(ErrorKind::InvalidPart, "the upload was completed with another list of parts");
            return same.then(|| done.answer.clone()).ok_or_else(other);
        }
        let open = self.upload(upload)?.clone();
        let find = |number| Ok(open.parts.get(&number).cloned());
        let whole = assemble(open.info.attributes.clone(), open.info.checksum, request, find)?;
        self.check(&upload.key, &request.conditions)?;
        let mut body = BytesMut::new();
        whole.parts.iter().for_each(|part| body.extend_from_slice(&part.body));
        let meta = ObjectMeta {
            size: whole.size,
            etag: whole.etag,
            modified: now(),
            sha256: None,
            attributes: whole.attributes,
            parts: Some(whole.layout),
        };
        let answer = self.store(&upload.key, body.freeze(), meta);
        self.open.remove(&upload.id);
        let (key, request) = (upload.key.as_str().to_owned(), request_hash(&request.parts));
        self.done.insert(upload.id.clone(), Done { key, request, answer: answer.clone() });
        Ok(answer)
    }
}
