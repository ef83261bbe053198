//! The ordered index of wide directories: with it a page of a listing costs what is on the page, not what is in the bucket.
//!
//! It holds names alone, and more of them at most than there are: every object of a page is looked at anew. A directory comes in
//! when a listing, or the sweep at start, finds it wide; until it is in, it is read live. From then on the kernel tells what
//! changes in it (`watch.rs`), whoever changes it, so the way of a write knows nothing of this. The index is nothing that is
//! kept: its file has no name and ends with the process.

mod build;
mod names;
mod open;
mod rows;
mod watch;
mod worker;

pub(super) use rows::Window;

use crate::Error;
use open::Open;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use worker::Worker;

/// A directory with more names than this is wide.
pub(super) const WIDE: usize = if cfg!(test) { 32 } else { 2048 };
/// So many directories are in the index at most, as the kernel watches each; others are read live.
const MOST: usize = 4096;
/// After something went wrong, it is not tried again before this.
const REST: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 60_000 });

/// The index of one root.
#[derive(Debug)]
pub(super) struct Index {
    /// The store's own directory, where the file is made.
    internal: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Open>,
    /// Directories that are to come in.
    wanted: VecDeque<PathBuf>,
    worker: Option<Worker>,
    /// Directories that could not come in, and when.
    unfit: HashMap<PathBuf, Instant>,
    /// When the whole went wrong.
    failed: Option<Instant>,
}

impl Index {
    /// An index without a directory; it makes no file before there is one.
    pub(super) fn new(internal: PathBuf) -> Arc<Self> {
        Arc::new(Self { internal, state: Mutex::default() })
    }

    /// The names of a directory between two, as they are now; `None` where it is to be read live.
    pub(super) fn window(&self, dir: &Path, from: &[u8], to: &[u8], room: usize) -> Option<Window> {
        let mut state = self.lock();
        if !state.open.as_ref()?.holds(dir) {
            return None;
        }
        let open = state.caught_up()?;
        match open.window(dir, from, to, room) {
            Ok(window) => window,
            Err(error) => {
                state.give_up(&error);
                None
            }
        }
    }

    /// A directory was found to be wide: it comes in soon.
    pub(super) fn want(self: &Arc<Self>, dir: &Path) {
        let mut state = self.lock();
        let is_resting = |since: &Instant| since.elapsed() < REST;
        let held = state.open.as_ref().map_or(0, Open::len);
        let known = state.open.as_ref().is_some_and(|open| open.holds(dir)) || state.wanted.iter().any(|d| d == dir);
        if known
            || held + state.wanted.len() >= MOST
            || state.failed.as_ref().is_some_and(is_resting)
            || state.unfit.get(dir).is_some_and(is_resting)
        {
            return;
        }
        state.wanted.push_back(dir.to_owned());
        Worker::call(&mut state.worker, self);
    }

    /// The state; what a panic left half done is thrown away.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| {
            let mut state = poisoned.into_inner();
            *state = State::default();
            self.state.clear_poison();
            state
        })
    }
}

impl State {
    /// The index with all that has happened up to now, unless that cannot be known.
    fn caught_up(&mut self) -> Option<&mut Open> {
        match self.open.as_mut()?.catch_up() {
            Ok(open::Caught::Up { unfit }) => unfit.into_iter().for_each(|dir| self.refuse(dir)),
            Ok(open::Caught::Lost) => {
                log::info!("changes came faster than they could be followed; the index of listings is made anew");
                let dirs = self.open.take().into_iter().flat_map(Open::into_dirs);
                self.wanted.extend(dirs);
                if let Some(worker) = &mut self.worker {
                    worker.ring();
                }
            }
            Err(error) => self.give_up(&error),
        }
        self.open.as_mut()
    }

    /// Without the index, listings are right all the same.
    fn give_up(&mut self, error: &Error) {
        log::warn!(error:? = error; "the index of listings is thrown away; directories are read live until it is made anew");
        self.open = None;
        self.wanted.clear();
        self.failed = Some(Instant::now());
    }

    /// This directory is read live for a while.
    fn refuse(&mut self, dir: PathBuf) {
        if self.unfit.len() >= MOST {
            self.unfit.clear();
        }
        self.unfit.insert(dir, Instant::now());
    }
}

#[cfg(test)]
impl Index {
    /// While this runs, nobody follows what changes.
    pub(super) fn undisturbed(&self, run: impl FnOnce()) {
        let state = self.lock();
        run();
        drop(state);
    }

    /// Has the next question to the table fail.
    pub(super) fn break_rows(&self) {
        let mut state = self.lock();
        state.open.as_mut().unwrap().break_rows();
    }
}
