//! Keys of encryption at rest: what a reference gives becomes a key of the keyring, and what a backend lacks seals it.

use crate::domain::clock::Timestamp;
use crate::domain::config::encryption::EncryptionMode;
use crate::domain::config::model::{Backend, Config, SecretRef};
use crate::domain::names::BackendName;
use crate::domain::secret::Secret;
use crate::domain::state::{KeyPurpose, State, StoredKey};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a backend takes no writes. What is on it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// The config says so.
    ReadOnly,
    /// Its objects are to be encrypted, which this version does not do: plaintext would be worse than nothing.
    NotEncrypting,
    /// Nobody has these keys.
    MissingKeys(Vec<String>),
    /// It is an account elsewhere, and this server a clone of this instance, whose account it is.
    Quarantined(String),
}

/// The seal of a backend, where it has one. `original` is the instance whose clone this one is: a directory of a clone is its own,
/// an account is one and the same for both.
pub fn seal(backend: &Backend, keyring: &BTreeMap<String, Arc<StoredKey>>, original: Option<&str>) -> Option<Seal> {
    if let (None, Some(original)) = (backend.kind.directory(), original) {
        return Some(Seal::Quarantined(original.to_owned()));
    }
    let keys = &backend.encryption.keys;
    let missing: Vec<String> = keys.keys().filter(|id| !keyring.contains_key(*id)).cloned().collect();
    match (missing.is_empty(), backend.encryption.mode, backend.read_only) {
        (false, _, _) => Some(Seal::MissingKeys(missing)),
        (true, _, true) => Some(Seal::ReadOnly),
        (true, EncryptionMode::Proxy, false) => Some(Seal::NotEncrypting),
        (true, EncryptionMode::None, false) => None,
    }
}

impl Seal {
    /// The word for it, which never changes.
    pub fn word(&self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::NotEncrypting => "not_encrypting",
            Self::MissingKeys(_) => "missing_keys",
            Self::Quarantined(_) => "quarantined",
        }
    }

    /// What an operator should know of it; nothing where it is as the config has it, or as health says anyway.
    pub fn notice(&self, backend: &BackendName) -> Option<String> {
        match self {
            Self::ReadOnly | Self::Quarantined(_) => None,
            Self::NotEncrypting | Self::MissingKeys(_) => Some(self.words(backend)),
        }
    }

    /// The error that a write meets.
    pub fn error(&self, backend: &BackendName) -> Error {
        let error = |kind, hint| Error::new(kind, "backend", self.words(backend)).with_hint(hint);
        match self {
            Self::ReadOnly => {
                error(ErrorKind::Forbidden, "`read_only: false` of the backend in the config takes writes again")
                    .with_code("backend_read_only")
            }
            Self::NotEncrypting => {
                error(ErrorKind::NotImplemented, "`encryption.mode: none` takes writes, in plaintext")
            }
            Self::MissingKeys(_) => {
                error(ErrorKind::Forbidden, "give the keys by the references of `encryption.keys` and restart")
                    .with_code("backend_read_only")
            }
            Self::Quarantined(_) => {
                error(ErrorKind::Forbidden, "let it go live where the original is gone or writes there no more")
                    .with_code("backend_quarantined")
            }
        }
    }

    fn words(&self, backend: &BackendName) -> String {
        match self {
            Self::ReadOnly => format!("The backend `{backend}` is read-only."),
            Self::NotEncrypting => format!(
                "The backend `{backend}` is to encrypt its objects, which this version of the server does not do: it takes no \
                 writes and stores no plaintext."
            ),
            Self::MissingKeys(ids) => {
                format!("The backend `{backend}` is read-only: the encryption keys {} are missing.", ids.join(", "))
            }
            Self::Quarantined(original) => format!(
                "The backend `{backend}` is read-only: this server is a clone of the instance {original}, whose account it is, and \
                 writes nothing there before it goes live (`deltaglider_proxy backup go-live`)."
            ),
        }
    }
}

/// A key as a reference gives it: 64 hex digits.
pub fn key(id: &str, given: &Secret, now: Timestamp) -> Result<StoredKey> {
    let digits = given.expose().trim().to_ascii_lowercase();
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!("the encryption key `{id}` is not 64 hex digits");
        return Err(Error::new(ErrorKind::Invalid, "read encryption key", message)
            .with_code("config_unfit")
            .with_hint("make one with `openssl rand -hex 32`"));
    }
    Ok(StoredKey {
        id: id.to_owned(),
        purpose: KeyPurpose::ObjectData,
        key: Secret::new(digits),
        created_at: now,
        active: false,
    })
}

/// The keys that a config names and the keyring lacks, as far as `resolve` gives them. One that is there and is another key is an
/// error: whatever is under it could not be read any more.
pub fn new_keys(
    config: &Config,
    state: &State,
    now: Timestamp,
    resolve: &dyn Fn(&SecretRef) -> Option<Secret>,
) -> Result<Vec<StoredKey>> {
    let mut keys: BTreeMap<String, StoredKey> = BTreeMap::new();
    for (id, reference) in config.storage.backends.values().flat_map(|backend| &backend.encryption.keys) {
        let Some(given) = resolve(reference) else { continue };
        let key = key(id, &given, now)?;
        let known = state.keyring.get(id).map(|key| &**key).or_else(|| keys.get(id));
        match known {
            Some(known) if known.key != key.key || known.purpose != key.purpose => return Err(conflict(id)),
            Some(_) => {}
            None => {
                keys.insert(id.clone(), key);
            }
        }
    }
    Ok(keys.into_values().collect())
}

fn conflict(id: &str) -> Error {
    let message = format!("the encryption key `{id}` that this host gives is another one than the keyring's");
    Error::new(ErrorKind::Conflict, "read encryption key", message)
        .with_code("key_conflict")
        .with_hint("give the key that it was; a new key gets an id of its own")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::load;
    use crate::domain::config::scalar::Environment;

    const CONFIG: &str = "storage: {backends: [{name: a, type: filesystem, path: ./a, encryption: {mode: aes256-gcm-proxy, \
                          keys: {k1: {env: K1}, k2: {stored: k2}}, active: k2}}]}";

    fn given(digit: &str) -> impl Fn(&SecretRef) -> Option<Secret> {
        let digits = digit.repeat(64);
        move |reference| matches!(reference, SecretRef::Env(_)).then(|| Secret::new(digits.as_str()))
    }

    #[test]
    fn what_a_reference_gives_joins_the_keyring_and_never_replaces_a_key() {
        let config = load(CONFIG, &Environment::new()).unwrap().config;
        let mut state = State::default();
        let new = new_keys(&config, &state, Timestamp::from_secs(1), &given("A")).unwrap();
        assert_eq!(new.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["k1"]);
        assert_eq!(new[0].key.expose(), "a".repeat(64));
        state.keyring.insert("k1".into(), Arc::new(new[0].clone()));
        assert!(new_keys(&config, &state, Timestamp::from_secs(2), &given("a")).unwrap().is_empty());
        let other = new_keys(&config, &state, Timestamp::from_secs(2), &given("b")).unwrap_err();
        assert_eq!(other.code(), Some("key_conflict"));
        assert!(new_keys(&config, &state, Timestamp::from_secs(2), &given("x")).is_err());
    }

    #[test]
    fn a_backend_is_sealed_while_it_lacks_a_key_or_would_store_plaintext() {
        let config = load(CONFIG, &Environment::new()).unwrap().config;
        let mut backend = config.storage.backends.values().next().unwrap().clone();
        let mut keyring = BTreeMap::new();
        let ring = |id: &str| Arc::new(key(id, &Secret::new("c".repeat(64)), Timestamp::default()).unwrap());
        assert_eq!(seal(&backend, &keyring, None), Some(Seal::MissingKeys(vec!["k1".into(), "k2".into()])));
        keyring.insert("k1".into(), ring("k1"));
        keyring.insert("k2".into(), ring("k2"));
        assert_eq!(seal(&backend, &keyring, None), Some(Seal::NotEncrypting));
        backend.encryption.mode = EncryptionMode::None;
        assert_eq!(seal(&backend, &keyring, None), None);
        backend.read_only = true;
        assert_eq!(seal(&backend, &keyring, None), Some(Seal::ReadOnly));
    }

    #[test]
    fn of_a_clone_the_accounts_are_sealed_and_the_directories_are_its_own() {
        const BOTH: &str = "storage: {default_backend: near, backends: [{name: near, type: filesystem, path: ./a}, {name: far, type: s3, \
                            endpoint: 'http://127.0.0.1:1', region: r, access_key_id: k, secret_access_key: s}]}";
        let config = load(BOTH, &Environment::new()).unwrap().config;
        let seals = |original| -> Vec<Option<Seal>> {
            let backends = config.storage.backends.values();
            backends.map(|backend| seal(backend, &BTreeMap::new(), original)).collect()
        };
        assert_eq!(seals(None), [None, None]);
        assert_eq!(seals(Some("other")), [Some(Seal::Quarantined("other".into())), None], "`far` comes before `near`");
        let far = BackendName::new("far").unwrap();
        let error = Seal::Quarantined("other".into()).error(&far);
        assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("backend_quarantined")));
        assert!(error.message().contains("go-live"), "{error}");
    }
}
