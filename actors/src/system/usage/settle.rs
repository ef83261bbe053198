//! Changes of objects and uploads, each settled with its bucket's account while its key is held.

use super::account::{Delta, Place};
use super::{Held, Refused, Reservation, full};
use crate::domain::condition::Conditions;
use crate::domain::names::ObjectKey;
use crate::domain::object::ObjectMeta;
use crate::storage::CommitRequest;
use crate::storage::keylocks::KeyGuard;
use crate::storage::multipart::{CompleteRequest, PartCommit, PartInfo, PartNumber, UploadRef};
use crate::system::SystemHandle;
use crate::system::usage::Usage;
use crate::system::view::Route;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedRwLockReadGuard;

/// Parts are read from the backend so many at a time.
const PAGE: usize = 1000;

/// An account that is about to change, with what must be held until it has.
struct Entry {
    held: Arc<Held>,
    key: ObjectKey,
    _key: KeyGuard,
    _pages: OwnedRwLockReadGuard<()>,
}

impl Entry {
    /// Notes how a change ended; what nobody can know is counted again.
    fn close<T>(
        &self,
        outcome: &Result<T>,
        old: Option<Delta>,
        done: impl FnOnce(&T) -> Option<Delta>,
        room: Option<Reservation>,
    ) {
        let mut account = self.held.lock();
        // Room is given back in the same moment, so that nobody sees the bytes twice.
        if let Some(mut room) = room {
            account.release(room.take());
        }
        match outcome {
            Ok(value) => match (old, done(value)) {
                (Some(old), Some(new)) => account.settle(
                    self.key.as_str(),
                    Delta {
                        objects: new.objects - old.objects,
                        bytes: new.bytes - old.bytes,
                        parts: new.parts - old.parts,
                    },
                ),
                (_, None) => {}
                (None, Some(_)) => account.doubt(),
            },
            Err(error)
                if matches!(error.kind(), ErrorKind::OutcomeUnknown | ErrorKind::Internal | ErrorKind::Timeout) =>
            {
                account.doubt();
            }
            Err(_) => {}
        }
    }
}

/// A change of which nobody looks what it replaces, while it is under way.
struct Blind(Arc<Held>);

impl Drop for Blind {
    fn drop(&mut self) {
        self.0.lock().end_blind();
    }
}

impl SystemHandle {
    /// Room for a write of `bytes` in its bucket, before its body comes; `key` is what it would replace. Refuses a read-only bucket.
    pub async fn reserve(&self, route: &Route, key: Option<&ObjectKey>, bytes: u64) -> Result<Reservation> {
        self.writable(route)?;
        let (Some(quota), Some(place)) = (self.view().settings(&route.name).quota_bytes, place(route)) else {
            return Ok(Reservation::none());
        };
        let ledger = &self.cell.ledger;
        match (ledger.reserve(&route.name, &place, quota, bytes, 0).await, key) {
            (Err(error), Some(key)) if error.kind() == ErrorKind::QuotaExceeded && quota > 0 => {
                // What it replaces makes room; that is looked at only where it matters, and once more when it is committed.
                let replaced = size_of(route, key).await.ok().flatten().unwrap_or_default();
                if replaced == 0 {
                    Err(error)
                } else {
                    ledger.reserve(&route.name, &place, quota, bytes, replaced).await
                }
            }
            (outcome, _) => outcome,
        }
    }

    /// What a bucket holds; `None` while that is not known.
    pub fn usage(&self, route: &Route) -> Option<Usage> {
        self.cell.ledger.usage(&place(route)?)
    }

    /// A bucket is gone.
    pub(crate) fn forget_usage(&self, route: &Route) {
        if let Some(place) = place(route) {
            self.cell.ledger.forget(&place);
        }
    }

    /// Publishes a staged object, if its bucket's route is still the one it began under, and takes writes.
    pub async fn commit(&self, route: &Route, commit: CommitRequest, room: Reservation) -> Result<ObjectMeta> {
        let _shared = self.cell.commits.read().await;
        self.writable(route)?;
        if let Some(_blind) = self.blind(route) {
            return route.store.commit(commit).await;
        }
        let (size, Some(entry)) = (commit.staged.sums.size, self.entry(route, &commit.key).await) else {
            return route.store.commit(commit).await;
        };
        let old = size_of(route, &commit.key).await;
        let needed = size.saturating_sub(old.as_ref().ok().copied().flatten().unwrap_or_default());
        let room = self.adjust(route, &entry, room, needed)?;
        let outcome = route.store.commit(commit).await;
        entry.close(&outcome, old.ok().map(objects), |meta| Some(objects(Some(meta.size))), Some(room));
        outcome
    }

    /// Removes an object, if its bucket's route is still the one the request began under, and takes writes.
    pub async fn delete_object(&self, route: &Route, key: &ObjectKey, conditions: Conditions) -> Result<()> {
        let _shared = self.cell.commits.read().await;
        self.writable(route)?;
        if let Some(_blind) = self.blind(route) {
            return route.store.delete(&route.bucket, key, conditions).await;
        }
        let Some(entry) = self.entry(route, key).await else {
            return route.store.delete(&route.bucket, key, conditions).await;
        };
        let old = size_of(route, key).await;
        let outcome = route.store.delete(&route.bucket, key, conditions).await;
        entry.close(&outcome, old.ok().map(objects), |()| Some(Delta::default()), None);
        outcome
    }

    /// Keeps a part, if its bucket's route is still the one it began under, and takes writes.
    pub async fn commit_part(&self, route: &Route, commit: PartCommit, room: Reservation) -> Result<PartInfo> {
        let _shared = self.cell.commits.read().await;
        self.writable(route)?;
        if let Some(_blind) = self.blind(route) {
            return route.store.commit_part(commit).await;
        }
        let (upload, number, size) = (commit.upload.clone(), commit.number, commit.staged.sums.size);
        let Some(entry) = self.entry_of_part(route, &upload, number).await else {
            return route.store.commit_part(commit).await;
        };
        let known = self.parts(route, &entry.held, &upload).await;
        let before = known.as_ref().ok().map(|parts| parts.get(&number.get()).copied().unwrap_or_default());
        let room = self.adjust(route, &entry, room, size.saturating_sub(before.unwrap_or_default()))?;
        let outcome = route.store.commit_part(commit).await;
        if let Ok(part) = &outcome {
            entry.held.note_part(&upload, part.number.get(), part.size);
        }
        entry.close(&outcome, before.map(parts), |part| Some(parts(part.size)), Some(room));
        outcome
    }

    /// Turns an upload into an object, for `holder`, if its bucket's route is still the one the request began under, and takes writes.
    pub async fn complete_upload(&self, route: &Route, holder: &str, request: CompleteRequest) -> Result<ObjectMeta> {
        let _shared = self.cell.commits.read().await;
        self.writable(route)?;
        if let Some(_blind) = self.blind(route) {
            return route.store.complete_upload(holder, request).await;
        }
        let upload = request.upload.clone();
        // One that is not open any more is answered by the record of its end; nothing changes then.
        let open = !matches!(route.store.upload(&upload).await, Err(error) if error.kind() == ErrorKind::NoSuchUpload);
        let entry = if open { self.entry(route, &upload.key).await } else { None };
        let Some(entry) = entry else { return route.store.complete_upload(holder, request).await };
        let (object, known) = (size_of(route, &upload.key).await, self.parts(route, &entry.held, &upload).await);
        let old = object.ok().zip(known.ok()).map(|(size, known)| Delta { parts: sum(&known), ..objects(size) });
        let outcome = route.store.complete_upload(holder, request).await;
        if outcome.is_ok() {
            entry.held.forget_upload(&upload);
        }
        entry.close(&outcome, old, |meta| Some(objects(Some(meta.size))), None);
        outcome
    }

    /// Gives an upload up, if its bucket's route is still the one the request began under, and takes writes.
    pub async fn abort_upload(&self, route: &Route, upload: UploadRef) -> Result<()> {
        let _shared = self.cell.commits.read().await;
        self.writable(route)?;
        if let Some(_blind) = self.blind(route) {
            return route.store.abort_upload(upload).await;
        }
        let Some(entry) = self.entry(route, &upload.key).await else { return route.store.abort_upload(upload).await };
        let known = self.parts(route, &entry.held, &upload).await;
        let old = known.ok().map(|known| Delta { parts: sum(&known), ..Delta::default() });
        let outcome = route.store.abort_upload(upload.clone()).await;
        if outcome.is_ok() {
            entry.held.forget_upload(&upload);
        }
        entry.close(&outcome, old, |()| Some(Delta::default()), None);
        outcome
    }

    /// Refuses where the bucket moved, or takes no writes.
    pub(crate) fn writable(&self, route: &Route) -> Result<()> {
        self.same_place(route)?;
        if self.view().settings(&route.name).read_only {
            let message = format!("The bucket {} is read-only.", route.name);
            return Err(Error::new(ErrorKind::Forbidden, "bucket", message)
                .with_code("bucket_read_only")
                .with_hint("`read_only: false` of the bucket takes writes again"));
        }
        Ok(())
    }

    /// Where a look at what a change replaces costs a way across the network and no quota asks for it, there is none: the bucket's
    /// account is what was counted last.
    fn blind(&self, route: &Route) -> Option<Blind> {
        if route.store.is_near() || self.view().settings(&route.name).quota_bytes.is_some() {
            return None;
        }
        let held = self.cell.ledger.held(&place(route)?);
        held.lock().begin_blind();
        // What is known of parts ages from here on.
        held.uploads().clear();
        Some(Blind(held))
    }

    async fn entry(&self, route: &Route, key: &ObjectKey) -> Option<Entry> {
        self.named_entry(route, key, "").await
    }

    /// Parts of one upload are kept side by side.
    async fn entry_of_part(&self, route: &Route, upload: &UploadRef, number: PartNumber) -> Option<Entry> {
        self.named_entry(route, &upload.key, &format!("\0{}\0{number}", upload.id)).await
    }

    async fn named_entry(&self, route: &Route, key: &ObjectKey, part: &str) -> Option<Entry> {
        let (ledger, place) = (&self.cell.ledger, place(route)?);
        let held = ledger.held(&place);
        // No key holds a NUL beside the store's own: `\0` keeps the names apart.
        let name = format!("{}/{}/{}{part}", place.backend_id, place.bucket, key.as_str());
        let guard = ledger.keys.lock(&name).await;
        let pages = Arc::clone(&held.pages).read_owned().await;
        Some(Entry { held, key: key.clone(), _key: guard, _pages: pages })
    }

    /// What was reserved becomes what is needed, if there is room for it by now.
    fn adjust(&self, route: &Route, entry: &Entry, mut room: Reservation, needed: u64) -> Result<Reservation> {
        let quota = self.view().settings(&route.name).quota_bytes;
        let adjusted = entry.held.lock().adjust(quota, room.take(), needed);
        match adjusted {
            Ok(bytes) => Ok(Reservation { held: Some(Arc::clone(&entry.held)), bytes }),
            Err(Refused::Full | Refused::Uncounted) => Err(full(&route.name, quota.unwrap_or_default())),
        }
    }

    /// The sizes of an upload's parts, by number; read from the backend where this process did not see it begin.
    async fn parts(&self, route: &Route, held: &Held, upload: &UploadRef) -> Result<BTreeMap<u16, u64>> {
        if let Some(known) = held.upload(upload) {
            return Ok(known);
        }
        let (mut found, mut after) = (BTreeMap::new(), 0);
        loop {
            let page = route.store.list_parts(upload, after, PAGE).await?;
            found.extend(page.parts.iter().map(|part| (part.number.get(), part.size)));
            match page.next {
                Some(next) => after = next.get(),
                None => return Ok(held.begin_upload(upload, found)),
            }
        }
    }
}

/// A bucket's place; `None` where its backend is down, and nothing can change.
pub(super) fn place(route: &Route) -> Option<Place> {
    Some(Place { backend_id: route.store.backend_id()?, bucket: route.bucket.clone() })
}

/// The size of what a key has now.
async fn size_of(route: &Route, key: &ObjectKey) -> Result<Option<u64>> {
    match route.store.head(&route.bucket, key).await {
        Ok(meta) => Ok(Some(meta.size)),
        Err(error) if matches!(error.kind(), ErrorKind::NoSuchKey | ErrorKind::NoSuchBucket) => Ok(None),
        Err(error) => Err(error),
    }
}

fn objects(size: Option<u64>) -> Delta {
    Delta { objects: size.is_some().into(), bytes: signed(size.unwrap_or_default()), parts: 0 }
}

fn parts(bytes: u64) -> Delta {
    Delta { parts: signed(bytes), ..Delta::default() }
}

fn sum(parts: &BTreeMap<u16, u64>) -> i64 {
    signed(parts.values().sum())
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
