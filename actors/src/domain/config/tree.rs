//! The configuration as a tree of text, with the place and origin of every node: what is read, overridden and written.

use std::fmt;

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Not written anywhere: the embedded default.
    #[default]
    Default,
    /// The config file.
    File {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An environment variable.
    Env(String),
    /// `?set=` of a restore, or a flag of the command line.
    Set,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { .. } => f.write_str("file"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Set => f.write_str("set"),
        }
    }
}

/// A node of the tree.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// What it holds.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    /// A comment to write at the end of its line.
    pub comment: Option<String>,
}

/// What a node holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Value {
    /// Nothing: a key without a value.
    #[default]
    Null,
    /// A text; the table of keys says of which type.
    Scalar {
        /// The text.
        text: String,
        /// Written without quotes, so that it may be a number.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub origin: Origin,
    /// The value.
    pub node: Node,
}

/// A tree may hold a literal secret, so it prints only its shape.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Null => f.write_str("null"),
            Value::Scalar { .. } => f.write_str("«scalar»"),
            Value::List(items) => f.debug_list().entries(items).finish(),
            Value::Map(entries) => f.debug_map().entries(entries.iter().map(|e| (&e.key, &e.node))).finish(),
        }
    }
}

impl Node {
    /// A node of this value without a place.
    pub fn new(value: Value) -> Self {
        Self { value, ..Self::default() }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Value::Scalar { text: text.into(), plain: false })
    }

    /// A number, size or duration: written without quotes.
    pub fn plain(text: impl fmt::Display) -> Self {
        Self::new(Value::Scalar { text: text.to_string(), plain: true })
    }

    /// An empty map.
    pub fn map() -> Self {
        Self::new(Value::Map(Vec::new()))
    }

    /// The text of a scalar.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The value below one key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The value below several keys; a list item is named by its `name` key.
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let next = match &self.value {
            Value::List(items) => items.iter().find(|item| item.name() == Some(first)),
            _ => self.get(first),
        };
        next?.find(rest)
    }

    /// Sets the value below several keys, making maps on the way; a list item is named by its `name` key and must be there.
    /// False where the way is blocked by a scalar or a missing item.
    pub fn set(&mut self, path: &[&str], node: Self) -> bool {
        let Some((first, rest)) = path.split_first() else {
            *self = node;
            return true;
        };
        if matches!(self.value, Value::Null) {
            self.value = Value::Map(Vec::new());
        }
        match &mut self.value {
            Value::Map(entries) => {
                let at = match entries.iter().position(|entry| entry.key == *first) {
                    Some(at) => at,
                    None => {
                        let origin = node.origin.clone();
                        entries.push(Entry { key: (*first).to_owned(), origin, node: Self::default() });
                        entries.len() - 1
                    }
                };
                entries[at].node.set(rest, node)
            }
            Value::List(items) => match items.iter_mut().find(|item| item.name() == Some(first)) {
                Some(item) => item.set(rest, node),
                None => false,
            },
            Value::Null | Value::Scalar { .. } => false,
        }
    }

    /// Takes the value below one key out of a map.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        match &mut self.value {
            Value::Map(entries) => {
                let at = entries.iter().position(|entry| entry.key == key)?;
                Some(entries.remove(at).node)
            }
            _ => None,
        }
    }

    /// Adds a key to a map; where it is there already, its value is replaced.
    pub fn with(mut self, key: &str, node: Self) -> Self {
        self.set(&[key], node);
        self
    }

    /// Line and column in the file, or zeros.
    pub fn place(&self) -> (usize, usize) {
        self.origin.place()
    }

    fn name(&self) -> Option<&str> {
        self.get("name").and_then(Self::as_text)
    }
}

impl Origin {
    /// Line and column in the file, or zeros.
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::File { line, column } => (*line, *column),
            _ => (0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_and_found_through_maps_and_named_list_items() {
        let item = Node::map().with("name", Node::text("hot")).with("path", Node::text("/a"));
        let mut tree = Node::map().with("backends", Node::new(Value::List(vec![item])));
        assert!(tree.set(&["backends", "hot", "path"], Node::text("/b")));
        assert!(tree.set(&["access", "region"], Node::text("eu")));
        assert!(!tree.set(&["backends", "cold", "path"], Node::text("/c")));
        assert!(!tree.set(&["access", "region", "x"], Node::text("/c")));
        assert_eq!(tree.find(&["backends", "hot", "path"]).and_then(Node::as_text), Some("/b"));
        assert_eq!(tree.find(&["access", "region"]).and_then(Node::as_text), Some("eu"));
    }

    #[test]
    fn a_tree_prints_no_values() {
        let tree = Node::map().with("secret_access_key", Node::text("hunter2"));
        assert_eq!(format!("{tree:?}"), "{\"secret_access_key\": «scalar»}");
    }
}
