//! Keeps watch over the backends: closes the way to one that does not answer, opens one that is back, takes in its buckets.

use crate::domain::adoption::{Adoption, Seen, judge};
use crate::domain::bucket::BucketChange;
use crate::domain::change::StateChange;
use crate::domain::config::routing::routes;
use crate::domain::names::BackendName;
use crate::domain::state::Bucket;
use crate::store::StoreHandle;
use crate::system::handle::SystemHandle;
use crate::system::stores::{Configured, Opener};
use crate::{ErrorKind, Result};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often each backend is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// A look that takes this long has failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many looks without an answer close a backend: one may be a disk that is busy.
const MISSES: u32 = 2;
/// Listing the buckets of all backends takes no longer.
const LISTING: Duration = Duration::from_secs(60);
/// A backend that cannot be listed is tried again after at most so many looks.
const RETRY: u32 = 150;
/// Who owns a bucket that was found.
const OWNER: &str = "$bootstrap";

/// What is remembered between looks.
#[derive(Default)]
struct Watch {
    /// Backends that were listed, with the id that they bore.
    listed: BTreeSet<(BackendName, Option<String>)>,
    /// Looks without an answer, one after another.
    misses: BTreeMap<BackendName, u32>,
    /// Backends that could not be listed: looks until the next try, and from the last one to it.
    later: BTreeMap<BackendName, (u32, u32)>,
    /// What was said of a backend in trouble: once, and not with every look.
    said: BTreeSet<(BackendName, String)>,
}

/// Watches until the process ends. `opener` gives what opens the backends of the config in force.
pub async fn keep(system: SystemHandle, opener: impl Fn() -> Opener) {
    let mut watch = Watch::default();
    loop {
        let view = system.view();
        if view.locked.is_none() {
            // All at once: one that stalls keeps nobody from looking at the others.
            let looks = view.stores.values().map(|store| tokio::time::timeout(PATIENCE, store.look_alive()));
            for (store, answer) in view.stores.values().zip(join_all(looks).await) {
                watch.judge(&system, &opener, store, answer.ok()).await;
            }
            for (name, store) in view.stores.iter().filter(|(_, store)| store.down_reason().is_none()) {
                watch.list(&system, name, store).await;
            }
            watch.listed.retain(|(name, id)| view.stores.get(name).is_some_and(|store| store.backend_id() == *id));
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Watch {
    /// What a look says of a backend; `None` where no answer came.
    async fn judge(
        &mut self,
        system: &SystemHandle,
        opener: &impl Fn() -> Opener,
        store: &StoreHandle,
        answer: Option<Result<()>>,
    ) {
        let name = store.name();
        let Some(answer) = answer else {
            let misses = self.misses.entry(name.clone()).or_default();
            *misses += 1;
            if *misses >= MISSES {
                // What was opened is still good when it answers again: it is not opened anew, which would stall as well.
                store.close("it does not answer");
            }
            return;
        };
        self.misses.remove(name);
        let error = match answer {
            Ok(()) => return store.let_through(),
            Err(error) if error.kind() != ErrorKind::Unavailable => return,
            Err(error) => error,
        };
        if store.backend_id().is_some() {
            store.close(error.message());
        }
        match reopen(system, opener, store).await {
            Ok(true) => {
                self.said.retain(|(of, _)| of != name);
                log::info!("backend {name} is back");
            }
            Ok(false) => {}
            Err(error) => {
                if self.said.insert((name.clone(), error.message().to_owned())) {
                    log::warn!("backend {name} stays down: {error:?}");
                }
            }
        }
    }

    /// A backend is listed when it comes, not again and again: what is put there later is adopted by command.
    async fn list(&mut self, system: &SystemHandle, name: &BackendName, store: &StoreHandle) {
        let comes = (name.clone(), store.backend_id());
        if self.listed.contains(&comes) {
            return;
        }
        if let Some((left, _)) = self.later.get_mut(name).filter(|(left, _)| *left > 0) {
            *left -= 1;
            return;
        }
        match tokio::time::timeout(LISTING, system.adopt_buckets(name, Which::WithObjects)).await {
            Ok(Ok(_)) => {
                self.later.remove(name);
                self.listed.insert(comes);
                return;
            }
            Ok(Err(error)) => {
                if self.said.insert((name.clone(), error.message().to_owned())) {
                    log::warn!("the buckets of backend {name} could not be taken in: {error:?}");
                }
            }
            Err(_) => log::warn!("the buckets of backend {name} could not be listed in time"),
        }
        let wait = self.later.get(name).map_or(1, |(_, wait)| (wait * 2).min(RETRY));
        self.later.insert(name.clone(), (wait, wait));
    }
}

/// Opens a backend anew and publishes it, if it opens.
async fn reopen(system: &SystemHandle, opener: &impl Fn() -> Opener, store: &StoreHandle) -> Result<bool> {
    let (view, opener) = (system.view(), opener());
    let Some(backend) = view.config.storage.backends.get(store.name()) else { return Ok(false) };
    if backend.kind.directory().is_none() && store.backend_id().is_some() {
        // An account is asked anew with every request: it is let through when it answers.
        return Ok(false);
    }
    // Only under the id that is known: a root that lost its name is nobody's until somebody says so.
    let of = Configured { name: store.name(), backend, config: &view.config, state: &view.state };
    let opened = opener.open(of).await?;
    system.take_back(opened, view.config.clone()).await?;
    Ok(true)
}

/// Which of the buckets that nobody knows are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that hold an object: an empty place may be what a deleted bucket left behind.
    WithObjects,
    /// All: somebody says so.
    All,
}

impl SystemHandle {
    /// Lists a backend and takes in the buckets that nobody knows. Gives what was taken in, and what is on two backends.
    pub async fn adopt_buckets(&self, name: &BackendName, which: Which) -> Result<Adoption> {
        let view = self.view();
        let Some(store) = view.stores.get(name) else { return Ok(Adoption::default()) };
        // All of them, since a name counts as double wherever else it lies. One that is down is judged by what it had.
        let mut seen = Seen::new();
        for (other, store) in view.stores.iter().filter(|(_, store)| store.down_reason().is_none()) {
            match store.list_buckets().await {
                Ok(found) => seen = self.note_seen(other, found.into_iter().collect()),
                Err(error) if other == name => return Err(error),
                Err(error) => log::warn!("the buckets of backend {other} could not be listed: {error:?}"),
            }
        }
        let mut adoption = judge(&routes(&view.config.storage, &view.state.buckets), &seen);
        let (mut adopted, all) = (Vec::new(), std::mem::take(&mut adoption.adopt));
        for (backend, bucket) in all.into_iter().filter(|(backend, _)| backend == name) {
            if which == Which::WithObjects && !store.holds_objects(&bucket).await? {
                continue;
            }
            let entry = Bucket {
                name: bucket.clone(),
                backend: backend.clone(),
                alias: None,
                owner: OWNER.to_owned(),
                created_at: self.now(),
                public_prefixes: Vec::new(),
                settings: Default::default(),
            };
            match self.mutate(StateChange::Bucket(BucketChange::Create { bucket: entry })).await {
                Ok(_) => {
                    log::info!("bucket {bucket} was found on backend {backend} and taken in");
                    adopted.push((backend, bucket));
                }
                // Somebody made one of this name meanwhile.
                Err(error) if error.kind() == ErrorKind::BucketExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Adoption { adopt: adopted, ..adoption })
    }

    /// The names that are on two backends, as far as backends were listed.
    pub fn doubles(&self) -> Adoption {
        let view = self.view();
        let mut seen: Seen = self.seen();
        seen.retain(|name, _| view.config.storage.backends.contains_key(name));
        judge(&routes(&view.config.storage, &view.state.buckets), &seen)
    }
}

#[cfg(test)]
mod tests;
