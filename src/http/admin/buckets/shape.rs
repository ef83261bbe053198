//! What the calls about buckets send and take.

use actors::domain::bucket::cors::CorsRule;
use actors::domain::bucket::lifecycle::LifecycleRule;
use actors::domain::bucket::settings::{Setting, pinned_fields, sorted_prefixes};
use actors::domain::clock::Timestamp;
use actors::domain::names::{BackendName, BucketName};
use actors::domain::public;
use actors::system::{SystemHandle, SystemView};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A bucket: its route, what is set of it, and what it holds.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Bucket)]
pub(in crate::http::admin) struct Shown {
    name: String,
    backend: String,
    /// Its name on the backend, where it is another.
    #[schema(required)]
    alias: Option<String>,
    /// Its name on the backend.
    real_name: String,
    /// The user id that made it, or `$bootstrap`, `$config`.
    owner: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// What anybody may read of it; an empty prefix is the whole bucket.
    public_prefixes: Vec<String>,
    /// The most bytes that its objects and parts may have together.
    #[schema(required)]
    quota_bytes: Option<u64>,
    /// Objects are read, and none is written or removed.
    read_only: bool,
    tags: BTreeMap<String, String>,
    /// CORS rules, as the config file writes them.
    #[schema(value_type = Vec<Object>)]
    cors: Vec<CorsRule>,
    /// Lifecycle rules, as the config file writes them.
    #[schema(value_type = Vec<Object>)]
    lifecycle: Vec<LifecycleRule>,
    /// The fields that the config file declares: no call changes them.
    pinned: Vec<&'static str>,
    /// The backend answers.
    backend_up: bool,
    /// `null` while it is being counted.
    #[schema(required)]
    usage: Option<Usage>,
}

/// What a bucket holds.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = BucketUsage)]
pub(in crate::http::admin) struct Usage {
    objects: u64,
    /// The bytes of its objects, as clients see them.
    bytes: u64,
    /// The bytes of parts whose uploads are open; they count against the quota.
    open_upload_bytes: u64,
    /// When it was last counted from what lies there.
    #[schema(value_type = String, format = DateTime)]
    counted_at: Timestamp,
    age_secs: u64,
    /// Every write since is in it. False: it was so when it was counted, which is once a day for a remote backend without a quota.
    exact: bool,
}

/// A new bucket.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBucket)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct Create {
    pub(super) name: String,
    /// The default backend where none is named.
    pub(super) backend: Option<String>,
    /// Its name on the backend, where it is another.
    pub(super) alias: Option<String>,
    #[serde(default)]
    pub(super) public_prefixes: Vec<String>,
    pub(super) quota_bytes: Option<u64>,
    #[serde(default)]
    pub(super) read_only: bool,
}

/// What changes; what is not sent stays. What a client got may be sent back: it is read over.
#[derive(Deserialize, ToSchema)]
#[schema(as = BucketChange)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct Update {
    /// Another backend: what lies on the old one stays there.
    backend: Option<String>,
    /// Its name on the backend; `null` is its own.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    alias: Option<Option<String>>,
    public_prefixes: Option<Vec<String>>,
    /// `null` takes the quota away; 0 takes no write at all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    quota_bytes: Option<Option<u64>>,
    read_only: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
    #[schema(value_type = Option<Vec<Object>>)]
    cors: Option<Vec<CorsRule>>,
    #[schema(value_type = Option<Vec<Object>>)]
    lifecycle: Option<Vec<LifecycleRule>>,
    #[serde(rename = "name")]
    #[schema(value_type = Option<Value>)]
    _name: Option<IgnoredAny>,
    #[serde(rename = "real_name")]
    #[schema(value_type = Option<Value>)]
    _real_name: Option<IgnoredAny>,
    #[serde(rename = "owner")]
    #[schema(value_type = Option<Value>)]
    _owner: Option<IgnoredAny>,
    #[serde(rename = "created_at")]
    #[schema(value_type = Option<Value>)]
    _created_at: Option<IgnoredAny>,
    #[serde(rename = "pinned")]
    #[schema(value_type = Option<Value>)]
    _pinned: Option<IgnoredAny>,
    #[serde(rename = "backend_up")]
    #[schema(value_type = Option<Value>)]
    _backend_up: Option<IgnoredAny>,
    #[serde(rename = "usage")]
    #[schema(value_type = Option<Value>)]
    _usage: Option<IgnoredAny>,
}

/// What a change of a bucket does, or has done.
#[derive(Serialize, ToSchema)]
#[schema(as = BucketPlan)]
pub(in crate::http::admin) struct Plan {
    /// It is in force; false for a dry run.
    pub(super) applied: bool,
    /// `epoch.generation`.
    pub(super) generation: String,
    pub(super) changes: Vec<Change>,
    /// Where the route changes: how many objects stay at the old place, out of sight.
    #[schema(required)]
    pub(super) objects_left_behind: Option<LeftBehind>,
    pub(super) warnings: Vec<String>,
    /// As it is now.
    pub(super) bucket: Shown,
}

/// One changed field.
#[derive(Serialize, ToSchema)]
#[schema(as = BucketFieldChange)]
pub(in crate::http::admin) struct Change {
    field: &'static str,
    from: Value,
    to: Value,
}

/// Objects that stay where they are.
#[derive(Serialize, ToSchema)]
#[schema(as = ObjectsLeftBehind)]
pub(in crate::http::admin) struct LeftBehind {
    /// `null` where they cannot be counted.
    #[schema(required)]
    pub(super) objects: Option<u64>,
    /// False: there are more; they were counted no further. Where they cannot be counted it is false, too.
    pub(super) exact: bool,
}

/// A field that is there, be it `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Shown {
    /// A bucket of a view; `None` where there is none of this name.
    pub(super) fn new(system: &SystemHandle, view: &SystemView, name: &BucketName, now: Timestamp) -> Option<Self> {
        let route = view.route(name).ok()?;
        let (entry, pins) = (view.state.buckets.get(name), view.config.storage.buckets.get(name));
        let settings = view.settings(name);
        let alias = pins.and_then(|pin| pin.alias.clone()).or_else(|| entry.and_then(|entry| entry.alias.clone()));
        let usage = system.usage(&route).map(|usage| Usage {
            objects: usage.objects,
            bytes: usage.bytes,
            open_upload_bytes: usage.parts,
            counted_at: usage.counted_at,
            age_secs: now.since(usage.counted_at).as_secs(),
            exact: usage.exact,
        });
        Some(Self {
            name: name.to_string(),
            backend: route.backend.to_string(),
            alias: alias.map(String::from),
            real_name: route.bucket.to_string(),
            owner: entry.map_or("$config", |entry| &entry.owner).to_owned(),
            created_at: route.created_at,
            public_prefixes: public::prefixes(&view.config.storage, &view.state.buckets, name).to_vec(),
            quota_bytes: settings.quota_bytes,
            read_only: settings.read_only,
            tags: settings.tags.clone(),
            cors: settings.cors.to_vec(),
            lifecycle: settings.lifecycle.to_vec(),
            pinned: pinned_fields(&view.config.storage, name),
            backend_up: route.store.down_reason().is_none(),
            usage,
        })
    }

    /// The fields that would be others than they are.
    pub(super) fn changed(&self, settings: &[Setting]) -> Vec<Change> {
        let changes = settings.iter().map(|setting| {
            let (from, to) = match setting {
                Setting::Tags(tags) => (json!(self.tags), json!(tags)),
                Setting::Cors(rules) => (json!(self.cors), json!(rules)),
                Setting::Lifecycle(rules) => (json!(self.lifecycle), json!(rules)),
                Setting::Quota(quota) => (json!(self.quota_bytes), json!(quota)),
                Setting::ReadOnly(read_only) => (json!(self.read_only), json!(read_only)),
                Setting::PublicPrefixes(prefixes) => (json!(self.public_prefixes), json!(sorted_prefixes(prefixes))),
                Setting::Backend(backend) => (json!(self.backend), json!(backend)),
                Setting::Alias(alias) => {
                    let alias = alias.as_ref().map(BucketName::as_str).filter(|alias| *alias != self.name);
                    (json!(self.alias), json!(alias))
                }
            };
            Change { field: setting.field(), from, to }
        });
        changes.filter(|change| change.from != change.to).collect()
    }
}

impl Change {
    /// Whether it is a change of this field.
    pub(super) fn is(&self, field: &str) -> bool {
        self.field == field
    }
}

impl Update {
    /// What is to be set.
    pub(super) fn settings(self) -> actors::Result<Vec<Setting>> {
        let mut settings = Vec::new();
        settings.extend(self.backend.map(|name| BackendName::new(&name)).transpose()?.map(Setting::Backend));
        if let Some(alias) = self.alias {
            settings.push(Setting::Alias(alias.map(|alias| BucketName::new(&alias)).transpose()?));
        }
        settings.extend(self.public_prefixes.map(Setting::PublicPrefixes));
        settings.extend(self.quota_bytes.map(Setting::Quota));
        settings.extend(self.read_only.map(Setting::ReadOnly));
        settings.extend(self.tags.map(Setting::Tags));
        settings.extend(self.cors.map(Setting::Cors));
        settings.extend(self.lifecycle.map(Setting::Lifecycle));
        Ok(settings)
    }
}
