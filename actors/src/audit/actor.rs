//! The shell around [`Queue`]: one transaction at a time, and what waits meanwhile makes the next one.

use crate::audit::handle::AuditStore;
use crate::audit::messages::Record;
use crate::audit::state::{Event, Queue};
use crate::db::runtime;
use crate::db::runtime::{AuditKey, NewAuditRow};
use crate::domain::clock::{Clock, Timestamp};
use crate::fault;
use crate::state_db::handle::StateDbHandle;
use crate::{Error, ErrorKind, Result};
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, AsyncContext, Context, Handler, ResponseFuture};
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// The owner of the audit log.
pub(super) struct AuditActor {
    queue: Queue<Waiting>,
    db: StateDbHandle,
    key: Arc<AuditKey>,
    clock: Clock,
    /// Rings for those who follow the log.
    written: Arc<watch::Sender<()>>,
}

/// A row, and who waits for it to be durable.
type Waiting = (NewAuditRow, oneshot::Sender<Result<()>>);

impl AuditActor {
    pub(super) fn new(store: &AuditStore, written: Arc<watch::Sender<()>>) -> Self {
        let AuditStore { db, key, clock, .. } = store;
        Self { queue: Queue::default(), db: db.clone(), key: Arc::new(key.clone()), clock: clock.clone(), written }
    }

    /// Writes the next batch, if one waits and none is being written.
    fn pump(&mut self, context: &mut Context<Self>) {
        let Some(batch) = self.queue.next() else { return };
        let (rows, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let (db, key) = (self.db.clone(), self.key.clone());
        let write = async move { db.run(move |connection| runtime::append_audit(connection, &key, &rows)).await };
        context.spawn(wrap_future(write).map(move |outcome, actor: &mut Self, context| {
            fault::point("audit.written");
            answer(replies, &outcome);
            actor.queue.written();
            actor.written.send_replace(());
            actor.pump(context);
        }));
    }
}

impl Actor for AuditActor {
    type Context = Context<Self>;
}

impl Handler<Record> for AuditActor {
    type Result = ResponseFuture<Result<()>>;

    fn handle(&mut self, message: Record, context: &mut Self::Context) -> Self::Result {
        fault::point("audit.record");
        let (reply, answer) = oneshot::channel();
        let row = row(*message.0, self.clock.now());
        // What a client sent is escaped, so that nobody writes a line of their own.
        let (target, actor) = (row.target.escape_debug(), row.actor.escape_debug());
        log::info!(
            target: "audit",
            "{} {target} {} by {actor} from {} in {}",
            row.action, row.outcome, row.ip, row.request_id
        );
        self.queue.push((row, reply));
        self.pump(context);
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(lost())) })
    }
}

fn row(event: Event, at: Timestamp) -> NewAuditRow {
    NewAuditRow {
        at,
        actor: event.actor,
        action: event.action.to_owned(),
        target: event.target,
        outcome: event.outcome.as_str().to_owned(),
        ip: event.ip,
        request_id: event.request_id,
        detail: event.detail.to_string(),
    }
}

/// Tells each of a batch how it ended; the source of an error stays in the log.
fn answer(replies: Vec<oneshot::Sender<Result<()>>>, outcome: &Result<()>) {
    if let Err(error) = outcome {
        log::error!("{} rows of the audit log could not be written: {error:?}", replies.len());
    }
    for reply in replies {
        let own = match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(Error::new(error.kind(), "audit", error.message())),
        };
        // Whoever asked may have gone; the row is there all the same.
        let _ = reply.send(own);
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::OutcomeUnknown, "audit", "the audit log restarted while this was recorded")
}
