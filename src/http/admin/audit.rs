//! `GET /audit`: the latest rows of the audit log.

use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use actors::domain::clock::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How many rows without `limit`.
const PAGE: usize = 100;
/// The most rows of one answer.
const LARGEST_PAGE: usize = 10_000;

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

/// `GET /audit`: the latest rows.
#[utoipa::path(
    get, path = "/_/api/admin/audit", tag = "audit", operation_id = "listAudit",
    params(("limit" = Option<u32>, Query, description = "At most so many, 1 to 10000; 100 without it.")),
    responses((status = 200, description = "The latest first.", body = [Row])),
    extensions(("x-dgp-right" = json!("audit:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "audit:read").await?;
    let query = Query::parse(&request, &["limit"])?;
    let limit = match query.one("limit")? {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
            .ok_or_else(|| invalid(format!("`limit` is a number from 1 to {LARGEST_PAGE}")))?,
    };
    let rows = call.edge.audit.tail(limit).await?;
    let shown: Vec<Row> = rows
        .into_iter()
        .map(|row| {
            // The detail was written as JSON; should somebody have edited the row, its text is shown as it is.
            let detail = serde_json::from_str(&row.detail).unwrap_or(Value::String(row.detail));
            Row {
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
        })
        .collect();
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(shown))
}
