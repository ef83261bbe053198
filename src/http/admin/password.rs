//! `PUT /password`: another bootstrap password. The database is keyed by its hash, so this is a swap of two files.

use crate::auth::throttle::{BOOTSTRAP, Standing};
use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::Problem;
use crate::http::admin::openapi::{Refused, Throttled, Versioned};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::backup::PasswordChange;
use actors::db::password::PasswordHash;
use actors::domain::iam::password_policy::check_password;
use actors::domain::secret::Secret;
use actors::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The old password, as proof, and the new one.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewPassword)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    #[schema(value_type = String, format = Password)]
    current_password: Secret,
    /// 12 to 128 characters.
    #[schema(value_type = String, format = Password)]
    new_password: Secret,
}

/// The new password is in force.
#[derive(Serialize, ToSchema)]
#[schema(as = PasswordChanged)]
pub(super) struct Changed {
    ok: bool,
}

/// `PUT /password {current_password, new_password}`: all sessions but the caller's end.
#[utoipa::path(
    put, path = "/_/api/admin/password", tag = "sign-in", operation_id = "changePassword",
    request_body = Change,
    responses(
        (status = 200, description = "It is in force; every other session has ended.", body = Changed),
        Refused, Throttled, Versioned,
    ),
    extensions(("x-dgp-right" = json!("admin"))),
)]
pub(super) async fn change(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "admin").await?;
    call.require_recent_login("admin").await?;
    call.required_version()?;
    let body: Change = call.json(payload).await?;
    check_password(body.new_password.expose())?;
    let Some(old) = call.view.bootstrap_hash.clone() else {
        return Err(Error::new(ErrorKind::Locked, "change password", "there is no bootstrap password in force").into());
    };
    call.edge.throttle.admit(&call.ip, BOOTSTRAP)?;
    let work = move || {
        let right = old.verify(body.current_password.expose());
        right.then(|| PasswordHash::make(body.new_password.expose()))
    };
    let Some(hash) = call.edge.passwords.run(Standing::PROVEN, work).await? else {
        call.edge.throttle.failed(&call.ip, BOOTSTRAP);
        call.recorder().record("password.change", BOOTSTRAP, Outcome::Denied, Value::Null).await?;
        return Err(Error::new(ErrorKind::Unauthenticated, "change password", "the current password is wrong")
            .with_code("wrong_credentials")
            .into());
    };
    call.edge.throttle.succeeded(&call.ip, BOOTSTRAP);
    let change = PasswordChange {
        hash: hash?,
        version: call.view.version(),
        caller_token_sha256: call.caller()?.sha256.clone(),
    };
    let (edge, recorder) = (call.edge.clone(), call.recorder());
    detached(async move {
        match edge.backup.change_password(change).await {
            Ok(()) => recorder.record("password.change", BOOTSTRAP, Outcome::Success, Value::Null).await,
            Err(error) => Err(recorder.failed("password.change", BOOTSTRAP, error).await?),
        }
    })
    .await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Changed { ok: true }))
}
