//! GetBucketLocation: the region, which AWS leaves empty for us-east-1.

use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::xml::write::Document;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::domain::names::BucketName;

/// Says where the bucket is.
pub(in crate::http::s3) fn answer(call: &Call, name: &BucketName) -> Result<HttpResponse, S3Error> {
    call.view.route(name)?;
    let mut document = Document::new("LocationConstraint");
    if call.region() != "us-east-1" {
        document.content(call.region());
    }
    Ok(reply::xml(StatusCode::OK, document.finish()))
}
