//! `storage.buckets`: what the file pins of each bucket, and in an archive what the registry says of it.

mod write;

pub(super) use self::write::{pinned, registered as registered_node};

use super::build::Values;
use super::check::{Checker, Form, Found, Part, Typed};
use super::model::BucketPin;
use super::problem::Complaint;
use super::storage::{Backends, known_backend, text};
use crate::domain::bucket::settings::{Pinned, Settings, sorted_prefixes};
use crate::domain::names::{BackendName, BucketName};
use crate::domain::state::Bucket;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Builds the pins; buckets that an archive says are the registry's come beside them.
pub(super) fn read(
    values: &mut Values<'_>,
    checker: &mut Checker<'_>,
    backends: &Backends,
) -> (BTreeMap<BucketName, BucketPin>, Vec<Bucket>) {
    let (mut pins, mut registry) = (BTreeMap::new(), Vec::new());
    let mut places: BTreeMap<(BackendName, String), String> = BTreeMap::new();
    for part in values.parts("storage.buckets") {
        let Ok(name) = BucketName::new(&part.name) else { continue };
        let mut pin = BucketPin::default();
        if let Some(found) = noted(values, part, "backend") {
            pin.backend = known_backend(checker, &format!("{}.backend", part.shown), found, backends);
        }
        if let Some(found) = noted(values, part, "alias") {
            pin.alias = text(found).and_then(|alias| BucketName::new(alias).ok());
        }
        pin.public_prefixes = public_prefixes(values, checker, part);
        pin.settings = Pinned {
            tags: noted(values, part, "tags").and_then(value),
            cors: noted(values, part, "cors").and_then(value),
            lifecycle: noted(values, part, "lifecycle").and_then(value),
            quota_bytes: noted(values, part, "quota_bytes").and_then(count),
            read_only: noted(values, part, "read_only").and_then(flag),
        };
        if let Some(backend) = &pin.backend {
            let real = pin.alias.as_ref().unwrap_or(&name).to_string();
            if let Some(other) = places.insert((backend.clone(), real.clone()), part.shown.clone()) {
                let complaint = Complaint::new(format!("`{other}` is `{real}` on the backend `{backend}`, too"));
                checker.problem(&part.shown, &part.origin, complaint.suggest("give one of them another `alias`"));
            }
        }
        if checker.form == Form::Archive {
            registry.extend(registered(checker, part, &name));
            if found(part, "origin").and_then(text) == Some("registry") {
                continue;
            }
        }
        pins.insert(name, pin);
    }
    (pins, registry)
}

fn found<'p>(part: &'p Part, key: &str) -> Option<&'p Found> {
    part.section.values.get(format!("storage.buckets.*.{key}").as_str())
}

/// The value, its origin noted under its canonical path.
fn noted<'p>(values: &mut Values<'_>, part: &'p Part, key: &str) -> Option<&'p Found> {
    let found = found(part, key)?;
    values.note(format!("{}.{key}", part.shown), found);
    Some(found)
}

/// What anybody may read: a list, or one word for all or nothing of the bucket.
fn public_prefixes(values: &mut Values<'_>, checker: &mut Checker<'_>, part: &Part) -> Option<Vec<String>> {
    let (list, all) = (noted(values, part, "public_prefixes"), noted(values, part, "public"));
    match (list.map(|found| &found.typed), all.map(|found| (found, &found.typed))) {
        (Some(_), Some((found, _))) => {
            let complaint = Complaint::new("`public_prefixes` is here, too; a bucket has one of them");
            checker.problem(&format!("{}.public", part.shown), &found.origin, complaint.suggest("remove one"));
            None
        }
        (Some(Typed::Texts(prefixes)), None) => Some(sorted_prefixes(prefixes)),
        (None, Some((_, Typed::Flag(true)))) => Some(vec![String::new()]),
        (None, Some((_, Typed::Flag(false)))) => Some(Vec::new()),
        _ => None,
    }
}

/// The registry's part of an archive's entry: the entry itself, or what stands under `registered` where the config pins it.
fn registered(checker: &mut Checker<'_>, part: &Part, name: &BucketName) -> Option<Bucket> {
    let word = |key: &str| found(part, key).and_then(text);
    let prefix = match word("origin") {
        Some("registry") => "",
        _ if word("registered.backend").is_some() => "registered.",
        _ => return None,
    };
    let at = |key: &str| found(part, &format!("{prefix}{key}"));
    let get = |key: &str| at(key).and_then(text);
    let public_prefixes = match at("public_prefixes").map(|found| &found.typed) {
        Some(Typed::Texts(prefixes)) => sorted_prefixes(prefixes),
        _ => Vec::new(),
    };
    let created_at = get("created_at").and_then(|text| serde_json::from_value(serde_json::Value::from(text)).ok());
    let backend = get("backend").and_then(|text| BackendName::new(text).ok());
    let (Some(backend), Some(owner), Some(created_at)) = (backend, get("owner"), created_at) else {
        let complaint = Complaint::new("an entry of the registry needs `backend`, `owner` and `created_at`");
        checker.problem(&part.shown, &part.origin, complaint);
        return None;
    };
    let settings = Settings {
        tags: at("tags").and_then(value).unwrap_or_default(),
        cors: at("cors").and_then(value).unwrap_or_default(),
        lifecycle: at("lifecycle").and_then(value).unwrap_or_default(),
        quota_bytes: at("quota_bytes").and_then(count),
        read_only: at("read_only").and_then(flag).unwrap_or_default(),
    };
    let alias = get("alias").and_then(|text| BucketName::new(text).ok());
    Some(Bucket { name: name.clone(), backend, alias, owner: owner.to_owned(), created_at, public_prefixes, settings })
}

/// What the shape of the key has let through.
fn value<T: DeserializeOwned>(found: &Found) -> Option<T> {
    match &found.typed {
        Typed::Json(json) => serde_json::from_value(json.clone()).ok(),
        _ => None,
    }
}

fn count(found: &Found) -> Option<u64> {
    match found.typed {
        Typed::Count(number) => Some(number),
        _ => None,
    }
}

fn flag(found: &Found) -> Option<bool> {
    match found.typed {
        Typed::Flag(flag) => Some(flag),
        _ => None,
    }
}
