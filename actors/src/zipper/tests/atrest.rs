//! Keys of encryption at rest through restores: given by variable, file or store, rotated since, lost, or another one.

use super::plan::Setup;
use super::testkit::*;
use crate::domain::archive::Archive;
use crate::domain::archive::plan::Mode;
use crate::domain::config::load::{Loaded, load};
use crate::domain::config::model::ArchiveLimits;
use crate::domain::config::scalar::Environment;
use crate::domain::secret::Secret;
use crate::domain::state::{KeyPurpose, State, StoredKey};
use std::sync::Arc;

fn config(keys: &str, active: &str) -> Loaded {
    let text = format!(
        "storage: {{backends: [{{name: hot, type: filesystem, path: ./hot, encryption: {{mode: aes256-gcm-proxy, keys: \
         {{{keys}}}, active: {active}}}}}]}}\n"
    );
    load(&text, &Environment::new()).unwrap()
}

fn ring(state: &mut State, id: &str, digit: &str, created: i64) {
    let stored = StoredKey { purpose: KeyPurpose::ObjectData, ..key(id, digit, created, false) };
    state.keyring.insert(id.into(), Arc::new(stored));
}

/// An archive of a host whose one key is in its keyring, given by a variable.
fn archive() -> Archive {
    let mut captured = State::default();
    ring(&mut captured, "e1", "e", -100);
    let mut captured = State { meta: state().meta, ..captured };
    captured.secrets.insert("env:E1".into(), Secret::new("e".repeat(64)));
    let exported = exported_with(&captured, &config("e1: {env: E1}", "e1"));
    verify(&exported.bytes, &ArchiveLimits::default()).unwrap()
}

#[test]
fn a_key_that_was_rotated_since_the_backup_stays_active_and_both_stay_readable() {
    let mut setup = Setup::fresh();
    (setup.archive, setup.instance) = (archive(), "instance-a");
    ring(&mut setup.state, "e1", "e", -100);
    ring(&mut setup.state, "e2", "f", 50);
    setup.config = config("e1: {env: E1}, e2: {env: E2}", "e2");
    for mode in ["full", "config-only"] {
        setup.options.mode = Mode::parse(mode).unwrap();
        let plan = setup.good();
        let encryption = plan.next_config.config.storage.backends.values().next().unwrap().encryption.clone();
        assert_eq!(encryption.active.as_deref(), Some("e2"), "{mode}");
        assert_eq!(encryption.keys.keys().collect::<Vec<_>>(), ["e1", "e2"], "{mode}");
        assert!(plan.next.keyring.contains_key("e1") && plan.next.keyring.contains_key("e2"), "{mode}");
    }
    // A backend that was removed since leaves its key behind.
    setup.config = load("", &Environment::new()).unwrap();
    assert!(setup.good().next.keyring.contains_key("e2"));
}

#[test]
fn a_key_that_this_host_gives_otherwise_is_a_conflict() {
    let mut setup = Setup::fresh();
    setup.archive = archive();
    assert!(setup.good().next.keyring.contains_key("e1"));
    setup.environment.insert("E1".into(), "0".repeat(64));
    assert_eq!(setup.plan().unwrap_err().code(), Some("key_conflict"));
    setup.environment.insert("E1".into(), "e".repeat(64));
    assert!(setup.plan().is_ok());
}

#[test]
fn a_key_that_nobody_has_is_named() {
    let mut setup = Setup::fresh();
    setup.archive = archive();
    setup.archive.secrets.encryption_keys.clear();
    setup.archive.secrets.resolved.clear();
    setup.archive.manifest.encryption_keys.clear();
    let error = setup.plan().unwrap_err();
    assert_eq!(error.code(), Some("missing_keys"));
    assert!(error.message().contains("e1"), "{error}");
    setup.options.allow_missing_keys = true;
    let plan = setup.good();
    assert!(plan.warnings.iter().any(|warning| warning.contains("e1") && warning.contains("read-only")));
    // A variable of this host, or a stored secret, gives it as well.
    setup.options.allow_missing_keys = false;
    setup.environment.insert("E1".into(), "E".repeat(64));
    assert_eq!(setup.good().next.keyring["e1"].key.expose(), "e".repeat(64));
}
