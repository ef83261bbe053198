//! Commits to one key, in order; commits to different keys, side by side. Whoever only needs a name to stay as it is shares it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// A table of locks by name, fair per name. A name takes room only while somebody holds it or waits for it.
#[derive(Debug, Default)]
pub struct KeyLocks {
    table: Mutex<HashMap<String, Arc<RwLock<()>>>>,
}

/// One name, held until this is dropped.
#[derive(Debug)]
pub struct KeyGuard {
    locks: Arc<KeyLocks>,
    name: String,
    held: Option<Held>,
}

/// How it is held.
#[derive(Debug)]
#[expect(dead_code, reason = "a guard is there to be dropped")]
enum Held {
    Alone(OwnedRwLockWriteGuard<()>),
    Shared(OwnedRwLockReadGuard<()>),
}

impl KeyLocks {
    /// An empty table.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Waits for a name; whoever asked first gets it first. A wait that is given up leaves nothing behind.
    pub async fn lock(self: &Arc<Self>, name: &str) -> KeyGuard {
        let (mut guard, entry) = self.waiting(name);
        guard.held = Some(Held::Alone(entry.write_owned().await));
        guard
    }

    /// As [`KeyLocks::lock`], beside others that share the name.
    pub async fn share(self: &Arc<Self>, name: &str) -> KeyGuard {
        let (mut guard, entry) = self.waiting(name);
        guard.held = Some(Held::Shared(entry.read_owned().await));
        guard
    }

    /// The guard exists before the wait, so that a cancelled wait also tidies the table.
    fn waiting(self: &Arc<Self>, name: &str) -> (KeyGuard, Arc<RwLock<()>>) {
        let entry = Arc::clone(self.table().entry(name.to_owned()).or_default());
        (KeyGuard { locks: Arc::clone(self), name: name.to_owned(), held: None }, entry)
    }

    /// How many names are held or waited for.
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// True where no name is held or waited for.
    pub fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<RwLock<()>>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyGuard {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for KeyGuard {
    fn drop(&mut self) {
        let mut table = self.locks.table();
        self.held = None;
        // Clones are only made under the table's lock: a count of one means that nobody holds it or waits for it.
        if table.get(&self.name).is_some_and(|entry| Arc::strong_count(entry) == 1) {
            table.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_holder_at_a_time_and_no_entry_is_left() {
        let locks = KeyLocks::new();
        let inside = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..200)
            .map(|i| {
                let (locks, inside) = (Arc::clone(&locks), Arc::clone(&inside));
                tokio::spawn(async move {
                    let guard = locks.lock(if i % 2 == 0 { "even" } else { "odd" }).await;
                    if guard.name() == "even" {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        tokio::task::yield_now().await;
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(locks.is_empty());
    }

    #[tokio::test]
    async fn a_name_is_shared_by_many_and_had_alone_by_one() {
        let locks = KeyLocks::new();
        let shared = (locks.share("k").await, locks.share("k").await);
        let soon = Duration::from_millis(5);
        assert!(tokio::time::timeout(soon, locks.lock("k")).await.is_err());
        drop(shared);
        let alone = locks.lock("k").await;
        assert!(tokio::time::timeout(soon, locks.share("k")).await.is_err());
        drop(alone);
        assert!(locks.is_empty());
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_leaves_nothing_behind() {
        let locks = KeyLocks::new();
        let held = locks.lock("k").await;
        assert!(tokio::time::timeout(Duration::from_millis(5), locks.lock("k")).await.is_err());
        assert_eq!(locks.len(), 1);
        drop(held);
        assert!(locks.is_empty());
        let again = tokio::time::timeout(Duration::from_secs(60), locks.lock("k")).await;
        assert!(again.is_ok());
    }
}
