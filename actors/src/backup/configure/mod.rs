//! A change of the backends or of the schedule of backups: planned, refused or staged; then config file, database and history change places in one swap.

mod plan;

use crate::backup::fence::Fenced;
use crate::backup::files::ConfigFile;
use crate::backup::handle::Tools;
use crate::backup::messages::{ConfigEdit, Configuration, RootMeans};
use crate::backup::stage::{Next, stage};
use crate::domain::atrest::Seal;
use crate::domain::config::edit::no_such_backend;
use crate::domain::names::BackendName;
use crate::domain::state::State;
use crate::storage::look::{Look, LookState};
use crate::store::StoreHandle;
use crate::system::stores::{Configured, Opener};
use crate::system::swap::SwapKind;
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use plan::Plan;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

const OPERATION: &str = "change config";

/// Plans and, unless it is a dry run, swaps. An error means that nothing has changed.
pub(super) async fn run(tools: &Tools, id: &str, asked: Configuration) -> Result<Value> {
    let view = tools.system.view();
    view.unlocked()?;
    let version = view.version();
    if asked.if_version.as_ref().is_some_and(|wanted| *wanted != version) {
        return Err(Error::new(ErrorKind::StaleGeneration, OPERATION, "the state moved on; nothing was changed")
            .with_code("generation_changed")
            .with_hint("read it again, and repeat the change with its ETag"));
    }
    let dry_run = asked.dry_run;
    let name = match &asked.edit {
        ConfigEdit::Backend(edit) => Some(edit.name().clone()),
        ConfigEdit::Schedule(_) => None,
    };
    let loaded = tools.config.current().await?;
    let mut plan = plan::make(tools, &view, &loaded, asked).await?;
    fault::point("backup.configure.planned");
    if dry_run || plan.nothing_to_do() {
        return Ok(plan.answer(!dry_run, &version));
    }
    let ready = match &name {
        Some(name) => open(tools, name, &mut plan).await?,
        None => BTreeMap::new(),
    };
    let shown = plan.answer(true, &plan.state.meta.version());
    let next = stage(tools, id, next(tools, plan, ready, &view)?, &view).await?;
    fault::point("backup.configure.staged");
    let fence = Fenced::raise(tools, id, &version).await?;
    tools.system.swap_all(next).await?;
    fence.done();
    log::info!("another config is in force: {}", tools.system.view().version());
    Ok(shown)
}

/// Opens what the change adds or moves, so that nothing comes into force that does not open.
async fn open(tools: &Tools, name: &BackendName, plan: &mut Plan) -> Result<BTreeMap<BackendName, StoreHandle>> {
    let mut ready = BTreeMap::new();
    let (Some(opens), Some(backend)) = (&plan.opens, plan.config.config.storage.backends.get(name)) else {
        return Ok(ready);
    };
    let opener = Opener { base: plan.base.clone(), ..opener(tools) };
    let of = Configured { name, backend, config: &plan.config.config, state: &plan.state };
    if let (LookState::Lost, Some(known)) = (opens.look.state, plan.state.backends.get(name)) {
        opener.initialise(of, known.clone()).await?;
    }
    let handle = opener.open(of).await?;
    answers(&handle, opener.seal(of)).await?;
    if let Some(id) = handle.backend_id() {
        plan.state.backends.insert(name.clone(), id);
    }
    ready.insert(name.clone(), handle);
    Ok(ready)
}

/// Makes the place of a configured backend its own, and opens it.
pub(super) async fn take_root(tools: &Tools, name: BackendName, means: RootMeans) -> Result<String> {
    let view = tools.system.view();
    view.unlocked()?;
    let backend = view.config.storage.backends.get(&name).ok_or_else(|| no_such_backend(&name))?;
    let known = view.state.backends.get(&name).cloned();
    let opener = opener(tools);
    let now = Configured { name: &name, backend, config: &view.config, state: &view.state };
    let look = opener.look(now).await?;
    let mut state = State::clone(&view.state);
    match (means, look.state, look.backend_id) {
        (_, LookState::Unusable, _) => return Err(plan::unusable(&look.message)),
        (RootMeans::Init, LookState::New | LookState::Lost, _) => {
            let id = known.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
            opener.initialise(now, id.clone()).await?;
            state.backends.insert(name.clone(), id);
        }
        (RootMeans::Init, ..) => {
            let message = format!("{}; nothing was changed", look.message);
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message)
                .with_code("backend_initialised")
                .with_hint("`backend adopt` takes it over as it is"));
        }
        (_, _, Some(id)) => {
            plan::id_is_free(&view, &name, &id)?;
            state.backends.insert(name.clone(), id);
        }
        (_, _, None) => {
            let message = format!("{}; nothing was changed", look.message);
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message)
                .with_code("backend_not_initialised")
                .with_hint("mount the disk, or make the root anew with `backend init`"));
        }
    }
    let handle = opener.open(Configured { state: &state, ..now }).await?;
    answers(&handle, opener.seal(now)).await?;
    let id = handle.backend_id().unwrap_or_default();
    tools.system.reconnect(handle).await?;
    Ok(id)
}

/// Refuses a backend that was opened and does not do what is asked of it: an account is asked for nothing before that.
async fn answers(handle: &StoreHandle, seal: Option<Seal>) -> Result<()> {
    match handle.clone().sealed(seal).probe().await?.last_failure {
        None => Ok(()),
        Some((_, why)) => Err(plan::unusable(&why)),
    }
}

/// What is found at the place of a configured backend.
pub(super) async fn look_at(tools: &Tools, name: &BackendName) -> Result<Look> {
    let view = tools.system.view();
    let backend = view.config.storage.backends.get(name).ok_or_else(|| no_such_backend(name))?;
    opener(tools).look(Configured { name, backend, config: &view.config, state: &view.state }).await
}

/// Opens backends as they are configured now.
pub(super) fn opener(tools: &Tools) -> Opener {
    Opener {
        host: tools.host.clone(),
        base: tools.host.config_base(),
        disk: tools.disk.clone(),
        clock: tools.clock.clone(),
        guardian: tools.guardian.clone(),
        adopt_empty: false,
        ready: BTreeMap::new(),
    }
}

/// What is to be in force, for the staging that all swaps share.
fn next(tools: &Tools, plan: Plan, ready: BTreeMap<BackendName, StoreHandle>, view: &SystemView) -> Result<Next> {
    tools.host.config_writable(Some(&plan.text))?;
    Ok(Next {
        kind: SwapKind::ConfigChange,
        state: plan.state,
        hash: view.bootstrap_hash.clone().ok_or_else(|| Error::internal(OPERATION, "no hash is in force"))?,
        hash_file: None,
        config: ConfigFile::Written(plan.text),
        loaded: Arc::new(plan.config),
        base: plan.base,
        prune_buckets: false,
        ready,
    })
}
