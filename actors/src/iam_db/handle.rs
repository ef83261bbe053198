//! How `iam` and `system` reach the writer of the config DB.

use crate::Result;
use crate::db::password::PasswordHash;
use crate::disk::SharedDisk;
use crate::domain::state::State;
use crate::iam_db::actor::IamDbActor;
use crate::iam_db::messages::{Close, Load, Take, Write};
use crate::iam_db::state::WorkCopy;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use actix::SyncArbiter;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The writer of the config DB.
#[derive(Clone, Debug)]
pub struct IamDbHandle {
    owner: OwnerRef<IamDbActor>,
}

impl IamDbHandle {
    /// Starts the writer on a published file that `hash` opens; without a hash it answers `Locked` until a swap brings one.
    pub async fn start(
        path: PathBuf,
        hash: Option<PasswordHash>,
        disk: SharedDisk,
        guardian: &Guardian,
    ) -> Result<Self> {
        let owner = OwnerRef::new("iam_db", 64, guardian.alarm());
        // Held outside the worker: a rebuilt worker opens the same file under the same hash.
        let work = Arc::new(Mutex::new(WorkCopy::new(path, hash, disk)));
        let alarm = guardian.alarm();
        guardian
            .watch(&owner, move || {
                let (work, alarm) = (work.clone(), alarm.clone());
                Box::pin(async move { Ok(SyncArbiter::start(1, move || IamDbActor::new(work.clone(), alarm.clone()))) })
            })
            .await?;
        Ok(Self { owner })
    }

    /// Writes and publishes; durable when answered.
    pub async fn write(&self, old: Arc<State>, new: Arc<State>) -> Result<()> {
        self.owner.ask(Intent::Change, Write { old, new }).await
    }

    /// The state in the published file.
    pub async fn load(&self) -> Result<Arc<State>> {
        self.owner.ask(Intent::Read, Load).await
    }

    /// Lets go of the file.
    pub async fn close(&self) -> Result<()> {
        self.owner.ask(Intent::Read, Close).await
    }

    /// Takes the file that is there now.
    pub async fn take(&self, hash: PasswordHash) -> Result<()> {
        self.owner.ask(Intent::Change, Take { hash }).await
    }
}
