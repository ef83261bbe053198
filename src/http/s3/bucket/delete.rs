//! DeleteBucket: an empty bucket leaves the registry.

use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use actix_web::HttpResponse;
use actors::domain::names::BucketName;

/// Removes the bucket.
pub(in crate::http::s3) async fn answer(call: &Call, name: &BucketName) -> Result<HttpResponse, S3Error> {
    let (system, bucket) = (call.edge.system.clone(), name.clone());
    super::change(call, "bucket.delete", name, async move { system.delete_bucket(&bucket).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}
