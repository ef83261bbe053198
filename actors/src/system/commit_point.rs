//! `SwapAll`: the one message that swaps all state, in the order of the design's §4.5. Everything that can fail was done while staging.

use crate::iam_db::IamDbHandle;
use crate::system::actor::{Below, check_version};
use crate::system::cell::Cell;
use crate::system::messages::NextSystem;
use crate::system::swap;
use crate::{Error, Result, fault};
use std::sync::Arc;

/// The exit code of a swap that broke off after its commit point; the next start finishes it.
pub const BROKEN_OFF: i32 = 11;

/// Ends the process unless disarmed: past the commit point there is no way back, and no going on with half of it.
struct PastCommitPoint {
    armed: bool,
}

/// Swaps. Before the commit point an error leaves everything as it was; after it the process ends or the new state is in force.
pub(super) async fn swap_all(cell: &Arc<Cell>, below: &Below, next: NextSystem) -> Result<()> {
    let restore_id = next.journal.restore_id.clone();
    cell.check_fence(Some(&restore_id))?;
    check_version(cell, &format!("{}.{}", cell.view().state.meta.epoch, next.journal.old_generation))?;

    if let Err(error) = below.iam_db.close().await {
        reopen(&below.iam_db).await;
        return Err(error);
    }
    let mut guard = PastCommitPoint { armed: true };
    let (disk, state_dir, journal) = (below.disk.clone(), below.state_dir.clone(), next.journal.clone());
    let moved = tokio::task::spawn_blocking(move || -> Result<()> {
        swap::write_journal(disk.as_ref(), &state_dir, &journal)?;
        swap::roll_forward(disk.as_ref(), &state_dir, &journal)
    })
    .await;
    guard.require("moving the files", moved.map_err(|e| Error::internal("swap", e)).and_then(|r| r));
    fault::point("system.swap.moved");
    guard.require("opening the database", below.iam_db.take(next.hash).await);
    guard.require("handing over the state", below.iam.replace(next.view.state.clone()).await);
    guard.require("handing over the config", below.config.replace(next.config).await);
    fault::point("system.swap.owners");
    let mut view = next.view;
    let opened = next.opener.open_all(&view.config, &view.state, Some(&cell.view())).await;
    let opened = guard.require("opening the backends", opened);
    view.stores = Arc::new(opened.stores);
    cell.publish(view);
    let (disk, state_dir, journal) = (below.disk.clone(), below.state_dir.clone(), next.journal);
    let finished = tokio::task::spawn_blocking(move || swap::finish(disk.as_ref(), &state_dir, &journal)).await;
    guard.require("removing the journal", finished.map_err(|e| Error::internal("swap", e)).and_then(|r| r));
    guard.armed = false;
    cell.lift_fence(&restore_id);
    Ok(())
}

async fn reopen(iam_db: &IamDbHandle) {
    if let Err(error) = iam_db.load().await {
        log::error!("the database could not be reopened after an aborted swap: {error:?}");
    }
}

impl PastCommitPoint {
    /// Past the commit point an error ends the process.
    fn require<T>(&mut self, step: &str, outcome: Result<T>) -> T {
        match outcome {
            Ok(value) => value,
            Err(error) => {
                log::error!("the swap broke off while {step}: {error:?}; the next start finishes it");
                std::process::exit(BROKEN_OFF);
            }
        }
    }
}

impl Drop for PastCommitPoint {
    fn drop(&mut self) {
        if self.armed {
            log::error!("the swap broke off after its commit point; the next start finishes it");
            std::process::exit(BROKEN_OFF);
        }
    }
}
