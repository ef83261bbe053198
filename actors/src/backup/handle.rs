//! How the edge reaches the owner of backups.

use crate::Result;
use crate::audit::AuditHandle;
use crate::backup::actor::BackupActor;
use crate::backup::blocking;
use crate::backup::messages::{
    ChangePassword, CheckStored, Configuration, Configure, Declaration, Declare, DeleteStored, Export, FetchStored,
    ListStored, LookAt, PasswordChange, Recover, Restore, RestoreRequest, Restores, RootMeans, Store, StoredBackup,
    TakeRoot, Tick, Trust, Undo, UndoRequest, Verify,
};
use crate::backup::pieces::Archive;
use crate::backup::recover::{self, Opened, Proof, Recovered};
use crate::backup::stored::Keeper;
use crate::boot::Host;
use crate::config::ConfigHandle;
use crate::db::runtime::last_export;
use crate::disk::SharedDisk;
use crate::domain::clock::Clock;
use crate::domain::names::BackendName;
use crate::domain::state::ExportRecord;
use crate::domain::stored::Standing;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::state_db::StateDbHandle;
use crate::storage::look::Look;
use crate::system::SystemHandle;
use crate::zipper::Source;
use crate::zipper::source::Spool;
use actix::Actor;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A restore of the largest archive allowed takes minutes, not seconds.
const LONG: Duration = Duration::from_secs(600);
/// How often the schedule is compared with the clock.
const LOOK: Duration = Duration::from_secs(1);

/// What the owner of backups works with.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The view, the fence and the swap.
    pub system: SystemHandle,
    /// Where what nobody asked for is recorded, and where an archive says that the log stood.
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
    /// Held outside the owner: a rebuilt one goes on with it.
    keeper: Arc<Keeper>,
    system: SystemHandle,
    host: Arc<Host>,
}

impl BackupHandle {
    /// Starts the owner.
    pub async fn start(tools: Tools) -> Result<Self> {
        let (guardian, state_db) = (tools.guardian.clone(), tools.state_db.clone());
        let owner = OwnerRef::new("backup", 16, guardian.alarm());
        let keeper = Arc::new(Keeper::resume(&state_db).await?);
        let kept = keeper.clone();
        let (system, host) = (tools.system.clone(), tools.host.clone());
        let arbiter = actix::Arbiter::new();
        guardian
            .watch(&owner, move || {
                let (tools, keeper, arbiter) = (tools.clone(), kept.clone(), arbiter.handle());
                Box::pin(async move {
                    Ok(BackupActor::start_in_arbiter(&arbiter, move |_| BackupActor::new(tools, keeper)))
                })
            })
            .await?;
        Ok(Self { owner, state_db, keeper, system, host })
    }

    /// A place for what somebody sends, at most `limit` bytes of it.
    pub fn spool(&self, limit: u64) -> Result<Spool> {
        Spool::begin(&self.host.state_dir, limit)
    }

    /// Makes the first pass of a Full Backup for somebody.
    pub async fn export(&self, who: String) -> Result<Archive> {
        self.owner.ask_within(LONG, Intent::Read, Export { who }).await
    }

    /// The last Full Backup that was made here, whoever restarted in between.
    pub async fn last_export(&self) -> Result<Option<ExportRecord>> {
        self.state_db.run(|connection| last_export(connection)).await
    }

    /// Checks an archive.
    pub async fn verify(&self, archive: Source) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Read, Verify(archive)).await
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

    /// Plans what a document declares of IAM and, unless it is a dry run, brings it into force.
    pub async fn declare(&self, declaration: Declaration) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Change, Declare(declaration)).await
    }

    /// Plans a change of the config and, unless it is a dry run, brings it into force.
    pub async fn configure(&self, configuration: Configuration) -> Result<Value> {
        self.owner.ask_within(LONG, Intent::Change, Configure(configuration)).await
    }

    /// Makes the place of a configured backend its own and opens it; gives the id that it bears.
    pub async fn take_root(&self, name: BackendName, means: RootMeans) -> Result<String> {
        self.owner.ask_within(LONG, Intent::Change, TakeRoot { name, means }).await
    }

    /// What is found at a backend's place, whoever has it open.
    pub async fn look_at(&self, name: BackendName) -> Result<Look> {
        self.owner.ask_within(LONG, Intent::Read, LookAt(name)).await
    }

    /// The record of restores, newest first.
    pub async fn restores(&self) -> Result<Vec<Value>> {
        self.owner.ask(Intent::Read, Restores).await
    }

    /// The references of the config that are given by what a restored backup brought, and by nothing on this host.
    pub async fn from_backup(&self) -> Result<Vec<String>> {
        let (view, host) = (self.system.view(), self.host.clone());
        blocking(move || Ok(host.from_backup(&view.loaded, &view.state))).await
    }

    /// What opens the database of a locked system: to be run where passwords are hashed. `None`: the proof is wrong.
    pub fn open_locked(&self, proof: Proof) -> Result<impl FnOnce() -> Result<Option<Opened>> + Send + use<>> {
        if self.system.view().locked.is_none() {
            return Err(recover::not_locked());
        }
        let host = self.host.clone();
        Ok(move || recover::open(&host.files().config_db, &proof))
    }

    /// Puts a database in force that [`Self::open_locked`] has opened.
    pub async fn recover(&self, opened: Opened, caller_token_sha256: String) -> Result<Recovered> {
        self.owner.ask_within(LONG, Intent::Change, Recover { opened, caller_token_sha256 }).await
    }

    /// Stores a backup now, where the config says.
    pub async fn store(&self, who: String) -> Result<StoredBackup> {
        self.owner.ask_within(LONG, Intent::Change, Store { who }).await
    }

    /// The stored backups, the latest first.
    pub async fn stored(&self) -> Result<Vec<StoredBackup>> {
        self.owner.ask(Intent::Read, ListStored).await
    }

    /// A stored backup, as it lies there.
    pub async fn fetch_stored(&self, id: &str) -> Result<Source> {
        self.owner.ask_within(LONG, Intent::Read, FetchStored { id: id.to_owned() }).await
    }

    /// Reads a stored backup and checks it; how that ended is on record.
    pub async fn check_stored(&self, id: &str) -> Result<StoredBackup> {
        self.owner.ask_within(LONG, Intent::Read, CheckStored { id: id.to_owned() }).await
    }

    /// Deletes a stored backup; the last verified one only where that is meant.
    pub async fn delete_stored(&self, id: &str, even_the_last: bool) -> Result<()> {
        self.owner.ask(Intent::Change, DeleteStored { id: id.to_owned(), even_the_last }).await
    }

    /// Restores what lay there as the stored backup `id`, out of its envelope, if this instance or somebody it trusts signed it.
    pub async fn restore_stored(&self, id: &str, request: RestoreRequest) -> Result<Value> {
        let trust = Trust { id: id.to_owned(), archive: request.archive.clone() };
        self.owner.ask_within(LONG, Intent::Read, trust).await?;
        self.restore(request).await
    }

    /// How the stored backups stand.
    pub fn standing(&self) -> Standing {
        self.keeper.standing()
    }

    /// Looks at the clock once: stores a backup if one is due, and answers when that has ended.
    pub async fn tick(&self) -> Result<()> {
        self.owner.ask_within(LONG, Intent::Change, Tick).await
    }

    /// Keeps the schedule until the process ends.
    pub async fn keep_schedule(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.tick().await {
                log::warn!("the backup schedule was not looked at: {error:?}");
            }
        }
    }
}
