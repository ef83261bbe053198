//! `GET /_/api/whoami`: what this server is, and who asks. Public.

use crate::http::admin::call::Call;
use crate::http::admin::dto::rules;
use crate::http::admin::error::Problem;
use actix_web::{HttpRequest, HttpResponse};
use actors::domain::iam::action::ADMIN_RIGHTS;
use actors::domain::iam::evaluate::is_admin;
use actors::domain::iam::principal::Principal;
use actors::domain::state::State;
use serde_json::{Value, json};

pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let mode = match (call.view.authentication_required(), call.view.state.users.is_empty()) {
        (false, _) => "open",
        (true, true) => "bootstrap",
        (true, false) => "iam",
    };
    let mut body = json!({"mode": mode, "version": env!("CARGO_PKG_VERSION")});
    if call.view.locked.is_some() {
        body["lock_state"] = json!("locked");
        body["config_db_mismatch"] = json!(true);
    }
    if let Ok(caller) = call.caller() {
        let rights: Vec<&str> = ADMIN_RIGHTS.iter().map(|(right, _)| *right).filter(|right| call.may(right)).collect();
        body["user"] = json!({
            "name": call.who(),
            "access_key_id": access_key_id(&call.view.state, &caller.principal),
            "is_admin": is_admin(&call.view.state, &caller.principal, call.context()),
            "permissions": permissions(&call.view.state, &caller.principal),
            "rights": rights,
        });
    }
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(body))
}

fn access_key_id<'a>(state: &'a State, principal: &Principal) -> Option<&'a str> {
    let Principal::User(id) = principal else { return None };
    Some(state.users.get(id)?.keys.first()?.access_key_id.as_str())
}

/// The principal's own rules and those of its groups.
fn permissions(state: &State, principal: &Principal) -> Value {
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
    json!(own.unwrap_or_default())
}
