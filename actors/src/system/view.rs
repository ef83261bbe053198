//! What every request reads: config, state and routes of exactly one generation, behind one pointer.

use crate::db::password::PasswordHash;
use crate::domain::atrest;
use crate::domain::bucket::BucketChange;
use crate::domain::bucket::settings::{self, Effective, Setting, Settings};
use crate::domain::change::{StateChange, owned_by_file};
use crate::domain::clock::Timestamp;
use crate::domain::config::Loaded;
use crate::domain::config::edit::no_such_backend;
use crate::domain::config::model::{Authentication, Config};
use crate::domain::config::routing;
use crate::domain::iam::index::AccessIndex;
use crate::domain::iam::model::Permission;
use crate::domain::iam::reserved;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::public::{self, PublicRules};
use crate::domain::secret::Secret;
use crate::domain::state::{Bucket, State};
use crate::store::StoreHandle;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One generation of the system. A request takes it once, at its start.
#[derive(Clone, Debug)]
pub struct SystemView {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The same with its origins: what an export writes, so that it is of one generation with the state.
    pub loaded: Arc<Loaded>,
    /// IAM, the bucket registry and all else that the config DB holds.
    pub state: Arc<State>,
    /// Access keys and tokens by what requests name.
    pub index: Arc<AccessIndex>,
    /// What S3 gives to admins alone: the place of the stored backups.
    pub reserved: Option<Arc<[Permission]>>,
    /// What anybody may read, by bucket.
    pub public: Arc<PublicRules>,
    /// The config key pair, resolved.
    pub config_key: Option<(String, Secret)>,
    /// The backends by name.
    pub stores: Arc<BTreeMap<BackendName, StoreHandle>>,
    /// Why the system is locked, where no hash opens its database.
    pub locked: Option<Arc<str>>,
    /// The bootstrap hash in force; none where the system is locked and nobody gave one.
    pub bootstrap_hash: Option<PasswordHash>,
    /// What the operator should know: shown by health.
    pub notices: Arc<Vec<String>>,
}

/// Where a bucket's objects are. Two routes are equal when a write begun under one may be committed under the other.
#[derive(Clone, Debug)]
pub struct Route {
    /// The name that clients use.
    pub name: BucketName,
    /// The name on the backend.
    pub bucket: BucketName,
    /// The backend.
    pub backend: BackendName,
    /// Which of the buckets that ever had this name it is.
    pub created_at: Timestamp,
    /// The way there.
    pub store: StoreHandle,
}

impl SystemView {
    /// A view of a config and a state. Backends, lock and notices are put in by the caller.
    pub fn compose(
        loaded: Arc<Loaded>,
        state: Arc<State>,
        bootstrap_hash: Option<PasswordHash>,
        config_key: Option<(String, Secret)>,
    ) -> Self {
        Self {
            config: Arc::new(loaded.config.clone()),
            reserved: reserved::rules(loaded.config.backup.to.as_ref()),
            index: Arc::new(AccessIndex::new(&state)),
            public: Arc::new(public::rules(&loaded.config.storage, &state.buckets)),
            loaded,
            state,
            config_key,
            stores: Arc::default(),
            locked: None,
            bootstrap_hash,
            notices: Arc::default(),
        }
    }

    /// The same view over another state.
    pub fn with_state(&self, state: Arc<State>) -> Self {
        let public = Arc::new(public::rules(&self.config.storage, &state.buckets));
        let stores = self.sealed_for(&state);
        Self { index: Arc::new(AccessIndex::new(&state)), public, state, stores, ..self.clone() }
    }

    /// The backends, sealed as another state has it: a quarantine begins or ends with a state, while the stores stay open.
    fn sealed_for(&self, state: &State) -> Arc<BTreeMap<BackendName, StoreHandle>> {
        let original = &state.meta.quarantined_from;
        if *original == self.state.meta.quarantined_from {
            return self.stores.clone();
        }
        let anew = |(name, store): (&BackendName, &StoreHandle)| {
            let backend = self.config.storage.backends.get(name);
            let seal = backend.and_then(|backend| atrest::seal(backend, &state.keyring, original.as_deref()));
            (name.clone(), store.clone().sealed(seal))
        };
        Arc::new(self.stores.iter().map(anew).collect())
    }

    /// The same view with a backend in the place of the one of its name.
    pub fn with_store(&self, store: StoreHandle) -> Self {
        let mut stores = BTreeMap::clone(&self.stores);
        let was_down = format!("backend `{}` is unavailable", store.name());
        let notices = self.notices.iter().filter(|notice| !notice.starts_with(&was_down)).cloned().collect();
        stores.insert(store.name().clone(), store);
        Self { stores: Arc::new(stores), notices: Arc::new(notices), ..self.clone() }
    }

    /// Where in time this view stands: `epoch.generation`, the entity tag of every mutation's `If-Match`.
    pub fn version(&self) -> String {
        self.state.meta.version()
    }

    /// The way to a bucket: a look-up, never a probe.
    pub fn route(&self, name: &BucketName) -> Result<Route> {
        let missing = || Error::new(ErrorKind::NoSuchBucket, "bucket", "The specified bucket does not exist");
        let target = routing::route(&self.config.storage, &self.state.buckets, name).ok_or_else(missing)?;
        let store = match self.stores.get(&target.backend) {
            Some(store) => store.clone(),
            None => StoreHandle::down(target.backend.clone(), "it is not configured; add it to `storage.backends`"),
        };
        let created_at = self.state.buckets.get(name).map_or(Timestamp::default(), |bucket| bucket.created_at);
        Ok(Route { name: name.clone(), bucket: target.real_name, backend: target.backend, created_at, store })
    }

    /// What is set of a bucket: what the config pins, else what the registry says.
    pub fn settings(&self, name: &BucketName) -> Effective<'_> {
        settings::effective(&self.config.storage, &self.state.buckets, name)
    }

    /// The change that sets some of a bucket; what the config pins is refused, now and again when the change is made.
    pub fn set_bucket(&self, name: &BucketName, settings: Vec<Setting>) -> Result<StateChange> {
        let missing = || Error::new(ErrorKind::NoSuchBucket, "bucket", "The specified bucket does not exist");
        let target = routing::route(&self.config.storage, &self.state.buckets, name).ok_or_else(missing)?;
        settings::check_pins(&self.config.storage, name, &settings)?;
        self.check_route(name, &settings)?;
        let unregistered = || Bucket {
            name: name.clone(),
            backend: target.backend,
            alias: None,
            owner: "$config".to_owned(),
            // The time that it has as a bucket of the config alone, so that no write under way loses its route.
            created_at: Timestamp::default(),
            public_prefixes: Vec::new(),
            settings: Settings::default(),
        };
        let unregistered = (!self.state.buckets.contains_key(name)).then(|| Box::new(unregistered()));
        Ok(StateChange::Bucket(BucketChange::Set { name: name.clone(), settings, unregistered }))
    }

    /// Why a change is refused under the config in force: the file has what it would change.
    pub fn refusal(&self, change: &StateChange) -> Option<Error> {
        match change {
            _ if self.config.is_declarative() && change.is_owned_by_file(&self.state) => Some(owned_by_file()),
            StateChange::Bucket(BucketChange::Set { name, settings, .. }) => {
                let pinned = settings::check_pins(&self.config.storage, name, settings);
                pinned.and_then(|()| self.check_route(name, settings)).err()
            }
            _ => None,
        }
    }

    /// Refuses a route to a backend that is not there, or to the place of another bucket.
    fn check_route(&self, name: &BucketName, settings: &[Setting]) -> Result<()> {
        if !settings.iter().any(Setting::moves) {
            return Ok(());
        }
        let mut routes = routing::routes(&self.config.storage, &self.state.buckets);
        let Some(mut to) = routes.remove(name) else { return Ok(()) };
        for setting in settings {
            match setting {
                Setting::Backend(backend) => to.backend = backend.clone(),
                Setting::Alias(alias) => to.real_name = alias.as_ref().unwrap_or(name).clone(),
                _ => {}
            }
        }
        self.check_place(&to, &routes)
    }

    /// Refuses a place that is not there or is another bucket's.
    pub(super) fn check_place(&self, to: &routing::Route, others: &BTreeMap<BucketName, routing::Route>) -> Result<()> {
        if !self.config.storage.backends.contains_key(&to.backend) {
            return Err(no_such_backend(&to.backend));
        }
        match others.iter().find(|(_, route)| *route == to) {
            None => Ok(()),
            Some((other, _)) => {
                let message = format!(
                    "`{}` on the backend `{}` is the bucket `{other}`; nothing was changed",
                    to.real_name, to.backend
                );
                Err(Error::new(ErrorKind::Conflict, "bucket", message)
                    .with_code("bucket_collision")
                    .with_hint("choose another backend or alias"))
            }
        }
    }

    /// Whether S3 and the admin API ask who you are.
    pub fn authentication_required(&self) -> bool {
        self.config.access.authentication == Authentication::Required
    }

    /// Refuses while the system is locked.
    pub fn unlocked(&self) -> Result<()> {
        match &self.locked {
            None => Ok(()),
            Some(reason) => {
                Err(Error::new(ErrorKind::Locked, "system", reason.to_string()).with_code("db_key_mismatch"))
            }
        }
    }
}

impl Route {
    /// Whether a write begun under `self` may still be committed under `now`.
    pub fn same_place(&self, now: &Self) -> bool {
        (&self.backend, &self.bucket, self.created_at) == (&now.backend, &now.bucket, now.created_at)
            && (self.store.root(), self.store.backend_id()) == (now.store.root(), now.store.backend_id())
    }
}
