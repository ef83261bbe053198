//! The shell around the IAM state: batch → durable → current. It never publishes; `system` does.

use crate::Result;
use crate::domain::clock::Clock;
use crate::domain::state::State;
use crate::fault;
use crate::iam::messages::{Applied, Apply, Current, Replace};
use crate::iam::state::run;
use crate::iam_db::handle::IamDbHandle;
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, ActorContext, AtomicResponse, Context, Handler};
use std::sync::Arc;

/// The owner of IAM.
pub(super) struct IamActor {
    current: Arc<State>,
    db: IamDbHandle,
    clock: Clock,
}

impl IamActor {
    pub(super) fn new(current: Arc<State>, db: IamDbHandle, clock: Clock) -> Self {
        Self { current, db, clock }
    }
}

impl Actor for IamActor {
    type Context = Context<Self>;
}

impl Handler<Apply> for IamActor {
    // `system` sends one batch at a time, so freezing this actor for its duration costs nobody anything and keeps the order.
    type Result = AtomicResponse<Self, Result<Applied>>;

    fn handle(&mut self, message: Apply, _: &mut Self::Context) -> Self::Result {
        fault::point("iam.apply");
        let batch = run(&self.current, message.0, self.clock.now());
        let (old, db) = (self.current.clone(), self.db.clone());
        let work = async move {
            if !batch.changed {
                return (Ok(old), batch.answers);
            }
            let new = Arc::new(batch.next);
            match db.write(old, new.clone()).await {
                Ok(()) => (Ok(new), batch.answers),
                // Whatever came of it, the file is the truth from here on.
                Err(error) => (Err((error, db.load().await)), batch.answers),
            }
        };
        AtomicResponse::new(Box::pin(wrap_future(work).map(
            |(outcome, answers), actor: &mut Self, context| match outcome {
                Ok(state) => {
                    fault::point("iam.applied");
                    actor.current = state.clone();
                    Ok(Applied { answers, state })
                }
                Err((error, reloaded)) => {
                    match reloaded {
                        Ok(state) => actor.current = state,
                        // Nobody knows what the file holds: the guardian rebuilds this owner from it, or gives up.
                        Err(_) => context.stop(),
                    }
                    Err(error)
                }
            },
        )))
    }
}

impl Handler<Current> for IamActor {
    type Result = Result<Arc<State>>;

    fn handle(&mut self, _: Current, _: &mut Self::Context) -> Self::Result {
        fault::point("iam.current");
        Ok(self.current.clone())
    }
}

impl Handler<Replace> for IamActor {
    type Result = Result<()>;

    fn handle(&mut self, message: Replace, _: &mut Self::Context) -> Self::Result {
        fault::point("iam.replace");
        self.current = message.0;
        Ok(())
    }
}
