//! `backup …` without a server: the system is started on the state directory, without a port, and its owners get the same messages.
//!
//! On a directory that holds no state yet nothing is made but by the restore itself: until its swap there is none, after it there is all.

use super::input::{Opening, Progress, read, write};
use super::{Command, Restore, Which, failure, finish, show};
use crate::app::telemetry;
use crate::cli::remote::{Failure, Outcome};
use crate::cli::secret::secret;
use crate::cli::settings::ServeSettings;
use crate::exit::Exit;
use crate::http::admin::StoredBackup;
use crate::http::server::tls::Certificates;
use actors::audit::{Event, Outcome as Ended};
use actors::backup::{RestoreRequest, UndoRequest};
use actors::boot::{self, BootError, Booted, Prepared};
use actors::config::locate::locate;
use actors::domain::change::StateChange;
use actors::domain::clock::Clock;
use actors::domain::config::model::LogFormat;
use actors::kernel::guardian::{Alarm, Guardian};
use actors::zipper::Source;
use actors::zipper::envelope::Envelope;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Who works without a server, as the audit log names it.
const WHO: &str = "$offline";

/// How long the databases may take to close.
const CLOSE: Duration = Duration::from_secs(5);

/// What the state directory says.
pub(super) enum Place {
    /// Nobody serves it; now we hold it.
    Free(Box<Prepared>),
    /// A server holds it; it is said to be here.
    Served(String),
}

/// Takes the state directory, unless a server has it.
pub(super) fn prepare(settings: &ServeSettings) -> Result<Place, Failure> {
    telemetry::start("warn", LogFormat::Text);
    let input = boot::Input {
        config: settings.config.clone(),
        state_dir: settings.state_dir.clone(),
        environment: settings.environment.clone(),
        disk: Arc::new(actors::disk::real::RealDisk),
        clock: Clock::system(),
        server_version: env!("CARGO_PKG_VERSION"),
        check_pair: |pair, base| Certificates::load(pair, base).map(drop),
        initialise: false,
    };
    match boot::prepare(input) {
        Ok(prepared) => Ok(Place::Free(Box::new(prepared))),
        Err(BootError::Io(error)) if error.code() == Some("state_dir_locked") => Ok(Place::Served(address(settings))),
        Err(error) => Err(unbootable(&error)),
    }
}

/// Where the server that holds the directory listens, as far as its configuration tells.
fn address(settings: &ServeSettings) -> String {
    let config = locate(settings.named_config().as_deref(), &settings.state_dir())
        .ok()
        .and_then(|located| actors::config::file::ConfigFile::read(&located).ok())
        .and_then(|(_, text)| actors::domain::config::load(&text, &settings.environment).ok());
    match config {
        Some(loaded) => {
            let advanced = &loaded.config.advanced;
            let scheme = if advanced.tls.pair().is_some() { "https" } else { "http" };
            format!("{scheme}://{}", advanced.listen_addr)
        }
        None => "http://127.0.0.1:9000".to_owned(),
    }
}

/// Starts the owners, runs the command, lets everything come to rest, and ends the process: as the server does, so that no
/// database is torn down while a library cleans up at exit.
pub(super) fn run(command: &Command, prepared: Prepared, json: bool) -> Exit {
    actix_rt::System::new().block_on(async {
        let guardian = Guardian::new(Alarm::default());
        let outcome = match boot::start(prepared, &guardian).await {
            Ok(booted) => {
                let watch = actix_rt::spawn(guardian.run());
                let outcome = carry_out(command, &booted).await;
                rest(&booted).await;
                watch.abort();
                outcome
            }
            Err(error) => Err(unbootable(&error)),
        };
        std::process::exit(finish(outcome, json) as i32)
    })
}

async fn rest(booted: &Booted) {
    for store in booted.system.view().stores.values() {
        if let Err(error) = store.drain().await {
            log::warn!("backend {} did not drain: {error:?}", store.name());
        }
    }
    booted.audit.close().await;
    booted.databases.close(CLOSE).await;
}

async fn carry_out(command: &Command, booted: &Booted) -> Outcome {
    let now = Clock::system().now();
    let shape = |stored| to_json(&StoredBackup::new(stored, now));
    match command {
        Command::Create { stored: true, .. } => {
            let stored = booted.backup.store(WHO.to_owned()).await;
            let stored = recorded(booted, "backup.store", stored, |stored| stored.id.clone()).await?;
            Ok(show::stored(shape(stored)?))
        }
        Command::Create { output, recipient, passphrase_file, .. } => {
            let envelope = match (passphrase_file, recipient.as_slice()) {
                (Some(file), _) => Some(Envelope::with_passphrase(&secret(file)?)),
                (None, []) => None,
                (None, recipients) => Some(Envelope::for_recipients(recipients)),
            };
            create(booted, output.as_deref(), envelope.transpose().map_err(|error| failure(&error))?).await
        }
        Command::List => {
            let stored = booted.backup.stored().await.map_err(|error| failure(&error))?;
            let list: Result<Vec<Value>, Failure> = stored.into_iter().map(shape).collect();
            Ok(show::list(Value::Array(list?)))
        }
        Command::Verify(which) => {
            let id = which.stored.clone().unwrap_or_default();
            let stored = check(booted, &id, &which.key).await?;
            let stored = recorded(booted, "backup.verify", stored, |stored| stored.id.clone()).await?;
            Ok(show::stored(shape(stored)?))
        }
        Command::Plan(restore) => carry(booted, restore, true).await,
        Command::Restore(restore) => carry(booted, restore, false).await,
        Command::Restores => {
            let records = booted.backup.restores().await.map_err(|error| failure(&error))?;
            Ok(show::restores(Value::Array(records)))
        }
        Command::Undo { dry_run, discard_later_changes, revive, prune_buckets } => {
            let asked = UndoRequest {
                dry_run: *dry_run,
                discard_later_changes: *discard_later_changes,
                revive: revive.clone(),
                prune_buckets: *prune_buckets,
                who: WHO.to_owned(),
                ..UndoRequest::default()
            };
            let action = if *dry_run { "backup.undo.plan" } else { "backup.undo" };
            let undone = recorded(booted, action, booted.backup.undo(asked).await, restore_id).await?;
            Ok(show::restored(undone))
        }
        Command::GoLive { instance_id } => go_live(booted, instance_id).await,
        Command::Prune { dry_run } => prune(booted, *dry_run).await,
        Command::Inspect(_) => Err(Failure::new(Exit::Usage, "a file is looked at without the state")),
    }
}

async fn create(booted: &Booted, output: Option<&Path>, envelope: Option<Envelope>) -> Outcome {
    let archive = booted.backup.export(WHO.to_owned()).await;
    let archive = recorded(booted, "backup.export", archive, |archive| archive.filename().to_owned()).await?;
    let ending = if envelope.is_some() { ".age" } else { "" };
    let name = format!("{}{ending}", archive.filename());
    let mut bytes = Vec::new();
    archive.write(&mut bytes, envelope).map_err(|error| failure(&error))?;
    let file = output.map_or_else(|| PathBuf::from(name), Path::to_owned);
    write(&file, &bytes)?;
    Ok(show::written(&file.to_string_lossy(), bytes.len(), &hex::encode(Sha256::digest(&bytes))))
}

async fn carry(booted: &Booted, restore: &Restore, dry_run: bool) -> Outcome {
    let archive = archive(booted, &restore.which).await?;
    let mut sets = Vec::new();
    for set in &restore.set {
        let (path, value) = set
            .split_once('=')
            .ok_or_else(|| Failure::new(Exit::Usage, format!("`--set` is <path>=<value>, not `{set}`")))?;
        sets.push((path.to_owned(), value.to_owned()));
    }
    let request = RestoreRequest {
        archive,
        mode: restore.mode.clone(),
        strategy: restore.strategy.clone(),
        dry_run,
        revive: restore.revive.clone(),
        host_settings: restore.archive_host_settings.then(|| "archive".to_owned()),
        prune_buckets: restore.prune_buckets,
        allow_missing_keys: restore.allow_missing_keys,
        bootstrap_password: restore.bootstrap_password()?,
        sets,
        who: WHO.to_owned(),
        ..RestoreRequest::default()
    };
    let _waiting = Progress::new(if dry_run { "planning" } else { "restoring" }, None);
    let outcome = match &restore.which.stored {
        Some(id) => booted.backup.restore_stored(id, request).await,
        None => booted.backup.restore(request).await,
    };
    let action = if dry_run { "backup.plan" } else { "backup.restore" };
    Ok(show::restored(recorded(booted, action, outcome, restore_id).await?))
}

fn restore_id(answer: &Value) -> String {
    answer["restore_id"].as_str().unwrap_or_default().to_owned()
}

/// Ends the quarantine, where the instance that is named is this one or the one whose clone it is.
async fn go_live(booted: &Booted, named: &str) -> Outcome {
    let view = booted.system.view();
    let (own, was) = (view.state.meta.instance_id.clone(), view.state.meta.quarantined_from.clone());
    if named != own && Some(named) != was.as_deref() {
        let message = format!("this is the instance {own}, not {named}; nothing was changed (wrong_instance)");
        return Err(Failure::new(Exit::Rejected, message));
    }
    if was.is_some() {
        let live = booted.system.mutate(StateChange::GoLive).await;
        recorded(booted, "backup.go_live", live, |_| own.clone()).await?;
    }
    Ok(show::live(json!({"instance_id": own, "quarantined": false, "was_clone_of": was})))
}

/// Reads a stored backup back and checks it; what is encrypted is opened where a key is given, else only its sum is.
async fn check(
    booted: &Booted,
    id: &str,
    key: &Opening,
) -> Result<actors::Result<actors::backup::StoredBackup>, Failure> {
    if key.key()?.is_some() {
        let stored = booted.backup.fetch_stored(id).await.map_err(|error| failure(&error))?;
        let checked = booted.backup.verify(key.open(stored)?).await;
        if let Err(error) = checked {
            return Ok(Err(error));
        }
    }
    Ok(booted.backup.check_stored(id).await)
}

/// The archive that is meant, out of its envelope where a key is given.
async fn archive(booted: &Booted, which: &Which) -> Result<Source, Failure> {
    let archive = match (&which.stored, &which.file) {
        (Some(id), _) => booted.backup.fetch_stored(id).await.map_err(|error| failure(&error))?,
        (None, file) => read(file.as_deref().unwrap_or(Path::new("-")))?,
    };
    which.key.open(archive)
}

async fn prune(booted: &Booted, dry_run: bool) -> Outcome {
    let stored = booted.backup.stored().await.map_err(|error| failure(&error))?;
    let gone: Vec<String> = stored.into_iter().filter(|stored| stored.expires).map(|stored| stored.id).collect();
    for id in gone.iter().filter(|_| !dry_run) {
        let deleted = booted.backup.delete_stored(id, false).await;
        recorded(booted, "backup.delete", deleted, |()| id.clone()).await?;
    }
    Ok(show::pruned(gone.into_iter().map(Value::from).collect(), dry_run))
}

/// Notes in the audit log how something ended, as the admin API does.
async fn recorded<T>(
    booted: &Booted,
    action: &'static str,
    outcome: actors::Result<T>,
    target: impl FnOnce(&T) -> String,
) -> Result<T, Failure> {
    let (ended, target, detail) = match &outcome {
        Ok(value) => (Ended::Success, target(value), Value::Null),
        Err(error) => (Ended::Failed, String::new(), json!({"code": error.code()})),
    };
    let event = Event {
        actor: WHO.to_owned(),
        action,
        target,
        outcome: ended,
        ip: String::new(),
        request_id: String::new(),
        detail,
    };
    if let Err(error) = booted.audit.record(event).await {
        log::warn!("the audit log lacks {action}: {error:?}");
    }
    outcome.map_err(|error| failure(&error))
}

fn unbootable(error: &BootError) -> Failure {
    Failure::new(Exit::from(error), error.to_string())
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::new(Exit::Io, error.to_string()))
}
