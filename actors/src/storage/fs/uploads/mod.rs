//! Multipart uploads: a directory for each, `.dg/uploads/<bucket>/<upload id>/`, in which its parts come together and stay.
//!
//! `upload.json` says what it is to become, `00001`… are the parts, `object` is the list that is about to become the object's
//! file, and `done.json` the answer. An upload is complete where `done.json` is there and `object` is not: the same rename that
//! makes the object visible makes the upload complete. `object` is durable before `done.json` is written.

mod assemble;
mod complete;
mod create;
mod list;
mod part;
mod records;
mod sweep;
mod upkeep;

pub(super) use complete::complete;
pub(super) use create::{abort, create};
pub(super) use list::{list_parts, list_uploads};
pub(super) use part::{commit_part, temp};
pub(super) use upkeep::{Waiting, upkeep};

use super::Fs;
use super::root::{INTERNAL, UPLOADS};
use super::scan::ignore_missing;
use crate::disk::Disk;
use crate::domain::names::BucketName;
use crate::storage::multipart::{PartNumber, UploadInfo, UploadRef, no_such_upload};
use crate::{Error, Result};
use records::{Claim, DoneRecord, UploadRecord};
use std::io;
use std::path::{Path, PathBuf};

const RECORD: &str = "upload.json";
const DONE: &str = "done.json";
const STAGED: &str = "object";

/// Where an upload stands.
enum State {
    Open(Box<UploadRecord>),
    Complete(Box<DoneRecord>),
}

/// The directory of an upload.
pub(super) fn dir(fs: &Fs, upload: &UploadRef) -> PathBuf {
    bucket_dir(fs, &upload.bucket).join(upload.id.as_str())
}

/// The name of a part's file.
pub(super) fn part_name(number: PartNumber) -> String {
    format!("{:05}", number.get())
}

/// What is known of an open upload.
pub(super) fn open(fs: &Fs, upload: &UploadRef) -> Result<UploadInfo> {
    open_record(fs, upload)?.info()
}

/// True where an upload of this bucket and key is complete.
pub(super) fn is_complete(fs: &Fs, upload: &UploadRef) -> bool {
    matches!(state(fs, upload), Ok(State::Complete(_)))
}

/// Removes the part files of an upload that no object needs.
pub(super) fn remove_parts(fs: &Fs, upload: &UploadRef) {
    remove_parts_but(fs, upload, &[]);
}

impl Fs {
    /// Gives up every upload of a bucket that was removed.
    pub(super) fn forget_uploads(&self, bucket: &BucketName) {
        let dir = bucket_dir(self, bucket);
        let forgotten = match dir.symlink_metadata() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            _ => discard(self, &dir),
        };
        if let Err(e) = forgotten {
            log::warn!(error:% = e; "the uploads of a removed bucket stay until the next start");
        }
    }
}

fn remove_parts_but(fs: &Fs, upload: &UploadRef, needed: &[PartNumber]) {
    let dir = dir(fs, upload);
    let removed = part_numbers(&dir).and_then(|numbers| {
        numbers
            .into_iter()
            .filter(|number| needed.binary_search(number).is_err())
            .try_for_each(|number| ignore_missing(fs.disk.remove_file(&dir.join(part_name(number)))))
    });
    if let Err(e) = removed {
        log::warn!(error:% = e; "parts that no object needs stay until the next start");
    }
}

/// The parts in an upload's directory, in order.
fn part_numbers(dir: &Path) -> io::Result<Vec<PartNumber>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().filter(|name| name.len() == 5).and_then(|name| name.parse().ok());
        numbers.extend(number.and_then(|number| PartNumber::new(number).ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn bucket_dir(fs: &Fs, bucket: &BucketName) -> PathBuf {
    fs.root.join(INTERNAL).join(UPLOADS).join(bucket.as_str())
}

/// The name of an upload's lock, which no key's can be: no bucket's name begins with a dot. It is taken before a key's.
fn upload_lock(upload: &UploadRef) -> String {
    format!("{INTERNAL}/{UPLOADS}/{}", upload.id)
}

fn open_record(fs: &Fs, upload: &UploadRef) -> Result<UploadRecord> {
    match state(fs, upload)? {
        State::Open(record) => Ok(*record),
        State::Complete(_) => Err(no_such_upload()),
    }
}

fn state(fs: &Fs, upload: &UploadRef) -> Result<State> {
    let dir = dir(fs, upload);
    if let Some(done) = read_done(fs, &dir)? {
        if !done.is_of(upload) {
            return Err(no_such_upload());
        }
        if dir.join(STAGED).symlink_metadata().is_err() {
            return Ok(State::Complete(Box::new(done)));
        }
    }
    let record = read_record(fs, &dir)?.filter(|record| record.is_of(upload)).ok_or_else(no_such_upload)?;
    Ok(State::Open(Box::new(record)))
}

fn read_record(fs: &Fs, dir: &Path) -> Result<Option<UploadRecord>> {
    read(&dir.join(RECORD))?.map(|bytes| UploadRecord::open(&bytes, &fs.mac.load())).transpose()
}

fn read_done(fs: &Fs, dir: &Path) -> Result<Option<DoneRecord>> {
    read(&dir.join(DONE))?.map(|bytes| DoneRecord::open(&bytes, &fs.mac.load())).transpose()
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(Error::io("read upload", e)),
    }
}

/// Takes a directory away in one step, then removes what was in it.
fn discard(fs: &Fs, dir: &Path) -> io::Result<()> {
    let away = dir.with_file_name(super::temp_name());
    fs.disk.rename(dir, &away)?;
    remove_tree(fs.disk.as_ref(), &away)
}

/// Removes a directory of ours with all that is in it.
fn remove_tree(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => remove_tree(disk, &entry.path())?,
            false => ignore_missing(disk.remove_file(&entry.path()))?,
        }
    }
    ignore_missing(disk.remove_dir(dir))
}
