//! How everybody above reaches the owner of the audit log, and reads the log beside it.

use crate::audit::actor::AuditActor;
use crate::audit::checkpoint::{Checkpoint, read_checkpoint};
use crate::audit::denials::{Denial, DenialKind, Denials, WINDOW};
use crate::audit::messages::Record;
use crate::audit::state::{Event, Outcome};
use crate::audit::upkeep::Retention;
use crate::db::runtime::{self, AuditCheck, AuditFilter, AuditHead, AuditKey, AuditRow};
use crate::disk::SharedDisk;
use crate::domain::attention::AuditTrouble as Trouble;
use crate::domain::clock::Clock;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::state_db::handle::StateDbHandle;
use crate::{Error, Result};
use actix::Actor;
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// So many rows are pruned in one transaction: what waits for the writer meanwhile is a login.
const PRUNED_AT_ONCE: u64 = 5_000;

/// Where the log is.
#[derive(Clone)]
pub struct AuditStore {
    /// The one writer.
    pub db: StateDbHandle,
    /// Opens a connection that only reads, beside the writer.
    pub reader: Arc<dyn Fn() -> Result<Connection> + Send + Sync>,
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
    store: Arc<AuditStore>,
    denials: Arc<Denials>,
    troubles: Arc<Mutex<BTreeMap<&'static str, Trouble>>>,
}

impl AuditHandle {
    /// Starts the owner.
    pub async fn start(store: AuditStore, guardian: &Guardian) -> Result<Self> {
        let owner = OwnerRef::new("audit", 4096, guardian.alarm());
        let (arbiter, store) = (actix::Arbiter::new(), Arc::new(store));
        let shared = store.clone();
        guardian
            .watch(&owner, move || {
                let (store, arbiter) = (shared.clone(), arbiter.handle());
                Box::pin(async move { Ok(AuditActor::start_in_arbiter(&arbiter, move |_| AuditActor::new(&store))) })
            })
            .await?;
        Ok(Self { owner, store, denials: Arc::default(), troubles: Arc::default() })
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

    /// What the filter lets through, the latest first: rows before the number `before`, at most `limit`.
    pub async fn page(&self, filter: AuditFilter, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>> {
        self.read(move |connection, _| runtime::audit_page(connection, &filter, before, limit)).await
    }

    /// What the filter lets through, the oldest first: rows after the number `after`, at most `limit`.
    pub async fn rows_from(&self, filter: AuditFilter, after: u64, limit: usize) -> Result<Vec<AuditRow>> {
        self.read(move |connection, _| runtime::audit_from(connection, &filter, after, limit)).await
    }

    /// Whether the writer takes rows.
    pub async fn answers(&self) -> Result<()> {
        self.store.db.run(|connection| runtime::audit_head(connection).map(|_| ())).await
    }

    /// Proves the whole chain, against the checkpoint of the state directory and those that are given.
    pub async fn verify(&self, checkpoints: Vec<AuditHead>) -> Result<AuditCheck> {
        self.read(move |connection, store| {
            let own = read_checkpoint(&store.checkpoint, &store.key)?;
            let all: Vec<AuditHead> = checkpoints.into_iter().chain(own.map(|own| own.head())).collect();
            runtime::verify_audit(connection, &store.key, &all)
        })
        .await
    }

    /// Where the log stands, kept in the state directory. A log that is not what the last checkpoint says keeps that one: it is the
    /// evidence.
    pub async fn checkpoint(&self) -> Result<AuditHead> {
        let head = self.store.db.run(|connection| runtime::audit_head(connection)).await?;
        let now = self.store.clock.now();
        let (made, trouble) = self
            .read({
                let head = head.clone();
                move |connection, store| {
                    let kept = match read_checkpoint(&store.checkpoint, &store.key) {
                        Ok(kept) => kept,
                        Err(error) => return Ok((None, Some(error.message().to_owned()))),
                    };
                    if let Some(kept) = kept.filter(|kept| kept.count > 0)
                        && !runtime::audit_knows(connection, &kept.head())?
                    {
                        let at = kept.at.rfc3339();
                        return Ok((None, Some(format!("it does not hold row {} as of {at}", kept.count))));
                    }
                    Ok((Some(Checkpoint::sign(&store.key, &head, now)?), None))
                }
            })
            .await?;
        self.set_trouble("checkpoint", trouble.map(Trouble::Broken));
        if let Some(made) = made {
            let store = self.store.clone();
            blocking(move || made.write(store.disk.as_ref(), &store.checkpoint)).await?;
        }
        Ok(head)
    }

    /// Takes away what need not be kept, and leaves a signed stub and a row that say so.
    pub async fn prune(&self, retention: Retention) -> Result<()> {
        if retention == Retention::default() {
            return Ok(());
        }
        let now = self.store.clock.now();
        let older_than = retention.age.map(|age| now.before(age));
        let (mut through, mut gone) = (0, 0);
        loop {
            let key = self.store.key.clone();
            let prune = move |connection: &mut Connection| {
                runtime::prune_audit(connection, &key, retention.rows, older_than, now, PRUNED_AT_ONCE)
            };
            let Some((stub, rows)) = self.store.db.run(prune).await? else { break };
            (through, gone) = (stub.count, gone + rows);
        }
        if gone == 0 {
            return Ok(());
        }
        let event = Event {
            actor: "$system".into(),
            action: "audit.prune",
            target: String::new(),
            outcome: Outcome::Success,
            ip: String::new(),
            request_id: String::new(),
            detail: json!({"rows": gone, "through": through}),
        };
        self.record(event).await
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

    /// Reads on a connection of its own, so that no login waits for a long look at the log.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &AuditStore) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.store.clone();
        blocking(move || work(&(store.reader)()?, &store)).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal("audit", error))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::state::Outcome;
    use crate::db::key::DbKey;
    use crate::disk::real::RealDisk;
    use crate::domain::clock::Timestamp;
    use crate::kernel::guardian::Alarm;
    use futures_util::future::join_all;
    use serde_json::json;

    fn event(n: usize) -> Event {
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
    async fn owner(dir: &std::path::Path, clock: &Clock) -> AuditHandle {
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
        actix_rt::System::new().block_on(async {
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

    #[test]
    fn an_end_that_was_cut_off_shows_against_the_checkpoint_and_the_checkpoint_stays() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_secs(1000));
        actix_rt::System::new().block_on(async {
            let handle = owner(dir.path(), &clock).await;
            for n in 0..5 {
                handle.record(event(n)).await.unwrap();
            }
            assert_eq!(handle.checkpoint().await.unwrap().count, 5);
            let cut = |connection: &mut Connection| {
                connection.execute_batch("DELETE FROM audit WHERE seq > 3").unwrap();
                Ok(())
            };
            handle.store.db.run(cut).await.unwrap();
            let gap = handle.verify(Vec::new()).await.unwrap().gap.unwrap();
            assert_eq!((gap.seq, gap.kind.as_str()), (4, "truncated"));
            // The log grows again over what was cut off: the checkpoint still knows.
            for n in 0..5 {
                handle.record(event(n)).await.unwrap();
            }
            handle.checkpoint().await.unwrap();
            assert!(matches!(handle.troubles()[..], [Trouble::Broken(_)]));
            let gap = handle.verify(Vec::new()).await.unwrap().gap.unwrap();
            assert_eq!((gap.seq, gap.kind.as_str()), (5, "truncated"));
        });
    }

    #[test]
    fn a_pruned_log_is_whole_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_secs(1000));
        actix_rt::System::new().block_on(async {
            let handle = owner(dir.path(), &clock).await;
            for n in 0..10 {
                handle.record(event(n)).await.unwrap();
            }
            handle.checkpoint().await.unwrap();
            handle.prune(Retention { rows: Some(4), age: None }).await.unwrap();
            let check = handle.verify(Vec::new()).await.unwrap();
            assert_eq!((check.rows, check.pruned, check.head.count, check.gap), (5, 6, 11, None));
            let last = handle.page(AuditFilter::default(), None, 1).await.unwrap().remove(0);
            assert_eq!((last.action.as_str(), last.detail.as_str()), ("audit.prune", r#"{"rows":6,"through":6}"#));
            clock.advance(std::time::Duration::from_secs(86_400));
            let day = std::time::Duration::from_secs(3600);
            handle.prune(Retention { rows: None, age: Some(day) }).await.unwrap();
            let check = handle.verify(Vec::new()).await.unwrap();
            assert_eq!((check.rows, check.pruned, check.gap), (2, 10, None), "the last row and the one on the pruning");
            handle.checkpoint().await.unwrap();
            assert_eq!(handle.troubles(), []);
            let forge = |connection: &mut Connection| {
                connection.execute_batch("DELETE FROM audit WHERE seq = 11; UPDATE audit_stub SET count = 11").unwrap();
                Ok(())
            };
            handle.store.db.run(forge).await.unwrap();
            let gap = handle.verify(Vec::new()).await.unwrap().gap.unwrap();
            assert_eq!((gap.seq, gap.kind.as_str()), (11, "forged_stub"));
        });
    }
}
