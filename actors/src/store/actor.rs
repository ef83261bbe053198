//! The shell around [`StoreState`]: it admits a change, lets the store do it, and notes how it ended.
//!
//! The work itself is a future that outlives this actor: it holds only the store and the key's lock, both outside.

mod uploads;

use crate::domain::clock::Clock;
use crate::fault;
use crate::storage::{ObjectStore, ObjectWriter};
use crate::store::messages::{BeginWrite, Commit, CreateBucket, Delete, DeleteBucket, Drain, Probe, SetTags};
use crate::store::state::{Health, StoreState};
use crate::{Error, Result};
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, AsyncContext, Context, Handler, ResponseActFuture};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How often the store is asked to do what waits.
const UPKEEP: Duration = Duration::from_secs(1);

/// The owner of one backend.
pub(super) struct StoreActor {
    store: Arc<dyn ObjectStore>,
    clock: Clock,
    state: StoreState,
    /// What the store does on its own account.
    upkeep: Option<tokio::task::JoinHandle<()>>,
}

impl StoreActor {
    pub(super) fn new(store: Arc<dyn ObjectStore>, clock: Clock) -> Self {
        Self { store, clock, state: StoreState::default(), upkeep: None }
    }

    /// Lets the store do what waits, unless it still does or everything is about to end.
    fn keep_up(&mut self) {
        if self.state.is_draining() || self.upkeep.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let store = self.store.clone();
        self.upkeep = Some(tokio::spawn(async move {
            if let Err(error) = store.upkeep().await {
                log::warn!(error:? = error; "the upkeep of a backend failed; it is tried again");
            }
        }));
    }

    fn stop_upkeep(&mut self) {
        if let Some(task) = self.upkeep.take() {
            task.abort();
        }
    }

    /// Runs one change detached from this actor, and notes its end here.
    fn change<T, F>(&mut self, work: F) -> ResponseActFuture<Self, Result<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        if let Err(error) = self.state.begin() {
            return Box::pin(wrap_future(async move { Err(error) }));
        }
        // A task of its own: when this actor dies, a commit under way still ends.
        let task = tokio::spawn(work);
        Box::pin(wrap_future(task).map(|joined, actor: &mut Self, _| {
            let outcome = joined.unwrap_or_else(|panic| Err(Error::internal("store", panic)));
            actor.state.end(actor.clock.now(), outcome.as_ref().err());
            outcome
        }))
    }
}

impl Actor for StoreActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(UPKEEP, |actor, _| actor.keep_up());
    }
}

impl Drop for StoreActor {
    fn drop(&mut self) {
        self.stop_upkeep();
    }
}

impl Handler<BeginWrite> for StoreActor {
    type Result = ResponseActFuture<Self, Result<Box<dyn ObjectWriter>>>;

    fn handle(&mut self, message: BeginWrite, _: &mut Self::Context) -> Self::Result {
        fault::point("store.begin_write");
        let store = self.store.clone();
        self.change(async move { store.begin_write(&message.bucket, &message.key).await })
    }
}

impl Handler<Commit> for StoreActor {
    type Result = ResponseActFuture<Self, Result<crate::domain::object::ObjectMeta>>;

    fn handle(&mut self, message: Commit, _: &mut Self::Context) -> Self::Result {
        fault::point("store.commit");
        let store = self.store.clone();
        self.change(async move { store.commit(message.0).await })
    }
}

impl Handler<Delete> for StoreActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: Delete, _: &mut Self::Context) -> Self::Result {
        fault::point("store.delete");
        let store = self.store.clone();
        self.change(async move { store.delete(&message.bucket, &message.key, &message.conditions).await })
    }
}

impl Handler<SetTags> for StoreActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: SetTags, _: &mut Self::Context) -> Self::Result {
        fault::point("store.set_tags");
        let store = self.store.clone();
        self.change(async move { store.set_tags(&message.bucket, &message.key, message.tags).await })
    }
}

impl Handler<CreateBucket> for StoreActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: CreateBucket, _: &mut Self::Context) -> Self::Result {
        fault::point("store.create_bucket");
        let store = self.store.clone();
        self.change(async move { store.create_bucket(&message.0).await })
    }
}

impl Handler<DeleteBucket> for StoreActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: DeleteBucket, _: &mut Self::Context) -> Self::Result {
        fault::point("store.delete_bucket");
        let store = self.store.clone();
        self.change(async move { store.delete_bucket(&message.0).await })
    }
}

impl Handler<Probe> for StoreActor {
    type Result = ResponseActFuture<Self, Result<Health>>;

    fn handle(&mut self, probe: Probe, _: &mut Self::Context) -> Self::Result {
        fault::point("store.probe");
        let write = probe.writes && self.state.write_probe_due(self.clock.now());
        let store = self.store.clone();
        Box::pin(wrap_future(async move { store.probe(write).await }).map(|outcome, actor: &mut Self, _| {
            actor.state.note(actor.clock.now(), outcome.as_ref().err());
            Ok(actor.state.health())
        }))
    }
}

impl Handler<Drain> for StoreActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, _: Drain, context: &mut Self::Context) -> Self::Result {
        self.state.drain();
        self.stop_upkeep();
        if self.state.is_idle() {
            return Box::pin(wrap_future(async { Ok(()) }));
        }
        let me = context.address();
        Box::pin(wrap_future(async move {
            // The number of writes only falls from here on, so this ends; the caller bounds it in time.
            tokio::time::sleep(Duration::from_millis(20)).await;
            me.send(Drain).await.unwrap_or(Ok(()))
        }))
    }
}
