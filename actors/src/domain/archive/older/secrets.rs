//! `secrets.json` of version 1, and where its secrets are kept in version 2.

use super::report::{Report, is_redacted};
use crate::Error;
use crate::domain::archive::decode::decode;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::json::{Node, Value};
use crate::domain::archive::parts::SecretsPart;
use crate::domain::config::rule::decode_hash;
use crate::domain::secret::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Field → value; a field that was not set is `null`.
type Fields = BTreeMap<String, Option<Secret>>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct OlderSecrets {
    bootstrap_password_hash: Option<Secret>,
    /// The config key pair.
    pub(super) access: Fields,
    /// Of the one backend of older configs.
    storage: Fields,
    /// Of each backend.
    storage_backends: BTreeMap<String, Fields>,
    /// Provider name → client secret.
    pub(super) oauth_client_secrets: BTreeMap<String, Secret>,
    event_delivery: OlderEvents,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OlderEvents {
    slack_bot_token: Option<Secret>,
    webhook_headers: Fields,
}

const KNOWN: [&str; 6] =
    ["bootstrap_password_hash", "access", "storage", "storage_backends", "oauth_client_secrets", "event_delivery"];

/// Reads the part.
pub(super) fn read(tree: &Node, report: &mut Report) -> Result<OlderSecrets, Error> {
    let secrets = decode(tree).map_err(|e| ArchiveFault::SecretsShape.error(format!("secrets.json, {e}")))?;
    if let Value::Map(members) = &tree.value {
        for (name, _) in members.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
            let place = format!("secrets.json, {name}");
            report.gap("unknown_field", place, "this version does not know it: left out", None);
        }
    }
    Ok(secrets)
}

/// The value of a field, where there is one.
pub(super) fn known(fields: &Fields, name: &str) -> Option<Secret> {
    fields.get(name).cloned().flatten().filter(|secret| !secret.is_empty() && !is_redacted(secret.expose()))
}

/// Puts what is left where version 2 has it: the hash in its field, what nothing uses yet into the encrypted store, under the path
/// of its key in the config, so that `{stored: …}` finds it there.
pub(super) fn place(older: OlderSecrets, secrets: &mut SecretsPart, report: &mut Report) {
    let hash = older.bootstrap_password_hash.filter(|hash| !is_redacted(hash.expose()));
    secrets.bootstrap_password_hash = hash.and_then(|hash| decode_hash(hash.expose()).ok()).map(Secret::new);
    if secrets.bootstrap_password_hash.is_none() {
        report.gap(
            "secret_missing",
            "secrets.json, bootstrap_password_hash",
            "there is no hash that can be read: the bootstrap password of this host stays",
            Some("PUT /_/api/admin/password".to_owned()),
        );
    }
    let mut kept = Vec::new();
    let mut keep = |prefix: &str, fields: &Fields| {
        kept.extend(fields.keys().filter_map(|name| Some((format!("{prefix}.{name}"), known(fields, name)?))));
    };
    keep("storage.backend", &older.storage);
    for (backend, fields) in &older.storage_backends {
        keep(&format!("storage.backends.{backend}"), fields);
    }
    let token = Fields::from([("slack_bot_token".to_owned(), older.event_delivery.slack_bot_token)]);
    keep("advanced.event_delivery", &token);
    keep("advanced.event_delivery.webhook_headers", &older.event_delivery.webhook_headers);
    for (name, secret) in kept {
        report.gap(
            "secret_kept",
            format!("secrets.json: {name}"),
            format!("nothing of this version uses it: it is kept in the encrypted store as `stored:{name}`"),
            None,
        );
        secrets.resolved.insert(format!("stored:{name}"), secret);
    }
}
