//! The disk of production: each operation is its system call.

use super::reach::reach;
use super::{Disk, DiskFile};
use rustix::fs::{Advice, CWD, RenameFlags, copy_file_range, fadvise, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt, FileExt as _, OpenOptionsExt};
use std::path::Path;
use xattr::FileExt;

/// The file system of this host.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_file(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(reach(path)?.path())?;
        Ok(Box::new(RealFile { file, written: 0, sent: 0 }))
    }

    fn open_attributes(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().write(true).custom_flags(O_NOFOLLOW).open(reach(path)?.path())?;
        Ok(Box::new(RealFile { file, written: 0, sent: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(reach(from)?.path(), reach(to)?.path())
    }

    fn rename_noreplace(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(renameat_with(CWD, reach(from)?.path(), CWD, reach(to)?.path(), RenameFlags::NOREPLACE)?)
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        Ok(renameat_with(CWD, reach(a)?.path(), CWD, reach(b)?.path(), RenameFlags::EXCHANGE)?)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(reach(from)?.path(), reach(to)?.path())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(reach(path)?.path())
    }

    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::DirBuilder::new().mode(mode).create(reach(path)?.path())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(reach(path)?.path())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().read(true).custom_flags(O_DIRECTORY).open(reach(path)?.path())?.sync_all()
    }
}

/// A file is sent to the device in steps of this while it is written.
const SEND: u64 = 4 << 20;

/// Refuses to open (and so to sync) anything but a directory.
const O_DIRECTORY: i32 = rustix::fs::OFlags::DIRECTORY.bits() as i32;

/// Refuses to open what a symbolic link points to.
const O_NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// What the kernel copies in one call.
const COPY: usize = 16 << 20;
/// What goes through memory in one step, where the kernel copies nothing.
const PLAIN_COPY: usize = 1 << 20;

#[derive(Debug)]
struct RealFile {
    file: File,
    /// How much was written, and how much of that was sent to the device.
    written: u64,
    sent: u64,
}

impl RealFile {
    /// Sends what was written to the device, step by step. A disk that is kept busy while a body comes in has little left to do at
    /// the end, and a long body does not fill the cache with what is still to be written.
    fn grown(&mut self, len: u64) {
        self.written += len;
        if self.written - self.sent >= SEND {
            // On Linux this advice begins to write dirty pages out; it drops only what is clean already.
            let _ = fadvise(&self.file, self.sent, NonZeroU64::new(self.written - self.sent), Advice::DontNeed);
            self.sent = self.written;
        }
    }
}

impl DiskFile for RealFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.grown(bytes.len() as u64);
        Ok(())
    }

    fn write_back(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn append_from(&mut self, source: &File, offset: u64, len: u64) -> io::Result<()> {
        let (mut from, end) = (offset, offset + len);
        while from < end {
            let most = usize::try_from(end - from).unwrap_or(usize::MAX).min(COPY);
            match copy_file_range(source, Some(&mut from), &self.file, None, most) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) | Err(Errno::INTR) => {}
                // Other file systems, kernels and containers cannot.
                Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                    let mut bytes = vec![0; most.min(PLAIN_COPY)];
                    source.read_exact_at(&mut bytes, from)?;
                    self.file.write_all(&bytes)?;
                    from += bytes.len() as u64;
                }
                Err(e) => return Err(e.into()),
            }
        }
        self.grown(len);
        Ok(())
    }

    fn set_xattr(&mut self, name: &str, value: &[u8]) -> io::Result<()> {
        self.file.set_xattr(name, value)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_new_private_and_carries_its_attributes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut file = RealDisk.create_file(&path, 0o600).unwrap();
        file.write_all(b"one ").unwrap();
        file.write_all(b"two").unwrap();
        file.set_xattr("user.dg.metadata", b"{}").unwrap();
        file.sync().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(xattr::get(&path, "user.dg.metadata").unwrap().unwrap(), b"{}");
        assert_eq!(RealDisk.create_file(&path, 0o600).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_file_takes_over_what_another_holds() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        let body: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        fs::write(&a, &body).unwrap();
        let source = File::open(&a).unwrap();
        let mut file = RealDisk.create_file(&b, 0o600).unwrap();
        file.write_all(b"begin ").unwrap();
        file.append_from(&source, 10, 2_999_990).unwrap();
        file.append_from(&source, 0, 10).unwrap();
        file.write_all(b" end").unwrap();
        assert!(fs::read(&b).unwrap() == [b"begin ", &body[10..], &body[..10], b" end"].concat());
        assert_eq!(file.append_from(&source, 2_999_999, 2).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn rename_noreplace_refuses_and_exchange_swaps() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&a, "a").unwrap();
        fs::write(&b, "b").unwrap();
        assert_eq!(RealDisk.rename_noreplace(&a, &b).unwrap_err().kind(), ErrorKind::AlreadyExists);
        RealDisk.exchange(&a, &b).unwrap();
        assert_eq!((fs::read(&a).unwrap(), fs::read(&b).unwrap()), (b"b".to_vec(), b"a".to_vec()));
        RealDisk.rename(&a, &b).unwrap();
        assert!(!a.exists());
    }

    #[test]
    fn only_a_directory_is_synced_as_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "").unwrap();
        RealDisk.sync_dir(dir.path()).unwrap();
        assert!(RealDisk.sync_dir(&file).is_err());
    }
}
