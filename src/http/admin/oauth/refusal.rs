//! How a sign-in ends that does not succeed: counted, recorded, and shown to whoever waits.

use super::ACCOUNT;
use crate::http::admin::call::{Call, RequestId};
use crate::http::admin::error::Problem;
use crate::http::percent;
use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use actors::Error;
use actors::audit::DenialKind;
use openidconnect::url::form_urlencoded;
use serde_json::Value;
use std::collections::HashMap;

/// Counts a refusal against the address that it came from, and records it.
pub(super) async fn refuse(call: &Call, about: &Value, error: Error) -> Problem {
    call.edge.throttle.failed(&call.ip, ACCOUNT);
    record(call, about, error).await
}

/// Records a refusal, with what is known of the person.
pub(super) async fn record(call: &Call, about: &Value, error: Error) -> Problem {
    let problem = Problem::from(error);
    let known = |name: &str| about[name].as_str().map(|text| text.chars().take(128).collect::<String>());
    let kind = DenialKind {
        actor: "$anonymous".to_owned(),
        action: "login",
        target: [known("provider"), known("subject"), known("email")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
        reason: problem.code(),
        right: None,
        rule: None,
    };
    match call.edge.audit.deny(call.denied(kind)).await {
        Ok(()) => problem,
        Err(failed) => failed.into(),
    }
}

/// Shows a browser the way back to the console, and everybody else the problem.
pub(super) fn answer(
    request: &HttpRequest,
    provider: &str,
    outcome: Result<HttpResponse, Problem>,
) -> Result<HttpResponse, Problem> {
    let problem = match outcome {
        Err(problem) if shows_pages(request) => problem,
        other => return other,
    };
    log::warn!("a sign-in with `{}` failed: {:?}", provider.escape_debug(), problem.error());
    let mut location = format!("/_/?sso_error={}&sso_provider=", problem.code());
    percent::encode(provider.as_bytes(), &mut location);
    if let Some(id) = request.extensions().get::<RequestId>() {
        location += "&sso_request=";
        percent::encode(id.0.as_bytes(), &mut location);
    }
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, location))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .finish())
}

fn shows_pages(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// What a provider sent back. Providers add parameters of their own, which say nothing here; one that is there twice counts as none.
pub(super) fn sent_back(request: &HttpRequest) -> HashMap<String, String> {
    let mut brought: HashMap<String, String> = HashMap::new();
    let mut twice = Vec::new();
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if brought.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            twice.push(name.into_owned());
        }
    }
    brought.retain(|name, _| !twice.contains(name));
    brought
}
