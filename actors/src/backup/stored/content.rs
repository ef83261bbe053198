//! What is stored: an archive, in an envelope where it has recipients, and what its bytes sum to.

use crate::backup::pieces::{Archive, Pieces};
use crate::zipper::envelope::Envelope;
use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::io::{self, Write};

/// An archive, and for whom. Each writing of one in an envelope gives other bytes.
#[derive(Clone)]
pub(super) struct Content {
    archive: Archive,
    recipients: Vec<String>,
}

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    pub(super) bytes: u64,
    hash: Sha256,
}

impl Content {
    pub(super) fn new(archive: Archive, recipients: Vec<String>) -> Self {
        Self { archive, recipients }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        !self.recipients.is_empty()
    }

    pub(super) fn filename(&self) -> &str {
        self.archive.filename()
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> Result<Written> {
        let mut out = Summing { out: io::BufWriter::with_capacity(1 << 20, out), written: Written::default() };
        self.archive.write(&mut out, self.envelope()?)?;
        out.flush().map_err(|error| Error::io("store backup", error))?;
        Ok(out.written)
    }

    pub(super) fn pieces(&self) -> Result<Pieces> {
        self.archive.pieces(self.envelope()?)
    }

    fn envelope(&self) -> Result<Option<Envelope>> {
        self.is_encrypted().then(|| Envelope::for_recipients(&self.recipients)).transpose()
    }
}

impl Written {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// SHA-256 in lower-case hex.
    pub(super) fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }
}

struct Summing<W> {
    out: W,
    written: Written,
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.written.add(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
