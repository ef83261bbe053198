//! AbortMultipartUpload: the upload and its parts go, durably.

use super::{of_upload, reference};
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::Upload;
use actix_web::HttpResponse;
use actors::Error;

/// Gives the upload up.
pub(in crate::http::s3) async fn answer(call: &Call, upload: &Upload) -> Result<HttpResponse, S3Error> {
    let route = call.view.route(&upload.bucket)?;
    let (system, wanted) = (call.edge.system.clone(), reference(&route, upload)?);
    // A task of its own: a client that goes away cannot leave it half-asked.
    let task = actix_web::rt::spawn(async move { system.abort_upload(&route, wanted).await });
    task.await.map_err(|panic| Error::internal("abort", panic))?.map_err(|error| of_upload(error, upload))?;
    Ok(HttpResponse::NoContent().finish())
}
