//! `tokens`, `tokens/{id}`: API tokens for automation.

use crate::auth::token;
use crate::http::admin::call::Call;
use crate::http::admin::dto::{Rule, TokenView, permissions};
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::{list_of, segment};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::change::StateChange;
use actors::domain::iam::change::IamChange;
use actors::domain::iam::model::{ApiToken, Permission};
use actors::domain::iam::roles::{ROLES, role};
use actors::session::token_sha256;
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

/// A new token: a role or rules of its own.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewToken)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    name: String,
    /// `admin`, `operator`, `viewer` or `backup`.
    role: Option<String>,
    permissions: Option<Vec<Rule>>,
    /// A duration such as `24h` or `7d`; without it the token does not expire.
    expires_in: Option<String>,
}

/// `GET /tokens`: an array without the tokens' texts.
#[utoipa::path(
    get, path = "/_/api/admin/tokens", tag = "tokens", operation_id = "listTokens",
    params(Paging),
    responses((status = 200, description = "Without their texts.", body = [TokenView], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let query = Query::paging(&request)?;
    let (tokens, link) = query.page(call.view.state.tokens.iter())?;
    Ok(list_of(&call.view, tokens.into_iter().map(|token| TokenView::new(token, &call.edge.last_used)).collect(), link))
}

/// `POST /tokens {name, role | permissions, expires_in}` → 201 with the token, this once.
#[utoipa::path(
    post, path = "/_/api/admin/tokens", tag = "tokens", operation_id = "createToken",
    request_body = Create,
    responses((status = 201, description = "With its text, this once.", body = TokenView), Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:write").await?;
    let body: Create = call.json(payload).await?;
    let now = call.edge.clock.now();
    let expires_at = body.expires_in.as_deref().map(duration).transpose()?.map(|life| now.after(life));
    let secret = token::make()?;
    let token = ApiToken {
        id: uuid::Uuid::new_v4().to_string(),
        name: body.name,
        sha256: token_sha256(secret.expose()),
        permissions: rights(body.role, body.permissions)?,
        created_at: now,
        expires_at,
    };
    let change = IamChange::CreateToken { token: token.clone() };
    call.mutate("token.create", &token.name, StateChange::Iam(change)).await?;
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(TokenView::with_secret(
        &token,
        &call.edge.last_used,
        &secret,
    )))
}

/// `DELETE /tokens/{id}` → 204.
#[utoipa::path(
    delete, path = "/_/api/admin/tokens/{id}", tag = "tokens", operation_id = "deleteToken",
    params(("id" = String, Path, description = "The token's id.")),
    responses((status = 204, description = "The token is void."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:write").await?;
    let id = segment(&request, "id");
    call.mutate("token.delete", id, StateChange::Iam(IamChange::DeleteToken { id: id.to_owned() })).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A role's rules or rules of its own, not both.
fn rights(name: Option<String>, rules: Option<Vec<Rule>>) -> Result<Vec<Permission>, Problem> {
    match (name, rules) {
        (Some(name), None) => {
            role(&name).ok_or_else(|| invalid(format!("there is no role `{name}`; there are {}", ROLES.join(", "))))
        }
        (None, Some(rules)) => Ok(permissions(rules)),
        _ => Err(invalid("a token has either a `role` or `permissions`")),
    }
}

/// `90s`, `30m`, `24h`, `7d`, `4w`.
pub(super) fn duration(text: &str) -> Result<Duration, Problem> {
    let bad = || invalid(format!("`expires_in` is a duration such as 24h or 7d, not `{text}`"));
    let unit = match text.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        Some('w') => 7 * 86_400,
        _ => return Err(bad()),
    };
    let number: u64 = text[..text.len() - 1].trim().parse().map_err(|_| bad())?;
    // A century is longer than any token should live, and its milliseconds still fit a time stamp.
    let seconds = number.checked_mul(unit).filter(|seconds| (1..=100 * 366 * 86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("24h").unwrap(), Duration::from_secs(86_400));
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("2w").unwrap(), Duration::from_secs(14 * 86_400));
        for bad in ["", "h", "24", "0h", "-1h", "1.5h", "24H", "99999999999999999999h", "9999999999w", "1ä"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_has_a_role_or_rules() {
        assert_eq!(rights(Some("viewer".into()), None).unwrap().len(), 1);
        assert!(rights(Some("root".into()), None).is_err());
        assert!(rights(None, None).is_err());
        assert!(rights(Some("viewer".into()), Some(Vec::new())).is_err());
    }
}
