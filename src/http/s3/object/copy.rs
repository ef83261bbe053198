//! CopyObject: the source streams into the destination's writer; nothing of it is held.

use super::publish::publish;
use super::source;
use crate::http::body::checksum::Algorithm;
use crate::http::body::range;
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::CopyObject;
use crate::http::s3::permission;
use crate::http::s3::xml::write::Document;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::checksum::ChecksumKind;
use actors::domain::iam::context::RequestContext;
use actors::domain::object::{ObjectAttributes, ObjectMeta, SystemHeaders};
use actors::storage::CommitRequest;
use std::collections::BTreeMap;

/// Copies the object.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    copy: &CopyObject,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    source::no_body(call, request, payload).await?;
    let conditions = range::write_conditions(request.headers())?;
    let replaced = (range::system_headers(request.headers())?, range::user_metadata(request.headers(), &copy.to.user)?);
    let to = call.view.route(&copy.to.bucket)?;
    let from = source::open(call, &copy.source, &copy.conditions, None).await?;
    if !copy.replace_tags && !from.meta.attributes.tags.is_empty() {
        let brought = RequestContext { request_tags: from.meta.attributes.tags.clone(), ..call.access.clone() };
        for needed in permission::carry_tags(&copy.to.bucket, &copy.to.key, &copy.source) {
            call.require(&needed, &brought).await?;
        }
    }
    let room = call.edge.system.reserve(&to, Some(&copy.to.key), from.meta.size).await?;
    let ticket = to.store.begin_write(&call.holder(), &to.bucket, &copy.to.key).await?;
    let mut attributes = attributes(copy, &from.meta, replaced);
    let algorithm = algorithm(copy, &from.meta);
    let (staged, sum) = source::transfer(from, ticket.writer, algorithm).await?;
    if let (Some(algorithm), Some(sum)) = (algorithm, sum) {
        attributes.checksums = [(algorithm.name().to_owned(), sum)].into();
    }
    let commit = CommitRequest { bucket: to.bucket.clone(), key: copy.to.key.clone(), staged, attributes, conditions };
    let stored = publish(call, to, commit, ticket.permit, room).await?;
    Ok(reply::xml(StatusCode::OK, document(&stored)))
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
    let tags = if copy.replace_tags { copy.to.tags.clone() } else { kept.tags };
    ObjectAttributes { headers, user, tags, checksums: kept.checksums }
}

/// How the copy is summed: as it is asked, or as a source in parts was. Of one in one piece the checksum stays what it is.
fn algorithm(copy: &CopyObject, source: &ObjectMeta) -> Option<Algorithm> {
    let composite = |name: &&str| {
        source.attributes.checksums.get(*name).is_some_and(|value| ChecksumKind::of(value) == ChecksumKind::Composite)
    };
    copy.checksum.or_else(|| Algorithm::ALL.into_iter().find(|algorithm| composite(&algorithm.name())))
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
