//! What each bucket holds, as its writes say, and how much more may come: no bucket goes over its quota by one byte.
//!
//! A write is reserved by its declared length before its body comes, and settled when it is committed: under the key's lock, what it
//! replaces is given back. Everything is in memory, beside the owners; `keep` saves it and counts what is not known.

mod account;
pub mod keep;
mod settle;

use crate::domain::names::BucketName;
use crate::storage::keylocks::KeyLocks;
use crate::storage::multipart::{UploadId, UploadRef};
use crate::{Error, ErrorKind, Result};
pub use account::Usage;
use account::{Account, Place};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, RwLock};

/// A write waits for a count that is almost done no longer than this.
const COUNT: Duration = Duration::from_secs(2);

/// The accounts of all buckets, by their place on a backend.
#[derive(Debug)]
pub(crate) struct Ledger {
    accounts: Mutex<HashMap<Place, Arc<Held>>>,
    /// Writes of one key are settled one after another.
    keys: Arc<KeyLocks>,
    /// Wakes who counts.
    wanted: Notify,
}

/// One account, with the lock that keeps a page of its count apart from the changes of its bucket.
#[derive(Debug, Default)]
struct Held {
    account: Mutex<Account>,
    /// Changes hold it shared; a page that is counted holds it alone.
    pages: Arc<RwLock<()>>,
    /// Told when a count has ended.
    counted: Notify,
    /// The sizes of parts by number, of uploads that this process has seen.
    uploads: Mutex<HashMap<UploadId, BTreeMap<u16, u64>>>,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sizes of an upload's parts, where they are known.
    fn upload(&self, upload: &UploadRef) -> Option<BTreeMap<u16, u64>> {
        self.uploads().get(&upload.id).cloned()
    }

    /// Notes what a backend says of an upload's parts; what was noted meanwhile is newer.
    fn begin_upload(&self, upload: &UploadRef, found: BTreeMap<u16, u64>) -> BTreeMap<u16, u64> {
        let mut uploads = self.uploads();
        let known = uploads.entry(upload.id.clone()).or_default();
        for (number, size) in found {
            known.entry(number).or_insert(size);
        }
        known.clone()
    }

    fn note_part(&self, upload: &UploadRef, number: u16, size: u64) {
        if let Some(known) = self.uploads().get_mut(&upload.id) {
            known.insert(number, size);
        }
    }

    fn forget_upload(&self, upload: &UploadRef) {
        self.uploads().remove(&upload.id);
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<UploadId, BTreeMap<u16, u64>>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for a write in its bucket, given back when it is dropped.
#[derive(Debug)]
#[must_use = "a write without its reservation is counted twice"]
pub struct Reservation {
    held: Option<Arc<Held>>,
    bytes: u64,
}

impl Reservation {
    /// Room for nothing: of a write that no quota bounds.
    pub fn none() -> Self {
        Self { held: None, bytes: 0 }
    }

    /// Takes the room out of the guard: whoever does gives it back.
    fn take(&mut self) -> u64 {
        self.held = None;
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            held.lock().release(self.bytes);
        }
    }
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { accounts: Mutex::default(), keys: KeyLocks::new(), wanted: Notify::new() })
    }

    /// The account of a place.
    fn held(&self, place: &Place) -> Arc<Held> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        match accounts.get(place) {
            Some(held) => Arc::clone(held),
            None => {
                self.wanted.notify_one();
                Arc::clone(accounts.entry(place.clone()).or_default())
            }
        }
    }

    /// What a place holds, where it was counted.
    fn usage(&self, place: &Place) -> Option<Usage> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(place)?.lock().usage()
    }

    /// A bucket is gone: another one of its name begins anew.
    fn forget(&self, place: &Place) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }

    /// Reserves room for `bytes`, of which `replaced` go when it is committed.
    async fn reserve(
        &self,
        bucket: &BucketName,
        place: &Place,
        quota: u64,
        bytes: u64,
        replaced: u64,
    ) -> Result<Reservation> {
        let held = self.held(place);
        let deadline = tokio::time::Instant::now() + COUNT;
        loop {
            let counted = held.counted.notified();
            let refused = held.lock().reserve(quota, bytes, replaced);
            match refused {
                Ok(bytes) => return Ok(Reservation { held: Some(Arc::clone(&held)), bytes }),
                Err(Refused::Full) => return Err(full(bucket, quota)),
                Err(Refused::Uncounted) => {
                    self.wanted.notify_one();
                    if tokio::time::timeout_at(deadline, counted).await.is_err() {
                        return Err(uncounted(bucket));
                    }
                }
            }
        }
    }
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// It would go over the quota.
    Full,
    /// Nobody knows yet whether it would.
    Uncounted,
}

fn full(bucket: &BucketName, quota: u64) -> Error {
    let message = format!("The bucket {bucket} has a quota of {quota} bytes, and this write would exceed it.");
    Error::new(ErrorKind::QuotaExceeded, "quota", message)
        .with_hint("delete objects, or ask an admin for a larger quota")
}

fn uncounted(bucket: &BucketName) -> Error {
    let message = format!("The bucket {bucket} is being counted, since it may be near its quota. Please try again.");
    Error::new(ErrorKind::Busy, "quota", message)
}
