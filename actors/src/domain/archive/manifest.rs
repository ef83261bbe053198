//! `manifest.json`, version 2: what an archive says of itself, its canonical bytes (RFC 8785) and its strict reading.

use crate::Error;
use crate::domain::archive::decode::decode;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::json::{self, Node, Value};
use crate::domain::clock::Timestamp;
use crate::domain::names::BackendName;
use crate::domain::state::KeyPurpose;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The version that is written.
pub const VERSION: u64 = 2;
/// The schema of each part that is written and read.
pub const SCHEMA: u64 = 2;
/// The four entries in the order in which they are written.
pub const ENTRIES: [&str; 4] = ["manifest.json", "config.yaml", "iam.json", "secrets.json"];

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// 2.
    pub version: u64,
    /// When the view was taken.
    pub captured_at: Timestamp,
    /// The version of the server that wrote it.
    pub server_version: String,
    /// The instance that wrote it.
    pub instance_id: String,
    /// Where in time the state stood.
    pub epoch: u64,
    /// Where in the epoch it stood.
    pub generation: u64,
    /// The schema of each part.
    pub schema: Schema,
    /// The other three entries.
    pub files: Vec<FileEntry>,
    /// Every key of the keyring; the keys themselves are in `secrets.json`.
    pub encryption_keys: Vec<KeyEntry>,
    /// Backends that were initialised once, and the id in their `.dg/backend.json`.
    pub backends: Vec<BackendEntry>,
    /// How much is inside.
    pub counts: Counts,
    /// What is known of the bootstrap password in force.
    pub bootstrap_password: BootstrapPassword,
    /// Where the audit log stood.
    pub audit: Option<AuditCheckpoint>,
    /// By the instance's signing key, over the canonical bytes without this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// The schema of each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Of `config.yaml`.
    pub config: u64,
    /// Of `iam.json`.
    pub iam: u64,
    /// Of `secrets.json`.
    pub secrets: u64,
}

/// One listed entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its length, inflated.
    pub bytes: u64,
    /// 64 lower-case hex digits.
    pub sha256: String,
}

/// One key of the keyring, without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Its id.
    pub id: String,
    /// As `StoredKey::fingerprint` gives it.
    pub fingerprint: String,
    /// Whether `secrets.json` has the key.
    pub included: bool,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether new objects use it.
    pub active: bool,
}

/// A backend that was initialised once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendEntry {
    /// Its name in the config.
    pub name: BackendName,
    /// The id that it has on itself.
    pub id: String,
}

/// How many entries each list has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is named after its list")]
pub struct Counts {
    pub users: u64,
    pub groups: u64,
    pub auth_providers: u64,
    pub mapping_rules: u64,
    pub external_identities: u64,
    pub tokens: u64,
    pub revocations: u64,
    pub buckets: u64,
}

/// What is known of the bootstrap password in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapPassword {
    /// When it was set.
    pub set_at: Option<Timestamp>,
    /// It went through a log.
    pub logged: bool,
}

/// Where the audit log stood: `deltaglider_proxy audit verify --checkpoint RECORDS:SHA256` compares the log with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditCheckpoint {
    /// How many records it had.
    pub records: u64,
    /// The HMAC-SHA256 of its last row in lower-case hex, which stands for the whole chain before it; empty where there was none.
    pub sha256: String,
}

/// The signature: standard base64 with padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `ed25519`.
    pub alg: String,
    /// The public key, 32 bytes.
    pub key: String,
    /// The signature, 64 bytes.
    pub value: String,
}

impl Manifest {
    /// The bytes of the entry: readable JSON, a line feed at the end.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|e| Error::internal("write manifest", e))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// What the signature is made over.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, Error> {
        signed_bytes(&json::parse("manifest.json", &self.to_bytes()?)?)
    }
}

/// Reads the entry as JSON; gives its version, 1 or 2, and the tree.
pub fn tree(bytes: &[u8]) -> Result<(u64, Node), Error> {
    let tree = json::parse("manifest.json", bytes)?;
    if !matches!(tree.value, Value::Map(_)) {
        return Err(ArchiveFault::ManifestShape.error("manifest.json, line 1: an object was expected"));
    }
    let text = match tree.get("version").map(|node| &node.value) {
        Some(Value::Number(text)) => text.as_str(),
        _ => return Err(ArchiveFault::ManifestVersion.error("`version` is not an integer")),
    };
    match text {
        "2" => Ok((2, tree)),
        "1" => Ok((1, tree)),
        other => Err(ArchiveFault::ManifestVersion.error(format!("`version` is {other}"))),
    }
}

/// Reads version 2; gives the manifest and the bytes that its signature must cover.
pub fn parse(tree: &Node) -> Result<(Manifest, Vec<u8>), Error> {
    check_files(tree)?;
    if matches!(tree.get("signature").map(|n| &n.value), None | Some(Value::Null)) {
        return Err(ArchiveFault::SignatureMissing.error("manifest.json has no `signature`"));
    }
    let manifest: Manifest = decode(tree).map_err(|e| {
        let fault = match e.to_string().contains(", signature") {
            true => ArchiveFault::SignatureMalformed,
            false => ArchiveFault::ManifestShape,
        };
        fault.error(format!("manifest.json, {e}"))
    })?;
    for (part, schema) in [
        ("config.yaml", manifest.schema.config),
        ("iam.json", manifest.schema.iam),
        ("secrets.json", manifest.schema.secrets),
    ] {
        if schema != SCHEMA {
            return Err(ArchiveFault::SchemaUnknown.error(format!("{part} has schema {schema}; {SCHEMA} is read")));
        }
    }
    check_keys(&manifest)?;
    Ok((manifest, signed_bytes(tree)?))
}

/// Checks the list of files: each part once, each with a proper hash.
pub(super) fn check_files(tree: &Node) -> Result<(), Error> {
    let files = tree.get("files").and_then(Node::list).filter(|list| !list.is_empty());
    let files =
        files.ok_or_else(|| ArchiveFault::ManifestFilesMissing.error("`files` is missing, empty or no array"))?;
    let mut seen = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        let place = format!("manifest.json, line {}, files[{index}]", file.line);
        let Some(Value::Text(name)) = file.get("name").map(|n| &n.value) else {
            return Err(ArchiveFault::ManifestShape.error(format!("{place}: `name` is not a string")));
        };
        if !ENTRIES[1..].contains(&name.as_str()) {
            return Err(ArchiveFault::ManifestPartUnknown.error(format!("{place}: `{name}`")));
        }
        if !seen.insert(name.clone()) {
            return Err(ArchiveFault::ManifestPartDuplicate.error(format!("{place}: `{name}`")));
        }
        check_hash(file, &place)?;
    }
    match ENTRIES[1..].iter().find(|name| !seen.contains(**name)) {
        Some(name) => Err(ArchiveFault::ManifestPartUnlisted.error(format!("`{name}`"))),
        None => Ok(()),
    }
}

fn check_hash(file: &Node, place: &str) -> Result<(), Error> {
    let hash = match file.get("sha256").map(|node| &node.value) {
        None | Some(Value::Null) => return Err(ArchiveFault::ManifestHashMissing.error(place)),
        Some(Value::Text(hash)) => hash,
        Some(_) => return Err(ArchiveFault::ManifestHashMalformed.error(place)),
    };
    if hash.is_empty() {
        return Err(ArchiveFault::ManifestHashMissing.error(place));
    }
    if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ArchiveFault::ManifestHashMalformed.error(place));
    }
    if hash.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(ArchiveFault::ManifestHashUppercase.error(place));
    }
    Ok(())
}

fn check_keys(manifest: &Manifest) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    if let Some(twice) = manifest.backends.iter().find(|backend| !names.insert(&backend.name)) {
        return Err(ArchiveFault::DuplicateName.error(format!("manifest.json, backends: `{}`", twice.name)));
    }
    let mut ids = BTreeSet::new();
    let mut active = Vec::new();
    for key in &manifest.encryption_keys {
        if !ids.insert(key.id.as_str()) {
            return Err(ArchiveFault::DuplicateId.error(format!("manifest.json, encryption_keys: `{}`", key.id)));
        }
        if key.active && active.contains(&key.purpose) {
            return Err(ArchiveFault::KeyActive.error(format!("`{}` is the second", key.id)));
        }
        if key.active {
            active.push(key.purpose);
        }
    }
    Ok(())
}

fn signed_bytes(tree: &Node) -> Result<Vec<u8>, Error> {
    let mut out = String::new();
    canonical(tree, true, &mut out)?;
    Ok(out.into_bytes())
}

/// RFC 8785 for what a manifest holds: objects, arrays, strings, booleans, null and integers within ±2^53.
fn canonical(node: &Node, top: bool, out: &mut String) -> Result<(), Error> {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(text) => {
            let number = text.parse::<i64>().ok().filter(|n| n.unsigned_abs() <= 1 << 53);
            let number = number.ok_or_else(|| {
                ArchiveFault::ManifestShape
                    .error(format!("manifest.json, line {}: not an integer within 2^53", node.line))
            })?;
            out.push_str(&number.to_string());
        }
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(item, false, out)?;
            }
            out.push(']');
        }
        Value::Map(members) => {
            let mut sorted: Vec<_> = members.iter().filter(|(key, _)| !(top && key == "signature")).collect();
            sorted.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            out.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&quoted(key));
                out.push(':');
                canonical(value, false, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// serde_json escapes exactly as RFC 8785 §3.2.2.2 asks: short forms where there are any, lower-case `\u00xx` otherwise.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(text: &str) -> String {
        String::from_utf8(signed_bytes(&json::parse("x", text.as_bytes()).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn canonical_bytes_follow_rfc_8785() {
        assert_eq!(
            canon("{ \"b\" : [ 1 , -0, true ], \"a\": null, \"signature\": {} }"),
            r#"{"a":null,"b":[1,0,true]}"#
        );
        // The order of UTF-16 code units: an astral character (a surrogate pair) comes before U+FB33.
        assert_eq!(canon("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\\u00f6\":3}"), "{\"ö\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}");
        assert_eq!(canon(r#"["\u000f\u000A\"\\\/\u20ac\b"]"#), "[\"\\u000f\\n\\\"\\\\/€\\b\"]");
        assert!(signed_bytes(&json::parse("x", b"[1.5]").unwrap()).is_err());
    }
}
