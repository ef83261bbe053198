//! `ext-auth/providers/{id}/test`: asks a provider what a sign-in would ask, and says what is wrong.

use super::providers::find;
use crate::auth::oidc::{Check, Party};
use crate::http::admin::call::Call;
use crate::http::admin::error::Problem;
use crate::http::admin::oauth::CALLBACK;
use crate::http::admin::openapi::Missing;
use crate::http::admin::segment;
use actix_web::{HttpRequest, HttpResponse};
use actors::audit::Outcome;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// What was found.
#[derive(Serialize, ToSchema)]
#[schema(as = AuthProviderTest)]
pub(super) struct Report {
    /// Whether people could sign in, as far as this server can see: the client and its secret are tried by signing in alone.
    success: bool,
    issuer: String,
    #[schema(required)]
    authorization_endpoint: Option<String>,
    /// What is wrong.
    #[schema(required)]
    error: Option<String>,
    #[schema(required)]
    code: Option<&'static str>,
    /// What to do about it.
    #[schema(required)]
    hint: Option<String>,
    /// What the provider must know as redirect URI.
    #[schema(required)]
    redirect_url: Option<String>,
    /// What was looked at, up to the first that is wrong.
    checks: Vec<Step>,
}

/// One thing that was looked at.
#[derive(Serialize, ToSchema)]
#[schema(as = AuthProviderCheck)]
pub(super) struct Step {
    /// `issuer`, `discovery`, `keys`, `algorithms` or `public_url`.
    name: &'static str,
    ok: bool,
    detail: String,
}

/// `POST /ext-auth/providers/{id}/test`: asks it now.
#[utoipa::path(
    post, path = "/_/api/admin/ext-auth/providers/{id}/test", tag = "sign-in providers", operation_id = "testAuthProvider",
    params(("id" = String, Path, description = "The provider's id.")),
    responses((status = 200, description = "What was found, also where it is bad.", body = Report), Missing),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn run(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:write").await?;
    let provider = find(&call.view, segment(&request, "id"))?;
    let party = Party::new(&provider, &call.view.config.access.sso_allowed_hosts)?;
    let issuer = party.issuer().to_owned();
    let examined = call.edge.oidc.examine(party, call.edge.clock.now()).await?;
    let redirect_url = call.view.config.advanced.public_url.as_ref().map(|base| format!("{base}{CALLBACK}"));
    let mut checks: Vec<Step> = examined.checks.into_iter().map(Step::from).collect();
    checks.push(match &redirect_url {
        Some(url) => Step { name: "public_url", ok: true, detail: format!("the provider must know {url}") },
        None => Step {
            name: "public_url",
            ok: false,
            detail: "`advanced.public_url` is not set: only who calls this server on its own machine can be sent back"
                .into(),
        },
    });
    let error = examined.error;
    let outcome = if error.is_none() { Outcome::Success } else { Outcome::Failed };
    let detail = json!({"code": error.as_ref().and_then(|error| error.code())});
    call.recorder().record("auth_provider.test", &provider.id, outcome, detail).await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Report {
        success: error.is_none(),
        issuer,
        authorization_endpoint: examined.authorization_endpoint,
        code: error.as_ref().and_then(|error| error.code()),
        hint: error.as_ref().and_then(|error| error.hint()).map(str::to_owned),
        error: error.map(|error| error.message().to_owned()),
        redirect_url,
        checks,
    }))
}

impl From<Check> for Step {
    fn from(check: Check) -> Self {
        Self { name: check.name, ok: check.ok, detail: check.detail }
    }
}
