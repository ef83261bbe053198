//! Signing in by password or key pair, and out.

use crate::auth::session::set_cookie;
use crate::auth::throttle::BOOTSTRAP;
use crate::http::admin::call::Call;
use crate::http::admin::error::Problem;
use crate::http::admin::openapi::{Refused, Throttled};
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::{DenialKind, Outcome};
use actors::domain::clock::Timestamp;
use actors::domain::iam::principal::Principal;
use actors::domain::secret::Secret;
use actors::session::{Opening, Proof, Session};
use actors::state_db::Used;
use actors::system::view::SystemView;
use actors::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;

/// The bootstrap password.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignIn)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// An S3 key pair.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyPair {
    access_key_id: String,
    #[schema(value_type = String, format = Password)]
    secret_access_key: Secret,
}

/// Who has signed in, and until when.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn {
    ok: bool,
    user: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Done.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    ok: bool,
}

/// `POST /login {password}`: the bootstrap admin.
#[utoipa::path(
    post, path = "/_/api/admin/login", tag = "sign-in", operation_id = "login", security(()),
    request_body = Password,
    responses(
        (status = 200, description = "Signed in: the answer sets the cookie.", body = SignedIn),
        Refused,
        Throttled,
    ),
)]
pub(super) async fn password(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let body: Password = call.json(payload).await?;
    let standing = call.edge.throttle.admit(&call.ip, BOOTSTRAP)?;
    let Some(hash) = call.view.bootstrap_hash.clone() else {
        return Err(Error::new(ErrorKind::Locked, "sign in", "there is no bootstrap password in force").into());
    };
    let verify = move || hash.verify(body.password.expose());
    if !call.edge.passwords.run(standing, verify).await? {
        return refuse(&call, BOOTSTRAP, "the password is wrong").await;
    }
    open(&call, Principal::Bootstrap, Proof::Password, BOOTSTRAP).await
}

/// `POST /login-as {access_key_id, secret_access_key}`: an IAM user; what it may is decided on each call.
#[utoipa::path(
    post, path = "/_/api/admin/login-as", tag = "sign-in", operation_id = "loginAs", security(()),
    request_body = KeyPair,
    responses(
        (status = 200, description = "Signed in: the answer sets the cookie.", body = SignedIn),
        Refused,
        Throttled,
    ),
)]
pub(super) async fn key_pair(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let body: KeyPair = call.json(payload).await?;
    call.edge.throttle.admit(&call.ip, &body.access_key_id)?;
    let found = call.view.index.access_key(&body.access_key_id, call.edge.clock.now());
    let owner = found.filter(|(_, key)| key.secret == body.secret_access_key).map(|(user, _)| user.id.clone());
    match owner {
        Some(id) => {
            call.edge.last_used.note(Used::AccessKey, &body.access_key_id, call.edge.clock.now());
            let proof = Proof::AccessKey(body.access_key_id.clone());
            open(&call, Principal::User(id), proof, &body.access_key_id).await
        }
        None => refuse(&call, &body.access_key_id, "the key pair is unknown, disabled or wrong").await,
    }
}

/// `POST /logout`: ends the caller's session.
#[utoipa::path(
    post, path = "/_/api/admin/logout", tag = "sign-in", operation_id = "logout",
    responses((status = 200, description = "Signed out.", body = Done)),
)]
pub(super) async fn logout(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    if let Some(session) = &call.caller()?.session {
        call.edge.session.revoke(session.id()).await?;
        call.recorder().record("logout", session.id(), Outcome::Success, Value::Null).await?;
    }
    let gone = set_cookie("", Duration::ZERO, call.context().secure);
    Ok(HttpResponse::Ok().insert_header((SET_COOKIE, gone)).json(Done { ok: true }))
}

async fn open(call: &Call, principal: Principal, proof: Proof, account: &str) -> Result<HttpResponse, Problem> {
    call.edge.throttle.succeeded(&call.ip, account);
    let who = principal.display_name(&call.view.state);
    let lifetime = call.view.config.access.session_lifetime;
    let (token, session) = open_session(call, &call.view, principal, proof).await?;
    call.recorder_of(&who).record("login", session.id(), Outcome::Success, Value::Null).await?;
    let cookie = set_cookie(token.expose(), lifetime, call.context().secure);
    Ok(HttpResponse::Ok()
        .insert_header((SET_COOKIE, cookie))
        .insert_header(("cache-control", "no-store"))
        .json(SignedIn { ok: true, user: who, expires_at: session.expires_at }))
}

/// Opens a session of somebody who proved who they are, under a view that knows them.
pub(super) async fn open_session(
    call: &Call,
    view: &SystemView,
    principal: Principal,
    proof: Proof,
) -> Result<(Secret, Session), Problem> {
    let credential_version = principal.credential_version(&view.state).unwrap_or_default();
    let opening = Opening {
        principal,
        proof,
        ip: call.ip.clone(),
        user_agent: call.user_agent.chars().take(200).collect(),
        auth_epoch: view.state.meta.auth_epoch,
        credential_version,
        lifetime: view.config.access.session_lifetime,
    };
    Ok(call.edge.session.open(opening).await?)
}

async fn refuse(call: &Call, account: &str, message: &str) -> Result<HttpResponse, Problem> {
    call.edge.throttle.failed(&call.ip, account);
    let kind = DenialKind {
        actor: "$anonymous".to_owned(),
        action: "login",
        target: account.chars().take(128).collect(),
        reason: "wrong_credentials",
        right: None,
        rule: None,
    };
    call.edge.audit.deny(call.denied(kind)).await?;
    Err(Error::new(ErrorKind::Unauthenticated, "sign in", message).with_code("wrong_credentials").into())
}
