//! `config.yaml` of version 1: every key that this version has too is taken over, every other is a line of the report.

use super::report::{Report, is_redacted};
use super::secrets::{OlderSecrets, known};
use crate::Error;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::parts::{IamPart, SecretsPart};
use crate::domain::clock::Timestamp;
use crate::domain::config::check::Form;
use crate::domain::config::load::{Source, load_from};
use crate::domain::config::problem::Problems;
use crate::domain::config::scalar::{Environment, is_interpolated};
use crate::domain::config::table::{self, Kind};
use crate::domain::config::tree::{Entry, Node, Value};
use crate::domain::config::{emit, reader};
use std::collections::BTreeSet;

/// How many values may be dropped one after another because this version does not accept them.
const MOST_UNFIT: usize = 200;

/// Gives the text of version 2; the config key pair's secret half goes to `secrets`.
pub(super) fn convert(
    bytes: &[u8],
    theirs: &OlderSecrets,
    iam: &IamPart,
    when: Timestamp,
    secrets: &mut SecretsPart,
    report: &mut Report,
) -> Result<String, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| ArchiveFault::NotUtf8.error(format!("config.yaml, byte {}", e.valid_up_to())))?;
    let tree =
        reader::read(text).map_err(|problems| ArchiveFault::ConfigSyntax.error(format!("config.yaml, {problems}")))?;
    let mut next = Node::map();
    for entry in tree.entries().iter().filter(|entry| entry.key != "storage") {
        if let Some(node) = copied(&entry.node, &entry.key, &entry.key, report) {
            next.set(&[&entry.key], node);
        }
    }
    if let Some(storage) = tree.get("storage") {
        next.set(&["storage"], converted_storage(storage, when, report));
    }
    key_pair(theirs, iam, &mut next, secrets, report);
    fitted(next, report)
}

/// Takes over what the table of keys knows at `path`; what it does not, and what holds no value any more, is a line.
fn copied(node: &Node, path: &str, shown: &str, report: &mut Report) -> Option<Node> {
    let Some(key) = table::key(path) else {
        if !matches!(node.value, Value::Null) {
            report.gap("unsupported", shown, "this version has no such setting: left out", None);
        }
        return None;
    };
    match (&node.value, key.kind) {
        (Value::Null, _) => None,
        (Value::Map(entries), Kind::Section) => map(entries, path, shown, report),
        (Value::Map(entries), Kind::Named(_)) => map(entries, &format!("{path}.*"), shown, report),
        (Value::List(items), Kind::Items) => {
            let item = |(index, item): (usize, &Node)| {
                map(item.entries(), &format!("{path}[]"), &format!("{shown}[{index}]"), report)
            };
            let items: Vec<Node> = items.iter().enumerate().filter_map(item).collect();
            (!items.is_empty()).then(|| Node::new(Value::List(items)))
        }
        (value, _) => {
            let call = Some(format!("POST /_/api/admin/backup?set={shown}=<value>"));
            if any_text(node, &is_redacted) {
                report.gap("redacted", shown, "the archive has `__redacted__` in place of it: left out", call);
                return None;
            }
            if any_text(node, &is_interpolated) {
                let what = "it names a variable whose value is not in the archive: left out";
                report.gap("reference_dropped", shown, what, call);
                return None;
            }
            Some(Node::new(value.clone()))
        }
    }
}

fn map(entries: &[Entry], path: &str, shown: &str, report: &mut Report) -> Option<Node> {
    let mut taken = Node::map();
    let named = path.ends_with(".*");
    for entry in entries {
        let shown = format!("{shown}.{}", entry.key);
        let node = match named {
            true => map(entry.node.entries(), path, &shown, report),
            false => copied(&entry.node, &format!("{path}.{}", entry.key), &shown, report),
        };
        if let Some(node) = node {
            taken.set(&[&entry.key], node);
        }
    }
    (!taken.entries().is_empty()).then_some(taken)
}

fn any_text(node: &Node, test: &impl Fn(&str) -> bool) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Scalar { text, .. } => test(text),
        Value::List(items) => items.iter().any(|item| any_text(item, test)),
        Value::Map(entries) => entries.iter().any(|entry| any_text(&entry.node, test)),
    }
}

/// Backends that are directories and the buckets on them; the rest is lines.
fn converted_storage(storage: &Node, when: Timestamp, report: &mut Report) -> Node {
    let mut backends = Vec::new();
    let mut names = BTreeSet::new();
    let single = storage.get("backend").map(|node| ("default", "storage.backend".to_owned(), node));
    let listed = storage.get("backends").map(Node::items).unwrap_or_default().iter().enumerate();
    let listed = listed.map(|(index, node)| {
        let name = node.get("name").and_then(Node::as_text).unwrap_or_default();
        (name, format!("storage.backends[{index}]"), node)
    });
    for (name, place, node) in single.into_iter().chain(listed) {
        if let Some(backend) = backend(name, &place, node, report) {
            names.insert(name.to_owned());
            backends.push(backend);
        }
    }
    for entry in storage.entries() {
        let path = format!("storage.{}", entry.key);
        if !matches!(entry.key.as_str(), "backend" | "backends" | "default_backend" | "buckets") {
            report.gap("unsupported", path, "this version has no such setting: left out", None);
        }
    }
    let mut next = Node::map();
    if !backends.is_empty() {
        next.set(&["backends"], Node::new(Value::List(backends)));
    }
    match storage.get("default_backend").and_then(Node::as_text) {
        Some(name) if names.contains(name) => {
            next.set(&["default_backend"], Node::text(name));
        }
        Some(name) => {
            let what = format!("the backend `{name}` is left out: new buckets go to the first that is there");
            let call = Some("POST /_/api/admin/backup?set=storage.default_backend=<name>".to_owned());
            report.gap("default_backend", "storage.default_backend", what, call);
        }
        None => {}
    }
    for entry in storage.get("buckets").map(Node::entries).unwrap_or_default() {
        if let Some(bucket) = bucket(&entry.key, &entry.node, storage, &names, when, report) {
            next.set(&["buckets", &entry.key], bucket);
        }
    }
    report.gap(
        "buckets_unlisted",
        "storage.buckets",
        "version 1 lists only buckets that have settings of their own: others have to be made again, their objects are still there",
        Some("PUT /<bucket>".to_owned()),
    );
    next
}

fn backend(name: &str, place: &str, node: &Node, report: &mut Report) -> Option<Node> {
    let text = |key: &str| node.get(key).and_then(Node::as_text);
    let kind = text("type").unwrap_or_default();
    if kind != "filesystem" {
        let what = format!("the backend `{name}` is of the type `{kind}`, which this version does not have: left out");
        report.gap("unsupported", place, what, None);
        return None;
    }
    let mut next = Node::map().with("name", Node::text(name)).with("type", Node::text(kind));
    for entry in node.entries().iter().filter(|entry| !matches!(entry.key.as_str(), "name" | "type" | "encryption")) {
        let table = format!("storage.backends[].{}", entry.key);
        if let Some(node) = copied(&entry.node, &table, &format!("{place}.{}", entry.key), report) {
            next = next.with(entry.key.as_str(), node);
        }
    }
    if let Some(encryption) = node.get("encryption").filter(|node| !node.entries().is_empty()) {
        encrypted(name, place, encryption, report);
        next = next.with("read_only", Node::plain(true));
    }
    Some(next)
}

/// A backend whose objects are encrypted with keys that no archive of version 1 has.
fn encrypted(name: &str, place: &str, encryption: &Node, report: &mut Report) {
    let mut ids: Vec<&str> =
        ["key_id", "legacy_key_id"].iter().filter_map(|key| encryption.get(key).and_then(Node::as_text)).collect();
    if ids.is_empty() {
        ids.push("default");
    }
    for id in ids {
        report.missing_key(id, name);
        report.gap(
            "key_missing",
            format!("{place}.encryption"),
            format!("no archive of version 1 has the at-rest key `{id}`: the backend `{name}` is read-only until it is there"),
            Some(format!("POST /_/api/admin/backup?set=storage.backends.{name}.read_only=false")),
        );
    }
}

fn bucket(
    name: &str,
    node: &Node,
    storage: &Node,
    backends: &BTreeSet<String>,
    when: Timestamp,
    report: &mut Report,
) -> Option<Node> {
    let place = format!("storage.buckets.{name}");
    let given = node.get("backend").or_else(|| storage.get("default_backend")).and_then(Node::as_text);
    let first = backends.iter().next().map(String::as_str);
    let backend = match given.or(first) {
        Some(backend) if backends.contains(backend) => backend,
        other => {
            let what = format!("its backend `{}` is left out, and so is the bucket", other.unwrap_or("default"));
            report.gap("bucket_dropped", place, what, None);
            return None;
        }
    };
    let mut registered = Node::map().with("backend", Node::text(backend));
    if let Some(alias) = node.get("alias").and_then(Node::as_text) {
        registered = registered.with("alias", Node::text(alias));
    }
    registered = registered.with("owner", Node::text("$config")).with("created_at", Node::text(when.rfc3339()));
    let mut pins = Node::map();
    for entry in node.entries().iter().filter(|entry| !matches!(entry.key.as_str(), "backend" | "alias")) {
        let shown = format!("{place}.{}", entry.key);
        if let Some(node) = copied(&entry.node, &format!("storage.buckets.*.{}", entry.key), &shown, report) {
            pins = pins.with(entry.key.as_str(), node);
        }
    }
    Some(match pins.entries().is_empty() {
        true => registered.with("origin", Node::text("registry")),
        false => pins.with("origin", Node::text("config")).with("registered", registered),
    })
}

/// The config key pair, unless a user has it: version 1 made such a user of it.
fn key_pair(theirs: &OlderSecrets, iam: &IamPart, next: &mut Node, secrets: &mut SecretsPart, report: &mut Report) {
    let id = known(&theirs.access, "access_key_id");
    let (Some(id), Some(secret)) = (id, known(&theirs.access, "secret_access_key")) else { return };
    let user = iam.users.iter().find(|user| user.keys.iter().any(|key| key.access_key_id == id.expose()));
    if let Some(user) = user {
        let what = format!("the config key pair is the user `{}` too: it comes back as that user's", user.name);
        report.gap("key_pair_of_user", "access", what, None);
        return;
    }
    next.set(&["access", "access_key_id"], Node::text(id.expose()));
    secrets.access.access_key_id = Some(id);
    secrets.access.secret_access_key = Some(secret);
}

/// Drops what this version does not accept, each with a line, until the rest is a configuration.
fn fitted(mut next: Node, report: &mut Report) -> Result<String, Error> {
    let environment = Environment::new();
    for _ in 0..MOST_UNFIT {
        let text = emit::emit(&next);
        let problems =
            match load_from(&Source { text: &text, environment: &environment, set: &[], form: Form::Archive }) {
                Ok(_) => return Ok(text),
                Err(problems) => problems,
            };
        let Some(problem) = problems.0.iter().find(|problem| drop_at(&mut next, &problem.path)) else {
            return Err(unfit(&problems));
        };
        let call = Some(format!("POST /_/api/admin/backup?set={}=<value>", problem.path));
        report.gap("unfit", problem.path.clone(), format!("left out: {}", problem.message), call);
    }
    Err(ArchiveFault::ConfigShape.error(format!("config.yaml: more than {MOST_UNFIT} values are not accepted")))
}

fn unfit(problems: &Problems) -> Error {
    ArchiveFault::ConfigShape.error(format!("config.yaml, {problems}"))
}

/// Removes the deepest part of a path such as `admission.blocks[0].match` that is there; false where nothing of it is.
fn drop_at(node: &mut Node, path: &str) -> bool {
    match &mut node.value {
        Value::Map(entries) => {
            // A name may have dots itself: the longest one that the path begins with.
            let begins = |entry: &Entry| {
                path.strip_prefix(entry.key.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let at = (0..entries.len()).filter(|at| begins(&entries[*at])).max_by_key(|at| entries[*at].key.len());
            let Some(at) = at else { return false };
            let rest = path[entries[at].key.len()..].trim_start_matches('.').to_owned();
            if rest.is_empty() || !drop_at(&mut entries[at].node, &rest) {
                entries.remove(at);
            }
            true
        }
        Value::List(items) => {
            let index = path.trim_start_matches('[').split(']').next().and_then(|text| text.parse::<usize>().ok());
            let Some(at) = index.filter(|at| *at < items.len()) else { return false };
            let rest =
                path.split_once(']').map(|(_, rest)| rest.trim_start_matches('.').to_owned()).unwrap_or_default();
            if rest.is_empty() || !drop_at(&mut items[at], &rest) {
                items.remove(at);
            }
            true
        }
        Value::Null | Value::Scalar { .. } => false,
    }
}
