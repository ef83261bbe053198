//! Every change of the state: the one enum that `system` orders, `iam` applies and `iam_db` makes durable.

use crate::Result;
use crate::domain::bucket::BucketChange;
use crate::domain::clock::Timestamp;
use crate::domain::iam::change::IamChange;
use crate::domain::iam::grants::Author;
use crate::domain::names::BackendName;
use crate::domain::secret::Secret;
use crate::domain::state::{ConfigRevision, KeyPurpose, RestoreRecord, State, StoredKey};
use crate::{Error, ErrorKind};
use std::sync::Arc;

/// How many revisions of the config are kept.
const CONFIG_REVISIONS: usize = 100;

/// One change of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// Users, groups, keys, tokens.
    Iam(IamChange),
    /// What the config file declares of IAM takes the place of what there is: at start, where the file was edited.
    Declare(Box<State>),
    /// The bucket registry.
    Bucket(BucketChange),
    /// A backend was initialised under this id.
    RegisterBackend {
        /// Its name in the config.
        name: BackendName,
        /// The id in its `.dg/backend.json`.
        id: String,
    },
    /// Stores a secret under a name, replacing what was there.
    PutSecret {
        /// What `{stored: NAME}` names.
        name: String,
        /// The value.
        value: Secret,
    },
    /// Removes a stored secret.
    DeleteSecret {
        /// Which.
        name: String,
    },
    /// Adds a key to the keyring. An active one takes the place of the active one of its purpose. No change removes a key.
    AddKey(StoredKey),
    /// Trusts a signer of archives.
    TrustSigner {
        /// Ed25519 public key in standard base64.
        signer: String,
    },
    /// Trusts a signer no more.
    DistrustSigner {
        /// Ed25519 public key in standard base64.
        signer: String,
    },
    /// Notes what a restore did.
    RecordRestore(RestoreRecord),
    /// Adds a revision to the history of the config; its number is given here. The last 100 are kept.
    RecordConfig(ConfigRevision),
    /// The bootstrap password was changed: `auth_epoch` rises, all sessions but the caller's end.
    PasswordChanged {
        /// SHA-256 of the caller's session token, which lives on.
        exception: Option<String>,
    },
    /// Ends the quarantine of a clone.
    GoLive,
    /// This instance took the state over.
    Adopt {
        /// Its id.
        instance_id: String,
    },
}

/// A change as it was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is to change.
    pub change: StateChange,
    /// The version of the state that the change was made for (`If-Match`); at any other it is refused.
    pub if_version: Option<String>,
    /// Who asks, where its rights bound what it may give; the system itself is nobody.
    pub author: Option<Author>,
}

impl From<StateChange> for Asked {
    fn from(change: StateChange) -> Self {
        Self { change, if_version: None, author: None }
    }
}

/// What a change was about: for the audit row and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// `user`, `group`, `token`, `bucket`, ….
    pub kind: &'static str,
    /// Its id or name.
    pub id: String,
}

impl Changed {
    /// What and which.
    pub fn new(kind: &'static str, id: String) -> Self {
        Self { kind, id }
    }
}

impl StateChange {
    /// True for what the config file owns where `access.iam_mode` is `declarative`: nobody changes it otherwise.
    pub fn is_owned_by_file(&self, state: &State) -> bool {
        matches!(self, Self::Iam(change) if change.is_owned_by_file(state))
    }

    /// Applies the change to a clone of the state; on an error the clone is thrown away.
    pub fn apply(self, state: &mut State, now: Timestamp) -> Result<Changed> {
        match self {
            Self::Iam(change) => change.apply(state, now),
            Self::Declare(declared) => {
                let State { users, groups, providers, mapping_rules, identities, revocations, .. } = *declared;
                *state = State { users, groups, providers, mapping_rules, identities, revocations, ..state.clone() };
                Ok(Changed::new("iam", "declared".into()))
            }
            Self::Bucket(change) => change.apply(state),
            Self::RegisterBackend { name, id } => {
                state.backends.insert(name.clone(), id);
                Ok(Changed::new("backend", name.into()))
            }
            Self::PutSecret { name, value } => {
                state.secrets.insert(name.clone(), value);
                Ok(Changed::new("secret", name))
            }
            Self::DeleteSecret { name } => match state.secrets.remove(&name) {
                Some(_) => Ok(Changed::new("secret", name)),
                None => Err(missing("no_such_secret", "there is no stored secret of this name")),
            },
            Self::AddKey(key) => add_key(state, key),
            Self::TrustSigner { signer } => {
                state.trusted_signers.entry(signer.clone()).or_insert(now);
                Ok(Changed::new("trusted_signer", signer))
            }
            Self::DistrustSigner { signer } => match state.trusted_signers.remove(&signer) {
                Some(_) => Ok(Changed::new("trusted_signer", signer)),
                None => Err(missing("no_such_signer", "this signer is not on the list")),
            },
            Self::RecordRestore(record) => {
                let id = record.restore_id.clone();
                state.restores.insert(id.clone(), Arc::new(record));
                Ok(Changed::new("restore", id))
            }
            Self::RecordConfig(mut revision) => {
                revision.number = state.config_history.keys().next_back().map_or(1, |last| last + 1);
                let number = revision.number;
                state.config_history.insert(number, Arc::new(revision));
                while state.config_history.len() > CONFIG_REVISIONS {
                    state.config_history.pop_first();
                }
                Ok(Changed::new("config", number.to_string()))
            }
            Self::PasswordChanged { exception } => {
                state.meta.auth_epoch += 1;
                state.meta.auth_exception = exception;
                state.meta.password_set_at = Some(now);
                state.meta.password_logged = false;
                Ok(Changed::new("password", "$bootstrap".into()))
            }
            Self::GoLive => {
                let from = state.meta.quarantined_from.take().unwrap_or_default();
                Ok(Changed::new("instance", from))
            }
            Self::Adopt { instance_id } => {
                let wrote_last = std::mem::replace(&mut state.meta.instance_id, instance_id.clone());
                if !wrote_last.is_empty() && wrote_last != instance_id {
                    // A copied file is a clone: what acts on other systems stays paused until go-live.
                    state.meta.quarantined_from = Some(wrote_last);
                }
                Ok(Changed::new("instance", instance_id))
            }
        }
    }
}

/// What a change of IAM is refused with where the config file owns it.
pub fn owned_by_file() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "change state",
        "the config file owns users, groups, providers and mapping rules here",
    )
    .with_code("iam_declarative")
    .with_hint("change the lists of `access` in the file, or apply a document with `config declarative apply`")
}

fn add_key(state: &mut State, key: StoredKey) -> Result<Changed> {
    let digits = key.key.expose();
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(Error::new(ErrorKind::Invalid, "add key", "a key has 64 lower-case hex digits"));
    }
    match state.keyring.get(&key.id) {
        Some(there) if there.fingerprint() != key.fingerprint() => {
            let message = format!("there is another key with the id `{}`", key.id);
            return Err(Error::new(ErrorKind::Conflict, "add key", message).with_code("key_conflict"));
        }
        Some(_) => return Ok(Changed::new("key", key.id)),
        None => {}
    }
    if key.active {
        retire(state, key.purpose);
    }
    let id = key.id.clone();
    state.keyring.insert(id.clone(), Arc::new(key));
    Ok(Changed::new("key", id))
}

fn retire(state: &mut State, purpose: KeyPurpose) {
    for key in state.keyring.values_mut().filter(|key| key.purpose == purpose && key.active) {
        Arc::make_mut(key).active = false;
    }
}

fn missing(code: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::NotFound, "change state", message).with_code(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, digit: &str) -> StoredKey {
        StoredKey {
            id: id.into(),
            purpose: KeyPurpose::MetadataMac,
            key: Secret::new(digit.repeat(64)),
            created_at: Timestamp::default(),
            active: true,
        }
    }

    #[test]
    fn a_new_active_key_retires_the_old_one_and_none_is_lost() {
        let mut state = State::default();
        let now = Timestamp::from_secs(1);
        for change in [key("k1", "a"), key("k2", "b"), key("k1", "a")] {
            StateChange::AddKey(change).apply(&mut state, now).unwrap();
        }
        let active: Vec<_> = state.keyring.values().map(|k| (k.id.as_str(), k.active)).collect();
        assert_eq!(active, [("k1", false), ("k2", true)]);
        let other = StateChange::AddKey(key("k1", "c")).apply(&mut state, now).unwrap_err();
        assert_eq!(other.code(), Some("key_conflict"));
        assert!(StateChange::AddKey(key("k3", "Z")).apply(&mut state, now).is_err());
    }

    #[test]
    fn revisions_are_numbered_and_the_last_hundred_kept() {
        let mut state = State::default();
        let revision =
            ConfigRevision { number: 0, at: Timestamp::default(), actor: "$bootstrap".into(), yaml: "a: 1".into() };
        for _ in 0..103 {
            StateChange::RecordConfig(revision.clone()).apply(&mut state, Timestamp::default()).unwrap();
        }
        assert_eq!(state.config_history.len(), 100);
        assert_eq!(state.config_history.keys().next_back(), Some(&103));
    }

    #[test]
    fn a_password_change_ends_older_sessions_but_the_callers() {
        let mut state = State::default();
        let change = StateChange::PasswordChanged { exception: Some("ab".into()) };
        change.apply(&mut state, Timestamp::from_secs(5)).unwrap();
        assert_eq!((state.meta.auth_epoch, state.meta.auth_exception.as_deref()), (1, Some("ab")));
        assert_eq!(state.meta.password_set_at, Some(Timestamp::from_secs(5)));
    }
}
