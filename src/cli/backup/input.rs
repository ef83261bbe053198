//! Archives as they come to a command: from a file or standard input, out of their envelope where a key is given; and as they go.

use super::failure;
use crate::cli::remote::Failure;
use crate::cli::secret::{secret, text};
use crate::exit::Exit;
use actors::disk::atomic::replace_file;
use actors::disk::real::RealDisk;
use actors::domain::secret::Secret;
use actors::zipper::Source as Archive;
use actors::zipper::envelope::{self, Key};
use clap::Args;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a terminal is told how far it is.
const STEP: Duration = Duration::from_millis(200);
/// More than this no import takes (`backup.limits.body` goes no further).
const LONGEST: u64 = 1 << 40;

/// An archive in a file, and what opens it.
#[derive(Clone, Debug, Args)]
pub struct Source {
    /// The archive; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) key: Opening,
}

/// What opens an encrypted archive.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Opening {
    /// A file with the age identity that opens it (`AGE-SECRET-KEY-1…`).
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// A file with the passphrase that opens it.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Opening {
    /// The key, where one is given.
    pub(super) fn key(&self) -> Result<Option<Key>, Failure> {
        if let Some(path) = &self.identity {
            let text = text(path)?;
            // age-keygen writes comments around it.
            let line = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-1"));
            let line = line.ok_or_else(|| {
                Failure::new(Exit::Rejected, format!("{} holds no `AGE-SECRET-KEY-1…`", path.display()))
            })?;
            return Ok(Some(Key::Identity(Secret::new(line))));
        }
        let passphrase = self.passphrase_file.as_deref().map(secret).transpose()?;
        Ok(passphrase.map(Key::Passphrase))
    }

    /// Takes the archive out of its envelope, where it is in one and a key is given.
    pub(super) fn open(&self, archive: Archive) -> Result<Archive, Failure> {
        match self.key()? {
            Some(key) if envelope::is_sealed(&archive) => {
                let opened = envelope::unlock(&archive, &key).and_then(|unlocked| unlocked.read(LONGEST));
                opened.map(Archive::from).map_err(|error| failure(&error))
            }
            _ => Ok(archive),
        }
    }
}

/// Reads a file, `-` being standard input.
pub(super) fn read(path: &Path) -> Result<Archive, Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Io, format!("{}: {error}", path.display()));
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes.into());
    }
    let mut file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_file() {
        return Archive::file(file).map_err(failed);
    }
    // A pipe can be read once only.
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes.into())
}

/// Writes an archive, durably and for its owner alone; `-` is standard output. It is a keystore.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Io, format!("{}: {error}", path.display()));
    if path == Path::new("-") {
        let mut out = io::stdout().lock();
        return out.write_all(bytes).and_then(|()| out.flush()).map_err(failed);
    }
    replace_file(&RealDisk, path, bytes, 0o600).map_err(failed)
}

/// Says on a terminal how far a long step is; elsewhere it says nothing.
pub(super) struct Progress {
    what: &'static str,
    total: Option<u64>,
    done: u64,
    shown: Option<Instant>,
    visible: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str, total: Option<u64>) -> Self {
        let mut progress = Self { what, total, done: 0, shown: None, visible: io::stderr().is_terminal() };
        progress.show();
        progress
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        self.show();
    }

    fn show(&mut self) {
        if !self.visible || self.shown.is_some_and(|at| at.elapsed() < STEP) {
            return;
        }
        self.shown = Some(Instant::now());
        self.say(&line(self.what, self.done, self.total));
    }

    fn say(&self, text: &str) {
        // Where standard error is closed nobody looks.
        let _ = io::stderr().lock().write_all(format!("\r\u{1b}[K{text}").as_bytes());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.visible {
            self.say("");
        }
    }
}

fn line(what: &str, done: u64, total: Option<u64>) -> String {
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    match total {
        Some(total) if total > 0 => {
            format!("{what} {:3}% of {:.1} MiB", (done.min(total) * 100) / total, mib(total))
        }
        _ if done > 0 => format!("{what} {:.1} MiB", mib(done)),
        _ => format!("{what} …"),
    }
}

/// Counts what is read through it.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.progress.add(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_share_where_the_whole_is_known() {
        assert_eq!(line("sending", 1 << 20, Some(4 << 20)), "sending  25% of 4.0 MiB");
        assert_eq!(line("receiving", 3 << 20, None), "receiving 3.0 MiB");
        assert_eq!(line("restoring", 0, None), "restoring …");
    }

    #[test]
    fn an_identity_is_found_among_its_comments_and_a_file_without_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "# created: today\n# public key: age1x\nAGE-SECRET-KEY-1ABC\n").unwrap();
        let opening = Opening { identity: Some(path.clone()), passphrase_file: None };
        assert!(matches!(opening.key(), Ok(Some(Key::Identity(text))) if text.expose() == "AGE-SECRET-KEY-1ABC"));
        std::fs::write(&path, "secret\r\n").unwrap();
        assert_eq!(opening.key().unwrap_err().exit, Exit::Rejected);
        let opening = Opening { identity: None, passphrase_file: Some(path) };
        assert!(matches!(opening.key(), Ok(Some(Key::Passphrase(text))) if text.expose() == "secret"));
    }
}
