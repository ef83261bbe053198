//! An archive → the state that was captured in it, before any rule of a restore.

use crate::domain::archive::Archive;
use crate::domain::archive::config_part::{BACKEND_SECRET, CONFIG_KEY_SECRET};
use crate::domain::archive::parts::{GroupEntry, SecretsPart, UserEntry};
use crate::domain::config::model::header_path;
use crate::domain::config::upstream::secret_path;
use crate::domain::iam::model::{AccessKey, AuthProvider, Group, Permission, User};
use crate::domain::names::BackendName;
use crate::domain::secret::Secret;
use crate::domain::state::{Meta, State, StoredKey};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The captured state. What an archive does not carry (restores, history, trusted signers, sessions) is empty.
pub fn state(archive: &Archive) -> State {
    with_users(archive, archive.iam.users.clone())
}

/// The same out of an archive that nobody asks for its users any more: there may be so many of them that they should be there once.
pub fn take(archive: &mut Archive) -> State {
    let users = std::mem::take(&mut archive.iam.users);
    with_users(archive, users)
}

fn with_users(archive: &Archive, users: Vec<UserEntry>) -> State {
    let (manifest, iam, secrets) = (&archive.manifest, &archive.iam, &archive.secrets);
    State {
        meta: Meta {
            instance_id: manifest.instance_id.clone(),
            epoch: manifest.epoch,
            generation: manifest.generation,
            password_set_at: manifest.bootstrap_password.set_at,
            password_logged: manifest.bootstrap_password.logged,
            ..Meta::default()
        },
        users: users.into_iter().map(|entry| (entry.id.clone(), Arc::new(user(entry, secrets)))).collect(),
        groups: iam.groups.iter().map(|entry| (entry.id.clone(), Arc::new(group(entry)))).collect(),
        providers: iam
            .auth_providers
            .iter()
            .map(|entry| (entry.id.clone(), Arc::new(provider(entry, secrets))))
            .collect(),
        mapping_rules: iam.mapping_rules.iter().map(|rule| (rule.id.clone(), Arc::new(rule.clone()))).collect(),
        identities: iam.external_identities.iter().map(|i| (i.id.clone(), Arc::new(i.clone()))).collect(),
        tokens: iam.tokens.iter().map(|token| (token.id.clone(), Arc::new(token.clone()))).collect(),
        revocations: iam
            .revocations
            .iter()
            .map(|r| ((r.kind.clone(), r.fingerprint.clone()), Arc::new(r.clone())))
            .collect(),
        buckets: archive.config.registry.iter().map(|(name, b)| (name.clone(), Arc::new(b.clone()))).collect(),
        backends: manifest.backends.iter().map(|backend| (backend.name.clone(), backend.id.clone())).collect(),
        secrets: stored_secrets(secrets),
        keyring: keyring(archive),
        trusted_signers: BTreeMap::new(),
        restores: BTreeMap::new(),
        config_history: BTreeMap::new(),
    }
}

/// The secret of an access key; `check::secrets` has seen that it is there.
fn user(entry: UserEntry, secrets: &SecretsPart) -> User {
    let secret = |id: &str| secrets.user_secrets.get(id).cloned().unwrap_or_default();
    let mut permissions = entry.permissions;
    Permission::trim(&mut permissions);
    User {
        id: entry.id,
        name: entry.name,
        enabled: entry.enabled,
        created_at: entry.created_at,
        auth_source: entry.auth_source,
        credential_version: entry.credential_version,
        permissions,
        group_ids: entry.group_ids.into_iter().collect(),
        keys: entry
            .keys
            .into_iter()
            .map(|key| AccessKey {
                secret: secret(&key.access_key_id),
                access_key_id: key.access_key_id,
                active: key.active,
                created_at: key.created_at,
                expires_at: key.expires_at,
            })
            .collect(),
    }
}

fn group(entry: &GroupEntry) -> Group {
    Group {
        id: entry.id.clone(),
        name: entry.name.clone(),
        description: entry.description.clone(),
        created_at: entry.created_at,
        permissions: entry.permissions.clone(),
    }
}

fn provider(entry: &AuthProvider, secrets: &SecretsPart) -> AuthProvider {
    AuthProvider { client_secret: secrets.oauth_client_secrets.get(&entry.name).cloned(), ..entry.clone() }
}

/// What was in the encrypted store. What `env:` and `file:` references gave is for `plan` to decide on.
fn stored_secrets(secrets: &SecretsPart) -> BTreeMap<String, Secret> {
    let named = |(name, value): (&String, &Secret)| Some((name.strip_prefix("stored:")?.to_owned(), value.clone()));
    let mut stored: BTreeMap<String, Secret> = secrets.resolved.iter().filter_map(named).collect();
    if let Some(secret) = &secrets.access.secret_access_key {
        stored.insert(CONFIG_KEY_SECRET.to_owned(), secret.clone());
    }
    for (name, fields) in &secrets.storage_backends {
        if let (Ok(name), Some(secret)) = (BackendName::new(name), fields.get(BACKEND_SECRET)) {
            stored.insert(secret_path(&name), secret.clone());
        }
    }
    for (name, value) in &secrets.event_delivery.webhook_headers {
        stored.insert(header_path(name), value.clone());
    }
    stored
}

/// The keys that the archive brings; those that it only names are for `plan` to look for.
fn keyring(archive: &Archive) -> BTreeMap<String, Arc<StoredKey>> {
    let entries = archive.manifest.encryption_keys.iter().filter(|entry| entry.included);
    let stored = entries.filter_map(|entry| {
        let key = archive.secrets.encryption_keys.get(&entry.id)?.clone();
        let stored = StoredKey {
            id: entry.id.clone(),
            purpose: entry.purpose,
            key,
            created_at: entry.created_at,
            active: entry.active,
        };
        Some((entry.id.clone(), Arc::new(stored)))
    });
    stored.collect()
}
