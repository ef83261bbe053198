//! What one may ask of `system`, the one path of every mutation.

use crate::Result;
use crate::db::password::PasswordHash;
use crate::domain::change::{Asked, Changed};
use crate::domain::config::Loaded;
use crate::domain::config::model::Config;
use crate::domain::names::BackendName;
use crate::store::StoreHandle;
use crate::system::staging::Staging;
use crate::system::stores::Opener;
use crate::system::swap::Journal;
use crate::system::view::SystemView;
use actix::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedRwLockWriteGuard;

/// Makes one change, durably, and publishes it before it answers.
#[derive(Debug, Message)]
#[rtype(result = "Result<Changed>")]
pub struct Mutate(pub Asked);

/// Holds back every mutation until [`SwapAll`] or until it is lifted; answers when the one in progress has ended.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Fence {
    /// The restore that asks.
    pub restore_id: String,
    /// The `epoch.generation` that its plan was made on; another one refuses.
    pub version: String,
}

/// Whether the mutation that was in progress when the fence went up has ended: `None` while it has not.
#[derive(Debug, Message)]
#[rtype(result = "Option<Result<()>>")]
pub(super) struct FenceSettled(pub(super) Fence);

/// Publishes an opened backend in the place of one that was down, or that was opened anew.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Reconnect {
    /// The backend, under the name that the config has.
    pub store: StoreHandle,
    /// The config that it was opened for, where nobody asked for it: under another one, or under another id, it is refused.
    pub opened_for: Option<Arc<Config>>,
    /// Proof that no object is being committed meanwhile.
    pub commits: OwnedRwLockWriteGuard<()>,
}

/// Swaps all state for what was staged. From its commit point on it ends in the new state or ends the process.
#[derive(Message)]
#[rtype(result = "Result<NewIds>")]
pub struct SwapAll {
    /// What is to be in force.
    pub next: Box<NextSystem>,
    /// Proof that no object is being committed and none will be before the swap has ended. It is taken before the message is
    /// sent: a deletion of a bucket that holds it meanwhile must still get its own mutation through.
    pub commits: OwnedRwLockWriteGuard<()>,
}

/// The ids of backends that the swapped state does not know yet: to be registered.
pub type NewIds = BTreeMap<BackendName, String>;

/// Everything that is to be in force after a swap; all of it was built and proven while staging.
pub struct NextSystem {
    /// The files and where they go.
    pub journal: Journal,
    /// The view to publish; its backends are opened by the swap, since one directory cannot be open twice.
    pub view: SystemView,
    /// The staged config.
    pub config: Arc<Loaded>,
    /// The hash that opens the staged database.
    pub hash: PasswordHash,
    /// The staged files, until the journal is begun.
    pub staging: Staging,
    /// Registry entries go although their backend holds objects.
    pub prune_buckets: bool,
    /// Called when the files are in place, before anybody may change them again.
    pub settled: Box<dyn FnOnce() + Send>,
    /// Opens the backends; one that cannot be opened is in the view and says why.
    pub opener: Opener,
}
