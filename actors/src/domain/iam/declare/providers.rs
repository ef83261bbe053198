//! Sign-in providers by name, and the mapping rules.

use super::diff::{Diff, Verb, differing};
use super::{Means, groups, invalid};
use crate::domain::config::declared::{Declared, DeclaredProvider, DeclaredRule};
use crate::domain::iam::change::sign_in::{MAX_PROVIDERS, MAX_RULES, unbind};
use crate::domain::iam::model::{AuthProvider, MappingRule};
use crate::domain::iam::sign_in::{check_provider, check_rule};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub(super) fn apply(declared: &Declared, next: &mut State, means: &Means<'_>, diff: &mut Diff) -> Result<()> {
    let Some(providers) = &declared.providers else { return Ok(()) };
    let ids: HashMap<String, String> =
        next.providers.values().map(|provider| (provider.name.clone(), provider.id.clone())).collect();
    if providers.len() > MAX_PROVIDERS {
        return Err(invalid("too_many_providers", format!("there are at most {MAX_PROVIDERS} providers")));
    }
    let mut named = BTreeSet::new();
    for provider in providers {
        let old = ids.get(&provider.name).and_then(|id| next.providers.get(id)).cloned();
        let secret = secret(provider, old.as_deref(), means)?;
        if secret.is_none() && old.is_none() {
            diff.warnings.push(format!("the new provider `{}` has no client secret", provider.name));
        }
        let mut entry = entry(provider, old.as_deref(), secret, means);
        check_provider(&mut entry).map_err(|error| of("provider", &provider.name, error))?;
        if old.as_deref().is_some_and(|old| old.issuer_url != entry.issuer_url)
            && next.identities.values().any(|identity| identity.provider_id == entry.id)
        {
            let message = format!("people are bound to `{}`, and another issuer has other people", provider.name);
            return Err(Error::new(ErrorKind::Conflict, "declare iam", message)
                .with_code("provider_in_use")
                .with_hint("give the other issuer a name of its own"));
        }
        named.insert(entry.id.clone());
        match old {
            None => diff.note("provider", &provider.name, Verb::Created, Vec::new()),
            Some(old) => {
                let fields = fields(&old, &entry);
                if fields.is_empty() {
                    continue;
                }
                diff.note("provider", &provider.name, Verb::Updated, fields);
            }
        }
        next.providers.insert(entry.id.clone(), Arc::new(entry));
    }
    let gone: Vec<Arc<AuthProvider>> =
        next.providers.values().filter(|provider| !named.contains(&provider.id)).cloned().collect();
    for provider in gone {
        diff.note("provider", &provider.name, Verb::Deleted, Vec::new());
        next.providers.remove(&provider.id);
        let bound: Vec<String> =
            next.identities.values().filter(|i| i.provider_id == provider.id).map(|i| i.id.clone()).collect();
        for identity in bound {
            unbind(next, &identity, means.now)?;
        }
        next.mapping_rules.retain(|_, rule| rule.provider_id.as_ref() != Some(&provider.id));
    }
    Ok(())
}

/// The same error, with what it is about.
fn of(what: &str, name: &str, error: Error) -> Error {
    let about = Error::new(error.kind(), "declare iam", format!("{what} `{name}`: {}", error.message()));
    match error.code() {
        Some(code) => about.with_code(code),
        None => about,
    }
}

/// The secret that is declared, else that of an archive, else the one that is there.
fn secret(declared: &DeclaredProvider, old: Option<&AuthProvider>, means: &Means<'_>) -> Result<Option<Secret>> {
    match &declared.client_secret {
        Some(reference) => (means.resolve)(reference).map(Some),
        None => {
            let spare = means.client_secrets.get(&declared.name).cloned();
            Ok(spare.or_else(|| old.and_then(|old| old.client_secret.clone())))
        }
    }
}

fn entry(
    declared: &DeclaredProvider,
    old: Option<&AuthProvider>,
    client_secret: Option<Secret>,
    means: &Means<'_>,
) -> AuthProvider {
    AuthProvider {
        id: old.map_or_else(means.new_id, |old| old.id.clone()),
        name: declared.name.clone(),
        provider_type: declared.provider_type.clone(),
        enabled: declared.enabled,
        priority: declared.priority,
        display_name: declared.display_name.clone(),
        client_id: declared.client_id.clone(),
        client_secret,
        issuer_url: declared.issuer_url.clone(),
        scopes: declared.scopes.clone(),
        extra_config: declared.extra_config.clone(),
        created_at: old.map_or(means.now, |old| old.created_at),
        updated_at: means.now,
    }
}

fn fields(old: &AuthProvider, new: &AuthProvider) -> Vec<&'static str> {
    differing(&[
        ("provider_type", old.provider_type != new.provider_type),
        ("enabled", old.enabled != new.enabled),
        ("priority", old.priority != new.priority),
        ("display_name", old.display_name != new.display_name),
        ("client_id", old.client_id != new.client_id),
        ("client_secret", old.client_secret != new.client_secret),
        ("issuer_url", old.issuer_url != new.issuer_url),
        ("scopes", old.scopes != new.scopes),
        ("extra_config", old.extra_config != new.extra_config),
    ])
}

/// Rules have no name: one that says the same keeps its id.
pub(super) fn mapping_rules(declared: &Declared, next: &mut State, means: &Means<'_>, diff: &mut Diff) -> Result<()> {
    let Some(rules) = &declared.mapping_rules else { return Ok(()) };
    if rules.len() > MAX_RULES {
        return Err(invalid("too_many_rules", format!("there are at most {MAX_RULES} mapping rules")));
    }
    let groups = groups::by_name(next);
    let providers: HashMap<&str, &String> =
        next.providers.values().map(|provider| (provider.name.as_str(), &provider.id)).collect();
    let mut old: Vec<Arc<MappingRule>> = next.mapping_rules.values().cloned().collect();
    let mut replaced = BTreeMap::new();
    for rule in rules {
        let group_id = groups.get(rule.group.as_str()).ok_or_else(|| {
            invalid("no_such_group", format!("a mapping rule gives the group `{}`, which is not there", rule.group))
        })?;
        let provider_id = match &rule.provider {
            None => None,
            Some(name) => Some(providers.get(name.as_str()).map(|id| (*id).clone()).ok_or_else(|| {
                invalid("no_such_provider", format!("a mapping rule is for the provider `{name}`, which is not there"))
            })?),
        };
        let entry = mapping_rule(rule, provider_id, (*group_id).clone(), means);
        check_rule(&entry).map_err(|error| of("mapping rule for", &rule.match_value, error))?;
        let same = |other: &Arc<MappingRule>| {
            **other == MappingRule { id: other.id.clone(), created_at: other.created_at, ..entry.clone() }
        };
        let entry = match old.iter().position(same) {
            Some(at) => old.swap_remove(at),
            None => Arc::new(MappingRule { id: (means.new_id)(), ..entry }),
        };
        replaced.insert(entry.id.clone(), entry);
    }
    if replaced != next.mapping_rules {
        diff.mapping_rules_replaced = replaced.len();
        if replaced.is_empty() {
            diff.warnings.push("every mapping rule goes".to_owned());
        }
        next.mapping_rules = replaced;
    }
    Ok(())
}

fn mapping_rule(rule: &DeclaredRule, provider_id: Option<String>, group_id: String, means: &Means<'_>) -> MappingRule {
    MappingRule {
        id: String::new(),
        provider_id,
        priority: rule.priority,
        match_type: rule.match_type.clone(),
        match_field: rule.match_field.clone(),
        match_value: rule.match_value.clone(),
        group_id,
        created_at: means.now,
        enabled: rule.enabled,
    }
}
