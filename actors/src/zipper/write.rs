//! Four entries → the bytes of a zip, the same bytes for the same entries.
//!
//! The finished archive is held in memory; export refuses what is above the import limits, so the limits bound it. (A
//! streaming export in two passes comes later; it can give the same bytes.)

use crate::domain::archive::manifest::ENTRIES;
use crate::{Error, Result};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Packs the entries in the order of [`ENTRIES`]: deflate, a fixed time stamp, mode 0600.
pub fn pack(entries: [&[u8]; 4]) -> Result<Vec<u8>> {
    let failed = |e: zip::result::ZipError| Error::internal("write archive", e);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o600);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in ENTRIES.iter().zip(entries) {
        writer.start_file(*name, options).map_err(failed)?;
        writer.write_all(bytes).map_err(|e| Error::io("write archive", e))?;
    }
    Ok(writer.finish().map_err(failed)?.into_inner())
}
