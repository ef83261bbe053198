//! DeleteBucket: an empty bucket leaves the registry.

use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use actix_web::HttpResponse;
use actors::Error;
use actors::domain::names::BucketName;

/// Removes the bucket.
pub(in crate::http::s3) async fn answer(call: &Call, name: &BucketName) -> Result<HttpResponse, S3Error> {
    let (system, bucket) = (call.gate.system.clone(), name.clone());
    // A task of its own: a client that goes away leaves no half-removed bucket.
    let task = actix_web::rt::spawn(async move { system.delete_bucket(&bucket).await });
    task.await.map_err(|panic| Error::internal("delete bucket", panic))??;
    Ok(HttpResponse::NoContent().finish())
}
