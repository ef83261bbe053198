//! What is done for the log from time to time: a checkpoint every five minutes, and pruning.

use crate::Result;
use crate::audit::handle::AuditHandle;
use std::sync::Arc;
use std::time::Duration;

/// A checkpoint is taken this often.
const CHECKPOINT: Duration = Duration::from_secs(300);

/// How much of the log is kept; `None` is everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// So many of the latest rows.
    pub rows: Option<u64>,
    /// Rows that are no older than this.
    pub age: Option<Duration>,
}

/// Takes checkpoints and prunes, at once and then every five minutes, for as long as the process runs.
pub async fn keep(audit: AuditHandle, retention: Arc<dyn Fn() -> Retention + Send + Sync>) {
    let mut round = tokio::time::interval(CHECKPOINT);
    loop {
        round.tick().await;
        note("pruning the audit log", audit.prune(retention()).await);
        note("the checkpoint of the audit log", audit.checkpoint().await.map(|_| ()));
    }
}

fn note(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        log::error!("{what} failed: {error:?}");
    }
}
