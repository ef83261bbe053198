//! `audit`, `audit/export`, `audit/verify`: the log in pages, as a whole, and the proof that it is as it was written.

use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::openapi::Conflicting;
use crate::http::admin::query::Query;
use crate::http::percent;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LINK};
use actix_web::{HttpRequest, HttpResponse};
use actors::audit::{AuditHandle, Outcome};
use actors::db::runtime::{AuditCheck, AuditFilter, AuditHead, AuditRow};
use actors::domain::clock::Timestamp;
use actors::{Error, Result};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How many rows without `limit`.
const PAGE: usize = 100;
/// How many rows of an export are read at once.
const STRIDE: usize = 1_000;
/// The filters, as the query calls them.
const FILTERS: [&str; 6] = ["actor", "action", "target", "outcome", "since", "until"];
const OUTCOMES: [&str; 4] = ["started", "success", "denied", "failed"];

/// A row of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditRow)]
pub(super) struct Row {
    /// 1, 2, 3, ….
    seq: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    /// `login`, `user.create`, `backup.restore`, ….
    action: String,
    /// What it was done to; empty where there is nothing to name.
    target: String,
    /// `started`, `success`, `denied` or `failed`.
    outcome: String,
    ip: String,
    request_id: String,
    detail: Value,
}

/// What may be asked of the log; a text that ends with `*` is the beginning of what is meant.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "the document is made from it; the query is read by name")]
pub(super) struct Filters {
    /// Who did it.
    actor: Option<String>,
    /// What was done: `login`, `user.*`.
    action: Option<String>,
    /// What it was done to.
    target: Option<String>,
    /// How it ended: `started`, `success`, `denied` or `failed`.
    outcome: Option<String>,
    /// Not before this moment (RFC 3339).
    since: Option<String>,
    /// Before this moment (RFC 3339).
    until: Option<String>,
}

/// What the proof found.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditProof)]
pub(super) struct Proof {
    /// Nothing is wrong.
    ok: bool,
    /// How many rows there are.
    rows: u64,
    /// The number of the last row that was pruned in order; 0 where none was.
    pruned: u64,
    /// The number of the last row.
    count: u64,
    /// Its HMAC: keep both elsewhere as `COUNT:HEAD`, and the log can be held against them.
    head: String,
    /// The first row that is not as it was written.
    #[schema(required)]
    gap: Option<Gap>,
}

/// The first row that is not as it was written.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditGap)]
pub(super) struct Gap {
    seq: u64,
    /// `edited`, `dropped`, `reordered`, `truncated` or `forged_stub`.
    kind: &'static str,
}

impl From<AuditCheck> for Proof {
    fn from(check: AuditCheck) -> Self {
        Self {
            ok: check.gap.is_none(),
            rows: check.rows,
            pruned: check.pruned,
            count: check.head.count,
            head: check.head.head,
            gap: check.gap.map(|gap| Gap { seq: gap.seq, kind: gap.kind.as_str() }),
        }
    }
}

impl From<AuditRow> for Row {
    fn from(row: AuditRow) -> Self {
        // The detail was written as JSON; should somebody have edited the row, its text is shown as it is.
        let detail = serde_json::from_str(&row.detail).unwrap_or(Value::String(row.detail));
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            action: row.action,
            target: row.target,
            outcome: row.outcome,
            ip: row.ip,
            request_id: row.request_id,
            detail,
        }
    }
}

/// `GET /audit`: a page of the log.
#[utoipa::path(
    get, path = "/_/api/admin/audit", tag = "audit", operation_id = "listAudit",
    params(
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 10000; 100 without it."),
        ("after" = Option<u64>, Query, description = "The number of the row after which the page goes on, backward in time; the `Link` header has it."),
        Filters,
    ),
    responses((status = 200, description = "The latest first.", body = [Row])),
    extensions(("x-dgp-right" = json!("audit:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "audit:read").await?;
    let query = Query::parse(&request, &[&["limit", "after"], &FILTERS[..]].concat())?;
    let limit = query.limit()?.unwrap_or(PAGE);
    let mut rows = call.edge.audit.page(filter(&query)?, number(&query, "after")?, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let mut response = HttpResponse::Ok();
    response.insert_header(("cache-control", "no-store"));
    if let Some(last) = rows.last().filter(|_| more) {
        response.insert_header((LINK, next(&request, &query, limit, last.seq)?));
    }
    Ok(response.json(rows.into_iter().map(Row::from).collect::<Vec<_>>()))
}

/// `GET /audit/export`: all of it, one JSON object a line, the oldest first.
#[utoipa::path(
    get, path = "/_/api/admin/audit/export", tag = "audit", operation_id = "exportAudit",
    params(Filters),
    responses(
        (status = 200, description = "The oldest first, one row of `GET /audit` a line.", body = String, content_type = "application/x-ndjson",
         headers(("Content-Disposition" = String, description = "With a name for the file."))),
    ),
    extensions(("x-dgp-right" = json!("audit:read"))),
)]
pub(super) async fn export(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "audit:read").await?;
    let query = Query::parse(&request, &FILTERS)?;
    let (audit, filter) = (call.edge.audit.clone(), filter(&query)?);
    // What goes wrong at once is an answer; what goes wrong later breaks the body off.
    let first = audit.rows_from(filter.clone(), 0, STRIDE).await?;
    call.recorder().record("audit.export", "", Outcome::Success, Value::Null).await?;
    let name = format!("audit-{}.ndjson", call.edge.clock.now().compact());
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header(("cache-control", "no-store"))
        .streaming(stream::try_unfold(Some(first), move |page| strides(audit.clone(), filter.clone(), page))))
}

/// The lines of one page, and the page after it.
async fn strides(
    audit: AuditHandle,
    filter: AuditFilter,
    page: Option<Vec<AuditRow>>,
) -> Result<Option<(Bytes, Option<Vec<AuditRow>>)>> {
    let Some((page, last)) = page.and_then(|page| page.last().map(|row| row.seq).map(|last| (page, last))) else {
        return Ok(None);
    };
    let full = page.len() == STRIDE;
    let mut lines = Vec::new();
    for row in page {
        serde_json::to_writer(&mut lines, &Row::from(row))
            .map_err(|error| Error::internal("export audit log", error))?;
        lines.push(b'\n');
    }
    let next = if full { Some(audit.rows_from(filter, last, STRIDE).await?) } else { None };
    Ok(Some((lines.into(), next)))
}

/// `GET /audit/verify`: proves the chain from its beginning to its end.
#[utoipa::path(
    get, path = "/_/api/admin/audit/verify", tag = "audit", operation_id = "verifyAudit",
    params(("checkpoint" = Option<Vec<String>>, Query, description = "`COUNT:HEAD` as a sink or a backup's manifest has it; the last one of this instance is held against the log anyway.")),
    responses((status = 200, description = "What the proof found.", body = Proof), Conflicting),
    extensions(("x-dgp-right" = json!("audit:read"))),
)]
pub(super) async fn verify(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "audit:read").await?;
    let query = Query::parse(&request, &["checkpoint"])?;
    let checkpoints: Vec<AuditHead> = query
        .all("checkpoint")
        .map(|text| text.parse::<AuditHead>().map_err(Problem::from))
        .collect::<Result<_, _>>()?;
    let check = call.edge.audit.verify(checkpoints).await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Proof::from(check)))
}

fn filter(query: &Query) -> Result<AuditFilter, Problem> {
    let text = |name: &str| Ok::<_, Problem>(query.one(name)?.map(str::to_owned));
    let at = |name: &str| match query.one(name)? {
        None => Ok(None),
        Some(text) => Timestamp::parse_rfc3339(text)
            .map(Some)
            .ok_or_else(|| invalid(format!("`{name}` is a moment such as 2026-11-22T09:00:00Z, not `{text}`"))),
    };
    let outcome = text("outcome")?;
    if outcome.as_deref().is_some_and(|outcome| !OUTCOMES.contains(&outcome)) {
        return Err(invalid(format!("`outcome` is one of {}", OUTCOMES.join(", "))));
    }
    Ok(AuditFilter {
        actor: text("actor")?,
        action: text("action")?,
        target: text("target")?,
        outcome,
        since: at("since")?,
        until: at("until")?,
    })
}

fn number(query: &Query, name: &str) -> Result<Option<u64>, Problem> {
    // SQLite's numbers are signed.
    let read = |text: &str| text.parse().ok().filter(|number| i64::try_from(*number).is_ok());
    let number = query.one(name)?.map(|text| read(text).ok_or_else(|| invalid(format!("`{name}` is a row's number"))));
    number.transpose()
}

/// The way to the next page, which has the same filters.
fn next(request: &HttpRequest, query: &Query, limit: usize, last: u64) -> Result<String, Problem> {
    let mut link = format!("<{}?limit={limit}&after={last}", request.path());
    for name in FILTERS {
        if let Some(value) = query.one(name)? {
            link.push_str(&format!("&{name}="));
            percent::encode(value.as_bytes(), &mut link);
        }
    }
    Ok(link + ">; rel=\"next\"")
}
