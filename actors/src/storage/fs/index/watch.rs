//! What the kernel tells about changes in directories (inotify), ours and everybody's, by the name of what changed.
//!
//! An event is queued before the call that makes the change returns, while the directory is locked. So whoever reads all events
//! knows of every change that was over before, and timestamps have no part in it.

use crate::{Error, Result};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

const CHANGES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// The watched directories of one root.
#[derive(Debug)]
pub(super) struct Watch {
    queue: Arc<OwnedFd>,
}

/// What has happened since the last look.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The names that changed, by the number of their directory's watch.
    pub(super) changed: BTreeMap<i32, BTreeSet<String>>,
    /// Directories that are no longer where they were.
    pub(super) gone: BTreeSet<i32>,
    /// Events were lost: nothing is known of any directory.
    pub(super) lost: bool,
}

impl Watch {
    /// A queue without a directory.
    pub(super) fn new() -> Result<Self> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(failed)?;
        Ok(Self { queue: Arc::new(queue) })
    }

    /// What to wait for: it can be read when there is news.
    pub(super) fn queue(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.queue)
    }

    /// Watches a directory from now on.
    pub(super) fn add(&self, dir: &Path) -> Result<i32> {
        inotify::add_watch(&self.queue, dir, CHANGES).map_err(failed)
    }

    /// Watches a directory no longer.
    pub(super) fn remove(&self, number: i32) {
        // One that is gone is watched no longer anyway.
        let _ = inotify::remove_watch(&self.queue, number);
    }

    /// All that has happened up to now.
    pub(super) fn news(&self) -> Result<News> {
        let mut room = [MaybeUninit::uninit(); 16 << 10];
        let mut events = inotify::Reader::new(&self.queue, &mut room);
        let mut news = News::default();
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(news),
                Err(Errno::INTR) => continue,
                Err(e) => return Err(failed(e)),
            };
            let what = event.events();
            if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                news.lost = true;
            }
            let left = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED | ReadFlags::UNMOUNT;
            if what.intersects(left) {
                news.gone.insert(event.wd());
            }
            // What is no UTF-8 is no name of ours.
            if let Some(Ok(name)) = event.file_name().map(|name| name.to_str()) {
                news.changed.entry(event.wd()).or_default().insert(name.to_owned());
            }
        }
    }
}

fn failed(error: Errno) -> Error {
    Error::io("watch directory", error.into())
}
