//! Reads an object that is stored as parts: a range touches only the files that hold it.

use super::form::{self, PartFile};
use super::lease::Lease;
use crate::domain::condition::ByteRange;
use crate::domain::names::{BucketName, ObjectKey};
use crate::storage::fs::attributes::Record;
use crate::storage::fs::lookup::Found;
use crate::storage::fs::{Fs, uploads};
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

const OPERATION: &str = "read object";
/// A list of 10,000 parts has less than 2 MiB.
const LONGEST_LIST: u64 = 16 << 20;

/// The part files of an object that hold a range of it. They stay while it lives.
pub(in crate::storage::fs) struct PartsReader {
    dir: PathBuf,
    /// The files, with where each begins in the object.
    pieces: Vec<(u64, PartFile)>,
    /// The file that was read last.
    open: Mutex<Option<(usize, File)>>,
    _lease: Lease,
}

/// The parts of an object, proven.
pub(in crate::storage::fs) fn list(
    fs: &Fs,
    (bucket, key): (&BucketName, &ObjectKey),
    found: &Found,
    record: &Record,
) -> Result<Vec<PartFile>> {
    let len = usize::try_from(found.stat.len().min(LONGEST_LIST)).map_err(|e| Error::internal(OPERATION, e))?;
    let mut bytes = vec![0; len];
    found.file.read_exact_at(&mut bytes, 0).map_err(|e| Error::io(OPERATION, e))?;
    form::decode(&bytes, record, (bucket, key), &fs.mac.load())
}

impl PartsReader {
    /// Looks that every file of the range is there, before a byte is promised.
    pub(in crate::storage::fs) fn new(fs: &Fs, lease: Lease, parts: Vec<PartFile>, range: ByteRange) -> Result<Self> {
        let dir = uploads::dir(fs, lease.upload());
        let (mut at, mut pieces) = (0, Vec::new());
        for part in parts {
            let (begin, end) = (at, at + part.1);
            at = end;
            if range.start < end && begin < range.start + range.len {
                let path = dir.join(uploads::part_name(part.0));
                if !path.symlink_metadata().is_ok_and(|stat| stat.is_file() && stat.len() == part.1) {
                    return Err(missing(&part));
                }
                pieces.push((begin, part));
            }
        }
        if at < range.start + range.len {
            return Err(Error::new(ErrorKind::Internal, OPERATION, "the object's parts do not add up to its size"));
        }
        Ok(Self { dir, pieces, open: Mutex::default(), _lease: lease })
    }

    /// Reads what lies at an offset of the object.
    pub(in crate::storage::fs) fn read_exact_at(&self, mut bytes: &mut [u8], mut at: u64) -> Result<()> {
        while !bytes.is_empty() {
            let index = self.pieces.partition_point(|(begin, part)| begin + part.1 <= at);
            let Some((begin, part)) = self.pieces.get(index) else {
                return Err(Error::internal(OPERATION, "read past the range that was opened"));
            };
            let left = usize::try_from(begin + part.1 - at).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at_mut(left.min(bytes.len()));
            self.read_part(index, part, now, at - begin)?;
            at += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    fn read_part(&self, index: usize, part: &PartFile, bytes: &mut [u8], at: u64) -> Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match open.take() {
            Some((opened, file)) if opened == index => file,
            _ => File::open(self.dir.join(uploads::part_name(part.0))).map_err(|e| missing(part).with_source(e))?,
        };
        file.read_exact_at(bytes, at).map_err(|e| Error::io(OPERATION, e))?;
        *open = Some((index, file));
        Ok(())
    }
}

fn missing(part: &PartFile) -> Error {
    let message = format!("part {} of the object is missing or has another size than it was stored with", part.0);
    Error::new(ErrorKind::Internal, OPERATION, message).with_hint(
        "restore the backend's `.dg/uploads` from the same backup as its buckets, or the object from its source",
    )
}
