//! Finds the file of a key without following a symlink, and tells what is known of it.

use super::Fs;
use super::attributes::{self, Decoded, Record, STORED_FORM_MAGIC};
use super::layout::{self, SELF_NAME};
use super::root::{INTERNAL, SIDECARS};
use crate::disk::reach;
use crate::domain::clock::Timestamp;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ETag, ObjectAttributes, ObjectMeta};
use crate::{Error, ErrorKind, Result};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::{DirEntry, File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

const OPERATION: &str = "find object";
/// Room for an attribute of ours: the largest limit of `probes.rs` and some more.
const ATTRIBUTE_ROOM: usize = 4096;

/// How files are opened: a FIFO that somebody dropped in must not block.
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);
/// How paths are resolved.
const RESOLVE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);

/// The file of an object.
pub(super) struct Found {
    /// Opened for reading.
    pub(super) file: File,
    /// Its state when it was opened.
    pub(super) stat: Metadata,
    /// Where it lies.
    pub(super) path: PathBuf,
}

/// What is known of a file.
pub(super) struct Described {
    /// What a client sees.
    pub(super) meta: ObjectMeta,
    /// Its record, where it has one.
    pub(super) record: Option<Box<Record>>,
}

impl Fs {
    /// The directory of a bucket.
    pub(super) fn bucket_dir(&self, bucket: &BucketName) -> PathBuf {
        self.root.join(bucket.as_str())
    }

    /// Where a sidecar lies; `None` for what is no object id.
    pub(super) fn sidecar_path(&self, id: &str) -> Option<PathBuf> {
        uuid::Uuid::parse_str(id).ok()?;
        Some(self.root.join(INTERNAL).join(SIDECARS).join(id))
    }

    /// `NoSuchBucket` where there is no directory of that name.
    pub(super) fn check_bucket(&self, bucket: &BucketName) -> Result<()> {
        match std::fs::symlink_metadata(self.bucket_dir(bucket)) {
            Ok(meta) if meta.is_dir() => Ok(()),
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(OPERATION, e)),
            _ => Err(Error::new(ErrorKind::NoSuchBucket, OPERATION, "The specified bucket does not exist")),
        }
    }

    /// Opens the file of a key; plain first, then `%self`.
    pub(super) fn find(&self, bucket: &BucketName, key: &str) -> Result<Option<Found>> {
        let mut path = PathBuf::from(bucket.as_str());
        path.extend(layout::encode(key));
        let Some((file, stat)) = self.open_beneath(&path)? else { return Ok(None) };
        if !stat.is_dir() {
            return self.object(file, stat, &path).map(Some);
        }
        path.push(SELF_NAME);
        match self.open_beneath(&path)? {
            Some((file, stat)) => self.object(file, stat, &path).map(Some),
            None => Ok(None),
        }
    }

    /// The object of a key, if that takes no waiting for a disk: every name on the way is in the kernel's memory, and so is the
    /// attribute then, which lies beside the inode. `None` says nothing of whether there is one.
    pub(super) fn look_cached(&self, bucket: &BucketName, key: &str) -> Option<(File, Box<Record>)> {
        let mut path = PathBuf::from(bucket.as_str());
        path.extend(layout::encode(key));
        let resolve = RESOLVE | ResolveFlags::CACHED;
        let file = File::from(rustix::fs::openat2(&self.dir, &path, FLAGS, Mode::empty(), resolve).ok()?);
        let value = attribute(&file).ok()??;
        let Decoded::Record(record) = attributes::decode(&value, bucket, key, &self.mac.load()).ok()? else {
            return None;
        };
        let stat = file.metadata().ok()?;
        (stat.is_file() && stat.len() == record.file_len()).then_some((file, record))
    }

    /// Finds and describes. Where the file was replaced in between, and its sidecar with it, the new one counts.
    pub(super) fn look(&self, bucket: &BucketName, key: &str) -> Result<Option<(Found, Described)>> {
        loop {
            let Some(found) = self.find(bucket, key)? else { return Ok(None) };
            match self.describe(bucket, key, &found) {
                Err(e) if e.kind() == ErrorKind::MetadataStripped && was_replaced(&found) => {}
                described => return described.map(|described| Some((found, described))),
            }
        }
    }

    /// As [`Fs::look`]; what is missing is `NoSuchKey` or `NoSuchBucket`.
    pub(super) fn look_existing(&self, bucket: &BucketName, key: &ObjectKey) -> Result<(Found, Described)> {
        if let Some(seen) = self.look(bucket, key.as_str())? {
            return Ok(seen);
        }
        self.check_bucket(bucket)?;
        Err(Error::new(ErrorKind::NoSuchKey, OPERATION, "The specified key does not exist."))
    }

    /// What is known of a file, proven.
    pub(super) fn describe(&self, bucket: &BucketName, key: &str, found: &Found) -> Result<Described> {
        let value = attribute(&found.file)?;
        match self.describe_as(value.as_deref(), bucket, key, found) {
            // The object got other tags in between, and with them another sidecar.
            Err(e) if e.kind() == ErrorKind::MetadataStripped && attribute(&found.file)? != value => {
                self.describe(bucket, key, found)
            }
            described => described,
        }
    }

    fn describe_as(&self, value: Option<&[u8]>, bucket: &BucketName, key: &str, found: &Found) -> Result<Described> {
        let Some(value) = value else {
            refuse_stripped(&found.file)?;
            return Ok(Described { meta: plain_meta(key, &found.stat), record: None });
        };
        let keys = self.mac.load();
        let record = match attributes::decode(value, bucket, key, &keys)? {
            Decoded::Record(record) => *record,
            Decoded::Sidecar(id, sha256) => {
                let bytes = self.sidecar_path(&id).map(std::fs::read).and_then(Result::ok).ok_or_else(|| {
                    let message = format!("the sidecar `.dg/meta/{id}` with the object's metadata is missing");
                    Error::new(ErrorKind::MetadataStripped, OPERATION, format!("{message}; {STRIPPED}"))
                })?;
                attributes::decode_sidecar(&bytes, &sha256, bucket, key, &keys)?
            }
        };
        if record.file_len() != found.stat.len() {
            let message = format!("the object has {} bytes and should have {}", found.stat.len(), record.file_len());
            return Err(Error::new(ErrorKind::Internal, OPERATION, message));
        }
        Ok(Described { meta: record.clone().into_meta(), record: Some(Box::new(record)) })
    }

    /// True where the object that a sidecar names does not point at it. What cannot be read is kept for `fsck`.
    pub(super) fn is_leftover_sidecar(&self, entry: &DirEntry) -> io::Result<bool> {
        let Ok(id) = entry.file_name().into_string() else { return Ok(false) };
        if !entry.file_type()?.is_file() || self.sidecar_path(&id).is_none() {
            return Ok(false);
        }
        let bytes = std::fs::read(entry.path())?;
        let Some(record) = attributes::read_unproven(&bytes) else { return Ok(false) };
        let (bucket, key) = record.named();
        Ok(match self.find(bucket, key) {
            Ok(Some(found)) => self.named_sidecar(&found).as_deref() != Some(id.as_str()),
            Ok(None) => true,
            Err(_) => false,
        })
    }

    /// Opens a directory inside the root; `None` where there is none.
    pub(super) fn is_dir_beneath(&self, path: &Path) -> Result<bool> {
        Ok(self.open_beneath(path)?.is_some_and(|(_, stat)| stat.is_dir()))
    }

    fn object(&self, file: File, stat: Metadata, path: &Path) -> Result<Found> {
        if !stat.is_file() {
            return Err(Error::new(ErrorKind::Internal, OPERATION, "what lies under this key is no regular file"));
        }
        Ok(Found { file, stat, path: self.root.join(path) })
    }

    fn open_beneath(&self, path: &Path) -> Result<Option<(File, Metadata)>> {
        let opened = match open_far(&self.dir, path) {
            // Before Linux 5.6, and under container filters that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => open_step_by_step(self.dir.as_fd().try_clone_to_owned(), path, FLAGS),
            opened => opened,
        };
        match opened {
            Ok(fd) => {
                let file = File::from(fd);
                let stat = file.metadata().map_err(|e| Error::io(OPERATION, e))?;
                Ok(Some((file, stat)))
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(Errno::LOOP) => Err(symlink_in_the_way()),
            Err(e) => Err(Error::io(OPERATION, e.into())),
        }
    }
}

/// Opens a path of any length without following a link.
fn open_far(root: &File, path: &Path) -> Result<OwnedFd, Errno> {
    let (mut at, mut rest) = (None, path);
    while let Some((piece, after)) = reach::split(rest) {
        let way = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let from = at.as_ref().map_or(root.as_fd(), OwnedFd::as_fd);
        at = Some(rustix::fs::openat2(from, piece, way, Mode::empty(), RESOLVE)?);
        rest = after;
    }
    let from = at.as_ref().map_or(root.as_fd(), OwnedFd::as_fd);
    rustix::fs::openat2(from, rest, FLAGS, Mode::empty(), RESOLVE)
}

/// The error of a path on which a symbolic link lies.
pub(super) fn symlink_in_the_way() -> Error {
    Error::new(ErrorKind::Internal, OPERATION, "a symbolic link lies in the way of this key; the store follows none")
        .with_hint("replace the link by the file or directory that it points to")
}

/// What is known of a file that somebody dropped in: its size, its time, and a type by its extension.
pub(super) fn plain_meta(key: &str, stat: &Metadata) -> ObjectMeta {
    let mut hash = Sha256::new();
    for number in [stat.len(), stat.ino(), stat.mtime().cast_unsigned(), stat.mtime_nsec().cast_unsigned()] {
        hash.update(number.to_be_bytes());
    }
    let mut attributes = ObjectAttributes::default();
    attributes.headers.content_type = Some(type_of(key).to_owned());
    ObjectMeta {
        size: stat.len(),
        etag: ETag::new(&format!("{}-0", hex::encode(&hash.finalize()[..16]))),
        modified: Timestamp::from_millis(stat.mtime() * 1000 + stat.mtime_nsec() / 1_000_000),
        sha256: None,
        attributes,
        parts: None,
    }
}

const STRIPPED: &str = "xattrs may have been stripped during backup/restore";

pub(super) fn was_replaced(found: &Found) -> bool {
    !reach::symlink_metadata(&found.path)
        .is_ok_and(|now| (now.dev(), now.ino()) == (found.stat.dev(), found.stat.ino()))
}

fn open_step_by_step(start: io::Result<OwnedFd>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut at = start.map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
    for name in path.iter() {
        // With O_NOFOLLOW a link as the last component is ELOOP; here each component is the last one.
        at = rustix::fs::openat(&at, name, flags, Mode::empty())?;
    }
    Ok(at)
}

/// The metadata attribute of a file.
pub(super) fn attribute(file: &File) -> Result<Option<Vec<u8>>> {
    let mut room = [0; ATTRIBUTE_ROOM];
    match rustix::fs::fgetxattr(file, attributes::NAME, &mut room) {
        Ok(len) => Ok(Some(room[..len].to_vec())),
        Err(Errno::NODATA) => Ok(None),
        Err(e) => Err(Error::io("object metadata", e.into())),
    }
}

fn refuse_stripped(file: &File) -> Result<()> {
    let mut start = [0; STORED_FORM_MAGIC.len()];
    match file.read_exact_at(&mut start, 0) {
        Ok(()) if start == STORED_FORM_MAGIC => {
            let message = format!("the object's metadata are gone; {STRIPPED}");
            Err(Error::new(ErrorKind::MetadataStripped, OPERATION, message)
                .with_hint("restore the files with their extended attributes (`rsync -X`, `tar --xattrs`)"))
        }
        Err(e) if e.kind() != io::ErrorKind::UnexpectedEof => Err(Error::io(OPERATION, e)),
        _ => Ok(()),
    }
}

fn type_of(key: &str) -> &'static str {
    let extension = key.rsplit(['/', '.']).next().unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "txt" | "log" | "md" => "text/plain",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "tar" => "application/x-tar",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
