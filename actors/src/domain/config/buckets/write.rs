//! Entries of `storage.buckets` as canonical nodes.

use crate::domain::bucket::settings::Settings;
use crate::domain::config::iam::tree;
use crate::domain::config::model::BucketPin;
use crate::domain::config::scalar::{escape, size_text};
use crate::domain::config::tree::{Node, Value};
use crate::domain::names::BucketName;
use crate::domain::state::Bucket;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the config pins of a bucket; `written` has what stood there with `${env:…}` in it.
pub(in crate::domain::config) fn pinned(
    name: &BucketName,
    pin: &BucketPin,
    written: &BTreeMap<String, String>,
) -> Node {
    let mut node = Node::map();
    let own = |key: &str| written.get(&format!("storage.buckets.{name}.{key}")).cloned();
    if let Some(backend) = &pin.backend {
        node = node.with("backend", Node::text(own("backend").unwrap_or_else(|| backend.to_string())));
    }
    if let Some(alias) = &pin.alias {
        node = node.with("alias", Node::text(own("alias").unwrap_or_else(|| alias.to_string())));
    }
    if let Some(prefixes) = &pin.public_prefixes {
        node = match (own("public_prefixes"), prefixes.as_slice()) {
            (Some(own), _) => node.with("public_prefixes", lines(&own)),
            (None, []) => node.with("public", own("public").map_or(Node::plain(false), Node::text)),
            (None, [all]) if all.is_empty() => node.with("public", own("public").map_or(Node::plain(true), Node::text)),
            (None, prefixes) => node.with("public_prefixes", list(prefixes)),
        };
    }
    let settings = &pin.settings;
    if let Some(tags) = &settings.tags {
        node = node.with("tags", data(tags));
    }
    if let Some(rules) = &settings.cors {
        node = node.with("cors", data(rules));
    }
    if let Some(rules) = &settings.lifecycle {
        node = node.with("lifecycle", data(rules));
    }
    if let Some(quota) = settings.quota_bytes {
        node = node.with("quota_bytes", own("quota_bytes").map_or_else(|| Node::plain(size_text(quota)), Node::text));
    }
    if let Some(read_only) = settings.read_only {
        node = node.with("read_only", own("read_only").map_or_else(|| Node::plain(read_only), Node::text));
    }
    node
}

/// What the registry says of a bucket.
pub(in crate::domain::config) fn registered(bucket: &Bucket) -> Node {
    let mut node = Node::map().with("backend", Node::text(bucket.backend.as_str()));
    if let Some(alias) = &bucket.alias {
        node = node.with("alias", Node::text(alias.as_str()));
    }
    if !bucket.public_prefixes.is_empty() {
        node = node.with("public_prefixes", list(&bucket.public_prefixes));
    }
    let Settings { tags, cors, lifecycle, quota_bytes, read_only } = &bucket.settings;
    if !tags.is_empty() {
        node = node.with("tags", data(tags));
    }
    if !cors.is_empty() {
        node = node.with("cors", data(cors));
    }
    if !lifecycle.is_empty() {
        node = node.with("lifecycle", data(lifecycle));
    }
    if let Some(quota) = quota_bytes {
        node = node.with("quota_bytes", Node::plain(size_text(*quota)));
    }
    if *read_only {
        node = node.with("read_only", Node::plain(true));
    }
    node.with("owner", Node::text(escape(&bucket.owner))).with("created_at", Node::text(bucket.created_at.rfc3339()))
}

/// Data of a fixed shape, to the letter: no variable is put in when it is read.
fn data<T: Serialize>(data: &T) -> Node {
    tree(&serde_json::to_value(data).unwrap_or_default())
}

/// Texts as a list.
fn list(texts: &[String]) -> Node {
    Node::new(Value::List(texts.iter().map(|text| Node::text(escape(text))).collect()))
}

/// A list as it was written, line by line.
fn lines(written: &str) -> Node {
    Node::new(Value::List(written.lines().map(Node::text).collect()))
}
