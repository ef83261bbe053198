//! `ext-auth/providers`, `ext-auth/providers/{id}`: whom people may sign in with.

use super::sent;
use crate::auth::oidc::check_issuer;
use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, not_found};
use crate::http::admin::oauth::CALLBACK;
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::{Paging, Query};
use crate::http::admin::users::end_void_sessions;
use crate::http::admin::{etag, list_of, segment};
use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::change::StateChange;
use actors::domain::clock::Timestamp;
use actors::domain::iam::change::{IamChange, ProviderEdit, SignInChange};
use actors::domain::iam::model::AuthProvider;
use actors::domain::iam::sign_in::Settings;
use actors::domain::secret::Secret;
use actors::system::view::SystemView;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;

const SCOPES: &str = "openid email profile";

/// What a provider is told to insist on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AuthProviderRules)]
#[serde(deny_unknown_fields)]
pub(super) struct Extra {
    /// The domains that addresses may have; any where the list is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allowed_domains: Option<Vec<String>>,
    /// Whether the provider must vouch for the address. `false` by default for `entra` alone, whose tokens do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    require_email_verified: Option<bool>,
    /// Whether somebody who comes for the first time becomes a user; if not, `sso_not_provisioned` until an admin binds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auto_provision: Option<bool>,
}

/// A sign-in provider, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthProvider)]
pub(super) struct ProviderView<'a> {
    id: &'a str,
    name: &'a str,
    /// `oidc`, `google`, `okta` or `entra`.
    provider_type: &'a str,
    enabled: bool,
    /// Its place on the sign-in page: the lowest is first.
    priority: i64,
    #[schema(required)]
    display_name: Option<&'a str>,
    #[schema(required)]
    client_id: Option<&'a str>,
    /// Whether there is a client secret. The secret itself is never shown.
    client_secret_set: bool,
    #[schema(required)]
    issuer_url: Option<&'a str>,
    scopes: &'a str,
    extra_config: Extra,
    /// What the provider must know as redirect URI; `null` until `advanced.public_url` is set.
    #[schema(required)]
    redirect_url: Option<String>,
    /// How many people are bound to users through it.
    identity_count: usize,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A new provider.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewAuthProvider)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// 1 to 64 letters, digits, `-`, `_` or `.`: it is part of the address that a sign-in begins at.
    name: String,
    /// `oidc` (the default), or a preset: `google`, `okta`, `entra`.
    provider_type: Option<String>,
    enabled: Option<bool>,
    priority: Option<i64>,
    display_name: Option<String>,
    client_id: String,
    /// Not for clients that the provider calls public.
    #[schema(value_type = Option<String>, format = Password)]
    client_secret: Option<Secret>,
    /// `google` knows its own.
    issuer_url: Option<String>,
    /// `openid email profile` where it is missing.
    scopes: Option<String>,
    extra_config: Option<Extra>,
}

/// The fields that may change, and those that a client may send back as it got them: they are read over.
#[derive(Deserialize, ToSchema)]
#[schema(as = AuthProviderChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    name: Option<String>,
    provider_type: Option<String>,
    enabled: Option<bool>,
    priority: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>)]
    display_name: Option<Option<String>>,
    client_id: Option<String>,
    /// Replaces the secret; an empty text removes it; without it the secret stays.
    #[schema(value_type = Option<String>, format = Password)]
    client_secret: Option<Secret>,
    issuer_url: Option<String>,
    scopes: Option<String>,
    /// Changes the fields that are sent.
    extra_config: Option<Extra>,
    #[serde(rename = "id")]
    #[schema(value_type = Option<Value>)]
    _id: Option<IgnoredAny>,
    #[serde(rename = "client_secret_set")]
    #[schema(value_type = Option<Value>)]
    _client_secret_set: Option<IgnoredAny>,
    #[serde(rename = "redirect_url")]
    #[schema(value_type = Option<Value>)]
    _redirect_url: Option<IgnoredAny>,
    #[serde(rename = "identity_count")]
    #[schema(value_type = Option<Value>)]
    _identity_count: Option<IgnoredAny>,
    #[serde(rename = "created_at")]
    #[schema(value_type = Option<Value>)]
    _created_at: Option<IgnoredAny>,
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<Value>)]
    _updated_at: Option<IgnoredAny>,
}

impl Extra {
    fn of(provider: &AuthProvider) -> Self {
        let settings = Settings::of(provider).unwrap_or_else(|_| Settings::of_type(&provider.provider_type));
        Self {
            allowed_domains: Some(settings.allowed_domains),
            require_email_verified: Some(settings.require_email_verified),
            auto_provision: Some(settings.auto_provision),
        }
    }

    /// These, on top of those there are.
    fn over(self, old: Option<&Value>) -> Option<Value> {
        let mut merged: Map<String, Value> = old.and_then(Value::as_object).cloned().unwrap_or_default();
        if let Ok(Value::Object(new)) = serde_json::to_value(self) {
            merged.extend(new);
        }
        Some(Value::Object(merged))
    }
}

impl<'a> ProviderView<'a> {
    fn new(view: &SystemView, provider: &'a AuthProvider) -> Self {
        Self {
            id: &provider.id,
            name: &provider.name,
            provider_type: &provider.provider_type,
            enabled: provider.enabled,
            priority: provider.priority,
            display_name: provider.display_name.as_deref(),
            client_id: provider.client_id.as_deref(),
            client_secret_set: provider.client_secret.is_some(),
            issuer_url: provider.issuer_url.as_deref(),
            scopes: &provider.scopes,
            extra_config: Extra::of(provider),
            redirect_url: view.config.advanced.public_url.as_ref().map(|base| format!("{base}{}", CALLBACK)),
            identity_count: view.state.identities.values().filter(|i| i.provider_id == provider.id).count(),
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}

/// `GET /ext-auth/providers`: an array.
#[utoipa::path(
    get, path = "/_/api/admin/ext-auth/providers", tag = "sign-in providers", operation_id = "listAuthProviders",
    params(Paging),
    responses((status = 200, description = "Without their secrets.", body = [ProviderView], headers(("ETag" = String, description = "For `If-Match`.")))),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(crate) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let query = Query::paging(&request)?;
    let (providers, link) = query.page(call.view.state.providers.iter())?;
    let shown = providers.into_iter().map(|provider| ProviderView::new(&call.view, provider));
    Ok(list_of(&call.view, shown.collect(), link))
}

/// `POST /ext-auth/providers` → 201.
#[utoipa::path(
    post, path = "/_/api/admin/ext-auth/providers", tag = "sign-in providers", operation_id = "createAuthProvider",
    request_body = Create,
    responses((status = 201, description = "Made.", body = ProviderView, headers(("ETag" = String, description = "For `If-Match`."))), Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let body: Create = call.json(payload).await?;
    let now = call.edge.clock.now();
    may_be_asked(&call, body.issuer_url.as_deref())?;
    let provider = AuthProvider {
        id: uuid::Uuid::new_v4().to_string(),
        name: body.name.clone(),
        provider_type: body.provider_type.unwrap_or_else(|| "oidc".to_owned()),
        enabled: body.enabled.unwrap_or(true),
        priority: body.priority.unwrap_or_default(),
        display_name: body.display_name.filter(|name| !name.is_empty()),
        client_id: Some(body.client_id),
        client_secret: body.client_secret,
        issuer_url: body.issuer_url,
        scopes: body.scopes.unwrap_or_else(|| SCOPES.to_owned()),
        extra_config: body.extra_config.and_then(|extra| extra.over(None)),
        created_at: now,
        updated_at: now,
    };
    let change = SignInChange::CreateProvider(Box::new(provider));
    let changed = call.mutate("auth_provider.create", &body.name, StateChange::Iam(IamChange::SignIn(change))).await?;
    shown(&call, &changed.id, StatusCode::CREATED)
}

/// `GET /ext-auth/providers/{id}`.
#[utoipa::path(
    get, path = "/_/api/admin/ext-auth/providers/{id}", tag = "sign-in providers", operation_id = "getAuthProvider",
    params(("id" = String, Path, description = "The provider's id.")),
    responses((status = 200, description = "The provider.", body = ProviderView, headers(("ETag" = String, description = "For `If-Match`."))), Missing),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(crate) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    shown(&call, segment(&request, "id"), StatusCode::OK)
}

/// `PUT /ext-auth/providers/{id}` changes the fields that are sent.
#[utoipa::path(
    put, path = "/_/api/admin/ext-auth/providers/{id}", tag = "sign-in providers", operation_id = "updateAuthProvider",
    params(("id" = String, Path, description = "The provider's id.")),
    request_body = Update,
    responses((status = 200, description = "As it is now.", body = ProviderView, headers(("ETag" = String, description = "For `If-Match`."))), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn update(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let body: Update = call.json(payload).await?;
    let old = find(&call.view, id)?;
    may_be_asked(&call, body.issuer_url.as_deref())?;
    let switched_off = body.enabled == Some(false);
    let edit = ProviderEdit {
        name: body.name,
        provider_type: body.provider_type,
        enabled: body.enabled,
        priority: body.priority,
        display_name: body.display_name.map(|name| name.filter(|name| !name.is_empty())),
        client_id: body.client_id,
        client_secret: body.client_secret.map(|secret| (!secret.is_empty()).then_some(secret)),
        issuer_url: body.issuer_url,
        scopes: body.scopes,
        extra_config: body.extra_config.and_then(|extra| extra.over(old.extra_config.as_ref())),
    };
    let change = SignInChange::UpdateProvider { id: id.to_owned(), edit: Box::new(edit) };
    call.mutate("auth_provider.update", id, StateChange::Iam(IamChange::SignIn(change))).await?;
    if switched_off {
        end_void_sessions(&call).await;
    }
    shown(&call, id, StatusCode::OK)
}

/// `DELETE /ext-auth/providers/{id}` → 204: its rules and identities go with it, and what its rules gave; the users stay.
#[utoipa::path(
    delete, path = "/_/api/admin/ext-auth/providers/{id}", tag = "sign-in providers", operation_id = "deleteAuthProvider",
    params(("id" = String, Path, description = "The provider's id.")),
    responses((status = 204, description = "Nobody signs in with it any more."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(crate) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::changing_iam(&request).await?;
    let id = segment(&request, "id");
    let change = SignInChange::DeleteProvider { id: id.to_owned() };
    call.mutate("auth_provider.delete", id, StateChange::Iam(IamChange::SignIn(change))).await?;
    end_void_sessions(&call).await;
    Ok(HttpResponse::NoContent().finish())
}

/// Whether an issuer that is sent has an address that may be asked.
fn may_be_asked(call: &Call, issuer: Option<&str>) -> Result<(), Problem> {
    match issuer {
        Some(issuer) => Ok(check_issuer(issuer, &call.view.config.access.sso_allowed_hosts)?),
        None => Ok(()),
    }
}

fn shown(call: &Call, id: &str, status: StatusCode) -> Result<HttpResponse, Problem> {
    let view = call.edge.system.view();
    let provider = find(&view, id)?;
    Ok(HttpResponse::build(status)
        .insert_header(("cache-control", "no-store"))
        .insert_header((ETAG, etag(&view)))
        .json(ProviderView::new(&view, &provider)))
}

pub(super) fn find(view: &SystemView, id: &str) -> Result<Arc<AuthProvider>, Problem> {
    view.state.providers.get(id).cloned().ok_or_else(|| not_found("no_such_provider", "there is no such provider"))
}
