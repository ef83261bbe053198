//! The evaluator: may this principal do this? Explicit Deny, then Allow, then the implicit deny, over the rules of the user
//! and of all its groups.
//!
//! What a resource of a rule covers:
//!
//! * An **object action** is about `bucket/key`; the pattern must match that. `bucket` alone covers no object.
//! * A **bucket action** is about the bucket; the pattern must match `bucket` or `bucket/`, so that `bucket/*` covers the bucket
//!   and all in it, as operators mean it, and AWS's spelling (`bucket` for the bucket) works too.
//! * A **listing** (`s3:ListBucket`, …`Versions`, …`MultipartUploads`) is a bucket action that shows keys. An Allow on
//!   `bucket/prefix/*` grants it for what lies inside: a request is allowed where something under its prefix may be shown, and
//!   [`list_scope`](super::scope::list_scope) says which keys. A Deny refuses the request where it covers `bucket` or all that
//!   lies under the listed prefix; where it covers a part, that part is left out.
//! * `ListBuckets` and **admin rights** are about nothing: only the resource `*` covers them. `ListBuckets` needs no Allow, as it
//!   shows what can be listed; a Deny forbids it.
//!
//! A rule that cannot be read is never saved. Should one be met all the same, an Allow does not apply and a Deny does; the same
//! holds for a variable without a value.

use crate::domain::iam::action::{self, Requested};
use crate::domain::iam::check::{ARN_PREFIX, is_everything};
use crate::domain::iam::conditions;
use crate::domain::iam::context::{AccessRequest, Asked, RequestContext, Resource};
use crate::domain::iam::model::{Effect, GroupId, Permission, UserId};
use crate::domain::iam::pattern::{self, Glob, Variables};
use crate::domain::iam::principal::Principal;
use crate::domain::iam::reserved;
use crate::domain::state::State;

/// Yes or no, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The principal may.
    pub allowed: bool,
    /// What decided it.
    pub reason: Reason,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A built-in principal that has the right by what it is.
    FullRights,
    /// A built-in principal that never has this right.
    NeverAllowed,
    /// A rule.
    Rule {
        /// Whose rule.
        owner: RuleOwner,
        /// Which.
        id: String,
        /// Allow or Deny.
        effect: Effect,
    },
    /// No rule allows it.
    NoRule,
    /// The user is disabled, or the token has expired.
    Disabled,
    /// The user or token is gone.
    Unknown,
}

/// Who has a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleOwner {
    /// A user itself.
    User(UserId),
    /// A group of the user.
    Group(GroupId),
    /// A token.
    Token(String),
    /// Nobody: what holds for every principal but admins.
    Builtin,
    /// Anybody, by the public prefixes of a bucket.
    Public,
}

/// A rule that was looked at, and how far it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// Whose rule.
    pub owner: RuleOwner,
    /// Which.
    pub id: String,
    /// Allow or Deny.
    pub effect: Effect,
    /// Whether it applied, or what did not match.
    pub outcome: Outcome,
}

/// How far a rule got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is about other actions.
    OtherAction,
    /// It is about other resources.
    OtherResource,
    /// Its conditions do not hold.
    ConditionsFail,
    /// It applies.
    Applies,
}

/// Decides.
pub fn decide(state: &State, principal: &Principal, request: &AccessRequest<'_>) -> Decision {
    judge(state, principal, request, &mut |_, _, _| ())
}

/// Decides, and tells of every rule that was looked at, from the very same evaluation.
pub fn explain(state: &State, principal: &Principal, request: &AccessRequest<'_>) -> (Decision, Vec<Considered>) {
    let mut considered = Vec::new();
    let decision = judge(state, principal, request, &mut |owner, rule, outcome| {
        considered.push(Considered { owner: owner.clone(), id: rule.id.clone(), effect: rule.effect, outcome });
    });
    (decision, considered)
}

/// Whether the principal holds a right of the admin API.
pub fn has_right(state: &State, principal: &Principal, right: &str, context: &RequestContext) -> bool {
    decide(state, principal, &AccessRequest { action: right, resource: Resource::NONE, context }).allowed
}

/// Whether the principal is an admin: its rules allow `admin` (or `*`) on `*`, and no Deny takes that away.
pub fn is_admin(state: &State, principal: &Principal, context: &RequestContext) -> bool {
    has_right(state, principal, action::ADMIN, context)
}

type Visit<'v> = dyn FnMut(&RuleOwner, &Permission, Outcome) + 'v;

fn judge(state: &State, principal: &Principal, request: &AccessRequest<'_>, visit: &mut Visit<'_>) -> Decision {
    let requested = Requested::new(request.action);
    let subject = match Subject::of(state, principal, &requested, request.context) {
        Ok(subject) => subject,
        Err(decision) => return decision,
    };
    let asked = subject.asked(request.context, requested.is_listing(), &request.context.list.prefix);
    let target = Target::new(&requested, request.resource, asked.prefix);
    let mut allow: Option<(&RuleOwner, &Permission)> = None;
    let mut deny: Option<(&RuleOwner, &Permission)> = None;
    for (owner, rules) in &subject.rules {
        for rule in *rules {
            let outcome = applies(rule, &requested, &target, &asked);
            visit(owner, rule, outcome);
            if outcome == Outcome::Applies {
                let first = if rule.effect == Effect::Deny { &mut deny } else { &mut allow };
                first.get_or_insert((owner, rule));
            }
        }
    }
    match deny.or(allow) {
        Some((owner, rule)) => Decision {
            allowed: rule.effect == Effect::Allow,
            reason: Reason::Rule { owner: owner.clone(), id: rule.id.clone(), effect: rule.effect },
        },
        None => Decision { allowed: requested.is_list_buckets(), reason: Reason::NoRule },
    }
}

/// A principal with rules: a user or a token.
pub(super) struct Subject<'a> {
    pub(super) rules: Vec<(RuleOwner, &'a [Permission])>,
    name: Option<&'a str>,
    id: Option<&'a str>,
    first_key: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// The rules of a principal, or the decision where it has none to look at.
    pub(super) fn of(
        state: &'a State,
        principal: &'a Principal,
        requested: &Requested<'_>,
        context: &'a RequestContext,
    ) -> Result<Self, Decision> {
        let Some(reserved) = context.reserved.as_deref().filter(|_| !requested.is_admin_right()) else {
            return Self::unreserved(state, principal, requested, context);
        };
        if is_admin(state, principal, context) {
            return Self::unreserved(state, principal, requested, context);
        }
        let mut subject = match Self::unreserved(state, principal, requested, context) {
            // Full rights, but for what is reserved.
            Err(Decision { reason: Reason::FullRights, .. }) => Self {
                rules: vec![(RuleOwner::Builtin, reserved::FULL.as_slice())],
                name: None,
                id: None,
                first_key: None,
            },
            other => other?,
        };
        subject.rules.push((RuleOwner::Builtin, reserved));
        Ok(subject)
    }

    /// The same without what is reserved.
    fn unreserved(
        state: &'a State,
        principal: &'a Principal,
        requested: &Requested<'_>,
        context: &'a RequestContext,
    ) -> Result<Self, Decision> {
        let refuse = |reason| Err(Decision { allowed: false, reason });
        match principal {
            Principal::Bootstrap => Err(Decision { allowed: true, reason: Reason::FullRights }),
            Principal::ConfigKey | Principal::Open if !requested.is_admin_right() => {
                Err(Decision { allowed: true, reason: Reason::FullRights })
            }
            Principal::ConfigKey | Principal::Open => refuse(Reason::NeverAllowed),
            Principal::Anonymous => match &context.public {
                // `ListBuckets`, which everybody else may ask for, is about no public prefix.
                Some(rules) if !requested.is_admin_right() && !requested.is_list_buckets() => {
                    Ok(Self { rules: vec![(RuleOwner::Public, rules)], name: None, id: None, first_key: None })
                }
                _ => refuse(Reason::NeverAllowed),
            },
            Principal::User(id) => {
                let Some(user) = state.users.get(id) else { return refuse(Reason::Unknown) };
                if !user.enabled {
                    return refuse(Reason::Disabled);
                }
                let groups = user.group_ids.iter().filter_map(|id| state.groups.get(id));
                let mut rules = vec![(RuleOwner::User(id.clone()), user.permissions.as_slice())];
                rules.extend(groups.map(|g| (RuleOwner::Group(g.id.clone()), g.permissions.as_slice())));
                let first_key = user.keys.first().map(|key| key.access_key_id.as_str());
                Ok(Self { rules, name: Some(&user.name), id: Some(&user.id), first_key })
            }
            Principal::Token(id) => {
                let Some(token) = state.tokens.get(id) else { return refuse(Reason::Unknown) };
                if token.expires_at.is_some_and(|at| at <= context.time) {
                    return refuse(Reason::Disabled);
                }
                let rules = vec![(RuleOwner::Token(id.clone()), token.permissions.as_slice())];
                Ok(Self { rules, name: None, id: None, first_key: None })
            }
        }
    }

    pub(super) fn asked<'b>(&'b self, context: &'b RequestContext, listing: bool, prefix: &'b str) -> Asked<'b> {
        Asked {
            context,
            listing,
            prefix,
            username: self.name,
            user_id: self.id,
            access_key_id: context.access_key_id.as_deref().or(self.first_key),
        }
    }
}

/// What a rule's resources are compared with.
#[derive(Debug)]
enum Target {
    /// Only `*` covers it.
    Nothing,
    /// `bucket/key`.
    Object(String),
    /// `bucket`, `bucket/`.
    Bucket(String, String),
    /// `bucket`, `bucket/prefix`.
    Listing(String, String),
}

impl Target {
    fn new(requested: &Requested<'_>, resource: Resource<'_>, prefix: &str) -> Self {
        match (resource.bucket, resource.key) {
            _ if requested.is_admin_right() => Self::Nothing,
            (None, _) => Self::Nothing,
            (Some(bucket), _) if requested.is_listing() => {
                Self::Listing(bucket.to_owned(), format!("{bucket}/{prefix}"))
            }
            (Some(bucket), Some(key)) => Self::Object(format!("{bucket}/{key}")),
            (Some(bucket), None) => Self::Bucket(bucket.to_owned(), format!("{bucket}/")),
        }
    }

    fn covered_by(&self, pattern: &str, effect: Effect, variables: &Variables<'_>) -> bool {
        let unreadable = effect == Effect::Deny;
        let matches = |text: &str| pattern::matches(pattern, text, variables).unwrap_or(unreadable);
        match self {
            Self::Nothing => is_everything(pattern),
            Self::Object(object) => matches(object),
            Self::Bucket(bucket, inside) => matches(bucket) || matches(inside),
            Self::Listing(bucket, inside) => {
                matches(bucket)
                    || Glob::new(pattern, variables).map_or(unreadable, |glob| match effect {
                        Effect::Allow => glob.touches(inside),
                        Effect::Deny => glob.covers(inside),
                    })
            }
        }
    }
}

fn applies(rule: &Permission, requested: &Requested<'_>, target: &Target, asked: &Asked<'_>) -> Outcome {
    if !includes(rule, requested) {
        return Outcome::OtherAction;
    }
    let variables = variables(asked);
    if !rule.resources.iter().any(|pattern| target.covered_by(without_arn(pattern), rule.effect, &variables)) {
        return Outcome::OtherResource;
    }
    if conditions_hold(rule, asked) { Outcome::Applies } else { Outcome::ConditionsFail }
}

pub(super) fn includes(rule: &Permission, requested: &Requested<'_>) -> bool {
    rule.actions.iter().any(|action| requested.included_in(action, rule.effect))
}

pub(super) fn conditions_hold(rule: &Permission, asked: &Asked<'_>) -> bool {
    conditions::hold(&rule.conditions, asked).unwrap_or(rule.effect == Effect::Deny)
}

pub(super) fn variables<'a>(asked: &Asked<'a>) -> Variables<'a> {
    Variables { username: asked.username, user_id: asked.user_id, access_key_id: asked.access_key_id }
}

pub(super) fn without_arn(pattern: &str) -> &str {
    pattern.strip_prefix(ARN_PREFIX).unwrap_or(pattern)
}

#[cfg(test)]
pub(super) mod tests;
