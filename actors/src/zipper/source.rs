//! The bytes of an archive before anybody has looked at them: small ones in memory, what a stranger sends in a private file that has no
//! name and is gone with its last reader.

use crate::domain::archive::fault::ArchiveFault;
use crate::{Error, Result};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// Below the state directory: where bodies lie while they are read.
pub const INCOMING: &str = "incoming";
const CHUNK: usize = 64 << 10;

/// An archive that can be read, from anywhere and more than once.
#[derive(Clone)]
pub struct Source {
    content: Content,
    /// Where it was summed while it was written.
    sha256: Option<Arc<str>>,
}

#[derive(Clone)]
enum Content {
    Memory(Bytes),
    File(Arc<File>, u64),
}

impl Source {
    /// A file, which nobody changes.
    pub fn file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { content: Content::File(Arc::new(file), length), sha256: None })
    }

    /// How long it is.
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(_, length) => *length,
        }
    }

    /// True where there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `length` bytes from `at` on; `None` where there are not so many.
    pub fn slice(&self, at: u64, length: u64) -> Option<Bytes> {
        let end = at.checked_add(length).filter(|end| *end <= self.len())?;
        match &self.content {
            // Both are within a length that is a `usize`.
            Content::Memory(bytes) => Some(bytes.slice(usize::try_from(at).ok()?..usize::try_from(end).ok()?)),
            Content::File(file, _) => {
                let mut bytes = vec![0; usize::try_from(length).ok()?];
                file.read_exact_at(&mut bytes, at).ok()?;
                Some(bytes.into())
            }
        }
    }

    /// The first bytes, at most so many.
    pub fn head(&self, most: u64) -> Bytes {
        self.slice(0, most.min(self.len())).unwrap_or_default()
    }

    /// Reads it from the beginning.
    pub fn reader(&self) -> BufReader<SourceReader> {
        BufReader::with_capacity(CHUNK, SourceReader { source: self.clone(), at: 0 })
    }

    /// SHA-256 of it in lower-case hex.
    pub fn sha256(&self) -> io::Result<String> {
        if let Some(known) = &self.sha256 {
            return Ok(known.to_string());
        }
        let mut hash = Sha256::new();
        let mut reader = self.reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk)? {
                0 => return Ok(hex::encode(hash.finalize())),
                n => hash.update(&chunk[..n]),
            }
        }
    }
}

impl Default for Source {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl From<Bytes> for Source {
    fn from(bytes: Bytes) -> Self {
        Self { content: Content::Memory(bytes), sha256: None }
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&[u8]> for Source {
    fn from(bytes: &[u8]) -> Self {
        Bytes::copy_from_slice(bytes).into()
    }
}

/// It is a keystore: no debug output shows its bytes.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({} bytes)", self.len())
    }
}

/// Reads a source, each reader at a place of its own.
pub struct SourceReader {
    source: Source,
    at: u64,
}

impl Read for SourceReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &self.source.content {
            Content::Memory(bytes) => {
                let at = usize::try_from(self.at).unwrap_or(usize::MAX).min(bytes.len());
                let n = into.len().min(bytes.len() - at);
                into[..n].copy_from_slice(&bytes[at..at + n]);
                n
            }
            Content::File(file, _) => file.read_at(into, self.at)?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SourceReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Takes in what a stranger sends, up to a limit.
pub struct Spool {
    file: File,
    hash: Sha256,
    length: u64,
    limit: u64,
}

impl Spool {
    /// Begins, in [`INCOMING`] below the state directory. The file has a name only until this returns.
    pub fn begin(state_dir: &Path, limit: u64) -> Result<Self> {
        let failed = |error| Error::io("receive archive", error);
        let directory = state_dir.join(INCOMING);
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let path = directory.join(uuid::Uuid::new_v4().to_string());
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        fs::remove_file(&path).map_err(failed)?;
        Ok(Self { file, hash: Sha256::new(), length: 0, limit })
    }

    /// Takes more; what is above the limit is 413.
    pub fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        check_length(self.length, self.limit)?;
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(|error| Error::io("receive archive", error))
    }

    /// Takes all that there is to read; `failed` says what it means that it cannot be read.
    pub fn take_all(&mut self, mut input: impl Read, failed: impl Fn(io::Error) -> Error) -> Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match input.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => self.take(&chunk[..n])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// What was taken in.
    pub fn finish(self) -> Source {
        let sha256 = Some(hex::encode(self.hash.finalize()).into());
        Source { content: Content::File(Arc::new(self.file), self.length), sha256 }
    }
}

/// Refuses what is above the limit of a body, by the name of the limit.
pub fn check_length(length: u64, limit: u64) -> Result<()> {
    match length <= limit {
        true => Ok(()),
        false => Err(ArchiveFault::ArchiveTooLarge.error(format!("the limit is {limit} bytes (`backup.limits.body`)"))),
    }
}

/// Removes what a process that was killed left in [`INCOMING`], at the start: nobody reads it any more.
pub fn sweep(state_dir: &Path) {
    for entry in fs::read_dir(state_dir.join(INCOMING)).into_iter().flatten().flatten() {
        if let Err(error) = fs::remove_file(entry.path()) {
            log::warn!("could not remove {}: {error}", entry.path().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spooled_body_is_private_summed_and_without_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::begin(dir.path(), 10).unwrap();
        spool.take(b"hello").unwrap();
        let names = || fs::read_dir(dir.path().join(INCOMING)).unwrap().count();
        assert_eq!(names(), 0);
        spool.take(b", you").unwrap();
        assert_eq!(spool.take(b"!").unwrap_err().code(), Some("archive_too_large"));
        let mut spool = Spool::begin(dir.path(), 10).unwrap();
        spool.take_all(b"hello".as_slice(), |error| Error::io("test", error)).unwrap();
        let (source, memory) = (spool.finish(), Source::from(b"hello".as_slice()));
        assert_eq!(source.sha256().unwrap(), memory.sha256().unwrap());
        for source in [&source, &memory] {
            let mut text = String::new();
            source.reader().read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), source.len()), ("hello", 5));
            assert_eq!((source.slice(1, 3).as_deref(), source.slice(3, 3)), (Some(b"ell".as_slice()), None));
            let mut reader = source.reader();
            reader.seek(SeekFrom::End(-2)).unwrap();
            text.clear();
            reader.read_to_string(&mut text).unwrap();
            assert_eq!(text, "lo");
        }
    }

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        sweep(dir.path());
        fs::create_dir(dir.path().join(INCOMING)).unwrap();
        fs::write(dir.path().join(INCOMING).join("left"), "x").unwrap();
        sweep(dir.path());
        assert_eq!(fs::read_dir(dir.path().join(INCOMING)).unwrap().count(), 0);
    }
}
