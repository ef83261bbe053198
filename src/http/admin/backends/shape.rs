//! What the calls about backends send and take.

use crate::http::health::BackendHealth;
use actors::domain::secret::Secret;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A backend as it is configured and as it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Backend)]
pub(in crate::http::admin) struct Shown {
    pub(super) name: String,
    /// `filesystem` or `s3`.
    pub(super) r#type: &'static str,
    /// The directory, as the config writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    /// Of an account: where requests go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endpoint: Option<String>,
    /// Of an account: what requests are signed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    /// Of an account: the public half of the key pair. The secret half is shown nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_key_id: Option<String>,
    /// The directory or address that is open.
    #[schema(required)]
    pub(super) root: Option<String>,
    /// The id in its `.dg/backend.json`, where it was opened once.
    #[schema(required)]
    pub(super) backend_id: Option<String>,
    /// No write is taken.
    pub(super) read_only: bool,
    /// Why it takes no writes now: `read_only`, `not_encrypting`, `missing_keys`, `quarantined`; `null` where it takes them.
    #[schema(required)]
    pub(super) sealed: Option<&'static str>,
    /// Who decides `If-Match` and `If-None-Match` of writes: `backend`, also among several servers on it; `instance`, this server
    /// alone; `null` until the first such write or a probe has found it out.
    #[schema(required)]
    pub(super) conditional_writes: Option<&'static str>,
    /// New buckets go there.
    pub(super) default: bool,
    /// Where its place is written: `default`, `file`, `env:NAME`.
    pub(super) origin: String,
    /// How many buckets are routed to it.
    pub(super) buckets: usize,
    pub(super) health: BackendHealth,
}

/// A new backend.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBackend)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct Create {
    /// 1 to 64 of `a-z A-Z 0-9 . _ -`.
    pub(super) name: String,
    /// `filesystem` or `s3`.
    pub(super) r#type: String,
    /// Of a directory: where it is. A relative path counts from the config file's directory.
    pub(super) path: Option<String>,
    /// Of an account: `http(s)://host[:port]`; AWS's own of the region where it is not sent.
    pub(super) endpoint: Option<String>,
    /// Of an account: what requests are signed for; `us-east-1` where it is not sent.
    pub(super) region: Option<String>,
    /// Of an account: the public half of its key pair.
    pub(super) access_key_id: Option<String>,
    /// Of an account: the secret half. It goes into the config database, never into the config file.
    #[schema(value_type = Option<String>)]
    pub(super) secret_access_key: Option<Secret>,
    /// No write is taken.
    #[serde(default)]
    pub(super) read_only: bool,
    /// New buckets go there from now on.
    #[serde(default)]
    pub(super) default: bool,
}

/// What changes; what is not sent stays. What a client got may be sent back: it is read over.
#[derive(Deserialize, ToSchema)]
#[schema(as = BackendChange)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct Update {
    /// With `path`: the kind of the other place.
    pub(super) r#type: Option<String>,
    /// Another directory.
    pub(super) path: Option<String>,
    /// Of an account: another address; an empty one is AWS's own of the region.
    pub(super) endpoint: Option<String>,
    /// Of an account: what requests are signed for.
    pub(super) region: Option<String>,
    /// Of an account: the public half of another key pair.
    pub(super) access_key_id: Option<String>,
    /// Of an account: another secret half. It goes into the config database, never into the config file.
    #[schema(value_type = Option<String>)]
    pub(super) secret_access_key: Option<Secret>,
    pub(super) read_only: Option<bool>,
    /// `true`: new buckets go there from now on.
    pub(super) default: Option<bool>,
    /// `init` or `adopt`: what may be done to a place that does not bear this backend's id.
    pub(super) claim: Option<String>,
    #[serde(rename = "name")]
    #[schema(value_type = Option<Value>)]
    _name: Option<IgnoredAny>,
    #[serde(rename = "root")]
    #[schema(value_type = Option<Value>)]
    _root: Option<IgnoredAny>,
    #[serde(rename = "backend_id")]
    #[schema(value_type = Option<Value>)]
    _backend_id: Option<IgnoredAny>,
    #[serde(rename = "origin")]
    #[schema(value_type = Option<Value>)]
    _origin: Option<IgnoredAny>,
    #[serde(rename = "buckets")]
    #[schema(value_type = Option<Value>)]
    _buckets: Option<IgnoredAny>,
    #[serde(rename = "sealed")]
    #[schema(value_type = Option<Value>)]
    _sealed: Option<IgnoredAny>,
    #[serde(rename = "conditional_writes")]
    #[schema(value_type = Option<Value>)]
    _conditional_writes: Option<IgnoredAny>,
    #[serde(rename = "health")]
    #[schema(value_type = Option<Value>)]
    _health: Option<IgnoredAny>,
}

/// What a change of the backends does, or has done.
#[derive(Serialize, ToSchema)]
#[schema(as = BackendPlan)]
pub(in crate::http::admin) struct Plan {
    /// It is in force; false for a dry run.
    pub(super) applied: bool,
    /// `epoch.generation`.
    pub(super) generation: String,
    pub(super) changes: Vec<Change>,
    /// Buckets that point elsewhere from then on, and how many objects stay behind: a route moves no data.
    pub(super) buckets_moved: Vec<Moved>,
    /// What is found at the place that is to be opened.
    #[schema(required)]
    pub(super) probe: Option<Look>,
    /// The file that is written.
    pub(super) config_file: String,
    pub(super) warnings: Vec<String>,
}

/// One changed field.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigFieldChange)]
pub(in crate::http::admin) struct Change {
    /// Its path in the config.
    pub(super) path: String,
    #[schema(required)]
    pub(super) from: Option<Value>,
    #[schema(required)]
    pub(super) to: Option<Value>,
    /// `live` or `reconnect`: whether the backend is opened anew.
    pub(super) reload: String,
}

/// A bucket whose place moves.
#[derive(Serialize, ToSchema)]
#[schema(as = MovedBucket)]
pub(in crate::http::admin) struct Moved {
    pub(super) bucket: String,
    /// How many objects stay behind; `null` where they cannot be counted.
    #[schema(required)]
    pub(super) objects: Option<u64>,
    /// False: there are more; they were counted no further. Where they cannot be counted it is false, too.
    pub(super) exact: bool,
}

/// What is found at a backend's place.
#[derive(Serialize, ToSchema)]
#[schema(as = BackendLook)]
pub(in crate::http::admin) struct Look {
    /// `new`, `ready`, `foreign`, `lost`, `unusable`.
    pub(super) state: &'static str,
    #[schema(required)]
    pub(super) backend_id: Option<String>,
    #[schema(required)]
    pub(super) buckets: Option<usize>,
    /// The same for people.
    pub(super) message: String,
}

/// A backend as it was just looked at.
#[derive(Serialize, ToSchema)]
#[schema(as = BackendProbe)]
pub(in crate::http::admin) struct Probed {
    pub(super) name: String,
    pub(super) health: BackendHealth,
    pub(super) look: Look,
}

/// A backend whose place is its own.
#[derive(Serialize, ToSchema)]
#[schema(as = ClaimedBackend)]
pub(in crate::http::admin) struct Claimed {
    pub(super) name: String,
    /// The id that its place bears.
    pub(super) backend_id: String,
    /// The buckets that nobody knew and that were taken in.
    pub(super) adopted: Vec<String>,
    /// The buckets that were not: their names are on other backends, too.
    pub(super) doubles: Vec<String>,
}
