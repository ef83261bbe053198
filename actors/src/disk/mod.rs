//! L1: the one seam of every durable file operation: store, DB publish and swap go through it, so that one model proves all.
//!
//! Reading needs no seam: callers read with `std::fs`.

pub mod atomic;
#[cfg(feature = "faults")]
pub mod powercut;
pub mod reach;
pub mod real;
#[cfg(feature = "faults")]
pub mod recording;

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The file operations whose order and durability matter.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Makes a new file (`O_CREAT | O_EXCL`) with these permission bits.
    fn create_file(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file that is there, for its attributes only.
    fn open_attributes(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// `rename(2)`: replaces what is there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// `renameat2(RENAME_NOREPLACE)`: `AlreadyExists` where something is there.
    fn rename_noreplace(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// `renameat2(RENAME_EXCHANGE)`.
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()>;
    /// `link(2)`.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// `unlink(2)`.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// `mkdir(2)` with these permission bits.
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// `rmdir(2)`.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait DiskFile: Debug + Send {
    /// Appends.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Appends `len` bytes of another file, from an offset on; shared or moved by the kernel where it can.
    fn append_from(&mut self, source: &File, offset: u64, len: u64) -> io::Result<()>;
    /// Sets an extended attribute.
    fn set_xattr(&mut self, name: &str, value: &[u8]) -> io::Result<()>;
    /// Has the content so far written out, so that [`DiskFile::sync`] has little left to do. It proves nothing.
    fn write_back(&mut self) -> io::Result<()>;
    /// Makes content and attributes durable (`fsync`).
    fn sync(&mut self) -> io::Result<()>;
}

/// A disk, shared.
pub type SharedDisk = Arc<dyn Disk>;
