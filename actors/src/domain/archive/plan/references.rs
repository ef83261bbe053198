//! Rule 13, references: what this host resolves is used as it is, what it does not comes from the archive.

use crate::domain::archive::Archive;
use crate::domain::archive::plan::Host;
use crate::domain::config::model::{Config, SecretRef};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use std::collections::BTreeMap;

/// Rule 13: what this host resolves is used as it is; what it does not goes into the store under its reference's name.
pub(super) fn references(archive: &Archive, host: &Host<'_>, next: &mut State, warnings: &mut Vec<String>) {
    for (reference, value) in archive.secrets.resolved.iter().filter(|(name, _)| !name.starts_with("stored:")) {
        match own_value(host, reference).as_ref() {
            None => {
                warnings.push(format!("`{reference}` does not resolve on this host: its value comes from the backup"));
                next.secrets.insert(reference.clone(), value.clone());
            }
            Some(own) if own != value => {
                warnings.push(format!(
                    "`{reference}` has another value on this host than in the backup: this host's is used"
                ));
            }
            Some(_) => {}
        }
    }
}

/// Rule 13 for `${env:NAME}` inside a text: the config is read before the store is open, so a value that only the archive
/// knows is written out, or this host could not start again.
pub(super) fn interpolations(
    archive: &Archive,
    host: &Host<'_>,
    written: &mut BTreeMap<String, String>,
    warnings: &mut Vec<String>,
) {
    let lost = |name: &str| {
        !host.environment.contains_key(name) && archive.secrets.resolved.contains_key(&format!("env:{name}"))
    };
    written.retain(|path, text| {
        let Some(name) = variables(text).find(|name| lost(name)) else { return true };
        warnings.push(format!(
            "`{path}` names the variable {name}, which this host lacks: the captured value is written out"
        ));
        false
    });
}

/// The names in a text's `${env:NAME}` and `${env:NAME:-default}`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${env:").skip(1).filter_map(|rest| rest.split(['}', ':']).next())
}

/// Whether this host gives a value for a reference by itself.
pub(super) fn resolves(host: &Host<'_>, reference: &str) -> bool {
    own_value(host, reference).is_some()
}

/// The value of a reference: this host's, or what the archive brings.
pub(super) fn value(archive: &Archive, host: &Host<'_>, reference: &SecretRef) -> Option<Secret> {
    if let SecretRef::Literal(secret) = reference {
        return Some(secret.clone());
    }
    let name = reference.name()?;
    own_value(host, &name).or_else(|| archive.secrets.resolved.get(&name).cloned())
}

pub(super) fn own_value(host: &Host<'_>, reference: &str) -> Option<Secret> {
    match reference.strip_prefix("env:") {
        Some(name) => host.environment.get(name).map(|value| Secret::new(value.clone())),
        None => host.files.get(reference).cloned(),
    }
}

/// Rule 3: a full restore brings the hash in the hash file. A pin by a reference that this host does not resolve would keep the next
/// start from reading it, so it is dropped.
pub(super) fn pinned_hash(host: &Host<'_>, config: &mut Config, warnings: &mut Vec<String>) {
    let Some(reference) = &config.advanced.bootstrap_password_hash else { return };
    let resolves = match reference {
        SecretRef::Env(name) => host.environment.contains_key(name),
        SecretRef::File(path) => host.files.contains_key(&format!("file:{}", path.as_str())),
        SecretRef::Stored(_) => false,
        SecretRef::Literal(_) => true,
    };
    if !resolves {
        config.advanced.bootstrap_password_hash = None;
        warnings.push(
            "advanced.bootstrap_password_hash refers to what this host does not have: the hash comes back in the hash file, and \
             is pinned no more"
                .to_owned(),
        );
    }
}
