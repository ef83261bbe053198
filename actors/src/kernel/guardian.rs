//! The guardian: watches every owner, rebuilds one that died from its durable source, and gives up when that does not help.
//!
//! A panic kills an actix actor for good; `Supervisor` does not bring it back. What must outlive an actor (fence, key locks,
//! permits, the published view) is therefore held outside it, and the rest is rebuilt here.

use crate::Result;
use crate::kernel::owner::OwnerRef;
use actix::{Actor, Addr};
use futures_util::future::LocalBoxFuture;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The exit code when rebuilding does not help (`operations.md` §4).
pub const GAVE_UP: i32 = 13;
const WINDOW: Duration = Duration::from_secs(60);
const DEATHS_ALLOWED: usize = 3;
const ROUND: Duration = Duration::from_secs(1);
/// How many references to an owner its ward holds: one a closure.
const REFERENCES_HELD: usize = 3;
const RETRY: Duration = Duration::from_millis(200);

/// Wakes the guardian at once, and counts deaths that it cannot see (a worker thread that caught its own panic).
#[derive(Clone, Debug, Default)]
pub struct Alarm {
    inner: Arc<AlarmInner>,
}

#[derive(Debug, Default)]
struct AlarmInner {
    notify: Notify,
    caught: Mutex<Vec<&'static str>>,
}

impl Alarm {
    /// Somebody found an owner's mailbox closed.
    pub fn ring(&self) {
        self.inner.notify.notify_one();
    }

    /// A worker caught a panic and will be rebuilt by its own runtime.
    pub fn caught_panic(&self, owner: &'static str) {
        self.inner.caught.lock().unwrap_or_else(PoisonError::into_inner).push(owner);
        self.ring();
    }

    fn take_caught(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.inner.caught.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The guardian of all owners. Clones share the list of wards; one of them runs.
#[derive(Clone)]
pub struct Guardian {
    alarm: Alarm,
    wards: Arc<Mutex<Vec<Arc<Ward>>>>,
}

struct Ward {
    name: &'static str,
    alive: Box<dyn Fn() -> bool + Send + Sync>,
    /// Nobody but the guardian refers to the owner any more.
    orphaned: Box<dyn Fn() -> bool + Send + Sync>,
    rebuild: Box<dyn Fn() -> LocalBoxFuture<'static, Result<()>> + Send + Sync>,
    deaths: Mutex<VecDeque<Instant>>,
}

impl Guardian {
    /// A guardian without wards.
    pub fn new(alarm: Alarm) -> Self {
        Self { alarm, wards: Arc::default() }
    }

    /// The bell that wakes it.
    pub fn alarm(&self) -> Alarm {
        self.alarm.clone()
    }

    /// Starts an owner by its factory and watches it from then on, until nobody else refers to it.
    pub async fn watch<A, F>(&self, owner: &OwnerRef<A>, factory: F) -> Result<()>
    where
        A: Actor,
        F: Fn() -> LocalBoxFuture<'static, Result<Addr<A>>> + Send + Sync + 'static,
    {
        owner.set(factory().await?);
        let (alive, target, orphaned) = (owner.clone(), owner.clone(), owner.clone());
        let factory = Arc::new(factory);
        let ward = Ward {
            name: owner.name(),
            alive: Box::new(move || alive.connected()),
            orphaned: Box::new(move || orphaned.references() <= REFERENCES_HELD),
            rebuild: Box::new(move || {
                let (factory, target) = (factory.clone(), target.clone());
                Box::pin(async move {
                    target.set(factory().await?);
                    Ok(())
                })
            }),
            deaths: Mutex::default(),
        };
        self.wards().push(Arc::new(ward));
        Ok(())
    }

    /// Whether every owner lives: the name of one that does not.
    pub fn dead(&self) -> Option<&'static str> {
        self.wards().iter().find(|w| !(w.alive)()).map(|w| w.name)
    }

    /// Watches until the process ends.
    pub async fn run(self) {
        loop {
            let _ = tokio::time::timeout(ROUND, self.alarm.inner.notify.notified()).await;
            self.wards().retain(|ward| !(ward.orphaned)());
            let wards: Vec<Arc<Ward>> = self.wards().clone();
            for name in self.alarm.take_caught() {
                log::error!("owner {name} panicked and was rebuilt");
                if let Some(ward) = wards.iter().find(|w| w.name == name) {
                    ward.count_death();
                }
            }
            for ward in wards.iter().filter(|w| !(w.alive)()) {
                log::error!("owner {} died; rebuilding it from its durable source", ward.name);
                ward.count_death();
                while let Err(error) = (ward.rebuild)().await {
                    log::error!("owner {} could not be rebuilt: {error:?}", ward.name);
                    ward.count_death();
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    fn wards(&self) -> MutexGuard<'_, Vec<Arc<Ward>>> {
        self.wards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ward {
    /// Notes a death; the fourth within a minute ends the process.
    fn count_death(&self) {
        let now = Instant::now();
        let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        deaths.push_back(now);
        while deaths.front().is_some_and(|t| now.duration_since(*t) > WINDOW) {
            deaths.pop_front();
        }
        if deaths.len() > DEATHS_ALLOWED {
            log::error!("owner {} died {} times within a minute; giving up", self.name, deaths.len());
            std::process::exit(GAVE_UP);
        }
    }
}

impl std::fmt::Debug for Guardian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.wards().iter().map(|w| w.name)).finish()
    }
}
