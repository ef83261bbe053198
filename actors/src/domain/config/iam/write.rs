//! [`Declared`] → the lists of the config file, defaults omitted, references kept. A literal secret is never written: the
//! database has it, and an empty one keeps what the database has.

use crate::domain::config::declared::{
    Declared, DeclaredGroup, DeclaredKey, DeclaredProvider, DeclaredRule, DeclaredUser,
};
use crate::domain::config::model::SecretRef;
use crate::domain::config::scalar::escape;
use crate::domain::config::tree::{Entry, Node, Origin, Value};
use crate::domain::iam::model::Permission;
use serde_json::Value as Json;
use std::collections::BTreeMap;

type Written = BTreeMap<String, String>;

/// The lists that are declared, by their path. `written` has what stood there with `${env:…}` in it.
pub(in crate::domain::config) fn lists(declared: &Declared, written: &Written) -> Vec<(&'static str, Node)> {
    let mut lists = Vec::new();
    if let Some(users) = &declared.users {
        lists.push(("access.iam_users", list(users.iter().map(|entry| user(entry, written)))));
    }
    if let Some(groups) = &declared.groups {
        lists.push(("access.iam_groups", list(groups.iter().map(|entry| group(entry, written)))));
    }
    if let Some(providers) = &declared.providers {
        lists.push(("access.auth_providers", list(providers.iter().map(|entry| provider(entry, written)))));
    }
    if let Some(rules) = &declared.mapping_rules {
        let nodes = rules.iter().enumerate().map(|(index, entry)| rule(entry, index, written));
        lists.push(("access.group_mapping_rules", list(nodes)));
    }
    lists
}

fn list(items: impl Iterator<Item = Node>) -> Node {
    Node::new(Value::List(items.collect()))
}

/// One entry of a list, key by key.
struct Fields<'a> {
    entries: Vec<Entry>,
    /// How its keys are called in `written`.
    prefix: String,
    written: &'a Written,
}

impl<'a> Fields<'a> {
    fn new(prefix: String, written: &'a Written) -> Self {
        Self { entries: Vec::new(), prefix, written }
    }

    fn put(&mut self, key: &str, node: Node) {
        self.entries.push(Entry { key: key.to_owned(), origin: Origin::Default, node });
    }

    fn text(&mut self, key: &str, text: &str) {
        let raw = match self.written.is_empty() {
            true => None,
            false => self.written.get(&format!("{}.{key}", self.prefix)),
        };
        self.put(key, raw.map_or_else(|| Node::text(escape(text)), Node::text));
    }

    fn unless(&mut self, key: &str, text: &str, default: &str) {
        if text != default {
            self.text(key, text);
        }
    }

    fn optional(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    fn flag(&mut self, key: &str, value: bool) {
        if !value {
            self.put(key, Node::plain("false"));
        }
    }

    fn integer(&mut self, key: &str, value: i64) {
        if value != 0 {
            self.put(key, Node::plain(value));
        }
    }

    fn secret(&mut self, key: &str, secret: Option<&SecretRef>) {
        let (kind, text) = match secret {
            Some(SecretRef::Env(name)) => ("env", name.as_str()),
            Some(SecretRef::File(file)) => ("file", file.as_str()),
            Some(SecretRef::Stored(name)) => ("stored", name.as_str()),
            Some(SecretRef::Literal(_)) | None => return,
        };
        self.put(key, Node::map().with(kind, Node::text(text)));
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.put(key, list(texts.iter().map(|text| Node::text(escape(text)))));
        }
    }

    fn permissions(&mut self, permissions: &[Permission]) {
        if !permissions.is_empty() {
            self.put("permissions", list(permissions.iter().enumerate().map(|(index, rule)| permission(rule, index))));
        }
    }

    fn node(self) -> Node {
        Node::new(Value::Map(self.entries))
    }
}

fn user(user: &DeclaredUser, written: &Written) -> Node {
    let mut fields = Fields::new(format!("access.iam_users.{}", user.name), written);
    fields.text("name", &user.name);
    fields.optional("access_key_id", user.access_key_id.as_deref());
    fields.secret("secret_access_key", user.secret_access_key.as_ref());
    fields.flag("enabled", user.enabled);
    fields.texts("groups", &user.groups);
    fields.permissions(&user.permissions);
    if let Some(keys) = &user.access_keys {
        fields.put("access_keys", list(keys.iter().map(|entry| key(entry, written))));
    }
    fields.node()
}

fn key(key: &DeclaredKey, written: &Written) -> Node {
    let mut fields = Fields::new(String::new(), written);
    fields.text("access_key_id", &key.access_key_id);
    fields.secret("secret_access_key", key.secret_access_key.as_ref());
    fields.flag("active", key.active);
    fields.optional("expires_at", key.expires_at.map(|at| at.rfc3339()).as_deref());
    fields.node()
}

fn group(group: &DeclaredGroup, written: &Written) -> Node {
    let mut fields = Fields::new(format!("access.iam_groups.{}", group.name), written);
    fields.text("name", &group.name);
    fields.unless("description", &group.description, "");
    fields.permissions(&group.permissions);
    fields.node()
}

fn provider(provider: &DeclaredProvider, written: &Written) -> Node {
    let mut fields = Fields::new(format!("access.auth_providers.{}", provider.name), written);
    fields.text("name", &provider.name);
    fields.unless("provider_type", &provider.provider_type, "oidc");
    fields.flag("enabled", provider.enabled);
    fields.integer("priority", provider.priority);
    fields.optional("display_name", provider.display_name.as_deref());
    fields.optional("client_id", provider.client_id.as_deref());
    fields.secret("client_secret", provider.client_secret.as_ref());
    fields.optional("issuer_url", provider.issuer_url.as_deref());
    fields.unless("scopes", &provider.scopes, "openid email profile");
    if let Some(extra) = provider.extra_config.as_ref().filter(|extra| extra.is_object()) {
        fields.put("extra_config", tree(extra));
    }
    fields.node()
}

fn rule(rule: &DeclaredRule, index: usize, written: &Written) -> Node {
    let mut fields = Fields::new(format!("access.group_mapping_rules.{index}"), written);
    fields.optional("provider", rule.provider.as_deref());
    fields.integer("priority", rule.priority);
    fields.text("match_type", &rule.match_type);
    fields.unless("match_field", &rule.match_field, "email");
    fields.text("match_value", &rule.match_value);
    fields.text("group", &rule.group);
    fields.flag("enabled", rule.enabled);
    fields.node()
}

/// A rule; its id only where it is not its place in the list.
fn permission(permission: &Permission, index: usize) -> Node {
    let mut fields = Vec::new();
    let mut put = |key: &str, node| fields.push(Entry { key: key.to_owned(), origin: Origin::Default, node });
    if permission.id != (index + 1).to_string() {
        put("id", Node::text(&permission.id));
    }
    put("effect", Node::text(format!("{:?}", permission.effect)));
    put("actions", list(permission.actions.iter().map(Node::text)));
    put("resources", list(permission.resources.iter().map(Node::text)));
    if !permission.conditions.is_empty() {
        put("conditions", tree(&serde_json::to_value(&permission.conditions).unwrap_or_default()));
    }
    Node::new(Value::Map(fields))
}

/// JSON as a tree, to the letter.
pub(in crate::domain::config) fn tree(json: &Json) -> Node {
    match json {
        Json::Null => Node::default(),
        Json::Bool(_) | Json::Number(_) => Node::plain(json),
        Json::String(text) => Node::text(text),
        Json::Array(items) => list(items.iter().map(tree)),
        Json::Object(map) => {
            let entries =
                map.iter().map(|(key, value)| Entry { key: key.clone(), origin: Origin::Default, node: tree(value) });
            Node::new(Value::Map(entries.collect()))
        }
    }
}
