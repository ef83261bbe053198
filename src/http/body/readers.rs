//! Who is being sent an object: where there is no permit left, whoever takes nothing gives way.

use crate::http::server::Line;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A client that took nothing for this long gives way to one that asks.
const STALLED: Duration = Duration::from_secs(1);

/// The downloads under way.
#[derive(Clone, Debug, Default)]
pub struct Readers(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    under_way: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    holder: String,
    line: Line,
}

/// One download; over when dropped.
#[derive(Debug)]
pub struct Reading {
    readers: Readers,
    number: u64,
}

impl Readers {
    /// Notes a download of `holder` on a connection.
    pub fn enter(&self, holder: String, line: Line) -> Reading {
        let mut table = self.lock();
        table.next += 1;
        let number = table.next;
        table.under_way.push(Entry { number, holder, line });
        Reading { readers: self.clone(), number }
    }

    /// Cuts off the client that has taken nothing for the longest time: one of `holder`'s own, who may hold a share of the permits
    /// only, or else any. False where all take something.
    pub fn make_room(&self, holder: &str) -> bool {
        let table = self.lock();
        let longest = |own: bool| {
            let entries = table.under_way.iter().filter(|entry| !own || entry.holder == holder);
            entries.filter(|entry| entry.line.stalled() >= STALLED).max_by_key(|entry| entry.line.stalled())
        };
        let Some(entry) = longest(true).or_else(|| longest(false)) else { return false };
        log::info!("a client that took nothing for {:?} gives way to another", entry.line.stalled());
        entry.line.cut();
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.readers.lock().under_way.retain(|entry| entry.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn who_takes_nothing_gives_way_and_nobody_else() {
        let readers = Readers::default();
        let (stalled, working) = (Line::new(false), Line::new(false));
        let _a = readers.enter("ann".into(), stalled.clone());
        let _b = readers.enter("ann".into(), working.clone());
        assert!(!readers.make_room("ann"), "both take what they get");
        assert!(!stalled.waits(Waker::noop()));
        while stalled.stalled() < STALLED {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(readers.make_room("bob") && stalled.waits(Waker::noop()));
        assert!(!working.waits(Waker::noop()));
    }

    #[test]
    fn a_download_that_is_over_is_forgotten() {
        let readers = Readers::default();
        drop(readers.enter("ann".into(), Line::new(false)));
        assert!(readers.lock().under_way.is_empty());
    }
}
