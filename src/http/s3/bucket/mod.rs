//! Operations on buckets, one file each.

pub(super) mod configuration;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod head;
pub(super) mod list;
pub(super) mod list_all;
pub(super) mod list_versions;
pub(super) mod location;
pub(super) mod probe;
mod scan;

pub(in crate::http) use scan::page as visible_page;

use super::call::Call;
use super::error::S3Error;
use actors::audit::{Event, Outcome};
use actors::domain::names::BucketName;
use actors::{Error, Result};
use std::future::Future;

/// Makes a change of the registry and its audit row, in a task of its own: a client that goes away leaves neither half-made.
async fn change(
    call: &Call,
    action: &'static str,
    name: &BucketName,
    work: impl Future<Output = Result<()>> + 'static,
) -> Result<(), S3Error> {
    let audit = call.edge.audit.clone();
    let done = call.event(action, name.as_str());
    let task = actix_web::rt::spawn(async move {
        let outcome = work.await.map_err(S3Error::from);
        let event = match &outcome {
            Ok(()) => done,
            Err(error) => Event { outcome: Outcome::Failed, detail: serde_json::json!({"code": error.code()}), ..done },
        };
        audit.record(event).await?;
        outcome
    });
    task.await.map_err(|panic| Error::internal("bucket", panic))?
}
