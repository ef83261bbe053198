//! The one path of every mutation: batches go to `iam`, what is durable is published, and only then answered.

use crate::config::ConfigHandle;
use crate::domain::atrest;
use crate::domain::change::{Asked, Changed};
use crate::domain::config::edit::no_such_backend;
use crate::domain::state::State;
use crate::fault;
use crate::iam::IamHandle;
use crate::iam::messages::Applied;
use crate::iam_db::IamDbHandle;
use crate::store::StoreHandle;
use crate::system::cell::Cell;
use crate::system::commit_point::swap_all;
use crate::system::messages::{Fence, FenceSettled, Mutate, NewIds, Reconnect, SwapAll};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result};
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, AsyncContext, AtomicResponse, Context, Handler, ResponseFuture};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// A batch is at most this many changes, so that none waits behind an endless one.
const BATCH: usize = 1000;

/// The owners below, as `system` asks them.
#[derive(Clone, Debug)]
pub(super) struct Below {
    pub(super) config: ConfigHandle,
    pub(super) iam: IamHandle,
    pub(super) iam_db: IamDbHandle,
    pub(super) disk: crate::disk::SharedDisk,
    pub(super) state_dir: std::path::PathBuf,
}

/// The owner of the published view and of the order of mutations.
pub(super) struct SystemActor {
    cell: Arc<Cell>,
    below: Below,
    waiting: Vec<(Asked, oneshot::Sender<Result<Changed>>)>,
    running: bool,
}

impl SystemActor {
    pub(super) fn new(cell: Arc<Cell>, below: Below) -> Self {
        Self { cell, below, waiting: Vec::new(), running: false }
    }

    /// Starts the next batch, if one waits and none runs.
    fn pump(&mut self, context: &mut Context<Self>) {
        if self.running || self.waiting.is_empty() {
            return;
        }
        let rest = self.waiting.split_off(self.waiting.len().min(BATCH));
        let (changes, replies): (Vec<_>, Vec<_>) = std::mem::replace(&mut self.waiting, rest).into_iter().unzip();
        if let Err(refusal) = self.cell.check_fence(None) {
            for reply in replies {
                let _ = reply.send(Err(copy(&refusal)));
            }
            return;
        }
        // Looked at here and not only at the edge: the config may have changed while the change was on its way.
        let view = self.cell.view();
        let (mut allowed, mut waiting) = (Vec::new(), Vec::new());
        for (asked, reply) in changes.into_iter().zip(replies) {
            match view.refusal(&asked.change) {
                Some(refusal) => {
                    let _ = reply.send(Err(refusal));
                }
                None => {
                    allowed.push(asked);
                    waiting.push(reply);
                }
            }
        }
        let (changes, replies): (Vec<Asked>, _) = (allowed, waiting);
        if changes.is_empty() {
            return self.pump(context);
        }
        self.running = true;
        let iam = self.below.iam.clone();
        let work = async move {
            let outcome = iam.apply(changes).await;
            let state = match &outcome {
                Ok(applied) => Some(applied.state.clone()),
                Err(_) => settled_state(&iam).await,
            };
            (outcome, state)
        };
        context.spawn(wrap_future(work).map(move |(outcome, state), actor: &mut Self, context| {
            fault::point("system.publish");
            if let Some(state) = state {
                actor.publish_state(state);
            }
            answer(outcome, replies);
            actor.running = false;
            actor.pump(context);
        }));
    }

    /// Publishes a state if it is newer than the view's.
    fn publish_state(&self, state: Arc<State>) {
        let view = self.cell.view();
        if !Arc::ptr_eq(&view.state, &state) && view.state.meta.epoch == state.meta.epoch {
            self.cell.publish(SystemView::with_state(&view, state));
        }
    }
}

impl Actor for SystemActor {
    type Context = Context<Self>;

    /// A rebuilt `system` publishes what became durable while it was gone.
    fn started(&mut self, context: &mut Self::Context) {
        let iam = self.below.iam.clone();
        context.wait(wrap_future(async move { settled_state(&iam).await }).map(|state, actor: &mut Self, _| {
            if let Some(state) = state {
                actor.publish_state(state);
            }
        }));
    }
}

impl Handler<Mutate> for SystemActor {
    type Result = ResponseFuture<Result<Changed>>;

    fn handle(&mut self, message: Mutate, context: &mut Self::Context) -> Self::Result {
        fault::point("system.mutate");
        let (reply, answer) = oneshot::channel();
        self.waiting.push((message.0, reply));
        self.pump(context);
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(unknown())) })
    }
}

impl Handler<Fence> for SystemActor {
    type Result = ResponseFuture<Result<()>>;

    /// The fence goes up at once, so that no mutation starts any more; it holds when the one in progress has ended.
    fn handle(&mut self, message: Fence, context: &mut Self::Context) -> Self::Result {
        fault::point("system.fence");
        if let Err(refusal) = self.cell.raise_fence(&message.restore_id) {
            return Box::pin(async move { Err(refusal) });
        }
        let me = context.address();
        Box::pin(async move {
            loop {
                match me.send(FenceSettled(message.clone())).await {
                    Ok(Some(outcome)) => return outcome,
                    Ok(None) => tokio::time::sleep(Duration::from_millis(2)).await,
                    Err(_) => return Err(unknown()),
                }
            }
        })
    }
}

impl Handler<FenceSettled> for SystemActor {
    type Result = Option<Result<()>>;

    fn handle(&mut self, message: FenceSettled, _: &mut Self::Context) -> Self::Result {
        if self.running {
            return None;
        }
        let Fence { restore_id, version } = message.0;
        let outcome = self.cell.hold_fence(&restore_id).and_then(|()| check_version(&self.cell, &version));
        if outcome.is_err() {
            self.cell.lift_fence(&restore_id);
        }
        Some(outcome)
    }
}

impl Handler<Reconnect> for SystemActor {
    type Result = Result<()>;

    fn handle(&mut self, message: Reconnect, _: &mut Self::Context) -> Self::Result {
        fault::point("system.reconnect");
        self.cell.check_fence(None)?;
        let view = self.cell.view();
        let configured = view.config.storage.backends.get(message.store.name());
        let backend = configured.ok_or_else(|| no_such_backend(message.store.name()))?;
        if message
            .opened_for
            .is_some_and(|config| !Arc::ptr_eq(&config, &view.config) || !is_known(&view, &message.store))
        {
            let message = format!("backend `{}` was changed while it was opened", message.store.name());
            return Err(Error::new(ErrorKind::RouteChanged, "reconnect", message));
        }
        let seal = atrest::seal(backend, &view.state.keyring, view.state.meta.quarantined_from.as_deref());
        self.cell.publish(view.with_store(message.store.sealed(seal)));
        drop(message.commits);
        Ok(())
    }
}

/// Whether a backend bears the id that the state has for it, or is the first of its name.
fn is_known(view: &SystemView, store: &StoreHandle) -> bool {
    let known = view.state.backends.get(store.name());
    known.is_none() || known == store.backend_id().as_ref()
}

impl Handler<SwapAll> for SystemActor {
    // Nothing else may happen here while all state is swapped.
    type Result = AtomicResponse<Self, Result<NewIds>>;

    fn handle(&mut self, message: SwapAll, _: &mut Self::Context) -> Self::Result {
        fault::point("system.swap_all");
        let (cell, below) = (self.cell.clone(), self.below.clone());
        AtomicResponse::new(Box::pin(wrap_future(async move {
            let outcome = swap_all(&cell, &below, *message.next).await;
            drop(message.commits);
            outcome
        })))
    }
}

/// Refuses if the state moved on since a plan was made.
pub(super) fn check_version(cell: &Cell, version: &str) -> Result<()> {
    let now = cell.view().version();
    if now == version {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::StaleGeneration,
        "system",
        format!("the state moved on from {version} to {now}; nothing was changed"),
    )
    .with_code("generation_changed")
    .with_hint("make the plan again"))
}

/// The durable state after an owner below was lost: waits until it has been rebuilt.
async fn settled_state(iam: &IamHandle) -> Option<Arc<State>> {
    for _ in 0..100 {
        match iam.current().await {
            Ok(state) => return Some(state),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    log::error!("the state could not be read back after an owner was lost; the view may be behind the disk");
    None
}

fn answer(outcome: Result<Applied>, replies: Vec<oneshot::Sender<Result<Changed>>>) {
    match outcome {
        Ok(applied) => {
            for (reply, answer) in replies.into_iter().zip(applied.answers) {
                let _ = reply.send(answer);
            }
        }
        Err(error) => {
            log::error!("a batch of {} changes failed: {error:?}", replies.len());
            for reply in replies {
                let _ = reply.send(Err(copy(&error)));
            }
        }
    }
}

/// The same error for each of a batch; the source stays in the log.
fn copy(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.operation(), error.message());
    if let Some(code) = error.code() {
        copy = copy.with_code(code);
    }
    if let Some(hint) = error.hint() {
        copy = copy.with_hint(hint);
    }
    copy
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::OutcomeUnknown,
        "system",
        "the server restarted a part of itself while it made this change; read the state before you try again",
    )
}
