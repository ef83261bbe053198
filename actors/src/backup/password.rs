//! Another bootstrap password: the database under its new key and the hash file change places with the old ones in one swap.

use crate::backup::fence::Fenced;
use crate::backup::files::ConfigFile;
use crate::backup::handle::Tools;
use crate::backup::messages::PasswordChange;
use crate::backup::stage::{self, Next};
use crate::domain::change::StateChange;
use crate::domain::state::State;
use crate::system::messages::NextSystem;
use crate::system::swap::SwapKind;
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};

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
    let next = Next {
        kind: SwapKind::PasswordChange,
        state,
        hash: change.hash,
        hash_file: None,
        config: ConfigFile::Kept,
        loaded,
        base: tools.host.config_base(),
        prune_buckets: false,
        ready: Default::default(),
    };
    stage::stage(tools, id, next, view).await
}
