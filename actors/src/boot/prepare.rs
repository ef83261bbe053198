//! The part of a start that needs no actor: recovery before anything else, then the config, then what this host knows of itself.

use crate::boot::error::BootError;
use crate::boot::host::{CheckPair, Host};
use crate::config::file::ConfigFile;
use crate::config::instance::Instance;
use crate::config::state_dir::StateDir;
use crate::config::{locate, state_dir};
use crate::db::password::PasswordHash;
use crate::disk::SharedDisk;
use crate::domain::clock::Clock;
use crate::domain::config::Loaded;
use crate::domain::config::model::SecretRef;
use crate::domain::config::scalar::Environment;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::system::swap::{self, Recovery, SwapKind};
use crate::zipper::source;
use crate::{Error, ErrorKind, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What was typed and what the process was given.
pub struct Input {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// Every durable file operation.
    pub disk: SharedDisk,
    /// What time it is.
    pub clock: Clock,
    /// Whether a directory without a state gets a first one. Without it the system starts locked, and only a restore makes a state.
    pub initialise: bool,
    /// This program's version.
    pub server_version: &'static str,
    /// What https could not be served with, in words.
    pub check_pair: CheckPair,
}

/// The environment may hold secrets, so it is not shown.
impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("config", &self.config)
            .field("state_dir", &self.state_dir)
            .finish_non_exhaustive()
    }
}

/// What the rest of a start builds on.
#[derive(Debug)]
pub struct Prepared {
    /// This host.
    pub host: Host,
    /// The config in force.
    pub loaded: Arc<Loaded>,
    /// What recovery found and did, in words.
    pub recovery: String,
    /// Recovery finished a restore or undo that had been broken off.
    pub(super) restored: bool,
    pub(super) file_hash: Option<PasswordHash>,
    pub(super) password: Option<Secret>,
    pub(super) initialise: bool,
    pub(super) disk: SharedDisk,
    pub(super) clock: Clock,
    pub(super) lock: StateDir,
}

/// Recovers, locks, loads. Nothing was written yet but what recovery finished and the instance file.
pub fn prepare(input: Input) -> Result<Prepared, BootError> {
    let environment = input.environment;
    let named = locate::named(input.config.as_deref(), &environment);
    let found = state_dir::find(input.state_dir.as_deref(), &environment, named.as_deref());
    let lock = StateDir::open(&found).map_err(BootError::Io)?;
    let state_dir = lock.path().to_owned();
    let recovered =
        swap::recover(input.disk.as_ref(), &state_dir).map_err(|error| BootError::Journal(error.to_string()))?;
    source::sweep(&state_dir);
    let located = locate::locate(named.as_deref(), &state_dir).map_err(BootError::Io)?;
    let (config_file, loaded) = ConfigFile::load(&located, &environment, &state_dir).map_err(BootError::Config)?;
    // What a broken-off restore staged beside the config file is swept only now: recovery knows the state directory alone.
    if let Some(directory) = config_file.path.parent().filter(|directory| directory.is_dir()) {
        let swept =
            swap::sweep_beside(input.disk.as_ref(), &config_file.path).and_then(|()| input.disk.sync_dir(directory));
        if let Err(error) = swept {
            log::warn!("{} could not be swept: {error}", directory.display());
        }
    }
    let instance = Instance::load_or_create(&state_dir, input.disk.as_ref()).map_err(BootError::Io)?;
    let mut host = Host {
        config_sha256: Mutex::new(config_file.sha256.clone()),
        config_file,
        instance,
        environment,
        listens_on: loaded.config.advanced.listen_addr,
        pinned: None,
        state_dir,
        server_version: input.server_version,
        check_pair: input.check_pair,
    };
    host.pinned = pinned(&host, &loaded)?;
    Ok(Prepared {
        file_hash: hash_file(&host)?,
        password: password(&host)?,
        loaded: Arc::new(loaded),
        recovery: describe(&recovered),
        restored: matches!(recovered, Recovery::RolledForward { kind: SwapKind::Restore | SwapKind::Undo, .. }),
        host,
        initialise: input.initialise,
        disk: input.disk,
        clock: input.clock,
        lock,
    })
}

fn pinned(host: &Host, loaded: &Loaded) -> Result<Option<PasswordHash>, BootError> {
    let Some(reference) = &loaded.config.advanced.bootstrap_password_hash else { return Ok(None) };
    if let SecretRef::Stored(name) = reference {
        let message = format!("`{{stored: {name}}}` lies in the database that this hash opens");
        return Err(BootError::Config(
            Error::new(ErrorKind::Invalid, "advanced.bootstrap_password_hash", message)
                .with_hint("use env, file or a hash"),
        ));
    }
    let text =
        host.resolve(reference, &loaded.config, &host.config_base(), &State::default()).map_err(BootError::Config)?;
    PasswordHash::parse(text.expose()).map(Some).map_err(BootError::Config)
}

fn hash_file(host: &Host) -> Result<Option<PasswordHash>, BootError> {
    match std::fs::read_to_string(host.files().hash) {
        Ok(text) => Ok(Some(PasswordHash::parse(text.trim())?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BootError::Io(Error::io("hash file", error))),
    }
}

/// `DGP_BOOTSTRAP_PASSWORD`, or what the file that `DGP_BOOTSTRAP_PASSWORD_FILE` names holds, without its line end.
fn password(host: &Host) -> Result<Option<Secret>, BootError> {
    if let Some(password) = host.environment.get("DGP_BOOTSTRAP_PASSWORD").filter(|p| !p.is_empty()) {
        return Ok(Some(Secret::new(password)));
    }
    let Some(path) = host.environment.get("DGP_BOOTSTRAP_PASSWORD_FILE").filter(|p| !p.is_empty()) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| BootError::Io(Error::io("DGP_BOOTSTRAP_PASSWORD_FILE", error)))?;
    Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))))
}

fn describe(recovery: &Recovery) -> String {
    match recovery {
        Recovery::Clean => "nothing to do".to_owned(),
        Recovery::Swept => "removed what an unfinished swap had staged; the state is the old one".to_owned(),
        Recovery::Tidied => "removed what an unfinished write had left".to_owned(),
        Recovery::SweptFinished => "removed what a finished swap had left; the state is the new one".to_owned(),
        Recovery::RolledForward { restore_id, kind } => {
            format!(
                "finished the {kind} {restore_id} that was broken off after its commit point; the state is the new one"
            )
        }
    }
}
