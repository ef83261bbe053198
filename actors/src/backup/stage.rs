//! Stages a swap: everything that can fail happens here, in files that nobody reads yet.

use crate::backup::blocking;
use crate::backup::files::{ConfigFile, write_files};
use crate::backup::handle::Tools;
use crate::db;
use crate::db::password::PasswordHash;
use crate::domain::archive::plan::Plan;
use crate::domain::config::Loaded;
use crate::domain::config::routing;
use crate::domain::names::BackendName;
use crate::domain::state::State;
use crate::store::StoreHandle;
use crate::system::messages::NextSystem;
use crate::system::staging::Staging;
use crate::system::stores::Opener;
use crate::system::swap::{self, SwapKind};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be in force.
pub(super) struct Next {
    /// What the swap is for.
    pub(super) kind: SwapKind,
    /// The whole state.
    pub(super) state: State,
    /// What opens its database.
    pub(super) hash: PasswordHash,
    /// The hash file, where it is to be more than the hash and a line end.
    pub(super) hash_file: Option<Vec<u8>>,
    /// What becomes of the config file.
    pub(super) config: ConfigFile,
    /// The config that a start of this host reads then.
    pub(super) loaded: Arc<Loaded>,
    /// What its relative paths count from then.
    pub(super) base: PathBuf,
    /// Registry entries go although their backend holds objects.
    pub(super) prune_buckets: bool,
    /// Backends that were opened already.
    pub(super) ready: BTreeMap<BackendName, StoreHandle>,
}

/// Where the replaced files are kept.
pub(super) fn undo_path(tools: &Tools, restore_id: &str) -> String {
    swap::undo_dir(&tools.host.state_dir, restore_id).display().to_string()
}

/// Refuses a plan whose result this host could not start on, or could not write.
pub(super) fn fits(tools: &Tools, plan: &Plan, base: &Path) -> Result<()> {
    let routes = routing::routes(&plan.next_config.config.storage, &plan.next.buckets);
    if let Some((one, other)) = routing::collisions(&routes).first() {
        let message = format!("buckets `{one}` and `{other}` would be the same place; nothing was changed");
        return Err(Error::new(ErrorKind::Invalid, "restore", message)
            .with_code("bucket_collision")
            .with_hint("give one of them another backend or alias with ?set=storage.buckets.<name>.alias=<name>"));
    }
    let Some(file) = &plan.next_file else { return Ok(()) };
    tools.host.check_roots(&plan.next_config, base)?;
    tools.host.can_restart_on(&plan.next_config, &plan.next, base)?;
    tools.host.config_writable(Some(file))
}

/// Stages the files, proves that the next start will open them, and puts together what the swap publishes.
pub(super) async fn stage(tools: &Tools, id: &str, next: Next, view: &SystemView) -> Result<NextSystem> {
    let (old_generation, locked) = (view.state.meta.generation, view.locked.is_some());
    let tools = tools.clone();
    let mut staging = Staging::begin(tools.disk.clone(), tools.host.state_dir.clone(), id);
    blocking(move || {
        let journal = write_files(&tools, &mut staging, &next, old_generation, locked)?;
        fault::fallible("backup.written").map_err(|error| Error::io("stage restore", error))?;
        prove(&tools, &staging, &next.state, &next.hash)?;
        let Next { kind, state, hash, config, loaded, base, prune_buckets, ready, .. } = next;
        let state = Arc::new(state);
        let config_key = tools.host.config_key(&loaded.config, &base, &state)?;
        let view = SystemView::compose(loaded.clone(), state, Some(hash.clone()), config_key);
        let opener = Opener {
            host: tools.host.clone(),
            base,
            disk: tools.disk.clone(),
            clock: tools.clock.clone(),
            guardian: tools.guardian.clone(),
            adopt_empty: !matches!(kind, SwapKind::PasswordChange | SwapKind::ConfigChange)
                && view.state.meta.quarantined_from.is_some(),
            ready,
        };
        swap::seal(tools.disk.as_ref(), &tools.host.state_dir, &journal)?;
        let host = tools.host.clone();
        let settled = Box::new(move || match config {
            ConfigFile::Kept => {}
            ConfigFile::Written(text) => host.note_config(Some(&text)),
            ConfigFile::Removed => host.note_config(None),
        });
        Ok(NextSystem { journal, view, config: loaded, hash, opener, staging, prune_buckets, settled })
    })
    .await
}

/// The staged database opens with the hash that the next start will read, is sound, and holds exactly the planned state.
fn prove(tools: &Tools, staging: &Staging, state: &State, hash: &PasswordHash) -> Result<()> {
    let stage = swap::stage_dir(&tools.host.state_dir, &staging.id);
    let files = tools.host.files();
    let failed = |what: &str| {
        Error::new(
            ErrorKind::Internal,
            "stage restore",
            format!("the staged {what} does not read back; nothing was changed"),
        )
    };
    let text =
        std::fs::read_to_string(stage.join(file_name(&files.hash))).map_err(|e| Error::io("stage restore", e))?;
    if PasswordHash::parse(text.trim())? != *hash {
        return Err(failed("hash file"));
    }
    // Through a private copy: opening a file may write to it, and the staged bytes are already sealed by their hash.
    let copy = stage.join("proof");
    std::fs::copy(stage.join(file_name(&files.config_db)), &copy).map_err(|e| Error::io("stage restore", e))?;
    let connection = db::open::try_open(&copy, hash)?.into_result()?;
    db::open::check_integrity(&connection)?;
    let read = db::state::load(&connection)?;
    drop(connection);
    std::fs::remove_file(&copy).map_err(|e| Error::io("stage restore", e))?;
    if read != *state {
        return Err(failed("database"));
    }
    Ok(())
}

pub(super) fn file_name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or_default()
}
