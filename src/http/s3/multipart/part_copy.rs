//! UploadPartCopy: a part whose bytes are another object's, or a range of it.

use super::{document, keep, of_upload, reference, sums};
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::object::source;
use crate::http::s3::operation::UploadPartCopy;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::condition::RangeRequest;
use actors::storage::ReadTicket;
use actors::storage::multipart::PartCommit;
use actors::{Error, ErrorKind};

/// The most bytes of one part (AWS).
const LARGEST: u64 = 5 << 30;

/// Stores the part.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    copy: &UploadPartCopy,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    source::no_body(call, request, payload).await?;
    let route = call.view.route(&copy.upload.bucket)?;
    let upload = reference(&route, &copy.upload)?;
    let known = route.store.upload(&upload).await.map_err(|error| of_upload(error, &copy.upload))?;
    let from = open(call, copy).await?;
    let length = from.range.map_or(from.meta.size, |range| range.len);
    let room = call.edge.system.reserve(&route, None, length).await?;
    let begun = route.store.begin_part(&call.holder(), &upload, copy.number).await;
    let ticket = begun.map_err(|error| of_upload(error, &copy.upload))?;
    let algorithm = known.checksum.map(|checksum| checksum.algorithm);
    let (staged, sum) = source::transfer(from, ticket.writer, algorithm).await?;
    let sums: Vec<_> = algorithm.into_iter().zip(sum).collect();
    let commit = PartCommit { upload, number: copy.number, staged, checksums: sums::kept(&sums) };
    let kept = keep(call, route, commit, (ticket.permit, room), &copy.upload).await?;
    Ok(reply::xml(StatusCode::OK, document::copied(&kept)))
}

/// Opens the source, if it is as the request wants it. A range must lie inside it (AWS).
async fn open(call: &Call, copy: &UploadPartCopy) -> Result<ReadTicket, S3Error> {
    let range = copy.range.map(|(first, last)| RangeRequest::Between(first, last));
    let opened = source::open(call, &copy.source, &copy.conditions, range).await;
    let size = match &opened {
        Ok(ticket) => ticket.meta.size,
        Err(error) if error.code() == "InvalidRange" => {
            let from = call.view.route(&copy.source.bucket)?;
            from.store.head(&from.bucket, &copy.source.key).await?.size
        }
        Err(_) => return opened,
    };
    if let Some((first, last)) = copy.range
        && last >= size
    {
        return Err(S3Error::invalid_argument(
            "x-amz-copy-source-range",
            &format!("bytes={first}-{last}"),
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    let wanted = copy.range.map_or(size, |(first, last)| last - first + 1);
    if wanted > LARGEST {
        return Err(Error::new(
            ErrorKind::InvalidRequest,
            "copy part",
            format!("The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST}"),
        )
        .into());
    }
    opened
}
