//! The table of keys: the one home of everything that is known of a key of the configuration.
//!
//! The strict reader, its suggestions, the environment overrides, the defaults, the JSON Schema, the annotated defaults and
//! the list of host settings are all made from it.

mod access;
mod admission;
mod advanced;
mod backup;
pub mod iam;
mod storage;

pub use self::storage::REGISTRY_KEYS;
use super::rule::Rule;
use super::shape::Shape;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What is known of one key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Where it stands: `storage.backends[].name` (`[]` an item of a list, `*` a name that the operator chose).
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its value where it is not written, as it would be written.
    pub default: Option<&'static str>,
    /// One sentence for the schema, the example and the console.
    pub doc: &'static str,
    /// Well-known environment variables beside the mechanical one.
    pub env: &'static [&'static str],
    /// What a change takes.
    pub reload: Reload,
    /// It belongs to the host: a restore leaves it as it is.
    pub host_setting: bool,
    /// Where the older flat shape has it.
    pub flat: Option<&'static str>,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A map of keys that are in the table.
    Section,
    /// A list of such maps.
    Items,
    /// A map by names that the operator chose, of such maps.
    Named(Rule),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text that follows a rule.
    Text(Rule),
    /// A list of such texts.
    Texts(Rule),
    /// `IP:port`.
    Address,
    /// `true` or `false`.
    Flag,
    /// A whole number, from and to.
    Count(u64, u64),
    /// A duration, from and to, in seconds.
    Duration(u64, u64),
    /// A size, from and to, in bytes.
    Size(u64, u64),
    /// A secret: a reference or a literal.
    Secret(Rule),
    /// One of these words, or a map of keys that says more.
    Variant(&'static [&'static str]),
    /// A whole number, negative ones too.
    Integer,
    /// A list of rules of IAM.
    Rules,
    /// A map of anything.
    Json,
    /// Data of a fixed shape.
    Data(Shape),
}

/// What a change of a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The next request sees it.
    Live,
    /// The backend is opened anew.
    Reconnect,
    /// The process must start again.
    Restart,
}

impl Reload {
    /// The word that the schema and the console use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Reconnect => "reconnect",
            Self::Restart => "restart",
        }
    }
}

impl Key {
    const fn new(path: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { path, kind, default: None, doc, env: &[], reload: Reload::Live, host_setting: false, flat: None }
    }

    const fn default(self, text: &'static str) -> Self {
        Self { default: Some(text), ..self }
    }

    const fn env(self, names: &'static [&'static str]) -> Self {
        Self { env: names, ..self }
    }

    const fn reconnect(self) -> Self {
        Self { reload: Reload::Reconnect, ..self }
    }

    const fn restart(self) -> Self {
        Self { reload: Reload::Restart, ..self }
    }

    const fn host(self) -> Self {
        Self { host_setting: true, ..self }
    }

    const fn flat(self, name: &'static str) -> Self {
        Self { flat: Some(name), ..self }
    }

    /// The last part of the path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// The path of the key or item that this one stands in; empty at the root.
    pub fn parent(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }

    /// True where no variable of the environment overrides it: it stands in a list of IAM, or is one.
    pub fn in_iam_list(&self) -> bool {
        iam::LISTS
            .iter()
            .any(|list| self.path.strip_prefix(list).is_some_and(|rest| rest.is_empty() || rest.starts_with('[')))
    }

    /// True where it holds other keys.
    pub fn is_container(&self) -> bool {
        matches!(self.kind, Kind::Section | Kind::Items | Kind::Named(_) | Kind::Variant(_))
    }
}

const DAY: u64 = 86_400;

/// Every key, section by section. Sections come before what stands in them; canonical YAML keeps this order.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    [admission::KEYS, access::KEYS, iam::KEYS, storage::KEYS, advanced::KEYS, backup::KEYS].into_iter().flatten()
}

/// The key at a path of the table.
pub fn key(path: &str) -> Option<&'static Key> {
    keys().chain(REGISTRY_KEYS).find(|key| key.path == path)
}

/// The keys that stand directly in a section or item.
pub fn children(parent: &str) -> impl Iterator<Item = &'static Key> + use<> {
    static CHILDREN: LazyLock<HashMap<&'static str, Vec<&'static Key>>> = LazyLock::new(|| {
        let mut children: HashMap<_, Vec<_>> = HashMap::new();
        keys().for_each(|key| children.entry(key.parent()).or_default().push(key));
        children
    });
    CHILDREN.get(parent).map_or(&[] as &[&Key], Vec::as_slice).iter().copied()
}

/// The keys that belong to the host; a restore leaves them as they are.
pub fn host_settings() -> impl Iterator<Item = &'static str> {
    keys().filter(|key| key.host_setting).map(|key| key.path)
}
