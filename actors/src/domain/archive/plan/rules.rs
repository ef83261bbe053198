//! The rules of a restore that touch stored data, one function each; the numbers are those of `backup.md` §4.

use crate::domain::archive::Archive;
use crate::domain::archive::plan::{Current, Host, Keys, Revive};
use crate::domain::clock::Timestamp;
use crate::domain::config::model::{Authentication, Config, SecretRef};
use crate::domain::config::table;
use crate::domain::config::tree::Node;
use crate::domain::iam::model::{ApiToken, Revocation, User};
use crate::domain::names::BucketName;
use crate::domain::secret::Secret;
use crate::domain::state::{KeyPurpose, State, StoredKey};
use crate::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How far the clock of an exporting host may be ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(900);

/// Rule 4: keys only accumulate, and a generation newer than the archive's active one stays active.
pub(super) fn keyring(current: &State, archive: &Archive, next: &mut State) -> Result<Keys> {
    for entry in &archive.manifest.encryption_keys {
        match current.keyring.get(&entry.id) {
            Some(own) if own.fingerprint() != entry.fingerprint => {
                let message = format!("the key `{}` of the archive is another key than this instance's", entry.id);
                return Err(conflict("key_conflict", message, "restore into an instance without that key"));
            }
            None if !entry.included => {
                let message = format!("the key `{}` is neither in the archive nor on this instance", entry.id);
                return Err(conflict("missing_keys", message, "restore an archive that has the key first"));
            }
            _ => {}
        }
    }
    let keys = Keys {
        added: next.keyring.keys().filter(|id| !current.keyring.contains_key(*id)).cloned().collect(),
        kept: current.keyring.keys().filter(|id| !next.keyring.contains_key(*id)).cloned().collect(),
        active: Vec::new(),
    };
    let mut active: Vec<Arc<StoredKey>> = Vec::new();
    for purpose in [KeyPurpose::MetadataMac, KeyPurpose::ObjectData] {
        let both = next.keyring.values().chain(current.keyring.values());
        let candidates = both.filter(|key| key.purpose == purpose && key.active);
        active.extend(candidates.max_by_key(|key| (key.created_at, key.id.clone())).cloned());
    }
    for (id, key) in &current.keyring {
        next.keyring.insert(id.clone(), key.clone());
    }
    for key in next.keyring.values_mut() {
        let wanted = active.iter().any(|one| one.id == key.id);
        if key.active != wanted {
            *key = Arc::new(StoredKey { active: wanted, ..StoredKey::clone(key) });
        }
    }
    Ok(Keys { active: active.iter().map(|key| key.id.clone()).collect(), ..keys })
}

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

fn own_value(host: &Host<'_>, reference: &str) -> Option<Secret> {
    match reference.strip_prefix("env:") {
        Some(name) => host.environment.get(name).map(|value| Secret::new(value.clone())),
        None => host.files.get(reference).cloned(),
    }
}

/// Rule 6: what was revoked after the capture comes back disabled; the knowledge itself is united.
pub(super) fn revocations(
    current: &State,
    captured_at: Timestamp,
    revive: &Revive,
    next: &mut State,
    warnings: &mut Vec<String>,
) {
    for (key, revocation) in &current.revocations {
        let known = next.revocations.get(key).is_some_and(|other| other.revoked_at >= revocation.revoked_at);
        if !known {
            next.revocations.insert(key.clone(), revocation.clone());
        }
        if revocation.revoked_at <= captured_at {
            continue;
        }
        let Some(hit) = Hit::find(next, revocation) else { continue };
        if revive.includes(&hit.id) {
            next.revocations.remove(key);
            warnings.push(format!("{} was revoked after the capture and comes back as it was (`revive`)", hit.shown));
            continue;
        }
        hit.disable(next, revocation.revoked_at);
        warnings.push(format!(
            "{} was revoked on {}, after the capture: it comes back disabled (`revive={}` brings it back as it was)",
            hit.shown,
            revocation.revoked_at.rfc3339(),
            hit.id
        ));
    }
}

/// When the archive was captured, as far as it can be believed: a capture in the future would make every revocation look older
/// than it, so it counts as older than all of them.
pub(super) fn captured_at(claimed: Timestamp, now: Timestamp, warnings: &mut Vec<String>) -> Timestamp {
    if claimed <= now.after(CLOCK_SKEW) {
        return claimed;
    }
    warnings.push(format!(
        "the archive says that it was captured at {}, which lies in the future: everything that was ever revoked here stays revoked",
        claimed.rfc3339()
    ));
    Timestamp::default()
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

/// What a revocation means in the captured state.
struct Hit {
    /// What `revive` names.
    id: String,
    shown: String,
    place: Place,
}

enum Place {
    User(String),
    Key { user: String, access_key_id: String },
    Token(String),
    Identity(String),
}

impl Hit {
    fn find(state: &State, revocation: &Revocation) -> Option<Self> {
        let id = revocation.fingerprint.clone();
        match revocation.kind.as_str() {
            "user" => {
                let user = state.users.get(&id).filter(|user| user.enabled)?;
                Some(Self { shown: format!("user `{}` ({id})", user.name), place: Place::User(id.clone()), id })
            }
            "access_key" => state.users.values().find_map(|user| {
                let key = user
                    .keys
                    .iter()
                    .find(|key| key.active && (key.access_key_id == id || fingerprint(&key.secret) == id))?;
                let place = Place::Key { user: user.id.clone(), access_key_id: key.access_key_id.clone() };
                let shown = format!("access key {} of `{}`", key.access_key_id, user.name);
                Some(Self { id: key.access_key_id.clone(), shown, place })
            }),
            "token" => {
                let token = state.tokens.get(&id)?;
                Some(Self { shown: format!("token `{}` ({id})", token.name), place: Place::Token(id.clone()), id })
            }
            "identity" => {
                state.identities.get(&id)?;
                Some(Self { shown: format!("external identity {id}"), place: Place::Identity(id.clone()), id })
            }
            _ => None,
        }
    }

    fn disable(&self, state: &mut State, revoked_at: Timestamp) {
        match &self.place {
            Place::User(id) => edit_user(state, id, |user| user.enabled = false),
            Place::Key { user, access_key_id } => edit_user(state, user, |user| {
                for key in user.keys.iter_mut().filter(|key| key.access_key_id == *access_key_id) {
                    key.active = false;
                }
            }),
            // A token has no switch: it ends when it was revoked.
            Place::Token(id) => {
                if let Some(token) = state.tokens.get_mut(id) {
                    let end = token.expires_at.map_or(revoked_at, |end| end.min(revoked_at));
                    *token = Arc::new(ApiToken { expires_at: Some(end), ..ApiToken::clone(token) });
                }
            }
            // An identity is a bond without a switch either: undone stays undone.
            Place::Identity(id) => {
                state.identities.remove(id);
            }
        }
    }
}

fn edit_user(state: &mut State, id: &str, edit: impl FnOnce(&mut User)) {
    if let Some(user) = state.users.get_mut(id) {
        edit(Arc::make_mut(user));
    }
}

fn fingerprint(secret: &Secret) -> String {
    hex::encode(Sha256::digest(secret.expose().as_bytes()))
}

/// Rule 5: authentication never switches off.
pub(super) fn authentication(current: &Config, next: &mut Config, warnings: &mut Vec<String>) {
    if current.access.authentication == Authentication::Required && next.access.authentication == Authentication::None {
        next.access.authentication = Authentication::Required;
        warnings.push(
            "the archive has `access.authentication: none`; a restore does not switch authentication off, \
             change the setting afterwards if that is meant"
                .to_owned(),
        );
    }
}

/// Rule 12: host settings stay with the host, as its own file has them; the environment is laid over them at start.
pub(super) fn host_settings(own: &Node, set: &[(String, String)], next: &mut Node) {
    for path in table::host_settings().filter(|path| set.iter().all(|(name, _)| name != path)) {
        let parts: Vec<&str> = path.split('.').collect();
        let Some((name, section)) = parts.split_last() else { continue };
        match own.find(&parts) {
            Some(node) => {
                next.set(&parts, node.clone());
            }
            None => {
                if let Some(mut parent) = next.find(section).cloned() {
                    parent.remove(name);
                    next.set(section, parent);
                }
            }
        }
    }
}

/// Rule 15: buckets that hold data stay, and so does the backend that they are on.
pub(super) fn buckets(
    current: Current<'_>,
    with_data: &BTreeSet<BucketName>,
    next: &mut State,
    next_config: &mut Config,
    warnings: &mut Vec<String>,
) -> Vec<BucketName> {
    let mut kept = Vec::new();
    for (name, bucket) in current.state.buckets.iter().filter(|(name, _)| with_data.contains(*name)) {
        if let Some(captured) = next.buckets.get(name) {
            if (&captured.backend, &captured.alias) != (&bucket.backend, &bucket.alias) {
                warnings.push(format!(
                    "bucket `{name}` goes back to the backend `{}`; its objects on `{}` stay where they are",
                    captured.backend, bucket.backend
                ));
            }
            continue;
        }
        if !next_config.storage.backends.contains_key(&bucket.backend) {
            let Some(backend) = current.config.config.storage.backends.get(&bucket.backend) else { continue };
            next_config.storage.backends.insert(bucket.backend.clone(), backend.clone());
            if let Some(id) = current.state.backends.get(&bucket.backend) {
                next.backends.insert(bucket.backend.clone(), id.clone());
            }
            warnings.push(format!("the backend `{}` stays: the bucket `{name}` holds objects on it", bucket.backend));
        }
        warnings.push(format!(
            "bucket `{name}` is not in the archive and holds objects: it stays (`prune_buckets=true` drops it)"
        ));
        next.buckets.insert(name.clone(), bucket.clone());
        kept.push(name.clone());
    }
    kept
}

/// Rule 8: a credential version never goes back, so that no session of an older one comes to life.
pub(super) fn credential_versions(current: &State, next: &mut State) {
    for (id, user) in &mut next.users {
        let own = current.users.get(id).map_or(0, |own| own.credential_version);
        if own > user.credential_version {
            Arc::make_mut(user).credential_version = own;
        }
    }
}

fn conflict(code: &'static str, message: String, hint: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "plan restore", message).with_code(code).with_hint(hint)
}
