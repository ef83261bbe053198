//! CompleteMultipartUpload: the parts become the object, whether or not the client waits for it.

use super::explain::explain;
use super::{document, keep_alive, reference, sums};
use crate::http::body::declared::Declared;
use crate::http::body::{inbound, range};
use crate::http::s3::call::Call;
use crate::http::s3::error::{S3Error, Subject};
use crate::http::s3::operation::{CompleteMultipartUpload, SignedBody};
use crate::http::s3::xml::read::{self, ListedPart};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::object::ObjectMeta;
use actors::storage::multipart::{CompleteRequest, CompletedPart, PartNumber};
use actors::system::{Route, SystemHandle};
use actors::{Error, ErrorKind};

/// The largest document that is read: 10,000 parts, each with its checksum.
const DOCUMENT: usize = 4 << 20;

/// Makes the object.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    complete: &CompleteMultipartUpload,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let declared = Declared::new(request.headers(), call.verified.payload(), &SignedBody::default())?;
    let conditions = range::write_conditions(request.headers())?;
    let body = inbound::read_small(payload, &declared, DOCUMENT, call.idle()).await?;
    let parts = numbered(read::complete_multipart_upload(&body)?)?;
    let route = call.view.route(&complete.upload.bucket)?;
    let upload = reference(&route, &complete.upload)?;
    match route.store.upload(&upload).await {
        Ok(known) => sums::check_complete(known.checksum, complete.kind, &parts)?,
        // One that is not open any more is answered by the record of its end, if there is one.
        Err(error) if error.kind() == ErrorKind::NoSuchUpload => {}
        Err(error) => return Err(error.into()),
    }
    let (checksum, size) = (complete.checksum.clone(), complete.size);
    let wanted = CompleteRequest { upload, parts, checksum, size, conditions };
    let may_see_missing = call.may_see_missing(&complete.upload.bucket, &complete.upload.key);
    // A task of its own: a client that goes away cannot leave it half-asked.
    let task = actix_web::rt::spawn(make(call.edge.system.clone(), route, call.holder(), wanted, may_see_missing));
    let (upload, location) = (complete.upload.clone(), location(request, call.context.secure));
    let (context, named, resource) = (call.context.clone(), upload.clone(), request.head().uri.path().to_owned());
    let work = async move {
        let stored = task.await.map_err(|panic| Error::internal("complete", panic))??;
        Ok(document::completed(&upload, &location, &stored))
    };
    keep_alive::answer(work, move |error| {
        error.log(&context.request_id);
        error.document(&Subject {
            resource: &resource,
            bucket: Some(named.bucket.as_str()),
            key: Some(named.key.as_str()),
            request_id: &context.request_id,
            host_id: &context.host_id,
        })
    })
    .await
}

async fn make(
    system: SystemHandle,
    route: Route,
    holder: String,
    wanted: CompleteRequest,
    may_see_missing: bool,
) -> Result<ObjectMeta, S3Error> {
    let (upload, parts) = (wanted.upload.clone(), wanted.parts.clone());
    match system.complete_upload(&route, &holder, wanted).await {
        Ok(stored) => Ok(stored),
        Err(error) if error.kind() == ErrorKind::NoSuchKey && !may_see_missing => Err(S3Error::access_denied()),
        Err(error) => Err(explain(error, &route.store, &upload, &parts).await),
    }
}

fn numbered(listed: Vec<ListedPart>) -> Result<Vec<CompletedPart>, S3Error> {
    let numbered = |part: ListedPart| {
        let number = u64::try_from(part.number).ok().and_then(|number| PartNumber::new(number).ok());
        let number = number.ok_or_else(|| {
            let message = if part.number < 1 { "PartNumber must be >= 1" } else { "PartNumber must be <= 10000" };
            S3Error::invalid_argument("PartNumber", &part.number.to_string(), message)
        })?;
        Ok(CompletedPart { number, etag: part.etag, checksums: part.checksums })
    };
    listed.into_iter().map(numbered).collect()
}

/// Where the object is, as the client reached it.
pub(in crate::http::s3) fn location(request: &HttpRequest, secure: bool) -> String {
    let head = request.head();
    let host = head.headers().get("host").and_then(|host| host.to_str().ok());
    let host = host.or_else(|| head.uri.authority().map(|authority| authority.as_str())).unwrap_or_default();
    format!("{}://{host}{}", if secure { "https" } else { "http" }, head.uri.path())
}
