//! Stores an object that lies in parts as a plain body, without a change that a client could see.
//!
//! Every part is verified while it is copied. The new file takes the old one's place under the key's lock, and only where that is
//! still the object that was copied; then the parts go.

use super::form::PartFile;
use super::lease::Lease;
use super::read;
use crate::storage::fs::attributes::{self, Encoded, Record, Stored};
use crate::storage::fs::belongings::Belongings;
use crate::storage::fs::commit::Sidecar;
use crate::storage::fs::lookup::was_replaced;
use crate::storage::fs::place::TRIES;
use crate::storage::fs::writer::TempFile;
use crate::storage::fs::{Fs, blocking, lock_name, uploads};
use crate::storage::multipart::UploadRef;
use crate::{Error, ErrorKind, Result, fault};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

const OPERATION: &str = "store as a plain body";
/// What is copied before somebody else may have the thread.
const STEP: u64 = 32 << 20;
/// What is copied and verified at once.
const PIECE: u64 = 1 << 20;

/// A copy on its way.
struct Copy {
    /// The id of the object that is copied.
    id: String,
    /// The record of the plain file.
    plain: Encoded,
    belongings: Belongings,
    lease: Lease,
    temp: TempFile,
    /// The parts that are left, the last one first.
    left: Vec<PartFile>,
    current: Option<Source>,
}

/// The part that is being copied.
struct Source {
    part: PartFile,
    file: File,
    at: u64,
    hash: Sha256,
}

/// Stores the object of a completed upload as a plain body, where it still is stored as its parts.
pub(in crate::storage::fs) async fn compact(fs: &Arc<Fs>, upload: &UploadRef) -> Result<()> {
    let (mine, of) = (Arc::clone(fs), upload.clone());
    let Some(mut copy) = blocking(OPERATION, move || Copy::begin(&mine, of)).await? else { return Ok(()) };
    // In steps, so that it can be broken off between any two of them.
    while !copy.is_complete() {
        let mine = Arc::clone(fs);
        copy = blocking(OPERATION, move || copy.step(&mine)).await?;
    }
    let bucket_stays = Arc::clone(&fs.shared.buckets).read_owned().await;
    let lock = fs.shared.keys.lock(&lock_name(&upload.bucket, upload.key.as_str())).await;
    let fs = Arc::clone(fs);
    blocking(OPERATION, move || {
        let outcome = copy.publish(&fs);
        drop((lock, bucket_stays));
        outcome
    })
    .await
}

impl Copy {
    /// Opens what is to be copied; `None` where there is nothing to do.
    fn begin(fs: &Arc<Fs>, upload: UploadRef) -> Result<Option<Self>> {
        fault::point("fs.compact.before");
        let lease = Lease::take(fs, upload);
        let upload = lease.upload();
        let Some((found, described)) = fs.look(&upload.bucket, upload.key.as_str())? else { return Ok(None) };
        let Some(record) = described.record.filter(|record| is_of(record, upload)) else { return Ok(None) };
        if was_replaced(&found) {
            return Ok(None);
        }
        let mut left = read::list(fs, (&upload.bucket, &upload.key), &found, &record)?;
        left.reverse();
        let plain = attributes::encode(record.as_plain(), &fs.mac.load(), fs.attribute_limit)?;
        let temp = fs.temp_near(&upload.bucket, &upload.key)?;
        let belongings = fs.belongings(&found);
        Ok(Some(Self { id: record.id, plain, belongings, temp, left, current: None, lease }))
    }

    fn is_complete(&self) -> bool {
        self.left.is_empty() && self.current.is_none()
    }

    fn step(mut self, fs: &Fs) -> Result<Self> {
        let mut copied = 0;
        while copied < STEP {
            let mut source = match (self.current.take(), self.left.pop()) {
                (Some(source), left) => {
                    self.left.extend(left);
                    source
                }
                (None, Some(part)) => Source::open(&uploads::dir(fs, self.lease.upload()), part)?,
                (None, None) => break,
            };
            copied += source.copy(&mut self.temp)?;
            self.current = source.rest()?;
        }
        if self.is_complete() {
            let io = |e| Error::io(OPERATION, e);
            self.temp.file.set_xattr(attributes::NAME, &self.plain.attribute).map_err(io)?;
            // What is still to come under the key's lock is then quick.
            self.temp.file.sync().map_err(io)?;
            fault::point("fs.compact.copied");
        }
        Ok(self)
    }

    fn publish(self, fs: &Fs) -> Result<()> {
        let io = |e| Error::io(OPERATION, e);
        let upload = self.lease.upload().clone();
        let (bucket, key) = (&upload.bucket, &upload.key);
        let now = fs.look(bucket, key.as_str())?.and_then(|(_, described)| described.record);
        match now {
            Some(now) if now.id == self.id => {}
            // It got other tags meanwhile: once more.
            Some(now) if is_of(&now, &upload) => {
                fs.shared.waiting.add(upload);
                return Ok(());
            }
            _ => return Ok(()),
        }
        let sidecar = Sidecar::write(fs, &self.plain)?;
        let place = fs.place(bucket, key);
        let mut published = None;
        for _ in 0..TRIES {
            published = fs.give_name(&self.temp.path, &place, false)?;
            if published.is_some() {
                break;
            }
        }
        let Some(target) = published else {
            return Err(Error::internal(OPERATION, "the object's place keeps changing"));
        };
        self.temp.published();
        if let Some(sidecar) = sidecar {
            sidecar.keep();
        }
        fault::point("fs.compact.named");
        fs.settle(&target, &place).map_err(io)?;
        drop(self.lease);
        fs.let_go(bucket, key, self.belongings);
        fault::point("fs.compact.after");
        Ok(())
    }
}

impl Source {
    fn open(dir: &Path, part: PartFile) -> Result<Self> {
        let file = File::open(dir.join(uploads::part_name(part.0))).map_err(|e| Error::io(OPERATION, e))?;
        Ok(Self { part, file, at: 0, hash: Sha256::new() })
    }

    /// Copies a piece; gives its length.
    fn copy(&mut self, to: &mut TempFile) -> Result<u64> {
        let len = PIECE.min(self.part.1 - self.at);
        let mut bytes = vec![0; usize::try_from(len).map_err(|e| Error::internal(OPERATION, e))?];
        let read = self.file.read_exact_at(&mut bytes, self.at);
        let copied = read.and_then(|()| to.file.append_from(&self.file, self.at, len));
        copied.map_err(|e| Error::io(OPERATION, e))?;
        self.hash.update(&bytes);
        self.at += len;
        Ok(len)
    }

    /// Itself, while something is left of it; at its end it must be what it was when it came.
    fn rest(self) -> Result<Option<Self>> {
        if self.at < self.part.1 {
            return Ok(Some(self));
        }
        if hex::encode(self.hash.finalize()) == self.part.3 {
            return Ok(None);
        }
        let message = format!("part {} is no longer what was uploaded", self.part.0);
        Err(Error::new(ErrorKind::Internal, OPERATION, message)
            .with_hint("the file system lost or changed data; restore the object from its source"))
    }
}

fn is_of(record: &Record, upload: &UploadRef) -> bool {
    matches!(&record.stored, Some(Stored::Parts { upload: id, .. }) if *id == upload.id)
}
