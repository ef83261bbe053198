//! Stages a restore: everything that can fail happens here, in files that nobody reads yet.

use crate::backup::blocking;
use crate::backup::handle::Tools;
use crate::db;
use crate::db::password::PasswordHash;
use crate::disk::{Disk, atomic};
use crate::domain::archive::plan::Plan;
use crate::domain::config::routing;
use crate::domain::state::State;
use crate::system::messages::NextSystem;
use crate::system::staging::Staging;
use crate::system::stores::Opener;
use crate::system::swap::{self, Journal, Move, SwapKind};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the replaced files are kept.
pub(super) fn undo_path(tools: &Tools, restore_id: &str) -> String {
    swap::undo_dir(&tools.host.state_dir, restore_id).display().to_string()
}

/// Refuses a plan whose result this host could not start on, or could not write.
pub(super) fn fits(tools: &Tools, plan: &Plan) -> Result<()> {
    let routes = routing::routes(&plan.next_config.config.storage, &plan.next.buckets);
    if let Some((one, other)) = routing::collisions(&routes).first() {
        let message = format!("buckets `{one}` and `{other}` would be the same place; nothing was changed");
        return Err(Error::new(ErrorKind::Invalid, "restore", message)
            .with_code("bucket_collision")
            .with_hint("give one of them another backend or alias with ?set=storage.buckets.<name>.alias=<name>"));
    }
    tools.host.check_roots(&plan.next_config)?;
    tools.host.can_restart_on(&plan.next_config, &plan.next)?;
    tools.host.config_writable(&plan.next_file)
}

/// Stages the files, proves that the next start will open them, and puts together what the swap publishes.
pub(super) async fn stage(
    tools: &Tools,
    restore_id: &str,
    plan: Plan,
    hash: PasswordHash,
    view: &SystemView,
    prune_buckets: bool,
) -> Result<NextSystem> {
    let (old_generation, locked) = (view.state.meta.generation, view.locked.is_some());
    let tools = tools.clone();
    let mut staging = Staging::begin(tools.disk.clone(), tools.host.state_dir.clone(), restore_id);
    blocking(move || {
        let (state, loaded) = (plan.next, plan.next_config);
        let journal = write_files(&tools, &mut staging, &state, &hash, &plan.next_file, old_generation, locked)?;
        fault::point("backup.written");
        prove(&tools, restore_dir(&tools, &staging), &state, &hash)?;
        let state = Arc::new(state);
        let config_key = tools.host.config_key(&loaded.config, &tools.host.restored_base(), &state)?;
        let loaded = Arc::new(loaded);
        let view = SystemView::compose(loaded.clone(), state, Some(hash.clone()), config_key);
        let opener = Opener {
            instance_id: tools.host.instance.instance_id.clone(),
            base: tools.host.restored_base(),
            disk: tools.disk.clone(),
            clock: tools.clock.clone(),
            guardian: tools.guardian.clone(),
            adopt_empty: view.state.meta.quarantined_from.is_some(),
        };
        swap::seal(tools.disk.as_ref(), &tools.host.state_dir, &journal)?;
        let (host, text) = (tools.host.clone(), plan.next_file);
        let settled = Box::new(move || host.note_config(&text));
        Ok(NextSystem { journal, view, config: loaded, hash, opener, staging, prune_buckets, settled })
    })
    .await
}

/// Writes the new files, keeps the old ones, and says what goes where.
fn write_files(
    tools: &Tools,
    staging: &mut Staging,
    state: &State,
    hash: &PasswordHash,
    config: &str,
    old_generation: u64,
    locked: bool,
) -> Result<Journal> {
    let (disk, dir, id) = (tools.disk.as_ref(), &tools.host.state_dir, staging.id.clone());
    let io = |error| Error::io("stage restore", error);
    let stage = swap::create_stage(disk, dir, &id)?;
    let undo = swap::create_undo(disk, dir, &id)?;
    let files = tools.host.files();

    let staged_db = stage.join(file_name(&files.config_db));
    let built = stage.join("building");
    db::state::create(&built, hash, state)?;
    atomic::copy_file(disk, &built, &staged_db, 0o600).map_err(io)?;
    // A scratch file of SQLite's: it was never synced, and the staging's sweep would take it as well.
    std::fs::remove_file(&built).map_err(io)?;
    let staged_hash = stage.join(file_name(&files.hash));
    atomic::write_file(disk, &staged_hash, format!("{}\n", hash.expose()).as_bytes(), 0o600).map_err(io)?;

    let config_target = tools.host.config_file.path.clone();
    let staged_config = if config_target.parent() == Some(dir.as_path()) {
        stage.join(file_name(&config_target))
    } else {
        let beside = swap::stage_beside(&config_target, &id);
        staging.beside = Some(beside.clone());
        beside
    };
    atomic::write_file(disk, &staged_config, config.as_bytes(), 0o600).map_err(io)?;

    keep_hand_written(disk, &config_target, state)?;
    let mut moves = Vec::new();
    for (from, to) in [(staged_db, files.config_db.clone()), (staged_hash, files.hash), (staged_config, config_target)]
    {
        swap::keep_old(disk, &to, &undo)?;
        moves.push(Move::of(dir, &from, &to)?);
    }
    if locked && files.config_db.exists() {
        // The file that nothing opens is set aside under a name of its own, beside the restored one.
        let mut name = files.config_db.clone().into_os_string();
        name.push(format!(".locked-{}", tools.clock.now().compact()));
        let aside = PathBuf::from(name);
        staging.set_aside = Some(aside.clone());
        atomic::link_or_copy(disk, &files.config_db, &aside).map_err(io)?;
    }
    let meta = &state.meta;
    Ok(Journal {
        version: swap::JOURNAL_VERSION,
        restore_id: id,
        kind: SwapKind::Restore,
        epoch: meta.epoch,
        old_generation,
        new_generation: meta.generation,
        moves,
    })
}

/// Keeps a config file that somebody wrote by hand as `<name>.orig`, once: its comments do not survive the rewrite.
fn keep_hand_written(disk: &dyn Disk, config: &Path, state: &State) -> Result<()> {
    let Ok(text) = std::fs::read_to_string(config) else { return Ok(()) };
    let mut name = config.as_os_str().to_owned();
    name.push(".orig");
    let original = PathBuf::from(name);
    if original.exists() || state.config_history.values().any(|revision| revision.yaml == text) {
        return Ok(());
    }
    atomic::link_or_copy(disk, config, &original).map_err(|error| Error::io("stage restore", error))
}

/// The staged database opens with the hash that the next start will read, is sound, and holds exactly the planned state.
pub(super) fn prove(tools: &Tools, stage: PathBuf, state: &State, hash: &PasswordHash) -> Result<()> {
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

pub(super) fn restore_dir(tools: &Tools, staging: &Staging) -> PathBuf {
    swap::stage_dir(&tools.host.state_dir, &staging.id)
}

pub(super) fn file_name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or_default()
}
