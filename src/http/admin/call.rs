//! One call of the admin API: the view it sees, who makes it, whether they may, and its row in the audit log.

use crate::app::Edge;
use crate::auth::session::{Caller, caller, check_origin};
use crate::http::admin::error::{Problem, invalid, unauthenticated};
use crate::http::admin::query::Query;
use crate::http::context::Context;
use crate::http::metrics;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, IF_MATCH};
use actix_web::{HttpMessage, HttpRequest, web};
use actors::audit::{Denial, DenialKind, Event, Outcome};
use actors::domain::change::{Changed, StateChange, owned_by_file};
use actors::domain::iam::context::RequestContext;
use actors::domain::iam::evaluate::has_right;
use actors::domain::iam::grants::Author;
use actors::domain::secret::Secret;
use actors::system::view::SystemView;
use actors::{Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A JSON body is at most this long.
const JSON_LIMIT: u64 = 1 << 20;
/// What a locked system still answers: sign-in, and the way out.
const WHILE_LOCKED: [&str; 7] = [
    "/_/api/admin/recover-db",
    "/_/api/admin/login",
    "/_/api/admin/logout",
    "/_/api/admin/session",
    "/_/api/admin/backup",
    "/_/api/admin/backup/verify",
    "/_/api/whoami",
];
/// Calls below these paths read parameters of their own, whatever the method.
const OWN_QUERY: [&str; 3] = ["/_/api/admin/backup", "/_/api/admin/backends", "/_/api/admin/buckets"];
/// A peer that gives nothing for this long is given up.
const IDLE: Duration = Duration::from_secs(30);

/// The id of a request, for its audit rows and its answer.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    /// Everything a handler may use.
    pub(super) edge: web::Data<Edge>,
    /// The one generation that this call sees.
    pub(super) view: Arc<SystemView>,
    /// The client's address.
    pub(super) ip: String,
    /// How the client calls itself.
    pub(super) user_agent: String,
    request: HttpRequest,
    request_id: String,
    caller: Option<Caller>,
    context: RequestContext,
}

impl Call {
    /// Takes the view, finds out who calls, and refuses what a foreign page sends.
    pub(super) async fn begin(request: &HttpRequest) -> Result<Self, Problem> {
        let mut call = Self::begin_navigation(request)?;
        call.caller = caller(request, &call.edge, &call.view).await?;
        Ok(call)
    }

    /// The same for an address that a browser may be sent to by another site: whoever is signed in does not count there.
    pub(super) fn begin_navigation(request: &HttpRequest) -> Result<Self, Problem> {
        metrics::name(request, "Admin");
        let edge = request
            .app_data::<web::Data<Edge>>()
            .cloned()
            .ok_or_else(|| Error::internal("admin api", "the handlers were mounted without their bundle"))?;
        // Where a call knows none, a parameter would be a wish that nobody reads.
        if request.method() != Method::GET && !OWN_QUERY.iter().any(|path| request.path().starts_with(path)) {
            Query::parse(request, &[])?;
        }
        let view = edge.system.view();
        let context = Context::new(request, &edge.clock, &view.config.advanced);
        request.extensions_mut().insert(RequestId(context.request_id.clone()));
        check_origin(request, view.config.advanced.public_url.as_deref())?;
        if view.locked.is_some() && !WHILE_LOCKED.contains(&request.path()) {
            view.unlocked()?;
        }
        let circumstances = RequestContext {
            source_ip: context.address,
            secure: context.secure,
            time: context.now,
            user_agent: context.user_agent.clone(),
            referer: context.referer,
            ..RequestContext::default()
        };
        Ok(Self {
            view,
            ip: context.address.map(|ip| ip.to_string()).unwrap_or_default(),
            user_agent: context.user_agent.unwrap_or_default(),
            request: request.clone(),
            request_id: context.request_id,
            caller: None,
            context: circumstances,
            edge,
        })
    }

    /// A call that needs this right: begins it, and answers 401 or an audited 403 before any body is read.
    pub(super) async fn with_right(request: &HttpRequest, right: &'static str) -> Result<Self, Problem> {
        let call = Self::begin(request).await?;
        call.require(right).await?;
        Ok(call)
    }

    /// The same for a call that changes what a declarative config file owns: an audited 403 there, also before any body is read.
    pub(super) async fn changing_iam(request: &HttpRequest) -> Result<Self, Problem> {
        let call = Self::with_right(request, "iam:write").await?;
        call.refuse_where_declared().await?;
        Ok(call)
    }

    /// 403 `iam_declarative` where the config file owns IAM.
    pub(super) async fn refuse_where_declared(&self) -> Result<(), Problem> {
        match self.view.config.is_declarative() {
            true => self.refuse("iam:write", owned_by_file()).await,
            false => Ok(()),
        }
    }

    /// Who calls; 401 for nobody.
    pub(super) fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(unauthenticated)
    }

    /// Whether the caller has a right.
    pub(super) fn may(&self, right: &str) -> bool {
        self.caller.as_ref().is_some_and(|caller| has_right(&self.view.state, &caller.principal, right, &self.context))
    }

    /// 401 for nobody, an audited 403 for whoever lacks the right.
    pub(super) async fn require(&self, right: &'static str) -> Result<(), Problem> {
        if self.caller.is_none() {
            self.edge.audit.note_denial(self.denial(right, "unauthenticated"));
        }
        self.caller()?;
        if self.may(right) {
            return Ok(());
        }
        self.refuse(
            right,
            Error::new(ErrorKind::Forbidden, "admin api", format!("this call needs the right `{right}`"))
                .with_hint("ask an admin for it; `GET /_/api/whoami` shows what you have"),
        )
        .await
    }

    /// 403 `reauthentication_required` where the login is too long ago. Tokens have no login and are exempt.
    pub(super) async fn require_recent_login(&self, right: &'static str) -> Result<(), Problem> {
        let window = self.view.config.access.reauth_window;
        if self.caller()?.proved_within(window, self.context.time) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Forbidden, "admin api", "you signed in too long ago for this")
            .with_code("reauthentication_required")
            .with_hint("sign in again and repeat the call");
        self.refuse(right, error).await
    }

    async fn refuse(&self, right: &'static str, error: Error) -> Result<(), Problem> {
        let problem = Problem::from(error);
        self.edge.audit.deny(self.denial(right, problem.code())).await?;
        Err(problem)
    }

    fn denial(&self, right: &'static str, reason: &'static str) -> Denial {
        let target = format!("{} {}", self.request.method(), self.request.path());
        let kind = DenialKind { actor: self.who(), action: "denied", target, reason, right: Some(right), rule: None };
        self.denied(kind)
    }

    /// A denial of this call, for the audit log.
    pub(super) fn denied(&self, kind: DenialKind) -> Denial {
        Denial { kind, ip: self.ip.clone(), request_id: self.request_id.clone() }
    }

    /// The version that `If-Match` binds a change to; 412 where it is not the one that this call sees.
    pub(super) fn required_version(&self) -> Result<Option<String>, Problem> {
        let Some(sent) = self.request.headers().get(IF_MATCH) else { return Ok(None) };
        let now = self.view.version();
        let tags: Vec<&str> = sent.to_str().unwrap_or_default().split(',').map(str::trim).collect();
        if tags.contains(&"*") {
            return Ok(None);
        }
        if tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == now) {
            return Ok(Some(now));
        }
        Err(Error::new(
            ErrorKind::StaleGeneration,
            "admin api",
            format!("the state is at {now} by now; nothing was changed"),
        )
        .with_hint("read it again, and repeat the change with its ETag")
        .into())
    }

    /// Makes one change and records it, whether it succeeds or not. A client that hangs up stops neither.
    pub(super) async fn mutate(
        &self,
        action: &'static str,
        target: &str,
        change: StateChange,
    ) -> Result<Changed, Problem> {
        let version = self.required_version()?;
        let (edge, recorder, target) = (self.edge.clone(), self.recorder(), target.to_owned());
        let author = Some(Author { principal: self.caller()?.principal.clone(), context: self.context.clone() });
        detached(async move {
            match edge.system.mutate_as(author, change, version).await {
                Ok(changed) => {
                    recorder.record(action, &changed.id, Outcome::Success, Value::Null).await?;
                    Ok(changed)
                }
                Err(error) => Err(recorder.failed(action, &target, error).await?),
            }
        })
        .await
    }

    /// What writes audit rows of this call, also after the client has gone.
    pub(super) fn recorder(&self) -> Recorder {
        self.recorder_of(&self.who())
    }

    /// The same for somebody who is only about to become the caller.
    pub(super) fn recorder_of(&self, who: &str) -> Recorder {
        Recorder {
            edge: self.edge.clone(),
            who: who.to_owned(),
            ip: self.ip.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// The caller's name as audit rows show it.
    pub(super) fn who(&self) -> String {
        match &self.caller {
            Some(caller) => caller.principal.display_name(&self.view.state),
            None => "$anonymous".into(),
        }
    }

    /// The circumstances that conditions of rules are compared with.
    pub(super) fn context(&self) -> &RequestContext {
        &self.context
    }

    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// The secret in a header. One that is there but cannot be read is an error: to overlook it could mean to send in the clear.
    pub(super) fn secret(&self, name: &str) -> Result<Option<Secret>, Problem> {
        let mut values = self.request.headers().get_all(name);
        let Some(value) = values.next() else { return Ok(None) };
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) if !text.is_empty() && values.next().is_none() => Ok(Some(Secret::new(text))),
            _ => Err(invalid(format!("the header {name} is empty, not UTF-8 or there twice"))),
        }
    }

    /// Reads a JSON body. Call it after the rights were checked.
    pub(super) async fn json<T: DeserializeOwned>(&self, payload: web::Payload) -> Result<T, Problem> {
        let body = self.body(payload, JSON_LIMIT).await?;
        serde_json::from_slice(&body).map_err(|error| invalid(format!("the body is not what this call takes: {error}")))
    }

    /// Reads a body of at most `limit` bytes.
    pub(super) async fn body(&self, payload: web::Payload, limit: u64) -> Result<Bytes, Problem> {
        let mut body = BytesMut::new();
        self.each_chunk(payload, limit, async |chunk| {
            body.extend_from_slice(&chunk);
            Ok(())
        })
        .await?;
        Ok(body.freeze())
    }

    /// Hands on a body of at most `limit` bytes, as it comes.
    pub(super) async fn each_chunk(
        &self,
        mut payload: web::Payload,
        limit: u64,
        mut each: impl AsyncFnMut(Bytes) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let declared = self.header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
        if declared.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        let mut length = 0;
        loop {
            let chunk = tokio::time::timeout(IDLE, payload.next()).await.map_err(|_| stalled())?;
            let Some(chunk) = chunk else { return Ok(()) };
            let chunk = chunk.map_err(|error| {
                Problem::from(
                    Error::new(ErrorKind::IncompleteBody, "read request", "the body ended early")
                        .with_source(error.to_string()),
                )
            })?;
            length += chunk.len() as u64;
            if length > limit {
                return Err(too_large(limit));
            }
            each(chunk).await?;
        }
    }
}

/// Writes the audit rows of one call.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    edge: web::Data<Edge>,
    who: String,
    ip: String,
    request_id: String,
}

impl Recorder {
    /// Records what was done; durable when this returns.
    pub(super) async fn record(
        &self,
        action: &'static str,
        target: &str,
        outcome: Outcome,
        detail: Value,
    ) -> Result<(), Problem> {
        let event = Event {
            actor: self.who.clone(),
            action,
            target: target.to_owned(),
            outcome,
            ip: self.ip.clone(),
            request_id: self.request_id.clone(),
            detail,
        };
        Ok(self.edge.audit.record(event).await?)
    }

    /// Records a failure and gives the error on.
    pub(super) async fn failed(&self, action: &'static str, target: &str, error: Error) -> Result<Problem, Problem> {
        let problem = Problem::from(error);
        self.record(action, target, Outcome::Failed, json!({"code": problem.code()})).await?;
        Ok(problem)
    }
}

/// Does what must not stop half-way when the client hangs up.
pub(super) async fn detached<T: 'static>(
    work: impl Future<Output = Result<T, Problem>> + 'static,
) -> Result<T, Problem> {
    actix_web::rt::spawn(work).await.map_err(|error| Error::internal("admin api", error))?
}

fn too_large(limit: u64) -> Problem {
    Error::new(ErrorKind::TooLarge, "read request", format!("the body is longer than {limit} bytes")).into()
}

fn stalled() -> Problem {
    Error::new(ErrorKind::IncompleteBody, "read request", "no byte of the body came for 30 s").into()
}
