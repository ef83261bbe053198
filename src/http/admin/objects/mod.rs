//! `buckets/{name}/objects` and `buckets/{name}/object`: files for the console, judged by the caller's S3 permissions.
//!
//! The key travels as a parameter, not in the path: a browser would resolve the `..` and `//` that keys may hold.

mod shape;
pub(super) mod share;
pub(super) mod tags;
pub(super) mod transfer;

use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::{Problem, invalid, not_found};
use crate::http::admin::explain::stopped_by;
use crate::http::admin::openapi::Missing;
use crate::http::admin::query::Query;
use crate::http::admin::segment;
use crate::http::s3::visible_page;
use actix_web::{HttpRequest, HttpResponse};
use actors::audit::{DenialKind, Outcome};
use actors::domain::condition::Conditions;
use actors::domain::config::routing::routes;
use actors::domain::iam::context::{AccessRequest, ListParameters, RequestContext, Resource};
use actors::domain::iam::evaluate::decide;
use actors::domain::iam::scope;
use actors::domain::listing::ListQuery;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::tags::Tags;
use actors::system::Route;
use actors::{Error, ErrorKind};
use serde_json::{Value, json};
use shape::{Listable, Page, Shown};

/// A page where nothing is said.
const PAGE: usize = 1000;

/// `GET /me/buckets`: the buckets in which the caller may list something, in the order of names.
#[utoipa::path(
    get, path = "/_/api/admin/me/buckets", tag = "objects", operation_id = "listOwnBuckets",
    responses((status = 200, description = "All of them.", body = [Listable])),
)]
pub(super) async fn buckets(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    Query::parse(&request, &[])?;
    let (view, principal, context) = (&call.view, &call.caller()?.principal, circumstances(&call));
    let names = routes(&view.config.storage, &view.state.buckets);
    let listable = names.keys().filter(|name| {
        let asked =
            AccessRequest { action: "s3:ListBucket", resource: Resource::bucket(name.as_str()), context: &context };
        stopped_by(view, principal, &asked).is_none()
            && scope::listable(&view.state, principal, name.as_str(), &context)
    });
    let listable: Vec<Listable> = listable
        .filter_map(|name| Some(Listable::new(&view.route(name).ok()?, view.settings(name).read_only)))
        .collect();
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(listable))
}

/// `GET /buckets/{name}/objects`: a page of what the caller may see.
#[utoipa::path(
    get, path = "/_/api/admin/buckets/{name}/objects", tag = "objects", operation_id = "listObjects",
    params(
        ("name" = String, Path, description = "The bucket's name."),
        ("prefix" = Option<String>, Query, description = "Only keys that begin with this."),
        ("delimiter" = Option<String>, Query, description = "Keys that hold this after the prefix are one entry."),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 10000; 1000 where nothing is said."),
    ),
    responses((status = 200, description = "A page.", body = Page), Missing),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    call.caller()?;
    let query = Query::parse(&request, &["prefix", "delimiter", "after", "limit"])?;
    let text = |name: &str| query.one(name).map(|value| value.unwrap_or_default().to_owned());
    let (prefix, delimiter, limit) = (text("prefix")?, text("delimiter")?, query.limit()?.unwrap_or(PAGE));
    let name = segment(&request, "name");
    let list = ListParameters {
        prefix: prefix.clone(),
        delimiter: (!delimiter.is_empty()).then(|| delimiter.clone()),
        max_keys: Some(limit as u64),
    };
    let context = RequestContext { list, ..circumstances(&call) };
    let asked = AccessRequest { action: "s3:ListBucket", resource: Resource::bucket(name), context: &context };
    admitted(&call, &asked)?;
    let visible = scope::list_scope(&call.view.state, &call.caller()?.principal, "s3:ListBucket", name, &context);
    let visible = match visible {
        Ok(visible) => visible,
        Err(_) => return Err(denied(&call, "s3:ListBucket", name)),
    };
    let route = call.view.route(&bucket(name)?)?;
    let query = ListQuery { prefix, delimiter, start_after: text("after")?, max_keys: limit };
    let page = visible_page(&route.store, &route.bucket, query, &visible).await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Page {
        objects: page.objects.into_iter().map(Into::into).collect(),
        prefixes: page.prefixes,
        next: page.next,
    }))
}

/// `GET /buckets/{name}/object?key=…`: what is known of an object.
#[utoipa::path(
    get, path = "/_/api/admin/buckets/{name}/object", tag = "objects", operation_id = "getObject",
    params(("name" = String, Path, description = "The bucket's name."), ("key" = String, Query, description = "The object's key.")),
    responses((status = 200, description = "Its metadata and tags.", body = Shown), Missing),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let (route, key) = object(&call, &request, &["key"], "s3:GetObject").await?;
    let meta = route.store.head(&route.bucket, &key).await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Shown::new(key.as_str(), meta)))
}

/// `DELETE /buckets/{name}/object?key=…` → 204, also where there is none.
#[utoipa::path(
    delete, path = "/_/api/admin/buckets/{name}/object", tag = "objects", operation_id = "deleteObject",
    params(("name" = String, Path, description = "The bucket's name."), ("key" = String, Query, description = "The object's key.")),
    responses((status = 204, description = "It is gone."), Missing),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let (route, key) = object(&call, &request, &["key"], "s3:DeleteObject").await?;
    let (edge, recorder, target) = (call.edge.clone(), call.recorder(), format!("{}/{}", route.name, key.as_str()));
    detached(async move {
        match edge.system.delete_object(&route, &key, Conditions::default()).await {
            Ok(()) => recorder.record("object.delete", &target, Outcome::Success, Value::Null).await,
            Err(error) => Err(recorder.failed("object.delete", &target, error).await?),
        }
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The object that a call is about, if the caller may do this with it.
async fn object(
    call: &Call,
    request: &HttpRequest,
    known: &[&str],
    action: &'static str,
) -> Result<(Route, ObjectKey), Problem> {
    call.caller()?;
    allowed(call, segment(request, "name"), &key_of(request, known)?, action).await
}

/// The key that a query names.
fn key_of(request: &HttpRequest, known: &[&str]) -> Result<String, Problem> {
    let query = Query::parse(request, known)?;
    Ok(query.one("key")?.ok_or_else(|| invalid("`key` names the object"))?.to_owned())
}

/// The same for a key that came in the body.
async fn allowed(call: &Call, name: &str, key: &str, action: &'static str) -> Result<(Route, ObjectKey), Problem> {
    allowed_with(call, name, key, action, Tags::new()).await
}

/// The same for a call that brings tags.
async fn allowed_with(
    call: &Call,
    name: &str,
    key: &str,
    action: &'static str,
    request_tags: Tags,
) -> Result<(Route, ObjectKey), Problem> {
    let key = ObjectKey::new(key)?;
    let mut context = RequestContext { request_tags, ..circumstances(call) };
    let route = bucket(name).and_then(|bucket| Ok(call.view.route(&bucket)?));
    if let (Ok(route), true) = (&route, call.view.index.asks_tags()) {
        let meta = route.store.head(&route.bucket, &key).await;
        context.existing_tags = meta.map(|meta| meta.attributes.tags).unwrap_or_default();
    }
    let asked = AccessRequest { action, resource: Resource::object(name, key.as_str()), context: &context };
    admitted(call, &asked)?;
    if !decide(&call.view.state, &call.caller()?.principal, &asked).allowed {
        return Err(denied(call, action, name));
    }
    Ok((route?, key))
}

/// The circumstances of the call, as rules about S3 see them.
fn circumstances(call: &Call) -> RequestContext {
    RequestContext { reserved: call.view.reserved.clone(), ..call.context().clone() }
}

/// Rules of admission hold whichever way an object is reached.
fn admitted(call: &Call, asked: &AccessRequest<'_>) -> Result<(), Problem> {
    let Some(block) = stopped_by(&call.view, &call.caller()?.principal, asked) else { return Ok(()) };
    call.edge.metrics.judged(block);
    let bucket = asked.resource.bucket.unwrap_or_default();
    let kind = DenialKind { rule: Some(block.name.clone()), ..denial(call, "admission", bucket) };
    call.edge.audit.note_denial(call.denied(kind));
    let error =
        Error::new(ErrorKind::Forbidden, "objects", "a rule of admission of this server does not let this through");
    Err(error.with_hint("`deltaglider_proxy admission trace` says which; it is for an admin to change").into())
}

/// 403, with its row in the audit log.
fn denied(call: &Call, action: &'static str, bucket: &str) -> Problem {
    call.edge.audit.note_denial(call.denied(denial(call, action, bucket)));
    let message = format!("your rules do not allow `{action}` here");
    Error::new(ErrorKind::Forbidden, "objects", message)
        .with_hint("ask an admin for it; `POST /_/api/admin/explain` says which rule decides")
        .into()
}

fn denial(call: &Call, action: &'static str, bucket: &str) -> DenialKind {
    DenialKind { actor: call.who(), action, target: bucket.to_owned(), reason: "AccessDenied", right: None, rule: None }
}

fn bucket(name: &str) -> Result<BucketName, Problem> {
    BucketName::new(name).map_err(|_| not_found("no_such_bucket", format!("there is no bucket `{name}`")))
}

/// What an audit row says of an upload.
fn detail(size: u64) -> Value {
    json!({"bytes": size})
}
