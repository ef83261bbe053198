//! This host, as it stays through every restore: where its files are, which keys are its own, what its environment says.

use crate::audit::Sink;
use crate::config::file::ConfigFile;
use crate::config::instance::Instance;
use crate::config::locate::replaceable;
use crate::config::resolve::Resolver;
use crate::config::roots;
use crate::config::state_dir::{BOOTSTRAP_HASH, CONFIG_DB, STATE_DB};
use crate::db::password::PasswordHash;
use crate::domain::archive::parts::SecretsPart;
use crate::domain::atrest;
use crate::domain::clock::Timestamp;
use crate::domain::config::Loaded;
use crate::domain::config::model::{BackendKind, Config, S3Account, SecretRef, TlsPair, WrittenPath};
use crate::domain::config::problem::Problems;
use crate::domain::config::scalar::Environment;
use crate::domain::secret::Secret;
use crate::domain::state::{State, StoredKey};
use crate::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What belongs to this host and to no archive.
pub struct Host {
    /// Where the state files are.
    pub state_dir: PathBuf,
    /// Who this instance is, with its keys.
    pub instance: Instance,
    /// The environment of the process.
    pub environment: Environment,
    /// The config file as start found it.
    pub config_file: ConfigFile,
    /// SHA-256 of the config file that is in force, where there is one.
    pub(super) config_sha256: Mutex<Option<String>>,
    /// Where this process listens: what it holds itself it could bind again.
    pub listens_on: SocketAddr,
    /// The bootstrap hash that environment or config pins.
    pub pinned: Option<PasswordHash>,
    /// This program's version.
    pub server_version: &'static str,
    /// Whether https can be served with a pair.
    pub(super) check_pair: CheckPair,
}

/// Reads a certificate and its key as the listener does, relative paths counting from a directory. Only the edge knows TLS.
pub type CheckPair = fn(TlsPair<'_>, &Path) -> Result<()>;

/// The state files by name.
#[derive(Clone, Debug)]
pub struct Files {
    /// `deltaglider_config.db`.
    pub config_db: PathBuf,
    /// `deltaglider_state.db`.
    pub state_db: PathBuf,
    /// `.deltaglider_bootstrap_hash`.
    pub hash: PathBuf,
}

impl Files {
    /// Those of a state directory.
    pub fn of(state_dir: &Path) -> Self {
        let file = |name: &str| state_dir.join(name);
        Self { config_db: file(CONFIG_DB), state_db: file(STATE_DB), hash: file(BOOTSTRAP_HASH) }
    }
}

impl Host {
    /// The state files by name.
    pub fn files(&self) -> Files {
        Files::of(&self.state_dir)
    }

    /// What relative paths count from, now: a restore may have written the first config file.
    pub fn config_base(&self) -> PathBuf {
        match self.config_file.path.exists() {
            true => self.restored_base(),
            false => self.base_without_file(),
        }
    }

    /// Where relative paths count from, if that is not the directory of the config file that a restore would write.
    pub fn paths_from(&self) -> Option<PathBuf> {
        let base = self.config_base();
        (base != self.restored_base()).then_some(base)
    }

    /// What relative paths count from once a restore has written the config file.
    pub fn restored_base(&self) -> PathBuf {
        match (&self.config_file.sha256, self.config_file.path.parent()) {
            (None, Some(parent)) => parent.to_owned(),
            _ => self.config_file.base.clone(),
        }
    }

    /// The config key pair, resolved.
    pub fn config_key(&self, config: &Config, base: &Path, state: &State) -> Result<Option<(String, Secret)>> {
        match (&config.access.access_key_id, &config.access.secret_access_key) {
            (Some(id), Some(secret)) => Ok(Some((id.clone(), self.resolve(secret, config, base, state)?))),
            _ => Ok(None),
        }
    }

    /// The secret half of an account's key pair.
    pub fn account(&self, account: &S3Account, config: &Config, base: &Path, state: &State) -> Result<Secret> {
        let reference = account.secret_access_key.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "backend", "the S3 account has no secret_access_key")
                .with_code("secret_missing")
                .with_hint("set secret_access_key of the backend")
        })?;
        self.resolve(reference, config, base, state)
    }

    /// A reference's value: from this host where it gives one, else what a restore brought along.
    pub fn resolve(&self, reference: &SecretRef, config: &Config, base: &Path, state: &State) -> Result<Secret> {
        let resolver = Resolver {
            environment: &self.environment,
            secret_roots: &config.advanced.secret_roots,
            base,
            state_dir: &self.state_dir,
        };
        resolver.resolve(reference, state)
    }

    /// The values of every reference that the config uses, by `env:NAME`, `file:PATH`, `stored:NAME`: what an archive carries.
    pub fn resolve_references(&self, loaded: &Loaded, state: &State) -> BTreeMap<String, Secret> {
        let config = &loaded.config;
        let mut resolved = BTreeMap::new();
        for (name, value) in &state.secrets {
            // What a restore brought for `env:` and `file:` references is stored under that very name.
            let brought = name.starts_with("env:") || name.starts_with("file:");
            resolved.insert(if brought { name.clone() } else { format!("stored:{name}") }, value.clone());
        }
        let scalars =
            loaded.written.values().flat_map(|text| env_names(text)).map(|name| SecretRef::Env(name.to_owned()));
        for reference in config.all_secrets().cloned().chain(scalars) {
            let Some(name) = reference.name() else { continue };
            match self.resolve(&reference, config, &self.config_base(), state) {
                Ok(value) => {
                    resolved.insert(name, value);
                }
                Err(error) => log::warn!("the reference {name} does not resolve and is not in the archive: {error}"),
            }
        }
        resolved
    }

    /// The references of the config that this host gives no value for: those of a restored backup stand in for them.
    pub fn from_backup(&self, loaded: &Loaded, state: &State) -> Vec<String> {
        let (base, nothing) = (self.config_base(), State::default());
        let brought = |name: &String| {
            let reference = match name.split_once(':')? {
                ("env", variable) => SecretRef::Env(variable.to_owned()),
                ("file", path) => SecretRef::File(WrittenPath::new(path)),
                _ => return None,
            };
            let own = self.resolve(&reference, &loaded.config, &base, &nothing);
            (state.secrets.contains_key(name) && own.is_err()).then(|| name.clone())
        };
        loaded.references().iter().filter_map(brought).collect()
    }

    /// The keys of encryption at rest that the config names and the keyring lacks, as far as this host gives them: once in the
    /// keyring they are in every backup, and no config takes them out again. A key that it gives otherwise is an error.
    pub fn object_keys(&self, config: &Config, base: &Path, state: &State, now: Timestamp) -> Result<Vec<StoredKey>> {
        atrest::new_keys(config, state, now, &|reference| match self.resolve(reference, config, base, state) {
            Ok(value) => Some(value),
            Err(error) => {
                log::debug!("an encryption key is not given by its reference: {error}");
                None
            }
        })
    }

    /// The file that audit rows are appended to.
    pub fn audit_file(&self, config: &Config) -> Option<Sink> {
        let path = config.advanced.audit.file.as_ref()?;
        Some(Sink::File(path.resolve(&self.config_base())))
    }

    /// The address that audit rows are sent to.
    pub fn audit_webhook(&self, config: &Config, state: &State) -> Result<Option<Sink>> {
        let Some(webhook) = &config.advanced.audit.webhook else { return Ok(None) };
        let headers = self.webhook_headers(config, &self.config_base(), state)?;
        Ok(Some(Sink::Webhook { url: webhook.url.clone(), headers, instance_id: self.instance.instance_id.clone() }))
    }

    /// What is sent along to the webhook, resolved.
    fn webhook_headers(&self, config: &Config, base: &Path, state: &State) -> Result<Vec<(String, Secret)>> {
        let headers = config.advanced.audit.webhook.iter().flat_map(|webhook| &webhook.headers);
        let headers = headers.filter_map(|(name, value)| Some((name, value.as_ref()?)));
        headers.map(|(name, value)| Ok((name.clone(), self.resolve(value, config, base, state)?))).collect()
    }

    /// What this host has itself of the `file:` references of an archive; its variables speak for themselves.
    pub fn files_of(&self, secrets: &SecretsPart, config: &Config) -> BTreeMap<String, Secret> {
        let (base, nothing) = (self.restored_base(), State::default());
        let own = secrets.resolved.keys().filter_map(|name| {
            let reference = SecretRef::File(WrittenPath::new(name.strip_prefix("file:")?));
            Some((name.clone(), self.resolve(&reference, config, &base, &nothing).ok()?))
        });
        own.collect()
    }

    /// Refuses a restored config whose storage roots would hold or hide the state files.
    pub fn check_roots(&self, loaded: &Loaded, base: &Path) -> Result<()> {
        let problems = roots::check(loaded, base, self.config_file.path.parent(), &self.state_dir);
        if problems.is_empty() {
            return Ok(());
        }
        let message = format!("the restored config does not fit this host: {}", Problems(problems));
        Err(Error::new(ErrorKind::Conflict, "restore", message)
            .with_code("config_invalid")
            .with_hint("override the path with ?set=<path>=<value>"))
    }

    /// Refuses what the next start could not start on: an address that cannot be bound, a certificate that is none, a root that is no
    /// directory, a secret that nothing gives.
    pub fn can_restart_on(&self, loaded: &Loaded, state: &State, base: &Path) -> Result<()> {
        let refuse = |message: String| {
            Err(Error::new(ErrorKind::Conflict, "restore", format!("{message}; nothing was changed"))
                .with_code("config_unfit")
                .with_hint("override the value with ?set=<path>=<value>"))
        };
        let address = loaded.config.advanced.listen_addr;
        let ours = address.port() == 0 || address == self.listens_on;
        let bound = if ours { Ok(()) } else { std::net::TcpListener::bind(address).map(drop) };
        if let Err(error) = bound {
            return refuse(format!("this host could not listen on {address}: {error}"));
        }
        if let Some(pair @ TlsPair::Files(..)) = loaded.config.advanced.tls.pair()
            && let Err(error) = (self.check_pair)(pair, base)
        {
            return refuse(format!("https cannot be served with what advanced.tls names: {}", error.message()));
        }
        for (name, backend) in &loaded.config.storage.backends {
            let root = match &backend.kind {
                BackendKind::Filesystem { path } => path.resolve(base),
                BackendKind::S3(account) => {
                    self.account(account, &loaded.config, base, state)?;
                    continue;
                }
            };
            let existing = root.ancestors().find(|ancestor| ancestor.exists());
            if !existing.is_some_and(Path::is_dir) {
                return refuse(format!("{} of backend `{name}` cannot be a directory", root.display()));
            }
        }
        self.config_key(&loaded.config, base, state)?;
        self.object_keys(&loaded.config, base, state, Timestamp::default())?;
        self.webhook_headers(&loaded.config, base, state).map(drop)
    }

    /// What relative paths count from when an undo has taken the config file away: what they count from at the next start.
    pub fn base_without_file(&self) -> PathBuf {
        match (&self.config_file.sha256, std::env::current_dir()) {
            (Some(_), Ok(directory)) => directory,
            _ => self.config_file.base.clone(),
        }
    }

    /// Refuses where the config file has to be replaced or removed and cannot be, or was changed behind our back.
    pub fn config_writable(&self, next: Option<&str>) -> Result<()> {
        let conflict = |message: String| Error::new(ErrorKind::Conflict, "config", message);
        let path = self.config_file.path.display();
        let present = std::fs::read(&self.config_file.path).ok();
        if present.as_deref() == next.map(str::as_bytes) {
            return Ok(());
        }
        if let Err(reason) = &replaceable(&self.config_file.path) {
            return Err(conflict(format!("the config file {path} cannot be replaced: {reason}; nothing was changed"))
                .with_code("config_read_only")
                .with_hint("make the file and its directory writable, or restore onto a host whose config is"));
        }
        let known = self.config_sha256.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let found = present.map(|bytes| hex::encode(Sha256::digest(bytes)));
        if known != found {
            return Err(conflict(format!("{path} was changed on disk since it was loaded; nothing was changed"))
                .with_code("config_changed_on_disk")
                .with_hint("restart with the changed file, or put the old one back, and try again"));
        }
        Ok(())
    }

    /// A swap has put this config file in place, or taken it away.
    pub fn note_config(&self, text: Option<&str>) {
        let sha256 = text.map(|text| hex::encode(Sha256::digest(text.as_bytes())));
        *self.config_sha256.lock().unwrap_or_else(PoisonError::into_inner) = sha256;
    }
}

/// The environment may hold secrets, so it is not shown.
impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("state_dir", &self.state_dir)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// The names in `${env:NAME}` and `${env:NAME:-default}`.
fn env_names(text: &str) -> impl Iterator<Item = &str> {
    text.split("${env:").skip(1).filter_map(|rest| rest.split('}').next()).filter_map(|body| body.split(":-").next())
}

#[cfg(test)]
mod tests {
    use super::env_names;

    #[test]
    fn the_variables_of_a_scalar_are_found() {
        let names: Vec<_> = env_names("http://${env:HOST}:${env:PORT:-80}/$${x}").collect();
        assert_eq!(names, ["HOST", "PORT"]);
    }
}
