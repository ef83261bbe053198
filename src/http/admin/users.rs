//! `users`, `users/{id}`, `users/{id}/rotate-keys`.

use crate::http::admin::call::Call;
use crate::http::admin::dto::{Rule, UserView, permissions};
use crate::http::admin::error::{Problem, invalid, not_found};
use crate::http::admin::keys::key_pair;
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::{etag, list_of, segment};
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::change::StateChange;
use actors::domain::iam::change::IamChange;
use actors::domain::iam::model::User;
use actors::domain::secret::Secret;
use actors::system::view::SystemView;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// A new user with its first key pair.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// Unique, 1 to 128 characters, does not begin with `$`.
    name: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    permissions: Vec<Rule>,
    #[serde(default)]
    group_ids: BTreeSet<String>,
    /// Made here where it is missing.
    access_key_id: Option<String>,
    /// Made here where it is missing.
    #[schema(value_type = Option<String>, format = Password)]
    secret_access_key: Option<Secret>,
}

/// The fields that may change, and those that a client may send back as it got them: they are read over.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    name: Option<String>,
    enabled: Option<bool>,
    permissions: Option<Vec<Rule>>,
    group_ids: Option<BTreeSet<String>>,
    #[serde(rename = "id")]
    #[schema(value_type = Option<Value>)]
    _id: Option<IgnoredAny>,
    #[serde(rename = "created_at")]
    #[schema(value_type = Option<Value>)]
    _created_at: Option<IgnoredAny>,
    #[serde(rename = "auth_source")]
    #[schema(value_type = Option<Value>)]
    _auth_source: Option<IgnoredAny>,
    #[serde(rename = "access_key_id")]
    #[schema(value_type = Option<Value>)]
    _access_key_id: Option<IgnoredAny>,
    #[serde(rename = "access_keys")]
    #[schema(value_type = Option<Value>)]
    _access_keys: Option<IgnoredAny>,
    #[serde(rename = "last_login_at")]
    #[schema(value_type = Option<Value>)]
    _last_login_at: Option<IgnoredAny>,
    #[serde(rename = "last_used_at")]
    #[schema(value_type = Option<Value>)]
    _last_used_at: Option<IgnoredAny>,
}

/// A key pair of one's own choice; what is missing is made here.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ChosenKey)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    access_key_id: Option<String>,
    #[schema(value_type = Option<String>, format = Password)]
    secret_access_key: Option<Secret>,
}

fn yes() -> bool {
    true
}

/// `GET /users`: an array without secrets.
#[utoipa::path(
    get, path = "/_/api/admin/users", tag = "users", operation_id = "listUsers",
    params(Paging),
    responses((status = 200, description = "Without secrets.", body = [UserView], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let query = Query::paging(&request)?;
    let (users, link) = query.page(call.view.state.users.iter())?;
    Ok(list_of(&call.view, users.into_iter().map(|user| UserView::new(user, &call.edge.last_used)).collect(), link))
}

/// `GET /users/{id}`.
#[utoipa::path(
    get, path = "/_/api/admin/users/{id}", tag = "users", operation_id = "getUser",
    params(("id" = String, Path, description = "The user's id.")),
    responses((status = 200, description = "Without secrets.", body = UserView, headers(("ETag" = String, description = "For `If-Match`."))), Missing),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let user = find(&call.view, segment(&request, "id"))?;
    Ok(HttpResponse::Ok().insert_header((ETAG, etag(&call.view))).json(UserView::new(&user, &call.edge.last_used)))
}

/// `POST /users` → 201 with the secret, this once.
#[utoipa::path(
    post, path = "/_/api/admin/users", tag = "users", operation_id = "createUser",
    request_body = Create,
    responses((status = 201, description = "With the secret.", body = UserView, headers(("ETag" = String, description = "For `If-Match`."))), Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let body: Create = call.json(payload).await?;
    let key = key_pair(body.access_key_id, body.secret_access_key, call.edge.clock.now())?;
    let secret = key.secret.clone();
    let change = IamChange::CreateUser {
        id: uuid::Uuid::new_v4().to_string(),
        name: body.name.clone(),
        enabled: body.enabled,
        permissions: permissions(body.permissions),
        group_ids: body.group_ids,
        key,
    };
    let changed = call.mutate("user.create", &body.name, StateChange::Iam(change)).await?;
    let view = call.edge.system.view();
    let user = find(&view, &changed.id)?;
    Ok(HttpResponse::Created()
        .insert_header(("cache-control", "no-store"))
        .insert_header((ETAG, etag(&view)))
        .json(UserView::with_secret(&user, &call.edge.last_used, &secret)))
}

/// `PUT /users/{id}` changes the fields that are sent.
#[utoipa::path(
    put, path = "/_/api/admin/users/{id}", tag = "users", operation_id = "updateUser",
    params(("id" = String, Path, description = "The user's id.")),
    request_body = Update,
    responses((status = 200, description = "As it is now.", body = UserView, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn update(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let body: Update = call.json(payload).await?;
    let disabled = body.enabled == Some(false);
    let change = IamChange::UpdateUser {
        id: id.to_owned(),
        name: body.name,
        enabled: body.enabled,
        permissions: body.permissions.map(permissions),
        group_ids: body.group_ids,
    };
    call.mutate("user.update", id, StateChange::Iam(change)).await?;
    if disabled {
        end_void_sessions(&call).await;
    }
    let view = call.edge.system.view();
    let user = find(&view, id)?;
    Ok(HttpResponse::Ok().insert_header((ETAG, etag(&view))).json(UserView::new(&user, &call.edge.last_used)))
}

/// `DELETE /users/{id}` → 204.
#[utoipa::path(
    delete, path = "/_/api/admin/users/{id}", tag = "users", operation_id = "deleteUser",
    params(("id" = String, Path, description = "The user's id.")),
    responses((status = 204, description = "The user and its keys are gone."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    call.mutate("user.delete", id, StateChange::Iam(IamChange::DeleteUser { id: id.to_owned() })).await?;
    end_void_sessions(&call).await;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /users/{id}/rotate-keys` → 200 with the new secret; the old pair signs nothing more.
#[utoipa::path(
    post, path = "/_/api/admin/users/{id}/rotate-keys", tag = "users", operation_id = "rotateKeys",
    params(("id" = String, Path, description = "The user's id.")),
    request_body = Option<Rotate>,
    responses((status = 200, description = "With the new secret.", body = UserView, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn rotate_keys(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let bytes = call.body(payload, 1 << 16).await?;
    let body: Rotate = if bytes.is_empty() {
        Rotate::default()
    } else {
        serde_json::from_slice(&bytes).map_err(|e| invalid(format!("the body is not what this call takes: {e}")))?
    };
    let key = key_pair(body.access_key_id, body.secret_access_key, call.edge.clock.now())?;
    let secret = key.secret.clone();
    let change = IamChange::RotateKeys { id: id.to_owned(), key };
    call.mutate("user.rotate_keys", id, StateChange::Iam(change)).await?;
    end_void_sessions(&call).await;
    let view = call.edge.system.view();
    let user = find(&view, id)?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header((ETAG, etag(&view)))
        .json(UserView::with_secret(&user, &call.edge.last_used, &secret)))
}

/// Ends the sessions that a change has made void. The published view refuses them already; here their rows go too, so that nothing
/// that is switched on again brings them back.
pub(super) async fn end_void_sessions(call: &Call) {
    let void = async {
        // Listed first: whoever signs in after that does so on a view that is at least as new.
        let all = call.edge.session.list().await?;
        let (view, now) = (call.edge.system.view(), call.edge.clock.now());
        let idle = view.config.access.session_idle;
        let void = all.iter().filter(|session| session.alive(idle, now) && !session.valid(&view.state, idle, now));
        call.edge.session.revoke_all(void).await
    };
    if let Err(error) = void.await {
        log::warn!("void sessions stay in the state database: {error:?}");
    }
}

pub(super) fn find(view: &SystemView, id: &str) -> Result<Arc<User>, Problem> {
    view.state.users.get(id).cloned().ok_or_else(|| not_found("no_such_user", "there is no such user"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_takes_back_what_a_list_gave_and_no_unknown_field() {
        let good = r#"{"id": "u1", "name": "n", "created_at": "x", "auth_source": "local", "access_key_id": "A"}"#;
        assert_eq!(serde_json::from_str::<Update>(good).unwrap().name.as_deref(), Some("n"));
        assert!(serde_json::from_str::<Update>(r#"{"permision": []}"#).is_err());
        let create: Create = serde_json::from_str(r#"{"name": "n"}"#).unwrap();
        assert!(create.enabled && create.permissions.is_empty());
    }
}
