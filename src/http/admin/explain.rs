//! `POST /explain`: who may do what, and the rule that decides it, from the very evaluator that judges requests.

use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid, not_found};
use crate::http::admin::openapi::Missing;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::admission::{Block, Request, decide};
use actors::domain::iam::action;
use actors::domain::iam::context::{AccessRequest, ListParameters, RequestContext, Resource};
use actors::domain::iam::evaluate::{Considered, Outcome, Reason, RuleOwner, explain};
use actors::domain::iam::model::{Effect, Permission};
use actors::domain::iam::principal::Principal;
use actors::domain::names::BucketName;
use actors::domain::state::State;
use actors::system::view::SystemView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::ToSchema;

/// A request that somebody might make.
#[derive(Deserialize, ToSchema)]
#[schema(as = Question)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// The name or id of a user or token, an access key id, `$bootstrap`, `$config` or `$anonymous`.
    principal: String,
    /// An AWS action (`s3:PutObject`) or a right of this API (`backup:export`).
    action: String,
    /// `bucket` or `bucket/key`; `*` for what is about neither.
    #[serde(default = "nothing")]
    resource: String,
    /// The prefix of a listing.
    #[serde(default)]
    prefix: String,
    /// Where the request comes from; the caller's own address where it is left out.
    source_ip: Option<String>,
    /// It comes over TLS.
    #[serde(default)]
    secure: bool,
    /// Other condition keys and what they are in the request: `{"s3:ExistingObjectTag/team": "a", "aws:UserAgent": "x"}`. What is
    /// not given is not there.
    #[serde(default)]
    context: BTreeMap<String, String>,
}

/// The decision, and every rule that was looked at.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(super) struct Explanation {
    allowed: bool,
    /// What decided, in words.
    reason: String,
    /// How it could be allowed; where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The rule that decided.
    rule: Option<RuleName>,
    /// The block of admission that stops such a request before anybody is asked who they are.
    #[schema(required)]
    admission: Option<String>,
    considered: Vec<ConsideredRule>,
}

/// A rule and whose it is.
#[derive(Serialize, ToSchema)]
pub(super) struct RuleName {
    /// `user`, `group`, `token`, `public` or `builtin`.
    owner_kind: &'static str,
    /// Its name.
    owner: String,
    owner_id: String,
    /// The rule's id within its owner.
    id: String,
    #[schema(value_type = String)]
    effect: Effect,
}

/// A rule that was looked at, and how far it got.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsideredRule {
    /// `user`, `group`, `token` or `public`.
    owner_kind: &'static str,
    /// Its name.
    owner: String,
    owner_id: String,
    /// The rule's id within its owner.
    id: String,
    #[schema(value_type = String)]
    effect: Effect,
    /// `applies`, `other_action`, `other_resource` or `conditions_fail`.
    outcome: &'static str,
}

fn nothing() -> String {
    "*".to_owned()
}

/// `POST /explain` → 200, whatever the decision.
#[utoipa::path(
    post, path = "/_/api/admin/explain", tag = "access", operation_id = "explain",
    request_body = Question,
    responses((status = 200, description = "The decision and what led to it.", body = Explanation), Missing),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn ask(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let body: Question = call.json(payload).await?;
    if !action::is_single(&body.action) {
        return Err(invalid(format!(
            "`{}` is no single action; give one AWS action such as s3:GetObject, or a right such as backup:export",
            body.action
        )));
    }
    let state = &call.view.state;
    let principal = find(&call.view, &body.principal)?;
    let source_ip = match &body.source_ip {
        None => call.ip.parse().ok(),
        Some(text) => Some(text.parse::<IpAddr>().map_err(|_| invalid(format!("`{text}` is no IP address")))?),
    };
    let resource = Resource::named(&body.action, &body.resource);
    let mut context = RequestContext {
        public: public_rules(&call.view, &principal, resource),
        source_ip,
        secure: body.secure,
        time: call.edge.clock.now(),
        reserved: call.view.reserved.clone(),
        list: ListParameters { prefix: body.prefix.clone(), ..ListParameters::default() },
        ..RequestContext::default()
    };
    for (key, value) in &body.context {
        context.suppose(key, value).map_err(invalid)?;
    }
    let asked = AccessRequest { action: &body.action, resource, context: &context };
    let (decision, considered) = explain(state, &principal, &asked);
    let (reason, hint) = words(state, &decision.reason, &considered);
    let rule = match decision.reason {
        Reason::Rule { owner, id, effect } => Some(name(state, &owner, id, effect)),
        _ => None,
    };
    let considered = considered.into_iter().map(|rule| {
        let outcome = outcome(rule.outcome);
        let RuleName { owner_kind, owner, owner_id, id, effect } = name(state, &rule.owner, rule.id, rule.effect);
        ConsideredRule { owner_kind, owner, owner_id, id, effect, outcome }
    });
    let stopped = stopped_by(&call.view, &principal, &asked).map(|block| block.name.clone());
    let (allowed, reason, hint) = match &stopped {
        Some(block) => (
            false,
            format!("the admission block `{block}` stops it before anybody is asked who they are; otherwise: {reason}"),
            Some(format!("change the block `{block}` in `admission.blocks`")),
        ),
        None => (decision.allowed, reason, hint.filter(|_| !decision.allowed)),
    };
    let answer = Explanation { allowed, reason, hint, rule, admission: stopped, considered: considered.collect() };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(answer))
}

/// What anybody may do in the bucket, where anybody asks.
fn public_rules(view: &SystemView, principal: &Principal, resource: Resource<'_>) -> Option<Arc<[Permission]>> {
    let bucket = resource.bucket.filter(|_| *principal == Principal::Anonymous)?;
    view.public.get(&BucketName::new(bucket).ok()?).cloned()
}

/// The block of admission that stops such a request, by the first method that one of its kind has.
pub(super) fn stopped_by<'v>(
    view: &'v SystemView,
    principal: &Principal,
    asked: &AccessRequest<'_>,
) -> Option<&'v Block> {
    let verb = asked.action.strip_prefix("s3:")?;
    let method = match verb {
        _ if verb.starts_with("Get") || verb.starts_with("List") => "GET",
        _ if verb.starts_with("Delete") || verb.starts_with("Abort") => "DELETE",
        _ => "PUT",
    };
    let request = Request {
        method,
        authenticated: *principal != Principal::Anonymous,
        source_ip: asked.context.source_ip,
        action: Some(asked.action),
        bucket: asked.resource.bucket,
        path: asked.resource.key.unwrap_or(&asked.context.list.prefix),
    };
    decide(&view.config.admission, &request).stopped_by()
}

fn find(view: &SystemView, named: &str) -> Result<Principal, Problem> {
    match named {
        "$bootstrap" => return Ok(Principal::Bootstrap),
        "$config" => return Ok(Principal::ConfigKey),
        "$anonymous" => return Ok(Principal::Anonymous),
        _ => {}
    }
    let state = &view.state;
    let user = state
        .users
        .values()
        .find(|user| user.id == named || user.name == named || user.keys.iter().any(|key| key.access_key_id == named));
    let token = || state.tokens.values().find(|token| token.id == named || token.name == named);
    match user {
        Some(user) => Ok(Principal::User(user.id.clone())),
        None => token()
            .map(|token| Principal::Token(token.id.clone()))
            .ok_or_else(|| not_found("no_such_principal", format!("there is no user, access key or token `{named}`"))),
    }
}

fn name(state: &State, owner: &RuleOwner, id: String, effect: Effect) -> RuleName {
    let (owner_kind, owner_id, owner) = match owner {
        RuleOwner::User(of) => ("user", of, state.users.get(of).map(|user| user.name.clone())),
        RuleOwner::Group(of) => ("group", of, state.groups.get(of).map(|group| group.name.clone())),
        // Nobody can take it away: it comes with `backup.to`.
        RuleOwner::Builtin => {
            return RuleName {
                owner_kind: "builtin",
                owner: "this server".into(),
                owner_id: String::new(),
                id,
                effect,
            };
        }
        RuleOwner::Token(of) => ("token", of, state.tokens.get(of).map(|token| token.name.clone())),
        RuleOwner::Public => {
            return RuleName { owner_kind: "public", owner: "$anonymous".into(), owner_id: String::new(), id, effect };
        }
    };
    RuleName { owner_kind, owner: owner.unwrap_or_default(), owner_id: owner_id.clone(), id, effect }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applies => "applies",
        Outcome::OtherAction => "other_action",
        Outcome::OtherResource => "other_resource",
        Outcome::ConditionsFail => "conditions_fail",
    }
}

/// The decision in words, and what would change it.
fn words(state: &State, reason: &Reason, considered: &[Considered]) -> (String, Option<String>) {
    match reason {
        Reason::FullRights => ("this principal has every right by what it is".to_owned(), None),
        Reason::NeverAllowed => ("this principal never has this right".to_owned(), None),
        Reason::Disabled => ("the user is disabled, or the token has expired".to_owned(), Some("enable it".to_owned())),
        Reason::Unknown => ("the user or token is gone".to_owned(), None),
        Reason::Rule { owner, id, effect } => {
            let rule = name(state, owner, id.clone(), *effect);
            let word = if *effect == Effect::Deny { "denied" } else { "allowed" };
            let hint =
                format!("a Deny wins over every Allow: take rule {id} of {} {} away", rule.owner_kind, rule.owner);
            (format!("{word} by rule {id} of {} {}", rule.owner_kind, rule.owner), Some(hint))
        }
        Reason::NoRule => {
            // The rule that came nearest says best what is missing.
            let near = considered.iter().filter(|rule| rule.effect == Effect::Allow);
            let near = near.max_by_key(|rule| rule.outcome as u8);
            let hint = match near.map(|rule| (rule, name(state, &rule.owner, rule.id.clone(), rule.effect))) {
                Some((rule, name)) if rule.outcome == Outcome::ConditionsFail => {
                    format!(
                        "rule {} of {} {} is about this, but its conditions do not hold",
                        name.id, name.owner_kind, name.owner
                    )
                }
                Some((rule, name)) if rule.outcome == Outcome::OtherResource => {
                    format!(
                        "rule {} of {} {} allows the action, but on other resources",
                        name.id, name.owner_kind, name.owner
                    )
                }
                _ => "give the user, or a group it is in, a rule that allows this action on this resource".to_owned(),
            };
            ("no rule allows it".to_owned(), Some(hint))
        }
    }
}
