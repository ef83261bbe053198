//! `iam.json` and `secrets.json`: their typed form, from a state and as bytes.

use crate::Error;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::stream;
use crate::domain::clock::Timestamp;
use crate::domain::iam::model::{
    ApiToken, AuthProvider, ExternalIdentity, Group, MappingRule, Permission, Revocation, User,
};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::io::{BufWriter, Read, Write};

/// `iam.json`: every entity, no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the list that its name says, sorted by id")]
pub struct IamPart {
    pub users: Vec<UserEntry>,
    pub groups: Vec<GroupEntry>,
    pub auth_providers: Vec<AuthProvider>,
    pub mapping_rules: Vec<MappingRule>,
    pub external_identities: Vec<ExternalIdentity>,
    pub tokens: Vec<ApiToken>,
    pub revocations: Vec<Revocation>,
}

/// A user of `iam.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// A string, also where it came from a number.
    pub id: String,
    /// Unique.
    pub name: String,
    /// The first key's id; `keys` has all.
    pub access_key_id: Option<String>,
    /// The key pairs without their secret halves.
    pub keys: Vec<AccessKeyEntry>,
    /// A disabled user can do nothing.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// `local` or `external`.
    pub auth_source: String,
    /// 0 where the writer did not know it.
    #[serde(default)]
    pub credential_version: u64,
    /// The user's own rules.
    pub permissions: Vec<Permission>,
    /// The groups it is in, sorted.
    pub group_ids: Vec<String>,
}

/// A key pair without its secret half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKeyEntry {
    /// The public half.
    pub access_key_id: String,
    /// An inactive key signs nothing.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it signs nothing.
    pub expires_at: Option<Timestamp>,
}

/// A group of `iam.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupEntry {
    /// A string.
    pub id: String,
    /// Unique.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The rules that every member has.
    pub permissions: Vec<Permission>,
    /// Its members, sorted: what the users' `group_ids` say, for readers that begin at the group.
    pub member_ids: Vec<String>,
}

/// `secrets.json`: the one keystore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsPart {
    /// The hash in force.
    pub bootstrap_password_hash: Option<Secret>,
    /// The config key pair.
    pub access: AccessSecrets,
    /// Backend → field → value.
    pub storage_backends: BTreeMap<String, BTreeMap<String, Secret>>,
    /// Provider name → client secret.
    pub oauth_client_secrets: BTreeMap<String, Secret>,
    /// Access key id → secret half.
    pub user_secrets: BTreeMap<String, Secret>,
    /// Key id → 64 lower-case hex digits.
    pub encryption_keys: BTreeMap<String, Secret>,
    /// What event delivery signs with.
    pub event_delivery: EventSecrets,
    /// `env:NAME`, `file:PATH` or `stored:NAME` → value, for every reference in use.
    pub resolved: BTreeMap<String, Secret>,
}

/// The config key pair, as far as the config file writes it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessSecrets {
    /// The public half.
    pub access_key_id: Option<Secret>,
    /// The secret half.
    pub secret_access_key: Option<Secret>,
}

/// What event delivery signs with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventSecrets {
    /// The token of a chat service.
    pub slack_bot_token: Option<Secret>,
    /// Header → value.
    pub webhook_headers: BTreeMap<String, Secret>,
}

impl IamPart {
    /// Reads the entry. What its parts mean to one another is checked by `check`.
    pub fn read(input: impl Read) -> Result<Self, Error> {
        stream::read("iam.json", input, ArchiveFault::IamShape)
    }
}

/// The IAM half of a state, as `iam.json` has it: the same bytes for the same state, one entity at a time.
#[derive(Debug)]
pub struct IamOf<'a>(pub &'a State);

impl IamOf<'_> {
    /// Writes the entry.
    pub fn write(&self, out: impl Write) -> Result<(), Error> {
        pretty(self, out, "write iam.json")
    }
}

impl Serialize for IamOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let state = self.0;
        let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for user in state.users.values() {
            for group in &user.group_ids {
                members.entry(group.as_str()).or_default().push(&user.id);
            }
        }
        let members = |group: &Group| members.get(group.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let group = |group: &Group| GroupEntry::from_group(group, members(group));
        let provider = |provider: &AuthProvider| AuthProvider { client_secret: None, ..provider.clone() };
        let mut part = serializer.serialize_struct("IamPart", 7)?;
        part.serialize_field("users", &Each(|| state.users.values().map(|user| UserEntry::from_user(user))))?;
        part.serialize_field("groups", &Each(|| state.groups.values().map(|one| group(one))))?;
        part.serialize_field("auth_providers", &Each(|| state.providers.values().map(|one| provider(one))))?;
        part.serialize_field("mapping_rules", &Each(|| state.mapping_rules.values().map(|rule| &**rule)))?;
        part.serialize_field("external_identities", &Each(|| state.identities.values().map(|one| &**one)))?;
        part.serialize_field("tokens", &Each(|| state.tokens.values().map(|token| &**token)))?;
        part.serialize_field("revocations", &Each(|| state.revocations.values().map(|one| &**one)))?;
        part.end()
    }
}

/// A list whose elements are made while it is written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl UserEntry {
    fn from_user(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            name: user.name.clone(),
            access_key_id: user.keys.first().map(|key| key.access_key_id.clone()),
            keys: user
                .keys
                .iter()
                .map(|key| AccessKeyEntry {
                    access_key_id: key.access_key_id.clone(),
                    active: key.active,
                    created_at: key.created_at,
                    expires_at: key.expires_at,
                })
                .collect(),
            enabled: user.enabled,
            created_at: user.created_at,
            auth_source: user.auth_source.clone(),
            credential_version: user.credential_version,
            permissions: user.permissions.clone(),
            group_ids: user.group_ids.iter().cloned().collect(),
        }
    }
}

impl GroupEntry {
    fn from_group(group: &Group, members: &[&str]) -> Self {
        Self {
            id: group.id.clone(),
            name: group.name.clone(),
            description: group.description.clone(),
            created_at: group.created_at,
            permissions: group.permissions.clone(),
            member_ids: members.iter().map(|id| (*id).to_owned()).collect(),
        }
    }
}

impl SecretsPart {
    /// The secrets of a state but for those of its users, which are as many as they are and come when they are written; the caller
    /// adds the bootstrap hash, the config's own and what env and file references give.
    pub fn beside_users(state: &State) -> Self {
        let providers = state.providers.values();
        Self {
            oauth_client_secrets: providers
                .filter_map(|provider| Some((provider.name.clone(), provider.client_secret.clone()?)))
                .collect(),
            encryption_keys: state.keyring.values().map(|key| (key.id.clone(), key.key.clone())).collect(),
            resolved: state.secrets.iter().map(|(name, value)| (reference_of(name), value.clone())).collect(),
            ..Self::default()
        }
    }

    /// Writes the entry with the secrets of these users: the same bytes for the same secrets. The one place where secrets are written
    /// out.
    pub fn write(&self, state: &State, out: impl Write) -> Result<(), Error> {
        let keys = state.users.values().flat_map(|user| &user.keys);
        let users = keys.map(|key| (key.access_key_id.as_str(), key.secret.expose())).collect();
        pretty(&Exposed { user_secrets: users, ..Exposed::from(self) }, out, "write secrets.json")
    }

    /// Reads the entry.
    pub fn read(input: impl Read) -> Result<Self, Error> {
        stream::read("secrets.json", input, ArchiveFault::SecretsShape)
    }
}

/// How `resolved` calls the stored secret `name`: a fallback that an earlier restore brought keeps its reference.
fn reference_of(name: &str) -> String {
    match name.starts_with("env:") || name.starts_with("file:") {
        true => name.to_owned(),
        false => format!("stored:{name}"),
    }
}

type Texts<'a> = BTreeMap<&'a str, &'a str>;

#[derive(Serialize)]
struct Exposed<'a> {
    bootstrap_password_hash: Option<&'a str>,
    access: Texts<'a>,
    storage_backends: BTreeMap<&'a str, Texts<'a>>,
    oauth_client_secrets: Texts<'a>,
    user_secrets: Texts<'a>,
    encryption_keys: Texts<'a>,
    event_delivery: ExposedEvents<'a>,
    resolved: Texts<'a>,
}

#[derive(Serialize)]
struct ExposedEvents<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    slack_bot_token: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    webhook_headers: Texts<'a>,
}

impl<'a> From<&'a SecretsPart> for Exposed<'a> {
    fn from(part: &'a SecretsPart) -> Self {
        let access =
            [("access_key_id", &part.access.access_key_id), ("secret_access_key", &part.access.secret_access_key)];
        Self {
            bootstrap_password_hash: part.bootstrap_password_hash.as_ref().map(Secret::expose),
            access: access.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?.expose()))).collect(),
            storage_backends: part.storage_backends.iter().map(|(name, map)| (name.as_str(), texts(map))).collect(),
            oauth_client_secrets: texts(&part.oauth_client_secrets),
            user_secrets: texts(&part.user_secrets),
            encryption_keys: texts(&part.encryption_keys),
            event_delivery: ExposedEvents {
                slack_bot_token: part.event_delivery.slack_bot_token.as_ref().map(Secret::expose),
                webhook_headers: texts(&part.event_delivery.webhook_headers),
            },
            resolved: texts(&part.resolved),
        }
    }
}

fn texts(map: &BTreeMap<String, Secret>) -> Texts<'_> {
    map.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}

fn pretty<T: Serialize>(part: &T, out: impl Write, operation: &'static str) -> Result<(), Error> {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    serde_json::to_writer_pretty(&mut out, part).map_err(|error| match error.io_error_kind() {
        Some(kind) => Error::io(operation, kind.into()),
        None => Error::internal(operation, error),
    })?;
    out.write_all(b"\n").and_then(|()| out.flush()).map_err(|error| Error::io(operation, error))
}
