//! The changes of multipart uploads, each admitted, run and noted like any other change.

use super::StoreActor;
use crate::domain::object::ObjectMeta;
use crate::storage::ObjectWriter;
use crate::storage::multipart::{PartInfo, UploadInfo};
use crate::store::messages::{AbortUpload, BeginPart, CommitPart, CompleteUpload, CreateUpload};
use crate::{Result, fault};
use actix::fut::ActorFutureExt;
use actix::{Handler, ResponseActFuture};

impl Handler<CreateUpload> for StoreActor {
    type Result = ResponseActFuture<Self, Result<UploadInfo>>;

    fn handle(&mut self, message: CreateUpload, _: &mut Self::Context) -> Self::Result {
        fault::point("store.create_upload");
        let store = self.store.clone();
        self.change(async move { store.create_upload(message.0).await })
    }
}

impl Handler<BeginPart> for StoreActor {
    type Result = ResponseActFuture<Self, Result<Box<dyn ObjectWriter>>>;

    fn handle(&mut self, message: BeginPart, _: &mut Self::Context) -> Self::Result {
        fault::point("store.begin_part");
        let store = self.store.clone();
        self.change(async move { store.begin_part(&message.upload, message.number).await })
    }
}

impl Handler<CommitPart> for StoreActor {
    type Result = ResponseActFuture<Self, Result<PartInfo>>;

    fn handle(&mut self, message: CommitPart, _: &mut Self::Context) -> Self::Result {
        fault::point("store.commit_part");
        let store = self.store.clone();
        self.change(async move { store.commit_part(message.0).await })
    }
}

impl Handler<CompleteUpload> for StoreActor {
    type Result = ResponseActFuture<Self, Result<ObjectMeta>>;

    fn handle(&mut self, message: CompleteUpload, _: &mut Self::Context) -> Self::Result {
        fault::point("store.complete_upload");
        let store = self.store.clone();
        let change = self.change(async move { store.complete_upload(message.0).await });
        // What waits now need not wait for the clock.
        Box::pin(change.map(|outcome, actor, _| {
            actor.keep_up();
            outcome
        }))
    }
}

impl Handler<AbortUpload> for StoreActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: AbortUpload, _: &mut Self::Context) -> Self::Result {
        fault::point("store.abort_upload");
        let store = self.store.clone();
        self.change(async move { store.abort_upload(&message.0).await })
    }
}
