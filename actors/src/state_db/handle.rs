//! How `session`, `audit` and `backup` reach the writer of the state DB.

use crate::Result;
use crate::db::database::Database;
use crate::db::runtime;
use crate::domain::clock::Timestamp;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::state_db::actor::{Close, Opener, Run, StateDbActor};
use crate::state_db::last_used::{FLUSH, LastUsed, Used};
use actix::SyncArbiter;
use rusqlite::Connection;
use std::sync::Arc;

/// The writer of the state DB.
#[derive(Clone, Debug)]
pub struct StateDbHandle {
    owner: OwnerRef<StateDbActor>,
    last_used: LastUsed,
}

impl StateDbHandle {
    /// Starts the writer; `open` opens the connection, now and whenever the worker is rebuilt.
    pub async fn start(
        open: impl Fn() -> Result<Database> + Send + Sync + 'static,
        guardian: &Guardian,
    ) -> Result<Self> {
        let owner = OwnerRef::new("state_db", 1024, guardian.alarm());
        let (open, alarm): (Opener, _) = (Arc::new(open), guardian.alarm());
        guardian
            .watch(&owner, move || {
                let (open, alarm) = (open.clone(), alarm.clone());
                Box::pin(async move { Ok(SyncArbiter::start(1, move || StateDbActor::new(&open, alarm.clone()))) })
            })
            .await?;
        let handle = Self { owner, last_used: LastUsed::default() };
        handle.last_used.load(&handle).await?;
        let db = handle.clone();
        actix_rt::spawn(async move {
            loop {
                actix_rt::time::sleep(FLUSH).await;
                db.last_used.flush(&db).await;
            }
        });
        Ok(handle)
    }

    /// When keys and tokens were last used, and users last signed in.
    pub fn last_used(&self) -> &LastUsed {
        &self.last_used
    }

    /// Notes that a user signed in.
    pub fn note_sign_in(&self, user_id: &str, at: Timestamp) {
        self.last_used.note(Used::User, user_id, at);
    }

    /// Runs one piece of work on the connection, after those asked before.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.owner.ask(Intent::Read, Run(Box::new(work))).await
    }

    /// Takes what was written out of the write-ahead log, and lets go of the file: the process ends.
    pub async fn close(&self) -> Result<()> {
        let kept = self.run(|connection| runtime::checkpoint(connection)).await;
        self.owner.ask(Intent::Read, Close).await.and(kept)
    }
}
