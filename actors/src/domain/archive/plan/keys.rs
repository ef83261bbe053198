//! Rule 4, the keyring: keys only accumulate, whatever is restored, merged or undone.

use crate::domain::archive::Archive;
use crate::domain::archive::plan::Keys;
use crate::domain::config::model::Config;
use crate::domain::state::{KeyPurpose, State, StoredKey};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which keys new objects use after keyrings were united.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Active {
    /// The newest of both: a generation newer than the archive's active one stays active.
    Newest,
    /// Those of this instance: what comes is for reading.
    Ours,
}

/// Refuses an archive whose keys are others than those of `state` under the same ids.
pub(super) fn agree(state: &State, archive: &Archive) -> Result<()> {
    for entry in &archive.manifest.encryption_keys {
        if state.keyring.get(&entry.id).is_some_and(|own| own.fingerprint() != entry.fingerprint) {
            return Err(another(&entry.id));
        }
    }
    Ok(())
}

/// Refuses a state that lacks keys which the archive or the config names, unless that was asked for.
pub(super) fn check(
    next: &State,
    archive: &Archive,
    config: &Config,
    allowed: bool,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let of_config = config.storage.backends.values().flat_map(|backend| backend.encryption.keys.keys());
    let of_archive = archive.manifest.encryption_keys.iter().map(|entry| &entry.id);
    let missing: BTreeSet<&str> =
        of_archive.chain(of_config).filter(|id| !next.keyring.contains_key(*id)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let ids = missing.into_iter().collect::<Vec<_>>().join(", ");
    if allowed {
        warnings.push(format!("the encryption keys {ids} are missing: backends that name them are read-only"));
        return Ok(());
    }
    let message = format!("neither archive, instance nor environment has these encryption keys: {ids}");
    let hint = "provide them by their references, or send `allow_missing_keys=true`: their backends are read-only then";
    Err(conflict("missing_keys", message, hint))
}

/// Keys of objects that no backend of a config names any more: they are kept for what is under them.
pub(super) fn retired(keyring: &BTreeMap<String, Arc<StoredKey>>, config: &Config) -> Vec<String> {
    let named = |id: &String| config.storage.backends.values().any(|backend| backend.encryption.keys.contains_key(id));
    let keys = keyring.values().filter(|key| key.purpose == KeyPurpose::ObjectData && !named(&key.id));
    keys.map(|key| key.id.clone()).collect()
}

/// The union of two keyrings: none is lost, none is replaced.
pub(super) fn unite(
    current: &State,
    brought: BTreeMap<String, Arc<StoredKey>>,
    choice: Active,
) -> Result<(BTreeMap<String, Arc<StoredKey>>, Keys)> {
    for (id, key) in &brought {
        if current.keyring.get(id).is_some_and(|own| own.key != key.key) {
            return Err(another(id));
        }
    }
    let keys = Keys {
        added: brought.keys().filter(|id| !current.keyring.contains_key(*id)).cloned().collect(),
        kept: current.keyring.keys().filter(|id| !brought.contains_key(*id)).cloned().collect(),
        active: Vec::new(),
        retired: Vec::new(),
    };
    let mut active: Vec<String> = Vec::new();
    for purpose in [KeyPurpose::MetadataMac, KeyPurpose::ObjectData] {
        let of = |ring: &BTreeMap<String, Arc<StoredKey>>| {
            let candidates = ring.values().filter(|key| key.purpose == purpose && key.active);
            candidates.max_by_key(|key| (key.created_at, key.id.clone())).map(|key| (key.created_at, key.id.clone()))
        };
        let (own, other) = (of(&current.keyring), of(&brought));
        let chosen = match choice {
            Active::Newest => own.max(other),
            Active::Ours => own.or(other),
        };
        active.extend(chosen.map(|(_, id)| id));
    }
    let mut united = brought;
    united.extend(current.keyring.iter().map(|(id, key)| (id.clone(), key.clone())));
    for key in united.values_mut() {
        let wanted = active.contains(&key.id);
        if key.active != wanted {
            *key = Arc::new(StoredKey { active: wanted, ..StoredKey::clone(key) });
        }
    }
    Ok((united, Keys { active, ..keys }))
}

fn another(id: &str) -> Error {
    let message = format!("the key `{id}` of the archive is another key than this instance's");
    conflict("key_conflict", message, "restore into an instance without that key")
}

fn conflict(code: &'static str, message: String, hint: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "plan restore", message).with_code(code).with_hint(hint)
}
