//! Model → canonical tree: sections in the order of the table, names sorted, defaults omitted, references kept.

use super::admission;
use super::buckets;
use super::encryption;
use super::iam;
use super::load::Loaded;
use super::model::{
    Authentication, Backend, BackendKind, Backup, BackupTarget, Config, LogFormat, S3Account, SecretRef, Webhook,
    WrittenPath, header_path,
};
use super::scalar::{duration_text, escape, size_text};
use super::storage::DEFAULT_BACKEND;
use super::table;
use super::tree::{Node, Origin, Value};
use super::upstream;
use crate::domain::names::BackendName;
use crate::domain::network::WrittenNetwork;
use crate::domain::state::Bucket;
use crate::domain::stored::cron::Cron;
use std::collections::BTreeMap;

/// What becomes of a literal secret; none is ever written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literals {
    /// It is left out.
    Omit,
    /// `{stored: PATH}` stands for it, its path in the config being its name among the stored secrets.
    Store,
}

/// The canonical tree of a configuration. `written` has what stood there with `${env:…}` in it, by path ([`Loaded::written`]).
pub fn to_tree(config: &Config, written: &BTreeMap<String, String>, literals: Literals) -> Node {
    let mut out = Writer { tree: Node::map(), written, literals };
    if !config.admission.is_empty() {
        out.set("admission.blocks", admission::to_node(&config.admission, written));
    }
    let access = &config.access;
    out.text(
        "access.authentication",
        match access.authentication {
            Authentication::Required => "required",
            Authentication::None => "none",
        },
    );
    out.optional("access.access_key_id", access.access_key_id.as_deref());
    out.secret("access.secret_access_key", access.secret_access_key.as_ref());
    out.plain("access.reauth_window", duration_text(access.reauth_window));
    out.plain("access.session_lifetime", duration_text(access.session_lifetime));
    out.plain("access.session_idle", duration_text(access.session_idle));
    out.texts("access.sso_allowed_hosts", access.sso_allowed_hosts.iter().map(String::as_str));
    out.text("access.iam_mode", access.iam_mode.as_str());
    for (path, list) in iam::lists(&access.iam, written) {
        out.set(path, list);
    }
    out.storage(config);
    let advanced = &config.advanced;
    out.text("advanced.listen_addr", &advanced.listen_addr.to_string());
    if let Some(enabled) = advanced.tls.enabled {
        out.plain("advanced.tls.enabled", enabled.to_string());
    }
    out.optional("advanced.tls.cert_path", advanced.tls.cert_path.as_ref().map(WrittenPath::as_str));
    out.optional("advanced.tls.key_path", advanced.tls.key_path.as_ref().map(WrittenPath::as_str));
    out.text("advanced.log_level", &advanced.log_level);
    out.text(
        "advanced.log_format",
        match advanced.log_format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        },
    );
    out.secret("advanced.bootstrap_password_hash", advanced.bootstrap_password_hash.as_ref());
    out.texts("advanced.data_roots", advanced.data_roots.iter().map(WrittenPath::as_str));
    out.texts("advanced.secret_roots", advanced.secret_roots.iter().map(WrittenPath::as_str));
    out.plain("advanced.clock_skew_seconds", advanced.clock_skew.as_secs().to_string());
    out.plain("advanced.auth_sigv2_post", advanced.auth_sigv2_post.to_string());
    out.optional("advanced.region", advanced.region.as_deref());
    out.optional("advanced.public_url", advanced.public_url.as_deref());
    out.texts("advanced.domains", advanced.domains.iter().map(String::as_str));
    out.optional("advanced.console_host", advanced.console_host.as_deref());
    out.texts("advanced.trusted_proxies", advanced.trusted_proxies.iter().map(WrittenNetwork::as_str));
    out.plain("advanced.max_requests", advanced.max_requests.to_string());
    out.plain("advanced.idle_timeout", duration_text(advanced.idle_timeout));
    out.plain("advanced.audit.keep_rows", advanced.audit.keep_rows.to_string());
    if let Some(days) = advanced.audit.keep_days {
        out.plain("advanced.audit.keep_days", days.to_string());
    }
    out.optional("advanced.audit.file", advanced.audit.file.as_ref().map(WrittenPath::as_str));
    if let Some(webhook) = &advanced.audit.webhook {
        out.webhook(webhook);
    }
    let (backup, limits) = (&config.backup, &config.backup.limits);
    out.stored_backups(backup);
    out.texts("backup.recipients", backup.recipients.iter().map(String::as_str));
    out.texts("backup.trusted_signers", backup.trusted_signers.iter().map(String::as_str));
    out.plain("backup.limits.body", size_text(limits.body));
    out.plain("backup.limits.entry", size_text(limits.entry));
    out.plain("backup.limits.total", size_text(limits.total));
    out.plain("backup.limits.entries", limits.entries.to_string());
    out.plain("backup.limits.ratio", limits.ratio.to_string());
    out.tree
}

/// The literal secrets of a configuration by the name under which [`Literals::Store`] refers to them.
pub fn literal_secrets(config: &Config) -> BTreeMap<String, crate::domain::secret::Secret> {
    let literal = |(path, secret): (String, &SecretRef)| match secret {
        SecretRef::Literal(secret) => Some((path, secret.clone())),
        _ => None,
    };
    config.secrets().filter_map(literal).collect()
}

/// The tree to write into the config file: no value that the environment gave, but what the file itself had there.
pub fn file_tree(loaded: &Loaded, literals: Literals) -> Node {
    let mut tree = to_tree(&loaded.config, &loaded.written, literals);
    for (path, _) in loaded.origins.iter().filter(|(_, origin)| matches!(origin, Origin::Env(_))) {
        let parts = split(path);
        let own = own(&loaded.tree, &parts).cloned();
        // A literal that the environment hides today is not repeated: it would stand in the file in the clear again.
        let secret = loaded.config.secrets().any(|(one, _)| one == *path);
        match own.filter(|own| !secret || matches!(own.value, Value::Map(_))) {
            Some(own) => {
                tree.set(&parts, own);
            }
            None => remove(&mut tree, &parts),
        }
    }
    tree
}

/// The tree for an archive: the effective values, each one that the environment gave with a comment that says so, and every
/// bucket of the registry.
pub fn archive_tree<'a>(loaded: &Loaded, registry: impl IntoIterator<Item = &'a Bucket>) -> Node {
    let mut tree = to_tree(&loaded.config, &loaded.written, Literals::Omit);
    for (path, origin) in &loaded.origins {
        if let (Origin::Env(name), Some(node)) = (origin, tree.find(&split(path)).cloned()) {
            tree.set(&split(path), Node { comment: Some(format!("from {name}")), ..node });
        }
    }
    for bucket in registry {
        add_bucket(&mut tree, bucket);
    }
    tree
}

fn add_bucket(tree: &mut Node, bucket: &Bucket) {
    let name = bucket.name.as_str();
    let node = buckets::registered_node(bucket);
    match tree.find(&["storage", "buckets", name]).cloned() {
        None => tree.set(&["storage", "buckets", name], node.with("origin", Node::text("registry"))),
        Some(pin) => {
            let both = pin.with("origin", Node::text("config")).with("registered", node);
            tree.set(&["storage", "buckets", name], both)
        }
    };
    // The order of names is canonical, whichever of both parts a bucket came from.
    if let Some(Value::Map(mut entries)) = tree.find(&["storage", "buckets"]).map(|buckets| buckets.value.clone()) {
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        tree.set(&["storage", "buckets"], Node::new(Value::Map(entries)));
    }
}

struct Writer<'a> {
    tree: Node,
    written: &'a BTreeMap<String, String>,
    literals: Literals,
}

impl Writer<'_> {
    /// A text of the table, left out where it is the default.
    fn text(&mut self, path: &str, text: &str) {
        self.put(path, text, Node::text(escape(text)));
    }

    fn plain(&mut self, path: &str, text: String) {
        self.put(path, &text, Node::plain(&text));
    }

    fn optional(&mut self, path: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(path, text);
        }
    }

    fn put(&mut self, path: &str, text: &str, node: Node) {
        match self.written.get(path) {
            Some(written) => self.set(path, Node::text(written)),
            None if table::key(path).and_then(|key| key.default) == Some(text) => {}
            None => self.set(path, node),
        }
    }

    fn texts<'t>(&mut self, path: &str, texts: impl Iterator<Item = &'t str>) {
        let items: Vec<Node> = match self.written.get(path) {
            Some(written) => written.lines().map(Node::text).collect(),
            None => texts.map(|text| Node::text(escape(text))).collect(),
        };
        if !items.is_empty() {
            self.set(path, Node::new(Value::List(items)));
        }
    }

    fn webhook(&mut self, webhook: &Webhook) {
        self.text("advanced.audit.webhook.url", &webhook.url);
        let items = webhook.headers.iter().map(|(name, value)| {
            let item = Node::map().with("name", Node::text(name));
            match self.secret_node(&header_path(name), value.as_ref()) {
                Some(value) => item.with("value", value),
                None => item,
            }
        });
        let items: Vec<Node> = items.collect();
        if !items.is_empty() {
            self.set("advanced.audit.webhook.headers", Node::new(Value::List(items)));
        }
    }

    fn secret(&mut self, path: &str, secret: Option<&SecretRef>) {
        if let Some(node) = self.secret_node(path, secret) {
            self.set(path, node);
        }
    }

    fn secret_node(&self, path: &str, secret: Option<&SecretRef>) -> Option<Node> {
        let (kind, text) = match (secret, self.literals) {
            (Some(SecretRef::Env(name)), _) => ("env", name.as_str()),
            (Some(SecretRef::File(file)), _) => ("file", file.as_str()),
            (Some(SecretRef::Stored(name)), _) => ("stored", name.as_str()),
            (Some(SecretRef::Literal(_)), Literals::Store) => ("stored", path),
            (Some(SecretRef::Literal(_)), Literals::Omit) | (None, _) => return None,
        };
        Some(Node::map().with(kind, Node::text(text)))
    }

    fn storage(&mut self, config: &Config) {
        let storage = &config.storage;
        let mut backends = storage.backends.iter();
        match (backends.next(), backends.next()) {
            (Some((name, backend @ Backend { kind: BackendKind::Filesystem { path }, .. })), None)
                if name.as_str() == DEFAULT_BACKEND && backend.is_plain() =>
            {
                self.text("storage.filesystem", path.as_str());
            }
            _ => {
                let items = storage.backends.iter().map(|(name, backend)| self.backend(name, backend));
                let items = Node::new(Value::List(items.collect()));
                self.set("storage.backends", items);
                self.text("storage.default_backend", storage.default_backend.as_str());
            }
        }
        for (name, pin) in &storage.buckets {
            let node = buckets::pinned(name, pin, self.written);
            self.tree.set(&["storage", "buckets", name.as_str()], node);
        }
    }

    fn backend(&self, name: &BackendName, backend: &Backend) -> Node {
        let node = Node::map().with("name", Node::text(name.as_str()));
        let node = match &backend.kind {
            BackendKind::Filesystem { path } => {
                node.with("type", Node::text("filesystem")).with("path", self.of_backend(name, "path", path.as_str()))
            }
            BackendKind::S3(account) => self.account(name, account, node.with("type", Node::text("s3"))),
        };
        let node = if backend.read_only { node.with("read_only", Node::plain(true)) } else { node };
        match encryption::to_node(&backend.encryption) {
            Some(encryption) => node.with("encryption", encryption),
            None => node,
        }
    }

    fn account(&self, name: &BackendName, account: &S3Account, mut node: Node) -> Node {
        if let Some(endpoint) = &account.endpoint {
            node = node.with("endpoint", self.of_backend(name, "endpoint", endpoint));
        }
        if account.region != S3Account::DEFAULT_REGION {
            node = node.with("region", self.of_backend(name, "region", &account.region));
        }
        node = node.with("access_key_id", self.of_backend(name, "access_key_id", &account.access_key_id));
        match self.secret_node(&upstream::secret_path(name), account.secret_access_key.as_ref()) {
            Some(secret) => node.with("secret_access_key", secret),
            None => node,
        }
    }

    /// A text of a backend, as it was written where `${env:…}` stands in it.
    fn of_backend(&self, name: &BackendName, key: &str, text: &str) -> Node {
        let written = self.written.get(&format!("storage.backends.{name}.{key}"));
        Node::text(written.cloned().unwrap_or_else(|| escape(text)))
    }

    /// When and where backups are stored, and which of them stay.
    fn stored_backups(&mut self, backup: &Backup) {
        self.optional("backup.schedule", backup.schedule.as_ref().map(Cron::as_str));
        if let Some(rest) = backup.on_change {
            self.plain("backup.on_change", duration_text(rest));
        }
        match &backup.to {
            Some(BackupTarget::Directory(path)) => self.text("backup.to.directory", path.as_str()),
            Some(BackupTarget::Bucket { bucket, prefix }) => {
                self.text("backup.to.bucket", bucket.as_str());
                self.optional("backup.to.prefix", Some(prefix.as_str()).filter(|prefix| !prefix.is_empty()));
            }
            None => {}
        }
        for (path, number) in [("backup.keep.last", backup.keep.last), ("backup.keep.days", backup.keep.days)] {
            if let Some(number) = number {
                self.plain(path, number.to_string());
            }
        }
        self.plain("backup.verify", backup.verify.to_string());
        self.plain("backup.plaintext_in_bucket", backup.plaintext_in_bucket.to_string());
    }

    fn set(&mut self, path: &str, node: Node) {
        let parts: Vec<&str> = path.split('.').collect();
        self.tree.set(&parts, node);
    }
}

/// The parts of a canonical path; the name of a backend or bucket may itself hold dots.
pub(super) fn split(path: &str) -> Vec<&str> {
    for container in ["storage.backends.", "storage.buckets.", "advanced.audit.webhook.headers."] {
        let Some(rest) = path.strip_prefix(container) else { continue };
        let whole = container.trim_end_matches('.').split('.');
        if let Some((name, inner)) = rest.split_once(encryption::BELOW).filter(|_| container == "storage.backends.") {
            return whole.chain([name, "encryption"]).chain(encryption::split(inner)).collect();
        }
        if let Some((name, key)) = rest.rsplit_once('.') {
            return whole.chain([name, key]).collect();
        }
    }
    path.split('.').collect()
}

/// What the file itself has at a canonical path; the one directory may stand there in any of the three forms.
fn own<'t>(tree: &'t Node, parts: &[&str]) -> Option<&'t Node> {
    let other: &[&[&str]] = match parts {
        ["storage", "filesystem"] | ["storage", "backends", DEFAULT_BACKEND, "path"] => &[
            &["storage", "filesystem"],
            &["storage", "backend", "path"],
            &["storage", "backends", DEFAULT_BACKEND, "path"],
        ],
        ["storage", "backends", DEFAULT_BACKEND, key] if upstream::KEYS.contains(key) => {
            return tree.find(parts).or_else(|| tree.find(&["storage", "backend", key]));
        }
        _ => &[],
    };
    tree.find(parts).or_else(|| other.iter().find_map(|parts| tree.find(parts)))
}

/// Removes a value, and the sections that it leaves empty.
pub(crate) fn remove(tree: &mut Node, parts: &[&str]) {
    let Some((last, parents)) = parts.split_last() else { return };
    let Some(mut parent) = tree.find(parents).cloned() else { return };
    parent.remove(last);
    if parent.entries().is_empty() && !parents.is_empty() {
        remove(tree, parents);
    } else {
        tree.set(parents, parent);
    }
}
