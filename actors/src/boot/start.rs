//! The state in force and the owners on top of it, from the lowest upward.

use crate::audit::{self, AuditHandle, AuditStore, Event, Outcome, Retention, Target};
use crate::backup::handle::Tools;
use crate::backup::{BackupHandle, last_restore, undo_kept};
use crate::boot::Host;
use crate::boot::database::Published;
use crate::boot::databases::Databases;
use crate::boot::declared::declared;
use crate::boot::error::BootError;
use crate::boot::first;
use crate::boot::force::{Evidence, Force, decide};
use crate::boot::migrate;
use crate::boot::prepare::Prepared;
use crate::config::ConfigHandle;
use crate::config::state_dir::AUDIT_CHECKPOINT;
use crate::db;
use crate::db::key::DbKey;
use crate::db::password::PasswordHash;
use crate::db::runtime::AuditKey;
use crate::disk::atomic;
use crate::domain::change::StateChange;
use crate::domain::clock::Timestamp;
use crate::domain::config;
use crate::domain::state::State;
use crate::iam::IamHandle;
use crate::iam_db::IamDbHandle;
use crate::kernel::guardian::Guardian;
use crate::session::SessionHandle;
use crate::state_db::StateDbHandle;
use crate::system::keeper;
use crate::system::stores::Opener;
use crate::system::swap::{self, SwapKind};
use crate::system::view::SystemView;
use crate::system::{Owners, SystemHandle};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The running owners.
#[derive(Debug)]
pub struct Booted {
    /// The view, and the one path of every mutation.
    pub system: SystemHandle,
    /// Admin sessions.
    pub session: SessionHandle,
    /// The audit log.
    pub audit: AuditHandle,
    /// Backup and restore.
    pub backup: BackupHandle,
    /// Both databases: to be closed at the end.
    pub databases: Databases,
    /// Keeps the state directory locked for as long as the process runs.
    pub lock: crate::config::state_dir::StateDir,
}

/// What is in force.
struct InForce {
    state: State,
    hash: Option<PasswordHash>,
    locked: Option<String>,
    notices: Vec<String>,
}

/// Starts everything but the port.
pub async fn start(prepared: Prepared, guardian: &Guardian) -> Result<Booted, BootError> {
    let Prepared { host, loaded, restored, file_hash, password, initialise, disk, clock, lock, .. } = prepared;
    let host = Arc::new(host);
    let evidence = Evidence { pinned: host.pinned.clone(), file: file_hash, password };
    let mut force = in_force(&host, evidence, initialise, disk.as_ref(), clock.now())?;

    let opener = Opener {
        host: host.clone(),
        base: host.config_base(),
        disk: disk.clone(),
        clock: clock.clone(),
        guardian: guardian.clone(),
        // The swap opens the backends before it removes its journal: a start that finished one may have to do so in its place.
        adopt_empty: restored && force.state.meta.quarantined_from.is_some(),
        ready: Default::default(),
    };
    let files = host.files();
    let iam_db = IamDbHandle::start(
        files.config_db,
        force.hash.clone().filter(|_| force.locked.is_none()),
        disk.clone(),
        guardian,
    )
    .await?;
    let iam = IamHandle::start(iam_db.clone(), force.locked.is_some(), clock.clone(), guardian).await?;
    for warning in &loaded.warnings {
        log::warn!("{warning}");
    }
    let config = ConfigHandle::start(loaded.clone(), guardian).await?;
    let (opened, keys) = match force.locked {
        Some(_) => Default::default(),
        None => {
            let keys = host.object_keys(&loaded.config, &host.config_base(), &force.state, clock.now())?;
            let mut with_keys = force.state.clone();
            with_keys.keyring.extend(keys.iter().map(|key| (key.id.clone(), Arc::new(key.clone()))));
            (opener.open_all(&loaded.config, &with_keys, None).await?, keys)
        }
    };
    force.notices.extend(opened.warnings);
    let declaration = match force.locked {
        None if loaded.config.is_declarative() => {
            declared(&host, &loaded, &force.state, &mut force.notices, clock.now())?
        }
        _ => None,
    };
    let mut changes: Vec<StateChange> = keys.into_iter().map(StateChange::AddKey).collect();
    changes.extend(opened.new_ids.into_iter().map(|(name, id)| StateChange::RegisterBackend { name, id }));
    if force.locked.is_none() && force.state.meta.instance_id != host.instance.instance_id {
        changes.push(StateChange::Adopt { instance_id: host.instance.instance_id.clone() });
    }
    let summary = declaration.map(|(summary, both)| {
        changes.extend(both);
        summary
    });
    // A locked system serves no S3, and what a reference needs may lie in the database that does not open.
    let config_key = match force.locked {
        Some(_) => None,
        None => host.config_key(&loaded.config, &host.config_base(), &force.state)?,
    };
    let mut view = SystemView::compose(loaded.clone(), Arc::new(force.state), force.hash, config_key);
    view.stores = Arc::new(opened.stores);
    view.locked = force.locked.map(Into::into);
    view.notices = Arc::new(force.notices);
    let owners = Owners { config: config.clone(), iam, iam_db: iam_db.clone() };
    let system =
        SystemHandle::start(view, owners, disk.clone(), host.state_dir.clone(), clock.clone(), guardian).await?;
    for change in changes {
        system.mutate(change).await?;
    }
    if system.view().locked.is_none() {
        let keep = undo_kept(&system.view().state, clock.now());
        if let Err(error) = swap::prune_undo(disk.as_ref(), &host.state_dir, &keep) {
            log::warn!("old undo copies stay: {error}");
        }
    }

    let (state_db_file, state_key) = (files.state_db, *host.instance.state_key());
    let read_file = state_db_file.clone();
    set_aside_if_foreign(&state_db_file, &state_key);
    let state_db =
        StateDbHandle::start(move || db::runtime::open(&state_db_file, &DbKey::of_state_db(&state_key)), guardian)
            .await?;
    system.load_usage(&state_db).await?;
    let session = SessionHandle::start(state_db.clone(), clock.clone(), guardian).await?;
    let store = AuditStore {
        db: state_db.clone(),
        reader: Arc::new(move || db::runtime::open_reader(&read_file, &DbKey::of_state_db(&state_key))),
        key: AuditKey::of_instance(&state_key),
        checkpoint: host.state_dir.join(AUDIT_CHECKPOINT),
        disk: disk.clone(),
        clock: clock.clone(),
    };
    let audit = AuditHandle::start(store, guardian).await?;
    let view = system.clone();
    actix_rt::spawn(audit::keep(audit.clone(), Arc::new(move || retention(&view.view().config.advanced.audit))));
    let (view, on) = (system.clone(), host.clone());
    let file: Target = Arc::new(move || Ok(on.audit_file(&view.view().config)));
    actix_rt::spawn(audit::follow(audit.clone(), "file", file));
    let (view, on) = (system.clone(), host.clone());
    let webhook: Target = Arc::new(move || {
        let view = view.view();
        // A clone sends nothing to what its original serves, until it goes live.
        if view.state.meta.quarantined_from.is_some() {
            return Ok(None);
        }
        on.audit_webhook(&view.config, &view.state)
    });
    actix_rt::spawn(audit::follow(audit.clone(), "webhook", webhook));
    let tools = Tools {
        system: system.clone(),
        audit: audit.clone(),
        config,
        state_db: state_db.clone(),
        host,
        disk,
        clock,
        guardian: guardian.clone(),
    };
    let (opener, on) = (opener, tools.host.clone());
    // What relative paths count from may change with the first config file that is written.
    let open = move || Opener { base: on.config_base(), adopt_empty: false, ..opener.clone() };
    actix_rt::spawn(keeper::keep(system.clone(), open));
    actix_rt::spawn(system.clone().keep_usage(state_db.clone()));
    actix_rt::spawn(system.clone().count_usage());
    let backup = BackupHandle::start(tools).await?;
    if restored {
        let view = system.view();
        let latest = last_restore(&view.state);
        let undone = latest.is_some_and(|record| record.outcome.get("mode").is_some_and(|mode| mode == "undo"));
        let event = Event {
            actor: latest.map(|record| record.actor.clone()).unwrap_or_default(),
            action: if undone { "backup.undo" } else { "backup.restore" },
            target: latest.map(|record| record.restore_id.clone()).unwrap_or_default(),
            outcome: Outcome::Success,
            ip: String::new(),
            request_id: String::new(),
            detail: serde_json::json!({"finished_by": "recovery at start"}),
        };
        audit.record(event).await?;
    }
    if let Some(summary) = summary {
        let event = Event {
            actor: "$start".to_owned(),
            action: "iam.declare",
            target: system.view().version(),
            outcome: Outcome::Success,
            ip: String::new(),
            request_id: String::new(),
            detail: serde_json::json!({"changes": summary}),
        };
        audit.record(event).await?;
    }
    let databases = Databases { state: state_db, config: iam_db };
    Ok(Booted { system, session, audit, backup, databases, lock })
}

/// How much of the audit log the config keeps.
fn retention(audit: &config::model::Audit) -> Retention {
    let day = |days| Duration::from_secs(days * 86_400);
    Retention { rows: Some(audit.keep_rows), age: audit.keep_days.map(day) }
}

/// A state DB that this instance's key does not open (its `.deltaglider_instance` was lost) is set aside: only sessions and history
/// are in it, and nothing of that may keep a host from starting.
fn set_aside_if_foreign(file: &Path, state_key: &[u8; 32]) {
    let Err(error) = db::runtime::open(file, &DbKey::of_state_db(state_key)) else { return };
    if error.code() != Some("state_db_key_mismatch") {
        return;
    }
    log::error!("{error:?}: it is set aside; sessions and history begin anew");
    let suffix = format!(".foreign-{}", uuid::Uuid::new_v4());
    let name = |file: &Path, end: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    for side in ["", "-wal", "-shm"] {
        let _ = std::fs::rename(name(file, side), name(file, &format!("{suffix}{side}")));
    }
    // It speaks of the log that was set aside.
    let checkpoint = file.with_file_name(AUDIT_CHECKPOINT);
    let _ = std::fs::rename(&checkpoint, name(&checkpoint, &suffix));
}

/// Decides on the hash and does what follows from it; files change only through the swap.
fn in_force(
    host: &Host,
    evidence: Evidence,
    initialise: bool,
    disk: &dyn crate::disk::Disk,
    now: Timestamp,
) -> Result<InForce> {
    let files = host.files();
    let plain = |state, hash| InForce { state, hash: Some(hash), locked: None, notices: Vec::new() };
    let published = Published(files.config_db.clone());
    Ok(match decide(evidence, &published)? {
        Force::Open { hash, state, write_file } => {
            if write_file {
                let line = format!("{}\n", hash.expose());
                atomic::replace_file(disk, &files.hash, line.as_bytes(), 0o600)
                    .map_err(|e| Error::io("hash file", e))?;
            }
            let mut in_force = plain(*state, hash.clone());
            if let Some(found) = published.older_schema(&hash)? {
                let kept = migrate::migrate(disk, &host.state_dir, found, &in_force.state, &hash, now)?;
                let kept = kept.display();
                in_force
                    .notices
                    .push(format!("the database had schema {found} and was migrated; the old file is {kept}"));
            }
            in_force
        }
        Force::Rekey { to, mut state } => {
            // Another hash is another password: older sessions end, and one that went through a log is out of use.
            StateChange::PasswordChanged { exception: None }.apply(&mut state, now)?;
            state.meta.generation += 1;
            first::install(disk, &host.state_dir, SwapKind::Rekey, &state, &to)?;
            let notice = "the pinned bootstrap hash changed: the database was re-keyed to it".to_owned();
            InForce { notices: vec![notice], ..plain(*state, to) }
        }
        // Who came to restore makes no state of another kind: until the restore there is none.
        Force::Fresh { .. } | Force::Generate if !initialise => {
            InForce { state: State::default(), hash: None, locked: Some(EMPTY.to_owned()), notices: Vec::new() }
        }
        Force::Fresh { hash } => {
            let state = first::state(&host.instance.instance_id, now, false)?;
            first::install(disk, &host.state_dir, SwapKind::Initialise, &state, &hash)?;
            plain(state, hash)
        }
        Force::Generate => {
            let password = first::generated_password()?;
            let hash = PasswordHash::make(password.expose())?;
            let state = first::state(&host.instance.instance_id, now, true)?;
            first::install(disk, &host.state_dir, SwapKind::Initialise, &state, &hash)?;
            // Now and not later: a start that fails from here on must not have made a password that nobody ever saw.
            log::warn!("bootstrap password: {}", password.expose());
            log::warn!(
                "this password went through a log: make a hash of your own with `deltaglider_proxy hash-password`, set \
                 DGP_BOOTSTRAP_PASSWORD_HASH to it and restart"
            );
            plain(state, hash)
        }
        Force::Locked { hash } => {
            InForce { state: State::default(), hash, locked: Some(LOCKED.to_owned()), notices: vec![LOCKED.to_owned()] }
        }
    })
}

/// What a directory without a state answers to all but a restore.
const EMPTY: &str = "there is no state in this directory yet: start the server, or restore a Full Backup";

/// What a locked system answers.
const LOCKED: &str = "SQLCipher: file is not a database: no bootstrap hash of this host opens deltaglider_config.db. Set \
    DGP_BOOTSTRAP_PASSWORD_HASH to the hash it was made under (or, without a hash file, DGP_BOOTSTRAP_PASSWORD to its password) and \
    restart, or log in and restore a Full Backup; nothing was touched";
