//! `storage.backends[].encryption`: how objects are encrypted at rest, and the references that give the keys.

use super::build::Values;
use super::check::{Checker, Found, Part, Typed};
use super::model::{SecretRef, WrittenPath};
use super::problem::Complaint;
use super::scalar::escape;
use super::tree::Node;
use crate::domain::names::BackendName;
use std::collections::BTreeMap;

/// `encryption` of a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encryption {
    /// Whether new objects are encrypted.
    pub mode: EncryptionMode,
    /// Where its keys come from, by their ids; never a literal.
    pub keys: BTreeMap<String, SecretRef>,
    /// The key that new objects use: the only one, or the one that was named.
    pub active: Option<String>,
}

/// Whether new objects are encrypted, and by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncryptionMode {
    /// No.
    #[default]
    None,
    /// By this program, before they reach the backend.
    Proxy,
}

/// What `mode` says for [`EncryptionMode::Proxy`].
const PROXY: &str = "aes256-gcm-proxy";

/// Where its keys begin below a backend in a canonical path.
pub(super) const BELOW: &str = ".encryption.";

/// Reads it. A mode that needs a key has one, and only one of its keys is active.
pub(super) fn read(
    values: &mut Values<'_>,
    checker: &mut Checker<'_>,
    part: &Part,
    backend: &BackendName,
) -> Encryption {
    let get = |key: &str| part.section.values.get(format!("storage.backends[].encryption.{key}").as_str());
    let mode = match get("mode").and_then(text) {
        Some(PROXY) => EncryptionMode::Proxy,
        _ => EncryptionMode::None,
    };
    for key in ["mode", "active"] {
        if let Some(found) = get(key) {
            values.note(format!("storage.backends.{backend}.encryption.{key}"), found);
        }
    }
    let parts = part.section.parts.get("storage.backends[].encryption.keys").map_or(&[][..], Vec::as_slice);
    let keys: BTreeMap<String, SecretRef> =
        parts.iter().filter_map(|key| Some((key.name.clone(), reference(checker, key)?))).collect();
    let named = get("active").and_then(text).map(str::to_owned);
    let only = keys.keys().next().filter(|_| keys.len() == 1).cloned();
    let origin = get("active").or_else(|| get("mode")).map_or(&part.origin, |found| &found.origin);
    let shown = format!("{}.encryption", part.shown);
    if let Some(id) = named.as_ref().filter(|id| !keys.contains_key(*id)) {
        let complaint = Complaint::new(format!("`{id}` is none of the keys")).suggest("list it under `keys`");
        checker.problem(&format!("{shown}.active"), origin, complaint);
    }
    let active = named.or(only);
    if mode != EncryptionMode::None && active.is_none() {
        let complaint = Complaint::new("this mode needs an active key");
        checker.problem(&shown, origin, complaint.suggest("list `keys`, and name one of them in `active`"));
    }
    Encryption { mode, keys, active }
}

/// A key is exactly one reference: it never stands in the file itself.
fn reference(checker: &mut Checker<'_>, key: &Part) -> Option<SecretRef> {
    let get = |kind: &str| {
        key.section.values.get(format!("storage.backends[].encryption.keys.*.{kind}").as_str()).and_then(text)
    };
    match (get("env"), get("file"), get("stored")) {
        (Some(name), None, None) => Some(SecretRef::Env(name.to_owned())),
        (None, Some(path), None) => Some(SecretRef::File(WrittenPath::new(path))),
        (None, None, Some(name)) => Some(SecretRef::Stored(name.to_owned())),
        _ => {
            let complaint = Complaint::new("a key is exactly one reference");
            let complaint = complaint.suggest("write `{env: NAME}`, `{file: PATH}` or `{stored: NAME}`");
            checker.problem(&key.shown, &key.origin, complaint);
            None
        }
    }
}

/// Writes it; `None` where it is all default.
pub(super) fn to_node(encryption: &Encryption) -> Option<Node> {
    if *encryption == Encryption::default() {
        return None;
    }
    let mut node = Node::map();
    if encryption.mode == EncryptionMode::Proxy {
        node = node.with("mode", Node::text(PROXY));
    }
    let mut keys = Node::map();
    for (id, reference) in &encryption.keys {
        let (kind, text) = match reference {
            SecretRef::Env(name) => ("env", name.as_str()),
            SecretRef::File(path) => ("file", path.as_str()),
            SecretRef::Stored(name) => ("stored", name.as_str()),
            SecretRef::Literal(_) => continue,
        };
        keys = keys.with(id, Node::map().with(kind, Node::text(escape(text))));
    }
    if !keys.entries().is_empty() {
        node = node.with("keys", keys);
    }
    if let Some(active) = &encryption.active {
        node = node.with("active", Node::text(escape(active)));
    }
    Some(node)
}

/// The parts of a canonical path below `encryption`; the id of a key may itself hold dots.
pub(super) fn split(inner: &str) -> Vec<&str> {
    match inner.strip_prefix("keys.").and_then(|rest| rest.rsplit_once('.')) {
        Some((id, kind)) => vec!["keys", id, kind],
        None => inner.split('.').collect(),
    }
}

fn text(found: &Found) -> Option<&str> {
    match &found.typed {
        Typed::Text(text) => Some(text),
        _ => None,
    }
}
