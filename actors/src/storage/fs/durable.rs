//! Which directories are durable, and one fsync for many commits: shared by all stores on one root.

use crate::disk::Disk;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Above this many remembered directories the memory is emptied; the price is one fsync more for each.
const REMEMBERED: usize = 65_536;

/// What is known of the directories of one root.
#[derive(Debug, Default)]
pub(super) struct Directories {
    gates: Mutex<HashMap<PathBuf, Arc<Gate>>>,
    durable: Mutex<Durable>,
}

/// A moment before an fsync: what it proves counts only if no directory was removed since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(u64);

#[derive(Debug, Default)]
struct Durable {
    known: HashSet<PathBuf>,
    removals: u64,
    pins: HashMap<PathBuf, usize>,
}

#[derive(Debug, Default)]
struct Gate {
    state: Mutex<Turns>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    started: u64,
    done: u64,
    running: bool,
    failed: Vec<u64>,
}

impl Directories {
    /// Makes the names in a directory durable. An fsync that began after this call answers it, whoever began it.
    pub(super) fn sync(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let gate = Arc::clone(lock(&self.gates).entry(dir.to_owned()).or_default());
        let outcome = gate.pass(|| disk.sync_dir(dir));
        drop(gate);
        let mut gates = lock(&self.gates);
        // Clones are only made under the table's lock: a count of one means that nobody waits here.
        if gates.get(dir).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(dir);
        }
        outcome
    }

    /// The moment to name in [`Directories::remember`].
    pub(super) fn moment(&self) -> Moment {
        Moment(lock(&self.durable).removals)
    }

    /// True where the directory's name is known to be durable in its parent.
    pub(super) fn is_durable(&self, dir: &Path) -> bool {
        lock(&self.durable).known.contains(dir)
    }

    /// Remembers a directory whose parent was fsynced since `moment`.
    pub(super) fn remember(&self, moment: Moment, dir: &Path) {
        let mut durable = lock(&self.durable);
        if durable.removals != moment.0 {
            return;
        }
        if durable.known.len() >= REMEMBERED {
            durable.known.clear();
        }
        durable.known.insert(dir.to_owned());
    }

    /// Removes an empty directory and forgets it: whoever makes it anew must make it durable anew.
    pub(super) fn remove(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let mut durable = lock(&self.durable);
        if durable.pins.contains_key(dir) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        disk.remove_dir(dir)?;
        durable.removals += 1;
        durable.known.remove(dir);
        Ok(())
    }

    /// Keeps a directory, though it may become empty, until its names are durable and the pin is dropped.
    pub(super) fn pin<'a>(&'a self, dir: &'a Path) -> Pin<'a> {
        *lock(&self.durable).pins.entry(dir.to_owned()).or_default() += 1;
        Pin { directories: self, dir }
    }
}

/// A directory that is not removed as yet.
pub(super) struct Pin<'a> {
    directories: &'a Directories,
    dir: &'a Path,
}

impl Drop for Pin<'_> {
    fn drop(&mut self) {
        let mut durable = lock(&self.directories.durable);
        if let Some(pins) = durable.pins.get_mut(self.dir) {
            *pins -= 1;
            if *pins == 0 {
                durable.pins.remove(self.dir);
            }
        }
    }
}

impl Gate {
    fn pass(&self, sync: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let mut turns = lock(&self.state);
        let needed = turns.started + 1;
        while turns.done < needed {
            if turns.running {
                turns = self.ended.wait(turns).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            turns.started += 1;
            turns.running = true;
            let mut turn = Turn { gate: self, number: turns.started, failed: true };
            drop(turns);
            let outcome = sync();
            turn.failed = outcome.is_err();
            drop(turn);
            // The first turn that this caller runs is the first that began after it came: its outcome is the answer.
            return outcome;
        }
        if turns.failed.iter().any(|number| (needed..=turns.done).contains(number)) {
            return Err(io::Error::other("the fsync of the directory failed for another commit that shared it"));
        }
        Ok(())
    }
}

/// One fsync in progress; a panic in it counts as a failure and wakes who waits.
struct Turn<'a> {
    gate: &'a Gate,
    number: u64,
    failed: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut turns = lock(&self.gate.state);
        turns.running = false;
        turns.done = self.number;
        if self.failed {
            turns.failed.push(self.number);
        }
        drop(turns);
        self.gate.ended.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn concurrent_syncs_of_one_directory_are_shared_and_each_began_after_its_caller_came() {
        let gate = Gate::default();
        let (begun, renamed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let covered = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let mine = renamed.fetch_add(1, Ordering::SeqCst) + 1;
                    gate.pass(|| {
                        let seen = renamed.load(Ordering::SeqCst);
                        begun.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(20));
                        covered.fetch_max(seen, Ordering::SeqCst);
                        Ok(())
                    })
                    .unwrap();
                    assert!(covered.load(Ordering::SeqCst) >= mine);
                });
            }
        });
        assert!(begun.load(Ordering::SeqCst) < 16);
    }

    #[test]
    fn a_failed_sync_fails_all_that_shared_it() {
        let gate = Gate::default();
        let failures = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let outcome = gate.pass(|| {
                        std::thread::sleep(Duration::from_millis(10));
                        Err(io::Error::other("no"))
                    });
                    failures.fetch_add(usize::from(outcome.is_err()), Ordering::SeqCst);
                });
            }
        });
        assert_eq!(failures.load(Ordering::SeqCst), 8);
    }

    #[test]
    fn a_removal_makes_older_knowledge_worthless() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::create_dir(&b).unwrap();
        let directories = Directories::default();
        let early = directories.moment();
        directories.remember(early, &a);
        assert!(directories.is_durable(&a));
        directories.remove(&crate::disk::real::RealDisk, &b).unwrap();
        directories.remember(early, &b);
        assert!(!directories.is_durable(&b));
    }
}
