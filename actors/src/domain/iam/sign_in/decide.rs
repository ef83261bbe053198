//! Who may come in, as which user, with which groups: decided on the claims of a sign-in and the state, before anything is written.

use super::claims::Claims;
use super::mapping::evaluate;
use super::provider::Settings;
use crate::domain::clock::Timestamp;
use crate::domain::iam::change::check_name;
use crate::domain::iam::model::{AuthProvider, ExternalIdentity, GroupId, User, UserId};
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A sign-in whose claims were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// With which provider.
    pub provider_id: String,
    /// What it says of the person.
    pub claims: Claims,
    /// The id that a new user gets.
    pub new_user_id: UserId,
    /// The id that a new identity gets.
    pub new_identity_id: String,
}

/// What a sign-in comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// As whom.
    pub user_id: UserId,
    /// The user as it must be written, where that differs from what is there.
    pub user: Option<User>,
    /// The identity as it must be written, where that differs from what is there.
    pub identity: Option<ExternalIdentity>,
    /// The user came to be by this.
    pub created: bool,
}

impl Decision {
    /// Whether there is nothing to write.
    pub fn is_settled(&self) -> bool {
        self.user.is_none() && self.identity.is_none()
    }
}

/// Decides on a sign-in.
pub fn decide(state: &State, login: &Login, now: Timestamp) -> Result<Decision> {
    let provider = state.providers.get(&login.provider_id).filter(|provider| provider.enabled);
    let provider = provider.ok_or_else(|| {
        refuse("sso_provider_disabled", "this way to sign in was switched off")
            .with_hint("sign in another way, or ask an admin")
    })?;
    let subject = login.claims.subject().ok_or_else(|| {
        refuse("sso_token_invalid", "the provider does not say who signs in: the claim `sub` is missing or too long")
    })?;
    let settings = Settings::of(provider)?;
    admit(&settings, &login.claims)?;
    let bound = |i: &&Arc<ExternalIdentity>| i.provider_id == provider.id && i.external_sub == subject;
    match state.identities.values().find(bound) {
        Some(identity) => known(state, provider, identity, &login.claims),
        None if settings.auto_provision => Ok(newcomer(state, provider, subject, login, now)),
        None => Err(refuse("sso_not_provisioned", "nobody has given you an account here yet").with_hint(format!(
            "ask an admin to bind `{subject}` of `{}` to a user, or to let this provider make users",
            provider.name
        ))),
    }
}

/// Whether the provider's word is enough to come in at all.
fn admit(settings: &Settings, claims: &Claims) -> Result<()> {
    if settings.require_email_verified {
        if claims.email().is_none() {
            return Err(refuse("sso_email_missing", "the provider gives no e-mail address of yours").with_hint(
                "the scope `email` must be asked for and allowed, or `require_email_verified` be switched off",
            ));
        }
        if !claims.email_verified() {
            return Err(refuse("sso_email_unverified", "the provider does not vouch for your e-mail address")
                .with_hint("confirm the address with the provider and sign in again"));
        }
    }
    let domain = claims.domain().unwrap_or_default();
    if !settings.allowed_domains.is_empty() && !settings.allowed_domains.contains(&domain) {
        return Err(refuse("sso_domain_not_allowed", "addresses of your domain may not sign in with this provider")
            .with_hint("ask an admin to add the domain to the provider's `allowed_domains`"));
    }
    Ok(())
}

fn known(state: &State, provider: &AuthProvider, identity: &ExternalIdentity, claims: &Claims) -> Result<Decision> {
    let user = state.users.get(&identity.user_id).filter(|user| user.enabled);
    let user = user.ok_or_else(|| refuse("sso_user_disabled", "your account is disabled").with_hint("ask an admin"))?;
    let from_rules = evaluate(state, Some(&provider.id), claims).group_ids;
    let others: BTreeSet<&GroupId> = state
        .identities
        .values()
        .filter(|other| other.user_id == user.id && other.id != identity.id)
        .flat_map(|other| &other.rule_group_ids)
        .collect();
    // What no rule ever gave was given by hand, and stays.
    let by_hand = |id: &&GroupId| !identity.rule_group_ids.contains(*id) && !others.contains(id);
    let mut group_ids: BTreeSet<GroupId> = user.group_ids.iter().filter(by_hand).cloned().collect();
    let rule_group_ids: BTreeSet<GroupId> = from_rules.difference(&group_ids).cloned().collect();
    let still_there = others.into_iter().filter(|id| user.group_ids.contains(*id)).cloned();
    group_ids.extend(still_there.chain(rule_group_ids.iter().cloned()));
    let settled = group_ids == user.group_ids && rule_group_ids == identity.rule_group_ids;
    let seen = ExternalIdentity {
        email: claims.email().map(str::to_owned),
        email_verified: claims.email_verified(),
        display_name: claims.display_name(),
        raw_claims: claims.kept(),
        rule_group_ids,
        ..identity.clone()
    };
    Ok(Decision {
        user_id: user.id.clone(),
        user: (group_ids != user.group_ids).then(|| User { group_ids, ..User::clone(user) }),
        // What changed of the person alone is no reason to write: many sign in, and few change.
        identity: (!settled).then_some(seen),
        created: false,
    })
}

fn newcomer(state: &State, provider: &AuthProvider, subject: &str, login: &Login, now: Timestamp) -> Decision {
    let claims = &login.claims;
    let group_ids = evaluate(state, Some(&provider.id), claims).group_ids;
    let user = User {
        id: login.new_user_id.clone(),
        name: free_name(state, provider, subject, claims),
        enabled: true,
        created_at: now,
        auth_source: "external".into(),
        credential_version: 1,
        permissions: Vec::new(),
        group_ids: group_ids.clone(),
        keys: Vec::new(),
    };
    let identity = ExternalIdentity {
        id: login.new_identity_id.clone(),
        user_id: user.id.clone(),
        provider_id: provider.id.clone(),
        external_sub: subject.to_owned(),
        email: claims.email().map(str::to_owned),
        display_name: claims.display_name(),
        raw_claims: claims.kept(),
        email_verified: claims.email_verified(),
        rule_group_ids: group_ids,
        created_at: now,
    };
    Decision { user_id: user.id.clone(), user: Some(user), identity: Some(identity), created: true }
}

/// A name for a new user: the address, or who the provider says it is; never that of somebody else, and never one that a person may
/// choose freely, as rules may name users.
fn free_name(state: &State, provider: &AuthProvider, subject: &str, claims: &Claims) -> String {
    let email = claims.email().filter(|email| check_name("user", email).is_ok());
    let base = match email {
        Some(email) => email.to_owned(),
        None => {
            format!("{}:{}", provider.name, subject.chars().filter(|c| !c.is_control()).take(60).collect::<String>())
        }
    };
    let numbered = (1..).map(|n| match n {
        1 => base.clone(),
        2 => format!("{} ({})", short(&base), provider.name),
        n => format!("{} ({} {})", short(&base), provider.name, n - 1),
    });
    let taken = |name: &String| state.users.values().any(|user| user.name == *name);
    let free = numbered.map(|name| name.trim().to_owned()).find(|name| !taken(name));
    free.unwrap_or_default()
}

/// Leaves room for what makes a name unique, within the 128 characters that a name may have.
fn short(name: &str) -> String {
    name.chars().take(48).collect()
}

fn refuse(code: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Forbidden, "sign in", message).with_code(code)
}
