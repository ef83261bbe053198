//! What need not be asked twice: facts in sidecars, which never change, and the logical sizes of objects by their entity tag.

use super::meta::Facts;
use crate::domain::clock::Timestamp;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ETag, ObjectMeta};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries of one generation; two are kept.
const SIDECARS: usize = 4096;
const SIZES: usize = 65_536;

/// The latest entries: when the younger generation is full, the older one goes.
#[derive(Debug)]
struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    limit: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    fn new(limit: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), limit }
    }

    fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.put(key.clone(), value.clone());
        Some(value)
    }

    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.limit {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

/// Facts, and the key of the object that they are of.
type Kept = (ObjectKey, Arc<Facts>);

/// The facts in sidecars, by bucket and name.
#[derive(Debug)]
pub(super) struct Sidecars(Mutex<Recent<(BucketName, String), Kept>>);

impl Default for Sidecars {
    fn default() -> Self {
        Self(Mutex::new(Recent::new(SIDECARS)))
    }
}

impl Sidecars {
    pub(super) fn get(&self, bucket: &BucketName, key: &ObjectKey, id: &str) -> Option<Arc<Facts>> {
        let (of, facts) = lock(&self.0).get(&(bucket.clone(), id.to_owned()))?;
        (of == *key).then_some(facts)
    }

    pub(super) fn put(&self, bucket: &BucketName, key: &ObjectKey, id: &str, facts: Arc<Facts>) {
        lock(&self.0).put((bucket.clone(), id.to_owned()), (key.clone(), facts));
    }

    /// A sidecar was written anew, or its bucket is gone.
    pub(super) fn forget(&self, bucket: &BucketName) {
        let mut recent = lock(&self.0);
        recent.young.retain(|(of, _), _| of != bucket);
        recent.old.retain(|(of, _), _| of != bucket);
    }
}

/// What a listing shows of an object whose upstream entity tag is not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) size: u64,
    pub(super) etag: ETag,
    pub(super) modified: Timestamp,
    pub(super) storage_class: Option<String>,
}

/// Those, by bucket, key and the upstream's entity tag.
#[derive(Debug)]
pub(super) struct Sizes(Mutex<Recent<(BucketName, String, String), Listed>>);

impl Default for Sizes {
    fn default() -> Self {
        Self(Mutex::new(Recent::new(SIZES)))
    }
}

impl Sizes {
    pub(super) fn get(&self, bucket: &BucketName, key: &str, tag: &str) -> Option<Listed> {
        lock(&self.0).get(&(bucket.clone(), key.to_owned(), tag.trim_matches('"').to_owned()))
    }

    pub(super) fn note(&self, bucket: &BucketName, key: &str, tag: &str, meta: &ObjectMeta) {
        let listed = Listed {
            size: meta.size,
            etag: meta.etag.clone(),
            modified: meta.modified,
            storage_class: meta.attributes.headers.storage_class.clone(),
        };
        lock(&self.0).put((bucket.clone(), key.to_owned(), tag.trim_matches('"').to_owned()), listed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_lately_stays_and_the_rest_goes() {
        let mut recent = Recent::new(2);
        for number in 0..4 {
            recent.put(number, number);
        }
        assert_eq!(recent.get(&1), Some(1));
        for number in 4..6 {
            recent.put(number, number);
        }
        assert_eq!((recent.get(&1), recent.get(&2), recent.get(&5)), (Some(1), None, Some(5)));
        assert!(recent.young.len() <= 2 && recent.old.len() <= 2);
    }
}
