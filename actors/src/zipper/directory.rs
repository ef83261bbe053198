//! Our own reading of a zip's directory: every number checked, every byte of the archive accounted for.
//!
//! A zip says most things twice, and readers differ in which they believe. Here both must agree, entries must lie side by
//! side from the first byte to the directory, and nothing may lie between them.

use crate::Result;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::config::model::ArchiveLimits;
use crate::zipper::source::Source;
use bytes::Bytes as Slice;
use std::borrow::Cow;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
/// Encrypted, strongly encrypted, masked headers.
const ENCRYPTED: u16 = 0x2041;
/// The flags that both headers must agree on: encryption, data descriptor, UTF-8 name.
const SHARED_FLAGS: u16 = ENCRYPTED | 0x0808;

/// One entry, as both of its headers describe it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) mode: u32,
    /// Whether its sizes came from a zip64 field.
    pub(super) zip64: bool,
    /// Where its packed bytes begin.
    pub(super) data: u64,
    flags: u16,
    offset: u64,
}

impl Entry {
    /// The name for messages.
    pub(super) fn label(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }
}

/// Little-endian numbers at places that may be outside.
struct Bytes<'a>(&'a Source);

impl Bytes<'_> {
    fn slice(&self, at: u64, length: u64) -> Option<Slice> {
        self.0.slice(at, length)
    }

    fn number(&self, at: u64, length: u64) -> Option<u64> {
        Some(little(&self.slice(at, length)?))
    }

    fn starts(&self, at: u64, mark: &[u8]) -> bool {
        self.slice(at, 4).is_some_and(|found| found == mark)
    }

    fn length(&self) -> u64 {
        self.0.len()
    }
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

struct End {
    count: u64,
    offset: u64,
    size: u64,
    /// Where what follows the directory begins.
    after: u64,
    zip64: bool,
}

/// Reads the directory and checks it against the entries' own headers.
pub(super) fn read(archive: &Source, limits: &ArchiveLimits) -> Result<Vec<Entry>> {
    let bytes = Bytes(archive);
    let end = find_end(&bytes)?;
    if end.count > limits.entries as u64 {
        return Err(ArchiveFault::TooManyEntries
            .error(format!("{}, the limit is {} (`backup.limits.entries`)", end.count, limits.entries)));
    }
    if end.offset.checked_add(end.size) != Some(end.after) {
        let fault = if end.zip64 { ArchiveFault::Zip64Lie } else { ArchiveFault::DirectoryDamaged };
        return Err(fault.error("the directory does not end where the archive's end begins"));
    }
    let mut entries = Vec::new();
    let mut at = end.offset;
    for _ in 0..end.count {
        let (entry, next) = central(&bytes, at, end.after)?;
        entries.push(entry);
        at = next;
    }
    if at != end.after {
        return Err(ArchiveFault::DirectoryDamaged.error("it has more or fewer entries than the archive's end says"));
    }
    layout(&bytes, &mut entries, end.offset)?;
    Ok(entries)
}

fn find_end(bytes: &Bytes<'_>) -> Result<End> {
    let length = bytes.length();
    let mut short = None;
    let lowest = length.saturating_sub(22 + 0xffff);
    let tail = bytes.slice(lowest, length - lowest).unwrap_or_default();
    let marks = tail.windows(4).enumerate().rev().filter(|(_, window)| *window == END);
    // A record takes 22 bytes.
    for at in marks.map(|(index, _)| lowest + index as u64).filter(|at| at + 22 <= length) {
        let finish = bytes.number(at + 20, 2).map(|comment| at + 22 + comment);
        match finish {
            Some(finish) if finish == length => return end_record(bytes, at),
            Some(finish) if finish < length => short = Some(finish),
            _ => {}
        }
    }
    match short {
        Some(finish) => Err(ArchiveFault::TrailingData.error(format!("{} bytes after its end", length - finish))),
        None if bytes.starts(0, LOCAL) => Err(ArchiveFault::Truncated.error("its end record is not there")),
        None => Err(ArchiveFault::NotAZip.error("no zip record in it")),
    }
}

fn end_record(bytes: &Bytes<'_>, at: u64) -> Result<End> {
    let cut = || ArchiveFault::Truncated.error("its end record is cut");
    let number = |offset: u64, size: u64| bytes.number(at + offset, size).ok_or_else(cut);
    let (disk, start_disk) = (number(4, 2)?, number(6, 2)?);
    let (here, count, size, offset) = (number(8, 2)?, number(10, 2)?, number(12, 4)?, number(16, 4)?);
    let located = at >= 20 && bytes.starts(at - 20, LOCATOR64);
    if located {
        return end_record_64(bytes, at - 20, (count, size, offset));
    }
    if (disk, start_disk) != (0, 0) || here != count {
        return Err(ArchiveFault::SeveralDisks.error("its end record names another disk"));
    }
    if count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff {
        return Err(ArchiveFault::Zip64Lie.error("the end record points to a zip64 record that is not there"));
    }
    Ok(End { count, offset, size, after: at, zip64: false })
}

fn end_record_64(bytes: &Bytes<'_>, locator: u64, short: (u64, u64, u64)) -> Result<End> {
    let lie = |what: &str| ArchiveFault::Zip64Lie.error(what);
    let number = |at: u64, size: u64| bytes.number(at, size).ok_or_else(|| lie("a zip64 record is cut"));
    let at = number(locator + 8, 8)?;
    if number(locator + 4, 4)? != 0 || number(locator + 16, 4)? > 1 {
        return Err(ArchiveFault::SeveralDisks.error("its zip64 locator names another disk"));
    }
    let length = number(at, 4).and_then(|_| number(at.saturating_add(4), 8))?;
    if !bytes.starts(at, END64) || at.checked_add(12).and_then(|a| a.checked_add(length)) != Some(locator) {
        return Err(lie("the zip64 record is not where the locator says"));
    }
    if (number(at + 16, 4)?, number(at + 20, 4)?) != (0, 0) {
        return Err(ArchiveFault::SeveralDisks.error("its zip64 record names another disk"));
    }
    let (here, count, size, offset) =
        (number(at + 24, 8)?, number(at + 32, 8)?, number(at + 40, 8)?, number(at + 48, 8)?);
    let agree = |short: u64, long: u64, max: u64| short == max || short == long;
    let same = agree(short.0, count, 0xffff)
        && agree(short.1, size, 0xffff_ffff)
        && agree(short.2, offset, 0xffff_ffff)
        && here == count;
    if !same {
        return Err(lie("the zip64 record contradicts the end record"));
    }
    Ok(End { count, offset, size, after: at, zip64: true })
}

fn central(bytes: &Bytes<'_>, at: u64, stop: u64) -> Result<(Entry, u64)> {
    let damaged = || ArchiveFault::DirectoryDamaged.error(format!("at byte {at}"));
    if !bytes.starts(at, CENTRAL) {
        return Err(damaged());
    }
    let number = |offset: u64, size: u64| bytes.number(at + offset, size).ok_or_else(damaged);
    let (name_length, extra_length, comment_length) = (number(28, 2)?, number(30, 2)?, number(32, 2)?);
    let next = at + 46 + name_length + extra_length + comment_length;
    let name = bytes.slice(at + 46, name_length).filter(|_| next <= stop).ok_or_else(damaged)?.to_vec();
    let extra = bytes.slice(at + 46 + name_length, extra_length).ok_or_else(damaged)?;
    if number(34, 2)? != 0 {
        return Err(ArchiveFault::SeveralDisks.error("an entry names another disk"));
    }
    let fields = [number(24, 4)?, number(20, 4)?, number(42, 4)?];
    let (wide, zip64) = widened(&extra, fields)?;
    // `try_from` cannot fail: each number was read from as many bytes as its type has.
    let entry = Entry {
        name,
        flags: u16::try_from(number(8, 2)?).unwrap_or(u16::MAX),
        method: u16::try_from(number(10, 2)?).unwrap_or(u16::MAX),
        crc: u32::try_from(number(16, 4)?).unwrap_or(u32::MAX),
        mode: u32::try_from(number(38, 4)?).unwrap_or(u32::MAX),
        size: wide[0],
        packed: wide[1],
        offset: wide[2],
        zip64,
        data: 0,
    };
    if entry.flags & ENCRYPTED != 0 || entry.method == 99 {
        return Err(ArchiveFault::EntryEncrypted.error(format!("`{}`", entry.label())));
    }
    if !matches!(entry.method, 0 | 8) || entry.flags & 0x20 != 0 {
        return Err(ArchiveFault::CompressionUnknown.error(format!("`{}`, method {}", entry.label(), entry.method)));
    }
    Ok((entry, next))
}

/// The values of size, packed size and offset, from the zip64 field where the short ones are full.
fn widened<const N: usize>(extra: &[u8], fields: [u64; N]) -> Result<([u64; N], bool)> {
    if !fields.contains(&0xffff_ffff) {
        return Ok((fields, false));
    }
    let lie = || ArchiveFault::Zip64Lie.error("an entry's zip64 field is missing or cut");
    let mut rest = extra;
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        // Two bytes are below any `usize`.
        let length = usize::try_from(little(&head[2..])).unwrap_or(usize::MAX);
        let field = after.get(..length);
        if little(&head[..2]) == 1 {
            let mut numbers = field.ok_or_else(lie)?.chunks_exact(8).map(little);
            let mut wide = fields;
            for value in wide.iter_mut().filter(|value| **value == 0xffff_ffff) {
                *value = numbers.next().ok_or_else(lie)?;
            }
            return Ok((wide, true));
        }
        rest = after.get(length..).unwrap_or_default();
    }
    Err(lie())
}

/// Checks that the entries lie side by side, from the first byte to the directory, each under a header that agrees.
fn layout(bytes: &Bytes<'_>, entries: &mut [Entry], directory: u64) -> Result<()> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| entries[*index].offset);
    let mut expected = 0;
    for index in order {
        let entry = &mut entries[index];
        if entry.offset < expected {
            return Err(ArchiveFault::EntriesOverlap.error(format!("`{}` begins inside another", entry.label())));
        }
        if entry.offset > expected {
            return Err(ArchiveFault::TrailingData.error(format!("before `{}`", entry.label())));
        }
        expected = local(bytes, entry, directory)?;
    }
    match expected.cmp(&directory) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(ArchiveFault::TrailingData.error("before the directory")),
        std::cmp::Ordering::Greater => Err(ArchiveFault::EntriesOverlap.error("the last entry and the directory")),
    }
}

/// Checks an entry's own header; gives the first byte after the entry.
fn local(bytes: &Bytes<'_>, entry: &mut Entry, directory: u64) -> Result<u64> {
    let at = entry.offset;
    let label = entry.label().into_owned();
    let wrong = |what: &str| ArchiveFault::HeaderMismatch.error(format!("`{label}`: {what}"));
    if !bytes.starts(at, LOCAL) {
        return Err(wrong("no header where the directory says"));
    }
    let number = |offset: u64, size: u64| bytes.number(at + offset, size).ok_or_else(|| wrong("the header is cut"));
    let (flags, method) = (number(6, 2)?, number(8, 2)?);
    let (name_length, extra_length) = (number(26, 2)?, number(28, 2)?);
    if bytes.slice(at + 30, name_length).is_none_or(|name| name != entry.name) {
        return Err(wrong("another name"));
    }
    if method != u64::from(entry.method) || (flags ^ u64::from(entry.flags)) & u64::from(SHARED_FLAGS) != 0 {
        return Err(wrong("another compression or other flags"));
    }
    let extra = bytes.slice(at + 30 + name_length, extra_length).ok_or_else(|| wrong("the header is cut"))?;
    let crc = number(14, 4)?;
    let (sizes, _) = widened(&extra, [number(22, 4)?, number(18, 4)?])?;
    let later = entry.flags & 8 != 0;
    let told = (crc, sizes[0], sizes[1]);
    // What comes later may be left empty here, and nothing else.
    let empty = |told: u64, is: u64| told == 0 || told == is;
    let unsaid = later && crc == 0 && empty(sizes[0], entry.size) && empty(sizes[1], entry.packed);
    if told != (u64::from(entry.crc), entry.size, entry.packed) && !unsaid {
        let fault = if entry.zip64 { ArchiveFault::Zip64Lie } else { ArchiveFault::HeaderMismatch };
        return Err(fault.error(format!("`{label}`: other sizes or another checksum")));
    }
    entry.data = at + 30 + name_length + extra_length;
    let after = entry.data.checked_add(entry.packed).filter(|after| *after <= directory);
    let after = after.ok_or_else(|| {
        let fault = if entry.zip64 { ArchiveFault::Zip64Lie } else { ArchiveFault::EntriesOverlap };
        fault.error(format!("`{label}` reaches beyond its place"))
    })?;
    if !later {
        return Ok(after);
    }
    let length = descriptor(bytes, after, entry).ok_or_else(|| wrong("its data descriptor is missing or different"))?;
    Ok(after + length)
}

/// The length of the data descriptor at `at`: with or without its mark, in short or wide numbers.
fn descriptor(bytes: &Bytes<'_>, at: u64, entry: &Entry) -> Option<u64> {
    let begin = if bytes.starts(at, DESCRIPTOR) { at + 4 } else { at };
    [4, 8].into_iter().find_map(|width| {
        let found = (bytes.number(begin, 4)?, bytes.number(begin + 4, width)?, bytes.number(begin + 4 + width, width)?);
        (found == (u64::from(entry.crc), entry.packed, entry.size)).then_some(begin - at + 4 + 2 * width)
    })
}
