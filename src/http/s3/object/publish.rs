//! The last step of every write: the commit, in a task of its own.

use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use actors::Error;
use actors::domain::object::ObjectMeta;
use actors::kernel::permits::Permit;
use actors::storage::CommitRequest;
use actors::system::{Reservation, Route};

/// Makes a staged object visible. A client that hangs up now cannot leave the commit half-asked.
pub(super) async fn publish(
    call: &Call,
    route: Route,
    commit: CommitRequest,
    permit: Permit,
    room: Reservation,
) -> Result<ObjectMeta, S3Error> {
    let (system, bucket, key) = (call.edge.system.clone(), route.name.clone(), commit.key.clone());
    let task = actix_web::rt::spawn(async move {
        let outcome = system.commit(&route, commit, room).await;
        drop(permit);
        outcome
    });
    task.await
        .map_err(|panic| Error::internal("commit", panic))?
        .map_err(|error| call.hide_missing(&bucket, &key, error))
}
