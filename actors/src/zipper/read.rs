//! Bytes that anybody may have sent → the four entries, or the one fault that they have.

use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::manifest::ENTRIES;
use crate::domain::config::model::ArchiveLimits;
use crate::zipper::directory::{self, Entry};
use crate::zipper::envelope;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Entries up to this size may have any ratio: small text packs well.
const RATIO_FREE: u64 = 16 << 20;

/// Unpacks the entries, in the order of [`ENTRIES`]. Memory is bounded by `limits.total`.
pub fn unpack(archive: &[u8], limits: &ArchiveLimits) -> Result<[Vec<u8>; 4]> {
    let entries = directory::read(archive, limits)?;
    names(&entries)?;
    sizes(&entries, limits)?;
    let mut other = other_reader(archive, &entries)?;
    let mut parts = [const { Vec::new() }; 4];
    for (part, name) in parts.iter_mut().zip(ENTRIES) {
        // `names` has found each exactly once.
        let index = entries.iter().position(|entry| entry.name == name.as_bytes());
        let index = index.ok_or_else(|| ArchiveFault::EntryMissing.error(format!("`{name}`")))?;
        *part = inflate(&mut other, index, &entries[index])?;
    }
    Ok(parts)
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
pub fn form(archive: &[u8], limits: &ArchiveLimits) -> Result<Form> {
    if archive.len() as u64 > limits.body {
        let message = format!("{} bytes, the limit is {} (`backup.limits.body`)", archive.len(), limits.body);
        return Err(ArchiveFault::ArchiveTooLarge.error(message));
    }
    if archive.starts_with(b"PK") {
        return Ok(Form::Zip);
    }
    if envelope::is_sealed(archive) {
        return Err(ArchiveFault::ArchiveEncrypted.error("it begins as an age file"));
    }
    match archive.iter().find(|byte| !byte.is_ascii_whitespace()) {
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
    let mut total: u64 = 0;
    for entry in entries {
        let label = entry.label();
        if entry.size > limits.entry {
            let message =
                format!("`{label}` has {} bytes, the limit is {} (`backup.limits.entry`)", entry.size, limits.entry);
            return Err(ArchiveFault::EntryTooLarge.error(message));
        }
        total = total.saturating_add(entry.size);
        if total > limits.total {
            let message = format!("more than {} bytes (`backup.limits.total`)", limits.total);
            return Err(ArchiveFault::TotalTooLarge.error(message));
        }
        if entry.size > RATIO_FREE && entry.size > entry.packed.saturating_mul(limits.ratio) {
            let message = format!("`{label}`, the limit is {}:1 (`backup.limits.ratio`)", limits.ratio);
            return Err(ArchiveFault::RatioTooHigh.error(message));
        }
        if entry.method == 0 && entry.size != entry.packed {
            return Err(corrupt(entry, "it is stored, and its two sizes differ"));
        }
    }
    Ok(())
}

/// Opens the archive with the `zip` crate and checks that it sees what we saw.
fn other_reader<'a>(archive: &'a [u8], entries: &[Entry]) -> Result<ZipArchive<Cursor<&'a [u8]>>> {
    let disagree = |what: String| ArchiveFault::ReadersDisagree.error(what);
    let mut other = ZipArchive::new(Cursor::new(archive)).map_err(|e| disagree(e.to_string()))?;
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

fn inflate(other: &mut ZipArchive<Cursor<&[u8]>>, index: usize, entry: &Entry) -> Result<Vec<u8>> {
    let file = other.by_index(index).map_err(|e| corrupt(entry, &e.to_string()))?;
    let mut bytes = Vec::new();
    // One byte more than announced is enough to know a lie; the crate compares the checksum at the end.
    file.take(entry.size.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| corrupt(entry, &e.to_string()))?;
    match bytes.len() as u64 == entry.size {
        true => Ok(bytes),
        false => Err(corrupt(entry, "it has another size than the directory says")),
    }
}

fn corrupt(entry: &Entry, what: &str) -> Error {
    let fault = if entry.zip64 { ArchiveFault::Zip64Lie } else { ArchiveFault::EntryCorrupt };
    fault.error(format!("`{}`: {what}", entry.label()))
}
