//! The shell around [`BackupState`]: the work runs beside it, and ends with it.

use crate::Result;
use crate::backup::handle::Tools;
use crate::backup::messages::{Archive, ChangePassword, Export, Repeat, Restore, Restores, Undo, Verify};
use crate::backup::state::BackupState;
use crate::backup::{export, password, read, record, restore, undo};
use crate::fault;
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, Context, Handler, ResponseActFuture, ResponseFuture};
use serde_json::Value;
use std::future::Future;

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

impl BackupActor {
    /// Runs what swaps the state, one at a time.
    fn swap<T: 'static, F: Future<Output = Result<T>> + 'static>(
        &mut self,
        work: impl FnOnce(String) -> F,
    ) -> ResponseActFuture<Self, Result<T>> {
        let id = uuid::Uuid::new_v4().to_string();
        if let Err(refusal) = self.state.begin(&id) {
            return Box::pin(wrap_future(async move { Err(refusal) }));
        }
        Box::pin(wrap_future(work(id)).map(|outcome: Result<T>, actor: &mut Self, _| {
            actor.state.end();
            outcome
        }))
    }

    /// The first outcome of a request that was sent before: no second swap is made for it.
    fn repeated(&self, repeat: Option<&Repeat>) -> Option<ResponseActFuture<Self, Result<Value>>> {
        let outcome = record::repeated(&self.tools.system.view().state, repeat).transpose()?;
        Some(Box::pin(wrap_future(async move { outcome })))
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
        let (request, tools) = (message.0, self.tools.clone());
        if let Some(outcome) = self.repeated(request.repeat().as_ref()) {
            return outcome;
        }
        self.swap(|id| async move { restore::run(&tools, &id, request).await })
    }
}

impl Handler<Undo> for BackupActor {
    type Result = ResponseActFuture<Self, Result<Value>>;

    fn handle(&mut self, message: Undo, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.undo");
        let (request, tools) = (message.0, self.tools.clone());
        if let Some(outcome) = self.repeated(request.repeat.as_ref()) {
            return outcome;
        }
        self.swap(|id| async move { undo::run(&tools, &id, request).await })
    }
}

impl Handler<ChangePassword> for BackupActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: ChangePassword, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.password");
        let (change, tools) = (message.0, self.tools.clone());
        self.swap(|id| async move { password::change(&tools, &id, change).await })
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
