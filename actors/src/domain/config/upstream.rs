//! The keys of a backend that is an S3 account elsewhere: checked together, and secrets by their canonical paths.

use super::build::Values;
use super::check::{Checker, Form, Found, Typed};
use super::model::{S3Account, SecretRef};
use super::problem::Complaint;
use super::tree::Origin;
use crate::domain::names::BackendName;

/// The keys that only such a backend has.
pub(super) const KEYS: [&str; 5] = ["endpoint", "region", "force_path_style", "access_key_id", "secret_access_key"];
const SECRET: &str = "secret_access_key";

/// The canonical path of a backend's secret half, which is also its name among the stored secrets.
pub fn secret_path(backend: &BackendName) -> String {
    format!("storage.backends.{backend}.{SECRET}")
}

/// Where a backend is written, and what stands there.
pub(super) struct Place<'p, 'v> {
    /// How problems name it.
    pub(super) shown: &'p str,
    /// Where it stands.
    pub(super) origin: Option<&'p Origin>,
    /// Its name, where it has one.
    pub(super) backend: Option<&'p BackendName>,
    /// Its values by key.
    pub(super) get: &'p dyn Fn(&str) -> Option<&'v Found>,
}

/// Reads the account; what is wrong with it is a problem, and what can be read comes back all the same.
pub(super) fn account(values: &mut Values<'_>, checker: &mut Checker<'_>, place: &Place<'_, '_>) -> S3Account {
    if let Some(found) = (place.get)("path") {
        let complaint = Complaint::new("a backend of the type `s3` has no directory").suggest("remove the key");
        checker.problem(&format!("{}.path", place.shown), &found.origin, complaint);
    }
    if let Some(found) = (place.get)("force_path_style").filter(|found| matches!(found.typed, Typed::Flag(false))) {
        let complaint = Complaint::new("buckets are named in the path: host names of their own are not asked for")
            .suggest("remove the key");
        checker.problem(&format!("{}.force_path_style", place.shown), &found.origin, complaint);
    }
    // An archive keeps a literal secret in its keystore, beside the config.
    let needed = if checker.form == Form::File { &["access_key_id", SECRET][..] } else { &["access_key_id"] };
    for key in needed.iter().filter(|key| (place.get)(key).is_none()) {
        super::storage::missing(checker, place.shown, key, place.origin);
    }
    if let Some(backend) = place.backend {
        for key in KEYS {
            if let Some(found) = (place.get)(key) {
                values.note(format!("storage.backends.{backend}.{key}"), found);
            }
        }
    }
    let text = |key: &str| match &(place.get)(key)?.typed {
        Typed::Text(text) => Some(text.clone()),
        _ => None,
    };
    S3Account {
        endpoint: text("endpoint").map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
        region: text("region").unwrap_or_else(|| S3Account::DEFAULT_REGION.to_owned()),
        access_key_id: text("access_key_id").unwrap_or_default(),
        secret_access_key: secret((place.get)(SECRET)),
    }
}

/// Complains about keys of an account in a backend that is none.
pub(super) fn refuse_keys(checker: &mut Checker<'_>, place: &Place<'_, '_>) {
    for key in KEYS {
        if let Some(found) = (place.get)(key) {
            let complaint = Complaint::new("only a backend of the type `s3` has this key").suggest("set `type: s3`");
            checker.problem(&format!("{}.{key}", place.shown), &found.origin, complaint);
        }
    }
}

fn secret(found: Option<&Found>) -> Option<SecretRef> {
    match &found?.typed {
        Typed::Secret(secret) => Some(secret.clone()),
        _ => None,
    }
}
