//! Another bootstrap password: the database under its new key and the hash file change places with the old ones in one swap.

use crate::backup::blocking;
use crate::backup::fence::Fenced;
use crate::backup::handle::Tools;
use crate::backup::messages::PasswordChange;
use crate::backup::stage::{file_name, prove, restore_dir};
use crate::db;
use crate::disk::atomic;
use crate::domain::change::StateChange;
use crate::domain::state::State;
use crate::system::messages::NextSystem;
use crate::system::staging::Staging;
use crate::system::stores::Opener;
use crate::system::swap::{self, Journal, Move, SwapKind};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use std::sync::Arc;

/// Changes the password. An error means that the old one is in force, and nothing has changed.
pub(super) async fn change(tools: &Tools, id: &str, change: PasswordChange) -> Result<()> {
    let view = tools.system.view();
    view.unlocked()?;
    if tools.host.pinned.is_some() {
        return Err(Error::new(
            ErrorKind::Conflict,
            "change password",
            "the bootstrap password is pinned by its hash in the environment or the config; nothing was changed",
        )
        .with_code("password_pinned")
        .with_hint(
            "set DGP_BOOTSTRAP_PASSWORD_HASH (or `advanced.bootstrap_password_hash`) to the hash that `deltaglider_proxy \
             hash-password` makes and restart; or take it away and change the password here",
        ));
    }
    let next = stage(tools, id, change, &view).await?;
    fault::point("backup.password.staged");
    let fence = Fenced::raise(tools, id, &view.version()).await?;
    tools.system.swap_all(next).await?;
    fence.done();
    log::info!("another bootstrap password is in force: {}", tools.system.view().version());
    Ok(())
}

/// Writes both files beside the old ones, proves that the next start opens them, and puts together what the swap publishes.
async fn stage(tools: &Tools, id: &str, change: PasswordChange, view: &SystemView) -> Result<NextSystem> {
    if view.version() != change.version {
        return Err(Error::new(
            ErrorKind::StaleGeneration,
            "change password",
            "the state moved on; nothing was changed",
        )
        .with_hint("try again"));
    }
    let loaded = tools.config.current().await?;
    let mut state = State::clone(&view.state);
    StateChange::PasswordChanged { exception: Some(change.caller_token_sha256) }
        .apply(&mut state, tools.clock.now())?;
    state.meta.generation += 1;
    let (tools, hash, old_generation) = (tools.clone(), change.hash, view.state.meta.generation);
    let (opened_base, config_key) = (tools.host.config_base(), view.config_key.clone());
    let staging = Staging::begin(tools.disk.clone(), tools.host.state_dir.clone(), id);
    blocking(move || {
        let (disk, dir, files) = (tools.disk.as_ref(), &tools.host.state_dir, tools.host.files());
        let io = |error| Error::io("change password", error);
        let stage = swap::create_stage(disk, dir, &staging.id)?;
        let (built, staged_db, staged_hash) =
            (stage.join("building"), stage.join(file_name(&files.config_db)), stage.join(file_name(&files.hash)));
        db::state::create(&built, &hash, &state)?;
        atomic::copy_file(disk, &built, &staged_db, 0o600).map_err(io)?;
        // A scratch file of SQLite's: it was never synced, and the staging's sweep would take it as well.
        std::fs::remove_file(&built).map_err(io)?;
        atomic::write_file(disk, &staged_hash, format!("{}\n", hash.expose()).as_bytes(), 0o600).map_err(io)?;
        let moves = vec![Move::of(dir, &staged_db, &files.config_db)?, Move::of(dir, &staged_hash, &files.hash)?];
        prove(&tools, restore_dir(&tools, &staging), &state, &hash)?;
        let journal = Journal {
            version: swap::JOURNAL_VERSION,
            restore_id: staging.id.clone(),
            kind: SwapKind::PasswordChange,
            epoch: state.meta.epoch,
            old_generation,
            new_generation: state.meta.generation,
            moves,
        };
        swap::seal(disk, dir, &journal)?;
        let view = SystemView::compose(loaded.clone(), Arc::new(state), Some(hash.clone()), config_key);
        let opener = Opener {
            instance_id: tools.host.instance.instance_id.clone(),
            base: opened_base,
            disk: tools.disk.clone(),
            clock: tools.clock.clone(),
            guardian: tools.guardian.clone(),
            adopt_empty: false,
        };
        let settled = Box::new(|| {});
        Ok(NextSystem { journal, view, config: loaded, hash, opener, staging, prune_buckets: false, settled })
    })
    .await
}
