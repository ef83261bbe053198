//! The file of a form becomes an object, as the body of a PUT does.

use super::publish::publish;
use crate::http::body::declared::{Declared, content_md5};
use crate::http::body::form::FormBody;
use crate::http::body::inbound;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{Operation, PutObject};
use crate::http::s3::post::fields::Fields;
use actors::Error;
use actors::domain::condition::Conditions;
use actors::domain::object::{ETag, ObjectAttributes};
use actors::storage::CommitRequest;

/// Stores the file of a form that was admitted; how long it may be, its policy says.
pub(in crate::http::s3) async fn store(
    call: &Call,
    fields: &Fields,
    length: (u64, u64),
    body: FormBody<'_>,
) -> Result<ETag, S3Error> {
    let Operation::PutObject(put) = call.verified.operation() else {
        return Err(Error::internal("post object", "a form that is no PUT").into());
    };
    let declared = declared(fields, put)?;
    let headers = fields.headers(put)?;
    let route = call.view.route(&put.bucket)?;
    // How long the file is, its end tells; that it fits is decided when it is committed.
    let room = call.edge.system.reserve(&route, Some(&put.key), length.0).await?;
    let ticket = route.store.begin_write(&call.holder(), &route.bucket, &put.key).await?;
    let received = inbound::receive_file(body, ticket.writer, &declared, length).await?;
    let checksums = received.checksum.iter().map(|(algorithm, value)| (algorithm.name().to_owned(), value.clone()));
    let commit = CommitRequest {
        bucket: route.bucket.clone(),
        key: put.key.clone(),
        staged: received.staged,
        attributes: ObjectAttributes {
            headers,
            user: put.user.clone(),
            tags: put.tags.clone(),
            checksums: checksums.collect(),
        },
        conditions: Conditions::default(),
    };
    Ok(publish(call, route, commit, ticket.permit, room).await?.etag)
}

/// What the fields say of the file. Its length, its end tells.
fn declared(fields: &Fields, put: &PutObject) -> Result<Declared, S3Error> {
    let md5 = fields.get("content-md5").map(|text| content_md5(text.as_bytes())).transpose()?;
    Ok(Declared::of_file(md5, put.body.checksum.clone()))
}
