//! `groups`, `groups/{id}` and their members.

use crate::http::admin::call::Call;
use crate::http::admin::dto::{GroupView, Rule, permissions};
use crate::http::admin::error::{Problem, not_found};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::{etag, list_of, segment};
use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::change::StateChange;
use actors::domain::iam::change::IamChange;
use actors::system::view::SystemView;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeSet, HashMap};
use utoipa::ToSchema;

/// A new group.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewGroup)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    permissions: Vec<Rule>,
    #[serde(default)]
    member_ids: BTreeSet<String>,
}

/// The fields that may change, and those that a client may send back as it got them: they are read over.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    name: Option<String>,
    description: Option<String>,
    permissions: Option<Vec<Rule>>,
    member_ids: Option<BTreeSet<String>>,
    #[serde(rename = "id")]
    #[schema(value_type = Option<Value>)]
    _id: Option<IgnoredAny>,
    #[serde(rename = "created_at")]
    #[schema(value_type = Option<Value>)]
    _created_at: Option<IgnoredAny>,
}

/// Who is to be a member.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewMember)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    user_id: String,
}

/// `GET /groups`: an array.
#[utoipa::path(
    get, path = "/_/api/admin/groups", tag = "groups", operation_id = "listGroups",
    params(Paging),
    responses((status = 200, description = "All, or a page.", body = [GroupView], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let query = Query::paging(&request)?;
    let (groups, link) = query.page(call.view.state.groups.iter())?;
    let mut members: HashMap<&str, Vec<&str>> = HashMap::new();
    for user in call.view.state.users.values() {
        for group in &user.group_ids {
            members.entry(group).or_default().push(&user.id);
        }
    }
    let shown = groups.into_iter().map(|group| {
        let own = members.remove(group.id.as_str()).unwrap_or_default();
        GroupView::new(group, own)
    });
    Ok(list_of(&call.view, shown.collect(), link))
}

/// `GET /groups/{id}`.
#[utoipa::path(
    get, path = "/_/api/admin/groups/{id}", tag = "groups", operation_id = "getGroup",
    params(("id" = String, Path, description = "The group's id.")),
    responses((status = 200, description = "The group.", body = GroupView, headers(("ETag" = String, description = "For `If-Match`."))), Missing),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    answer(StatusCode::OK, &call.view, segment(&request, "id"))
}

/// `POST /groups` → 201.
#[utoipa::path(
    post, path = "/_/api/admin/groups", tag = "groups", operation_id = "createGroup",
    request_body = Create,
    responses((status = 201, description = "The new group.", body = GroupView, headers(("ETag" = String, description = "For `If-Match`."))), Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let body: Create = call.json(payload).await?;
    let target = body.name.clone();
    let change = IamChange::CreateGroup {
        id: uuid::Uuid::new_v4().to_string(),
        name: body.name,
        description: body.description,
        permissions: permissions(body.permissions),
        member_ids: body.member_ids,
    };
    let changed = call.mutate("group.create", &target, StateChange::Iam(change)).await?;
    answer(StatusCode::CREATED, &call.edge.system.view(), &changed.id)
}

/// `PUT /groups/{id}` changes the fields that are sent.
#[utoipa::path(
    put, path = "/_/api/admin/groups/{id}", tag = "groups", operation_id = "updateGroup",
    params(("id" = String, Path, description = "The group's id.")),
    request_body = Update,
    responses((status = 200, description = "As it is now.", body = GroupView, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn update(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let body: Update = call.json(payload).await?;
    let change = IamChange::UpdateGroup {
        id: id.to_owned(),
        name: body.name,
        description: body.description,
        permissions: body.permissions.map(permissions),
        member_ids: body.member_ids,
    };
    call.mutate("group.update", id, StateChange::Iam(change)).await?;
    answer(StatusCode::OK, &call.edge.system.view(), id)
}

/// `DELETE /groups/{id}` → 204.
#[utoipa::path(
    delete, path = "/_/api/admin/groups/{id}", tag = "groups", operation_id = "deleteGroup",
    params(("id" = String, Path, description = "The group's id.")),
    responses((status = 204, description = "The group and its memberships are gone."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    call.mutate("group.delete", id, StateChange::Iam(IamChange::DeleteGroup { id: id.to_owned() })).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /groups/{id}/members {user_id}` → 200.
#[utoipa::path(
    post, path = "/_/api/admin/groups/{id}/members", tag = "groups", operation_id = "addMember",
    params(("id" = String, Path, description = "The group's id.")),
    request_body = Member,
    responses((status = 200, description = "The group as it is now.", body = GroupView, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn add_member(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let body: Member = call.json(payload).await?;
    let change = IamChange::AddMember { group_id: id.to_owned(), user_id: body.user_id };
    call.mutate("group.add_member", id, StateChange::Iam(change)).await?;
    answer(StatusCode::OK, &call.edge.system.view(), id)
}

/// `DELETE /groups/{id}/members/{user_id}` → 204.
#[utoipa::path(
    delete, path = "/_/api/admin/groups/{id}/members/{user_id}", tag = "groups", operation_id = "removeMember",
    params(("id" = String, Path, description = "The group's id."), ("user_id" = String, Path, description = "The user's id.")),
    responses((status = 204, description = "The user is no member now."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn remove_member(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let (id, user_id) = (segment(&request, "id"), segment(&request, "user_id"));
    let change = IamChange::RemoveMember { group_id: id.to_owned(), user_id: user_id.to_owned() };
    call.mutate("group.remove_member", id, StateChange::Iam(change)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn answer(status: StatusCode, view: &SystemView, id: &str) -> Result<HttpResponse, Problem> {
    let group = view.state.groups.get(id).ok_or_else(|| not_found("no_such_group", "there is no such group"))?;
    let members = view.state.users.values().filter(|user| user.group_ids.contains(id)).map(|user| user.id.as_str());
    let shown = GroupView::new(group, members.collect());
    Ok(HttpResponse::build(status).insert_header((ETAG, etag(view))).json(shown))
}
