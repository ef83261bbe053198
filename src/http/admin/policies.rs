//! `GET /policies`: the shipped roles and the rights there are, for forms.

use crate::http::admin::call::Call;
use crate::http::admin::dto::rules;
use crate::http::admin::error::Problem;
use actix_web::{HttpRequest, HttpResponse};
use actors::domain::iam::roles::{ROLES, role};
use serde_json::{Value, json};

pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    call.caller()?;
    let policies: Vec<Value> =
        ROLES.iter().filter_map(|name| Some(json!({"name": name, "permissions": rules(&role(name)?)}))).collect();
    Ok(HttpResponse::Ok().json(policies))
}
