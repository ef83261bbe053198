//! Saves what buckets hold every few seconds and at the end, and counts what nobody knows.

use super::account::{Account, Place};
use super::settle::place;
use super::{Held, Usage};
use crate::Result;
use crate::db::runtime;
use crate::domain::listing::ListQuery;
use crate::domain::names::BucketName;
use crate::state_db::StateDbHandle;
use crate::storage::multipart::{UploadQuery, UploadRef};
use crate::system::SystemHandle;
use crate::system::view::Route;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// What changed is saved this often.
const SAVE: Duration = Duration::from_secs(5);
/// Who counts looks for work this often, beside being told of it.
const LOOK: Duration = Duration::from_secs(5);
/// What was counted so long ago is counted again: files may have come and gone beside this server.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// What changed since, unseen, is counted again sooner: after this long, and longer the more there is to count.
const LOOSE: Duration = Duration::from_secs(60);
/// A bucket that cannot be counted is tried again after at most this long; one with a quota, after [`LOOK`].
const RETRY: Duration = Duration::from_secs(600);
/// Entries that are counted at a time.
const PAGE: usize = 1000;

/// How long a count is good enough. One that is not exact costs a page every minute and a half, at most.
fn lasts(usage: &Usage) -> Duration {
    match usage.exact {
        true => STALE,
        false => (LOOSE + Duration::from_millis(usage.objects.saturating_mul(90))).min(STALE),
    }
}

impl SystemHandle {
    /// Takes in what was saved; from now on a stop without [`SystemHandle::save_usage`] is an unclean one.
    pub async fn load_usage(&self, db: &StateDbHandle) -> Result<()> {
        let (rows, clean) = db.run(|connection| runtime::take_usage(connection)).await?;
        let mut accounts = self.cell.ledger.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let Ok(bucket) = BucketName::new(&row.bucket) else { continue };
            let usage = Usage {
                objects: row.objects,
                bytes: row.bytes,
                parts: row.parts,
                counted_at: row.counted_at,
                exact: row.exact,
            };
            let held = Held { account: Account::restored(usage, clean).into(), ..Held::default() };
            accounts.insert(Place { backend_id: row.backend_id, bucket }, Arc::new(held));
        }
        Ok(())
    }

    /// Saves what changed; at the end `clean` says that nothing changes any more.
    pub async fn save_usage(&self, db: &StateDbHandle, clean: bool) {
        let mut rows = Vec::new();
        let mut saved = Vec::new();
        {
            let accounts = self.cell.ledger.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            for (place, held) in accounts.iter() {
                let mut account = held.lock();
                let usage = account.take_dirty();
                if clean && account.wants_count(false) {
                    // What is not sure now is not sure after the next start either.
                    rows.push(unknown(place));
                } else if let Some(usage) = usage {
                    rows.push(row(place, usage));
                    saved.push(Arc::clone(held));
                }
            }
        }
        if rows.is_empty() && !clean {
            return;
        }
        if let Err(error) = db.run(move |connection| runtime::save_usage(connection, &rows, clean)).await {
            log::warn!("what buckets hold could not be saved, and will be tried again: {error:?}");
            saved.iter().for_each(|held| held.lock().dirty = true);
        }
    }

    /// Saves until the process ends.
    pub async fn keep_usage(self, db: StateDbHandle) {
        loop {
            tokio::time::sleep(SAVE).await;
            self.save_usage(&db, false).await;
        }
    }

    /// Counts until the process ends: buckets with a quota first.
    pub async fn count_usage(self) {
        // What could not be counted: when it is tried again, and how long that was put off.
        let mut later: BTreeMap<BucketName, (Instant, Duration)> = BTreeMap::new();
        loop {
            let view = self.view();
            let mut names: Vec<&BucketName> =
                view.state.buckets.keys().chain(view.config.storage.buckets.keys()).collect();
            names.sort();
            names.dedup();
            names.sort_by_key(|name| view.settings(name).quota_bytes.is_none());
            for name in names.into_iter().filter(|_| view.locked.is_none()) {
                let Ok(route) = view.route(name) else { continue };
                let quota = view.settings(name).quota_bytes.is_some();
                if later.get(name).is_some_and(|(at, _)| Instant::now() < *at) {
                    continue;
                }
                let Err(error) = self.count_if_wanted(&route, quota).await else {
                    later.remove(name);
                    continue;
                };
                let most = if quota { LOOK } else { RETRY };
                let wait = later.get(name).map_or(LOOK, |(_, wait)| (*wait * 2).min(most));
                if later.insert(name.clone(), (Instant::now() + wait, wait)).is_none() {
                    log::warn!("the bucket {name} could not be counted, and will be tried again: {error:?}");
                }
            }
            let _ = tokio::time::timeout(LOOK, self.cell.ledger.wanted.notified()).await;
        }
    }

    async fn count_if_wanted(&self, route: &Route, quota: bool) -> Result<()> {
        let Some(place) = place(route).filter(|_| route.store.down_reason().is_none()) else { return Ok(()) };
        let held = self.cell.ledger.held(&place);
        let now = self.now();
        let (wanted, stale) = {
            let account = held.lock();
            (
                account.wants_count(quota),
                account.usage().is_some_and(|usage| now.since(usage.counted_at) > lasts(&usage)),
            )
        };
        if wanted || stale {
            self.count(route, &held, quota).await?;
            held.counted.notify_waiters();
        }
        Ok(())
    }

    /// Counts page by page; changes that come meanwhile are told apart by the key that the count has come to. Where no quota waits for
    /// it, it rests as long as it works: requests come first.
    async fn count(&self, route: &Route, held: &Held, quota: bool) -> Result<()> {
        held.lock().begin();
        let mut start_after = String::new();
        loop {
            let begun = Instant::now();
            let alone = held.pages.write().await;
            let query = ListQuery { start_after, max_keys: PAGE, ..ListQuery::default() };
            let page = route.store.list(&route.bucket, query).await?;
            let bytes = page.objects.iter().map(|object| object.size).sum();
            if !held.lock().page(page.objects.len() as u64, bytes, page.next.as_deref()) {
                return Ok(());
            }
            match page.next {
                Some(next) => start_after = next,
                None => {
                    let parts = self.parts_in(route).await?;
                    held.lock().counted(parts, self.now());
                    return Ok(());
                }
            }
            drop(alone);
            if !quota {
                tokio::time::sleep(begun.elapsed()).await;
            }
        }
    }

    /// The bytes of all parts whose uploads are open.
    async fn parts_in(&self, route: &Route) -> Result<u64> {
        let (mut bytes, mut query) = (0, UploadQuery { max: PAGE, ..UploadQuery::default() });
        loop {
            let page = route.store.list_uploads(&route.bucket, query.clone()).await?;
            for upload in page.uploads {
                let upload = UploadRef { bucket: route.bucket.clone(), key: upload.key, id: upload.id };
                bytes += self.bytes_of(route, &upload).await?;
            }
            match page.next {
                Some((after, after_id)) => query = UploadQuery { after, after_id, ..query },
                None => return Ok(bytes),
            }
        }
    }

    async fn bytes_of(&self, route: &Route, upload: &UploadRef) -> Result<u64> {
        let (mut bytes, mut after) = (0, 0);
        loop {
            let page = match route.store.list_parts(upload, after, PAGE).await {
                Err(error) if error.kind() == crate::ErrorKind::NoSuchUpload => return Ok(bytes),
                page => page?,
            };
            bytes += page.parts.iter().map(|part| part.size).sum::<u64>();
            match page.next {
                Some(next) => after = next.get(),
                None => return Ok(bytes),
            }
        }
    }
}

fn row(place: &Place, usage: Usage) -> runtime::UsageRow {
    runtime::UsageRow {
        backend_id: place.backend_id.clone(),
        bucket: place.bucket.to_string(),
        objects: usage.objects,
        bytes: usage.bytes,
        parts: usage.parts,
        counted_at: usage.counted_at,
        exact: usage.exact,
        known: true,
    }
}

/// Of which nothing is known after the next start.
fn unknown(place: &Place) -> runtime::UsageRow {
    runtime::UsageRow { known: false, ..row(place, Usage::default()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_is_not_exact_lasts_as_long_as_it_costs() {
        let of = |objects, exact| lasts(&Usage { objects, exact, ..Usage::default() });
        assert_eq!((of(0, false), of(1000, false)), (LOOSE, LOOSE + Duration::from_secs(90)));
        assert_eq!((of(u64::MAX, false), of(5, true)), (STALE, STALE));
    }
}
