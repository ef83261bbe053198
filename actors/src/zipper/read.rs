//! Bytes that anybody may have sent → the four entries, or the one fault that they have.

use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::manifest::ENTRIES;
use crate::domain::config::model::ArchiveLimits;
use crate::zipper::directory::{self, Entry};
use crate::zipper::envelope;
use crate::zipper::source::{Source, SourceReader, check_length};
use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{BufReader, ErrorKind, Read};
use zip::ZipArchive;

/// Entries up to this size may have any ratio: small text packs well.
const RATIO_FREE: u64 = 16 << 20;
const CHUNK: usize = 64 << 10;

/// What is read as a whole is at most this long, whatever the limits say; [`ENTRIES`] says which is which. The other two are read as they
/// are inflated.
const WHOLE: [Option<u64>; 4] = [Some(16 << 20), Some(64 << 20), None, None];

/// An archive whose directory, names and sizes were checked; nothing of it was inflated yet.
pub struct Opened {
    other: ZipArchive<BufReader<SourceReader>>,
    /// In the order of [`ENTRIES`], each with its place in the archive.
    entries: [(usize, Entry); 4],
}

/// How long an entry is, and what it sums to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summed {
    /// Inflated.
    pub bytes: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

/// Opens an archive.
pub fn open(archive: &Source, limits: &ArchiveLimits) -> Result<Opened> {
    let entries = directory::read(archive, limits)?;
    names(&entries)?;
    sizes(&entries, limits)?;
    let other = other_reader(archive, &entries)?;
    let place = |name: &str| {
        // `names` has found each exactly once.
        let index = entries.iter().position(|entry| entry.name == name.as_bytes());
        index.ok_or_else(|| ArchiveFault::EntryMissing.error(format!("`{name}`")))
    };
    let [a, b, c, d] = ENTRIES.map(place);
    let with = |index: usize| (index, entries[index].clone());
    Ok(Opened { other, entries: [with(a?), with(b?), with(c?), with(d?)] })
}

/// Unpacks the entries, in the order of [`ENTRIES`], where all of them are needed at once.
pub fn unpack(archive: &Source, limits: &ArchiveLimits) -> Result<[Vec<u8>; 4]> {
    let mut opened = open(archive, limits)?;
    let mut parts = [const { Vec::new() }; 4];
    for (number, part) in parts.iter_mut().enumerate() {
        *part = opened.bytes(number)?;
    }
    Ok(parts)
}

impl Opened {
    /// The whole of an entry.
    pub fn bytes(&mut self, number: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.inflate(number, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// What an entry sums to.
    pub fn sum(&mut self, number: usize) -> Result<Summed> {
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        self.inflate(number, |piece| {
            hash.update(piece);
            bytes += piece.len() as u64;
            Ok(())
        })?;
        Ok(Summed { bytes, sha256: hex::encode(hash.finalize()) })
    }

    /// The content of an entry, as it is inflated. [`Opened::sum`] has seen that it can be.
    pub fn reader(&mut self, number: usize) -> Result<impl Read + '_> {
        let (index, entry) = &self.entries[number];
        let file = self.other.by_index(*index).map_err(|e| corrupt(entry, &e.to_string()))?;
        Ok(file.take(entry.size))
    }

    fn inflate(&mut self, number: usize, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let (index, entry) = &self.entries[number];
        let mut file = self.other.by_index(*index).map_err(|e| corrupt(entry, &e.to_string()))?;
        let (mut chunk, mut length) = (vec![0; CHUNK], 0);
        loop {
            // The crate compares the checksum at the end.
            match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => {
                    length += n as u64;
                    // More than announced is enough to know a lie.
                    if length > entry.size {
                        break;
                    }
                    each(&chunk[..n])?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(corrupt(entry, &error.to_string())),
            }
        }
        match length == entry.size {
            true => Ok(()),
            false => Err(corrupt(entry, "it has another size than the directory says")),
        }
    }
}

/// What the first bytes say that was sent, whatever it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A zip.
    Zip,
    /// JSON: users, groups and what belongs to them, from scripts of version 1.
    Json,
}

/// Tells the form by the first bytes; what is above the limit of a body has none.
pub fn form(archive: &Source, limits: &ArchiveLimits) -> Result<Form> {
    check_length(archive.len(), limits.body)?;
    let head = archive.head(CHUNK as u64);
    if head.starts_with(b"PK") {
        return Ok(Form::Zip);
    }
    if envelope::is_sealed(archive) {
        return Err(ArchiveFault::ArchiveEncrypted.error("it begins as an age file"));
    }
    match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(Form::Json),
        Some(_) => Err(ArchiveFault::NotAZip.error("its first bytes are not `PK`")),
        None => Err(ArchiveFault::NotAZip.error("it is empty")),
    }
}

fn names(entries: &[Entry]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut strange = None;
    for entry in entries {
        let name = plain_name(entry)?;
        if !seen.insert(name) {
            return Err(ArchiveFault::EntryDuplicate.error(format!("`{name}`")));
        }
        if !ENTRIES.contains(&name) {
            strange = strange.or(Some(name));
        }
    }
    let missing = ENTRIES.iter().find(|name| !seen.contains(**name));
    match (strange, missing) {
        (None, None) => Ok(()),
        (Some(name), Some(missing)) => {
            Err(ArchiveFault::EntryRenamed.error(format!("`{name}` is there and `{missing}` is not")))
        }
        (Some(name), None) => Err(ArchiveFault::EntryUnexpected.error(format!("`{name}`"))),
        (None, Some(missing)) => Err(ArchiveFault::EntryMissing.error(format!("`{missing}`"))),
    }
}

fn plain_name(entry: &Entry) -> Result<&str> {
    let shown = entry.label().escape_debug().to_string();
    let bad = |fault: ArchiveFault| fault.error(format!("`{shown}`"));
    let name = std::str::from_utf8(&entry.name).map_err(|_| bad(ArchiveFault::NameNotUtf8))?;
    let bytes = name.as_bytes();
    if bytes.contains(&0) {
        return Err(bad(ArchiveFault::NameNul));
    }
    if bytes.len() >= 2 && bytes[1] == b':' && bytes[0].is_ascii_alphabetic() {
        return Err(bad(ArchiveFault::NameDrive));
    }
    if bytes.contains(&b'\\') {
        return Err(bad(ArchiveFault::NameBackslash));
    }
    if name.starts_with('/') {
        return Err(bad(ArchiveFault::NameAbsolute));
    }
    if name.split('/').any(|part| part == "..") {
        return Err(bad(ArchiveFault::NameTraversal));
    }
    match (entry.mode >> 16) & 0o170_000 {
        0o120_000 => return Err(bad(ArchiveFault::EntrySymlink)),
        0 | 0o100_000 if entry.mode & 0x10 == 0 && !name.ends_with('/') => {}
        _ => return Err(bad(ArchiveFault::EntryNotAFile)),
    }
    if name.contains('/') {
        return Err(bad(ArchiveFault::EntryInFolder));
    }
    Ok(name)
}

fn sizes(entries: &[Entry], limits: &ArchiveLimits) -> Result<()> {
    fit(entries.iter().map(|entry| (entry.label(), entry.size, entry.packed)), limits)?;
    match entries.iter().find(|entry| entry.method == 0 && entry.size != entry.packed) {
        Some(entry) => Err(corrupt(entry, "it is stored, and its two sizes differ")),
        None => Ok(()),
    }
}

/// Refuses entries (name, size, packed size) that are above a limit, by its name.
pub(super) fn fit<'a>(entries: impl Iterator<Item = (Cow<'a, str>, u64, u64)>, limits: &ArchiveLimits) -> Result<()> {
    let mut total: u64 = 0;
    for (label, size, packed) in entries {
        let whole = ENTRIES.iter().position(|name| label == **name).and_then(|number| WHOLE[number]);
        if let Some(most) = whole.filter(|most| size > *most) {
            let message = format!("`{label}` has {} bytes; it may have {most}, whatever the limits are", size);
            return Err(ArchiveFault::EntryTooLarge.error(message));
        }
        if size > limits.entry {
            let message =
                format!("`{label}` has {} bytes, the limit is {} (`backup.limits.entry`)", size, limits.entry);
            return Err(ArchiveFault::EntryTooLarge.error(message));
        }
        total = total.saturating_add(size);
        if total > limits.total {
            let message = format!("more than {} bytes (`backup.limits.total`)", limits.total);
            return Err(ArchiveFault::TotalTooLarge.error(message));
        }
        if size > RATIO_FREE && size > packed.saturating_mul(limits.ratio) {
            let message = format!("`{label}`, the limit is {}:1 (`backup.limits.ratio`)", limits.ratio);
            return Err(ArchiveFault::RatioTooHigh.error(message));
        }
    }
    Ok(())
}

/// Opens the archive with the `zip` crate and checks that it sees what we saw.
fn other_reader(archive: &Source, entries: &[Entry]) -> Result<ZipArchive<BufReader<SourceReader>>> {
    let disagree = |what: String| ArchiveFault::ReadersDisagree.error(what);
    let mut other = ZipArchive::new(archive.reader()).map_err(|e| disagree(e.to_string()))?;
    if other.len() != entries.len() {
        return Err(disagree(format!("{} entries and {}", entries.len(), other.len())));
    }
    for (index, entry) in entries.iter().enumerate() {
        let file = other.by_index_raw(index).map_err(|e| disagree(e.to_string()))?;
        let decoded_same = file.name().is_ok_and(|name| name.as_bytes() == entry.name);
        let same = decoded_same
            && file.size() == entry.size
            && file.compressed_size() == entry.packed
            && file.crc32() == entry.crc
            && file.data_start() == Some(entry.data);
        if !same {
            return Err(disagree(format!("`{}`", entry.label())));
        }
    }
    Ok(other)
}

fn corrupt(entry: &Entry, what: &str) -> Error {
    let fault = if entry.zip64 { ArchiveFault::Zip64Lie } else { ArchiveFault::EntryCorrupt };
    fault.error(format!("`{}`: {what}", entry.label()))
}
