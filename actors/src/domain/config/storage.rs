//! The `storage` section: its three forms become one, and names that point at nothing are problems.

use super::buckets;
use super::build::Values;
use super::check::{Checker, Found, Part, Typed};
use super::encryption::{self, Encryption};
use super::model::{Backend, BackendKind, Storage, WrittenPath};
use super::problem::Complaint;
use super::tree::Origin;
use super::upstream::{self, Place};
use crate::domain::names::BackendName;
use crate::domain::state::Bucket;
use std::collections::BTreeMap;

/// The name of the one backend of the forms `filesystem` and `backend`.
pub const DEFAULT_BACKEND: &str = "default";

/// Builds `storage`; buckets that an archive says are the registry's come beside it.
pub(super) fn storage(
    values: &mut Values<'_>,
    checker: &mut Checker<'_>,
    warnings: &mut Vec<String>,
) -> Option<(Storage, Vec<Bucket>)> {
    let backends = backends(values, checker);
    let (first, backends) = backends?;
    let default_backend = default_backend(values, checker, &first, &backends)?;
    let (buckets, registry) = buckets::read(values, checker, &backends);
    for (name, _) in buckets.iter().filter(|(_, pin)| pin.is_all_public()) {
        warnings
            .push(format!("storage.buckets.{name}: anybody who reaches the port may read and list the whole bucket"));
    }
    Some((Storage { backends, default_backend, buckets }, registry))
}

pub(super) type Backends = BTreeMap<BackendName, Backend>;

/// The backends, and the one that stands first.
fn backends(values: &mut Values<'_>, checker: &mut Checker<'_>) -> Option<(BackendName, Backends)> {
    let section = values.section();
    let short = values.found("storage.filesystem");
    let of_single = |key: &str| section.values.get(format!("storage.backend.{key}").as_str());
    let single = ["type", "path"].into_iter().chain(upstream::KEYS).find_map(of_single);
    let parts = values.parts("storage.backends");
    let forms = [
        short.map(|found| ("storage.filesystem", found.origin.clone())),
        single.map(|found| ("storage.backend", found.origin.clone())),
        parts.first().map(|part| ("storage.backends", part.origin.clone())),
    ];
    let used: Vec<&(&str, Origin)> = forms.iter().flatten().collect();
    if let [(one, _), (other, origin), ..] = used.as_slice() {
        let complaint = Complaint::new(format!("`{one}` is here, too; a file uses one form"));
        checker.problem(other, origin, complaint.suggest("list them all under `storage.backends`"));
        return None;
    }
    if parts.is_empty() && values.is_listed("storage.backends") {
        let complaint = Complaint::new("the list names no backend").suggest("remove the key or list one");
        checker.problem("storage.backends", &Origin::Default, complaint);
        return None;
    }
    if !parts.is_empty() {
        return listed(values, checker, parts);
    }
    let name = BackendName::new(DEFAULT_BACKEND).ok()?;
    let place = Place {
        shown: "storage.backend",
        origin: single.map(|found| &found.origin),
        backend: Some(&name),
        get: &of_single,
    };
    // The short variables of the environment name an account and no type.
    let is_account = match of_single("type").and_then(text) {
        Some(kind) => kind == "s3",
        None => of_single("path").is_none() && single.is_some(),
    };
    if is_account {
        let kind = BackendKind::S3(upstream::account(values, checker, &place));
        return Some((
            name.clone(),
            Backends::from([(name, Backend { kind, read_only: false, encryption: Encryption::default() })]),
        ));
    }
    upstream::refuse_keys(checker, &place);
    let path = if single.is_some() {
        if values.found("storage.backend.type").is_none() {
            missing(checker, "storage.backend", "type", single.map(|found| &found.origin));
        }
        let Some(found) = values.found("storage.backend.path") else {
            missing(checker, "storage.backend", "path", single.map(|found| &found.origin));
            return None;
        };
        values.note("storage.filesystem", found);
        text(found)?.to_owned()
    } else {
        values.text("storage.filesystem")?
    };
    Some((name.clone(), Backends::from([(name, filesystem(&path))])))
}

fn listed(values: &mut Values<'_>, checker: &mut Checker<'_>, parts: &[Part]) -> Option<(BackendName, Backends)> {
    let mut first = None;
    let mut backends = Backends::new();
    for part in parts {
        let get = |key: &str| part.section.values.get(format!("storage.backends[].{key}").as_str());
        let is_account = get("type").and_then(text) == Some("s3");
        let needed = if is_account { &["name", "type"][..] } else { &["name", "type", "path"] };
        for key in needed.iter().filter(|key| get(key).is_none()) {
            missing(checker, &part.shown, key, Some(&part.origin));
        }
        let name = get("name");
        let backend = name.and_then(text).and_then(|text| BackendName::new(text).ok());
        let place = Place { shown: &part.shown, origin: Some(&part.origin), backend: backend.as_ref(), get: &get };
        let kind = if is_account {
            Some(BackendKind::S3(upstream::account(values, checker, &place)))
        } else {
            upstream::refuse_keys(checker, &place);
            directory(values, checker, &place, &backends)
        };
        let (Some(kind), Some(name), Some(backend)) = (kind, name, backend) else { continue };
        let read_only = get("read_only");
        if let Some(found) = read_only {
            values.note(format!("storage.backends.{backend}.read_only"), found);
        }
        let read_only = read_only.is_some_and(|found| matches!(found.typed, Typed::Flag(true)));
        first.get_or_insert_with(|| backend.clone());
        let encryption = encryption::read(values, checker, part, &backend);
        if backends.insert(backend.clone(), Backend { kind, read_only, encryption }).is_some() {
            let complaint = Complaint::new(format!("another backend is named `{backend}`"));
            checker.problem(&format!("{}.name", part.shown), &name.origin, complaint.suggest("rename one of them"));
        }
    }
    first.map(|first| (first, backends))
}

/// The directory of a listed backend; no two share one.
fn directory(
    values: &mut Values<'_>,
    checker: &mut Checker<'_>,
    place: &Place<'_, '_>,
    backends: &Backends,
) -> Option<BackendKind> {
    let path = (place.get)("path")?;
    let written = text(path)?;
    let kind = filesystem(written).kind;
    if place.backend.is_some() && backends.values().any(|other| other.kind == kind) {
        let complaint = Complaint::new(format!("another backend has the directory `{written}`"));
        checker.problem(&format!("{}.path", place.shown), &path.origin, complaint);
    }
    if let Some(backend) = place.backend {
        values.note(format!("storage.backends.{backend}.path"), path);
    }
    Some(kind)
}

fn default_backend(
    values: &mut Values<'_>,
    checker: &mut Checker<'_>,
    first: &BackendName,
    backends: &Backends,
) -> Option<BackendName> {
    const PATH: &str = "storage.default_backend";
    match values.found(PATH) {
        None => {
            values.origins.insert(PATH.to_owned(), Origin::Default);
            Some(first.clone())
        }
        Some(found) => {
            values.note(PATH, found);
            known_backend(checker, PATH, found, backends)
        }
    }
}

pub(super) fn known_backend(
    checker: &mut Checker<'_>,
    path: &str,
    found: &Found,
    backends: &Backends,
) -> Option<BackendName> {
    let name = text(found)?;
    match backends.keys().find(|backend| backend.as_str() == name) {
        Some(backend) => Some(backend.clone()),
        None => {
            let names: Vec<&str> = backends.keys().map(BackendName::as_str).collect();
            let complaint = Complaint::new(format!("there is no backend `{name}`")).near(name, names.iter().copied());
            let known = format!("known backends: {}", names.join(", "));
            let complaint = if complaint.suggestion.is_none() { complaint.suggest(known) } else { complaint };
            checker.problem(path, &found.origin, complaint);
            None
        }
    }
}

/// Says that a key is missing, unless it is there and has a problem of its own.
pub(super) fn missing(checker: &mut Checker<'_>, parent: &str, key: &str, origin: Option<&Origin>) {
    let path = format!("{parent}.{key}");
    if !checker.problems.iter().any(|problem| problem.path == path) {
        let complaint = Complaint::new(format!("the key `{key}` is missing"));
        checker.problem(parent, &origin.cloned().unwrap_or_default(), complaint);
    }
}

fn filesystem(path: &str) -> Backend {
    Backend {
        kind: BackendKind::Filesystem { path: WrittenPath::new(path) },
        read_only: false,
        encryption: Encryption::default(),
    }
}

pub(super) fn text(found: &Found) -> Option<&str> {
    match &found.typed {
        Typed::Text(text) => Some(text),
        _ => None,
    }
}
