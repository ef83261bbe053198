//! How everybody above reaches the owner of the audit log.

use crate::Result;
use crate::audit::actor::AuditActor;
use crate::audit::messages::Record;
use crate::audit::state::Event;
use crate::db::runtime;
use crate::db::runtime::{AuditKey, AuditRow};
use crate::domain::clock::Clock;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::state_db::handle::StateDbHandle;
use actix::Actor;
use std::sync::Arc;

/// The owner of the audit log.
#[derive(Clone, Debug)]
pub struct AuditHandle {
    owner: OwnerRef<AuditActor>,
    db: StateDbHandle,
}

impl AuditHandle {
    /// Starts the owner; rows are chained under `key`.
    pub async fn start(db: StateDbHandle, key: AuditKey, clock: Clock, guardian: &Guardian) -> Result<Self> {
        let owner = OwnerRef::new("audit", 4096, guardian.alarm());
        let (arbiter, key, writer) = (actix::Arbiter::new(), Arc::new(key), db.clone());
        guardian
            .watch(&owner, move || {
                let (db, key, clock, arbiter) = (writer.clone(), key.clone(), clock.clone(), arbiter.handle());
                Box::pin(
                    async move { Ok(AuditActor::start_in_arbiter(&arbiter, move |_| AuditActor::new(db, key, clock))) },
                )
            })
            .await?;
        Ok(Self { owner, db })
    }

    /// Appends an event; it is durable when this returns.
    pub async fn record(&self, event: Event) -> Result<()> {
        self.owner.ask(Intent::Change, Record(Box::new(event))).await
    }

    /// The latest rows, the latest first.
    pub async fn tail(&self, limit: usize) -> Result<Vec<AuditRow>> {
        self.db.run(move |connection| runtime::audit_tail(connection, limit)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::state::Outcome;
    use crate::db::key::DbKey;
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

    #[test]
    fn what_was_recorded_is_durable_and_chained() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let open = move || runtime::open(&path, &DbKey::of_state_db(&[7; 32]));
        actix_rt::System::new().block_on(async {
            let guardian = Guardian::new(Alarm::default());
            let db = StateDbHandle::start(open.clone(), &guardian).await.unwrap();
            let clock = Clock::fixed(Timestamp::from_secs(1000));
            let key = AuditKey::of_instance(&[7; 32]);
            let handle = AuditHandle::start(db, key.clone(), clock, &guardian).await.unwrap();
            for outcome in join_all((0..600).map(|n| handle.record(event(n)))).await {
                outcome.unwrap();
            }
            let last = handle.tail(1).await.unwrap().remove(0);
            assert_eq!((last.seq, last.outcome.as_str()), (600, "success"));
            let check = runtime::verify_audit(&open().unwrap(), &key).unwrap();
            assert_eq!((check.head.count, check.first_gap), (600, None));
        });
    }
}
