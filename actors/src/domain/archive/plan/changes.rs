//! What a restore adds, changes and removes, counted and named.

use crate::domain::archive::plan::fields::FieldChange;
use crate::domain::archive::plan::{Current, fields};
use crate::domain::config::canonical::{Literals, literal_secrets, to_tree};
use crate::domain::config::load::Loaded;
use crate::domain::config::model::Config;
use crate::domain::config::table::{self, Reload};
use crate::domain::config::tree::{Node, Value};
use crate::domain::iam::model::User;
use crate::domain::state::State;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "each field is named after what it counts")]
pub struct Changes {
    pub users: Counted,
    pub groups: Counted,
    pub providers: Counted,
    pub mapping_rules: Counted,
    pub external_identities: Counted,
    pub tokens: Counted,
    pub buckets: Counted,
    pub config: Vec<ConfigChange>,
}

/// The changes of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// In the archive only.
    pub created: usize,
    /// In both, and different.
    pub updated: usize,
    /// Here only.
    pub deleted: usize,
    /// In both, and equal.
    pub unchanged: usize,
    /// What is created, updated or deleted.
    pub items: Vec<Item>,
}

/// One changed entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What happens to it.
    pub change: Change,
    /// What differs, where it is updated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// What happens to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Change {
    Created,
    Updated,
    Deleted,
}

/// One changed value of the config; a secret is shown as `(secret)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigChange {
    /// Its path.
    pub path: String,
    /// As it is; `None` where it is not set.
    pub from: Option<String>,
    /// As it becomes; `None` where it is not set any more.
    pub to: Option<String>,
    /// It takes effect with the next start.
    #[serde(skip)]
    pub restart: bool,
}

impl Changes {
    /// The changes from what is to what becomes.
    pub(super) fn between(current: Current<'_>, next: &State, next_config: &Loaded) -> Self {
        let now = current.state;
        let same = |a: &User, b: &User| *a == User { credential_version: a.credential_version, ..b.clone() };
        Self {
            users: counted(&now.users, &next.users, |u| u.name.clone(), same, |a, b| fields::user(now, next, a, b)),
            groups: counted(&now.groups, &next.groups, |g| g.name.clone(), PartialEq::eq, fields::group),
            providers: counted(&now.providers, &next.providers, |p| p.name.clone(), PartialEq::eq, fields::provider),
            mapping_rules: counted(
                &now.mapping_rules,
                &next.mapping_rules,
                |r| r.match_value.clone(),
                PartialEq::eq,
                fields::stored,
            ),
            external_identities: counted(
                &now.identities,
                &next.identities,
                |i| i.external_sub.clone(),
                PartialEq::eq,
                fields::stored,
            ),
            tokens: counted(&now.tokens, &next.tokens, |t| t.name.clone(), PartialEq::eq, fields::token),
            buckets: counted(&now.buckets, &next.buckets, |b| b.name.to_string(), PartialEq::eq, fields::stored),
            config: config(&current.config.config, &next_config.config),
        }
    }
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, list)| list.items.is_empty()) && self.config.is_empty()
    }

    /// What differs, each with its kind and name.
    pub(super) fn names(&self) -> Vec<String> {
        let lists = self.lists();
        let items = lists.iter().flat_map(|(kind, list)| list.items.iter().map(move |item| (kind, item)));
        let mut names: Vec<String> = items.map(|(kind, item)| format!("{kind} `{}`", item.name)).collect();
        names.extend(self.config.iter().map(|change| format!("`{}`", change.path)));
        names
    }

    fn lists(&self) -> [(&'static str, &Counted); 7] {
        [
            ("user", &self.users),
            ("group", &self.groups),
            ("provider", &self.providers),
            ("mapping rule", &self.mapping_rules),
            ("identity", &self.external_identities),
            ("token", &self.tokens),
            ("bucket", &self.buckets),
        ]
    }
}

fn counted<K: Ord + ToString, T>(
    now: &BTreeMap<K, Arc<T>>,
    next: &BTreeMap<K, Arc<T>>,
    name: impl Fn(&T) -> String,
    same: impl Fn(&T, &T) -> bool,
    differences: impl Fn(&T, &T) -> Vec<FieldChange>,
) -> Counted {
    let mut counted = Counted::default();
    let item = |id: &K, entry: &T, change| Item { id: id.to_string(), name: name(entry), change, fields: Vec::new() };
    for (id, entry) in next {
        match now.get(id) {
            None => {
                counted.created += 1;
                counted.items.push(item(id, entry, Change::Created));
            }
            Some(own) if Arc::ptr_eq(own, entry) || same(own, entry) => counted.unchanged += 1,
            Some(own) => {
                counted.updated += 1;
                let fields = differences(own, entry);
                counted.items.push(Item { fields, ..item(id, entry, Change::Updated) });
            }
        }
    }
    for (id, entry) in now.iter().filter(|(id, _)| !next.contains_key(*id)) {
        counted.deleted += 1;
        counted.items.push(item(id, entry, Change::Deleted));
    }
    counted
}

/// The values that differ, in the order of their paths.
fn config(now: &Config, next: &Config) -> Vec<ConfigChange> {
    let (mut from, mut to) = (values(now), values(next));
    let mut changes = Vec::new();
    let (old, new) = (literal_secrets(now), literal_secrets(next));
    for path in old.keys().chain(new.keys()).filter(|path| old.get(*path) != new.get(*path)) {
        let shown = |secrets: &BTreeMap<_, _>, mark: &str| secrets.get(path).map(|_| mark.to_owned());
        if let Some(mark) = shown(&old, "(secret)") {
            from.insert(path.clone(), mark);
        }
        if let Some(mark) = shown(&new, "(another secret)") {
            to.insert(path.clone(), mark);
        }
    }
    let paths: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    for path in paths.into_iter().filter(|path| from.get(*path) != to.get(*path)) {
        changes.push(ConfigChange {
            path: path.clone(),
            from: from.get(path).cloned(),
            to: to.get(path).cloned(),
            restart: table::key(path).is_some_and(|key| key.reload == Reload::Restart),
        });
    }
    changes
}

/// Every value by its path, as the canonical file would have it.
fn values(config: &Config) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    collect(&to_tree(config, &BTreeMap::new(), Literals::Omit), String::new(), &mut values);
    values
}

fn collect(node: &Node, path: String, values: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match &node.value {
        Value::Null => {}
        Value::Scalar { text, .. } => {
            values.insert(path, text.clone());
        }
        Value::Map(entries) => {
            for entry in entries {
                collect(&entry.node, below(&entry.key), values);
            }
        }
        Value::List(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Node::as_text).collect();
            match texts {
                Some(texts) => {
                    values.insert(path, texts.join(", "));
                }
                None => {
                    for item in items {
                        let name = item.get("name").and_then(Node::as_text).unwrap_or_default();
                        collect(item, below(name), values);
                    }
                }
            }
        }
    }
}
