//! DeleteObject: idempotent, never recursive; a key that ends in `/` is a key.

use crate::http::body::range;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use actix_web::{HttpRequest, HttpResponse};
use actors::Error;
use actors::domain::names::{BucketName, ObjectKey};

/// Removes the object.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    bucket: &BucketName,
    key: &ObjectKey,
    request: &HttpRequest,
) -> Result<HttpResponse, S3Error> {
    let conditions = range::write_conditions(request.headers())?;
    let route = call.view.route(bucket)?;
    let (system, wanted) = (call.edge.system.clone(), key.clone());
    // A task of its own: a client that goes away cannot leave it half-asked.
    let task = actix_web::rt::spawn(async move { system.delete_object(&route, &wanted, conditions).await });
    task.await
        .map_err(|panic| Error::internal("delete", panic))?
        .map_err(|error| call.hide_missing(bucket, key, error))?;
    Ok(HttpResponse::NoContent().finish())
}
