//! What is set of a bucket beside its route: the registry's word, the config's pins, and which of both holds.

use crate::domain::bucket::cors::{self, CorsRule};
use crate::domain::bucket::lifecycle::{self, LifecycleRule};
use crate::domain::config::model::Storage;
use crate::domain::config::rule::Rule;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::state::Bucket;
use crate::domain::tags::{self, Tags};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most tags of a bucket (AWS).
pub const MOST_TAGS: usize = 50;
/// The largest quota: what a signed integer of the database holds with room to add to it.
pub const LARGEST_QUOTA: u64 = 1 << 62;

/// What the registry says of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Tags of the bucket.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// What browsers of other origins may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cors: Vec<CorsRule>,
    /// What becomes of objects with time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifecycle: Vec<LifecycleRule>,
    /// The most bytes that its objects may have together; zero takes no write at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// Objects are read, and none is written or removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// What the config pins; `None` leaves it to the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// The tags.
    pub tags: Option<Tags>,
    /// The CORS rules.
    pub cors: Option<Vec<CorsRule>>,
    /// The lifecycle rules.
    pub lifecycle: Option<Vec<LifecycleRule>>,
    /// The quota.
    pub quota_bytes: Option<u64>,
    /// Whether it takes writes.
    pub read_only: Option<bool>,
}

/// What holds for a bucket: what the config pins, else what the registry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective<'a> {
    /// The tags.
    pub tags: &'a Tags,
    /// The CORS rules, in their order.
    pub cors: &'a [CorsRule],
    /// The lifecycle rules, in their order.
    pub lifecycle: &'a [LifecycleRule],
    /// The most bytes, where there is a limit.
    pub quota_bytes: Option<u64>,
    /// No object is written or removed.
    pub read_only: bool,
}

/// One thing to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// All tags; none removes them.
    Tags(Tags),
    /// All CORS rules.
    Cors(Vec<CorsRule>),
    /// All lifecycle rules.
    Lifecycle(Vec<LifecycleRule>),
    /// The quota, or none.
    Quota(Option<u64>),
    /// Whether writes are refused.
    ReadOnly(bool),
    /// All public prefixes; an empty one is the whole bucket.
    PublicPrefixes(Vec<String>),
    /// Another backend. What lies on the old one stays there.
    Backend(BackendName),
    /// Another name on the backend; none is its own.
    Alias(Option<BucketName>),
}

/// What holds for a bucket; nothing is set of one that nobody knows.
pub fn effective<'a>(
    storage: &'a Storage,
    registry: &'a BTreeMap<BucketName, Arc<Bucket>>,
    bucket: &BucketName,
) -> Effective<'a> {
    static NO_TAGS: Tags = Tags::new();
    let pins = storage.buckets.get(bucket).map(|pin| &pin.settings);
    let entry = registry.get(bucket).map(|entry| &entry.settings);
    Effective {
        tags: pins.and_then(|pins| pins.tags.as_ref()).or(entry.map(|entry| &entry.tags)).unwrap_or(&NO_TAGS),
        cors: pins.and_then(|pins| pins.cors.as_deref()).or(entry.map(|entry| &entry.cors[..])).unwrap_or_default(),
        lifecycle: pins
            .and_then(|pins| pins.lifecycle.as_deref())
            .or(entry.map(|entry| &entry.lifecycle[..]))
            .unwrap_or_default(),
        quota_bytes: pins.and_then(|pins| pins.quota_bytes).or(entry.and_then(|entry| entry.quota_bytes)),
        read_only: pins.and_then(|pins| pins.read_only).or(entry.map(|entry| entry.read_only)).unwrap_or_default(),
    }
}

/// The fields of a bucket that the config pins, as its file calls them; no API changes them.
pub fn pinned_fields(storage: &Storage, bucket: &BucketName) -> Vec<&'static str> {
    let Some(pin) = storage.buckets.get(bucket) else { return Vec::new() };
    let settings = &pin.settings;
    let fields = [
        ("backend", pin.backend.is_some()),
        ("alias", pin.alias.is_some()),
        ("public_prefixes", pin.public_prefixes.is_some()),
        ("tags", settings.tags.is_some()),
        ("cors", settings.cors.is_some()),
        ("lifecycle", settings.lifecycle.is_some()),
        ("quota_bytes", settings.quota_bytes.is_some()),
        ("read_only", settings.read_only.is_some()),
    ];
    fields.into_iter().filter(|(_, pinned)| *pinned).map(|(field, _)| field).collect()
}

/// Refuses to set what the config pins.
pub fn check_pins(storage: &Storage, bucket: &BucketName, settings: &[Setting]) -> Result<()> {
    let pinned = pinned_fields(storage, bucket);
    match settings.iter().map(Setting::field).find(|field| pinned.contains(field)) {
        Some(field) => Err(declared(bucket, field)),
        None => Ok(()),
    }
}

/// 409: the config file has this field.
fn declared(bucket: &BucketName, field: &str) -> Error {
    conflict(
        format!("`{field}` of the bucket `{bucket}` is declared in the config file"),
        format!("change `storage.buckets.{bucket}.{field}` in the file, or remove it there"),
    )
}

/// 409: the config file has the bucket, so it would be there again.
pub fn declared_bucket(bucket: &BucketName) -> Error {
    conflict(
        format!("the bucket `{bucket}` is declared in the config file"),
        format!("remove `storage.buckets.{bucket}` from the file first"),
    )
}

fn conflict(message: String, hint: String) -> Error {
    Error::new(ErrorKind::Conflict, "set bucket", message).with_code("declared_in_config").with_hint(hint)
}

impl Setting {
    /// What the config file calls it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Tags(_) => "tags",
            Self::Cors(_) => "cors",
            Self::Lifecycle(_) => "lifecycle",
            Self::Quota(_) => "quota_bytes",
            Self::ReadOnly(_) => "read_only",
            Self::PublicPrefixes(_) => "public_prefixes",
            Self::Backend(_) => "backend",
            Self::Alias(_) => "alias",
        }
    }

    /// Refuses what breaks a rule.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Tags(tags) => match tags::checked(tags.clone(), MOST_TAGS) {
                Ok(_) => Ok(()),
                Err(fault) => {
                    Err(Error::new(ErrorKind::Invalid, "set tags", fault.to_string()).with_code("invalid_tags"))
                }
            },
            Self::Cors(rules) => cors::check(rules),
            Self::Lifecycle(rules) => lifecycle::check(rules),
            Self::Quota(Some(bytes)) if *bytes > LARGEST_QUOTA => {
                let message = format!("a quota has at most {LARGEST_QUOTA} bytes; none at all is no limit");
                Err(Error::new(ErrorKind::Invalid, "set quota", message).with_code("invalid_quota"))
            }
            Self::Quota(_) | Self::ReadOnly(_) | Self::Backend(_) | Self::Alias(_) => Ok(()),
            Self::PublicPrefixes(prefixes) => {
                for prefix in prefixes {
                    Rule::PublicPrefix.check(prefix).map_err(|complaint| {
                        Error::new(ErrorKind::Invalid, "set public prefixes", complaint.message)
                            .with_code("invalid_public_prefix")
                    })?;
                }
                Ok(())
            }
        }
    }

    /// Puts it in.
    pub(super) fn apply(self, bucket: &mut Bucket) {
        let settings = &mut bucket.settings;
        match self {
            Self::Tags(tags) => settings.tags = tags,
            Self::Cors(rules) => settings.cors = rules,
            Self::Lifecycle(rules) => settings.lifecycle = rules,
            Self::Quota(quota) => settings.quota_bytes = quota,
            Self::ReadOnly(read_only) => settings.read_only = read_only,
            Self::PublicPrefixes(prefixes) => bucket.public_prefixes = sorted_prefixes(&prefixes),
            Self::Backend(backend) => bucket.backend = backend,
            Self::Alias(alias) => bucket.alias = alias.filter(|alias| *alias != bucket.name),
        }
    }

    /// Whether it may move the bucket to another place.
    pub fn moves(&self) -> bool {
        matches!(self, Self::Backend(_) | Self::Alias(_))
    }
}

/// Public prefixes sorted, each once; where the whole bucket is public, no prefix adds to it.
pub fn sorted_prefixes(prefixes: &[String]) -> Vec<String> {
    let mut sorted = prefixes.to_vec();
    sorted.sort();
    sorted.dedup();
    if sorted.first().is_some_and(String::is_empty) {
        sorted.truncate(1);
    }
    sorted
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::config::load::load;
    use crate::domain::config::scalar::Environment;
    use crate::domain::names::BackendName;

    /// Every field has a value, with texts that only a careful writer brings through.
    pub(crate) fn full() -> Settings {
        serde_json::from_value(serde_json::json!({
            "tags": {"team": "rot", "größe": "1", "cost: center": "true"},
            "cors": [
                {"id": "a # b", "allowed_origins": ["https://*.example", "*"], "allowed_methods": ["GET", "PUT"],
                 "allowed_headers": ["*"], "expose_headers": ["ETag", "x-amz-version-id"], "max_age_seconds": 3000},
                {"allowed_origins": ["http://${env:HOME}"], "allowed_methods": ["HEAD"]},
            ],
            "lifecycle": [
                {"id": "${env:X}$$", "enabled": false, "filter": {"prefix": "a\n\"b/", "tags": {"k": ""}, "size_less_than": 5},
                 "expire_days": 30, "noncurrent_days": 2, "noncurrent_keep": 1},
                {"id": "2", "filter": {"prefix": "", "older_form": true}, "abort_uploads_days": 7},
                {"id": "3", "expire_date": "2027-01-01T00:00:00Z"},
            ],
            "quota_bytes": 10_737_418_241_u64,
            "read_only": true,
        }))
        .unwrap()
    }

    fn storage(buckets: &str) -> Storage {
        load(&format!("storage:\n  filesystem: /d\n  buckets: {buckets}\n"), &Environment::new())
            .unwrap()
            .config
            .storage
    }

    fn registry(settings: Settings) -> BTreeMap<BucketName, Arc<Bucket>> {
        let bucket = Bucket {
            name: BucketName::new("photos").unwrap(),
            backend: BackendName::new("default").unwrap(),
            alias: None,
            owner: "u1".into(),
            created_at: Default::default(),
            public_prefixes: Vec::new(),
            settings,
        };
        BTreeMap::from([(bucket.name.clone(), Arc::new(bucket))])
    }

    #[test]
    fn a_pin_wins_field_by_field() {
        let registry = registry(Settings {
            quota_bytes: Some(5),
            read_only: true,
            tags: Tags::from([("a".into(), "1".into())]),
            ..Settings::default()
        });
        let name = BucketName::new("photos").unwrap();
        let storage =
            storage("{photos: {quota_bytes: 1KiB, cors: [{allowed_origins: [\"*\"], allowed_methods: [GET]}]}}");
        let holds = effective(&storage, &registry, &name);
        assert_eq!((holds.quota_bytes, holds.read_only, holds.tags.len(), holds.cors.len()), (Some(1024), true, 1, 1));
        assert_eq!(pinned_fields(&storage, &name), ["cors", "quota_bytes"]);
    }

    #[test]
    fn what_the_config_pins_is_not_set() {
        let name = BucketName::new("photos").unwrap();
        let storage = storage("{photos: {read_only: false, public: true}}");
        for setting in [Setting::ReadOnly(true), Setting::PublicPrefixes(Vec::new())] {
            let error = check_pins(&storage, &name, &[Setting::Quota(None), setting]).unwrap_err();
            assert_eq!(error.code(), Some("declared_in_config"));
        }
        check_pins(&storage, &name, &[Setting::Quota(Some(1)), Setting::Tags(Tags::new())]).unwrap();
    }
}
