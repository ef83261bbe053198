//! PostObject: a form that a browser sends. Its fields come first and say who sends it and what may be sent; then the file streams
//! into the store.
//!
//! Sources: AWS, "POST Object" and "Browser-based uploads using POST".

pub mod fields;
pub mod policy;

use super::call::FormCall;
use super::error::S3Error;
use super::multipart;
use super::object;
use super::operation::Operation;
use super::xml::write::Document;
use crate::app::Edge;
use crate::auth::sigv4::Parsed;
use crate::http::body::form::FormBody;
use crate::http::body::multipart_form::{self, Event};
use crate::http::context::{self, Context};
use crate::http::host::Place;
use crate::http::metrics;
use crate::http::percent;
use crate::http::reply;
use actix_web::dev::RequestHead;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::object::ETag;
use actors::system::SystemView;
use fields::Fields;
use policy::Policy;
use std::sync::Arc;

/// The boundary of the form that a request for PostObject brings; `None` for anything else.
pub(super) fn form(head: &RequestHead, place: &Place) -> Option<String> {
    if head.method != Method::POST {
        return None;
    }
    let boundary = multipart_form::boundary(head.headers.get(header::CONTENT_TYPE)?.to_str().ok()?)?;
    let parsed = Parsed::new(&context::raw(head, place.bucket())).ok()?;
    matches!(parsed.operation(), Some(Operation::PostObject(_))).then_some(boundary)
}

/// The answer to a POST of anything else.
pub(super) fn no_form() -> S3Error {
    S3Error::new(
        "PreconditionFailed",
        StatusCode::PRECONDITION_FAILED,
        "At least one of the preconditions you specified did not hold.",
    )
    .with_detail("Condition", "Bucket POST must be of the enclosure-type multipart/form-data")
}

/// Takes a form in and answers as it says.
pub(super) async fn answer(
    edge: &web::Data<Edge>,
    view: Arc<SystemView>,
    place: &Place,
    context: &Context,
    (request, boundary): (&HttpRequest, &str),
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    metrics::name(request, "PostObject");
    let gate = FormCall::begin(edge, view, request.head(), place, context)?;
    let mut body = FormBody::new(payload, request.headers(), boundary, gate.idle())?;
    let fields = read_fields(&mut body).await?;
    let key = fields.key()?;
    let sent = gate.judge(&fields.proof(), &key)?;
    let signer = gate.signer(&fields.proof())?;
    let length = match fields.get("policy") {
        Some(text) => {
            let policy = Policy::parse(text)?;
            policy.check(&fields, gate.bucket().as_str(), context.now)?;
            policy.length()
        }
        None => (0, u64::MAX),
    };
    let call = gate.admit(signer, sent, || fields.object(gate.bucket().clone(), key.clone()))?;
    call.settle().await?;
    let stored = object::post::store(&call, &fields, length, body).await?;
    Ok(done(&fields, gate.bucket(), &key, (request, context.secure), &stored))
}

/// The fields up to the file, the name of which is put in.
async fn read_fields(body: &mut FormBody<'_>) -> Result<Fields, S3Error> {
    let mut fields = Fields::default();
    loop {
        match body.next().await? {
            Event::Field { name, value } => fields.add(&name, &value)?,
            Event::File { filename } => {
                fields.name_file(filename.as_deref());
                return Ok(fields);
            }
            Event::NoFile | Event::Piece(_) | Event::Done => {
                return Err(S3Error::new(
                    "IncorrectNumberOfFilesInPostRequest",
                    StatusCode::BAD_REQUEST,
                    "POST requires exactly one file upload per request.",
                ));
            }
        }
    }
}

fn done(
    fields: &Fields,
    bucket: &BucketName,
    key: &ObjectKey,
    asked: (&HttpRequest, bool),
    etag: &ETag,
) -> HttpResponse {
    let location = location(asked, key);
    if let Some(address) = fields.redirect() {
        let (address, fragment) = address.split_once('#').map_or((address, None), |(start, end)| (start, Some(end)));
        let mut to = format!("{address}{}bucket={bucket}&key=", if address.contains('?') { '&' } else { '?' });
        percent::encode(key.as_str().as_bytes(), &mut to);
        to.push_str("&etag=");
        percent::encode(etag.quoted().as_bytes(), &mut to);
        if let Some(fragment) = fragment {
            to.push('#');
            to.push_str(fragment);
        }
        return HttpResponse::SeeOther()
            .insert_header(("location", to))
            .insert_header(("etag", etag.quoted()))
            .finish();
    }
    let mut response = match fields.status() {
        201 => {
            let mut document = Document::plain("PostResponse");
            document.text("Location", &location).text("Bucket", bucket.as_str()).text("Key", key.as_str());
            document.text("ETag", &etag.quoted());
            reply::xml(StatusCode::CREATED, document.finish())
        }
        200 => HttpResponse::Ok().finish(),
        _ => HttpResponse::NoContent().finish(),
    };
    reply::set(&mut response, "location", &location);
    reply::set(&mut response, "etag", &etag.quoted());
    response
}

/// Where the object is, as the client reached the bucket.
fn location((request, secure): (&HttpRequest, bool), key: &ObjectKey) -> String {
    let mut location = multipart::complete::location(request, secure);
    if !location.ends_with('/') {
        location.push('/');
    }
    percent::encode_path(key.as_str().as_bytes(), &mut location);
    location
}
