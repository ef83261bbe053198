//! How `system` reaches the owner of IAM.

use crate::domain::change::Asked;
use crate::domain::clock::Clock;
use crate::domain::state::State;
use crate::iam::actor::IamActor;
use crate::iam::messages::{Applied, Apply, Current, Replace};
use crate::iam_db::handle::IamDbHandle;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::{ErrorKind, Result};
use actix::Actor;
use std::sync::Arc;

/// The owner of IAM.
#[derive(Clone, Debug)]
pub struct IamHandle {
    owner: OwnerRef<IamActor>,
}

impl IamHandle {
    /// Starts the owner; it reads its state from the published file, now and whenever it is rebuilt.
    ///
    /// A locked system has no state: only then is a database that does not open taken for an empty one.
    pub async fn start(db: IamDbHandle, locked: bool, clock: Clock, guardian: &Guardian) -> Result<Self> {
        let owner = OwnerRef::new("iam", 16, guardian.alarm());
        let arbiter = actix::Arbiter::new();
        guardian
            .watch(&owner, move || {
                let (db, clock, arbiter) = (db.clone(), clock.clone(), arbiter.handle());
                Box::pin(async move {
                    let current = match db.load().await {
                        Err(error) if locked && error.kind() == ErrorKind::Locked => Arc::default(),
                        other => other?,
                    };
                    Ok(IamActor::start_in_arbiter(&arbiter, move |_| IamActor::new(current, db, clock)))
                })
            })
            .await?;
        Ok(Self { owner })
    }

    /// Makes changes as one durable batch.
    pub async fn apply(&self, changes: Vec<Asked>) -> Result<Applied> {
        self.owner.ask(Intent::Change, Apply(changes)).await
    }

    /// The durable state.
    pub async fn current(&self) -> Result<Arc<State>> {
        self.owner.ask(Intent::Read, Current).await
    }

    /// Takes the state that a swap has put in place.
    pub async fn replace(&self, state: Arc<State>) -> Result<()> {
        self.owner.ask(Intent::Change, Replace(state)).await
    }
}
