//! `/_/health` (the process lives, and what an operator should know) and `/_/ready` (every owner answers).

use crate::app::Edge;
use crate::http::metrics::name;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::clock::Timestamp;
use actors::store::StoreHandle;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::future::Future;
use std::time::Duration;

/// A part that does not answer for this long is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /_/health`: 200 as long as the process can answer.
pub(super) async fn health(request: HttpRequest, edge: web::Data<Edge>) -> HttpResponse {
    name(&request, "Health");
    let view = edge.system.view();
    let mut notices: Vec<String> = view.notices.to_vec();
    if !view.authentication_required() {
        notices.push("authentication is switched off: everybody may read and write everything".to_owned());
    }
    if view.state.meta.password_logged {
        notices.push(
            "the bootstrap password went through a log; pin a hash of your own with DGP_BOOTSTRAP_PASSWORD_HASH"
                .to_owned(),
        );
    }
    notices.extend(edge.certificates.iter().flat_map(|certificates| certificates.notices()));
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(json!({
        "status": "healthy",
        "version": env!("CARGO_PKG_VERSION"),
        "locked": view.locked.is_some(),
        "locked_reason": view.locked.as_deref(),
        "quarantined": view.state.meta.quarantined_from.is_some(),
        "quarantined_from": view.state.meta.quarantined_from,
        "unpushed": view.state.meta.unpushed,
        "generation": view.version(),
        "notices": notices,
    }))
}

/// `GET /_/ready`: 200, else 503 naming the part that does not answer. A backend that is down is shown, and is no reason: the
/// others can serve.
pub(super) async fn ready(request: HttpRequest, edge: web::Data<Edge>) -> HttpResponse {
    name(&request, "Ready");
    let view = edge.system.view();
    let reason = not_ready(&edge).await;
    let now = edge.clock.now();
    let backends = join_all(view.stores.values().map(|store| backend(store, now))).await;
    let body = json!({"ready": reason.is_none(), "owner": reason, "generation": view.version(), "backends": backends});
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
    if !answers(edge.audit.tail(1)).await {
        return Some("audit");
    }
    None
}

async fn answers<T>(ask: impl Future<Output = actors::Result<T>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, ask).await, Ok(Ok(_)))
}

/// One backend: whether it is up, and how long ago its last success and failure were.
async fn backend(store: &StoreHandle, now: Timestamp) -> Value {
    if let Some(reason) = store.down_reason() {
        return json!({"name": store.name(), "up": false, "reason": reason});
    }
    match tokio::time::timeout(PATIENCE, store.probe()).await {
        Ok(Ok(health)) => json!({
            "name": store.name(),
            "up": health.is_up(),
            "last_success": health.last_success,
            "last_success_age_secs": health.last_success.map(|at| now.since(at).as_secs()),
            "last_failure": health.last_failure.as_ref().map(|(at, _)| at),
            "last_failure_age_secs": health.last_failure.as_ref().map(|(at, _)| now.since(*at).as_secs()),
            "writes": health.writes,
        }),
        Ok(Err(error)) => json!({"name": store.name(), "up": false, "reason": error.message()}),
        Err(_) => json!({"name": store.name(), "up": false, "reason": "it does not answer"}),
    }
}
