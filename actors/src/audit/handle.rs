//! How everybody above reaches the owner of the audit log.

use crate::Result;
use crate::audit::actor::AuditActor;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::denials::{Denial, DenialKind, Denials, WINDOW};
use crate::audit::messages::Record;
use crate::audit::state::Event;
use crate::db::database::Database;
use crate::db::runtime::AuditKey;
use crate::disk::SharedDisk;
use crate::domain::attention::AuditTrouble as Trouble;
use crate::domain::clock::Clock;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::state_db::handle::StateDbHandle;
use actix::{Actor, Context};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Where the log is.
#[derive(Clone)]
pub struct AuditStore {
    /// The one writer.
    pub db: StateDbHandle,
    /// Opens a connection that only reads, beside the writer.
    pub reader: Arc<dyn Fn() -> Result<Database> + Send + Sync>,
    /// Rows are chained under it.
    pub key: AuditKey,
    /// Where the checkpoint is kept.
    pub checkpoint: PathBuf,
    /// What writes it.
    pub disk: SharedDisk,
    /// What time it is.
    pub clock: Clock,
}

impl fmt::Debug for AuditStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditStore").field("checkpoint", &self.checkpoint).finish_non_exhaustive()
    }
}

/// The owner of the audit log.
#[derive(Clone, Debug)]
pub struct AuditHandle {
    owner: OwnerRef<AuditActor>,
    pub(super) store: Arc<AuditStore>,
    denials: Arc<Denials>,
    troubles: Arc<Mutex<BTreeMap<&'static str, Trouble>>>,
    /// Rings when rows were written or a checkpoint was taken.
    pub(super) written: Arc<watch::Sender<()>>,
    /// One proof at a time: it reads the whole log.
    pub(super) proving: Arc<tokio::sync::Mutex<()>>,
    /// The last checkpoint that was taken, and how many there were.
    pub(super) latest: Arc<Mutex<Option<(u64, Checkpoint)>>>,
}

impl AuditHandle {
    /// Starts the owner.
    pub async fn start(store: AuditStore, guardian: &Guardian) -> Result<Self> {
        let owner = OwnerRef::new("audit", 4096, guardian.alarm());
        let (arbiter, store) = (actix::Arbiter::new(), Arc::new(store));
        let written = Arc::new(watch::Sender::default());
        let shared = (store.clone(), written.clone());
        guardian
            .watch(&owner, move || {
                let ((store, written), arbiter) = (shared.clone(), arbiter.handle());
                let start = move |_: &mut Context<AuditActor>| AuditActor::new(&store, written);
                Box::pin(async move { Ok(AuditActor::start_in_arbiter(&arbiter, start)) })
            })
            .await?;
        let (denials, troubles, latest) = (Arc::default(), Arc::default(), Arc::default());
        Ok(Self { owner, store, denials, troubles, written, proving: Arc::default(), latest })
    }

    /// Appends an event; it is durable when this returns.
    pub async fn record(&self, event: Event) -> Result<()> {
        self.owner.ask(Intent::Change, Record(Box::new(event))).await
    }

    /// Records a denial. The first of its kind is durable when this returns; what repeats it within a minute is counted.
    pub async fn deny(&self, denial: Denial) -> Result<()> {
        let Some((kind, event)) = self.denials.admit(denial) else { return Ok(()) };
        self.close_later(kind);
        self.record(event).await
    }

    /// The same, and nobody waits for the row.
    pub fn note_denial(&self, denial: Denial) {
        let Some((kind, event)) = self.denials.admit(denial) else { return };
        self.close_later(kind);
        let audit = self.clone();
        actix_rt::spawn(async move { audit.record_denial(event).await });
    }

    /// Writes the counts of all that was repeated, and a last checkpoint: at shutdown.
    pub async fn close(&self) {
        for event in self.denials.close_all() {
            self.record_denial(event).await;
        }
        if let Err(error) = self.checkpoint().await {
            log::error!("the last checkpoint of the audit log failed: {error:?}");
        }
    }

    fn close_later(&self, kind: DenialKind) {
        let audit = self.clone();
        actix_rt::spawn(async move {
            tokio::time::sleep(WINDOW).await;
            if let Some(event) = audit.denials.close(&kind) {
                audit.record_denial(event).await;
            }
        });
    }

    async fn record_denial(&self, event: Event) {
        if let Err(error) = self.record(event).await {
            log::error!("a denial could not be written to the audit log: {error:?}");
        }
    }

    /// What an operator should look at.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn set_trouble(&self, about: &'static str, trouble: Option<Trouble>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match trouble.clone() {
            Some(trouble) => troubles.insert(about, trouble),
            None => troubles.remove(about),
        };
        if before != trouble {
            log::warn!("audit log: {about}: {}", trouble.map_or("in order again".to_owned(), |t| format!("{t:?}")));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::audit::state::Outcome;
    use crate::db::key::DbKey;
    use crate::db::runtime::{self, AuditFilter};
    use crate::disk::real::RealDisk;
    use crate::domain::clock::Timestamp;
    use crate::kernel::guardian::Alarm;
    use futures_util::future::join_all;
    use serde_json::json;

    pub(in crate::audit) fn event(n: usize) -> Event {
        Event {
            actor: "$bootstrap".into(),
            action: "user.create",
            target: n.to_string(),
            outcome: Outcome::Success,
            ip: "127.0.0.1".into(),
            request_id: "r".into(),
            detail: json!({"n": n}),
        }
    }

    /// An owner over a log in this directory.
    pub(in crate::audit) async fn owner(dir: &std::path::Path, clock: &Clock) -> AuditHandle {
        let path = dir.join("state.db");
        let open = move || runtime::open(&path, &DbKey::of_state_db(&[7; 32]));
        let guardian = Guardian::new(Alarm::default());
        let store = AuditStore {
            db: StateDbHandle::start(open.clone(), &guardian).await.unwrap(),
            reader: Arc::new(open),
            key: AuditKey::of_instance(&[7; 32]),
            checkpoint: dir.join("checkpoint"),
            disk: Arc::new(RealDisk),
            clock: clock.clone(),
        };
        AuditHandle::start(store, &guardian).await.unwrap()
    }

    #[test]
    fn what_was_recorded_is_durable_and_chained() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_secs(1000));
        crate::testing::run(async {
            let handle = owner(dir.path(), &clock).await;
            for outcome in join_all((0..600).map(|n| handle.record(event(n)))).await {
                outcome.unwrap();
            }
            let last = handle.page(AuditFilter::default(), None, 1).await.unwrap().remove(0);
            assert_eq!((last.seq, last.outcome.as_str()), (600, "success"));
            let check = handle.verify(Vec::new()).await.unwrap();
            assert_eq!((check.head.count, check.rows, check.gap), (600, 600, None));
        });
    }
}
