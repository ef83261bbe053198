//! Tree → typed values by the table of keys, collecting every problem on the way.

use super::iam;
use super::model::{SecretRef, WrittenPath};
use super::problem::{Complaint, Problem};
use super::rule::Rule;
use super::scalar::{self, Environment};
use super::table::{self, Key, Kind, REGISTRY_KEYS};
use super::tree::{Entry, Node, Origin, Value};
use crate::domain::iam::check::check_permissions;
use crate::domain::iam::model::Permission;
use crate::domain::secret::Secret;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::time::Duration;

/// A value of the type that its key has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A text, word, name or path.
    Text(String),
    /// Several.
    Texts(Vec<String>),
    /// An address.
    Address(SocketAddr),
    /// A number, or a size in bytes.
    Count(u64),
    /// A yes or no.
    Flag(bool),
    /// A duration.
    Duration(Duration),
    /// A secret or a reference to one.
    Secret(SecretRef),
    /// A whole number.
    Integer(i64),
    /// Rules of IAM, each with an id of its own.
    Rules(Vec<Permission>),
    /// A map of anything, or data of a fixed shape.
    Json(serde_json::Value),
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value.
    pub typed: Typed,
    /// Its origin.
    pub origin: Origin,
    /// What was written, where `${env:…}` stands in it; the items of a list by lines.
    pub written: Option<String>,
}

/// The values of a section by their path in the table, and the items of its lists and named maps.
#[derive(Debug, Default)]
pub struct Section {
    /// Values by table path.
    pub values: BTreeMap<&'static str, Found>,
    /// Items by the table path of the list or map.
    pub parts: BTreeMap<&'static str, Vec<Part>>,
}

/// An item of a list, or an entry of a map by name.
#[derive(Debug)]
pub struct Part {
    /// The name of the entry; the index of a list item.
    pub name: String,
    /// How problems name it: `storage.backends[0]`.
    pub shown: String,
    /// Where it stands.
    pub origin: Origin,
    /// What it holds.
    pub section: Section,
}

/// Which document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A config file.
    File,
    /// The `config.yaml` of an archive: its buckets carry the registry's part, too.
    Archive,
}

/// Walks a tree; problems are added to `problems`.
pub struct Checker<'a> {
    /// What `${env:NAME}` stands for.
    pub environment: &'a Environment,
    /// Which document is read.
    pub form: Form,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Checker<'_> {
    /// Checks the whole document.
    pub fn document(&mut self, tree: &Node) -> Section {
        let mut section = Section::default();
        match tree.value {
            Value::Map(_) => self.section("", "", tree, &mut section),
            _ => self.problem("", &tree.origin, Complaint::new("the file must be a map of keys")),
        }
        section
    }

    /// Adds a problem at a place.
    pub fn problem(&mut self, path: &str, origin: &Origin, complaint: Complaint) {
        let (line, column) = origin.place();
        let message = match origin {
            Origin::Env(name) => format!("{} (in the environment variable {name})", complaint.message),
            Origin::Set => format!("{} (in `set`)", complaint.message),
            Origin::File { .. } | Origin::Default => complaint.message,
        };
        self.problems.push(Problem { path: path.to_owned(), line, column, message, suggestion: complaint.suggestion });
    }

    fn section(&mut self, parent: &str, shown: &str, node: &Node, out: &mut Section) {
        for entry in node.entries() {
            let path = join(shown, &entry.key);
            let Some(key) = self.children(parent).find(|key| plain_name(key) == entry.key) else {
                let complaint = self.unknown(parent, &entry.key);
                self.problem(&path, &entry.origin, complaint);
                continue;
            };
            match (key.kind, &entry.node.value) {
                (Kind::Section | Kind::Items | Kind::Named(_), Value::Null) => {}
                (Kind::Section | Kind::Variant(_), Value::Map(_)) => self.section(key.path, &path, &entry.node, out),
                (Kind::Items, Value::List(items)) => {
                    let parts = items.iter().enumerate().map(|(index, item)| self.item(key, &path, index, item));
                    out.parts.insert(key.path, parts.collect());
                }
                (Kind::Named(rule), Value::Map(entries)) => {
                    let parts = entries.iter().map(|named| self.named(key, rule, &path, named));
                    out.parts.insert(key.path, parts.collect());
                }
                (Kind::Section, _) => self.problem(&path, &entry.origin, Complaint::new("must be a map of keys")),
                (Kind::Items, _) => {
                    let complaint = Complaint::new("must be a list").suggest("begin each item with `- `");
                    self.problem(&path, &entry.origin, complaint);
                }
                (Kind::Rules, Value::List(items)) => {
                    let rules = self.rules(&path, items);
                    let typed = Typed::Rules(rules);
                    out.values.insert(key.path, Found { typed, origin: entry.node.origin.clone(), written: None });
                }
                (Kind::Named(_), _) => self.problem(&path, &entry.origin, Complaint::new("must be a map by name")),
                _ => match self.value(key, &entry.node) {
                    Ok(found) => {
                        out.values.insert(key.path, found);
                    }
                    Err(complaint) => {
                        let origin =
                            if matches!(entry.node.value, Value::Null) { &entry.origin } else { &entry.node.origin };
                        self.problem(&path, origin, complaint);
                    }
                },
            }
        }
    }

    fn item(&mut self, key: &Key, path: &str, index: usize, item: &Node) -> Part {
        let shown = format!("{path}[{index}]");
        let mut section = Section::default();
        match item.value {
            Value::Map(_) => self.section(&format!("{}[]", key.path), &shown, item, &mut section),
            _ => self.problem(&shown, &item.origin, Complaint::new("must be a map of keys")),
        }
        Part { name: index.to_string(), shown, origin: item.origin.clone(), section }
    }

    fn rules(&mut self, path: &str, items: &[Node]) -> Vec<Permission> {
        let mut rules = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match iam::rule(item) {
                Ok(rule) => rules.push(rule),
                Err(complaint) => self.problem(&format!("{path}[{index}]"), &item.origin, complaint),
            }
        }
        let origin = items.first().map(|item| item.origin.clone()).unwrap_or_default();
        check_permissions(rules).unwrap_or_else(|error| {
            self.problem(path, &origin, Complaint::new(error.message()));
            Vec::new()
        })
    }

    fn named(&mut self, key: &Key, rule: Rule, path: &str, named: &Entry) -> Part {
        let shown = join(path, &named.key);
        let mut section = Section::default();
        if let Err(complaint) = rule.check(&named.key) {
            self.problem(&shown, &named.origin, complaint);
        }
        match named.node.value {
            Value::Map(_) => self.section(&format!("{}.*", key.path), &shown, &named.node, &mut section),
            Value::Null => {}
            _ => self.problem(&shown, &named.origin, Complaint::new("must be a map of keys")),
        }
        Part { name: named.key.clone(), shown, origin: named.origin.clone(), section }
    }

    fn children(&self, parent: &str) -> impl Iterator<Item = &'static Key> + use<> {
        let registry: &'static [Key] = if self.form == Form::Archive { REGISTRY_KEYS } else { &[] };
        let owned = parent.to_owned();
        table::children(parent).chain(registry.iter().filter(move |key| key.parent() == owned))
    }

    fn unknown(&self, parent: &str, name: &str) -> Complaint {
        let here: Vec<&str> = self.children(parent).map(plain_name).collect();
        let complaint = Complaint::new("unknown key").near(name, here.iter().copied());
        if complaint.suggestion.is_some() {
            return complaint;
        }
        let same = |key: &&Key| plain_name(key) == name && !key.path.contains(['[', '*']);
        // Whoever forgot a section seldom means the one backend's.
        let elsewhere = table::keys().filter(|key| key.parent() != "storage.backend").find(same);
        let elsewhere = elsewhere.or_else(|| table::keys().find(same));
        match elsewhere {
            Some(key) => complaint.suggest(format!("it stands in `{}`: `{}`", key.parent(), key.path)),
            None => complaint.suggest(format!("known here: {}", here.join(", "))),
        }
    }

    fn value(&self, key: &Key, node: &Node) -> Result<Found, Complaint> {
        let found = |typed, written| Found { typed, origin: node.origin.clone(), written };
        match (key.kind, &node.value) {
            (_, Value::Null) => Err(Complaint::new("has no value").suggest("remove the key or give it a value")),
            (Kind::Texts(rule), Value::List(items)) => {
                let texts: Result<Vec<String>, Complaint> =
                    items.iter().map(|item| self.text_item(rule, item)).collect();
                let raw: Vec<&str> = items.iter().filter_map(Node::as_text).collect();
                let written = raw.iter().any(|text| text.contains("${env:")).then(|| raw.join("\n"));
                Ok(found(Typed::Texts(texts?), written))
            }
            (Kind::Texts(_), Value::Scalar { text, .. }) => {
                Err(Complaint::new("must be a list").suggest(format!("write `[{text}]`")))
            }
            (Kind::Rules, _) => Err(Complaint::new("must be a list of rules").suggest("begin each item with `- `")),
            (Kind::Json, Value::Map(_)) => Ok(found(Typed::Json(iam::json(node)?), None)),
            (Kind::Json, _) => Err(Complaint::new("must be a map of keys")),
            (Kind::Data(shape), _) => Ok(found(Typed::Json(shape.read(node, self.form)?), None)),
            (Kind::Secret(rule), _) => Ok(found(Typed::Secret(self.secret(rule, node)?), None)),
            (kind, Value::Scalar { text, plain }) => {
                if matches!(kind, Kind::Count(..) | Kind::Integer)
                    && !plain
                    && matches!(node.origin, Origin::File { .. })
                {
                    return Err(Complaint::new("must be a number").suggest("write it without quotes"));
                }
                let (text, written) = self.expanded(text, &node.origin)?;
                Ok(found(typed(kind, &text)?, written))
            }
            (_, Value::List(_)) => Err(Complaint::new("must be one value, not a list")),
            (_, Value::Map(_)) => Err(Complaint::new("must be one value, not a map")),
        }
    }

    fn text_item(&self, rule: Rule, item: &Node) -> Result<String, Complaint> {
        let text = item.as_text().ok_or_else(|| Complaint::new("every item must be a text"))?;
        let (text, _) = self.expanded(text, &item.origin)?;
        rule.check(&text).map(|()| text)
    }

    /// The text with its variables put in, and what was written where that differs. A value from the environment is literal.
    fn expanded(&self, text: &str, origin: &Origin) -> Result<(String, Option<String>), Complaint> {
        match origin {
            Origin::File { .. } if scalar::is_interpolated(text) => {
                let written = text.contains("${env:").then(|| text.to_owned());
                Ok((scalar::interpolate(text, self.environment)?, written))
            }
            _ => Ok((text.to_owned(), None)),
        }
    }

    fn secret(&self, rule: Rule, node: &Node) -> Result<SecretRef, Complaint> {
        const SHAPES: &str = "write `{env: NAME}`, `{file: PATH}` or `{stored: NAME}`";
        match (&node.value, &node.origin) {
            (Value::Scalar { text, .. }, Origin::Env(name)) => rule.check(text).map(|()| SecretRef::Env(name.clone())),
            (Value::Scalar { text, .. }, origin) => {
                if let (Some(name), Origin::File { .. }) = (scalar::whole_reference(text), origin) {
                    return Ok(SecretRef::Env(name.to_owned()));
                }
                let (text, _) = self.expanded(text, origin)?;
                rule.check(&text)?;
                let text = if rule == Rule::PasswordHash { super::rule::decode_hash(&text)? } else { text };
                Ok(SecretRef::Literal(Secret::new(text)))
            }
            (Value::Map(entries), _) => match entries.as_slice() {
                [Entry { key, node, .. }] => reference(key, node.as_text().unwrap_or_default()),
                _ => Err(Complaint::new("a reference has exactly one key").suggest(SHAPES)),
            },
            _ => Err(Complaint::new("must be a text or a reference").suggest(SHAPES)),
        }
    }
}

fn reference(key: &str, text: &str) -> Result<SecretRef, Complaint> {
    match key {
        "env" if scalar::is_variable(text) => Ok(SecretRef::Env(text.to_owned())),
        "env" => Err(Complaint::new("`env:` needs the name of an environment variable")),
        "file" => Rule::Path.check(text).map(|()| SecretRef::File(WrittenPath::new(text))),
        "stored" => Rule::Word.check(text).map(|()| SecretRef::Stored(text.to_owned())),
        _ => Err(Complaint::new(format!("`{key}` is no kind of reference")).near(key, ["env", "file", "stored"])),
    }
}

/// Reads the text of a scalar; defaults go through here, too.
pub fn typed(kind: Kind, text: &str) -> Result<Typed, Complaint> {
    let between = |value: u64, from: u64, to: u64, show: &dyn Fn(u64) -> String| match (from..=to).contains(&value) {
        true => Ok(()),
        false => {
            let message = format!("`{text}` is out of range");
            Err(Complaint::new(message).suggest(format!("use {} to {}", show(from), show(to))))
        }
    };
    match kind {
        Kind::Choice(words) | Kind::Variant(words) if words.contains(&text) => Ok(Typed::Text(text.to_owned())),
        Kind::Choice(words) | Kind::Variant(words) => {
            let complaint =
                Complaint::new(format!("`{text}` is none of {}", words.join(", "))).near(text, words.iter().copied());
            Err(if complaint.suggestion.is_none() {
                complaint.suggest(format!("use {}", words.join(" or ")))
            } else {
                complaint
            })
        }
        Kind::Text(rule) => rule.check(text).map(|()| Typed::Text(text.to_owned())),
        Kind::Texts(rule) => {
            let texts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
            texts.iter().try_for_each(|part| rule.check(part))?;
            Ok(Typed::Texts(texts))
        }
        Kind::Address => address(text).map(Typed::Address),
        Kind::Flag => match text {
            "true" => Ok(Typed::Flag(true)),
            "false" => Ok(Typed::Flag(false)),
            _ => Err(Complaint::new(format!("`{text}` is neither true nor false")).suggest("use true or false")),
        },
        Kind::Count(from, to) => {
            let number = text.parse().map_err(|_| Complaint::new(format!("`{text}` is no whole number")))?;
            between(number, from, to, &|n| n.to_string())?;
            Ok(Typed::Count(number))
        }
        Kind::Size(from, to) => {
            let bytes = scalar::parse_size(text)?;
            between(bytes, from, to, &scalar::size_text)?;
            Ok(Typed::Count(bytes))
        }
        Kind::Duration(from, to) => {
            let duration = scalar::parse_duration(text)?;
            let show = |seconds| scalar::duration_text(Duration::from_secs(seconds));
            let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
            between(if duration.as_secs() < from { duration.as_secs() } else { seconds }, from, to, &show)?;
            Ok(Typed::Duration(duration))
        }
        Kind::Secret(rule) => rule.check(text).map(|()| Typed::Secret(SecretRef::Literal(Secret::new(text)))),
        Kind::Integer => match text.parse() {
            Ok(number) => Ok(Typed::Integer(number)),
            Err(_) => Err(Complaint::new(format!("`{text}` is no whole number"))),
        },
        Kind::Section | Kind::Items | Kind::Named(_) | Kind::Rules | Kind::Json | Kind::Data(_) => {
            Err(Complaint::new("holds no single value"))
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, Complaint> {
    text.parse().map_err(|_| {
        let complaint = Complaint::new(format!("`{text}` is no address"));
        let guess = match text.rsplit_once(':') {
            Some(("localhost", port)) => format!("127.0.0.1:{port}"),
            Some(("" | "*", port)) => format!("0.0.0.0:{port}"),
            _ if text.parse::<u16>().is_ok() => format!("127.0.0.1:{text}"),
            _ if text.parse::<core::net::IpAddr>().is_ok() => format!("{text}:9000"),
            _ => String::new(),
        };
        match guess.parse::<SocketAddr>() {
            Ok(address) => complaint.suggest(format!("did you mean `{address}`?")),
            Err(_) => complaint.suggest("write it as `127.0.0.1:9000` or `[::1]:9000`"),
        }
    })
}

/// The name of a key as it is written: without the mark of a list.
fn plain_name(key: &Key) -> &'static str {
    key.name().trim_end_matches("[]")
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}
