//! Both databases, to be let go of before the process ends.

use crate::db::database::all_closed;
use crate::iam_db::IamDbHandle;
use crate::state_db::StateDbHandle;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The writers of both databases.
#[derive(Clone, Debug)]
pub struct Databases {
    /// Sessions, audit log and history.
    pub state: StateDbHandle,
    /// Configuration, IAM and secrets.
    pub config: IamDbHandle,
}

impl Databases {
    /// Closes both and waits for whoever reads a copy, all within this limit. What was acknowledged is durable without it: this is for an
    /// end without a crash, and for an empty write-ahead log.
    pub async fn close(&self, limit: Duration) {
        let end = Instant::now() + limit;
        if !matches!(timeout_at(end, self.state.close()).await, Ok(Ok(()))) {
            log::warn!("the state database keeps its write-ahead log; the next start takes it in");
        }
        if !matches!(timeout_at(end, self.config.close()).await, Ok(Ok(()))) {
            log::warn!("the config database was not closed; nothing of it is lost");
        }
        let left = end.saturating_duration_since(Instant::now());
        if !matches!(tokio::task::spawn_blocking(move || all_closed(left)).await, Ok(true)) {
            log::warn!("a job that still uses a database is cut off");
        }
    }
}
