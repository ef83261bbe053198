//! The lists of IAM in the config file: tree → [`Declared`], and the rules that look at more than one entry.

mod document;
mod write;

pub use self::document::{document, with_document};
pub(super) use self::write::{lists, tree};

use super::build::Values;
use super::check::{Checker, Found, Part, Typed};
use super::declared::{Declared, DeclaredGroup, DeclaredKey, DeclaredProvider, DeclaredRule, DeclaredUser};
use super::model::SecretRef;
use super::problem::Complaint;
use super::tree::{Node, Value};
use crate::domain::iam::change::check_name;
use crate::domain::iam::check::check_permission;
use crate::domain::iam::model::Permission;
use serde_json::{Map, Number, Value as Json};
use std::collections::{BTreeSet, HashSet};

const USERS: &str = "access.iam_users";
const GROUPS: &str = "access.iam_groups";
const PROVIDERS: &str = "access.auth_providers";
const RULES: &str = "access.group_mapping_rules";

/// One rule, checked. Variables of the environment stand in none, so that a rule reads the same everywhere.
pub(super) fn rule(node: &Node) -> Result<Permission, Complaint> {
    let rule: Permission =
        serde_json::from_value(json(node)?).map_err(|error| Complaint::new(format!("is no rule: {error}")))?;
    check_permission(&rule).map_err(Complaint::new)?;
    Ok(rule)
}

/// A tree as JSON, by the core schema of YAML 1.2.
pub(super) fn json(node: &Node) -> Result<Json, Complaint> {
    Ok(match &node.value {
        Value::Null => Json::Null,
        Value::List(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| Ok((entry.key.clone(), json(&entry.node)?)));
            Json::Object(pairs.collect::<Result<Map<_, _>, Complaint>>()?)
        }
        Value::Scalar { text, .. } if text.contains("${env:") => {
            return Err(Complaint::new("no variable of the environment is put in here").suggest("write the value out"));
        }
        Value::Scalar { text, plain: true } => match text.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => text.parse::<Number>().map_or_else(|_| Json::from(text.as_str()), Json::Number),
        },
        Value::Scalar { text, plain: false } => Json::from(text.as_str()),
    })
}

/// Builds the four lists.
pub(super) fn declared(values: &mut Values<'_>, checker: &mut Checker<'_>) -> Declared {
    let mut read = Read { checker, names: HashSet::new() };
    let declared = Declared {
        users: list(values, &mut read, USERS, user),
        groups: list(values, &mut read, GROUPS, group),
        providers: list(values, &mut read, PROVIDERS, provider),
        mapping_rules: list(values, &mut read, RULES, mapping_rule),
    };
    references(values, checker, &declared);
    declared
}

type Entry<T> = fn(&mut Values<'_>, &mut Read<'_, '_>, &Item<'_>) -> T;

fn list<T>(values: &mut Values<'_>, read: &mut Read<'_, '_>, path: &'static str, entry: Entry<T>) -> Option<Vec<T>> {
    let parts = values.is_listed(path).then(|| values.parts(path))?;
    Some(parts.iter().map(|part| entry(values, read, &Item { list: path, part })).collect())
}

/// What reading the lists needs beside the values.
struct Read<'c, 'e> {
    checker: &'c mut Checker<'e>,
    /// (list, name) of what was seen, and access key ids as (`access_key_id`, id).
    names: HashSet<(&'static str, String)>,
}

impl Read<'_, '_> {
    fn complain(&mut self, item: &Item<'_>, key: &str, complaint: Complaint) {
        let path = format!("{}.{key}", item.part.shown);
        let known = self.checker.problems.iter().any(|problem| problem.path == path);
        if !known {
            let origin = item.found(key).map_or(&item.part.origin, |found| &found.origin);
            self.checker.problem(&path, origin, complaint);
        }
    }

    /// The entry's name: there, good, and of no other entry.
    fn name(&mut self, item: &Item<'_>, what: &'static str) -> String {
        let Some(name) = item.text("name") else {
            self.complain(item, "name", Complaint::new("is missing"));
            return String::new();
        };
        if let Err(error) = check_name(what, &name) {
            self.complain(item, "name", Complaint::new(error.message()));
        }
        if !self.names.insert((item.list, name.clone())) {
            self.complain(item, "name", Complaint::new(format!("another {what} is named `{name}`")));
        }
        name
    }

    fn access_key(&mut self, item: &Item<'_>, id: &str) {
        if !self.names.insert(("access_key_id", id.to_owned())) {
            self.complain(item, "access_key_id", Complaint::new(format!("the key `{id}` is here twice")));
        }
    }

    fn required(&mut self, item: &Item<'_>, key: &str) -> String {
        item.text(key).unwrap_or_else(|| {
            self.complain(item, key, Complaint::new("is missing"));
            String::new()
        })
    }
}

/// One entry of a list.
struct Item<'a> {
    list: &'static str,
    part: &'a Part,
}

impl Item<'_> {
    fn found(&self, key: &str) -> Option<&Found> {
        self.part.section.values.get(format!("{}[].{key}", self.list).as_str())
    }

    fn text(&self, key: &str) -> Option<String> {
        match &self.found(key)?.typed {
            Typed::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn flag(&self, key: &str) -> bool {
        !matches!(self.found(key).map(|found| &found.typed), Some(Typed::Flag(false)))
    }

    fn integer(&self, key: &str) -> i64 {
        match self.found(key).map(|found| &found.typed) {
            Some(Typed::Integer(number)) => *number,
            _ => 0,
        }
    }

    /// A secret; an empty one is none.
    fn secret(&self, key: &str) -> Option<SecretRef> {
        match &self.found(key)?.typed {
            Typed::Secret(SecretRef::Literal(secret)) if secret.is_empty() => None,
            Typed::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }

    fn permissions(&self) -> Vec<Permission> {
        match self.found("permissions").map(|found| &found.typed) {
            Some(Typed::Rules(rules)) => rules.clone(),
            _ => Vec::new(),
        }
    }

    /// Keeps what was written with variables in it, so that rewriting the file keeps them.
    fn note(&self, values: &mut Values<'_>, name: &str) {
        for (path, found) in self.part.section.values.iter().filter(|(_, found)| found.written.is_some()) {
            let key = path.rsplit('.').next().unwrap_or_default();
            values.note(format!("{}.{name}.{key}", self.list), found);
        }
    }
}

fn user(values: &mut Values<'_>, read: &mut Read<'_, '_>, item: &Item<'_>) -> DeclaredUser {
    let name = read.name(item, "user");
    item.note(values, &name);
    let access_key_id = item.text("access_key_id");
    let secret_access_key = item.secret("secret_access_key");
    match &access_key_id {
        Some(id) => read.access_key(item, id),
        None if secret_access_key.is_some() => {
            read.complain(item, "secret_access_key", Complaint::new("a secret without its access key id"));
        }
        None => {}
    }
    let groups = match item.found("groups").map(|found| &found.typed) {
        Some(Typed::Texts(names)) => names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
        _ => Vec::new(),
    };
    const KEYS: &str = "access.iam_users[].access_keys";
    let further = item.part.section.parts.get(KEYS);
    let access_keys = further.map(|parts| parts.iter().map(|part| key(read, &Item { list: KEYS, part })).collect());
    DeclaredUser {
        name,
        access_key_id,
        secret_access_key,
        enabled: item.flag("enabled"),
        groups,
        permissions: item.permissions(),
        access_keys,
    }
}

fn key(read: &mut Read<'_, '_>, item: &Item<'_>) -> DeclaredKey {
    let access_key_id = read.required(item, "access_key_id");
    read.access_key(item, &access_key_id);
    DeclaredKey {
        access_key_id,
        secret_access_key: item.secret("secret_access_key"),
        active: item.flag("active"),
        expires_at: item.text("expires_at").and_then(|text| serde_json::from_value(Json::from(text)).ok()),
    }
}

fn group(values: &mut Values<'_>, read: &mut Read<'_, '_>, item: &Item<'_>) -> DeclaredGroup {
    let name = read.name(item, "group");
    item.note(values, &name);
    let description = item.text("description").unwrap_or_default();
    DeclaredGroup { name, description, permissions: item.permissions() }
}

fn provider(values: &mut Values<'_>, read: &mut Read<'_, '_>, item: &Item<'_>) -> DeclaredProvider {
    let name = read.name(item, "provider");
    item.note(values, &name);
    DeclaredProvider {
        name,
        provider_type: item.text("provider_type").unwrap_or_else(|| "oidc".to_owned()),
        enabled: item.flag("enabled"),
        priority: item.integer("priority"),
        display_name: item.text("display_name"),
        client_id: item.text("client_id"),
        client_secret: item.secret("client_secret"),
        issuer_url: item.text("issuer_url"),
        scopes: item.text("scopes").unwrap_or_else(|| "openid email profile".to_owned()),
        extra_config: match item.found("extra_config").map(|found| &found.typed) {
            Some(Typed::Json(json)) => Some(json.clone()),
            _ => None,
        },
    }
}

fn mapping_rule(values: &mut Values<'_>, read: &mut Read<'_, '_>, item: &Item<'_>) -> DeclaredRule {
    item.note(values, &item.part.name);
    DeclaredRule {
        provider: item.text("provider"),
        priority: item.integer("priority"),
        match_type: read.required(item, "match_type"),
        match_field: item.text("match_field").unwrap_or_else(|| "email".to_owned()),
        match_value: read.required(item, "match_value"),
        group: read.required(item, "group"),
        enabled: item.flag("enabled"),
    }
}

/// Names that point at nothing, as far as the lists that they point into are written.
fn references(values: &Values<'_>, checker: &mut Checker<'_>, declared: &Declared) {
    let mut missing = |path: String, part: &Part, what: &str, name: &str, known: &[&str]| {
        let complaint =
            Complaint::new(format!("there is no {what} `{name}` in the file")).near(name, known.iter().copied());
        checker.problem(&path, &part.origin, complaint);
    };
    if let Some(groups) = &declared.groups {
        let known: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        let names: HashSet<&str> = known.iter().copied().collect();
        for (user, part) in declared.users.iter().flatten().zip(values.parts(USERS)) {
            for name in user.groups.iter().filter(|name| !names.contains(name.as_str())) {
                missing(format!("{}.groups", part.shown), part, "group", name, &known);
            }
        }
        for (rule, part) in declared.mapping_rules.iter().flatten().zip(values.parts(RULES)) {
            if !rule.group.is_empty() && !names.contains(rule.group.as_str()) {
                missing(format!("{}.group", part.shown), part, "group", &rule.group, &known);
            }
        }
    }
    if let Some(providers) = &declared.providers {
        let known: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
        for (rule, part) in declared.mapping_rules.iter().flatten().zip(values.parts(RULES)) {
            if let Some(name) = rule.provider.as_deref().filter(|name| !known.contains(name)) {
                missing(format!("{}.provider", part.shown), part, "provider", name, &known);
            }
        }
    }
}
