//! The log beside its owner: pages, proofs, checkpoints and pruning.

use crate::audit::checkpoint::{Checkpoint, read_checkpoint};
use crate::audit::handle::{AuditHandle, AuditStore};
use crate::audit::state::{Event, Outcome};
use crate::audit::upkeep::Retention;
use crate::db::runtime::{self, AuditCheck, AuditFilter, AuditHead, AuditRow};
use crate::domain::attention::AuditTrouble as Trouble;
use crate::{Error, Result};
use rusqlite::Connection;
use serde_json::json;
use std::sync::PoisonError;
use tokio::sync::watch;

/// So many rows are pruned in one transaction: what waits for the writer meanwhile is a login.
const PRUNED_AT_ONCE: u64 = 5_000;

impl AuditHandle {
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
        let _one = self.proving.lock().await;
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
            let (store, kept) = (self.store.clone(), made.clone());
            blocking(move || kept.write(store.disk.as_ref(), &store.checkpoint)).await?;
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let number = latest.as_ref().map_or(0, |(number, _)| *number) + 1;
            *latest = Some((number, made));
        }
        self.written.send_replace(());
        Ok(head)
    }

    /// The last checkpoint that was taken since the start, and how many there were.
    pub(super) fn latest_checkpoint(&self) -> Option<(u64, Checkpoint)> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Rings when rows were written or a checkpoint was taken.
    pub(super) fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    /// The number of the last row that a sink has.
    pub(super) async fn sink_position(&self, name: String) -> Result<u64> {
        self.read(move |connection, _| runtime::sink_position(connection, &name)).await
    }

    /// Notes how far a sink has come.
    pub(super) async fn set_sink_position(&self, name: String, position: u64) -> Result<()> {
        self.store.db.run(move |connection| runtime::set_sink_position(connection, &name, position)).await
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

    /// Reads on a connection of its own, so that no login waits for a long look at the log.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &AuditStore) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.store.clone();
        blocking(move || work(&*(store.reader)()?, &store)).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal("audit", error))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::handle::tests::{event, owner};
    use crate::domain::clock::{Clock, Timestamp};

    #[test]
    fn an_end_that_was_cut_off_shows_against_the_checkpoint_and_the_checkpoint_stays() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_secs(1000));
        crate::testing::run(async {
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
        crate::testing::run(async {
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
