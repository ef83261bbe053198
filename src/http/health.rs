//! `/_/health` (the process lives, and what an operator should know) and `/_/ready` (every owner answers).

use crate::app::Edge;
use crate::http::metrics::name;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::clock::Timestamp;
use actors::store::StoreHandle;
use actors::system::view::SystemView;
use futures_util::future::join_all;
use serde::Serialize;
use std::future::Future;
use std::time::Duration;
use utoipa::ToSchema;

/// A part that does not answer for this long is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// That the process lives, and what an operator should know.
#[derive(Serialize, ToSchema)]
pub(super) struct Health<'a> {
    status: &'static str,
    version: &'static str,
    /// No key opens the config database; only a restore leads out.
    locked: bool,
    #[schema(required)]
    locked_reason: Option<&'a str>,
    /// This is a clone: what acts on other systems is paused until go-live.
    quarantined: bool,
    #[schema(required)]
    quarantined_from: Option<&'a str>,
    /// Restored, and not yet pushed to the instances that share the state.
    unpushed: bool,
    /// `epoch.generation`.
    generation: String,
    notices: Vec<String>,
}

/// Whether every owner answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    ready: bool,
    /// The part that does not answer.
    #[schema(required)]
    owner: Option<&'static str>,
    /// `epoch.generation`.
    generation: String,
    backends: Vec<BackendHealth>,
}

/// One backend as it was last seen.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct BackendHealth {
    name: String,
    up: bool,
    /// Why it is down.
    #[schema(required)]
    reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_success: Option<Timestamp>,
    #[schema(required)]
    last_success_age_secs: Option<u64>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_failure: Option<Timestamp>,
    #[schema(required)]
    last_failure_age_secs: Option<u64>,
    /// Writes in progress.
    writes: usize,
}

/// `GET /_/health`: 200 as long as the process can answer.
#[utoipa::path(
    get, path = "/_/health", tag = "about", operation_id = "getHealth", security(()),
    responses((status = 200, description = "The process lives.", body = Health)),
)]
pub(super) async fn health(request: HttpRequest, edge: web::Data<Edge>) -> HttpResponse {
    name(&request, "Health");
    let view = edge.system.view();
    let mut notices: Vec<String> = view.notices.to_vec();
    if !view.authentication_required() {
        notices.push("authentication is switched off: everybody may read and write everything".to_owned());
    }
    if view.state.meta.password_logged {
        notices.push(
            "the bootstrap password went through a log; change it, or pin a hash of your own with \
             DGP_BOOTSTRAP_PASSWORD_HASH"
                .to_owned(),
        );
    }
    notices.extend(edge.certificates.iter().flat_map(|certificates| certificates.notices()));
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Health {
        status: "healthy",
        version: env!("CARGO_PKG_VERSION"),
        locked: view.locked.is_some(),
        locked_reason: view.locked.as_deref(),
        quarantined: view.state.meta.quarantined_from.is_some(),
        quarantined_from: view.state.meta.quarantined_from.as_deref(),
        unpushed: view.state.meta.unpushed,
        generation: view.version(),
        notices,
    })
}

/// `GET /_/ready`: 200, else 503 naming the part that does not answer. A backend that is down is shown, and is no reason: the
/// others can serve.
#[utoipa::path(
    get, path = "/_/ready", tag = "about", operation_id = "getReady", security(()),
    responses(
        (status = 200, description = "It serves.", body = Readiness),
        (status = 503, description = "The part in `owner` does not answer.", body = Readiness),
    ),
)]
pub(super) async fn ready(request: HttpRequest, edge: web::Data<Edge>) -> HttpResponse {
    name(&request, "Ready");
    let view = edge.system.view();
    let reason = not_ready(&edge).await;
    let now = edge.clock.now();
    let backends = backends(&view, now).await;
    let body = Readiness { ready: reason.is_none(), owner: reason, generation: view.version(), backends };
    let mut response = match reason {
        None => HttpResponse::Ok(),
        Some(_) => HttpResponse::ServiceUnavailable(),
    };
    response.insert_header(("cache-control", "no-store")).json(body)
}

/// The owner that does not answer.
async fn not_ready(edge: &Edge) -> Option<&'static str> {
    if let Some(dead) = edge.guardian.dead() {
        return Some(dead);
    }
    if edge.system.view().locked.is_some() {
        return Some("iam_db");
    }
    if !answers(edge.session.list()).await {
        return Some("session");
    }
    // Reading a row goes through the writer of the state DB, so this proves that it is open.
    if !answers(edge.audit.answers()).await {
        return Some("audit");
    }
    None
}

async fn answers<T>(ask: impl Future<Output = actors::Result<T>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, ask).await, Ok(Ok(_)))
}

/// Every backend as it is now.
pub(super) async fn backends(view: &SystemView, now: Timestamp) -> Vec<BackendHealth> {
    join_all(view.stores.values().map(|store| backend(store, now))).await
}

impl BackendHealth {
    /// Name and reason of a backend that is down.
    pub(super) fn down(&self) -> Option<(String, String)> {
        let reason = || self.reason.clone().unwrap_or_else(|| "its last operations failed".to_owned());
        (!self.up).then(|| (self.name.clone(), reason()))
    }
}

/// One backend: whether it is up, and how long ago its last success and failure were.
pub(super) async fn backend(store: &StoreHandle, now: Timestamp) -> BackendHealth {
    let down = |reason: &str| BackendHealth {
        name: store.name().to_string(),
        reason: Some(reason.to_owned()),
        ..BackendHealth::default()
    };
    if let Some(reason) = store.down_reason() {
        return down(&reason);
    }
    match tokio::time::timeout(PATIENCE, store.probe()).await {
        Ok(Ok(health)) => BackendHealth {
            name: store.name().to_string(),
            up: health.is_up(),
            reason: None,
            last_success: health.last_success,
            last_success_age_secs: health.last_success.map(|at| now.since(at).as_secs()),
            last_failure: health.last_failure.as_ref().map(|(at, _)| *at),
            last_failure_age_secs: health.last_failure.as_ref().map(|(at, _)| now.since(*at).as_secs()),
            writes: health.writes,
        },
        Ok(Err(error)) => down(error.message()),
        Err(_) => down("it does not answer"),
    }
}
