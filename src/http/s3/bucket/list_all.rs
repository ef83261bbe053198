//! ListBuckets: the buckets in which the caller can list something.

use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{ListBuckets, write_token};
use crate::http::s3::xml::write::Document;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::domain::clock::Timestamp;
use actors::domain::config::routing;
use actors::domain::iam::scope;

/// Lists them, in the order of names.
pub(in crate::http::s3) fn answer(call: &Call, list: &ListBuckets) -> Result<HttpResponse, S3Error> {
    let (view, principal) = (&call.view, call.principal());
    let elsewhere = list.region.as_deref().is_some_and(|region| region != call.region());
    let names = routing::routes(&view.config.storage, &view.state.buckets);
    let mut visible = names
        .keys()
        .filter(|_| !elsewhere)
        .filter(|name| name.as_str().starts_with(&list.prefix) && name.as_str() > list.after.as_str())
        .filter(|name| scope::listable(&view.state, principal, name.as_str(), &call.access));
    let mut document = Document::new("ListAllMyBucketsResult");
    document.open("Owner").text("ID", &principal.owner_id());
    document.text("DisplayName", &principal.display_name(&view.state)).close().open("Buckets");
    let mut last = None;
    for name in visible.by_ref().take(list.max_buckets.unwrap_or(usize::MAX)) {
        let made = view.state.buckets.get(name).map_or(Timestamp::default(), |bucket| bucket.created_at);
        document.open("Bucket").text("Name", name.as_str()).text("CreationDate", &made.s3_xml());
        document.text("BucketRegion", call.region()).close();
        last = Some(name);
    }
    document.close();
    if let (Some(last), Some(_)) = (last, visible.next()) {
        document.text("ContinuationToken", &write_token(last.as_str()));
    }
    if !list.prefix.is_empty() {
        document.text("Prefix", &list.prefix);
    }
    Ok(reply::xml(StatusCode::OK, document.finish()))
}
