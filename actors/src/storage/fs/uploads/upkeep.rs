//! What waits after an upload is complete: its object is stored as a plain body, its answer is forgotten after a day.

use crate::domain::clock::Timestamp;
use crate::storage::fs::{Fs, blocking, parts};
use crate::storage::multipart::UploadRef;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Answers are looked through this often, and what failed is tried again.
const ROUND: Duration = Duration::from_secs(3600);

/// What waits on one root, whichever store of this process sees to it.
#[derive(Debug, Default)]
pub(in crate::storage::fs) struct Waiting {
    state: Mutex<State>,
    /// Held by the one who works.
    at_work: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    uploads: VecDeque<UploadRef>,
    failed: Vec<UploadRef>,
    last_round: Option<Timestamp>,
}

/// One upload whose turn it is; dropped before its end it waits again.
struct Turn<'a> {
    waiting: &'a Waiting,
    upload: Option<UploadRef>,
}

/// Works off what waits.
pub(in crate::storage::fs) async fn upkeep(fs: &Arc<Fs>) -> Result<()> {
    let waiting = &fs.shared.waiting;
    let Ok(_at_work) = waiting.at_work.try_lock() else { return Ok(()) };
    while let Some(turn) = waiting.next() {
        let outcome = match &turn.upload {
            Some(upload) => parts::compact(fs, upload).await,
            None => Ok(()),
        };
        turn.end(outcome);
    }
    if !waiting.round_due(fs.clock.now()) {
        return Ok(());
    }
    let mine = Arc::clone(fs);
    blocking("forget uploads", move || {
        let now = mine.clock.now();
        mine.buckets_with_uploads()?.iter().try_for_each(|bucket| mine.forget_answers(bucket, now))
    })
    .await
}

impl Waiting {
    /// This upload's object is stored as parts.
    pub(in crate::storage::fs) fn add(&self, upload: UploadRef) {
        self.state().uploads.push_back(upload);
    }

    fn next(&self) -> Option<Turn<'_>> {
        let upload = self.state().uploads.pop_front()?;
        Some(Turn { waiting: self, upload: Some(upload) })
    }

    /// Whether a round is due; a yes counts as made, and what failed is to be tried again.
    fn round_due(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        if state.last_round.is_some_and(|last| now.since(last) < ROUND) {
            return false;
        }
        state.last_round = Some(now);
        let failed = std::mem::take(&mut state.failed);
        state.uploads.extend(failed);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    fn end(mut self, outcome: Result<(), Error>) {
        let upload = self.upload.take();
        if let Err(error) = outcome {
            log::warn!(error:? = error; "an object stays stored as the parts of its upload; tried again within an hour");
            self.waiting.state().failed.extend(upload);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.waiting.state().uploads.push_front(upload);
        }
    }
}
