//! `config.yaml`: the effective config as canonical YAML, secrets left out, the bucket registry complete, each entry with its origin.

use crate::Error;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::parts::SecretsPart;
use crate::domain::config::check::Form;
use crate::domain::config::load::{Loaded, Source, load_from};
use crate::domain::config::model::{BackendKind, SecretRef, header_path};
use crate::domain::config::problem::Problems;
use crate::domain::config::scalar::Environment;
use crate::domain::config::upstream::secret_path;
use crate::domain::config::{canonical, emit, reader};
use crate::domain::names::BucketName;
use crate::domain::state::Bucket;
use std::collections::BTreeMap;

/// What stands above the document.
const HEADER: &str = "\
# The effective configuration at the moment of the backup; secrets are in secrets.json.
# Under storage.buckets, `origin` says whether an entry is the registry's or the config file's.
";

/// The name among the stored secrets of a secret half that the config file wrote out.
pub const CONFIG_KEY_SECRET: &str = "access.secret_access_key";
/// The field of a backend's secret half in `storage_backends` of the keystore.
pub const BACKEND_SECRET: &str = "secret_access_key";

/// `config.yaml`.
#[derive(Clone, Debug)]
pub struct ConfigPart {
    text: String,
    /// The config as captured, its secrets being references.
    pub loaded: Loaded,
    /// The bucket registry.
    pub registry: BTreeMap<BucketName, Bucket>,
}

impl ConfigPart {
    /// The bytes of the entry: the same for the same config and registry.
    pub fn to_bytes<'a>(loaded: &Loaded, registry: impl IntoIterator<Item = &'a Bucket>) -> Vec<u8> {
        format!("{HEADER}{}", emit::emit(&canonical::archive_tree(loaded, registry))).into_bytes()
    }

    /// Reads the entry; `${env:NAME}` is what `secrets.json` says that it was.
    pub fn parse(bytes: &[u8], secrets: &SecretsPart) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| ArchiveFault::NotUtf8.error(format!("config.yaml, byte {}", e.valid_up_to())))?;
        reader::read(text).map_err(|problems| syntax(&problems))?;
        let loaded = load(text, &variables(secrets), &[], secrets).map_err(|problems| shape(&problems))?;
        let registry = loaded.registry.iter().map(|bucket| (bucket.name.clone(), bucket.clone())).collect();
        Ok(Self { text: text.to_owned(), loaded, registry })
    }

    /// The config as captured, under what this host's variables say, with values put over it (`?set=`).
    pub fn reload(
        &self,
        secrets: &SecretsPart,
        environment: &Environment,
        set: &[(String, String)],
    ) -> Result<Loaded, Problems> {
        let mut variables = variables(secrets);
        variables.extend(environment.clone());
        load(&self.text, &variables, set, secrets)
    }
}

fn load(
    text: &str,
    environment: &Environment,
    set: &[(String, String)],
    secrets: &SecretsPart,
) -> Result<Loaded, Problems> {
    let mut loaded = load_from(&Source { text, environment, set, form: Form::Archive })?;
    let access = &mut loaded.config.access;
    // A secret half that was written out comes back as a reference into the encrypted store. (A pinned bootstrap hash that
    // was written out does not: the hash file takes it, because nothing in the store can open the store.)
    if access.secret_access_key.is_none()
        && access.access_key_id.is_some()
        && secrets.access.secret_access_key.is_some()
    {
        access.secret_access_key = Some(SecretRef::Stored(CONFIG_KEY_SECRET.to_owned()));
    }
    for (name, backend) in &mut loaded.config.storage.backends {
        if let BackendKind::S3(account) = &mut backend.kind
            && account.secret_access_key.is_none()
            && secrets.storage_backends.get(name.as_str()).is_some_and(|kept| kept.contains_key(BACKEND_SECRET))
        {
            account.secret_access_key = Some(SecretRef::Stored(secret_path(name)));
        }
    }
    if let Some(webhook) = &mut loaded.config.advanced.audit.webhook {
        for (name, value) in &mut webhook.headers {
            if value.is_none() && secrets.event_delivery.webhook_headers.contains_key(name) {
                *value = Some(SecretRef::Stored(header_path(name)));
            }
        }
    }
    Ok(loaded)
}

/// The variables that the archive carries.
fn variables(secrets: &SecretsPart) -> Environment {
    let named = secrets.resolved.iter().filter_map(|(name, value)| Some((name.strip_prefix("env:")?, value)));
    named.map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
}

fn syntax(problems: &Problems) -> Error {
    let twice = problems.0.iter().any(|problem| problem.message.contains("twice"));
    let fault = if twice { ArchiveFault::ConfigDuplicateKey } else { ArchiveFault::ConfigSyntax };
    fault.error(format!("config.yaml, {problems}"))
}

fn shape(problems: &Problems) -> Error {
    let dangling = problems.0.iter().any(|problem| problem.message.contains("there is no backend"));
    let fault = if dangling { ArchiveFault::DanglingBackend } else { ArchiveFault::ConfigShape };
    fault.error(format!("config.yaml, {problems}"))
}
