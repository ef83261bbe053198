//! The tags of an object: read, replaced, removed. Nothing else of the object changes.

use crate::http::body::declared::Declared;
use crate::http::body::inbound;
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::PutTagging;
use crate::http::s3::permission;
use crate::http::s3::xml::read;
use crate::http::s3::xml::write::Document;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::Error;
use actors::domain::iam::context::RequestContext;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::tags::{self, MOST_OF_OBJECT, Tags};

/// The largest document that is read: ten tags, each character an escape.
const DOCUMENT: usize = 64 * 1024;

/// GetObjectTagging.
pub(in crate::http::s3) async fn get(
    call: &Call,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<HttpResponse, S3Error> {
    let route = call.view.route(bucket)?;
    let meta = route.store.head(&route.bucket, key).await.map_err(|error| call.hide_missing(bucket, key, error))?;
    let mut document = Document::new("Tagging");
    document.open("TagSet");
    for (key, value) in &meta.attributes.tags {
        document.open("Tag").text("Key", key).text("Value", value).close();
    }
    Ok(reply::xml(StatusCode::OK, document.finish()))
}

/// PutObjectTagging.
pub(in crate::http::s3) async fn put(
    call: &Call,
    put: &PutTagging,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let declared = Declared::document(request.headers(), call.verified.payload(), &put.body)?;
    let body = inbound::read_small(payload, &declared, DOCUMENT, call.idle()).await?;
    let tags = read::tagging(&body).and_then(|pairs| Ok(tags::checked(pairs, MOST_OF_OBJECT)?));
    // Whoever may set no tags does not learn what was wrong with these; a rule may be about the tags that the request brings.
    let request_tags = tags.as_ref().cloned().unwrap_or_default();
    let access = RequestContext { request_tags, ..call.access.clone() };
    call.require(&permission::tag(&put.bucket, &put.key), &access).await?;
    set(call, &put.bucket, &put.key, tags?).await?;
    Ok(HttpResponse::Ok().finish())
}

/// DeleteObjectTagging.
pub(in crate::http::s3) async fn delete(
    call: &Call,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<HttpResponse, S3Error> {
    set(call, bucket, key, Tags::new()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn set(call: &Call, bucket: &BucketName, key: &ObjectKey, tags: Tags) -> Result<(), S3Error> {
    let route = call.view.route(bucket)?;
    let (system, wanted) = (call.edge.system.clone(), key.clone());
    // A task of its own: a client that goes away cannot leave it half-asked.
    let task = actix_web::rt::spawn(async move { system.set_tags(&route, &wanted, tags).await });
    task.await
        .map_err(|panic| Error::internal("tag object", panic))?
        .map_err(|error| call.hide_missing(bucket, key, error))
}
