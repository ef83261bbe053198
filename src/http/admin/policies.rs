//! `GET /policies`: the shipped roles and the rights there are, for forms.

use crate::http::admin::call::Call;
use crate::http::admin::dto::{Rule, rules};
use crate::http::admin::error::Problem;
use actix_web::{HttpRequest, HttpResponse};
use actors::domain::iam::roles::{ROLES, role};
use serde::Serialize;
use utoipa::ToSchema;

/// A shipped role.
#[derive(Serialize, ToSchema)]
pub(super) struct Policy {
    name: &'static str,
    permissions: Vec<Rule>,
}

/// `GET /policies`: the shipped roles.
#[utoipa::path(
    get, path = "/_/api/admin/policies", tag = "users", operation_id = "listPolicies",
    responses((status = 200, description = "The most powerful first.", body = [Policy])),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    call.caller()?;
    let policies = ROLES.iter().filter_map(|name| Some(Policy { name, permissions: rules(&role(name)?) }));
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(policies.collect::<Vec<_>>()))
}
