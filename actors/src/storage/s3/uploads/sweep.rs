//! Removes what nothing speaks of any more: bodies that nobody published, and sidecars whose objects are gone.

use super::complete::is_orphan;
use crate::Result;
use crate::domain::clock::Timestamp;
use crate::domain::names::{BucketName, ObjectKey};
use crate::storage::s3::Inner;
use crate::storage::s3::convert::INTERNAL;
use crate::storage::s3::meta::Facts;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often a backend is swept.
const EVERY: Duration = Duration::from_secs(3600);
/// What is younger may still be in the making, or an answer that somebody asks for again.
const AGE: Duration = Duration::from_secs(25 * 3600);

/// When the backend was swept last.
#[derive(Debug, Default)]
pub(in crate::storage::s3) struct Sweeps(Mutex<Option<Timestamp>>);

impl Sweeps {
    /// True once an hour. The first sweep comes an hour after the start, when everything else has been done.
    fn is_due(&self, now: Timestamp) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_some_and(|last| now.since(last) >= EVERY);
        if due || last.is_none() {
            *last = Some(now);
        }
        due
    }
}

impl Inner {
    /// Sweeps the buckets of this backend, if it is time.
    pub(in crate::storage::s3) async fn sweep(&self) -> Result<()> {
        let now = self.clock.now();
        if !self.swept.is_due(now) {
            return Ok(());
        }
        let known: Vec<BucketName> =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        for bucket in known {
            self.sweep_bucket(&bucket, now).await?;
        }
        Ok(())
    }

    /// Removes what is older than a day and belongs to nothing.
    pub(in crate::storage::s3) async fn sweep_bucket(&self, bucket: &BucketName, now: Timestamp) -> Result<()> {
        let old = |modified: &Timestamp| now.since(*modified) >= AGE;
        // Bodies that a process was killed over are uploads of the store's own, which listings of objects do not show.
        self.abort_uploads(bucket, &format!("{INTERNAL}tmp/"), old).await?;
        for folder in ["tmp/", "meta/"] {
            let (prefix, mut after) = (format!("{INTERNAL}{folder}"), None);
            loop {
                let (keys, more) = self.own_keys(bucket, &prefix, after.as_deref()).await?;
                after = keys.last().map(|(key, _)| key.clone());
                for (key, _) in keys.iter().filter(|(_, modified)| old(modified)) {
                    let id = key.strip_prefix(&prefix).unwrap_or_default();
                    if folder == "tmp/" || self.is_left_over(bucket, key, id).await? {
                        self.remove(bucket, key).await?;
                    }
                }
                if !more || after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn is_left_over(&self, bucket: &BucketName, stored: &str, id: &str) -> Result<bool> {
        let Some(bytes) = self.get_own(bucket, stored, "sweep backend").await? else { return Ok(false) };
        // One that is not ours is not ours to remove.
        let Ok(key) = Facts::owner(&bytes, &self.mac.load()) else { return Ok(false) };
        is_orphan(self, bucket, &ObjectKey::new(key)?, id).await
    }
}
