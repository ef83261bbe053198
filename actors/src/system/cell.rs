//! What `system` publishes and what must outlive its actor: the view, the fence, and the gate of commits.

use crate::domain::adoption::Seen;
use crate::domain::clock::{Clock, Timestamp};
use crate::system::usage::Ledger;
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{RwLock, watch};

/// A fence that nobody lifts ends by itself after this long.
const FENCE_LIFE: Duration = Duration::from_secs(600);

/// Shared by the actor of `system` and all its handles.
pub(super) struct Cell {
    view: ArcSwap<SystemView>,
    fence: Mutex<Option<FenceHeld>>,
    /// Wakes those who wait for the fence to be lifted.
    lifted: watch::Sender<()>,
    /// Commits of objects hold it shared, what changes routes holds it alone: so no commit straddles a change of its route.
    pub(super) commits: Arc<RwLock<()>>,
    clock: Clock,
    /// What each backend was last seen to hold.
    pub(super) seen: Mutex<Seen>,
    /// What each bucket holds, and how much more may come.
    pub(super) ledger: Arc<Ledger>,
}

/// Who holds the fence, since when.
#[derive(Clone, Debug)]
pub(super) struct FenceHeld {
    pub(super) restore_id: String,
    since: Timestamp,
}

impl Cell {
    pub(super) fn new(view: SystemView, clock: Clock) -> Self {
        Self {
            view: ArcSwap::from_pointee(view),
            fence: Mutex::default(),
            lifted: watch::Sender::new(()),
            commits: Arc::default(),
            ledger: Ledger::new(),
            clock,
            seen: Mutex::default(),
        }
    }

    pub(super) fn view(&self) -> Arc<SystemView> {
        self.view.load_full()
    }

    pub(super) fn publish(&self, view: SystemView) {
        self.view.store(Arc::new(view));
    }

    /// Takes the fence; one holder at a time.
    pub(super) fn raise_fence(&self, restore_id: &str) -> Result<()> {
        let mut fence = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = self.alive(fence.as_ref()) {
            return Err(refused(&held));
        }
        *fence = Some(FenceHeld { restore_id: restore_id.to_owned(), since: self.clock.now() });
        Ok(())
    }

    /// Lifts the fence if this restore holds it.
    pub(super) fn lift_fence(&self, restore_id: &str) {
        let mut fence = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        if fence.as_ref().is_some_and(|held| held.restore_id == restore_id) {
            *fence = None;
            drop(fence);
            self.lifted.send_replace(());
        }
    }

    /// Refuses unless this restore holds the fence.
    pub(super) fn hold_fence(&self, restore_id: &str) -> Result<()> {
        let held = self.alive(self.fence.lock().unwrap_or_else(PoisonError::into_inner).as_ref());
        if held.is_some_and(|held| held.restore_id == restore_id) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "system",
            "the restore does not hold the fence any more; nothing was changed",
        )
        .with_code("fence_lost")
        .with_hint("try again"))
    }

    /// Refuses while a fence is up that is not `restore_id`'s.
    pub(super) fn check_fence(&self, restore_id: Option<&str>) -> Result<()> {
        match self.alive(self.fence.lock().unwrap_or_else(PoisonError::into_inner).as_ref()) {
            Some(held) if Some(held.restore_id.as_str()) != restore_id => Err(refused(&held)),
            _ => Ok(()),
        }
    }

    /// Waits until the fence is lifted, at most `patience`.
    pub(super) async fn wait_for_fence(&self, patience: Duration) -> Result<()> {
        let mut lifted = self.lifted.subscribe();
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let Err(refusal) = self.check_fence(None) else { return Ok(()) };
            if tokio::time::timeout_at(deadline, lifted.changed()).await.is_err() {
                return Err(refusal);
            }
        }
    }

    fn alive(&self, fence: Option<&FenceHeld>) -> Option<FenceHeld> {
        fence.filter(|held| self.clock.now().since(held.since) < FENCE_LIFE).cloned()
    }
}

fn refused(held: &FenceHeld) -> Error {
    Error::new(ErrorKind::RestoreInProgress, "system", "a restore is in progress; nothing was changed")
        .with_code("restore_in_progress")
        .with_hint(format!("try again when restore {} has ended", held.restore_id))
}
