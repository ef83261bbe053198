//! Changes of providers, mapping rules and identities, and what a sign-in writes.

use super::withdraw::{withdraw, without_groups};
use super::{reinstate, revoke, revoked};
use crate::domain::change::Changed;
use crate::domain::clock::Timestamp;
use crate::domain::iam::model::{AuthProvider, ExternalIdentity, GroupId, MappingRule, UserId};
use crate::domain::iam::sign_in::{Login, check_provider, check_rule, decide};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most providers: each is a button on the sign-in page.
pub(in crate::domain::iam) const MAX_PROVIDERS: usize = 50;
/// The most mapping rules: each is looked at in every sign-in.
pub(in crate::domain::iam) const MAX_RULES: usize = 1000;
/// The longest subject.
const MAX_SUBJECT: usize = 255;

/// One change of what people sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInChange {
    /// Makes a provider.
    CreateProvider(Box<AuthProvider>),
    /// Changes the fields that are given.
    UpdateProvider {
        /// Which.
        id: String,
        /// What.
        edit: Box<ProviderEdit>,
    },
    /// Removes a provider with its rules and identities; the users stay.
    DeleteProvider {
        /// Which.
        id: String,
    },
    /// Makes a mapping rule.
    CreateRule(MappingRule),
    /// Changes the fields that are given.
    UpdateRule {
        /// Which.
        id: String,
        /// What.
        edit: RuleEdit,
    },
    /// Removes a mapping rule, and what it gave to whom no other rule gives it.
    DeleteRule {
        /// Which.
        id: String,
    },
    /// Binds a person of a provider to a user by hand.
    Bind {
        /// A new UUID.
        id: String,
        /// The provider.
        provider_id: String,
        /// The provider's name for the person.
        external_sub: String,
        /// The user.
        user_id: UserId,
    },
    /// Unbinds a person: what rules gave the user goes with it, and its sessions end.
    Unbind {
        /// Which identity.
        id: String,
    },
    /// Somebody signs in: decided anew here, on the state that it is written to.
    Login(Box<Login>),
}

/// The fields of a provider that may change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of `AuthProvider`")]
pub struct ProviderEdit {
    pub name: Option<String>,
    pub provider_type: Option<String>,
    pub enabled: Option<bool>,
    pub priority: Option<i64>,
    pub display_name: Option<Option<String>>,
    pub client_id: Option<String>,
    pub client_secret: Option<Option<Secret>>,
    pub issuer_url: Option<String>,
    pub scopes: Option<String>,
    pub extra_config: Option<Value>,
}

/// The fields of a mapping rule that may change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of `MappingRule`")]
pub struct RuleEdit {
    pub provider_id: Option<Option<String>>,
    pub priority: Option<i64>,
    pub match_type: Option<String>,
    pub match_field: Option<String>,
    pub match_value: Option<String>,
    pub group_id: Option<GroupId>,
    pub enabled: Option<bool>,
}

pub(super) fn apply(change: SignInChange, state: &mut State, now: Timestamp) -> Result<Changed> {
    match change {
        SignInChange::CreateProvider(provider) => create_provider(state, *provider),
        SignInChange::UpdateProvider { id, edit } => update_provider(state, &id, *edit, now),
        SignInChange::DeleteProvider { id } => delete_provider(state, id, now),
        SignInChange::CreateRule(rule) => create_rule(state, rule),
        SignInChange::UpdateRule { id, edit } => update_rule(state, &id, edit),
        SignInChange::DeleteRule { id } => match state.mapping_rules.remove(&id) {
            Some(gone) => {
                withdraw(state, &gone);
                Ok(Changed::new("mapping_rule", id))
            }
            None => Err(no_such_rule()),
        },
        SignInChange::Bind { id, provider_id, external_sub, user_id } => {
            let identity = ExternalIdentity {
                id,
                user_id,
                provider_id,
                external_sub,
                email: None,
                display_name: None,
                raw_claims: None,
                email_verified: false,
                rule_group_ids: BTreeSet::new(),
                created_at: now,
            };
            bind(state, identity)
        }
        SignInChange::Unbind { id } => {
            unbind(state, &id, now)?;
            Ok(Changed::new("identity", id))
        }
        SignInChange::Login(login) => sign_in(state, &login, now),
    }
}

fn create_provider(state: &mut State, mut provider: AuthProvider) -> Result<Changed> {
    check_provider(&mut provider)?;
    name_is_free(state, &provider.name)?;
    if state.providers.contains_key(&provider.id) {
        return Err(conflict("provider_exists", "a provider with this id exists"));
    }
    if state.providers.len() >= MAX_PROVIDERS {
        return Err(conflict("too_many_providers", format!("there are at most {MAX_PROVIDERS} providers")));
    }
    let id = provider.id.clone();
    state.providers.insert(id.clone(), Arc::new(provider));
    Ok(Changed::new("auth_provider", id))
}

fn update_provider(state: &mut State, id: &str, edit: ProviderEdit, now: Timestamp) -> Result<Changed> {
    let old = state.providers.get(id).ok_or_else(no_such_provider)?.clone();
    let mut provider = AuthProvider::clone(&old);
    if let Some(name) = edit.name.filter(|name| *name != old.name) {
        name_is_free(state, &name)?;
        provider.name = name;
    }
    if let Some(issuer) = edit.issuer_url {
        provider.issuer_url = Some(issuer);
    }
    if let Some(client) = edit.client_id {
        provider.client_id = Some(client);
    }
    provider.provider_type = edit.provider_type.unwrap_or(provider.provider_type);
    provider.enabled = edit.enabled.unwrap_or(provider.enabled);
    provider.priority = edit.priority.unwrap_or(provider.priority);
    provider.display_name = edit.display_name.unwrap_or(provider.display_name);
    provider.client_secret = edit.client_secret.unwrap_or(provider.client_secret);
    provider.scopes = edit.scopes.unwrap_or(provider.scopes);
    provider.extra_config = edit.extra_config.or(provider.extra_config);
    check_provider(&mut provider)?;
    // Another issuer gives its subjects to other people: they would sign in as those who are bound now.
    if provider.issuer_url != old.issuer_url && state.identities.values().any(|i| i.provider_id == id) {
        return Err(conflict(
            "provider_in_use",
            "people are bound to this provider, and another issuer has other people",
        )
        .with_hint("make a new provider for the other issuer, and delete this one when nobody needs it"));
    }
    if provider != *old {
        provider.updated_at = now;
        state.providers.insert(id.to_owned(), Arc::new(provider));
    }
    Ok(Changed::new("auth_provider", id.to_owned()))
}

fn delete_provider(state: &mut State, id: String, now: Timestamp) -> Result<Changed> {
    if !state.providers.contains_key(&id) {
        return Err(no_such_provider());
    }
    let bound: Vec<String> =
        state.identities.values().filter(|identity| identity.provider_id == id).map(|i| i.id.clone()).collect();
    for identity in bound {
        unbind(state, &identity, now)?;
    }
    state.mapping_rules.retain(|_, rule| rule.provider_id.as_deref() != Some(&id));
    state.providers.remove(&id);
    Ok(Changed::new("auth_provider", id))
}

fn create_rule(state: &mut State, rule: MappingRule) -> Result<Changed> {
    check_rule_in(state, &rule)?;
    if state.mapping_rules.len() >= MAX_RULES {
        return Err(conflict("too_many_rules", format!("there are at most {MAX_RULES} mapping rules")));
    }
    let id = rule.id.clone();
    if state.mapping_rules.contains_key(&id) {
        return Err(conflict("mapping_rule_exists", "a mapping rule with this id exists"));
    }
    state.mapping_rules.insert(id.clone(), Arc::new(rule));
    Ok(Changed::new("mapping_rule", id))
}

fn update_rule(state: &mut State, id: &str, edit: RuleEdit) -> Result<Changed> {
    let old = state.mapping_rules.get(id).ok_or_else(no_such_rule)?.clone();
    let mut rule = MappingRule::clone(&old);
    rule.provider_id = edit.provider_id.unwrap_or(rule.provider_id);
    rule.priority = edit.priority.unwrap_or(rule.priority);
    rule.match_type = edit.match_type.unwrap_or(rule.match_type);
    rule.match_field = edit.match_field.unwrap_or(rule.match_field);
    rule.match_value = edit.match_value.unwrap_or(rule.match_value);
    rule.group_id = edit.group_id.unwrap_or(rule.group_id);
    rule.enabled = edit.enabled.unwrap_or(rule.enabled);
    check_rule_in(state, &rule)?;
    if rule != *old {
        state.mapping_rules.insert(id.to_owned(), Arc::new(rule));
        withdraw(state, &old);
    }
    Ok(Changed::new("mapping_rule", id.to_owned()))
}

fn check_rule_in(state: &State, rule: &MappingRule) -> Result<()> {
    check_rule(rule)?;
    if rule.provider_id.as_ref().is_some_and(|id| !state.providers.contains_key(id)) {
        return Err(invalid("there is no provider with this `provider_id`").with_code("no_such_provider"));
    }
    match state.groups.contains_key(&rule.group_id) {
        true => Ok(()),
        false => Err(invalid("there is no group with this `group_id`").with_code("no_such_group")),
    }
}

fn bind(state: &mut State, identity: ExternalIdentity) -> Result<Changed> {
    let subject = identity.external_sub.as_str();
    if subject.is_empty() || subject.len() > MAX_SUBJECT || subject.chars().any(char::is_control) {
        let message = format!("`external_sub` has 1 to {MAX_SUBJECT} characters and none of control");
        return Err(invalid(message).with_code("invalid_identity"));
    }
    if !state.providers.contains_key(&identity.provider_id) {
        return Err(invalid("there is no provider with this `provider_id`").with_code("no_such_provider"));
    }
    if !state.users.contains_key(&identity.user_id) {
        return Err(invalid("there is no user with this `user_id`").with_code("no_such_user"));
    }
    let same = |other: &Arc<ExternalIdentity>| {
        other.id == identity.id || (other.provider_id == identity.provider_id && other.external_sub == subject)
    };
    if state.identities.values().any(same) {
        return Err(conflict("identity_taken", "this person is bound to a user already")
            .with_hint("unbind the person from that user first"));
    }
    let id = identity.id.clone();
    reinstate(state, revoked::IDENTITY, &id);
    state.identities.insert(id.clone(), Arc::new(identity));
    Ok(Changed::new("identity", id))
}

pub(in crate::domain::iam) fn unbind(state: &mut State, id: &str, now: Timestamp) -> Result<()> {
    let gone = state.identities.remove(id).ok_or_else(no_such_identity)?;
    revoke(state, revoked::IDENTITY, id.to_owned(), now);
    if let Some(mut user) = without_groups(state, &gone.user_id, &gone.rule_group_ids) {
        user.credential_version += 1;
        state.users.insert(gone.user_id.clone(), Arc::new(user));
    }
    Ok(())
}

fn sign_in(state: &mut State, login: &Login, now: Timestamp) -> Result<Changed> {
    let decision = decide(state, login, now)?;
    if let Some(user) = decision.user {
        state.users.insert(user.id.clone(), Arc::new(user));
    }
    if let Some(identity) = decision.identity {
        state.identities.insert(identity.id.clone(), Arc::new(identity));
    }
    Ok(Changed::new("user", decision.user_id))
}

/// Notes that these memberships were given or taken by hand: they are no longer the rules' to take away.
pub(in crate::domain::iam) fn by_hand(state: &mut State, users: &BTreeSet<UserId>, groups: &BTreeSet<GroupId>) {
    if users.is_empty() || groups.is_empty() {
        return;
    }
    let touched = |identity: &&mut Arc<ExternalIdentity>| {
        users.contains(&identity.user_id) && !identity.rule_group_ids.is_disjoint(groups)
    };
    for identity in state.identities.values_mut().filter(touched) {
        Arc::make_mut(identity).rule_group_ids.retain(|group| !groups.contains(group));
    }
}

/// Forgets a group that is gone.
pub(in crate::domain::iam) fn forget_group(state: &mut State, group: &str) {
    state.mapping_rules.retain(|_, rule| rule.group_id != group);
    for identity in state.identities.values_mut().filter(|identity| identity.rule_group_ids.contains(group)) {
        Arc::make_mut(identity).rule_group_ids.remove(group);
    }
}

fn name_is_free(state: &State, name: &str) -> Result<()> {
    match state.providers.values().any(|provider| provider.name == name) {
        true => Err(conflict("provider_name_taken", format!("there is a provider named `{name}` already"))),
        false => Ok(()),
    }
}

fn no_such_provider() -> Error {
    Error::new(ErrorKind::NotFound, "find provider", "there is no such provider").with_code("no_such_provider")
}

fn no_such_rule() -> Error {
    Error::new(ErrorKind::NotFound, "find mapping rule", "there is no such mapping rule").with_code("no_such_rule")
}

fn no_such_identity() -> Error {
    Error::new(ErrorKind::NotFound, "find identity", "there is no such identity").with_code("no_such_identity")
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "change sign-in", message)
}

fn conflict(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Conflict, "change sign-in", message).with_code(code)
}
