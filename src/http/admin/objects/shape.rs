//! What the calls about objects send and take.

use actors::domain::clock::Timestamp;
use actors::domain::listing::ListedObject;
use actors::domain::object::ObjectMeta;
use actors::system::Route;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A bucket in which the caller may list something.
#[derive(Serialize, ToSchema)]
#[schema(as = ListableBucket)]
pub(in crate::http::admin) struct Listable {
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Objects are read, and none is written or removed.
    read_only: bool,
    /// Its backend answers.
    backend_up: bool,
}

/// A page of a bucket.
#[derive(Serialize, ToSchema)]
#[schema(as = ObjectPage)]
pub(in crate::http::admin) struct Page {
    pub(super) objects: Vec<Entry>,
    /// Names that go on after the delimiter, each ending in it.
    pub(super) prefixes: Vec<String>,
    /// What `after` of the next page is; `null` at the end.
    #[schema(required)]
    pub(super) next: Option<String>,
}

/// One object of a page.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedObject)]
pub(in crate::http::admin) struct Entry {
    key: String,
    size: u64,
    etag: String,
    #[schema(value_type = String, format = DateTime)]
    last_modified: Timestamp,
}

/// What is known of an object.
#[derive(Serialize, ToSchema)]
#[schema(as = ObjectMetadata)]
pub(in crate::http::admin) struct Shown {
    key: String,
    size: u64,
    etag: String,
    #[schema(value_type = String, format = DateTime)]
    last_modified: Timestamp,
    /// The headers that were stored with it, by name.
    headers: BTreeMap<&'static str, String>,
    /// `x-amz-meta-*`, names without the prefix.
    metadata: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    /// By algorithm, in base64.
    checksums: BTreeMap<String, String>,
    #[schema(required)]
    sha256: Option<String>,
}

/// What an object is to be tagged with.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewObjectTags)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct NewTags {
    /// At most ten; those that the object has and that are not here go.
    pub(super) tags: BTreeMap<String, String>,
}

/// What to share.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewShare)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct NewShare {
    /// The object's key.
    pub(super) key: String,
    /// For how long, 1 to 604800 seconds; an hour where nothing is said.
    pub(super) expires_in_secs: Option<u64>,
    /// Which of the caller's own access keys signs; any active one where none is named.
    pub(super) access_key_id: Option<String>,
}

/// A link that anybody may use who has it.
#[derive(Serialize, ToSchema)]
#[schema(as = ShareLink)]
pub(in crate::http::admin) struct Link {
    pub(super) url: String,
    #[schema(value_type = String, format = DateTime)]
    pub(super) expires_at: Timestamp,
    /// The key that signed it: where it ends, the link does.
    pub(super) access_key_id: String,
}

impl Listable {
    pub(super) fn new(route: &Route, read_only: bool) -> Self {
        Self {
            name: route.name.to_string(),
            created_at: route.created_at,
            read_only,
            backend_up: route.store.down_reason().is_none(),
        }
    }
}

impl From<ListedObject> for Entry {
    fn from(object: ListedObject) -> Self {
        Self {
            key: object.key,
            size: object.size,
            etag: object.etag.as_str().to_owned(),
            last_modified: object.modified,
        }
    }
}

impl Shown {
    pub(super) fn new(key: &str, meta: ObjectMeta) -> Self {
        let headers = meta.attributes.headers;
        let headers = [
            ("content-type", headers.content_type),
            ("cache-control", headers.cache_control),
            ("content-disposition", headers.content_disposition),
            ("content-encoding", headers.content_encoding),
            ("content-language", headers.content_language),
            ("expires", headers.expires),
            ("x-amz-storage-class", headers.storage_class),
            ("x-amz-website-redirect-location", headers.website_redirect),
        ];
        Self {
            key: key.to_owned(),
            size: meta.size,
            etag: meta.etag.as_str().to_owned(),
            last_modified: meta.modified,
            headers: headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            metadata: meta.attributes.user,
            tags: meta.attributes.tags,
            checksums: meta.attributes.checksums,
            sha256: meta.sha256,
        }
    }
}
