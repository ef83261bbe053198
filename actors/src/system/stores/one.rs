//! One backend: opened, looked at, and made where nothing is yet.

use super::Opener;
use crate::domain::atrest::Seal;
use crate::domain::config::model::{Backend, BackendKind, Config, S3Account};
use crate::domain::config::routing::routes;
use crate::domain::names::BackendName;
use crate::domain::state::State;
use crate::storage::ObjectStore;
use crate::storage::fs::{FsOptions, FsStore};
use crate::storage::look::{Look, LookState};
use crate::storage::mackeys::MacKeys;
use crate::storage::s3::{Limits, S3Options, S3Store};
use crate::store::StoreHandle;
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// A backend and the configuration and state that it is read in.
#[derive(Clone, Copy, Debug)]
pub struct Configured<'a> {
    /// The operator's name of it.
    pub name: &'a BackendName,
    /// What the configuration says of it.
    pub backend: &'a Backend,
    /// Gives what its references name, and which buckets are routed to it.
    pub config: &'a Config,
    /// Gives its id and its stored secrets.
    pub state: &'a State,
}

impl Configured<'_> {
    fn known(&self) -> Option<String> {
        self.state.backends.get(self.name).cloned()
    }
}

impl Opener {
    /// Opens a backend under the id that the state knows; a place that is new is initialised. Whether it takes writes is for
    /// [`Opener::open_all`] to say, but for an account, which is asked for nothing yet and takes none before where it is sealed.
    pub async fn open(&self, of: Configured<'_>) -> Result<StoreHandle> {
        let root = of.backend.kind.place(&self.base);
        let store: Arc<dyn ObjectStore> = match &of.backend.kind {
            BackendKind::Filesystem { .. } => self.open_directory(of, &root).await?,
            BackendKind::S3(account) => Arc::new(S3Store::open(self.account(of, account)?)?),
        };
        StoreHandle::start(
            of.name.clone(),
            store,
            root,
            of.config.advanced.max_requests,
            self.clock.clone(),
            &self.guardian,
        )
        .await
    }

    /// What is found at a backend's place; nothing is changed there.
    pub async fn look(&self, of: Configured<'_>) -> Result<Look> {
        match &of.backend.kind {
            BackendKind::Filesystem { path } => {
                let (root, known) = (path.resolve(&self.base), of.known());
                let look = tokio::task::spawn_blocking(move || FsStore::look(&root, known.as_deref())).await;
                look.map_err(|error| Error::internal("look at backend", error))
            }
            BackendKind::S3(account) => Ok(match self.account(of, account) {
                Ok(options) => S3Store::look(S3Options { limits: Limits::hasty(), ..options }).await,
                Err(error) => Look {
                    state: LookState::Unusable,
                    backend_id: None,
                    buckets: None,
                    message: error.message().to_owned(),
                },
            }),
        }
    }

    /// Makes a place a backend of this id, whatever else lies there.
    pub async fn initialise(&self, of: Configured<'_>, id: String) -> Result<()> {
        if let Some(seal @ Seal::Quarantined(_)) = self.seal(of) {
            return Err(seal.error(of.name));
        }
        match &of.backend.kind {
            BackendKind::Filesystem { path } => {
                let root = path.resolve(&self.base);
                let (instance, disk) = (self.host.instance.instance_id.clone(), self.disk.clone());
                let made =
                    tokio::task::spawn_blocking(move || FsStore::initialise(&root, &id, &instance, disk.as_ref()))
                        .await;
                made.map_err(|error| Error::internal("initialise backend", error))?
            }
            BackendKind::S3(account) => {
                S3Store::initialise(S3Options { expected_id: Some(id), held: false, ..self.account(of, account)? })
                    .await
            }
        }
    }

    /// What the store of an account is opened with.
    fn account(&self, of: Configured<'_>, account: &S3Account) -> Result<S3Options> {
        let routes = routes(&of.config.storage, &of.state.buckets);
        let routed = routes.values().filter(|route| route.backend == *of.name).map(|route| route.real_name.clone());
        Ok(S3Options {
            name: of.name.to_string(),
            url: account.url(),
            region: account.region.clone(),
            access_key_id: account.access_key_id.clone(),
            secret_access_key: self.host.account(account, of.config, &self.base, of.state)?,
            expected_id: of.known(),
            new_id: uuid::Uuid::new_v4().to_string(),
            routed: routed.collect(),
            adopt: self.adopt_empty,
            instance: self.host.instance.instance_id.clone(),
            clock: self.clock.clone(),
            mac: MacKeys::from_keyring(of.state.keyring.values().map(AsRef::as_ref))?,
            limits: Limits::default(),
            held: self.seal(of).is_some(),
        })
    }

    async fn open_directory(&self, of: Configured<'_>, root: &Path) -> Result<Arc<dyn ObjectStore>> {
        let options = FsOptions {
            root: root.to_owned(),
            adopt_empty: self.adopt_empty,
            expected_id: of.known(),
            new_id: uuid::Uuid::new_v4().to_string(),
            instance: self.host.instance.instance_id.clone(),
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            mac: MacKeys::from_keyring(of.state.keyring.values().map(AsRef::as_ref))?,
        };
        let opened = tokio::task::spawn_blocking(move || FsStore::open(options)).await;
        let (store, found) = opened.map_err(|e| Error::internal("open backend", e))??;
        if found.initialised {
            log::info!("backend {} was initialised in {} as {}", of.name, root.display(), found.backend_id);
        }
        Ok(store)
    }
}
