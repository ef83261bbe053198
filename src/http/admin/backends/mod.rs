//! `backends`: where objects are kept: list, add, change, remove, look at, and take over.

mod place;
pub(super) mod shape;

use crate::http::admin::call::{Call, Recorder, detached};
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::{etag, list_of, segment};
use crate::http::health;
use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::backup::{ConfigEdit, Configuration, RootMeans};
use actors::domain::atrest::Seal;
use actors::domain::config::edit::{BackendEdit, buckets_of, no_such_backend};
use actors::domain::config::model::BackendKind;
use actors::domain::config::routing::routes;
use actors::domain::names::BackendName;
use actors::storage::ConditionalWrites;
use actors::system::SystemView;
use actors::system::keeper::Which;
use futures_util::future::join_all;
use place::{Place, word};
use serde::Serialize;
use serde_json::json;
use shape::{Claimed, Create, Look, Plan, Probed, Shown, Update};
use std::collections::BTreeMap;

/// `GET /backends`: an array.
#[utoipa::path(
    get, path = "/_/api/admin/backends", tag = "backends", operation_id = "listBackends",
    params(Paging),
    responses((status = 200, description = "All, or a page.", body = [Shown], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("config:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:read").await?;
    let query = Query::paging(&request)?;
    let names: BTreeMap<String, &BackendName> =
        call.view.config.storage.backends.keys().map(|name| (name.to_string(), name)).collect();
    let (names, link) = query.page(names.iter())?;
    let shown = join_all(names.into_iter().map(|name| shown(&call, name))).await;
    Ok(list_of(&call.view, shown.into_iter().flatten().collect::<Vec<_>>(), link))
}

/// `GET /backends/{name}`.
#[utoipa::path(
    get, path = "/_/api/admin/backends/{name}", tag = "backends", operation_id = "getBackend",
    params(("name" = String, Path, description = "The backend's name.")),
    responses((status = 200, description = "The backend.", body = Shown, headers(("ETag" = String, description = "For `If-Match`."))), Missing),
    extensions(("x-dgp-right" = json!("config:read"))),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:read").await?;
    let name = named(&call, segment(&request, "name"))?;
    let shown = shown(&call, &name).await.ok_or_else(|| no_such_backend(&name))?;
    Ok(HttpResponse::Ok().insert_header((ETAG, etag(&call.view))).json(shown))
}

/// `POST /backends` → 201: it was opened, and is written into the config file. `?dry_run=true` → 200 with the plan.
#[utoipa::path(
    post, path = "/_/api/admin/backends", tag = "backends", operation_id = "createBackend",
    params(("dry_run" = Option<bool>, Query, description = "Plan only; nothing is changed.")),
    request_body = Create,
    responses(
        (status = 200, description = "What it would do.", body = Plan),
        (status = 201, description = "It serves.", body = Plan, headers(("ETag" = String, description = "For `If-Match`."))),
        Versioned,
    ),
    extensions(("x-dgp-right" = json!("config:secrets"))),
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:secrets").await?;
    let body: Create = call.json(payload).await?;
    let name = BackendName::new(&body.name)?;
    let Create { r#type, path, endpoint, region, access_key_id, secret_access_key, .. } = body;
    let place = Place { path, endpoint, region, access_key_id, secret_access_key };
    let kind = place.kind(&r#type, None)?;
    let edit = BackendEdit::Add { name, kind, read_only: body.read_only, default: body.default };
    configure(&request, &call, "backend.create", ConfigEdit::Backend(edit), RootMeans::AsIs, StatusCode::CREATED).await
}

/// `PUT /backends/{name}` changes the fields that are sent. Another place needs the right `config:secrets`.
#[utoipa::path(
    put, path = "/_/api/admin/backends/{name}", tag = "backends", operation_id = "updateBackend",
    params(
        ("name" = String, Path, description = "The backend's name."),
        ("dry_run" = Option<bool>, Query, description = "Plan only; nothing is changed."),
    ),
    request_body = Update,
    responses((status = 200, description = "As it is planned, or in force.", body = Plan, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("config:write"))),
)]
pub(super) async fn update(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:write").await?;
    let name = named(&call, segment(&request, "name"))?;
    let body: Update = call.json(payload).await?;
    if body.default == Some(false) && call.view.config.storage.default_backend == name {
        return Err(invalid("one backend is the default: make another one it"));
    }
    let Update { r#type, path, endpoint, region, access_key_id, secret_access_key, .. } = body;
    let place = Place { path, endpoint, region, access_key_id, secret_access_key };
    let now = call.view.config.storage.backends.get(&name).map(|backend| &backend.kind);
    let wanted = match (place.is_named(), r#type.as_deref().or(now.map(word))) {
        (true, Some(word)) => Some(place.kind(word, now)?),
        _ => None,
    };
    let wanted = wanted.filter(|wanted| now != Some(wanted));
    if wanted.is_some() {
        call.require("config:secrets").await?;
    }
    let means = match body.claim.as_deref() {
        None => RootMeans::AsIs,
        Some("init") => RootMeans::Init,
        Some("adopt") => RootMeans::Adopt,
        Some(other) => return Err(invalid(format!("`claim` is `init` or `adopt`, not `{other}`"))),
    };
    let default = body.default.unwrap_or(false);
    let edit = BackendEdit::Change { name, kind: wanted, read_only: body.read_only, default };
    configure(&request, &call, "backend.update", ConfigEdit::Backend(edit), means, StatusCode::OK).await
}

/// `DELETE /backends/{name}`: refused while buckets are routed to it. Its objects stay where they are, its keys in the keyring.
#[utoipa::path(
    delete, path = "/_/api/admin/backends/{name}", tag = "backends", operation_id = "deleteBackend",
    params(
        ("name" = String, Path, description = "The backend's name."),
        ("dry_run" = Option<bool>, Query, description = "Plan only; nothing is changed."),
    ),
    responses((status = 200, description = "As it is planned, or in force.", body = Plan, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("config:secrets"))),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:secrets").await?;
    let name = named(&call, segment(&request, "name"))?;
    configure(
        &request,
        &call,
        "backend.delete",
        ConfigEdit::Backend(BackendEdit::Remove { name }),
        RootMeans::AsIs,
        StatusCode::OK,
    )
    .await
}

/// `POST /backends/{name}/probe`: looks at it now, with a write at most once a minute.
#[utoipa::path(
    post, path = "/_/api/admin/backends/{name}/probe", tag = "backends", operation_id = "probeBackend",
    params(("name" = String, Path, description = "The backend's name.")),
    responses((status = 200, description = "As it is now.", body = Probed), Missing),
    extensions(("x-dgp-right" = json!("system:write"))),
)]
pub(super) async fn probe(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "system:write").await?;
    Query::parse(&request, &[])?;
    let name = named(&call, segment(&request, "name"))?;
    let view = &call.view;
    let store = view.stores.get(&name).ok_or_else(|| no_such_backend(&name))?;
    let look = call.edge.backup.look_at(name.clone()).await?;
    let health = health::backend(store, call.edge.clock.now()).await;
    let look =
        Look { state: look.state.word(), backend_id: look.backend_id, buckets: look.buckets, message: look.message };
    Ok(HttpResponse::Ok().json(Probed { name: name.to_string(), health, look }))
}

/// `POST /backends/{name}/init`: makes a place that lost its `.dg/backend.json` this backend's own, and opens it.
#[utoipa::path(
    post, path = "/_/api/admin/backends/{name}/init", tag = "backends", operation_id = "initBackend",
    params(("name" = String, Path, description = "The backend's name.")),
    responses((status = 200, description = "It serves.", body = Claimed), Missing, Versioned),
    extensions(("x-dgp-right" = json!("config:secrets"))),
)]
pub(super) async fn init(request: HttpRequest) -> Result<HttpResponse, Problem> {
    claim(request, "backend.init", RootMeans::Init).await
}

/// `POST /backends/{name}/adopt`: takes a place over under the id that it bears, opens it, and takes in all buckets there.
#[utoipa::path(
    post, path = "/_/api/admin/backends/{name}/adopt", tag = "backends", operation_id = "adoptBackend",
    params(("name" = String, Path, description = "The backend's name.")),
    responses((status = 200, description = "It serves.", body = Claimed), Missing, Versioned),
    extensions(("x-dgp-right" = json!("config:secrets"))),
)]
pub(super) async fn adopt(request: HttpRequest) -> Result<HttpResponse, Problem> {
    claim(request, "backend.adopt", RootMeans::Adopt).await
}

async fn claim(request: HttpRequest, action: &'static str, means: RootMeans) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:secrets").await?;
    Query::parse(&request, &[])?;
    call.required_version()?;
    let name = named(&call, segment(&request, "name"))?;
    let (edge, recorder, target) = (call.edge.clone(), call.recorder(), name.clone());
    let claimed = detached(async move {
        let outcome = async {
            let backend_id = edge.backup.take_root(target.clone(), means).await?;
            let adoption = edge.system.adopt_buckets(&target, Which::All).await?;
            let doubles = adoption.doubles.iter().filter(|(_, backends)| backends.contains(&target));
            Ok::<_, actors::Error>(Claimed {
                name: target.to_string(),
                backend_id,
                adopted: adoption.adopt.iter().map(|(_, bucket)| bucket.to_string()).collect(),
                doubles: doubles.map(|(bucket, _)| bucket.to_string()).collect(),
            })
        };
        recorded(&recorder, action, target.as_str(), outcome.await).await
    })
    .await?;
    Ok(HttpResponse::Ok().json(claimed))
}

/// Plans and, unless it is a dry run, makes a change of the config, with its audit row.
pub(super) async fn configure(
    request: &HttpRequest,
    call: &Call,
    action: &'static str,
    edit: ConfigEdit,
    root: RootMeans,
    done: StatusCode,
) -> Result<HttpResponse, Problem> {
    let dry_run = Query::parse(request, &["dry_run"])?.flag("dry_run")?;
    let target = match &edit {
        ConfigEdit::Backend(edit) => edit.name().to_string(),
        ConfigEdit::Schedule(_) => String::new(),
    };
    let configuration = Configuration { edit, root, dry_run, if_version: call.required_version()?, who: call.who() };
    if dry_run {
        let plan = call.edge.backup.configure(configuration).await?;
        return Ok(HttpResponse::Ok().insert_header((ETAG, etag(&call.view))).json(plan));
    }
    let (edge, recorder) = (call.edge.clone(), call.recorder());
    let plan = detached(async move {
        let outcome = edge.backup.configure(configuration).await;
        recorded(&recorder, action, &target, outcome).await
    })
    .await?;
    Ok(HttpResponse::build(done).insert_header((ETAG, etag(&call.edge.system.view()))).json(plan))
}

/// Writes the audit row of what was done, or of how it failed.
async fn recorded<T: Serialize>(
    recorder: &Recorder,
    action: &'static str,
    target: &str,
    outcome: actors::Result<T>,
) -> Result<T, Problem> {
    match outcome {
        Ok(done) => {
            let detail = json!({"result": serde_json::to_value(&done).unwrap_or_default()});
            recorder.record(action, target, Outcome::Success, detail).await?;
            Ok(done)
        }
        Err(error) => Err(recorder.failed(action, target, error).await?),
    }
}

/// The backend that the path names; 404 where there is none.
fn named(call: &Call, name: &str) -> Result<BackendName, Problem> {
    let known = call.view.config.storage.backends.keys().find(|known| known.as_str() == name);
    known.cloned().ok_or_else(|| {
        actors::Error::new(actors::ErrorKind::NotFound, "backends", format!("there is no backend `{name}`"))
            .with_code("no_such_backend")
            .with_hint("`GET /_/api/admin/backends` lists those there are")
            .into()
    })
}

async fn shown(call: &Call, name: &BackendName) -> Option<Shown> {
    let (view, now) = (&call.view, call.edge.clock.now());
    let (backend, store) = (view.config.storage.backends.get(name)?, view.stores.get(name)?);
    let account = match &backend.kind {
        BackendKind::S3(account) => Some(account),
        BackendKind::Filesystem { .. } => None,
    };
    Some(Shown {
        name: name.to_string(),
        r#type: word(&backend.kind),
        path: backend.kind.directory().map(|path| path.as_str().to_owned()),
        endpoint: account.and_then(|account| account.endpoint.clone()),
        region: account.map(|account| account.region.clone()),
        access_key_id: account.map(|account| account.access_key_id.clone()),
        root: store.root().map(|root| root.display().to_string()),
        backend_id: view.state.backends.get(name).cloned(),
        read_only: backend.read_only,
        sealed: store.seal().map(Seal::word),
        conditional_writes: store.conditional_writes().map(ConditionalWrites::word),
        default: view.config.storage.default_backend == *name,
        origin: origin(view, name),
        buckets: buckets_of(&routes(&view.config.storage, &view.state.buckets), name).count(),
        health: health::backend(store, now).await,
    })
}

/// Where a backend's place is written.
fn origin(view: &SystemView, name: &BackendName) -> String {
    let origins = &view.loaded.origins;
    let of = |key: &str| origins.get(&format!("storage.backends.{name}.{key}"));
    let found = of("path").or_else(|| of("access_key_id")).or_else(|| origins.get("storage.filesystem"));
    found.map_or_else(|| "default".to_owned(), ToString::to_string)
}
