//! Where a backend is to lie, as a body names it: a directory, or an S3 account with its key pair.

use crate::http::admin::error::{Problem, invalid};
use actors::domain::config::model::{BackendKind, S3Account, SecretRef, WrittenPath};
use actors::domain::secret::Secret;

/// The fields of a body that name a place.
pub(super) struct Place {
    pub(super) path: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) access_key_id: Option<String>,
    pub(super) secret_access_key: Option<Secret>,
}

impl Place {
    /// Whether the body names any of it.
    pub(super) fn is_named(&self) -> bool {
        self.path.is_some() || self.is_account()
    }

    fn is_account(&self) -> bool {
        let named = [&self.endpoint, &self.region, &self.access_key_id].iter().any(|field| field.is_some());
        named || self.secret_access_key.is_some()
    }

    /// The kind of backend that it is; of an account, what is not named stays as it is now.
    pub(super) fn kind(self, word: &str, now: Option<&BackendKind>) -> Result<BackendKind, Problem> {
        match word {
            "filesystem" if self.is_account() => Err(invalid("a backend of the type `filesystem` has no account")),
            "filesystem" => match self.path.filter(|path| !path.trim().is_empty()) {
                Some(path) => Ok(BackendKind::Filesystem { path: WrittenPath::new(path) }),
                None => Err(invalid("a backend of the type `filesystem` has a `path`")),
            },
            "s3" if self.path.is_some() => Err(invalid("a backend of the type `s3` has no `path`")),
            "s3" => self.account(now).map(BackendKind::S3),
            other => Err(invalid(format!("`type` is `filesystem` or `s3`, not `{other}`"))),
        }
    }

    fn account(self, now: Option<&BackendKind>) -> Result<S3Account, Problem> {
        let now = match now {
            Some(BackendKind::S3(account)) => Some(account.clone()),
            _ => None,
        };
        let (endpoint, region, id, secret) = match now {
            Some(now) => (now.endpoint, now.region, Some(now.access_key_id), now.secret_access_key),
            None => (None, S3Account::DEFAULT_REGION.to_owned(), None, None),
        };
        let left_out = |key: &str| invalid(format!("a backend of the type `s3` has an `{key}`"));
        let given = |field: Option<String>| field.filter(|text| !text.trim().is_empty());
        let secret = self.secret_access_key.filter(|secret| !secret.is_empty()).map(SecretRef::Literal).or(secret);
        Ok(S3Account {
            // An empty one is AWS's own of the region.
            endpoint: match self.endpoint {
                Some(endpoint) => given(Some(endpoint)).map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
                None => endpoint,
            },
            region: given(self.region).unwrap_or(region),
            access_key_id: given(self.access_key_id).or(id).ok_or_else(|| left_out("access_key_id"))?,
            secret_access_key: Some(secret.ok_or_else(|| left_out("secret_access_key"))?),
        })
    }
}

/// How the API calls a kind of backend.
pub(super) fn word(kind: &BackendKind) -> &'static str {
    match kind {
        BackendKind::Filesystem { .. } => "filesystem",
        BackendKind::S3(_) => "s3",
    }
}
