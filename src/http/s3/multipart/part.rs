//! UploadPart: a body like an object's, kept as a part.

use super::{keep, of_upload, reference, sums};
use crate::http::body::declared::Declared;
use crate::http::body::inbound;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::UploadPart;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::storage::Announced;
use actors::storage::multipart::PartCommit;

/// Stores the part.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    part: &UploadPart,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let mut declared = Declared::new(request.headers(), call.verified.payload(), &part.body)?;
    let route = call.view.route(&part.upload.bucket)?;
    let upload = reference(&route, &part.upload)?;
    let known = route.store.upload(&upload).await.map_err(|error| of_upload(error, &part.upload))?;
    declared.also = sums::needed(known.checksum, declared.algorithm())?;
    let room = call.edge.system.reserve(&route, None, declared.length).await?;
    let begun = route.store.begin_part(&call.holder(), &upload, part.number).await;
    let mut ticket = begun.map_err(|error| of_upload(error, &part.upload))?;
    let (compares_md5, compares_sha256) = (declared.md5.is_some(), declared.needs_sha256());
    let announced = Announced { size: declared.length, compares_md5, compares_sha256, ..Announced::default() };
    ticket.writer.announce(announced);
    let received = inbound::receive(payload, ticket.writer, &declared, call.idle()).await?;
    // What the client sent is what it wants back; the upload's own is of interest to one who sent none.
    let sums: Vec<_> = received.checksum.into_iter().chain(received.also).collect();
    let commit = PartCommit { upload, number: part.number, staged: received.staged, checksums: sums::kept(&sums) };
    let kept = keep(call, route, commit, (ticket.permit, room), &part.upload).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header(("etag", kept.etag.quoted()));
    if let Some((algorithm, value)) = sums.first() {
        response.insert_header((algorithm.header(), value.as_str()));
    }
    Ok(response.finish())
}
