//! The shell around [`BackupState`]: the work runs beside it, and ends with it.

use crate::Result;
use crate::backup::handle::Tools;
use crate::backup::messages::{
    ChangePassword, CheckStored, Configure, Declare, DeleteStored, Export, FetchStored, ListStored, LookAt, Recover,
    Repeat, Restore, Restores, Store, StoredBackup, TakeRoot, Tick, Trust, Undo, Verify,
};
use crate::backup::pieces::Archive;
use crate::backup::recover::{self, Recovered};
use crate::backup::state::BackupState;
use crate::backup::stored::{self, Keeper};
use crate::backup::{configure, declare, export, password, read, record, restore, undo};
use crate::domain::stored::Trigger;
use crate::fault;
use crate::storage::look::Look;
use crate::zipper::Source;
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, Context, Handler, ResponseActFuture, ResponseFuture};
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;

/// The owner of backups.
pub(super) struct BackupActor {
    tools: Tools,
    keeper: Arc<Keeper>,
    state: BackupState,
}

impl BackupActor {
    pub(super) fn new(tools: Tools, keeper: Arc<Keeper>) -> Self {
        Self { tools, keeper, state: BackupState::default() }
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
        if let Some(outcome) = self.repeated(request.repeat.as_ref()) {
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

impl Handler<Declare> for BackupActor {
    type Result = ResponseActFuture<Self, Result<Value>>;

    fn handle(&mut self, message: Declare, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.declare");
        let id = uuid::Uuid::new_v4().to_string();
        if let Err(refusal) = self.state.begin(&id) {
            return Box::pin(wrap_future(async move { Err(refusal) }));
        }
        let tools = self.tools.clone();
        Box::pin(wrap_future(async move { declare::run(&tools, &id, message.0).await }).map(
            |outcome: Result<Value>, actor: &mut Self, _| {
                actor.state.end();
                outcome
            },
        ))
    }
}

impl Handler<Configure> for BackupActor {
    type Result = ResponseActFuture<Self, Result<Value>>;

    fn handle(&mut self, message: Configure, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.configure");
        let tools = self.tools.clone();
        self.swap(|id| async move { configure::run(&tools, &id, message.0).await })
    }
}

impl Handler<TakeRoot> for BackupActor {
    type Result = ResponseActFuture<Self, Result<String>>;

    fn handle(&mut self, message: TakeRoot, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.take_root");
        let tools = self.tools.clone();
        self.swap(|_| async move { configure::take_root(&tools, message.name, message.means).await })
    }
}

impl Handler<LookAt> for BackupActor {
    type Result = ResponseFuture<Result<Look>>;

    fn handle(&mut self, message: LookAt, _: &mut Self::Context) -> Self::Result {
        let tools = self.tools.clone();
        Box::pin(async move { configure::look_at(&tools, &message.0).await })
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

impl Handler<Store> for BackupActor {
    // Spawned on this actor: when it dies the run ends with it, and the next may begin.
    type Result = ResponseActFuture<Self, Result<StoredBackup>>;

    fn handle(&mut self, message: Store, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.store");
        let (tools, keeper) = (self.tools.clone(), self.keeper.clone());
        Box::pin(wrap_future(async move { stored::store(&tools, &keeper, message.who, Trigger::Request).await }))
    }
}

impl Handler<Tick> for BackupActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, _: Tick, _: &mut Self::Context) -> Self::Result {
        let (tools, keeper) = (self.tools.clone(), self.keeper.clone());
        Box::pin(wrap_future(async move { stored::tick(&tools, &keeper).await }))
    }
}

impl Handler<ListStored> for BackupActor {
    type Result = ResponseFuture<Result<Vec<StoredBackup>>>;

    fn handle(&mut self, _: ListStored, _: &mut Self::Context) -> Self::Result {
        let tools = self.tools.clone();
        Box::pin(async move { stored::entries(&tools).await })
    }
}

impl Handler<FetchStored> for BackupActor {
    type Result = ResponseFuture<Result<Source>>;

    fn handle(&mut self, message: FetchStored, _: &mut Self::Context) -> Self::Result {
        let tools = self.tools.clone();
        Box::pin(async move { stored::fetch(&tools, &message.id).await })
    }
}

impl Handler<Trust> for BackupActor {
    type Result = ResponseFuture<Result<()>>;

    fn handle(&mut self, message: Trust, _: &mut Self::Context) -> Self::Result {
        let tools = self.tools.clone();
        Box::pin(async move { stored::trust(&tools, &message.id, message.archive).await })
    }
}

impl Handler<CheckStored> for BackupActor {
    type Result = ResponseFuture<Result<StoredBackup>>;

    fn handle(&mut self, message: CheckStored, _: &mut Self::Context) -> Self::Result {
        let tools = self.tools.clone();
        Box::pin(async move { stored::check(&tools, &message.id).await })
    }
}

impl Handler<DeleteStored> for BackupActor {
    type Result = ResponseFuture<Result<()>>;

    fn handle(&mut self, message: DeleteStored, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.delete_stored");
        let tools = self.tools.clone();
        Box::pin(async move { stored::delete(&tools, &message.id, message.even_the_last).await })
    }
}

impl Handler<Recover> for BackupActor {
    type Result = ResponseActFuture<Self, Result<Recovered>>;

    fn handle(&mut self, message: Recover, _: &mut Self::Context) -> Self::Result {
        fault::point("backup.recover");
        let tools = self.tools.clone();
        self.swap(
            |id| async move { recover::recover(&tools, &id, message.opened, Some(message.caller_token_sha256)).await },
        )
    }
}
