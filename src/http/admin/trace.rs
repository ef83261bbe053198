//! `config/trace`: which block of admission decides on a request, by the very function that decides on requests.

use crate::auth::sigv4::{Parsed, RawRequest};
use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::query::Query;
use crate::http::s3::{admission, permission};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::admission::{Action, Verdict};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// A request that might come.
#[derive(Deserialize, ToSchema)]
#[schema(as = TraceRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// `GET`, `PUT`, ….
    method: String,
    /// As it is sent: encoded, with its slash at the beginning.
    path: String,
    /// What follows the question mark.
    #[serde(default)]
    query: String,
    /// It brings credentials.
    #[serde(default)]
    authenticated: bool,
    /// Where it comes from; the caller's own address where it is left out.
    source_ip: Option<String>,
}

/// What was read of it, and what the blocks say.
#[derive(Serialize, ToSchema)]
#[schema(as = Trace)]
pub(super) struct Trace {
    resolved: Resolved,
    admission: Decision,
}

/// The request as rules see it.
#[derive(Serialize, ToSchema)]
#[schema(as = TraceResolved)]
struct Resolved {
    method: String,
    /// The operation; `null` where S3 has none such, so that the request will be refused in any case.
    #[schema(required)]
    operation: Option<&'static str>,
    /// The actions that it needs, as policies name them.
    actions: Vec<&'static str>,
    #[schema(required)]
    bucket: Option<String>,
    #[schema(required)]
    key: Option<String>,
    /// Of a listing.
    #[schema(required)]
    list_prefix: Option<String>,
    authenticated: bool,
    #[schema(required)]
    source_ip: Option<String>,
}

/// What becomes of it.
#[derive(Serialize, ToSchema)]
#[schema(as = TraceDecision)]
struct Decision {
    /// `allow-anonymous`, `deny`, `reject` or `continue`: it goes on to be authenticated.
    decision: &'static str,
    /// The block that says so; `null` where none is about the request.
    #[schema(required)]
    matched: Option<String>,
    /// The status of the answer, where it is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What the client reads, where it is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// `GET /config/trace?method=…&path=…`.
#[utoipa::path(
    get, path = "/_/api/admin/config/trace", tag = "config", operation_id = "getTrace",
    params(
        ("method" = String, Query, description = "`GET`, `PUT`, …."),
        ("path" = String, Query, description = "The path, encoded as it is sent, and then for this query."),
        ("query" = Option<String>, Query, description = "What follows the question mark."),
        ("authenticated" = Option<bool>, Query, description = "It brings credentials."),
        ("source_ip" = Option<String>, Query, description = "Where it comes from."),
    ),
    responses((status = 200, description = "The decision, whatever it is.", body = Trace)),
    extensions(("x-dgp-right" = json!("config:read"))),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:read").await?;
    let query = Query::parse(&request, &["method", "path", "query", "authenticated", "source_ip"])?;
    let needed = |name: &str| -> Result<String, Problem> {
        let value = query.one(name)?.ok_or_else(|| invalid(format!("the query parameter `{name}` is missing")))?;
        Ok(value.to_owned())
    };
    let question = Question {
        method: needed("method")?,
        path: needed("path")?,
        query: query.one("query")?.unwrap_or_default().to_owned(),
        authenticated: query.flag("authenticated")?,
        source_ip: query.one("source_ip")?.map(str::to_owned),
    };
    answer(&call, question)
}

/// `POST /config/trace`: the same with a body.
#[utoipa::path(
    post, path = "/_/api/admin/config/trace", tag = "config", operation_id = "trace",
    request_body = Question,
    responses((status = 200, description = "The decision, whatever it is.", body = Trace)),
    extensions(("x-dgp-right" = json!("config:read"))),
)]
pub(super) async fn post(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "config:read").await?;
    let question: Question = call.json(payload).await?;
    answer(&call, question)
}

fn answer(call: &Call, question: Question) -> Result<HttpResponse, Problem> {
    let Question { method, path, query, authenticated, source_ip } = question;
    let source_ip = match source_ip {
        None => call.context().source_ip,
        Some(text) => Some(text.parse::<IpAddr>().map_err(|_| invalid(format!("`{text}` is no IP address")))?),
    };
    let method = method.to_ascii_uppercase();
    if !path.starts_with('/') {
        return Err(invalid("`path` begins with a slash: /bucket/key, encoded as it is sent"));
    }
    let credentials = [("authorization", b"AWS4-HMAC-SHA256".as_slice())];
    let headers = credentials.into_iter().filter(|_| authenticated).collect();
    let raw = RawRequest { bucket: None, method: &method, path: &path, query: &query, headers };
    let parsed = Parsed::new(&raw).map_err(|refusal| invalid(refusal.to_string()))?;
    let sent = admission::Sent::new(&method, &parsed, source_ip);
    let verdict = sent.judge(&call.view.config.admission, &parsed);
    let list = parsed.operation().map(permission::list_parameters).unwrap_or_default();
    let is_listing = parsed.operation().is_some_and(permission::is_listing);
    let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let resolved = Resolved {
        operation: parsed.operation().map(|operation| operation.verb().name()),
        actions: admission::actions(&parsed),
        bucket: named(parsed.named().0),
        key: named(parsed.named().1),
        list_prefix: is_listing.then_some(list.prefix),
        authenticated: parsed.has_credentials(),
        source_ip: source_ip.map(|ip| ip.to_string()),
        method,
    };
    let stopped = verdict.stopped_by().map(admission::answer);
    let admission = Decision {
        decision: match verdict {
            Verdict::Pass(Some(block)) | Verdict::Stop(block) => block.action.word(),
            Verdict::Pass(None) => Action::Continue.word(),
        },
        matched: verdict.block().map(|block| block.name.clone()),
        status: stopped.as_ref().map(|error| error.status().as_u16()),
        message: stopped.map(|error| error.message().to_owned()),
    };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Trace { resolved, admission }))
}
