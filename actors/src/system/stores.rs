//! The backends of a configuration, opened: those that are open already stay as they are.

use crate::Result;
use crate::disk::SharedDisk;
use crate::domain::atrest;
use crate::domain::clock::Clock;
use crate::domain::config::model::{Backend, BackendKind, Config};
use crate::domain::config::routing::routes;
use crate::domain::names::BackendName;
use crate::domain::state::State;
use crate::kernel::guardian::Guardian;
use crate::storage::fs::{FsOptions, FsStore};
use crate::storage::look::Look;
use crate::storage::mackeys::MacKeys;
use crate::store::StoreHandle;
use crate::system::view::SystemView;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What opening a backend needs besides its configuration.
#[derive(Clone, Debug)]
pub struct Opener {
    /// Who opens it.
    pub instance_id: String,
    /// Relative paths of the config count from here.
    pub base: PathBuf,
    /// Every durable file operation.
    pub disk: SharedDisk,
    /// What time it is.
    pub clock: Clock,
    /// Watches the owners.
    pub guardian: Guardian,
    /// A root that is missing or empty is given the id that the state knows: right after a restore onto another host, and never
    /// else, because an empty directory is also what an unmounted disk looks like.
    pub adopt_empty: bool,
    /// What was opened already, while the change that adds it was staged: taken instead of being opened again.
    pub ready: BTreeMap<BackendName, StoreHandle>,
}

/// The backends of a configuration.
#[derive(Debug, Default)]
pub struct OpenedStores {
    /// By name; one that cannot be opened is there and says why.
    pub stores: BTreeMap<BackendName, StoreHandle>,
    /// The ids of those that the state does not know yet.
    pub new_ids: BTreeMap<BackendName, String>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

impl Opener {
    /// Opens every backend. Of `before`, what is at the same place under the same id with the same keys stays as it is; two
    /// stores on one directory share its lock, so requests under way on the old one end undisturbed.
    pub async fn open_all(&self, config: &Config, state: &State, before: Option<&SystemView>) -> Result<OpenedStores> {
        let routes = routes(&config.storage, &state.buckets);
        let mut opened = OpenedStores::default();
        for (name, backend) in &config.storage.backends {
            let known = state.backends.get(name).cloned();
            let kept = before
                .filter(|view| view.state.keyring == state.keyring)
                .and_then(|view| view.stores.get(name))
                .filter(|store| self.is_at(store, &backend.kind) && known.is_some() && store.backend_id() == known);
            let handle = match self.ready.get(name).or(kept) {
                Some(handle) => handle.clone().sealed(None),
                None => match self.open(name, backend, state, config).await {
                    Ok(handle) => handle,
                    Err(error) => {
                        log::error!("backend {name} cannot be opened: {error:?}");
                        opened.warnings.push(format!("backend `{name}` is unavailable: {}", error.message()));
                        StoreHandle::down(name.clone(), error.message())
                    }
                },
            };
            let seal = atrest::seal(backend, &state.keyring);
            opened.warnings.extend(seal.as_ref().and_then(|seal| seal.notice(name)));
            // The registry is the truth: a bucket whose place is missing (a restored host without its data, a bucket that was
            // deleted after the capture) is empty, and takes writes.
            for route in routes.values().filter(|route| route.backend == *name && handle.down_reason().is_none()) {
                if let Err(error) = handle.create_bucket(&route.real_name).await {
                    opened.warnings.push(format!(
                        "bucket `{}` of backend `{name}`: {}",
                        route.real_name,
                        error.message()
                    ));
                }
            }
            if let (None, Some(id)) = (&known, handle.backend_id()) {
                opened.new_ids.insert(name.clone(), id);
            }
            opened.stores.insert(name.clone(), handle.sealed(seal));
        }
        Ok(opened)
    }

    /// Opens one backend under the id that the state knows; a place that is new is initialised. Whether it takes writes is for
    /// [`Opener::open_all`] to say.
    pub async fn open(
        &self,
        name: &BackendName,
        backend: &Backend,
        state: &State,
        config: &Config,
    ) -> Result<StoreHandle> {
        let mac = MacKeys::from_keyring(state.keyring.values().map(AsRef::as_ref))?;
        let known = state.backends.get(name).cloned();
        match &backend.kind {
            BackendKind::Filesystem { path } => {
                self.open_directory(name, &path.resolve(&self.base), known, mac, config).await
            }
        }
    }

    /// What is found at a backend's place, where `known` is the id that it should bear; nothing is changed there.
    pub async fn look(&self, kind: &BackendKind, known: Option<String>) -> Result<Look> {
        match kind {
            BackendKind::Filesystem { path } => {
                let root = path.resolve(&self.base);
                let look = tokio::task::spawn_blocking(move || FsStore::look(&root, known.as_deref())).await;
                look.map_err(|error| crate::Error::internal("look at backend", error))
            }
        }
    }

    /// Makes a place a backend of this id, whatever else lies there.
    pub async fn initialise(&self, kind: &BackendKind, id: String) -> Result<()> {
        match kind {
            BackendKind::Filesystem { path } => {
                let (root, instance, disk) = (path.resolve(&self.base), self.instance_id.clone(), self.disk.clone());
                let made =
                    tokio::task::spawn_blocking(move || FsStore::initialise(&root, &id, &instance, disk.as_ref()))
                        .await;
                made.map_err(|error| crate::Error::internal("initialise backend", error))?
            }
        }
    }

    /// Whether a store is at the place that the configuration names.
    fn is_at(&self, store: &StoreHandle, kind: &BackendKind) -> bool {
        match kind {
            BackendKind::Filesystem { path } => store.root() == Some(path.resolve(&self.base).as_path()),
        }
    }

    async fn open_directory(
        &self,
        name: &BackendName,
        root: &Path,
        known: Option<String>,
        mac: MacKeys,
        config: &Config,
    ) -> Result<StoreHandle> {
        let options = FsOptions {
            root: root.to_owned(),
            adopt_empty: self.adopt_empty,
            expected_id: known,
            new_id: uuid::Uuid::new_v4().to_string(),
            instance: self.instance_id.clone(),
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            mac,
        };
        let opened = tokio::task::spawn_blocking(move || FsStore::open(options)).await;
        let (store, found) = opened.map_err(|e| crate::Error::internal("open backend", e))??;
        if found.initialised {
            log::info!("backend {name} was initialised in {} as {}", root.display(), found.backend_id);
        }
        StoreHandle::start(
            name.clone(),
            store,
            root.to_owned(),
            config.advanced.max_requests,
            self.clock.clone(),
            &self.guardian,
        )
        .await
    }
}
