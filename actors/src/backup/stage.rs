//! Stages a restore: everything that can fail happens here, in files that nobody reads yet.

use crate::backup::handle::Tools;
use crate::backup::restore::blocking;
use crate::db;
use crate::db::password::PasswordHash;
use crate::disk::atomic;
use crate::domain::archive::plan::Plan;
use crate::domain::config::routing;
use crate::domain::state::State;
use crate::system::messages::NextSystem;
use crate::system::stores::Opener;
use crate::system::swap::{self, Journal, Move, SwapKind};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of a restore that has not been committed: dropped, they are removed.
pub(super) struct Staging {
    tools: Tools,
    id: String,
    locked: bool,
    beside: Option<PathBuf>,
    set_aside: Option<PathBuf>,
    committed: bool,
}

impl Staging {
    pub(super) fn begin(tools: Tools, id: &str, locked: bool) -> Self {
        Self { tools, id: id.to_owned(), locked, beside: None, set_aside: None, committed: false }
    }

    /// The swap has used the files up.
    pub(super) fn committed(mut self) {
        self.committed = true;
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // A journal means that the swap began: its files are the next start's.
        if self.committed || self.tools.host.state_dir.join(swap::JOURNAL).exists() {
            return;
        }
        let disk = self.tools.disk.as_ref();
        swap::discard_stage(disk, &self.tools.host.state_dir, &self.id);
        for left in [self.beside.take(), self.set_aside.take()].into_iter().flatten() {
            atomic::discard(disk, &left);
        }
        let undo = swap::undo_dir(&self.tools.host.state_dir, &self.id);
        if let Err(error) = swap::remove_tree(disk, &undo) {
            log::warn!("{} could not be removed: {error}", undo.display());
        }
    }
}

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
    tools.host.config_writable()
}

/// Stages the files, proves that the next start will open them, and puts together what the swap publishes.
pub(super) async fn stage(
    mut staging: Staging,
    plan: Plan,
    hash: PasswordHash,
    view: &SystemView,
) -> Result<(Staging, NextSystem)> {
    let (old_generation, notices) = (view.state.meta.generation, view.notices.clone());
    blocking(move || {
        let (state, loaded) = (plan.next, plan.next_config);
        let journal = write_files(&mut staging, &state, &hash, &plan.next_file, old_generation)?;
        fault::point("backup.written");
        prove(&staging, &state, &hash)?;
        let tools = &staging.tools;
        let state = Arc::new(state);
        let config_key = tools.host.config_key(&loaded.config, &tools.host.restored_base(), &state)?;
        let mut view = SystemView::compose(&loaded, state, Some(hash.clone()), config_key);
        view.notices = notices;
        let opener = Opener {
            instance_id: tools.host.instance.instance_id.clone(),
            base: tools.host.restored_base(),
            disk: tools.disk.clone(),
            clock: tools.clock.clone(),
            guardian: tools.guardian.clone(),
            adopt_empty: view.state.meta.quarantined_from.is_some(),
        };
        swap::seal(tools.disk.as_ref(), &tools.host.state_dir, &journal)?;
        Ok((staging, NextSystem { journal, view, config: Arc::new(loaded), hash, opener }))
    })
    .await
}

/// Writes the new files, keeps the old ones, and says what goes where.
fn write_files(
    staging: &mut Staging,
    state: &State,
    hash: &PasswordHash,
    config: &str,
    old_generation: u64,
) -> Result<Journal> {
    let tools = staging.tools.clone();
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

    let mut moves = Vec::new();
    for (from, to) in [(staged_db, files.config_db.clone()), (staged_hash, files.hash), (staged_config, config_target)]
    {
        swap::keep_old(disk, &to, &undo)?;
        moves.push(Move::of(dir, &from, &to)?);
    }
    if staging.locked && files.config_db.exists() {
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

/// The staged database opens with the hash that the next start will read, is sound, and holds exactly the planned state.
fn prove(staging: &Staging, state: &State, hash: &PasswordHash) -> Result<()> {
    let host = &staging.tools.host;
    let stage = swap::stage_dir(&host.state_dir, &staging.id);
    let files = host.files();
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

fn file_name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or_default()
}
