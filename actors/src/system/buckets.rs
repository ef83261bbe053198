//! Buckets made and moved: their place on the backend first, then the registry's entry, and no object straddles a move.

use crate::domain::bucket::BucketChange;
use crate::domain::bucket::settings::{Setting, Settings};
use crate::domain::change::{Changed, StateChange};
use crate::domain::clock::Timestamp;
use crate::domain::config::routing::{self, routes};
use crate::domain::iam::grants::Author;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::state::Bucket;
use crate::system::SystemHandle;
use crate::system::handle::PATIENCE;
use crate::system::view::Route;
use crate::{Error, ErrorKind, Result, fault};

/// Objects of a bucket that are counted where its account is not known.
const COUNTED: usize = 10_000;

/// A bucket to be made.
#[derive(Clone, Debug)]
pub struct NewBucket {
    /// Its name.
    pub name: BucketName,
    /// Where; the default backend where none is named.
    pub backend: Option<BackendName>,
    /// Its name there, where it is another.
    pub alias: Option<BucketName>,
    /// Who makes it.
    pub owner: String,
    /// What anybody may read of it.
    pub public_prefixes: Vec<String>,
    /// What else is set.
    pub settings: Settings,
}

/// How many objects a bucket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objects {
    /// So many; `None` where the backend does not say.
    pub count: Option<u64>,
    /// False: at least so many.
    pub exact: bool,
}

impl SystemHandle {
    /// Makes a bucket on a backend, the default one where none is named.
    pub async fn create_bucket(&self, owner: &str, name: &BucketName, backend: Option<BackendName>) -> Result<()> {
        let (public_prefixes, settings) = (Vec::new(), Settings::default());
        let new =
            NewBucket { name: name.clone(), backend, alias: None, owner: owner.to_owned(), public_prefixes, settings };
        self.make_bucket(new, None).await.map(drop)
    }

    /// Makes a bucket with all that is set of it.
    pub async fn make_bucket(&self, new: NewBucket, if_version: Option<String>) -> Result<Changed> {
        self.cell.wait_for_fence(PATIENCE).await?;
        let view = self.view();
        let NewBucket { name, backend, alias, owner, public_prefixes, settings } = new;
        if view.route(&name).is_ok() {
            return Err(Error::new(
                ErrorKind::BucketExists,
                "create bucket",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        let backend = backend.unwrap_or_else(|| view.config.storage.default_backend.clone());
        let alias = alias.filter(|alias| *alias != name);
        let place = alias.as_ref().unwrap_or(&name).clone();
        let to = routing::Route { backend: backend.clone(), real_name: place.clone() };
        view.check_place(&to, &routes(&view.config.storage, &view.state.buckets))?;
        let store = view.stores.get(&backend).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "create bucket", format!("there is no backend `{backend}`"))
        })?;
        store.create_bucket(&place).await?;
        // Its place without its entry is empty, and taken for nobody's.
        fault::point("system.bucket.placed");
        let bucket = Bucket { name, backend, alias, owner, created_at: self.now(), public_prefixes, settings };
        let change = StateChange::Bucket(BucketChange::Create { bucket });
        self.mutate_as(None, change, if_version).await
    }

    /// Sets some of a bucket, its route included. No object is committed while it moves, and none moves with it.
    pub async fn change_bucket(
        &self,
        author: Option<Author>,
        name: &BucketName,
        settings: Vec<Setting>,
        if_version: Option<String>,
    ) -> Result<Changed> {
        let moves = settings.iter().any(Setting::moves);
        let change = self.view().set_bucket(name, settings)?;
        if !moves {
            return self.mutate_as(author, change, if_version).await;
        }
        let _alone = self.cell.commits.write().await;
        let changed = self.mutate_as(author, change, if_version).await?;
        // Its entry without its place is made whole by the next start, or by the first object.
        fault::point("system.bucket.routed");
        let route = self.view().route(name)?;
        if let Err(error) = route.store.create_bucket(&route.bucket).await {
            // It is made with the first object otherwise.
            log::warn!("the place of bucket {name} on backend {} is not there yet: {error:?}", route.backend);
        }
        Ok(changed)
    }

    /// How many objects a bucket has: from its account, else counted to a bound.
    pub async fn objects(&self, route: &Route) -> Objects {
        if let Some(usage) = self.usage(route).filter(|usage| usage.exact) {
            return Objects { count: Some(usage.objects), exact: true };
        }
        match route.store.count(&route.bucket, COUNTED).await {
            Ok((count, more)) => Objects { count: Some(count as u64), exact: !more },
            Err(_) => Objects { count: None, exact: false },
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
