//! The cap of grants: who may change IAM without being an admin gives nobody more than it has itself, and touches no admin.
//!
//! What a change grants is a list of Allows ([`changes`]); each action × resource of them must be included in an Allow of the giver
//! that has no condition, and in no Deny of it. A Deny that is lifted is a grant of what it forbade. Where that is not certain, the
//! answer is no.

mod changes;

use crate::domain::change::StateChange;
use crate::domain::iam::action::{self, Requested};
use crate::domain::iam::change::IamChange;
use crate::domain::iam::check::is_everything;
use crate::domain::iam::context::RequestContext;
use crate::domain::iam::evaluate::{is_admin, without_arn};
use crate::domain::iam::model::{Effect, Permission};
use crate::domain::iam::pattern::{self, Variables};
use crate::domain::iam::principal::Principal;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;

/// Who asks for a change, and how.
#[derive(Clone, Debug)]
pub struct Author {
    /// Who.
    pub principal: Principal,
    /// Under which circumstances, for the conditions of its own rules.
    pub context: RequestContext,
}

/// Refuses a change that gives more than its author has, or that touches an admin: 403 `grant_exceeds_own`, `admin_untouchable`.
pub fn check(state: &State, author: &Author, change: &StateChange) -> Result<()> {
    let StateChange::Iam(change) = change else { return Ok(()) };
    if is_admin(state, &author.principal, &author.context) || is_own_key(change, &author.principal) {
        return Ok(());
    }
    let effect = changes::effect(state, change);
    if let Some(name) = effect.touches.iter().find(|rules| names_admin(rules.1.iter().copied())).map(|rules| rules.0) {
        return Err(refuse(format!("`{name}` is an admin: only an admin changes it")).with_code("admin_untouchable"));
    }
    if effect.admin_only {
        let message = "sign-in providers decide who everybody is: only an admin changes them";
        return Err(refuse(message.to_owned()).with_code("admin_untouchable"));
    }
    Holdings::of(state, &author.principal).cover(&effect.granted, &effect.kept)
}

/// A key pair of one's own gives nobody anything; whether one may make it is the caller's right.
fn is_own_key(change: &IamChange, author: &Principal) -> bool {
    let (IamChange::RotateKeys { id, .. }
    | IamChange::AddKey { id, .. }
    | IamChange::UpdateKey { id, .. }
    | IamChange::DeleteKey { id, .. }) = change
    else {
        return false;
    };
    matches!(author, Principal::User(own) if own == id)
}

fn refuse(message: String) -> Error {
    Error::new(ErrorKind::Forbidden, "check grants", message)
        .with_hint("ask an admin; `GET /_/api/whoami` shows what you have")
}

/// Whether any of the rules allows `admin` or `*` on `*`, whatever conditions and Denies say of it.
fn names_admin<'p>(rules: impl IntoIterator<Item = &'p Permission>) -> bool {
    let admin = Requested::new(action::ADMIN);
    rules.into_iter().any(|rule| {
        rule.effect == Effect::Allow
            && rule.actions.iter().any(|action| admin.included_in(action, Effect::Allow))
            && rule.resources.iter().any(|resource| is_everything(resource))
    })
}

/// What somebody has.
struct Holdings<'a> {
    rules: Vec<&'a Permission>,
    name: Option<&'a str>,
    id: Option<&'a str>,
    /// The API's built-in principals: none of them but the bootstrap admin, who never comes here, has rights there.
    nothing: bool,
}

impl<'a> Holdings<'a> {
    fn of(state: &'a State, principal: &Principal) -> Self {
        let empty = Self { rules: Vec::new(), name: None, id: None, nothing: true };
        match principal {
            Principal::User(id) => match state.users.get(id) {
                Some(user) => Self {
                    rules: rules_of(state, id).collect(),
                    name: Some(&user.name),
                    id: Some(&user.id),
                    nothing: false,
                },
                None => empty,
            },
            Principal::Token(id) => match state.tokens.get(id) {
                Some(token) => Self { rules: token.permissions.iter().collect(), nothing: false, ..empty },
                None => empty,
            },
            Principal::Bootstrap | Principal::ConfigKey | Principal::Open | Principal::Anonymous => empty,
        }
    }

    /// Whether all that is granted is held. `kept` are Denies that whoever gets it has as well.
    fn cover(&self, granted: &[Permission], kept: &[&Permission]) -> Result<()> {
        for rule in granted {
            for resource in &rule.resources {
                let resource = without_arn(resource);
                for action in concrete(rule, resource) {
                    if self.nothing || !self.allows(action, resource) {
                        return Err(refuse(format!("you do not have `{action}` on `{resource}` yourself"))
                            .with_code("grant_exceeds_own"));
                    }
                    if self.denies(action, resource, kept) {
                        return Err(refuse(format!("a rule denies you `{action}` on a part of `{resource}`"))
                            .with_code("grant_exceeds_own"));
                    }
                }
            }
        }
        Ok(())
    }

    fn allows(&self, action: &str, resource: &str) -> bool {
        let variables = self.variables();
        let requested = Requested::new(action);
        self.rules.iter().any(|rule| {
            rule.effect == Effect::Allow
                && rule.conditions.is_empty()
                && rule.actions.iter().any(|own| requested.included_in(own, Effect::Allow))
                && rule.resources.iter().any(|own| pattern::includes(without_arn(own), &variables, resource))
        })
    }

    /// Whether a Deny of one's own may be about a part of it, and whoever gets it does not have that very Deny.
    fn denies(&self, action: &str, resource: &str, kept: &[&Permission]) -> bool {
        let requested = Requested::new(action);
        let head = pattern::head_for_anybody(resource);
        self.rules.iter().filter(|rule| rule.effect == Effect::Deny).any(|rule| {
            let about = rule.actions.iter().any(|own| requested.included_in(own, Effect::Deny))
                && rule.resources.iter().any(|own| {
                    let own = pattern::head_for_anybody(without_arn(own));
                    own.starts_with(&head) || head.starts_with(&own)
                });
            // A variable means somebody else for everybody.
            let same = |other: &&Permission| {
                (&other.actions, &other.resources, &other.conditions)
                    == (&rule.actions, &rule.resources, &rule.conditions)
                    && !rule.resources.iter().any(|own| own.contains("${"))
            };
            about && !kept.iter().any(same)
        })
    }

    fn variables(&self) -> Variables<'a> {
        // Which key signs is not known here: a rule that depends on it is taken for none.
        Variables { username: self.name, user_id: self.id, access_key_id: None }
    }
}

/// The actions that a rule's Allow on this resource is about. Rights of the admin API count on `*` alone.
fn concrete(rule: &Permission, resource: &str) -> BTreeSet<&'static str> {
    let everywhere = is_everything(resource);
    action::all()
        .filter(|name| {
            let requested = Requested::new(name);
            (everywhere || !requested.is_admin_right())
                && rule.actions.iter().any(|action| requested.included_in(action, Effect::Allow))
        })
        .collect()
}

/// All rules of a user, those of its groups included, enabled or not.
fn rules_of<'a>(state: &'a State, id: &str) -> impl Iterator<Item = &'a Permission> + use<'a> {
    let user = state.users.get(id);
    let groups = user.into_iter().flat_map(|user| &user.group_ids).filter_map(|id| state.groups.get(id));
    user.into_iter().flat_map(|user| &user.permissions).chain(groups.flat_map(|group| &group.permissions))
}

#[cfg(test)]
mod tests;
