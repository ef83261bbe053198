//! How the edge and `backup` reach `system`: the view, mutations, and what must not straddle a change of route.

use crate::config::ConfigHandle;
use crate::disk::SharedDisk;
use crate::domain::adoption::Seen;
use crate::domain::bucket::BucketChange;
use crate::domain::bucket::settings::{self, Setting};
use crate::domain::change::{Asked, Changed, StateChange};
use crate::domain::clock::Clock;
use crate::domain::config::model::Config;
use crate::domain::iam::change::{IamChange, SignInChange};
use crate::domain::iam::grants::Author;
use crate::domain::iam::sign_in::Login;
use crate::domain::names::{BackendName, BucketName, ObjectKey};
use crate::domain::tags::Tags;
use crate::iam::IamHandle;
use crate::iam_db::IamDbHandle;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::storage::multipart::{NewUpload, UploadInfo};
use crate::store::StoreHandle;
use crate::system::actor::{Below, SystemActor};
use crate::system::cell::Cell;
use crate::system::messages::{Fence, Mutate, NewIds, NextSystem, Reconnect, SwapAll};
use crate::system::view::{Route, SystemView};
use crate::{Error, ErrorKind, Result, fault};
use actix::Actor;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long an S3 request that mutates state waits for a restore to end.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// A swap opens backends, and opening a large root takes its time.
const SWAP: Duration = Duration::from_secs(600);

/// The one path of every mutation, and the published view.
#[derive(Clone)]
pub struct SystemHandle {
    pub(super) cell: Arc<Cell>,
    owner: OwnerRef<SystemActor>,
    pub(super) clock: Clock,
}

/// The owners below `system`.
#[derive(Debug)]
pub struct Owners {
    /// The owner of the config.
    pub config: ConfigHandle,
    /// The owner of IAM.
    pub iam: IamHandle,
    /// The writer of the config DB.
    pub iam_db: IamDbHandle,
}

impl SystemHandle {
    /// Starts `system` with the first view.
    pub async fn start(
        view: SystemView,
        owners: Owners,
        disk: SharedDisk,
        state_dir: PathBuf,
        clock: Clock,
        guardian: &Guardian,
    ) -> Result<Self> {
        let cell = Arc::new(Cell::new(view, clock.clone()));
        let owner = OwnerRef::new("system", 4096, guardian.alarm());
        let below = Below { config: owners.config, iam: owners.iam, iam_db: owners.iam_db, disk, state_dir };
        let (shared, arbiter) = (cell.clone(), actix::Arbiter::new());
        guardian
            .watch(&owner, move || {
                let (cell, below, arbiter) = (shared.clone(), below.clone(), arbiter.handle());
                Box::pin(
                    async move { Ok(SystemActor::start_in_arbiter(&arbiter, move |_| SystemActor::new(cell, below))) },
                )
            })
            .await?;
        Ok(Self { cell, owner, clock })
    }

    /// The view of now. Take it once a request.
    pub fn view(&self) -> Arc<SystemView> {
        self.cell.view()
    }

    /// Makes one change: durable and published when answered. A fence refuses it at once.
    pub async fn mutate(&self, change: StateChange) -> Result<Changed> {
        self.mutate_as(None, change, None).await
    }

    /// The same for somebody who gives no more than it has, and only while the state is at this version: of two who read it, one
    /// wins.
    pub async fn mutate_as(
        &self,
        author: Option<Author>,
        change: StateChange,
        if_version: Option<String>,
    ) -> Result<Changed> {
        self.view().unlocked()?;
        self.owner.ask(Intent::Change, Mutate(Asked { change, if_version, author })).await
    }

    /// Writes what a sign-in with a provider changes. It waits for a restore as S3 requests do; nobody's browser shows a conflict.
    pub async fn sign_in(&self, login: Login) -> Result<Changed> {
        let busy = |error: Error| match error.kind() {
            ErrorKind::RestoreInProgress => {
                Error::new(ErrorKind::Busy, "sign in", "a restore is in progress; try again in a moment")
            }
            _ => error,
        };
        self.cell.wait_for_fence(PATIENCE).await.map_err(busy)?;
        let change = StateChange::Iam(IamChange::SignIn(SignInChange::Login(Box::new(login))));
        self.mutate(change).await.map_err(busy)
    }

    /// Gives an object other tags, if its bucket's route is still the one the request began under.
    pub async fn set_tags(&self, route: &Route, key: &ObjectKey, tags: Tags) -> Result<()> {
        let _shared = self.cell.commits.read().await;
        self.writable(route)?;
        route.store.set_tags(&route.bucket, key, tags).await
    }

    /// Begins a multipart upload, if its bucket's route is still the one the request began under.
    pub async fn create_upload(&self, route: &Route, upload: NewUpload) -> Result<UploadInfo> {
        let _shared = self.cell.commits.read().await;
        self.writable(route)?;
        route.store.create_upload(upload).await
    }

    /// Sets some of a bucket, for an S3 request: it waits for a restore.
    pub async fn set_bucket(&self, name: &BucketName, settings: Vec<Setting>) -> Result<()> {
        self.cell.wait_for_fence(PATIENCE).await?;
        let change = self.view().set_bucket(name, settings)?;
        self.mutate(change).await.map(|_| ())
    }

    /// Removes an empty bucket. No object can be committed into it meanwhile.
    pub async fn delete_bucket(&self, name: &BucketName) -> Result<()> {
        self.cell.wait_for_fence(PATIENCE).await?;
        let _alone = self.cell.commits.write().await;
        let view = self.view();
        let route = view.route(name)?;
        if view.config.storage.buckets.contains_key(name) {
            return Err(settings::declared_bucket(name));
        }
        if route.store.holds_objects(&route.bucket).await? {
            return Err(Error::new(
                ErrorKind::BucketNotEmpty,
                "delete bucket",
                "The bucket you tried to delete is not empty",
            ));
        }
        self.mutate(StateChange::Bucket(BucketChange::Delete { name: name.clone() })).await?;
        fault::point("system.bucket.unregistered");
        if let Err(error) = route.store.delete_bucket(&route.bucket).await {
            // The registry is the truth; an empty place left behind is used again by the next bucket of this name.
            log::warn!("the place of the deleted bucket {name} stays: {error:?}");
        }
        self.forget_usage(&route);
        Ok(())
    }

    /// Holds back every mutation, for a restore whose plan was made on `version`.
    pub async fn fence(&self, restore_id: &str, version: &str) -> Result<()> {
        let message = Fence { restore_id: restore_id.to_owned(), version: version.to_owned() };
        self.owner.ask(Intent::Read, message).await
    }

    /// Lifts the fence of a restore that ended before its commit point: in the cell, since the owner itself may be what broke it off.
    pub fn lift_fence(&self, restore_id: &str) {
        self.cell.lift_fence(restore_id);
    }

    /// Swaps all state for what was staged.
    pub async fn swap_all(&self, next: NextSystem) -> Result<NewIds> {
        let commits = self.cell.commits.clone().write_owned().await;
        let swap = SwapAll { next: Box::new(next), commits };
        self.owner.ask_within(SWAP, Intent::Change, swap).await
    }

    /// Publishes an opened backend in the place of the one of its name, and registers the id that it bears.
    pub async fn reconnect(&self, store: StoreHandle) -> Result<()> {
        self.publish_store(store, None).await
    }

    /// The same for one that came back by itself: refused where a swap gave the backend another place or id meanwhile.
    pub(super) async fn take_back(&self, store: StoreHandle, opened_for: Arc<Config>) -> Result<()> {
        self.publish_store(store, Some(opened_for)).await
    }

    async fn publish_store(&self, store: StoreHandle, opened_for: Option<Arc<Config>>) -> Result<()> {
        let (name, id) = (store.name().clone(), store.backend_id());
        let commits = self.cell.commits.clone().write_owned().await;
        self.owner.ask(Intent::Change, Reconnect { store, opened_for, commits }).await?;
        match id.filter(|id| self.view().state.backends.get(&name) != Some(id)) {
            Some(id) => self.mutate(StateChange::RegisterBackend { name, id }).await.map(drop),
            None => Ok(()),
        }
    }

    /// Notes what a backend was seen to hold; gives what all were.
    pub(super) fn note_seen(&self, name: &BackendName, buckets: BTreeSet<BucketName>) -> Seen {
        let mut seen = self.cell.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(name.clone(), buckets);
        seen.clone()
    }

    /// What each backend was last seen to hold.
    pub(super) fn seen(&self) -> Seen {
        self.cell.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the owner answers.
    pub fn is_alive(&self) -> bool {
        self.owner.connected()
    }

    pub(super) fn same_place(&self, route: &Route) -> Result<()> {
        match self.view().route(&route.name) {
            Ok(now) if route.same_place(&now) => Ok(()),
            Ok(_) => Err(Error::new(
                ErrorKind::RouteChanged,
                "commit",
                "The bucket moved while the object was being written. Please try again.",
            )),
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for SystemHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SystemHandle({})", self.view().version())
    }
}
