//! Turns an upload into an object: the list of its parts becomes the object's file, by one rename and under the key's lock.
//!
//! First the list lies in the upload's directory, durable; then `done.json` says what the answer is; then the list is renamed to
//! its key. Where the process dies before the rename, the next start takes `done.json` and the list back.

use super::assemble::{Assembled, assemble, request_hash};
use super::records::{Claim, DoneRecord};
use super::{DONE, STAGED, State, dir, remove_parts_but, state, upload_lock};
use crate::domain::object::ObjectMeta;
use crate::storage::fs::attributes::{self, Record, Stored};
use crate::storage::fs::commit::Sidecar;
use crate::storage::fs::parts::form;
use crate::storage::fs::place::{Room, TRIES, gone};
use crate::storage::fs::scan::ignore_missing;
use crate::storage::fs::{Fs, blocking, lock_name, temp_name};
use crate::storage::keylocks::KeyGuard;
use crate::storage::multipart::CompleteRequest;
use crate::{Error, ErrorKind, Result, fault};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::OwnedRwLockReadGuard;

const OPERATION: &str = "complete upload";

/// A completion on its way, with everything that must outlive a caller that goes away.
struct Job {
    request: CompleteRequest,
    /// The lock of the upload, that of the key, and those of objects that become directories.
    locks: Vec<KeyGuard>,
    /// The keys of the last.
    held: Vec<String>,
    _bucket_stays: OwnedRwLockReadGuard<()>,
}

enum Attempt {
    Done(Box<ObjectMeta>),
    /// The lock of this key is needed as well.
    Needs(String, Box<Job>),
}

/// Turns an upload into an object, in one blocking job unless an object must become a directory.
pub(in crate::storage::fs) async fn complete(fs: &Arc<Fs>, request: CompleteRequest) -> Result<ObjectMeta> {
    let (bucket, key) = (request.upload.bucket.clone(), request.upload.key.clone());
    let bucket_stays = Arc::clone(&fs.shared.buckets).read_owned().await;
    let mut locks = vec![fs.shared.keys.lock(&upload_lock(&request.upload)).await];
    locks.push(fs.shared.keys.lock(&lock_name(&bucket, key.as_str())).await);
    let mut job = Box::new(Job { request, locks, held: Vec::new(), _bucket_stays: bucket_stays });
    loop {
        let mine = Arc::clone(fs);
        match blocking(OPERATION, move || attempt(&mine, job)).await? {
            Attempt::Done(meta) => return Ok(*meta),
            Attempt::Needs(key, waiting) => {
                job = waiting;
                // An ancestor's key is shorter than ours and its holder waits for none longer: no circle of waits.
                job.locks.push(fs.shared.keys.lock(&lock_name(&bucket, &key)).await);
                job.held.push(key);
            }
        }
    }
}

fn attempt(fs: &Fs, job: Box<Job>) -> Result<Attempt> {
    let (upload, conditions) = (&job.request.upload, &job.request.conditions);
    let upload_record = match state(fs, upload)? {
        State::Open(record) => record,
        State::Complete(done) => return answer_again(*done, &job.request),
    };
    let assembled = assemble(fs, *upload_record, &job.request)?;
    let old = fs.current(&upload.bucket, &upload.key, conditions)?;
    let place = fs.place(&upload.bucket, &upload.key);
    if let Room::Occupied(key) = fs.make_room(&upload.bucket, &place, &job.held)? {
        return Ok(Attempt::Needs(key, job));
    }
    let needed = assembled.numbers();
    let staging = Staging::begin(fs, &job.request, assembled)?;
    let mut published = None;
    for _ in 0..TRIES {
        if let Room::Occupied(key) = fs.make_room(&upload.bucket, &place, &job.held)? {
            drop(staging);
            return Ok(Attempt::Needs(key, job));
        }
        published = fs.give_name(&staging.dir.join(STAGED), &place, conditions.wants_absent())?;
        if published.is_some() {
            break;
        }
    }
    let target = published.ok_or_else(|| gone(&upload.bucket))?;
    let (dir, meta) = staging.published();
    fault::point("fs.complete.named");
    // Both ends of the rename: while the list has its old name, too, the upload would count as not complete.
    fs.settle(&target, &place).and_then(|()| fs.shared.directories.sync(fs.disk.as_ref(), &dir)).map_err(|e| {
        let message = "the object was put together, but it may not survive a power cut";
        Error::new(ErrorKind::OutcomeUnknown, OPERATION, message).with_source(e)
    })?;
    fault::point("fs.complete.settled");
    fs.let_go(&upload.bucket, &upload.key, old);
    remove_parts_but(fs, upload, &needed);
    fs.shared.waiting.add(upload.clone());
    fault::point("fs.complete.after");
    Ok(Attempt::Done(Box::new(meta)))
}

fn answer_again(done: DoneRecord, request: &CompleteRequest) -> Result<Attempt> {
    if done.request == request_hash(&request.parts) {
        return Ok(Attempt::Done(Box::new(done.answer())));
    }
    let message = "The upload was completed with another list of parts.";
    Err(Error::new(ErrorKind::InvalidPart, OPERATION, message))
}

/// The list and the answer, durable; dropped before the object is visible, both are taken back.
struct Staging<'a> {
    fs: &'a Fs,
    dir: PathBuf,
    meta: ObjectMeta,
    sidecar: Option<Sidecar<'a>>,
    published: bool,
}

impl<'a> Staging<'a> {
    fn begin(fs: &'a Fs, request: &CompleteRequest, assembled: Assembled) -> Result<Self> {
        let (upload, keys) = (&request.upload, fs.mac.load());
        let (of, sums) = ((&upload.bucket, &upload.key), (assembled.size, assembled.etag.clone()));
        let record = Record::of_parts(of, sums, assembled.attributes.clone(), fs.clock.now());
        let mut record = record.with_layout(Some(assembled.layout.clone()));
        let meta = record.clone().into_meta();
        let done = DoneRecord {
            id: upload.id.clone(),
            bucket: upload.bucket.clone(),
            key: upload.key.as_str().to_owned(),
            request: request_hash(&request.parts),
            parts: assembled.numbers(),
            size: meta.size,
            etag: meta.etag.clone(),
            modified: meta.modified.millis(),
            attributes: meta.attributes.clone(),
            layout: meta.parts.clone(),
        };
        // The list says it itself, part by part.
        let list = form::encode(&record.clone().with_layout(None), &upload.id, assembled.parts, &keys)?;
        record.stored = Some(Stored::Parts { upload: upload.id.clone(), len: list.len() as u64 });
        let encoded = attributes::encode(record, &keys, fs.attribute_limit)?;
        let sidecar = Sidecar::write(fs, &encoded)?;
        // From here on, whatever goes wrong, the guard takes back what is there.
        let staging = Self { fs, dir: dir(fs, upload), meta, sidecar, published: false };
        staging.write(&list, &encoded.attribute, &done.seal(&keys)?).map_err(|e| Error::io(OPERATION, e))?;
        Ok(staging)
    }

    fn write(&self, list: &[u8], attribute: &[u8], done: &[u8]) -> io::Result<()> {
        let (disk, staged) = (&self.fs.disk, self.dir.join(STAGED));
        // One that a failed attempt left behind has no answer beside it.
        ignore_missing(disk.remove_file(&staged))?;
        let mut file = disk.create_file(&staged, 0o600)?;
        file.write_all(list)?;
        file.set_xattr(attributes::NAME, attribute)?;
        file.sync()?;
        fault::point("fs.complete.listed");
        disk.sync_dir(&self.dir)?;
        let temp = self.dir.join(temp_name());
        let mut file = disk.create_file(&temp, 0o600)?;
        file.write_all(done)?;
        file.sync()?;
        disk.rename(&temp, &self.dir.join(DONE))?;
        disk.sync_dir(&self.dir)?;
        fault::point("fs.complete.answered");
        Ok(())
    }

    /// The object is visible.
    fn published(mut self) -> (PathBuf, ObjectMeta) {
        self.published = true;
        if let Some(sidecar) = self.sidecar.take() {
            sidecar.keep();
        }
        (std::mem::take(&mut self.dir), self.meta.clone())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        if let Err(e) = take_back(self.fs, &self.dir) {
            log::warn!(error:% = e; "a completion that failed is taken back at the next start");
        }
    }
}

/// Opens an upload again whose completion did not come to its rename. The answer goes first: alone it would mean that it did.
pub(super) fn take_back(fs: &Fs, dir: &Path) -> io::Result<()> {
    ignore_missing(fs.disk.remove_file(&dir.join(DONE)))?;
    fs.disk.sync_dir(dir)?;
    ignore_missing(fs.disk.remove_file(&dir.join(STAGED)))
}
