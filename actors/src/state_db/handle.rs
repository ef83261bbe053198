//! How `session`, `audit` and `backup` reach the writer of the state DB.

use crate::Result;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::state_db::actor::{Opener, Run, StateDbActor};
use actix::SyncArbiter;
use rusqlite::Connection;
use std::sync::Arc;

/// The writer of the state DB.
#[derive(Clone, Debug)]
pub struct StateDbHandle {
    owner: OwnerRef<StateDbActor>,
}

impl StateDbHandle {
    /// Starts the writer; `open` opens the connection, now and whenever the worker is rebuilt.
    pub async fn start(
        open: impl Fn() -> Result<Connection> + Send + Sync + 'static,
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
        Ok(Self { owner })
    }

    /// Runs one piece of work on the connection, after those asked before.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.owner.ask(Intent::Read, Run(Box::new(work))).await
    }
}
