//! Publishing the database: a complete, synced copy of the work file takes the published name, or nothing has happened.

use crate::disk::Disk;
use crate::disk::atomic::{copy_file, discard, link_or_copy, parent, temp_beside};
use crate::{Error, ErrorKind, Result, fault};
use std::io;
use std::path::{Path, PathBuf};

const OPERATION: &str = "publish database";
const PRIVATE: u32 = 0o600;

/// Replaces `published` by a copy of `work`. After `Ok` it survives a power cut; after an error the old file is in its place.
///
/// # Errors
///
/// `DiskFull` and `Internal`: nothing has happened. `OutcomeUnknown`: the device refused the fsync and then also the way back, so a
/// power cut may bring either file.
pub fn publish(disk: &dyn Disk, work: &Path, published: &Path) -> Result<()> {
    let failed = |error| Error::io(OPERATION, error);
    fault::fallible("db.publish.before").map_err(failed)?;
    let temp = temp_beside(published).map_err(failed)?;
    let old = match stage(disk, work, published, &temp) {
        Ok(old) => old,
        Err(error) => {
            discard(disk, &temp);
            return Err(failed(error));
        }
    };
    if let Err(error) = disk.rename(&temp, published) {
        discard(disk, &temp);
        old.iter().for_each(|old| discard(disk, old));
        return Err(failed(error));
    }
    let durable =
        fault::fallible("db.publish.after_rename").and_then(|()| parent(published)).and_then(|dir| disk.sync_dir(dir));
    if let Err(error) = durable {
        return Err(put_back(disk, old.as_deref(), published, error));
    }
    fault::point("db.publish.after");
    old.iter().for_each(|old| discard(disk, old));
    Ok(())
}

/// Copies the work file and gives the published one, if there is one, a second name to come back from.
fn stage(disk: &dyn Disk, work: &Path, published: &Path, temp: &Path) -> io::Result<Option<PathBuf>> {
    copy_file(disk, work, temp, PRIVATE)?;
    fault::fallible("db.publish.after_copy")?;
    let mut name = published.file_name().unwrap_or_default().to_owned();
    name.push(".old");
    let old = temp_beside(&published.with_file_name(name))?;
    match link_or_copy(disk, published, &old) {
        Ok(()) => Ok(Some(old)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the new file back, because nobody may see at the next start what was answered with an error.
fn put_back(disk: &dyn Disk, old: Option<&Path>, published: &Path, cause: io::Error) -> Error {
    let back = match old {
        Some(old) => disk.rename(old, published),
        None => disk.remove_file(published),
    };
    match back.and_then(|()| parent(published)).and_then(|dir| disk.sync_dir(dir)) {
        Ok(()) => Error::io(OPERATION, cause),
        Err(error) => {
            log::error!("could not put the published database back: {error}");
            let message = "the change may or may not survive a restart; check the disk, then read the state again";
            Error::new(ErrorKind::OutcomeUnknown, OPERATION, message).with_source(cause)
        }
    }
}

#[cfg(all(test, feature = "faults"))]
mod tests {
    use super::*;
    use crate::disk::atomic::is_temp_name;
    use crate::disk::powercut::every_fsync_is_needed;
    use crate::disk::recording::{Outage, RecordingDisk};
    use std::fs;

    struct Bench {
        dir: tempfile::TempDir,
        work_dir: tempfile::TempDir,
        disk: RecordingDisk,
    }

    impl Bench {
        fn new(old: Option<&str>) -> Self {
            let (dir, work_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            old.iter().for_each(|old| fs::write(dir.path().join("db"), old).unwrap());
            let disk = RecordingDisk::new(dir.path()).unwrap();
            Self { dir, work_dir, disk }
        }

        fn publish(&self, content: &str) -> Result<()> {
            let work = self.work_dir.path().join("db.work");
            fs::write(&work, content).unwrap();
            publish(&self.disk, &work, &self.dir.path().join("db"))?;
            self.disk.mark(content);
            Ok(())
        }

        fn content(&self) -> Option<String> {
            fs::read_to_string(self.dir.path().join("db")).ok()
        }

        fn names(&self) -> usize {
            fs::read_dir(self.dir.path()).unwrap().count()
        }
    }

    #[test]
    fn the_published_file_is_a_private_copy_and_nothing_else_stays() {
        use std::os::unix::fs::PermissionsExt;
        let bench = Bench::new(None);
        bench.publish("1").unwrap();
        bench.publish("2").unwrap();
        assert_eq!((bench.content().as_deref(), bench.names()), (Some("2"), 1));
        let mode = fs::metadata(bench.dir.path().join("db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_publish_that_fails_at_any_operation_leaves_the_old_file_and_no_trace_in_the_next() {
        for old in [None, Some("old")] {
            let mut failures = 0;
            for nth in 0.. {
                let bench = Bench::new(old);
                bench.disk.fail(nth, Outage::Once);
                let outcome = bench.publish("new");
                if !bench.disk.revive() {
                    assert!(outcome.is_ok());
                    break;
                }
                if outcome.is_err() {
                    failures += 1;
                    assert_eq!(bench.content().as_deref(), old, "operation {nth}");
                    assert_eq!(bench.names(), old.iter().count(), "operation {nth}");
                }
                bench.publish("next").unwrap();
                assert_eq!(bench.content().as_deref(), Some("next"));
            }
            assert!(failures >= 5, "{failures}");
        }
    }

    #[test]
    fn a_device_that_refuses_the_fsync_and_the_way_back_is_an_unknown_outcome() {
        let bench = Bench::new(Some("old"));
        let rehearsal = Bench::new(Some("old"));
        rehearsal.publish("new").unwrap();
        let ops = rehearsal.disk.record().ops;
        bench.disk.fail(ops.iter().rposition(|op| op.is_sync()).unwrap(), Outage::Lasting);
        assert_eq!(bench.publish("new").unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    }

    #[test]
    fn every_fsync_of_two_publishes_is_needed() {
        for old in [None, Some("0")] {
            let bench = Bench::new(old);
            bench.publish("1").unwrap();
            bench.publish("2").unwrap();
            let check = |dir: &Path, acknowledged: &[String]| {
                for entry in fs::read_dir(dir).unwrap() {
                    let name = entry.unwrap().file_name().into_string().unwrap();
                    if name != "db" && !is_temp_name(&name) {
                        return Err(format!("{name} would never be swept"));
                    }
                }
                let found = fs::read_to_string(dir.join("db")).ok();
                let allowed: &[_] = match acknowledged.len() {
                    0 => &[old, Some("1")],
                    1 => &[Some("1"), Some("2")],
                    _ => &[Some("2")],
                };
                if allowed.contains(&found.as_deref()) { Ok(()) } else { Err(format!("the database is {found:?}")) }
            };
            assert!(every_fsync_is_needed(&bench.disk.record(), check) > 10);
        }
    }
}
