//! What a listing asks for and what a page of it holds.

use crate::domain::clock::Timestamp;
use crate::domain::object::ETag;

/// One page's question. Names compare by their UTF-8 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only keys that begin with this; a string prefix, not a path.
    pub prefix: String,
    /// Keys that hold this after the prefix are rolled up; empty means no delimiter.
    pub delimiter: String,
    /// Only names after this one. A name that was rolled up into a prefix at or before it is not shown again.
    pub start_after: String,
    /// At most this many keys and rolled-up prefixes together.
    pub max_keys: usize,
}

/// One page's answer: objects and rolled-up prefixes, each in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// The rolled-up prefixes, each ending in the delimiter.
    pub prefixes: Vec<String>,
    /// The last name of the page (a key, or a rolled-up prefix), where more follows: the next page's `start_after`.
    pub next: Option<String>,
}

/// One object of a listing; its size and entity tag are the logical ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The key.
    pub key: String,
    /// The logical size.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
    /// When it became visible.
    pub modified: Timestamp,
    /// The storage class label, where it is not `STANDARD`.
    pub storage_class: Option<String>,
}
