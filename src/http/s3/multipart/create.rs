//! CreateMultipartUpload: what the object will carry is said, and kept, before its first byte.

use super::document;
use crate::http::body::checksum::Algorithm;
use crate::http::body::declared::Declared;
use crate::http::body::{inbound, range};
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{CreateMultipartUpload, SignedBody};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::Error;
use actors::domain::checksum::{ChecksumKind, Checksums};
use actors::domain::object::{ObjectAttributes, SystemHeaders};
use actors::storage::multipart::{Initiator, NewUpload, UploadChecksum};

/// The most that is read of a body that should not be there.
const BODY: usize = 1024;
/// How an object is summed where the client does not say it (AWS).
const DEFAULT: UploadChecksum = UploadChecksum { algorithm: Algorithm::Crc64Nvme, kind: ChecksumKind::FullObject };

/// Begins the upload.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    create: &CreateMultipartUpload,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let declared = Declared::document(request.headers(), call.verified.payload(), &SignedBody::default())?;
    if !inbound::read_small(payload, &declared, BODY, call.idle()).await?.is_empty() {
        return Err(S3Error::invalid_request("An upload is begun without a body; its parts bring the content."));
    }
    let to = &create.to;
    let user = range::user_metadata(request.headers(), &to.user)?;
    let headers = SystemHeaders {
        storage_class: to.storage_class.clone(),
        website_redirect: to.website_redirect.clone(),
        ..range::system_headers(request.headers())?
    };
    let route = call.view.route(&to.bucket)?;
    let upload = NewUpload {
        bucket: route.bucket.clone(),
        key: to.key.clone(),
        attributes: ObjectAttributes { headers, user, tags: to.tags.clone(), checksums: Checksums::new() },
        checksum: Some(create.checksum.unwrap_or(DEFAULT)),
        initiator: initiator(call),
    };
    let system = call.edge.system.clone();
    // A task of its own: a client that goes away cannot leave it half-asked.
    let task = actix_web::rt::spawn(async move { system.create_upload(&route, upload).await });
    let begun = task.await.map_err(|panic| Error::internal("create upload", panic))??;
    let mut response = reply::xml(StatusCode::OK, document::initiated(to, &begun));
    if let Some(asked) = create.checksum {
        reply::set(&mut response, "x-amz-checksum-algorithm", asked.algorithm.name());
        reply::set(&mut response, "x-amz-checksum-type", asked.kind.name());
    }
    Ok(response)
}

fn initiator(call: &Call) -> Initiator {
    let id = call.principal().owner_id();
    Initiator { id, name: call.principal().display_name(&call.view.state) }
}
