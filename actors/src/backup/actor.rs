//! The shell around [`BackupState`]: the work runs beside it, and ends with it.

use crate::Result;
use crate::backup::handle::Tools;
use crate::backup::messages::{Archive, ChangePassword, Export, Restore, Restores, Verify};
use crate::backup::state::BackupState;
use crate::backup::{export, password, read, record, restore};
use crate::fault;
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, Context, Handler, ResponseActFuture, ResponseFuture};
use serde_json::Value;

/// The owner of backups.
pub(super) struct BackupActor {
    tools: Tools,
    state: BackupState,
}

impl BackupActor {
    pub(super) fn new(tools: Tools) -> Self {
        Self { tools, state: BackupState::default() }
    }
}

impl Actor for BackupActor {
    type Context = Context<Self>;
}

impl Handler<Export> for BackupActor {
    type Result = ResponseFuture<Result<Archive>>;

    fn handle(&mut self, message: Export, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.export");
        let tools = self.tools.clone();
        Box::pin(async move { export::export(&tools, message.who).await })
    }
}

impl Handler<Verify> for BackupActor {
    type Result = ResponseFuture<Result<Value>>;

    fn handle(&mut self, message: Verify, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.verify");
        let tools = self.tools.clone();
        Box::pin(async move { read::verify(&tools, message.0).await })
    }
}

impl Handler<Restore> for BackupActor {
    // Spawned on this actor: when it dies before the commit point, the restore is dropped, and with it fence and staging.
    type Result = ResponseActFuture<Self, Result<Value>>;

    fn handle(&mut self, message: Restore, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.restore");
        let request = message.0;
        let key = request.idempotency_key.clone().map(|key| (key, request.fingerprint()));
        match self.state.remembered(key.as_ref()) {
            Ok(None) => {}
            Ok(Some(outcome)) => return Box::pin(wrap_future(async move { Ok(outcome) })),
            Err(refusal) => return Box::pin(wrap_future(async move { Err(refusal) })),
        }
        let restore_id = uuid::Uuid::new_v4().to_string();
        if let Err(refusal) = self.state.begin(&restore_id) {
            return Box::pin(wrap_future(async move { Err(refusal) }));
        }
        let tools = self.tools.clone();
        Box::pin(wrap_future(async move { restore::run(&tools, &restore_id, request).await }).map(
            move |outcome: Result<Value>, actor: &mut Self, _| {
                actor.state.end(key, outcome.as_ref().ok());
                outcome
            },
        ))
    }
}

impl Handler<ChangePassword> for BackupActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: ChangePassword, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.password");
        let id = uuid::Uuid::new_v4().to_string();
        if let Err(refusal) = self.state.begin(&id) {
            return Box::pin(wrap_future(async move { Err(refusal) }));
        }
        let tools = self.tools.clone();
        Box::pin(wrap_future(async move { password::change(&tools, &id, message.0).await }).map(
            |outcome: Result<()>, actor: &mut Self, _| {
                actor.state.end(None, None);
                outcome
            },
        ))
    }
}

impl Handler<Restores> for BackupActor {
    type Result = ResponseFuture<Result<Vec<Value>>>;

    fn handle(&mut self, _: Restores, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.restores");
        let tools = self.tools.clone();
        Box::pin(async move { record::restores(&tools).await })
    }
}
