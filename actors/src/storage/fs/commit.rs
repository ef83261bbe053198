//! Publishes a body: temp file → write → attribute → fsync → rename → fsync of the directories, under the key's lock.

use super::attributes::{self, Encoded, Record};
use super::belongings::Belongings;
use super::layout::SELF_NAME;
use super::lookup::symlink_in_the_way;
use super::place::{Place, Room, TRIES, gone};
use super::writer::{Content, Goal, StagedBody, TempFile};
use super::{Fs, blocking, lock_name};
use crate::disk::reach;
use crate::domain::condition::Conditions;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{BodySums, ObjectAttributes, ObjectMeta};
use crate::storage::CommitRequest;
use crate::storage::keylocks::KeyGuard;
use crate::{Error, ErrorKind, Result, fault};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::OwnedRwLockReadGuard;

const OPERATION: &str = "commit object";

/// A commit on its way, with everything that must outlive a caller that goes away.
struct Job {
    bucket: BucketName,
    key: ObjectKey,
    sums: BodySums,
    content: Content,
    attributes: ObjectAttributes,
    conditions: Conditions,
    /// The lock of the key, and those of objects that become directories.
    locks: Vec<KeyGuard>,
    /// Their keys but the first.
    held: Vec<String>,
    _bucket_stays: OwnedRwLockReadGuard<()>,
}

/// How far an attempt came.
enum Attempt {
    Done(Box<ObjectMeta>),
    /// The lock of this key is needed as well.
    Needs(String, Box<Job>),
}

/// What came of giving a file its name.
enum Published {
    At(PathBuf),
    /// The object of this key came to lie in the way; here is the body again.
    Occupied(String, Content),
}

/// Publishes a body, in one blocking job unless an object must become a directory.
pub(super) async fn commit(fs: &Arc<Fs>, request: CommitRequest) -> Result<ObjectMeta> {
    let CommitRequest { bucket, key, staged, attributes, conditions } = request;
    let staged_body = staged.handle.downcast::<StagedBody>();
    let body = staged_body.map_err(|_| Error::internal(OPERATION, "the body was staged by another kind of store"))?;
    if body.goal != (Goal::Object { bucket: bucket.clone(), key: key.clone() }) {
        return Err(Error::internal(OPERATION, "the body was staged for another key"));
    }
    // The bucket first: whoever waits for a key holds the bucket, so a removal that waits for all commits blocks none of them.
    let bucket_stays = Arc::clone(&fs.shared.buckets).read_owned().await;
    let locks = vec![fs.shared.keys.lock(&lock_name(&bucket, key.as_str())).await];
    let mut job = Box::new(Job {
        bucket,
        key,
        sums: staged.sums,
        content: body.content,
        attributes,
        conditions,
        locks,
        held: Vec::new(),
        _bucket_stays: bucket_stays,
    });
    loop {
        let mine = Arc::clone(fs);
        match blocking(OPERATION, move || attempt(&mine, job)).await? {
            Attempt::Done(meta) => return Ok(*meta),
            Attempt::Needs(key, waiting) => {
                job = waiting;
                // An ancestor's key is shorter than ours and its holder waits for none longer: no circle of waits.
                job.locks.push(fs.shared.keys.lock(&lock_name(&job.bucket, &key)).await);
                job.held.push(key);
            }
        }
    }
}

fn attempt(fs: &Fs, mut job: Box<Job>) -> Result<Attempt> {
    fault::point("fs.commit.before");
    let old = fs.current(&job.bucket, &job.key, &job.conditions)?;
    let place = fs.place(&job.bucket, &job.key);
    if let Room::Occupied(key) = fs.make_room(&job.bucket, &place, &job.held)? {
        return Ok(Attempt::Needs(key, job));
    }
    let record = Record::new(&job.bucket, &job.key, &job.sums, job.attributes.clone(), fs.clock.now());
    let meta = record.clone().into_meta();
    let encoded = attributes::encode(record, &fs.mac.load(), fs.attribute_limit)?;
    let sidecar = Sidecar::write(fs, &encoded)?;
    fault::point("fs.commit.after_sidecar");
    let content = std::mem::replace(&mut job.content, Content::Memory(Vec::new()));
    let target = match fs.publish(&job, &place, content, &encoded.attribute)? {
        Published::At(target) => target,
        Published::Occupied(key, content) => {
            job.content = content;
            return Ok(Attempt::Needs(key, job));
        }
    };
    if let Some(sidecar) = sidecar {
        sidecar.keep();
    }
    fault::point("fs.commit.after_rename");
    fs.settle(&target, &place).map_err(|e| {
        Error::new(ErrorKind::OutcomeUnknown, OPERATION, "the object was written, but it may not survive a power cut")
            .with_source(e)
    })?;
    fs.let_go(&job.bucket, &job.key, old);
    fault::point("fs.commit.after");
    drop(std::mem::take(&mut job.locks));
    Ok(Attempt::Done(Box::new(meta)))
}

impl Fs {
    /// Checks the conditions against what is there; returns what goes with it.
    pub(super) fn current(&self, bucket: &BucketName, key: &ObjectKey, conditions: &Conditions) -> Result<Belongings> {
        let Some(found) = self.find(bucket, key.as_str())? else {
            if !conditions.is_empty() {
                self.check_bucket(bucket)?;
            }
            conditions.check_write(None)?;
            return Ok(Belongings::default());
        };
        // Whoever asks for nothing may replace what cannot be read any more.
        if !conditions.is_empty() {
            conditions.check_write(Some(&self.describe(bucket, key.as_str(), &found)?.meta))?;
        }
        Ok(self.belongings(&found))
    }

    /// Writes the file in full, synced, and gives it its name; returns that.
    fn publish(&self, job: &Job, place: &Place, content: Content, attribute: &[u8]) -> Result<Published> {
        let (body, mut temp) = match content {
            Content::Memory(body) => (Some(body), None),
            Content::File(file) => (None, Some(write_out(file, &[], attribute)?)),
        };
        for _ in 0..TRIES {
            // What was there a moment ago may be gone, or an object by now: keys above and below change at once.
            if let Room::Occupied(key) = self.make_room(&job.bucket, place, &job.held)? {
                let content = body.map(Content::Memory).or(temp.map(Content::File));
                return content.map(|content| Published::Occupied(key, content)).ok_or_else(|| gone(&job.bucket));
            }
            let ready = match (temp.take(), &body) {
                (Some(temp), _) => temp,
                (None, Some(body)) => match TempFile::create(&self.disk, place.dir()) {
                    Ok(temp) => write_out(temp, body, attribute)?,
                    Err(e) if is_displaced(&e) => continue,
                    Err(e) => return Err(Error::io(OPERATION, e)),
                },
                (None, None) => break,
            };
            fault::point("fs.commit.after_sync");
            if let Some(target) = self.give_name(&ready.path, place, job.conditions.wants_absent())? {
                ready.published();
                return Ok(Published::At(target));
            }
            if reach::symlink_metadata(&ready.path).is_ok() {
                temp = Some(ready);
            }
        }
        Err(gone(&job.bucket))
    }

    /// Gives a finished file the name of its key; `None` where the place changed in between.
    pub(super) fn give_name(&self, ready: &Path, place: &Place, absent: bool) -> Result<Option<PathBuf>> {
        let target = self.target(place)?;
        let renamed = match absent {
            true => self.disk.rename_noreplace(ready, &target),
            false => self.disk.rename(ready, &target),
        };
        let Err(e) = renamed else { return Ok(Some(target)) };
        match e.kind() {
            io::ErrorKind::AlreadyExists if reach::symlink_metadata(&target).is_ok_and(|m| !m.is_dir()) => Err(taken()),
            // The file became a directory or the other way round, or an empty directory was tidied away.
            io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty => Ok(None),
            _ if is_displaced(&e) => Ok(None),
            _ => Err(Error::io(OPERATION, e)),
        }
    }

    /// The file that the key has now: plain, or `%self` where its name is a directory's.
    fn target(&self, place: &Place) -> Result<PathBuf> {
        let file = place.file();
        match reach::symlink_metadata(&file) {
            Ok(meta) if meta.is_dir() => Ok(file.join(SELF_NAME)),
            Ok(meta) if meta.is_symlink() => Err(symlink_in_the_way()),
            _ => Ok(file),
        }
    }

    /// Makes the new name durable, and every directory above it that is not known to be.
    pub(super) fn settle(&self, target: &Path, place: &Place) -> io::Result<()> {
        let dir = target.parent().unwrap_or(place.dir());
        self.shared.directories.sync(self.disk.as_ref(), dir)?;
        if dir != place.dir() {
            self.sync_dirs(&[dir.to_owned()])?;
        }
        self.sync_dirs(&place.dirs)
    }
}

/// A sidecar that is durable; dropped before its object is visible, it disappears.
pub(super) struct Sidecar<'a> {
    fs: &'a Fs,
    path: Option<PathBuf>,
}

impl<'a> Sidecar<'a> {
    pub(super) fn write(fs: &'a Fs, encoded: &Encoded) -> Result<Option<Self>> {
        let Some((id, bytes)) = &encoded.sidecar else { return Ok(None) };
        let path = fs.sidecar_path(id).ok_or_else(|| Error::internal(OPERATION, "the object id is no UUID"))?;
        let io = |e| Error::io(OPERATION, e);
        let dir = path.parent().unwrap_or(&fs.root);
        // What bears a sidecar's name is whole: the sweep knows what is torn by its name.
        let mut temp = TempFile::create(&fs.disk, dir).map_err(io)?;
        temp.file.write_all(bytes).map_err(io)?;
        temp.file.sync().map_err(io)?;
        fs.disk.rename(&temp.path, &path).map_err(io)?;
        temp.published();
        let sidecar = Self { fs, path: Some(path.clone()) };
        fs.shared.directories.sync(fs.disk.as_ref(), dir).map_err(io)?;
        Ok(Some(sidecar))
    }

    pub(super) fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Sidecar<'_> {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // One that stays is swept at the next start.
            let _ = self.fs.disk.remove_file(path);
        }
    }
}

fn write_out(mut temp: TempFile, body: &[u8], attribute: &[u8]) -> Result<TempFile> {
    let io = |e| Error::io(OPERATION, e);
    if !body.is_empty() {
        temp.file.write_all(body).map_err(io)?;
    }
    temp.file.set_xattr(attributes::NAME, attribute).map_err(io)?;
    temp.file.sync().map_err(io)?;
    Ok(temp)
}

/// A directory on the path is gone, or a file by now.
fn is_displaced(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn taken() -> Error {
    Error::new(
        ErrorKind::PreconditionFailed,
        OPERATION,
        "At least one of the pre-conditions you specified did not hold: If-None-Match",
    )
}
