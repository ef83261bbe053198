//! `GET /_/api/whoami`: what this server is, and who asks. Public.

use crate::http::admin::call::Call;
use crate::http::admin::dto::{Rule, rules};
use crate::http::admin::error::Problem;
use crate::http::admin::me::makes_own_keys;
use actix_web::{HttpRequest, HttpResponse};
use actors::domain::iam::action::ADMIN_RIGHTS;
use actors::domain::iam::evaluate::is_admin;
use actors::domain::iam::principal::Principal;
use actors::domain::state::State;
use serde::Serialize;
use utoipa::ToSchema;

/// What this server is, and who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct WhoAmI {
    /// `bootstrap`: there is no user yet. `iam`: there are users. `open`: nobody is asked who they are.
    mode: &'static str,
    version: &'static str,
    /// The bootstrap password in force is the one that the first start wrote to its log.
    password_logged: bool,
    /// `locked`: no key opens the config database, and only a restore leads out.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_state: Option<&'static str>,
    /// The same, as older scripts read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    config_db_mismatch: Option<bool>,
    /// With whom people may sign in, in the order of their buttons: `GET /_/api/admin/oauth/authorize/{name}` begins it.
    external_providers: Vec<ExternalProvider>,
    /// Missing where nobody is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Myself>,
}

/// With whom people may sign in.
#[derive(Serialize, ToSchema)]
pub(super) struct ExternalProvider {
    name: String,
    /// `oidc`, `google`, `okta` or `entra`.
    r#type: String,
    /// What a button says.
    display_name: String,
}

/// Who asks, and what they may do.
#[derive(Serialize, ToSchema)]
pub(super) struct Myself {
    /// A user's id; `null` for whoever is none.
    #[schema(required)]
    id: Option<String>,
    name: String,
    #[schema(required)]
    access_key_id: Option<String>,
    is_admin: bool,
    /// Whether the caller makes key pairs of its own: `POST /_/api/admin/me/keys`.
    makes_own_keys: bool,
    /// The caller's own rules and those of its groups.
    permissions: Vec<Rule>,
    /// The rights on the admin API that these amount to.
    rights: Vec<&'static str>,
}

/// `GET /whoami`: what this server is, and who asks.
#[utoipa::path(
    get, path = "/_/api/whoami", tag = "about", operation_id = "whoAmI", security(()),
    responses((status = 200, description = "Also for nobody.", body = WhoAmI)),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let mode = match (call.view.authentication_required(), call.view.state.users.is_empty()) {
        (false, _) => "open",
        (true, true) => "bootstrap",
        (true, false) => "iam",
    };
    let locked = call.view.locked.is_some();
    let user = call.caller().ok().map(|caller| Myself {
        id: match &caller.principal {
            Principal::User(id) => Some(id.clone()),
            _ => None,
        },
        name: call.who(),
        access_key_id: access_key_id(&call.view.state, &caller.principal).map(str::to_owned),
        is_admin: is_admin(&call.view.state, &caller.principal, call.context()),
        makes_own_keys: makes_own_keys(&call.view.state, &caller.principal),
        permissions: permissions(&call.view.state, &caller.principal),
        rights: ADMIN_RIGHTS.iter().map(|(right, _)| *right).filter(|right| call.may(right)).collect(),
    });
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(WhoAmI {
        mode,
        version: env!("CARGO_PKG_VERSION"),
        password_logged: call.view.state.meta.password_logged,
        lock_state: locked.then_some("locked"),
        config_db_mismatch: locked.then_some(true),
        external_providers: external_providers(&call.view.state),
        user,
    }))
}

fn external_providers(state: &State) -> Vec<ExternalProvider> {
    let mut enabled: Vec<_> = state.providers.values().filter(|provider| provider.enabled).collect();
    enabled.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    let shown = enabled.into_iter().map(|provider| ExternalProvider {
        name: provider.name.clone(),
        r#type: provider.provider_type.clone(),
        display_name: provider.display_name.clone().unwrap_or_else(|| provider.name.clone()),
    });
    shown.collect()
}

fn access_key_id<'a>(state: &'a State, principal: &Principal) -> Option<&'a str> {
    let Principal::User(id) = principal else { return None };
    Some(state.users.get(id)?.keys.first()?.access_key_id.as_str())
}

/// The principal's own rules and those of its groups.
fn permissions(state: &State, principal: &Principal) -> Vec<Rule> {
    let own = match principal {
        Principal::User(id) => state.users.get(id).map(|user| {
            let groups = user.group_ids.iter().filter_map(|id| state.groups.get(id));
            let mut all = rules(&user.permissions);
            all.extend(groups.flat_map(|group| rules(&group.permissions)));
            all
        }),
        Principal::Token(id) => state.tokens.get(id).map(|token| rules(&token.permissions)),
        _ => None,
    };
    own.unwrap_or_default()
}
