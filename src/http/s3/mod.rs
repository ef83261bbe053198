//! The S3 API: one request in, one operation, one answer.

pub mod admission;
mod bucket;
mod call;
mod cors;
pub mod error;
mod multipart;
mod object;
pub mod operation;
pub mod permission;
pub mod post;
pub mod registry;
pub mod xml;

pub(in crate::http) use bucket::visible_page;

use crate::app::Edge;
use crate::auth::sigv4::Verifier;
use crate::http::body::readers::Readers;
use crate::http::context::Context;
use crate::http::host::Place;
use crate::http::metrics;
use crate::http::percent;
use crate::http::reply;
use actix_web::dev::RequestHead;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::system::SystemView;
use call::Call;
use error::{S3Error, Subject};
use futures_util::StreamExt;
use operation::{ListVersion, Operation};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What is read of a body that is not wanted, so that the connection stays usable; beyond, it is closed.
const DRAIN: usize = 256 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// What S3 remembers between requests.
#[derive(Debug, Default)]
pub struct Memory {
    verifier: Verifier,
    readers: Readers,
}

impl Memory {
    /// How many requests of trusted proxies were proven by other bytes than those that came, by what was changed.
    pub fn signature_fallbacks(&self) -> [(&'static str, u64); 3] {
        self.verifier.fallbacks()
    }
}

/// Answers an S3 request: the default service, on the raw URI.
pub async fn handle(edge: web::Data<Edge>, request: HttpRequest, mut payload: web::Payload) -> HttpResponse {
    let view = edge.system.view();
    let context = Context::new(&request, &edge.clock, &view.config.advanced);
    let place = Place::of(request.head(), &view.config.advanced);
    let outcome = if request.method() == Method::OPTIONS {
        cors::preflight(&edge, &view, request.head(), &place, &context)
    } else if let Some(boundary) = post::form(request.head(), &place) {
        post::answer(&edge, view.clone(), &place, &context, (&request, &boundary), &mut payload).await
    } else {
        admitted(&edge, view.clone(), &place, &context, &request, &mut payload).await
    };
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => {
            // A body that stalled or broke off will not come.
            let broken = matches!(error.code(), "RequestTimeout" | "IncompleteBody");
            let drained = !broken && drain(&mut payload).await;
            let mut response = refuse(request.head(), &place, &context, &error);
            if !drained {
                response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
            }
            response
        }
    };
    cors::stamp(&mut response, &view, request.head(), &place);
    reply::stamp(&mut response, &context, &place);
    response
}

async fn admitted(
    edge: &web::Data<Edge>,
    view: Arc<SystemView>,
    place: &Place,
    context: &Context,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let call = Call::admit(edge, view, request.head(), place, context.clone())?;
    metrics::name(request, call.verified.operation().verb().name());
    call.settle().await?;
    perform(&call, request, payload).await
}

/// Decides on `Expect: 100-continue`: the answer to a request that is refused before its body is read, `None` where it may come.
pub fn preflight(edge: &web::Data<Edge>, head: &RequestHead, secure: bool) -> Option<HttpResponse> {
    if head.method == Method::OPTIONS {
        return None;
    }
    let view = edge.system.view();
    let context = Context::of_head(head, secure, &edge.clock, &view.config.advanced);
    let place = Place::of(head, &view.config.advanced);
    let error = match post::form(head, &place) {
        // Who sends a form, its body says.
        Some(_) => call::FormCall::begin(edge, view.clone(), head, &place, &context).err()?,
        None => Call::admit(edge, view.clone(), head, &place, context.clone()).err()?,
    };
    let mut response = refuse(head, &place, &context, &error);
    cors::stamp(&mut response, &view, head, &place);
    reply::stamp(&mut response, &context, &place);
    Some(response)
}

async fn perform(call: &Call, request: &HttpRequest, payload: &mut web::Payload) -> Result<HttpResponse, S3Error> {
    match call.verified.operation() {
        Operation::HeadService => Ok(HttpResponse::Ok().finish()),
        Operation::ListBuckets(list) => bucket::list_all::answer(call, list),
        Operation::CreateBucket(name) => bucket::create::answer(call, name, request, payload).await,
        Operation::HeadBucket(name) => bucket::head::answer(call, name),
        Operation::DeleteBucket(name) => bucket::delete::answer(call, name).await,
        Operation::GetBucketLocation(name) => bucket::location::answer(call, name),
        Operation::ProbeBucket(name, probe) => bucket::probe::answer(call, name, *probe),
        Operation::GetConfiguration(name, what) => bucket::configuration::get(call, name, *what),
        Operation::PutConfiguration(put) => bucket::configuration::put(call, put, request, payload).await,
        Operation::DeleteConfiguration(name, what) => bucket::configuration::delete(call, name, *what).await,
        Operation::ListObjects(list) if list.version == ListVersion::Versions => {
            bucket::list_versions::answer(call, list).await
        }
        Operation::ListObjects(list) => bucket::list::answer(call, list).await,
        Operation::PutObject(put) => object::put::answer(call, put, request, payload).await,
        Operation::CopyObject(copy) => object::copy::answer(call, copy, request, payload).await,
        Operation::GetObject(read) => object::get::answer(call, read, request).await,
        Operation::HeadObject(read) => object::head::answer(call, read, request).await,
        Operation::GetObjectAttributes(wanted) => object::attributes::answer(call, wanted).await,
        Operation::GetObjectTagging(bucket, key) => object::tagging::get(call, bucket, key).await,
        Operation::PutObjectTagging(put) => object::tagging::put(call, put, request, payload).await,
        Operation::DeleteObjectTagging(bucket, key) => object::tagging::delete(call, bucket, key).await,
        Operation::PostObject(_) => Err(post::no_form()),
        Operation::DeleteObjects(delete) => object::delete_many::answer(call, delete, request, payload).await,
        Operation::DeleteObject(bucket, key) => object::delete::answer(call, bucket, key, request).await,
        Operation::CreateMultipartUpload(create) => multipart::create::answer(call, create, request, payload).await,
        Operation::UploadPart(part) => multipart::part::answer(call, part, request, payload).await,
        Operation::UploadPartCopy(copy) => multipart::part_copy::answer(call, copy, request, payload).await,
        Operation::CompleteMultipartUpload(complete) => {
            multipart::complete::answer(call, complete, request, payload).await
        }
        Operation::AbortMultipartUpload(upload) => multipart::abort::answer(call, upload).await,
        Operation::ListParts(list) => multipart::list_parts::answer(call, list).await,
        Operation::ListMultipartUploads(list) => multipart::list_uploads::answer(call, list).await,
    }
}

fn refuse(head: &RequestHead, place: &Place, context: &Context, error: &S3Error) -> HttpResponse {
    error.log(&context.request_id);
    let (bucket, key) = named(head, place);
    let subject = Subject {
        resource: head.uri.path(),
        bucket: Some(bucket.as_str()).filter(|bucket| !bucket.is_empty()),
        key: Some(key.as_str()).filter(|key| !key.is_empty()),
        request_id: &context.request_id,
        host_id: &context.host_id,
    };
    reply::error(error, head.method == Method::HEAD, &subject)
}

/// The bucket and key that a request names, whether or not it is one of S3; empty where there is none.
fn named(head: &RequestHead, place: &Place) -> (String, String) {
    let path = percent::decode(head.uri.path()).ok().and_then(|path| String::from_utf8(path).ok()).unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = match place.bucket() {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    (bucket.to_owned(), key.to_owned())
}

/// Reads the rest of a short body away; false where there is more.
async fn drain(payload: &mut web::Payload) -> bool {
    let (deadline, mut read) = (Instant::now() + DRAIN_TIME, 0);
    while read <= DRAIN {
        match timeout_at(deadline, payload.next()).await {
            Ok(Some(Ok(chunk))) => read += chunk.len(),
            Ok(None) => return true,
            Ok(Some(Err(_))) | Err(_) => return false,
        }
    }
    false
}
