//! `me/keys`, `me/keys/{access_key_id}`, `me/sessions`, `me/sessions/{id}`: what is the caller's own, without any right of IAM.
//!
//! Whoever signs in with a provider makes, switches and removes key pairs that sign as them; nobody else's are within reach here.

use crate::http::admin::call::Call;
use crate::http::admin::dto::KeyView;
use crate::http::admin::error::Problem;
use crate::http::admin::keys::{self, Update, Whose};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::segment;
use crate::http::admin::session::{Revoked, Sessions, good_now, shown};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::domain::iam::principal::Principal;
use actors::domain::state::State;
use actors::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A key pair for oneself; both halves are made here.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewOwnKey)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// A duration such as `24h` or `30d`, which it is where nothing is said; `90d` at most.
    expires_in: Option<String>,
}

/// How many sessions have ended.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedSessions)]
pub(super) struct Ended {
    ended: usize,
}

/// `GET /me/keys`: the caller's pairs without their secrets.
#[utoipa::path(
    get, path = "/_/api/admin/me/keys", tag = "me", operation_id = "listOwnKeys",
    responses((status = 200, description = "Any user's own. 403 `no_own_keys` for whoever is no user.", body = [KeyView],
               headers(("ETag" = String, description = "For `If-Match`.")))),
)]
pub(super) async fn list_keys(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let id = own_id(&call)?;
    keys::listed(&call, &id)
}

/// `POST /me/keys` → 201 with the secret, this once.
#[utoipa::path(
    post, path = "/_/api/admin/me/keys", tag = "me", operation_id = "createOwnKey",
    request_body = Create,
    responses((status = 201, description = "With the secret. It signs as the caller, with the caller's rights.", body = KeyView), Versioned),
)]
pub(super) async fn create_key(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (call, id) = changing(&request).await?;
    let body: Create = call.json(payload).await?;
    keys::create_for(&call, Whose::Own, &id, keys::Create::ending(body.expires_in)).await
}

/// `PUT /me/keys/{access_key_id}` switches a pair on or off, or gives it another end.
#[utoipa::path(
    put, path = "/_/api/admin/me/keys/{access_key_id}", tag = "me", operation_id = "updateOwnKey",
    params(("access_key_id" = String, Path, description = "The public half of the pair.")),
    request_body = Update,
    responses((status = 200, description = "As it is now.", body = KeyView), Missing, Versioned),
)]
pub(super) async fn update_key(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (call, id) = changing(&request).await?;
    let body: Update = call.json(payload).await?;
    keys::update_for(&call, Whose::Own, &id, segment(&request, "access_key_id"), body).await
}

/// `DELETE /me/keys/{access_key_id}` → 204; it signs nothing more.
#[utoipa::path(
    delete, path = "/_/api/admin/me/keys/{access_key_id}", tag = "me", operation_id = "deleteOwnKey",
    params(("access_key_id" = String, Path, description = "The public half of the pair.")),
    responses((status = 204, description = "The pair is void."), Missing, Versioned),
)]
pub(super) async fn delete_key(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (call, id) = changing(&request).await?;
    keys::delete_for(&call, &id, segment(&request, "access_key_id")).await
}

/// `GET /me/sessions`: the caller's own that are good now, this one among them.
#[utoipa::path(
    get, path = "/_/api/admin/me/sessions", tag = "me", operation_id = "listOwnSessions",
    responses((status = 200, description = "The latest first.", body = Sessions)),
)]
pub(super) async fn list_sessions(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let principal = &call.caller()?.principal;
    let mut own = good_now(&call).await?;
    own.retain(|session| session.principal == *principal);
    shown(&call, &own)
}

/// `DELETE /me/sessions/{id}`: ends another session of the caller.
#[utoipa::path(
    delete, path = "/_/api/admin/me/sessions/{id}", tag = "me", operation_id = "endOwnSession",
    params(("id" = String, Path, description = "The session's id.")),
    responses((status = 200, description = "It has ended. `POST /logout` ends the one that the call is made with.", body = Revoked), Missing),
)]
pub(super) async fn end_session(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let (principal, id) = (&call.caller()?.principal, segment(&request, "id"));
    let is_own = good_now(&call).await?.iter().any(|one| one.id() == id && one.principal == *principal);
    Revoked::now(&call, is_own.then_some(id)).await
}

/// `DELETE /me/sessions`: ends all sessions of the caller but the one that the call is made with.
#[utoipa::path(
    delete, path = "/_/api/admin/me/sessions", tag = "me", operation_id = "endOwnSessions",
    responses((status = 200, description = "How many have ended.", body = Ended)),
)]
pub(super) async fn end_sessions(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let caller = call.caller()?;
    let this = caller.session.as_ref().map(|session| session.id());
    let all = good_now(&call).await?;
    let others = all.iter().filter(|one| one.principal == caller.principal && Some(one.id()) != this);
    let ended = call.edge.session.revoke_all(others).await?;
    call.recorder().record("session.revoke", "own", Outcome::Success, json!({"ended": ended})).await?;
    Ok(HttpResponse::Ok().json(Ended { ended }))
}

/// Whether this user signs in with a provider, and so may make key pairs: nobody else gives it any.
pub(super) fn makes_own_keys(state: &State, principal: &Principal) -> bool {
    let Principal::User(id) = principal else { return false };
    let external = state.users.get(id).is_some_and(|user| user.auth_source == "external");
    external || state.identities.values().any(|identity| identity.user_id == *id)
}

/// The caller's id as a user.
fn own_id(call: &Call) -> Result<String, Problem> {
    match &call.caller()?.principal {
        Principal::User(id) => Ok(id.clone()),
        _ => Err(no_own_keys(&format!("only users have key pairs of their own, and you are `{}`", call.who()))),
    }
}

/// A call that changes the caller's own keys.
async fn changing(request: &HttpRequest) -> Result<(Call, String), Problem> {
    let call = Call::begin(request).await?;
    let id = own_id(&call)?;
    if !makes_own_keys(&call.view.state, &call.caller()?.principal) {
        let problem = no_own_keys("an admin gave you your key pairs, and changes them");
        call.recorder().record("user.key.own", &id, Outcome::Denied, Value::Null).await?;
        return Err(problem);
    }
    Ok((call, id))
}

fn no_own_keys(message: &str) -> Problem {
    Error::new(ErrorKind::Forbidden, "own keys", message)
        .with_code("no_own_keys")
        .with_hint("people who sign in with a provider make their own; ask an admin for a key pair, or another rule")
        .into()
}
