//! One published view → one signed archive.

use crate::Result;
use crate::domain::archive::check;
use crate::domain::archive::config_part::ConfigPart;
use crate::domain::archive::manifest::{
    AuditCheckpoint, BackendEntry, BootstrapPassword, ENTRIES, FileEntry, KeyEntry, Manifest, SCHEMA, Schema, VERSION,
};
use crate::domain::archive::parts::{IamPart, SecretsPart};
use crate::domain::clock::Timestamp;
use crate::domain::config::load::Loaded;
use crate::domain::config::model::{ArchiveLimits, SecretRef};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::zipper::{sign, verify, write};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What an export is made of: all of it from one view.
#[derive(Clone, Debug)]
pub struct ExportInput<'a> {
    /// The effective config.
    pub config: &'a Loaded,
    /// The state.
    pub state: &'a State,
    /// This instance.
    pub instance_id: &'a str,
    /// The version of this server.
    pub server_version: &'a str,
    /// When the view was taken.
    pub captured_at: Timestamp,
    /// `signing_key` of `.deltaglider_instance`.
    pub signing_seed: &'a [u8; 32],
    /// The bootstrap hash in force.
    pub bootstrap_hash: Option<&'a Secret>,
    /// What each `env:NAME` and `file:PATH` reference in use gives, secret or not.
    pub resolved: &'a BTreeMap<String, Secret>,
    /// What import accepts, and so what export may make.
    pub limits: &'a ArchiveLimits,
    /// Where the audit log stands.
    pub audit: Option<AuditCheckpoint>,
}

/// A finished archive.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The zip; its length is the exact Content-Length.
    pub bytes: Vec<u8>,
    /// SHA-256 of it in lower-case hex.
    pub sha256: String,
    /// `dgp-backup-v<version>-<UTC stamp>.zip`.
    pub filename: String,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// Makes the archive, and reads it back: what could not be imported is an error here.
pub fn export(input: &ExportInput<'_>) -> Result<Exported> {
    let iam = IamPart::from_state(input.state);
    let config = ConfigPart::to_bytes(input.config, input.state.buckets.values().map(|bucket| &**bucket));
    let parts = [config, iam.to_bytes()?, secrets(input).to_bytes()?];
    let mut manifest = Manifest {
        version: VERSION,
        captured_at: input.captured_at,
        server_version: input.server_version.to_owned(),
        instance_id: input.instance_id.to_owned(),
        epoch: input.state.meta.epoch,
        generation: input.state.meta.generation,
        schema: Schema { config: SCHEMA, iam: SCHEMA, secrets: SCHEMA },
        files: ENTRIES[1..].iter().zip(&parts).map(|(name, bytes)| listed(name, bytes)).collect(),
        encryption_keys: keys(input.state),
        backends: backends(input.state),
        counts: check::count(&iam, input.state.buckets.len()),
        bootstrap_password: BootstrapPassword {
            set_at: input.state.meta.password_set_at,
            logged: input.state.meta.password_logged,
        },
        audit: input.audit.clone(),
        signature: None,
    };
    manifest.signature = Some(sign::sign(input.signing_seed, &manifest.signed_bytes()?)?);
    let head = manifest.to_bytes()?;
    let bytes = write::pack([&head, &parts[0], &parts[1], &parts[2]])?;
    verify::verify(&bytes, input.limits)?;
    Ok(Exported {
        sha256: hex::encode(Sha256::digest(&bytes)),
        filename: format!("dgp-backup-v{}-{}.zip", input.server_version, input.captured_at.compact()),
        bytes,
        manifest,
    })
}

fn listed(name: &str, bytes: &[u8]) -> FileEntry {
    FileEntry { name: name.to_owned(), bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
}

fn secrets(input: &ExportInput<'_>) -> SecretsPart {
    let mut secrets = SecretsPart::from_state(input.state);
    secrets.bootstrap_password_hash = input.bootstrap_hash.cloned();
    let access = &input.config.config.access;
    if let Some(SecretRef::Literal(secret)) = &access.secret_access_key {
        secrets.access.access_key_id = access.access_key_id.as_deref().map(Secret::new);
        secrets.access.secret_access_key = Some(secret.clone());
    }
    let headers = input.config.config.advanced.audit.webhook.iter().flat_map(|webhook| &webhook.headers);
    for (name, value) in headers {
        if let Some(SecretRef::Literal(secret)) = value {
            secrets.event_delivery.webhook_headers.insert(name.clone(), secret.clone());
        }
    }
    // What resolves now wins over what an earlier restore left behind for the same reference.
    secrets.resolved.extend(input.resolved.clone());
    secrets
}

fn keys(state: &State) -> Vec<KeyEntry> {
    let entry = |key: &crate::domain::state::StoredKey| KeyEntry {
        id: key.id.clone(),
        fingerprint: key.fingerprint(),
        included: true,
        purpose: key.purpose,
        created_at: key.created_at,
        active: key.active,
    };
    state.keyring.values().map(|key| entry(key)).collect()
}

fn backends(state: &State) -> Vec<BackendEntry> {
    state.backends.iter().map(|(name, id)| BackendEntry { name: name.clone(), id: id.clone() }).collect()
}
