//! What a config file may say of users, groups, sign-in providers and mapping rules: in force where `access.iam_mode` is
//! `declarative`.

use super::model::SecretRef;
use crate::domain::clock::Timestamp;
use crate::domain::iam::model::Permission;
use serde_json::Value;

/// Who owns IAM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IamMode {
    /// The database, through the console and the API.
    #[default]
    Gui,
    /// The config file.
    Declarative,
}

impl IamMode {
    /// The word of the config file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gui => "gui",
            Self::Declarative => "declarative",
        }
    }
}

/// The four lists. One that is not written leaves what the database has; an empty one means that there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// `access.iam_users`.
    pub users: Option<Vec<DeclaredUser>>,
    /// `access.iam_groups`.
    pub groups: Option<Vec<DeclaredGroup>>,
    /// `access.auth_providers`.
    pub providers: Option<Vec<DeclaredProvider>>,
    /// `access.group_mapping_rules`.
    pub mapping_rules: Option<Vec<DeclaredRule>>,
}

/// A user, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredUser {
    /// Unique.
    pub name: String,
    /// The public half of its first key pair.
    pub access_key_id: Option<String>,
    /// The secret half; without it the database's stays.
    pub secret_access_key: Option<SecretRef>,
    /// A disabled user can do nothing.
    pub enabled: bool,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// Its own rules.
    pub permissions: Vec<Permission>,
    /// Further key pairs; where neither they nor the first one are written, the database's stay.
    pub access_keys: Option<Vec<DeclaredKey>>,
}

/// A key pair of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredKey {
    /// The public half.
    pub access_key_id: String,
    /// The secret half; without it the database's stays.
    pub secret_access_key: Option<SecretRef>,
    /// An inactive key signs nothing.
    pub active: bool,
    /// From then on it signs nothing.
    pub expires_at: Option<Timestamp>,
}

/// A group, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredGroup {
    /// Unique.
    pub name: String,
    /// For people.
    pub description: String,
    /// The rules that every member has.
    pub permissions: Vec<Permission>,
}

/// A sign-in provider, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredProvider {
    /// Unique.
    pub name: String,
    /// `oidc`.
    pub provider_type: String,
    /// Whether people may sign in with it.
    pub enabled: bool,
    /// Order on the sign-in page.
    pub priority: i64,
    /// For people.
    pub display_name: Option<String>,
    /// The OAuth client.
    pub client_id: Option<String>,
    /// Its secret; without it the database's stays.
    pub client_secret: Option<SecretRef>,
    /// The issuer.
    pub issuer_url: Option<String>,
    /// Space-separated.
    pub scopes: String,
    /// `allowed_domains`, `require_email_verified`, ….
    pub extra_config: Option<Value>,
}

/// A rule that puts people of a provider into a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredRule {
    /// The name of one provider, or all where it is `None`.
    pub provider: Option<String>,
    /// Order.
    pub priority: i64,
    /// `email_exact`, `email_domain`, `email_glob`, `email_regex`, `claim_value`.
    pub match_type: String,
    /// Which claim.
    pub match_field: String,
    /// With what it is compared.
    pub match_value: String,
    /// The name of the group that it gives.
    pub group: String,
    /// A disabled rule gives nothing.
    pub enabled: bool,
}

impl Declared {
    /// True where it names nobody and nothing: such a document is refused, never taken for "delete everything".
    pub fn is_empty(&self) -> bool {
        fn none<T>(list: &Option<Vec<T>>) -> bool {
            list.as_ref().is_none_or(Vec::is_empty)
        }
        none(&self.users) && none(&self.groups) && none(&self.providers) && none(&self.mapping_rules)
    }

    /// Every secret that it names or holds.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let users = self.users.iter().flatten().flat_map(|user| {
            let further = user.access_keys.iter().flatten().map(|key| &key.secret_access_key);
            further.chain([&user.secret_access_key])
        });
        users.chain(self.providers.iter().flatten().map(|provider| &provider.client_secret)).flatten()
    }

    /// The same, to change them.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut SecretRef> {
        let users = self.users.iter_mut().flatten().flat_map(|user| {
            let further = user.access_keys.iter_mut().flatten().map(|key| &mut key.secret_access_key);
            further.chain([&mut user.secret_access_key])
        });
        users.chain(self.providers.iter_mut().flatten().map(|provider| &mut provider.client_secret)).flatten()
    }
}
