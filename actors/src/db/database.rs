//! A connection to an encrypted database, and how many of them there are.
//!
//! SQLCipher frees its keys when the process exits, under whoever still uses one of its connections: the process then dies of SIGSEGV
//! instead of ending as it should. So all that are open are counted, and who ends a process with threads waits until there are none.

use rusqlite::Connection;
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For the whole process, as SQLCipher's own state is.
static OPEN: Mutex<usize> = Mutex::new(0);
static ONE_LESS: Condvar = Condvar::new();

/// An open connection to an encrypted database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    // After the connection: it counts until that is closed.
    _counted: Counted,
}

impl Database {
    pub(super) fn new(connection: Connection) -> Self {
        *open() += 1;
        Self { connection, _counted: Counted }
    }

    /// Closes it, and says where that failed: what was written may not be in the file then.
    pub(super) fn close(self) -> rusqlite::Result<()> {
        self.connection.close().map_err(|(_, error)| error)
    }
}

impl Deref for Database {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Database {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

#[derive(Debug)]
struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        *open() -= 1;
        ONE_LESS.notify_all();
    }
}

/// Waits until every database is closed, for at most this long; says whether they are.
pub fn all_closed(limit: Duration) -> bool {
    let waited = ONE_LESS.wait_timeout_while(open(), limit, |open| *open > 0);
    let (open, _) = waited.unwrap_or_else(PoisonError::into_inner);
    *open == 0
}

fn open() -> MutexGuard<'static, usize> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One process, one count: nothing else of this kind may run beside it, which nextest sees to.
    #[test]
    fn whoever_waits_is_told_when_the_last_one_is_closed() {
        let one = Database::new(Connection::open_in_memory().unwrap());
        let other = Database::new(Connection::open_in_memory().unwrap());
        one.close().unwrap();
        assert!(!all_closed(Duration::from_millis(1)));
        let closing = std::thread::spawn(move || drop(other));
        assert!(all_closed(Duration::from_secs(30)));
        closing.join().unwrap();
    }
}
