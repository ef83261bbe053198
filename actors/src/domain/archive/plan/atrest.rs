//! Rule 4 for the keys that the next config names: each is in the keyring, or the plan says which one nobody has.

use crate::Result;
use crate::domain::archive::Archive;
use crate::domain::archive::plan::{Current, Host, references};
use crate::domain::atrest;
use crate::domain::config::model::{Config, SecretRef};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use std::sync::Arc;

/// Keys only accumulate in the config, too, and a generation newer than the captured one stays active.
pub(super) fn accumulate(current: Current<'_>, archive: &Archive, next: &mut Config) {
    for (name, backend) in &mut next.storage.backends {
        let Some(own) = current.config.config.storage.backends.get(name) else { continue };
        let (own, then) = (&own.encryption, &mut backend.encryption);
        for (id, reference) in &own.keys {
            then.keys.entry(id.clone()).or_insert_with(|| reference.clone());
        }
        let since = |id: &String| {
            let ours = current.state.keyring.get(id).map(|key| key.created_at);
            ours.or_else(|| archive.manifest.encryption_keys.iter().find(|key| key.id == *id).map(|key| key.created_at))
        };
        then.active = match (own.active.clone(), then.active.take()) {
            (Some(ours), Some(theirs)) if since(&ours) > since(&theirs) => Some(ours),
            (ours, theirs) => theirs.or(ours),
        };
    }
}

/// Puts the keys that the config names into the keyring, as this host, its store or the archive gives them.
pub(super) fn resolve(config: &Config, archive: &Archive, host: &Host<'_>, next: &mut State) -> Result<()> {
    let value = |reference: &SecretRef| -> Option<Secret> {
        let name = reference.name()?;
        let stored = next.secrets.get(name.strip_prefix("stored:").unwrap_or(&name));
        references::own_value(host, &name).or_else(|| stored.or_else(|| archive.secrets.resolved.get(&name)).cloned())
    };
    for key in atrest::new_keys(config, next, host.now, &value)? {
        next.keyring.insert(key.id.clone(), Arc::new(key));
    }
    Ok(())
}
