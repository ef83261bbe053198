//! What all stores on one endpoint share within this process: the locks of keys and of buckets.

use crate::domain::names::BucketName;
use crate::storage::keylocks::KeyLocks;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use tokio::sync::RwLock;

static ENDPOINTS: LazyLock<Mutex<HashMap<String, Weak<Shared>>>> = LazyLock::new(Mutex::default);

/// One endpoint, as this process knows it.
#[derive(Debug)]
pub(super) struct Shared {
    /// Locks by `bucket/key`, and by upload.
    pub(super) keys: Arc<KeyLocks>,
    /// Commits hold it shared; the removal of a bucket holds it alone.
    pub(super) buckets: RwLock<()>,
}

/// The name of a key's lock. A bucket's name has no slash, so no two keys share one.
pub(super) fn lock_name(bucket: &BucketName, key: &str) -> String {
    format!("{bucket}/{key}")
}

/// What is shared by those who ask this address.
pub(super) fn of(url: &str) -> Arc<Shared> {
    let mut endpoints = ENDPOINTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = endpoints.get(url).and_then(Weak::upgrade) {
        return shared;
    }
    let shared = Arc::new(Shared { keys: KeyLocks::new(), buckets: RwLock::default() });
    endpoints.retain(|_, shared| shared.strong_count() > 0);
    endpoints.insert(url.to_owned(), Arc::downgrade(&shared));
    shared
}
