//! One admitted request: who asks for what, on which view of the system. Made before a byte of the body is read.

mod form;

pub(super) use form::FormCall;

use super::admission::{self, Sent};
use super::error::S3Error;
use super::operation::{Operation, Overrides};
use super::permission::{self, Needed};
use crate::app::Edge;
use crate::auth::sigv4::{Denied, Parsed, Proxy, Refusal, Rules, Verified};
use crate::http::context::{self, Context};
use crate::http::host::Place;
use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::web;
use actors::audit::{Denial, DenialKind, Event, Outcome};
use actors::domain::admission::Block;
use actors::domain::clock::Timestamp;
use actors::domain::iam::context::{AccessRequest, RequestContext};
use actors::domain::iam::evaluate::decide;
use actors::domain::iam::principal::Principal;
use actors::domain::iam::scope;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::network;
use actors::domain::secret::Secret;
use actors::domain::tags::Tags;
use actors::state_db::Used;
use actors::system::SystemView;
use actors::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// The region of a server that is pinned to none.
const DEFAULT_REGION: &str = "us-east-1";

/// A request that was verified and allowed.
#[derive(Debug)]
pub(super) struct Call {
    /// Handles to the owners, and what the edge keeps.
    pub(super) edge: web::Data<Edge>,
    /// The one generation that the whole request sees.
    pub(super) view: Arc<SystemView>,
    /// Its circumstances.
    pub(super) context: Context,
    /// What it proved to be.
    pub(super) verified: Verified,
    /// The circumstances, as rules see them.
    pub(super) access: RequestContext,
    /// What rules of admission ask of it.
    sent: Sent,
}

impl Call {
    /// Verifies a request and decides whether it may be.
    pub(super) fn admit(
        edge: &web::Data<Edge>,
        view: Arc<SystemView>,
        head: &RequestHead,
        place: &Place,
        context: Context,
    ) -> Result<Self, S3Error> {
        view.unlocked()?;
        if matches!(place, Place::Unnamed | Place::Garbage) {
            return Err(no_host());
        }
        let raw = context::raw(head, place.bucket());
        let advanced = &view.config.advanced;
        let parsed = Parsed::new(&raw).map_err(|refusal| unproven(edge, &context, refusal.into()))?;
        let sent = Sent::new(raw.method, &parsed, context.address);
        let verdict = sent.judge(&view.config.admission, &parsed);
        if let Some(block) = verdict.block() {
            edge.metrics.judged(block);
        }
        if let Some(block) = verdict.stopped_by() {
            return Err(stopped(edge, &context, block, parsed.named().0));
        }
        let verified = if !view.authentication_required() {
            edge.s3.verifier.open(&raw, parsed)
        } else if parsed.has_credentials() {
            let proxy = network::is_proxied(head.peer_addr, &advanced.trusted_proxies)
                .then_some(Proxy { public_url: advanced.public_url.as_deref() });
            let region = advanced.region.as_deref();
            let rules = Rules { now: context.now, skew: advanced.clock_skew, region, proxy };
            edge.s3.verifier.verify(&raw, parsed, &rules, |key| signer(&view, key, context.now))
        } else {
            edge.s3.verifier.anonymous(&raw, parsed)
        };
        let verified = verified.map_err(|denied| unproven(edge, &context, denied))?;
        Self::allowed(edge, view, context, verified, sent)
    }

    /// Decides whether a request that proved to be something may be.
    fn allowed(
        edge: &web::Data<Edge>,
        view: Arc<SystemView>,
        context: Context,
        verified: Verified,
        sent: Sent,
    ) -> Result<Self, S3Error> {
        if let (Principal::User(_), Some(key)) = (verified.principal(), verified.access_key_id()) {
            edge.last_used.note(Used::AccessKey, key, context.now);
        }
        let anonymous = *verified.principal() == Principal::Anonymous;
        let public = verified.bucket().filter(|_| anonymous).and_then(|bucket| view.public.get(bucket)).cloned();
        if anonymous && public.is_none() {
            // Where nothing is public, nobody in particular is told what a request without credentials lacks.
            return Err(unproven(edge, &context, Refusal::Missing.into()));
        }
        let access = RequestContext {
            source_ip: context.address,
            secure: context.secure,
            time: context.now,
            user_agent: context.user_agent.clone(),
            referer: context.referer.clone(),
            access_key_id: verified.access_key_id().map(str::to_owned),
            reserved: view.reserved.clone(),
            public,
            list: permission::list_parameters(verified.operation()),
            amz_headers: verified.amz_headers().clone(),
            request_tags: permission::request_tags(verified.operation()),
            ..RequestContext::default()
        };
        let call = Self { edge: edge.clone(), view, context, verified, access, sent };
        // What hangs on the tags of objects is decided by `settle`, which may look at them.
        if !call.asks_tags() && !permission::needed(call.verified.operation()).iter().all(|needed| call.may(needed)) {
            return Err(S3Error::access_denied());
        }
        match call.principal() {
            Principal::Anonymous if sets_headers(call.verified.operation()) => Err(no_overrides()),
            // Key by key, which nobody in particular ever may.
            Principal::Anonymous if permission::needed(call.verified.operation()).is_empty() => {
                Err(S3Error::access_denied())
            }
            _ => Ok(call),
        }
    }

    /// Decides what [`Call::admit`] could not: where a rule is about the tags that objects have.
    pub(super) async fn settle(&self) -> Result<(), S3Error> {
        if self.asks_tags() {
            for needed in permission::needed(self.verified.operation()) {
                self.require(&needed, &self.access).await?;
            }
        }
        Ok(())
    }

    /// 403 unless the caller may do this, under these circumstances and the tags of the object that is there.
    pub(super) async fn require(&self, needed: &Needed<'_>, access: &RequestContext) -> Result<(), S3Error> {
        let allowed = match self.existing_tags(needed).await {
            Some(existing_tags) => self.may_under(needed, &RequestContext { existing_tags, ..access.clone() }),
            None => self.may_under(needed, access),
        };
        allowed.then_some(()).ok_or_else(S3Error::access_denied)
    }

    /// The tags of the object that a permission is about; `None` where no rule asks for them or there is none.
    async fn existing_tags(&self, needed: &Needed<'_>) -> Option<Tags> {
        let (Some(bucket), Some(key), true) = (needed.resource.bucket, needed.resource.key, self.asks_tags()) else {
            return None;
        };
        let route = self.view.route(&BucketName::new(bucket).ok()?).ok()?;
        let meta = route.store.head(&route.bucket, &ObjectKey::new(key).ok()?).await.ok()?;
        Some(meta.attributes.tags)
    }

    fn asks_tags(&self) -> bool {
        self.view.index.asks_tags()
    }

    /// Whether the caller may do this, under the circumstances of the request. A denial leaves a row in the audit log.
    fn may(&self, needed: &Needed<'_>) -> bool {
        self.may_under(needed, &self.access)
    }

    fn may_under(&self, needed: &Needed<'_>, context: &RequestContext) -> bool {
        let asked = AccessRequest { action: needed.action, resource: needed.resource, context };
        let decision = decide(&self.view.state, self.principal(), &asked);
        if !decision.allowed {
            let actor = self.principal().display_name(&self.view.state);
            let (id, action, on) = (&self.context.request_id, needed.action, &needed.resource);
            log::info!("request {id}: {actor} may not {action} on {on:?}: {:?}", decision.reason);
            let bucket = needed.resource.bucket.unwrap_or_default().to_owned();
            note(&self.edge, &self.context, actor, action, bucket, "AccessDenied");
        }
        decision.allowed
    }

    /// Whether a block of admission stops one of the things that a request is about: a key that its body names.
    pub(super) fn admits(&self, needed: &Needed<'_>) -> Result<(), S3Error> {
        let blocks = &self.view.config.admission;
        match self.sent.judge_one(blocks, needed, &self.access.list.prefix).stopped_by() {
            Some(block) => {
                let bucket = needed.resource.bucket.unwrap_or_default();
                self.edge.metrics.judged(block);
                Err(stopped(&self.edge, &self.context, block, bucket))
            }
            None => Ok(()),
        }
    }

    /// Who asks.
    pub(super) fn principal(&self) -> &Principal {
        self.verified.principal()
    }

    /// Whose share of the transfer permits a body counts against: a user's own, else its address's.
    pub(super) fn holder(&self) -> String {
        match (self.principal(), self.context.address) {
            (Principal::User(id), _) => id.clone(),
            (_, Some(address)) => address.to_string(),
            (other, None) => other.owner_id(),
        }
    }

    /// How long a peer may stall.
    pub(super) fn idle(&self) -> Duration {
        self.view.config.advanced.idle_timeout
    }

    /// The region that answers name.
    pub(super) fn region(&self) -> &str {
        self.view.config.advanced.region.as_deref().unwrap_or(DEFAULT_REGION)
    }

    /// The audit row of a change that this request made.
    pub(super) fn event(&self, action: &'static str, target: &str) -> Event {
        Event {
            actor: self.principal().display_name(&self.view.state),
            action,
            target: target.to_owned(),
            outcome: Outcome::Success,
            ip: self.context.ip(),
            request_id: self.context.request_id.clone(),
            detail: serde_json::Value::Null,
        }
    }

    /// Whoever could not have listed a key may not learn that it is missing.
    pub(super) fn may_see_missing(&self, bucket: &BucketName, key: &ObjectKey) -> bool {
        scope::may_see_missing(&self.view.state, self.principal(), bucket.as_str(), key.as_str(), &self.access)
    }

    /// 403 in place of 404 where a key is missing and the caller may not learn it.
    pub(super) fn hide_missing(&self, bucket: &BucketName, key: &ObjectKey, error: Error) -> S3Error {
        if error.kind() == ErrorKind::NoSuchKey && !self.may_see_missing(bucket, key) {
            return S3Error::access_denied();
        }
        error.into()
    }
}

/// A block of admission stopped it. Only the log says which: whoever is stopped need not know what to go around.
pub(super) fn stopped(edge: &Edge, context: &Context, block: &Block, bucket: &str) -> S3Error {
    let error = admission::answer(block);
    log::info!("request {}: admission block {} stopped it: {}", context.request_id, block.name, block.action.word());
    let (actor, target, rule) = (Principal::Anonymous.owner_id(), bucket.to_owned(), Some(block.name.clone()));
    let kind = DenialKind { actor, action: "admission", target, reason: error.code(), right: None, rule };
    note_kind(edge, context, kind);
    error
}

/// Only who signs may say which headers the answer has (AWS: "you must sign the request").
fn sets_headers(operation: &Operation) -> bool {
    match operation {
        Operation::GetObject(read) | Operation::HeadObject(read) => read.overrides != Overrides::default(),
        _ => false,
    }
}

fn no_overrides() -> S3Error {
    S3Error::invalid_request("Request specific response headers cannot be used for anonymous GET requests.")
}

fn no_host() -> S3Error {
    let message = "The request names no host, or more than one, or what it names is none.";
    S3Error::new("InvalidHostHeader", StatusCode::BAD_REQUEST, message)
}

/// Credentials that do not hold leave a row in the audit log; a request that is wrong in itself does not.
fn unproven(edge: &Edge, context: &Context, denied: Denied) -> S3Error {
    let credentials = matches!(denied, Denied::Credentials(_));
    let error = S3Error::from(denied);
    if credentials && error.status() == StatusCode::FORBIDDEN {
        let (actor, bucket) = (Principal::Anonymous.owner_id(), String::new());
        note(edge, context, actor, "authenticate", bucket, error.code());
    }
    error
}

fn note(edge: &Edge, context: &Context, actor: String, action: &'static str, bucket: String, reason: &'static str) {
    note_kind(edge, context, DenialKind { actor, action, target: bucket, reason, right: None, rule: None });
}

fn note_kind(edge: &Edge, context: &Context, kind: DenialKind) {
    edge.audit.note_denial(Denial { kind, ip: context.ip(), request_id: context.request_id.clone() });
}

/// The owner and secret of an access key that may sign now: the config's own pair, or a user's.
fn signer(view: &SystemView, access_key_id: &str, now: Timestamp) -> Option<(Principal, Secret)> {
    match &view.config_key {
        Some((id, secret)) if id == access_key_id => Some((Principal::ConfigKey, secret.clone())),
        _ => {
            let (user, key) = view.index.access_key(access_key_id, now)?;
            Some((Principal::User(user.id.clone()), key.secret.clone()))
        }
    }
}
