//! CopyObject: the source streams into the destination's writer; nothing of it is held.

use super::publish::publish;
use crate::http::body::checksum::{Algorithm, Running};
use crate::http::body::declared::Declared;
use crate::http::body::{inbound, range};
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{CopyObject, SignedBody};
use crate::http::s3::xml::write::Document;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::object::{ObjectAttributes, ObjectMeta, SystemHeaders};
use actors::storage::{CommitRequest, ObjectWriter, ReadOutcome, ReadRequest, ReadTicket, Staged};
use actors::{Error, ErrorKind};
use futures_util::StreamExt;
use std::collections::BTreeMap;

/// The most that is read of a body that should not be there.
const BODY: usize = 1024;

/// Copies the object.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    copy: &CopyObject,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let declared = Declared::document(request.headers(), call.verified.payload(), &SignedBody::default())?;
    if !inbound::read_small(payload, &declared, BODY, call.idle()).await?.is_empty() {
        return Err(S3Error::invalid_request("A copy takes its content from the source and has no body."));
    }
    let conditions = range::write_conditions(request.headers())?;
    let replaced = (range::system_headers(request.headers())?, range::user_metadata(request.headers(), &copy.to.user)?);
    let to = call.view.route(&copy.to.bucket)?;
    let source = open(call, copy).await?;
    let ticket = to.store.begin_write(&call.holder(), &to.bucket, &copy.to.key).await?;
    let mut attributes = attributes(copy, &source.meta, replaced);
    let staged = transfer(source, ticket.writer, copy.checksum, &mut attributes).await?;
    let commit = CommitRequest { bucket: to.bucket.clone(), key: copy.to.key.clone(), staged, attributes, conditions };
    let stored = publish(call, to, commit, ticket.permit).await?;
    Ok(reply::xml(StatusCode::OK, document(&stored)))
}

/// Opens the source, if it is as the request wants it.
async fn open(call: &Call, copy: &CopyObject) -> Result<ReadTicket, S3Error> {
    let from = call.view.route(&copy.source.bucket)?;
    let request = ReadRequest {
        bucket: from.bucket.clone(),
        key: copy.source.key.clone(),
        conditions: copy.conditions.clone(),
        range: None,
    };
    let opened = from.store.open_read(&call.holder(), request).await;
    match opened.map_err(|error| call.hide_missing(&copy.source.bucket, &copy.source.key, error))? {
        ReadOutcome::Found(ticket) => Ok(ticket),
        ReadOutcome::NotModified(_) => Err(Error::new(
            ErrorKind::PreconditionFailed,
            "copy",
            "At least one of the pre-conditions you specified did not hold",
        )
        .into()),
    }
}

/// What REPLACE takes from the request.
type Replaced = (SystemHeaders, BTreeMap<String, String>);

/// What the copy carries: class and redirect are always the request's own (AWS), the rest follows the directive.
fn attributes(copy: &CopyObject, source: &ObjectMeta, replaced: Replaced) -> ObjectAttributes {
    let kept = source.attributes.clone();
    let (headers, user) = if copy.replace { replaced } else { (kept.headers, kept.user) };
    let headers = SystemHeaders {
        storage_class: copy.to.storage_class.clone(),
        website_redirect: copy.to.website_redirect.clone(),
        ..headers
    };
    ObjectAttributes { headers, user, checksums: kept.checksums }
}

/// Moves the bytes, and sums them anew where that is asked.
async fn transfer(
    source: ReadTicket,
    mut writer: Box<dyn ObjectWriter>,
    algorithm: Option<Algorithm>,
    attributes: &mut ObjectAttributes,
) -> Result<Staged, S3Error> {
    let mut running = algorithm.map(Running::new);
    let ReadTicket { meta, mut body, .. } = source;
    while let Some(bytes) = body.next().await {
        let bytes = bytes?;
        if let Some(running) = &mut running {
            running.update(&bytes);
        }
        writer.write(bytes).await?;
    }
    let staged = writer.finish().await?;
    if staged.sums.size != meta.size || meta.sha256.as_ref().is_some_and(|sum| *sum != staged.sums.sha256) {
        return Err(Error::internal("copy", "the source does not sum to what was recorded of it").into());
    }
    if let (Some(algorithm), Some(running)) = (algorithm, running) {
        attributes.checksums = [(algorithm.name().to_owned(), running.finish(&staged.sums.sha256))].into();
    }
    Ok(staged)
}

fn document(stored: &ObjectMeta) -> String {
    let mut document = Document::new("CopyObjectResult");
    document.text("LastModified", &stored.modified.s3_xml()).text("ETag", &stored.etag.quoted());
    for algorithm in Algorithm::ALL {
        if let Some(value) = stored.attributes.checksums.get(algorithm.name()) {
            document.text("ChecksumType", "FULL_OBJECT").text(algorithm.element(), value);
        }
    }
    document.finish()
}
