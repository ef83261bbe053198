//! `ext-auth/mappings`, `ext-auth/mappings/{id}`, `ext-auth/mappings/preview`: which people get which groups when they sign in.

use super::sent;
use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, not_found};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::{etag, list_of, segment};
use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::change::StateChange;
use actors::domain::clock::Timestamp;
use actors::domain::iam::change::{IamChange, RuleEdit, SignInChange};
use actors::domain::iam::model::MappingRule;
use actors::domain::iam::sign_in::{Claims, Login, decide, evaluate};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A mapping rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingRule)]
pub(super) struct RuleView<'a> {
    id: &'a str,
    /// One provider, or all where it is `null`.
    #[schema(required)]
    provider_id: Option<&'a str>,
    /// Order of the list. Every rule that matches counts.
    priority: i64,
    /// `email_exact`, `email_domain`, `email_glob`, `email_regex` or `claim_value`.
    match_type: &'a str,
    /// `email`, or for `claim_value` the claim, such as `groups` or `realm_access.roles`.
    match_field: &'a str,
    match_value: &'a str,
    group_id: &'a str,
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A new mapping rule.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewMappingRule)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    provider_id: Option<String>,
    priority: Option<i64>,
    /// `email_exact`, `email_domain`, `email_glob` (`*` and `?`), `email_regex` (it must match the whole address) or `claim_value`.
    match_type: String,
    /// `email` where it is missing; `claim_value` needs the name of a claim, or a path of names with dots.
    match_field: Option<String>,
    match_value: String,
    group_id: String,
    enabled: Option<bool>,
}

/// The fields that may change, and those that a client may send back as it got them: they are read over.
#[derive(Deserialize, ToSchema)]
#[schema(as = MappingRuleChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    /// `null`: all providers.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>)]
    provider_id: Option<Option<String>>,
    priority: Option<i64>,
    match_type: Option<String>,
    match_field: Option<String>,
    match_value: Option<String>,
    group_id: Option<String>,
    enabled: Option<bool>,
    #[serde(rename = "id")]
    #[schema(value_type = Option<Value>)]
    _id: Option<IgnoredAny>,
    #[serde(rename = "created_at")]
    #[schema(value_type = Option<Value>)]
    _created_at: Option<IgnoredAny>,
}

/// Whom to look at: an address, or a document of claims.
#[derive(Deserialize, ToSchema)]
#[schema(as = MappingQuestion)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Taken for one that the provider vouches for.
    email: Option<String>,
    /// As the ID token and the userinfo endpoint would give them.
    #[schema(value_type = Option<Value>)]
    claims: Option<Map<String, Value>>,
    /// The id or name of the provider; without it only rules for all providers are looked at.
    provider: Option<String>,
}

/// What signing in would give.
#[derive(Serialize, ToSchema)]
#[schema(as = MappingPreview)]
pub(super) struct Preview<'a> {
    group_ids: Vec<&'a str>,
    group_names: Vec<&'a str>,
    /// The rules that match.
    rules: Vec<RuleView<'a>>,
    /// Why the person could not sign in with the provider that is named; `null` where they could.
    #[schema(required)]
    refused: Option<Refusal>,
}

/// Why somebody could not sign in.
#[derive(Serialize, ToSchema)]
#[schema(as = MappingRefusal)]
pub(super) struct Refusal {
    code: &'static str,
    detail: String,
}

impl<'a> RuleView<'a> {
    fn new(rule: &'a MappingRule) -> Self {
        Self {
            id: &rule.id,
            provider_id: rule.provider_id.as_deref(),
            priority: rule.priority,
            match_type: &rule.match_type,
            match_field: &rule.match_field,
            match_value: &rule.match_value,
            group_id: &rule.group_id,
            enabled: rule.enabled,
            created_at: rule.created_at,
        }
    }
}

/// `GET /ext-auth/mappings`: an array.
#[utoipa::path(
    get, path = "/_/api/admin/ext-auth/mappings", tag = "sign-in providers", operation_id = "listMappingRules",
    params(Paging),
    responses((status = 200, description = "By id.", body = [RuleView], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(crate) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let query = Query::paging(&request)?;
    let (rules, link) = query.page(call.view.state.mapping_rules.iter())?;
    Ok(list_of(&call.view, rules.into_iter().map(|rule| RuleView::new(rule)).collect(), link))
}

/// `POST /ext-auth/mappings` → 201.
#[utoipa::path(
    post, path = "/_/api/admin/ext-auth/mappings", tag = "sign-in providers", operation_id = "createMappingRule",
    request_body = Create,
    responses((status = 201, description = "It counts from the next sign-in on.", body = RuleView, headers(("ETag" = String, description = "For `If-Match`."))), Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let body: Create = call.json(payload).await?;
    let by_email = body.match_type != "claim_value";
    let rule = MappingRule {
        id: uuid::Uuid::new_v4().to_string(),
        provider_id: body.provider_id,
        priority: body.priority.unwrap_or_default(),
        match_field: body.match_field.unwrap_or_else(|| if by_email { "email".to_owned() } else { String::new() }),
        match_type: body.match_type,
        match_value: body.match_value,
        group_id: body.group_id,
        created_at: call.edge.clock.now(),
        enabled: body.enabled.unwrap_or(true),
    };
    let target = rule.match_value.clone();
    let change = IamChange::SignIn(SignInChange::CreateRule(rule));
    let changed = call.mutate("mapping_rule.create", &target, StateChange::Iam(change)).await?;
    shown(&call, &changed.id, StatusCode::CREATED)
}

/// `PUT /ext-auth/mappings/{id}` changes the fields that are sent.
#[utoipa::path(
    put, path = "/_/api/admin/ext-auth/mappings/{id}", tag = "sign-in providers", operation_id = "updateMappingRule",
    params(("id" = String, Path, description = "The rule's id.")),
    request_body = Update,
    responses((status = 200, description = "As it is now.", body = RuleView, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn update(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let body: Update = call.json(payload).await?;
    let edit = RuleEdit {
        provider_id: body.provider_id,
        priority: body.priority,
        match_type: body.match_type,
        match_field: body.match_field,
        match_value: body.match_value,
        group_id: body.group_id,
        enabled: body.enabled,
    };
    let change = IamChange::SignIn(SignInChange::UpdateRule { id: id.to_owned(), edit });
    call.mutate("mapping_rule.update", id, StateChange::Iam(change)).await?;
    shown(&call, id, StatusCode::OK)
}

/// `DELETE /ext-auth/mappings/{id}` → 204; what it gave goes at each person's next sign-in.
#[utoipa::path(
    delete, path = "/_/api/admin/ext-auth/mappings/{id}", tag = "sign-in providers", operation_id = "deleteMappingRule",
    params(("id" = String, Path, description = "The rule's id.")),
    responses((status = 204, description = "It gives nothing more."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let change = IamChange::SignIn(SignInChange::DeleteRule { id: id.to_owned() });
    call.mutate("mapping_rule.delete", id, StateChange::Iam(change)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /ext-auth/mappings/preview {email | claims, provider}`: what a sign-in would give, without one.
#[utoipa::path(
    post, path = "/_/api/admin/ext-auth/mappings/preview", tag = "sign-in providers", operation_id = "previewMappings",
    request_body = Question,
    responses((status = 200, description = "Nothing is changed.", body = Preview), Missing),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(crate) async fn preview(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let body: Question = call.json(payload).await?;
    let state = &call.view.state;
    let mut claims = Claims::new(body.claims.unwrap_or_default());
    if let Some(email) = &body.email {
        let mut asked = Claims::of_email(email);
        asked.add(claims.into_document());
        claims = asked;
    }
    let provider = match &body.provider {
        None => None,
        Some(asked) => {
            let named = state.providers.values().find(|provider| provider.name == *asked || provider.id == *asked);
            Some(named.ok_or_else(|| not_found("no_such_provider", "there is no such provider"))?)
        }
    };
    let matched = evaluate(state, provider.map(|provider| provider.id.as_str()), &claims);
    let refused = provider.and_then(|provider| {
        let mut claims = claims.clone();
        claims.add(Map::from_iter([("sub".to_owned(), Value::from("preview"))]));
        let login = Login {
            provider_id: provider.id.clone(),
            claims,
            new_user_id: String::new(),
            new_identity_id: String::new(),
        };
        let error = decide(state, &login, call.edge.clock.now()).err()?;
        Some(Refusal { code: error.code().unwrap_or_default(), detail: error.message().to_owned() })
    });
    let name = |id: &String| state.groups.get(id).map(|group| group.name.as_str());
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Preview {
        group_ids: matched.group_ids.iter().map(String::as_str).collect(),
        group_names: matched.group_ids.iter().filter_map(name).collect(),
        rules: matched.rules.iter().map(|rule| RuleView::new(rule)).collect(),
        refused,
    }))
}

fn shown(call: &Call, id: &str, status: StatusCode) -> Result<HttpResponse, Problem> {
    let view = call.edge.system.view();
    let rule = view.state.mapping_rules.get(id);
    let rule = rule.ok_or_else(|| not_found("no_such_rule", "there is no such mapping rule"))?;
    Ok(HttpResponse::build(status).insert_header((ETAG, etag(&view))).json(RuleView::new(rule)))
}
