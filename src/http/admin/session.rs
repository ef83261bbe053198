//! `session`, `sessions`, `sessions/{id}`: who is signed in.

use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid, not_found};
use crate::http::admin::openapi::Missing;
use crate::http::admin::segment;
use actix_web::{HttpRequest, HttpResponse};
use actors::audit::Outcome;
use actors::domain::clock::Timestamp;
use actors::domain::iam::evaluate::is_admin;
use actors::domain::iam::principal::Principal;
use actors::session::Session;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A session, without its token.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView<'a> {
    id: &'a str,
    identity: String,
    /// `bootstrap` or `iam`.
    auth: &'static str,
    ip: &'a str,
    user_agent: &'a str,
    admin_gui: bool,
    age_secs: u64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// It is the caller's own.
    current: bool,
}

/// The caller's own session.
#[derive(Serialize, ToSchema)]
pub(super) struct OwnSession<'a> {
    valid: bool,
    /// Whether the caller is an admin.
    admin_gui: bool,
    identity: String,
    /// `null` for a token, which has no session.
    #[schema(required)]
    session: Option<SessionView<'a>>,
    /// All sessions of the same principal, this one among them; each may end the others.
    sessions: Vec<SessionView<'a>>,
}

/// All sessions that are good now.
#[derive(Serialize, ToSchema)]
pub(super) struct Sessions<'a> {
    sessions: Vec<SessionView<'a>>,
}

/// A session was ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Revoked {
    revoked: bool,
}

impl<'a> SessionView<'a> {
    fn new(call: &Call, session: &'a Session, own: Option<&str>) -> Self {
        Self {
            id: session.id(),
            identity: session.principal.display_name(&call.view.state),
            auth: match session.principal {
                Principal::Bootstrap => "bootstrap",
                _ => "iam",
            },
            ip: &session.ip,
            user_agent: &session.user_agent,
            admin_gui: is_admin(&call.view.state, &session.principal, call.context()),
            age_secs: call.edge.clock.now().since(session.created_at).as_secs(),
            created_at: session.created_at,
            last_seen: session.last_seen,
            expires_at: session.expires_at,
            current: own == Some(session.id()),
        }
    }
}

/// `GET /session`: the caller's own.
#[utoipa::path(
    get, path = "/_/api/admin/session", tag = "sign-in", operation_id = "getOwnSession",
    responses((status = 200, description = "Signed in.", body = OwnSession)),
)]
pub(super) async fn own(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let caller = call.caller()?;
    let admin = is_admin(&call.view.state, &caller.principal, call.context());
    let own = caller.session.as_ref().map(Session::id);
    let mut all = good_now(&call).await?;
    all.retain(|session| session.principal == caller.principal);
    let session = caller.session.as_ref().map(|session| SessionView::new(&call, session, own));
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(OwnSession {
        valid: true,
        admin_gui: admin,
        identity: call.who(),
        session,
        sessions: all.iter().map(|session| SessionView::new(&call, session, own)).collect(),
    }))
}

/// `GET /sessions`: all that are good now.
#[utoipa::path(
    get, path = "/_/api/admin/sessions", tag = "sign-in", operation_id = "listSessions",
    responses((status = 200, description = "The latest first.", body = Sessions)),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let all = good_now(&call).await?;
    shown(&call, &all)
}

/// These sessions, as they are sent.
pub(super) fn shown(call: &Call, sessions: &[Session]) -> Result<HttpResponse, Problem> {
    let own = call.caller()?.session.as_ref().map(Session::id);
    let sessions = sessions.iter().map(|session| SessionView::new(call, session, own)).collect();
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Sessions { sessions }))
}

/// The sessions that are good now, the latest first.
pub(super) async fn good_now(call: &Call) -> Result<Vec<Session>, Problem> {
    let (idle, now) = (call.view.config.access.session_idle, call.edge.clock.now());
    let mut all = call.edge.session.list().await?;
    all.retain(|session| session.valid(&call.view.state, idle, now));
    Ok(all)
}

/// `DELETE /sessions/{id}`: ends somebody's session; another of one's own needs no right.
#[utoipa::path(
    delete, path = "/_/api/admin/sessions/{id}", tag = "sign-in", operation_id = "revokeSession",
    params(("id" = String, Path, description = "The session's id.")),
    responses((status = 200, description = "It has ended. Another session of one's own needs no right.", body = Revoked), Missing),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn revoke(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let id = segment(&request, "id");
    let own = match call.caller() {
        Ok(caller) => good_now(&call).await?.iter().any(|one| one.id() == id && one.principal == caller.principal),
        Err(_) => false,
    };
    if !own {
        call.require("iam:write").await?;
    }
    Revoked::now(&call, Some(id)).await
}

impl Revoked {
    /// Ends a session, if there is one and it is another than the caller's.
    pub(super) async fn now(call: &Call, id: Option<&str>) -> Result<HttpResponse, Problem> {
        let none = || not_found("no_such_session", "there is no such session");
        let id = id.ok_or_else(none)?;
        if call.caller()?.session.as_ref().is_some_and(|own| own.id() == id) {
            return Err(invalid("this is your own session; POST /_/api/admin/logout ends it"));
        }
        if !call.edge.session.revoke(id).await? {
            return Err(none());
        }
        call.recorder().record("session.revoke", id, Outcome::Success, Value::Null).await?;
        Ok(HttpResponse::Ok().json(Self { revoked: true }))
    }
}
