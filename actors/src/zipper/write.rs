//! Four entries → the bytes of a zip, the same bytes for the same entries, as they are made: nothing goes back to what was written.

use crate::domain::archive::manifest::ENTRIES;
use crate::{Error, Result};
use std::io::{self, Write};
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// What takes the content of an entry.
pub type Entry<'a> = dyn Write + 'a;

/// Packs the entries in the order of [`ENTRIES`]: deflate, a fixed time stamp, mode 0600, the sizes behind each entry's data. `content`
/// writes the entry whose number it is given.
pub fn pack<W: Write>(out: W, mut content: impl FnMut(usize, &mut Entry<'_>) -> Result<()>) -> Result<W> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o600);
    let mut writer = ZipWriter::new_stream(out);
    for (number, name) in ENTRIES.iter().enumerate() {
        writer.start_file(*name, options).map_err(failed)?;
        content(number, &mut writer)?;
    }
    writer.finish().map(StreamWriter::into_inner).map_err(failed)
}

/// The same for entries that are there.
pub fn pack_all(entries: [&[u8]; 4]) -> Result<Vec<u8>> {
    pack(Vec::new(), |number, out| out.write_all(entries[number]).map_err(|error| Error::io("write archive", error)))
}

fn failed(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::Other => Error::io("write archive", error),
        error => Error::internal("write archive", error),
    }
}
