//! `ext-auth/identities`, `ext-auth/identities/{id}`: which people of which provider are bound to which users.

use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, not_found};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::users::end_void_sessions;
use crate::http::admin::{list_of, segment};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::change::StateChange;
use actors::domain::clock::Timestamp;
use actors::domain::iam::change::{IamChange, SignInChange};
use actors::domain::iam::model::ExternalIdentity;
use actors::domain::state::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// A person of a provider, and the user that they sign in as.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExternalIdentity)]
pub(super) struct IdentityView<'a> {
    id: &'a str,
    user_id: &'a str,
    #[schema(required)]
    user_name: Option<&'a str>,
    provider_id: &'a str,
    #[schema(required)]
    provider_name: Option<&'a str>,
    /// The provider's name for the person: the claim `sub`.
    external_sub: &'a str,
    /// As it was when the groups last changed.
    #[schema(required)]
    email: Option<&'a str>,
    email_verified: bool,
    #[schema(required)]
    display_name: Option<&'a str>,
    /// The user's groups that came from mapping rules.
    rule_group_ids: &'a BTreeSet<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A person to bind to a user.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewExternalIdentity)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    user_id: String,
    provider_id: String,
    /// The claim `sub`; a sign-in that was refused with `sso_not_provisioned` has it in its audit row.
    external_sub: String,
}

impl<'a> IdentityView<'a> {
    fn new(state: &'a State, identity: &'a ExternalIdentity) -> Self {
        Self {
            id: &identity.id,
            user_id: &identity.user_id,
            user_name: state.users.get(&identity.user_id).map(|user| user.name.as_str()),
            provider_id: &identity.provider_id,
            provider_name: state.providers.get(&identity.provider_id).map(|provider| provider.name.as_str()),
            external_sub: &identity.external_sub,
            email: identity.email.as_deref(),
            email_verified: identity.email_verified,
            display_name: identity.display_name.as_deref(),
            rule_group_ids: &identity.rule_group_ids,
            created_at: identity.created_at,
        }
    }
}

/// `GET /ext-auth/identities`: an array.
#[utoipa::path(
    get, path = "/_/api/admin/ext-auth/identities", tag = "sign-in providers", operation_id = "listIdentities",
    params(Paging),
    responses((status = 200, description = "By id.", body = [IdentityView], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(crate) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let query = Query::paging(&request)?;
    let (identities, link) = query.page(call.view.state.identities.iter())?;
    let shown = identities.into_iter().map(|identity| IdentityView::new(&call.view.state, identity));
    Ok(list_of(&call.view, shown.collect(), link))
}

/// `POST /ext-auth/identities {user_id, provider_id, external_sub}` → 201: binds a person to a user by hand.
#[utoipa::path(
    post, path = "/_/api/admin/ext-auth/identities", tag = "sign-in providers", operation_id = "bindIdentity",
    request_body = Create,
    responses((status = 201, description = "They sign in as this user from now on.", body = IdentityView), Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let body: Create = call.json(payload).await?;
    let target = body.user_id.clone();
    let change = SignInChange::Bind {
        id: uuid::Uuid::new_v4().to_string(),
        provider_id: body.provider_id,
        external_sub: body.external_sub,
        user_id: body.user_id,
    };
    let changed = call.mutate("identity.bind", &target, StateChange::Iam(IamChange::SignIn(change))).await?;
    let view = call.edge.system.view();
    let identity = view.state.identities.get(&changed.id).ok_or_else(missing)?;
    Ok(HttpResponse::Created().json(IdentityView::new(&view.state, identity)))
}

/// `DELETE /ext-auth/identities/{id}` → 204: the bond, what rules gave the user through it, and the user's sessions end.
#[utoipa::path(
    delete, path = "/_/api/admin/ext-auth/identities/{id}", tag = "sign-in providers", operation_id = "unbindIdentity",
    params(("id" = String, Path, description = "The identity's id.")),
    responses((status = 204, description = "No restore of an older archive brings it back."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let change = SignInChange::Unbind { id: id.to_owned() };
    call.mutate("identity.unbind", id, StateChange::Iam(IamChange::SignIn(change))).await?;
    end_void_sessions(&call).await;
    Ok(HttpResponse::NoContent().finish())
}

fn missing() -> Problem {
    not_found("no_such_identity", "there is no such identity")
}
