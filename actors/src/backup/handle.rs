//! How the edge reaches the owner of backups.

use crate::Result;
use crate::audit::AuditHandle;
use crate::backup::actor::BackupActor;
use crate::backup::messages::{
    Archive, ChangePassword, Export, PasswordChange, Restore, RestoreRequest, Restores, Undo, UndoRequest, Verify,
};
use crate::boot::Host;
use crate::config::ConfigHandle;
use crate::db::runtime::last_export;
use crate::disk::SharedDisk;
use crate::domain::clock::Clock;
use crate::domain::state::ExportRecord;
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
    /// Where an archive says that the audit log stood.
    pub audit: AuditHandle,
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
    state_db: StateDbHandle,
}

impl BackupHandle {
    /// Starts the owner.
    pub async fn start(tools: Tools) -> Result<Self> {
        let (guardian, state_db) = (tools.guardian.clone(), tools.state_db.clone());
        let owner = OwnerRef::new("backup", 16, guardian.alarm());
        let arbiter = actix::Arbiter::new();
        guardian
            .watch(&owner, move || {
                let (tools, arbiter) = (tools.clone(), arbiter.handle());
                Box::pin(async move { Ok(BackupActor::start_in_arbiter(&arbiter, move |_| BackupActor::new(tools))) })
            })
            .await?;
        Ok(Self { owner, state_db })
    }

    /// Makes a Full Backup for somebody.
    pub async fn export(&self, who: String) -> Result<Archive> {
        self.owner.ask_within(LONG, Intent::Read, Export { who }).await
    }

    /// The last Full Backup that was made here, whoever restarted in between.
    pub async fn last_export(&self) -> Result<Option<ExportRecord>> {
        self.state_db.run(|connection| last_export(connection)).await
    }

    /// Checks an archive.
    pub async fn verify(&self, bytes: Bytes) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Read, Verify(bytes)).await
    }

    /// Plans a restore and, unless it is a dry run, carries it out.
    pub async fn restore(&self, request: RestoreRequest) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Change, Restore(request)).await
    }

    /// Plans an undo of the last restore and, unless it is a dry run, carries it out.
    pub async fn undo(&self, request: UndoRequest) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Change, Undo(request)).await
    }

    /// Takes another bootstrap password: an error means that the old one is in force.
    pub async fn change_password(&self, change: PasswordChange) -> Result<()> {
        self.owner.ask_within(LONG, Intent::Change, ChangePassword(change)).await
    }

    /// The record of restores, newest first.
    pub async fn restores(&self) -> Result<Vec<Value>> {
        self.owner.ask(Intent::Read, Restores).await
    }
}
