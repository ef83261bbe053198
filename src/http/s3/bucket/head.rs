//! HeadBucket: is it there, and where.

use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use actix_web::HttpResponse;
use actors::domain::names::BucketName;

/// Says whether the bucket exists.
pub(in crate::http::s3) fn answer(call: &Call, name: &BucketName) -> Result<HttpResponse, S3Error> {
    call.view.route(name)?;
    Ok(HttpResponse::Ok().insert_header(("x-amz-bucket-region", call.region())).finish())
}
