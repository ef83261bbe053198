//! The backends of a configuration, opened: those that are open already stay as they are.

mod one;

pub use one::Configured;

use crate::Result;
use crate::boot::Host;
use crate::disk::SharedDisk;
use crate::domain::atrest::{self, Seal};
use crate::domain::clock::Clock;
use crate::domain::config::model::{BackendKind, Config, S3Account};
use crate::domain::config::routing::routes;
use crate::domain::names::BackendName;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::kernel::guardian::Guardian;
use crate::store::StoreHandle;
use crate::system::view::SystemView;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What opening a backend needs besides its configuration.
#[derive(Clone, Debug)]
pub struct Opener {
    /// Who opens it, and what gives its secrets.
    pub host: Arc<Host>,
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
                .filter(|store| self.is_at(store, &backend.kind) && known.is_some() && store.backend_id() == known)
                .filter(|_| {
                    before.is_some_and(|view| self.is_same_account((name, &backend.kind), view, config, state))
                });
            let of = Configured { name, backend, config, state };
            let seal = self.seal(of);
            let held = matches!(seal, Some(Seal::Quarantined(_)));
            let handle = match self.ready.get(name).or(kept) {
                Some(handle) => handle.clone(),
                None => match self.open(of).await {
                    Ok(handle) => handle,
                    Err(error) => {
                        log::error!("backend {name} cannot be opened: {error:?}");
                        opened.warnings.push(format!("backend `{name}` is unavailable: {}", error.message()));
                        StoreHandle::down(name.clone(), error.message())
                    }
                },
            };
            let own = atrest::seal(backend, &state.keyring, None);
            opened.warnings.extend(own.and_then(|seal| seal.notice(name)));
            // The config may seal what its places are made in now; whoever is a clone makes none in an account that is not its own.
            let handle = if held { handle } else { handle.sealed(None) };
            // The registry is the truth: a bucket whose place is missing (a restored host without its data, a bucket that was
            // deleted after the capture) is empty, and takes writes. An account that is known is not asked for them all.
            let asked = !held && (backend.kind.directory().is_some() || known.is_none() || self.adopt_empty);
            for route in
                routes.values().filter(|route| asked && route.backend == *name && handle.down_reason().is_none())
            {
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

    /// Why a backend takes no writes, where it takes none.
    pub fn seal(&self, of: Configured<'_>) -> Option<Seal> {
        let original = of.state.meta.clone_of(&self.host.instance.instance_id);
        atrest::seal(of.backend, &of.state.keyring, original)
    }

    /// Whether a store is at the place that the configuration names.
    fn is_at(&self, store: &StoreHandle, kind: &BackendKind) -> bool {
        store.root() == Some(kind.place(&self.base).as_path())
    }

    /// True where a backend is reached with the same credentials as before; a directory has none.
    fn is_same_account(
        &self,
        (name, kind): (&BackendName, &BackendKind),
        before: &SystemView,
        config: &Config,
        state: &State,
    ) -> bool {
        let BackendKind::S3(account) = kind else { return true };
        let Some(BackendKind::S3(old)) = before.config.storage.backends.get(name).map(|backend| &backend.kind) else {
            return false;
        };
        let pair = |account: &S3Account, config: &Config, state: &State| -> Option<(String, String, Secret)> {
            let secret = self.host.account(account, config, &self.base, state).ok()?;
            Some((account.region.clone(), account.access_key_id.clone(), secret))
        };
        let now = pair(account, config, state);
        now.is_some() && now == pair(old, &before.config, &before.state)
    }
}
