//! Too busy: the bound on what is under way. Mailboxes have none (see `ARCHITECTURE.md`), so a permit is taken before every ask.

use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A pool of permits. Nobody waits for one: it is there, or the answer is `Busy`.
#[derive(Clone)]
pub struct Permits {
    pool: Arc<Pool>,
}

struct Pool {
    name: &'static str,
    size: usize,
    free: Arc<Semaphore>,
    held: Mutex<HashMap<String, usize>>,
}

/// The right to one request under way; it goes back when dropped, also with the last byte of a body that carries it.
pub struct Permit {
    pool: Arc<Pool>,
    holder: Option<String>,
    _permit: OwnedSemaphorePermit,
}

impl Permits {
    /// A pool of `size` permits.
    pub fn new(name: &'static str, size: usize) -> Self {
        let size = size.max(1);
        Self { pool: Arc::new(Pool { name, size, free: Arc::new(Semaphore::new(size)), held: Mutex::default() }) }
    }

    /// A permit for the system's own business.
    pub fn take(&self) -> Result<Permit> {
        let permit = self.pool.free.clone().try_acquire_owned().map_err(|_| self.busy())?;
        Ok(Permit { pool: self.pool.clone(), holder: None, _permit: permit })
    }

    /// A permit for a principal or address, which may hold at most a quarter of the pool.
    pub fn take_for(&self, holder: &str) -> Result<Permit> {
        let mut permit = self.take()?;
        let most = (self.pool.size / 4).max(1);
        let mut held = self.pool.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(holder) {
            Some(count) if *count >= most => return Err(self.busy()),
            Some(count) => *count += 1,
            None => {
                held.insert(holder.to_owned(), 1);
            }
        }
        permit.holder = Some(holder.to_owned());
        Ok(permit)
    }

    /// How many are out.
    pub fn in_use(&self) -> usize {
        self.pool.size - self.pool.free.available_permits()
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.pool.size
    }

    fn busy(&self) -> Error {
        Error::new(ErrorKind::Busy, self.pool.name, "Please reduce your request rate.")
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(holder) = self.holder.take() else { return };
        let mut held = self.pool.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&holder) {
            *count -= 1;
            if *count == 0 {
                held.remove(&holder);
            }
        }
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permits({}: {}/{})", self.pool.name, self.in_use(), self.pool.size)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({})", self.pool.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_gives_what_it_has_and_takes_it_back() {
        let permits = Permits::new("test", 2);
        let first = permits.take().unwrap();
        let _second = permits.take().unwrap();
        assert_eq!(permits.take().unwrap_err().kind(), ErrorKind::Busy);
        drop(first);
        assert!(permits.take().is_ok());
    }

    #[test]
    fn one_holder_gets_at_most_a_quarter() {
        let permits = Permits::new("test", 8);
        let held: Vec<_> = (0..2).map(|_| permits.take_for("ann").unwrap()).collect();
        assert_eq!(permits.take_for("ann").unwrap_err().kind(), ErrorKind::Busy);
        assert!(permits.take_for("bob").is_ok());
        drop(held);
        assert!(permits.take_for("ann").is_ok());
        assert_eq!(permits.in_use(), 0);
    }
}
