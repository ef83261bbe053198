//! The thread that reads directories into the index and takes events from the kernel before its queue overflows.

use super::Index;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// After an event others follow: they are taken together.
const TOGETHER: Duration = Duration::from_millis(20);

/// The thread, and what wakes it. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    thread: JoinHandle<()>,
    bell: PipeWriter,
}

impl Worker {
    /// Has somebody look what there is to do.
    pub(super) fn call(worker: &mut Option<Self>, index: &Arc<Index>) {
        match worker {
            Some(worker) if !worker.thread.is_finished() => worker.ring(),
            _ => *worker = Self::begin(Arc::downgrade(index)),
        }
    }

    /// Wakes it.
    pub(super) fn ring(&mut self) {
        // Where nobody hears it, the next call begins a new thread.
        let _ = self.bell.write(&[1]);
    }

    fn begin(index: Weak<Index>) -> Option<Self> {
        let (ear, bell) = pipe().ok()?;
        let run = move || run(&index, ear);
        let thread = thread::Builder::new().name("listing-index".to_owned()).spawn(run).ok()?;
        Some(Self { thread, bell })
    }
}

fn run(index: &Weak<Index>, mut ear: PipeReader) {
    loop {
        let Some(index) = index.upgrade() else { return };
        index.work();
        let queue = index.lock().caught_up().map(|open| open.queue());
        drop(index);
        if !wait(&mut ear, queue.as_deref()) {
            return;
        }
        thread::sleep(TOGETHER);
    }
}

/// Waits for a call or for news; false where nobody can call any more.
fn wait(ear: &mut PipeReader, queue: Option<&OwnedFd>) -> bool {
    let (called, ended) = {
        let mut fds = vec![PollFd::new(&*ear, PollFlags::IN)];
        fds.extend(queue.map(|queue| PollFd::new(queue, PollFlags::IN)));
        // An interrupted wait is one more look.
        let _ = poll(&mut fds, None);
        let what = fds[0].revents();
        (what.contains(PollFlags::IN), what.intersects(PollFlags::HUP | PollFlags::ERR))
    };
    if called {
        return ear.read(&mut [0; 64]).is_ok();
    }
    !ended
}
