//! `buckets`: where they are, what is set of them, what they hold; made, changed and removed.

mod shape;

use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::{Problem, not_found};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::{etag, list_of, segment};
use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::domain::bucket::settings::{Setting, Settings};
use actors::domain::config::routing::routes;
use actors::domain::iam::grants::Author;
use actors::domain::names::{BackendName, BucketName};
use actors::system::buckets::NewBucket;
use serde_json::{Value, json};
use shape::{Create, LeftBehind, Plan, Shown, Update};
use std::collections::BTreeMap;

/// `GET /buckets`: an array.
#[utoipa::path(
    get, path = "/_/api/admin/buckets", tag = "buckets", operation_id = "listBuckets",
    params(Paging),
    responses((status = 200, description = "All, or a page.", body = [Shown], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("config:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:read").await?;
    let query = Query::paging(&request)?;
    let view = &call.view;
    let routes = routes(&view.config.storage, &view.state.buckets);
    let names: BTreeMap<String, &BucketName> = routes.keys().map(|name| (name.to_string(), name)).collect();
    let (names, link) = query.page(names.iter())?;
    let now = call.edge.clock.now();
    let shown = names.into_iter().filter_map(|name| Shown::new(&call.edge.system, view, name, now));
    Ok(list_of(view, shown.collect::<Vec<_>>(), link))
}

/// `GET /buckets/{name}`.
#[utoipa::path(
    get, path = "/_/api/admin/buckets/{name}", tag = "buckets", operation_id = "getBucket",
    params(("name" = String, Path, description = "The bucket's name.")),
    responses((status = 200, description = "The bucket.", body = Shown, headers(("ETag" = String, description = "For `If-Match`."))), Missing),
    extensions(("x-dgp-right" = json!("config:read"))),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:read").await?;
    let name = named(&call, &request)?;
    answer(StatusCode::OK, &call, &name)
}

/// `POST /buckets` → 201.
#[utoipa::path(
    post, path = "/_/api/admin/buckets", tag = "buckets", operation_id = "createBucket",
    request_body = Create,
    responses((status = 201, description = "The new bucket.", body = Shown, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("config:write"))),
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:write").await?;
    Query::parse(&request, &[])?;
    let body: Create = call.json(payload).await?;
    let name = BucketName::new(&body.name)?;
    name.check_unreserved()?;
    for setting in [Setting::Quota(body.quota_bytes), Setting::PublicPrefixes(body.public_prefixes.clone())] {
        setting.check()?;
    }
    let new = NewBucket {
        name: name.clone(),
        backend: body.backend.map(|backend| BackendName::new(&backend)).transpose()?,
        alias: body.alias.map(|alias| BucketName::new(&alias)).transpose()?,
        owner: call.caller()?.principal.owner_id(),
        public_prefixes: actors::domain::bucket::settings::sorted_prefixes(&body.public_prefixes),
        settings: Settings { quota_bytes: body.quota_bytes, read_only: body.read_only, ..Settings::default() },
    };
    let (edge, recorder, version, target) =
        (call.edge.clone(), call.recorder(), call.required_version()?, name.clone());
    detached(async move {
        match edge.system.make_bucket(new, version).await {
            Ok(_) => recorder.record("bucket.create", target.as_str(), Outcome::Success, Value::Null).await,
            Err(error) => Err(recorder.failed("bucket.create", target.as_str(), error).await?),
        }
    })
    .await?;
    answer(StatusCode::CREATED, &call, &name)
}

/// `PUT /buckets/{name}` changes the fields that are sent. Moving a route moves no object: the plan counts them.
#[utoipa::path(
    put, path = "/_/api/admin/buckets/{name}", tag = "buckets", operation_id = "updateBucket",
    params(
        ("name" = String, Path, description = "The bucket's name."),
        ("dry_run" = Option<bool>, Query, description = "Plan only; nothing is changed."),
    ),
    request_body = Update,
    responses((status = 200, description = "As it is planned, or in force.", body = Plan, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("config:write"))),
)]
pub(super) async fn update(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:write").await?;
    let dry_run = Query::parse(&request, &["dry_run"])?.flag("dry_run")?;
    let name = named(&call, &request)?;
    let body: Update = call.json(payload).await?;
    let (edge, now) = (call.edge.clone(), call.edge.clock.now());
    let missing = || no_such_bucket(name.as_str());
    let before = Shown::new(&edge.system, &call.view, &name, now).ok_or_else(missing)?;
    let mut settings = body.settings()?;
    let changes = before.changed(&settings);
    settings.retain(|setting| changes.iter().any(|change| change.is(setting.field())));
    settings.iter().try_for_each(Setting::check)?;
    // What cannot be is refused by the plan, too.
    call.view.set_bucket(&name, settings.clone())?;
    let version = call.required_version()?;
    let route = call.view.route(&name)?;
    let left = match settings.iter().any(Setting::moves) {
        true => Some(edge.system.objects(&route).await),
        false => None,
    };
    let mut warnings = Vec::new();
    if let Some(left) = left.filter(|left| left.count != Some(0)) {
        let count = left.count.map_or("an unknown number of".to_owned(), |count| count.to_string());
        warnings.push(format!(
            "{count} objects stay on `{}` and are out of sight there: a route moves no data",
            route.backend
        ));
    }
    let apply = !dry_run && !changes.is_empty();
    if apply {
        let author = Some(Author { principal: call.caller()?.principal.clone(), context: call.context().clone() });
        let (edge, recorder, target) = (call.edge.clone(), call.recorder(), name.clone());
        let detail = json!({"changes": changes});
        detached(async move {
            match edge.system.change_bucket(author, &target, settings, version).await {
                Ok(_) => recorder.record("bucket.update", target.as_str(), Outcome::Success, detail).await,
                Err(error) => Err(recorder.failed("bucket.update", target.as_str(), error).await?),
            }
        })
        .await?;
    }
    let view = edge.system.view();
    let plan = Plan {
        applied: !dry_run,
        generation: view.version(),
        changes,
        objects_left_behind: left.map(|left| LeftBehind { objects: left.count, exact: left.exact }),
        warnings,
        bucket: Shown::new(&edge.system, &view, &name, now).ok_or_else(missing)?,
    };
    Ok(HttpResponse::Ok().insert_header((ETAG, etag(&view))).json(plan))
}

/// `DELETE /buckets/{name}` → 204: an empty bucket that the config file does not declare.
#[utoipa::path(
    delete, path = "/_/api/admin/buckets/{name}", tag = "buckets", operation_id = "deleteBucket",
    params(("name" = String, Path, description = "The bucket's name.")),
    responses((status = 204, description = "It is gone."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("config:write"))),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:write").await?;
    Query::parse(&request, &[])?;
    let name = named(&call, &request)?;
    call.required_version()?;
    let (edge, recorder) = (call.edge.clone(), call.recorder());
    detached(async move {
        match edge.system.delete_bucket(&name).await {
            Ok(()) => recorder.record("bucket.delete", name.as_str(), Outcome::Success, Value::Null).await,
            Err(error) => Err(recorder.failed("bucket.delete", name.as_str(), error).await?),
        }
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn named(call: &Call, request: &HttpRequest) -> Result<BucketName, Problem> {
    let name = segment(request, "name");
    let known = BucketName::new(name).ok().filter(|name| call.view.route(name).is_ok());
    known.ok_or_else(|| no_such_bucket(name))
}

fn no_such_bucket(name: &str) -> Problem {
    not_found("no_such_bucket", format!("there is no bucket `{name}`"))
}

fn answer(status: StatusCode, call: &Call, name: &BucketName) -> Result<HttpResponse, Problem> {
    let view = call.edge.system.view();
    let shown = Shown::new(&call.edge.system, &view, name, call.edge.clock.now());
    let shown = shown.ok_or_else(|| no_such_bucket(name.as_str()))?;
    Ok(HttpResponse::build(status).insert_header((ETAG, etag(&view))).json(shown))
}
