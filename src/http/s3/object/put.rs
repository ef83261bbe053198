//! PutObject: the body streams into the store; one commit, in a task of its own, makes it visible.

use super::publish::publish;
use crate::http::body::declared::Declared;
use crate::http::body::inbound;
use crate::http::body::range;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::PutObject;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::object::{ObjectAttributes, SystemHeaders};
use actors::storage::{Announced, CommitRequest};
use std::collections::BTreeMap;

/// Stores the object.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    put: &PutObject,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let headers = request.headers();
    let declared = Declared::new(headers, call.verified.payload(), &put.body)?;
    let conditions = range::write_conditions(headers)?;
    let user = range::user_metadata(headers, &put.user)?;
    let headers = SystemHeaders {
        storage_class: put.storage_class.clone(),
        website_redirect: put.website_redirect.clone(),
        ..range::system_headers(headers)?
    };
    let route = call.view.route(&put.bucket)?;
    let room = call.edge.system.reserve(&route, Some(&put.key), declared.length).await?;
    let mut ticket = route.store.begin_write(&call.holder(), &route.bucket, &put.key).await?;
    let known = declared.checksum.iter().map(|sum| (sum.algorithm.name().to_owned(), sum.value.clone())).collect();
    ticket.writer.announce(Announced {
        size: declared.length,
        attributes: ObjectAttributes {
            headers: headers.clone(),
            user: user.clone(),
            tags: put.tags.clone(),
            checksums: known,
        },
        digests_follow: declared.trailer.is_some(),
        conditions: conditions.clone(),
        compares_md5: declared.md5.is_some(),
        compares_sha256: declared.needs_sha256(),
    });
    let received = inbound::receive(payload, ticket.writer, &declared, call.idle()).await?;
    let checksums: BTreeMap<String, String> =
        received.checksum.iter().map(|(algorithm, value)| (algorithm.name().to_owned(), value.clone())).collect();
    let commit = CommitRequest {
        bucket: route.bucket.clone(),
        key: put.key.clone(),
        staged: received.staged,
        attributes: ObjectAttributes { headers, user, tags: put.tags.clone(), checksums },
        conditions,
    };
    let stored = publish(call, route, commit, ticket.permit, room).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header(("etag", stored.etag.quoted()));
    if let Some((algorithm, value)) = &received.checksum {
        response.insert_header((algorithm.header(), value.as_str()));
        response.insert_header(("x-amz-checksum-type", "FULL_OBJECT"));
    }
    Ok(response.finish())
}
