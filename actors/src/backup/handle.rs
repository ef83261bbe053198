//! How the edge reaches the owner of backups.

use crate::Result;
use crate::backup::actor::BackupActor;
use crate::backup::messages::{Archive, Export, Restore, RestoreRequest, Restores, Verify};
use crate::boot::Host;
use crate::config::ConfigHandle;
use crate::disk::SharedDisk;
use crate::domain::clock::Clock;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::state_db::StateDbHandle;
use crate::system::SystemHandle;
use actix::Actor;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A restore of the largest archive allowed takes minutes, not seconds.
const LONG: Duration = Duration::from_secs(600);

/// What the owner of backups works with.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The view, the fence and the swap.
    pub system: SystemHandle,
    /// The config in force, with its file.
    pub config: ConfigHandle,
    /// This host: its state directory, instance keys, environment.
    pub host: Arc<Host>,
    /// Where failures are kept.
    pub state_db: StateDbHandle,
    /// Every durable file operation.
    pub disk: SharedDisk,
    /// What time it is.
    pub clock: Clock,
    /// Watches backends that a restore adds.
    pub guardian: Guardian,
}

/// The owner of backups.
#[derive(Clone, Debug)]
pub struct BackupHandle {
    owner: OwnerRef<BackupActor>,
}

impl BackupHandle {
    /// Starts the owner.
    pub async fn start(tools: Tools) -> Result<Self> {
        let guardian = tools.guardian.clone();
        let owner = OwnerRef::new("backup", 16, guardian.alarm());
        let arbiter = actix::Arbiter::new();
        guardian
            .watch(&owner, move || {
                let (tools, arbiter) = (tools.clone(), arbiter.handle());
                Box::pin(async move { Ok(BackupActor::start_in_arbiter(&arbiter, move |_| BackupActor::new(tools))) })
            })
            .await?;
        Ok(Self { owner })
    }

    /// Makes a Full Backup.
    pub async fn export(&self) -> Result<Archive> {
        self.owner.ask_within(LONG, Intent::Read, Export).await
    }

    /// Checks an archive.
    pub async fn verify(&self, bytes: Bytes) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Read, Verify(bytes)).await
    }

    /// Plans a restore and, unless it is a dry run, carries it out.
    pub async fn restore(&self, request: RestoreRequest) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Change, Restore(request)).await
    }

    /// The record of restores, newest first.
    pub async fn restores(&self) -> Result<Vec<Value>> {
        self.owner.ask(Intent::Read, Restores).await
    }
}
