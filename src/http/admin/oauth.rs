//! `oauth/authorize/{provider}`, `oauth/callback`: signing in with a provider, as a browser walks it.
//!
//! Both are addresses that a browser goes to, not calls of a page: what goes wrong leads a browser back to the console, which shows
//! the code, and gives everybody else the problem itself.

mod address;
mod refusal;

use crate::auth::oidc::{self, Party, Returned};
use crate::auth::session::{cookie, set_cookie};
use crate::http::admin::call::{Call, Recorder, detached};
use crate::http::admin::error::{Problem, not_found};
use crate::http::admin::login::open_session;
use crate::http::admin::openapi::{Conflicting, Missing, Throttled};
use crate::http::admin::query::Query;
use crate::http::admin::segment;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse};
use actors::audit::Outcome;
use actors::domain::iam::model::{AuthProvider, ExternalIdentity};
use actors::domain::iam::principal::Principal;
use actors::domain::iam::sign_in::{Claims, Decision, Login, Settings, claims_named, decide};
use actors::domain::secret::Secret;
use actors::domain::state::State;
use actors::session::{PATIENCE, PendingLogin, Proof, token_sha256};
use actors::{Error, ErrorKind, Result as SystemResult};
use address::{base, next};
use refusal::{answer, record, refuse, sent_back};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) use address::CALLBACK;

/// The cookie that ties a sign-in to the browser that began it.
const STATE_COOKIE: &str = "dgp_oauth_state";
/// What sign-ins that come back are counted under where they are refused.
const ACCOUNT: &str = "$sso";

/// `GET /oauth/authorize/{provider}`: sends a browser to the provider.
#[utoipa::path(
    get, path = "/_/api/admin/oauth/authorize/{provider}", tag = "sign-in", operation_id = "beginSignIn", security(()),
    params(
        ("provider" = String, Path, description = "The provider's name, as `whoami` lists it."),
        ("next" = Option<String>, Query, description = "Where to go in the end: a page of the console, `/_/…`."),
    ),
    responses(
        (status = 303, description = "To the provider. Where something is wrong, a browser is sent to `/_/?sso_error=<code>`."),
        Missing,
        Conflicting,
    ),
)]
pub(super) async fn authorize(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let outcome = begin(&request).await;
    answer(&request, segment(&request, "provider"), outcome)
}

async fn begin(request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin_navigation(request)?;
    let query = Query::parse(request, &["next"])?;
    let provider = named(&call.view.state, segment(request, "provider"))?;
    let next = next(query.one("next")?)?;
    let base = base(request, &call.view, call.context())?;
    let (party, now) = (Party::new(&provider, &call.view.config.access.sso_allowed_hosts)?, call.edge.clock.now());
    let redirect_url = format!("{base}{CALLBACK}");
    let begun = match call.edge.oidc.begin(party, redirect_url.clone(), now).await {
        Ok(begun) => begun,
        Err(error) => return Err(record(&call, &json!({"provider": provider.name}), error).await),
    };
    // Two tabs of one browser may sign in at a time: the second keeps the first's cookie.
    let browser = match cookie(request, STATE_COOKIE).filter(|sent| sent.len() == 64) {
        Some(sent) => Secret::new(sent),
        None => oidc::random()?,
    };
    let pending = PendingLogin {
        state_sha256: token_sha256(begun.state.expose()),
        browser_sha256: token_sha256(browser.expose()),
        provider_id: provider.id.clone(),
        provider_updated_at: provider.updated_at,
        nonce: begun.nonce,
        verifier: begun.verifier,
        redirect_url,
        next,
        ip: call.ip.clone(),
        began: now,
    };
    call.edge.session.begin_login(pending).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, begun.url))
        .insert_header((SET_COOKIE, state_cookie(browser.expose(), PATIENCE.as_secs(), base.starts_with("https:"))))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .finish())
}

/// `GET /oauth/callback`: a browser comes back from the provider.
#[utoipa::path(
    get, path = "/_/api/admin/oauth/callback", tag = "sign-in", operation_id = "endSignIn", security(()),
    params(
        ("state" = Option<String>, Query, description = "What the sign-in began with. It counts once, for ten minutes."),
        ("code" = Option<String>, Query, description = "What the provider gives for it."),
        ("iss" = Option<String>, Query, description = "The issuer (RFC 9207)."),
        ("error" = Option<String>, Query, description = "Why the provider gives nothing."),
    ),
    responses(
        (status = 303, description = "Signed in: the answer sets the cookie. Where something is wrong, a browser is sent to `/_/?sso_error=<code>`."),
        Missing,
        Conflicting,
        Throttled,
    ),
)]
pub(super) async fn callback(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut provider = String::new();
    let outcome = end(&request, &mut provider).await;
    answer(&request, &provider, outcome)
}

async fn end(request: &HttpRequest, provider_name: &mut String) -> Result<HttpResponse, Problem> {
    let call = Call::begin_navigation(request)?;
    call.edge.throttle.admit(&call.ip, ACCOUNT)?;
    let brought = sent_back(request);
    let state = brought.get("state").map(|state| token_sha256(state)).unwrap_or_default();
    let Some(pending) = call.edge.session.take_login(&state).await? else {
        let error =
            Error::new(ErrorKind::Invalid, "sign in", "this sign-in is unknown, over, or took longer than ten minutes")
                .with_code("sso_state_unknown")
                .with_hint("begin again from the sign-in page");
        return Err(refuse(&call, &Value::Null, error).await);
    };
    let provider = call.view.state.providers.get(&pending.provider_id).cloned();
    *provider_name = provider.as_ref().map(|provider| provider.name.clone()).unwrap_or_default();
    let mut about = json!({"provider": *provider_name});
    let code = match accept(request, &call, &pending, provider.as_deref(), &brought) {
        Ok(code) => code,
        Err(error) => return Err(refuse(&call, &about, error).await),
    };
    // `accept` has seen that the provider is there.
    let Some(provider) = provider else { return Err(not_found("no_such_provider", "the provider is gone")) };
    let mut wanted: Vec<String> = claims_named(&call.view.state, &provider.id).map(str::to_owned).collect();
    if Settings::of(&provider)?.require_email_verified {
        wanted.push("email_verified".to_owned());
    }
    let returned = Returned {
        code,
        verifier: pending.verifier.clone(),
        nonce: pending.nonce.clone(),
        redirect_url: pending.redirect_url.clone(),
        wanted,
    };
    let party = Party::new(&provider, &call.view.config.access.sso_allowed_hosts)?;
    let claims = match call.edge.oidc.finish(party, returned, call.edge.clock.now()).await {
        Ok(claims) => claims,
        Err(error) => return Err(refuse(&call, &about, error).await),
    };
    for (name, value) in [("subject", claims.subject()), ("email", claims.email())] {
        about[name] = value.into();
    }
    match enter(&call, &provider, claims).await {
        Ok(entered) => welcome(&call, &pending, entered, about).await,
        Err(error) => Err(refuse(&call, &about, error).await),
    }
}

/// Whether what came back belongs to what was begun: by this browser, with this provider, and with a code.
fn accept(
    request: &HttpRequest,
    call: &Call,
    pending: &PendingLogin,
    provider: Option<&AuthProvider>,
    brought: &std::collections::HashMap<String, String>,
) -> SystemResult<Secret> {
    let refuse = |code, message: String| Error::new(ErrorKind::Forbidden, "sign in", message).with_code(code);
    let browser = cookie(request, STATE_COOKIE).map(token_sha256).unwrap_or_default();
    if browser != pending.browser_sha256 {
        let at = call.view.config.advanced.public_url.clone().unwrap_or_else(|| "the address that you began at".into());
        return Err(refuse("sso_state_mismatch", "another browser began this sign-in".into())
            .with_hint(format!("open the console at {at}, let it set cookies, and begin again")));
    }
    let provider = provider.filter(|provider| provider.enabled && provider.updated_at == pending.provider_updated_at);
    let Some(provider) = provider else {
        return Err(refuse("sso_provider_changed", "the provider was changed while you signed in".into())
            .with_hint("begin again from the sign-in page"));
    };
    if let Some(error) = brought.get("error") {
        let word: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
        return Err(refuse("sso_refused_by_provider", format!("the provider signs nobody in: {word}"))
            .with_hint("begin again; where it says access_denied, you or the provider said no"));
    }
    if brought.get("iss").is_some_and(|issuer| Some(issuer) != provider.issuer_url.as_ref()) {
        return Err(refuse("sso_wrong_issuer", "another issuer sent you back than the one you were sent to".into()));
    }
    match brought.get("code").filter(|code| !code.is_empty()) {
        Some(code) => Ok(Secret::new(code.clone())),
        None => Err(refuse("sso_refused_by_provider", "the provider sent you back without a code".into())
            .with_hint("begin again from the sign-in page")),
    }
}

/// Somebody who may come in.
struct Entered {
    user_id: String,
    /// By which the session lives, and ends.
    identity_id: String,
    decision: Decision,
}

/// Decides, and writes what must be written. Where nothing must, nothing waits for a restore or another change.
async fn enter(call: &Call, provider: &Arc<AuthProvider>, claims: Claims) -> SystemResult<Entered> {
    let subject = claims.subject().unwrap_or_default().to_owned();
    let login = Login {
        provider_id: provider.id.clone(),
        claims,
        new_user_id: uuid::Uuid::new_v4().to_string(),
        new_identity_id: uuid::Uuid::new_v4().to_string(),
    };
    let decision = decide(&call.edge.system.view().state, &login, call.edge.clock.now())?;
    let user_id = match decision.is_settled() {
        true => decision.user_id.clone(),
        false => {
            let system = call.edge.system.clone();
            // Written whole, also where the browser does not wait for it.
            let written = detached(async move { Ok(system.sign_in(login).await) }).await;
            written.map_err(|problem| Error::internal("sign in", problem.to_string()))??.id
        }
    };
    let view = call.edge.system.view();
    let is_bound = |identity: &&Arc<ExternalIdentity>| {
        identity.user_id == user_id && identity.provider_id == provider.id && identity.external_sub == subject
    };
    let identity = view.state.identities.values().find(is_bound).map(|identity| identity.id.clone());
    let identity_id = identity.ok_or_else(|| {
        Error::new(ErrorKind::Forbidden, "sign in", "you were unbound from your account while you signed in")
            .with_code("sso_provider_changed")
            .with_hint("begin again from the sign-in page")
    })?;
    Ok(Entered { user_id, identity_id, decision })
}

async fn welcome(
    call: &Call,
    pending: &PendingLogin,
    entered: Entered,
    mut about: Value,
) -> Result<HttpResponse, Problem> {
    call.edge.throttle.succeeded(&call.ip, ACCOUNT);
    let view = call.edge.system.view();
    let principal = Principal::User(entered.user_id.clone());
    let recorder: Recorder = call.recorder_of(&principal.display_name(&view.state));
    if entered.decision.created {
        recorder.record("user.provision", &entered.user_id, Outcome::Success, about.clone()).await?;
    }
    if entered.decision.user.is_some() {
        about["group_ids"] = json!(view.state.users.get(&entered.user_id).map(|user| &user.group_ids));
    }
    let (token, session) = open_session(call, &view, principal, Proof::Identity(entered.identity_id)).await?;
    recorder.record("login", session.id(), Outcome::Success, about).await?;
    let secure = call.context().secure || pending.redirect_url.starts_with("https:");
    let lifetime = view.config.access.session_lifetime;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, pending.next.as_str()))
        .append_header((SET_COOKIE, set_cookie(token.expose(), lifetime, secure)))
        .append_header((SET_COOKIE, state_cookie("", 0, secure)))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .finish())
}

fn named(state: &State, name: &str) -> Result<Arc<AuthProvider>, Problem> {
    let provider = state.providers.values().find(|provider| provider.name == name);
    let provider = provider.ok_or_else(|| not_found("no_such_provider", "there is no such way to sign in"))?;
    match provider.enabled {
        true => Ok(provider.clone()),
        false => Err(Error::new(ErrorKind::Conflict, "sign in", "this way to sign in was switched off")
            .with_code("sso_provider_disabled")
            .with_hint("sign in another way, or ask an admin")
            .into()),
    }
}

/// Lax, as the browser comes back from another site; for these two addresses alone.
fn state_cookie(value: &str, seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{STATE_COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/_/api/admin/oauth; Max-Age={seconds}{secure}")
}
