//! The config file owns IAM: a declaration and a state → the next state and what differs. Pure, by name, ids survive.
//!
//! A list that the declaration has is what there is from then on: what it does not name goes. A list that it does not have is left
//! alone. People of a sign-in provider are the provider's: they stay, whatever `iam_users` says, while an identity binds them.
//! Keyring, tokens, sessions and earlier revocations are never touched; what goes is revoked, as the API would.

mod diff;
mod export;
mod groups;
mod providers;
mod users;

pub use self::diff::{Diff, Item, Verb};
pub use self::export::{agree, export};

use crate::domain::clock::Timestamp;
use crate::domain::config::declared::Declared;
use crate::domain::config::model::SecretRef;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// What a declaration needs beside itself and the state.
pub struct Means<'a> {
    /// The value of a reference on this host.
    pub resolve: &'a dyn Fn(&SecretRef) -> Result<Secret>,
    /// Secret halves by access key id that stand in where the declaration has none: those of an archive's `secrets.json`.
    pub user_secrets: &'a BTreeMap<String, Secret>,
    /// Client secrets by provider name that stand in where the declaration has none.
    pub client_secrets: &'a BTreeMap<String, Secret>,
    /// A new id.
    pub new_id: &'a dyn Fn() -> String,
    /// Now.
    pub now: Timestamp,
}

/// What a declaration makes of a state.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The next state; its generation is the old one.
    pub state: State,
    /// What differs.
    pub diff: Diff,
}

/// Applies a declaration.
///
/// Errors: `iam_empty` for one without content, `iam_secret_missing` for a new key pair without its secret, `access_key_taken`,
/// `no_such_group`, `no_such_provider`, `too_many_keys`, and what `resolve` gives.
pub fn apply(declared: &Declared, state: &State, means: &Means<'_>) -> Result<Applied> {
    if declared.is_empty() {
        return Err(invalid(
            "iam_empty",
            "the document names no user, group, provider or mapping rule: it is not taken for \
             \"delete everything\"",
        ));
    }
    let mut next = state.clone();
    let mut diff = Diff::default();
    groups::apply(declared, &mut next, means, &mut diff);
    providers::apply(declared, &mut next, means, &mut diff)?;
    providers::mapping_rules(declared, &mut next, means, &mut diff)?;
    users::apply(declared, &mut next, means, &mut diff)?;
    diff.no_changes = next == *state;
    Ok(Applied { state: next, diff })
}

fn invalid(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "declare iam", message).with_code(code)
}

#[cfg(test)]
mod tests;
