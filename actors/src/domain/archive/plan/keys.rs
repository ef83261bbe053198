//! Rule 4, the keyring: keys only accumulate, whatever is restored, merged or undone.

use crate::domain::archive::Archive;
use crate::domain::archive::plan::Keys;
use crate::domain::state::{KeyPurpose, State, StoredKey};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which keys new objects use after keyrings were united.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Active {
    /// The newest of both: a generation newer than the archive's active one stays active.
    Newest,
    /// Those of this instance: what comes is for reading.
    Ours,
}

/// Refuses an archive whose keys contradict this instance's, or that names a key which nobody has.
pub(super) fn check(current: &State, archive: &Archive) -> Result<()> {
    for entry in &archive.manifest.encryption_keys {
        match current.keyring.get(&entry.id) {
            Some(own) if own.fingerprint() != entry.fingerprint => return Err(another(&entry.id)),
            None if !entry.included => {
                let message = format!("the key `{}` is neither in the archive nor on this instance", entry.id);
                return Err(conflict("missing_keys", message, "restore an archive that has the key first"));
            }
            _ => {}
        }
    }
    Ok(())
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
