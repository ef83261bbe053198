//! When keys and tokens were last used and users last signed in: noted in memory on the way, written down every few seconds.
//!
//! A request pays for one look into a map of its shard. What a crash takes along is the last few seconds.

use crate::db::runtime;
use crate::domain::clock::Timestamp;
use crate::state_db::handle::StateDbHandle;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What was noted is written down this often.
pub(super) const FLUSH: Duration = Duration::from_secs(5);
/// Requests of different keys seldom wait for one another.
const SHARDS: usize = 16;

/// What can be used; the words stand in the state DB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Used {
    /// An access key, by its public half.
    AccessKey,
    /// A user who signed in, by id.
    User,
    /// An API token, by id.
    Token,
}

const ALL: [Used; 3] = [Used::AccessKey, Used::User, Used::Token];

impl Used {
    fn word(self) -> &'static str {
        match self {
            Self::AccessKey => "access_key",
            Self::User => "user",
            Self::Token => "token",
        }
    }
}

/// The times. Clones share them.
#[derive(Clone, Debug)]
pub struct LastUsed {
    shards: Arc<[Mutex<Shard>; SHARDS]>,
    hasher: RandomState,
}

/// The times of each kind of thing by its id.
type Shard = [HashMap<String, Noted>; ALL.len()];

#[derive(Clone, Copy, Debug)]
struct Noted {
    at: Timestamp,
    written: bool,
}

impl Default for LastUsed {
    fn default() -> Self {
        Self { shards: Arc::new(std::array::from_fn(|_| Mutex::default())), hasher: RandomState::new() }
    }
}

impl LastUsed {
    /// Notes that something was used. Of two times the later counts.
    pub fn note(&self, used: Used, id: &str, at: Timestamp) {
        let mut shard = self.shard(id);
        let times = &mut shard[used as usize];
        match times.get_mut(id) {
            Some(noted) if noted.at >= at => {}
            Some(noted) => *noted = Noted { at, written: false },
            None => {
                times.insert(id.to_owned(), Noted { at, written: false });
            }
        }
    }

    /// When something was last used; `None` where it never was.
    pub fn of(&self, used: Used, id: &str) -> Option<Timestamp> {
        self.shard(id)[used as usize].get(id).map(|noted| noted.at)
    }

    /// Takes in what the state DB remembers.
    pub(super) async fn load(&self, db: &StateDbHandle) -> crate::Result<()> {
        let stored = db
            .run(|connection| {
                ALL.map(|used| runtime::last_used(connection, used.word()))
                    .into_iter()
                    .collect::<crate::Result<Vec<_>>>()
            })
            .await?;
        for (used, times) in ALL.into_iter().zip(stored) {
            for (id, at) in times {
                let mut shard = self.shard(&id);
                shard[used as usize].entry(id).or_insert(Noted { at, written: true });
            }
        }
        Ok(())
    }

    /// Writes down what was noted since the last time; what cannot be written is tried again.
    pub async fn flush(&self, db: &StateDbHandle) {
        let fresh = self.take();
        if fresh.is_empty() {
            return;
        }
        let times: BTreeMap<(String, String), Timestamp> =
            fresh.iter().map(|(used, id, at)| ((used.word().to_owned(), id.clone()), *at)).collect();
        if let Err(error) = db.run(move |connection| runtime::note_used(connection, &times)).await {
            log::warn!("last-used times could not be written down, and will be tried again: {error:?}");
            for (used, id, at) in fresh {
                let mut shard = self.shard(&id);
                if let Some(noted) = shard[used as usize].get_mut(&id).filter(|noted| noted.at == at) {
                    noted.written = false;
                }
            }
        }
    }

    /// What is not written down yet; from now on it counts as written.
    fn take(&self) -> Vec<(Used, String, Timestamp)> {
        let mut fresh = Vec::new();
        for shard in self.shards.iter() {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (used, times) in ALL.into_iter().zip(shard.iter_mut()) {
                for (id, noted) in times.iter_mut().filter(|(_, noted)| !noted.written) {
                    noted.written = true;
                    fresh.push((used, id.clone(), noted.at));
                }
            }
        }
        fresh
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shard> {
        let hash = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or_default();
        self.shards[hash].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::key::DbKey;
    use crate::kernel::guardian::{Alarm, Guardian};

    const AT: Timestamp = Timestamp::from_secs(1000);

    #[test]
    fn the_latest_use_counts_and_kinds_are_told_apart() {
        let times = LastUsed::default();
        times.note(Used::Token, "a", AT);
        times.note(Used::Token, "a", Timestamp::from_secs(900));
        assert_eq!(
            (times.of(Used::Token, "a"), times.of(Used::User, "a"), times.of(Used::Token, "b")),
            (Some(AT), None, None)
        );
    }

    #[test]
    fn what_was_written_once_is_not_written_again() {
        let times = LastUsed::default();
        for id in 0..100 {
            times.note(Used::AccessKey, &format!("AK{id}"), AT);
        }
        assert_eq!(times.take().len(), 100);
        times.note(Used::AccessKey, "AK7", AT);
        assert!(times.take().is_empty(), "nothing new");
        times.note(Used::AccessKey, "AK7", Timestamp::from_secs(1001));
        assert_eq!(times.take(), [(Used::AccessKey, "AK7".to_owned(), Timestamp::from_secs(1001))]);
    }

    #[test]
    fn times_come_back_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        crate::testing::run(async {
            let guardian = Guardian::new(Alarm::default());
            let open = move || runtime::open(&path, &DbKey::of_state_db(&[7; 32]));
            let db = StateDbHandle::start(open.clone(), &guardian).await.unwrap();
            db.last_used().note(Used::User, "u1", AT);
            db.last_used().flush(&db).await;
            let db = StateDbHandle::start(open, &guardian).await.unwrap();
            assert_eq!(db.last_used().of(Used::User, "u1"), Some(AT));
        });
    }
}
