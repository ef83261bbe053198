//! The object that a copy reads: opened once, and its bytes into a writer.

use crate::http::body::checksum::{Algorithm, Running};
use crate::http::body::declared::Declared;
use crate::http::body::inbound;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{SignedBody, Source};
use actix_web::{HttpRequest, web};
use actors::domain::condition::{Conditions, RangeRequest};
use actors::storage::{ObjectWriter, ReadOutcome, ReadRequest, ReadTicket, Staged};
use actors::{Error, ErrorKind};
use futures_util::StreamExt;

/// The most that is read of a body that should not be there.
const BODY: usize = 1024;

/// Refuses a copy that brings a body: its content is the source's.
pub(in crate::http::s3) async fn no_body(
    call: &Call,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<(), S3Error> {
    let declared = Declared::document(request.headers(), call.verified.payload(), &SignedBody::default())?;
    if inbound::read_small(payload, &declared, BODY, call.idle()).await?.is_empty() {
        return Ok(());
    }
    Err(S3Error::invalid_request("A copy takes its content from the source and has no body."))
}

/// Opens the source, if it is as the request wants it.
pub(in crate::http::s3) async fn open(
    call: &Call,
    source: &Source,
    conditions: &Conditions,
    range: Option<RangeRequest>,
) -> Result<ReadTicket, S3Error> {
    let from = call.view.route(&source.bucket)?;
    let request =
        ReadRequest { bucket: from.bucket.clone(), key: source.key.clone(), conditions: conditions.clone(), range };
    let opened = from.store.open_read(&call.holder(), request).await;
    match opened.map_err(|error| call.hide_missing(&source.bucket, &source.key, error))? {
        ReadOutcome::Found(ticket) => Ok(ticket),
        ReadOutcome::NotModified(_) => Err(Error::new(
            ErrorKind::PreconditionFailed,
            "copy",
            "At least one of the pre-conditions you specified did not hold",
        )
        .into()),
    }
}

/// Moves the bytes, and sums them where that is asked.
pub(in crate::http::s3) async fn transfer(
    source: ReadTicket,
    mut writer: Box<dyn ObjectWriter>,
    algorithm: Option<Algorithm>,
) -> Result<(Staged, Option<String>), S3Error> {
    let mut running = algorithm.map(Running::new);
    let ReadTicket { meta, range, mut body } = source;
    while let Some(bytes) = body.next().await {
        let bytes = bytes?;
        if let Some(running) = &mut running {
            running.update(&bytes);
        }
        writer.write(bytes).await?;
    }
    let staged = writer.finish().await?;
    let whole = range.is_none_or(|range| range.len == meta.size);
    let differs = whole && meta.sha256.as_ref().is_some_and(|sum| *sum != staged.sums.sha256);
    if staged.sums.size != range.map_or(meta.size, |range| range.len) || differs {
        return Err(Error::internal("copy", "the source does not sum to what was recorded of it").into());
    }
    let sum = running.map(|running| running.finish(&staged.sums.sha256));
    Ok((staged, sum))
}
