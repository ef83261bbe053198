//! ListParts: what has been kept of an upload.

use super::{document, of_upload, reference};
use crate::http::reply;
use crate::http::s3::bucket::list;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::ListParts;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::storage::multipart::PartPage;

/// Lists a page of parts.
pub(in crate::http::s3) async fn answer(call: &Call, wanted: &ListParts) -> Result<HttpResponse, S3Error> {
    let route = call.view.route(&wanted.upload.bucket)?;
    let upload = reference(&route, &wanted.upload)?;
    let page = if wanted.max_parts == 0 {
        let known = route.store.upload(&upload).await;
        known.map(|upload| PartPage { upload, parts: Vec::new(), next: None })
    } else {
        route.store.list_parts(&upload, wanted.marker, wanted.max_parts).await
    };
    let page = page.map_err(|error| of_upload(error, &wanted.upload))?;
    let owner = list::owner(call, &wanted.upload.bucket);
    Ok(reply::xml(StatusCode::OK, document::parts(wanted, &page, &owner)))
}
