//! Uploads in parts, one operation a file.

pub(super) mod abort;
pub(super) mod complete;
pub(super) mod create;
mod document;
mod explain;
mod keep_alive;
pub(super) mod list_parts;
pub(super) mod list_uploads;
pub(super) mod part;
pub(super) mod part_copy;
mod sums;

use super::call::Call;
use super::error::S3Error;
use super::operation::Upload;
use actors::kernel::permits::Permit;
use actors::storage::multipart::{PartCommit, PartInfo, UploadId, UploadRef};
use actors::system::{Reservation, Route};
use actors::{Error, ErrorKind};

/// The upload that a request names, as its backend knows it.
fn reference(route: &Route, upload: &Upload) -> Result<UploadRef, S3Error> {
    let id = UploadId::parse(&upload.id).map_err(|error| of_upload(error, upload))?;
    Ok(UploadRef { bucket: route.bucket.clone(), key: upload.key.clone(), id })
}

/// Adds which upload is meant, where there is none.
fn of_upload(error: Error, upload: &Upload) -> S3Error {
    let missing = error.kind() == ErrorKind::NoSuchUpload;
    let error = S3Error::from(error);
    if missing { error.with_detail("UploadId", upload.id.as_str()) } else { error }
}

/// Keeps a part that was received. A client that hangs up now cannot leave the commit half-asked.
async fn keep(
    call: &Call,
    route: Route,
    commit: PartCommit,
    (permit, room): (Permit, Reservation),
    upload: &Upload,
) -> Result<PartInfo, S3Error> {
    let system = call.edge.system.clone();
    let task = actix_web::rt::spawn(async move {
        let outcome = system.commit_part(&route, commit, room).await;
        drop(permit);
        outcome
    });
    task.await.map_err(|panic| Error::internal("commit part", panic))?.map_err(|error| of_upload(error, upload))
}
