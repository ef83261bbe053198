//! `SwapAll`: the one message that swaps all state, in the order of the design's §4.5. Everything that can fail was done while staging.

use crate::disk::Disk;
use crate::iam_db::IamDbHandle;
use crate::system::actor::{Below, check_version};
use crate::system::cell::Cell;
use crate::system::messages::{NewIds, NextSystem};
use crate::system::swap::{self, Journal};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use std::path::Path;
use std::sync::Arc;

/// The exit code of a swap that broke off after its commit point; the next start finishes it.
pub const BROKEN_OFF: i32 = 11;

/// Ends the process unless disarmed: past the commit point there is no way back, and no going on with half of it.
struct PastCommitPoint {
    armed: bool,
}

/// Swaps. Before the commit point an error leaves everything as it was; after it the process ends or the new state is in force.
pub(super) async fn swap_all(cell: &Arc<Cell>, below: &Below, mut next: NextSystem) -> Result<NewIds> {
    let restore_id = next.journal.restore_id.clone();
    cell.hold_fence(&restore_id)?;
    check_version(cell, &format!("{}.{}", cell.view().state.meta.epoch, next.journal.old_generation))?;
    if !next.prune_buckets {
        no_bucket_filled_up(&cell.view(), &next.view).await?;
    }
    if let Err(error) = below.iam_db.close().await {
        reopen(&below.iam_db).await;
        return Err(error);
    }
    next.staging.hand_over();
    if let Err(error) = with_files(below, &next.journal, swap::write_journal).await {
        // Without a journal under its name nothing was committed: a full disk here costs the restore, not the process.
        if below.state_dir.join(swap::JOURNAL).exists() {
            break_off("writing the journal", &error);
        }
        next.staging.take_back();
        reopen(&below.iam_db).await;
        return Err(error);
    }
    let mut guard = PastCommitPoint { armed: true };
    guard.require("moving the files", with_files(below, &next.journal, swap::roll_forward).await);
    fault::point("system.swap.moved");
    guard.require("opening the database", below.iam_db.take(next.hash).await);
    guard.require("handing over the state", below.iam.replace(next.view.state.clone()).await);
    guard.require("handing over the config", below.config.replace(next.config).await);
    fault::point("system.swap.owners");
    let mut view = next.view;
    let opened = next.opener.open_all(&view.config, &view.state, Some(&cell.view())).await;
    let opened = guard.require("opening the backends", opened);
    view.stores = Arc::new(opened.stores);
    view.notices = Arc::new(opened.warnings);
    cell.publish(view);
    (next.settled)();
    guard.require("removing the journal", with_files(below, &next.journal, swap::finish).await);
    guard.armed = false;
    cell.lift_fence(&restore_id);
    Ok(opened.new_ids)
}

/// Refuses where a bucket that the plan drops as empty got an object since: a PUT raises no generation. No commit can follow, because
/// the caller holds the gate.
async fn no_bucket_filled_up(now: &SystemView, next: &SystemView) -> Result<()> {
    for name in now.state.buckets.keys().filter(|name| !next.state.buckets.contains_key(*name)) {
        let route = now.route(name)?;
        if route.store.holds_objects(&route.bucket).await.unwrap_or(false) {
            let message = format!("bucket `{name}` got an object since the plan was made; nothing was changed");
            return Err(Error::new(ErrorKind::Conflict, "restore", message)
                .with_code("generation_changed")
                .with_hint("make the plan again"));
        }
    }
    Ok(())
}

/// One step of the swap on files, away from the actors' threads.
async fn with_files(
    below: &Below,
    journal: &Journal,
    step: fn(&dyn Disk, &Path, &Journal) -> Result<()>,
) -> Result<()> {
    let (disk, state_dir, journal) = (below.disk.clone(), below.state_dir.clone(), journal.clone());
    let done = tokio::task::spawn_blocking(move || step(disk.as_ref(), &state_dir, &journal)).await;
    done.map_err(|error| Error::internal("swap", error))?
}

fn break_off(step: &str, error: &Error) -> ! {
    log::error!("the swap broke off while {step}: {error:?}; the next start finishes it");
    std::process::exit(BROKEN_OFF);
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
            Err(error) => break_off(step, &error),
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
