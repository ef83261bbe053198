//! The rules of a restore, one test each.

use super::testkit::*;
use crate::domain::archive::Archive;
use crate::domain::archive::plan::*;
use crate::domain::config::load::Loaded;
use crate::domain::config::load::load as load_config;
use crate::domain::config::model::{ArchiveLimits, Authentication};
use crate::domain::config::scalar::Environment;
use crate::domain::iam::model::{Revocation, User};
use crate::domain::names::BucketName;
use crate::domain::secret::Secret;
use crate::domain::state::{Meta, State};
use crate::{ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) struct Setup {
    pub(super) state: State,
    pub(super) config: Loaded,
    pub(super) archive: Archive,
    pub(super) options: Options,
    pub(super) instance: &'static str,
    pub(super) with_data: BTreeSet<BucketName>,
    pub(super) environment: Environment,
}

impl Setup {
    /// A fresh instance with the sample archive.
    pub(super) fn fresh() -> Self {
        Self::over(State::default())
    }

    pub(super) fn over(current: State) -> Self {
        Self {
            state: current,
            config: load_config("advanced: {listen_addr: '127.0.0.1:7'}\n", &Environment::new()).unwrap(),
            archive: archive_of(&state()),
            options: Options::default(),
            instance: "instance-b",
            with_data: BTreeSet::new(),
            environment: Environment::new(),
        }
    }

    pub(super) fn plan(&self) -> Result<Plan> {
        let files = BTreeMap::new();
        let host = Host {
            instance_id: self.instance,
            now: at(100),
            known_epoch: 0,
            buckets_with_data: &self.with_data,
            caller_token: Some("cafe".into()),
            files: &files,
            environment: &self.environment,
            paths_from: None,
        };
        plan(Current { state: &self.state, config: &self.config }, &self.archive, &self.options, &host)
    }

    pub(super) fn good(&self) -> Plan {
        self.plan().unwrap()
    }
}

pub(super) fn archive_of(state: &State) -> Archive {
    verify(&exported(state).bytes, &ArchiveLimits::default()).unwrap()
}

pub(super) fn edit(state: &mut State, id: &str, edit: impl FnOnce(&mut User)) {
    edit(Arc::make_mut(state.users.get_mut(id).unwrap()));
}

pub(super) fn revoke(state: &mut State, kind: &str, fingerprint: &str, secs: i64) {
    let revocation = Revocation { kind: kind.into(), fingerprint: fingerprint.into(), revoked_at: at(secs) };
    state.revocations.insert((kind.into(), fingerprint.into()), Arc::new(revocation));
}

#[test]
fn a_fresh_instance_becomes_what_was_captured() {
    let plan = Setup::fresh().good();
    let mut expected = state();
    expected.meta = plan.next.meta.clone();
    expected.trusted_signers = BTreeMap::from([(plan.signer.clone().unwrap(), at(100))]);
    // What this host does not resolve comes from the backup.
    expected.secrets.insert("env:HOT_DIR".into(), Secret::new("./hot"));
    expected.secrets.insert("env:CONFIG_SECRET".into(), Secret::new("secret-of-config"));
    assert_eq!(plan.next, expected);
    assert_eq!(plan.changes.users.names(Change::Created), ["alice", "bob"]);
    assert_eq!(plan.next_config.config.storage, config().config.storage);
    assert!(plan.bootstrap_password_hash.is_some());
}

#[test]
fn a_restore_onto_itself_changes_nothing_but_the_epoch() {
    let mut setup = Setup::over(state());
    (setup.instance, setup.config, setup.environment) = ("instance-a", config(), environment());
    let plan = setup.good();
    let changes = &plan.changes;
    assert_eq!((changes.users.unchanged, changes.users.items.len(), changes.buckets.items.len()), (2, 0, 0));
    assert_eq!(changes.config, []);
    assert_eq!(plan.warnings, Vec::<String>::new());
    assert_eq!(plan.next.meta.quarantined_from, None);
}

#[test]
fn a_restore_begins_an_epoch_and_ends_sessions_but_the_callers() {
    let mut setup = Setup::fresh();
    setup.state.meta = Meta { epoch: 9, generation: 40, auth_epoch: 6, ..Meta::default() };
    let meta = setup.good().next.meta;
    assert_eq!((meta.epoch, meta.generation, meta.auth_epoch), (10, 1, 7));
    assert_eq!(meta.auth_exception.as_deref(), Some("cafe"));
    assert_eq!(meta.instance_id, "instance-b");
    assert_eq!(meta.quarantined_from.as_deref(), Some("instance-a"));
    assert_eq!(Setup::fresh().good().next.meta.epoch, 5);
}

#[test]
fn replace_is_a_point_in_time() {
    let mut current = state();
    current.users.insert("u3".into(), Arc::new(user("u3", "carol", &[])));
    edit(&mut current, "u1", |user| user.permissions.clear());
    let plan = Setup::over(current).good();
    assert_eq!(plan.changes.users.names(Change::Deleted), ["carol"]);
    assert_eq!(plan.changes.users.names(Change::Updated), ["alice"]);
    assert_eq!(plan.next.users["u1"].permissions.len(), 1);
    assert!(!plan.next.revocations.contains_key(&("user".into(), "u3".into())));
}

#[test]
fn keys_only_accumulate_and_the_newest_generation_stays_active() {
    let mut setup = Setup::fresh();
    for stored in [key("k3", "3", -100, true), key("k1", "1", -400, false)] {
        setup.state.keyring.insert(stored.id.clone(), Arc::new(stored));
    }
    let plan = setup.good();
    let active: Vec<&str> = plan.next.keyring.values().filter(|k| k.active).map(|k| k.id.as_str()).collect();
    assert_eq!((plan.next.keyring.len(), active), (3, vec!["k3"]));
    assert_eq!(
        (plan.keys.added, plan.keys.kept, plan.keys.active),
        (vec!["k2".into()], vec!["k3".into()], vec!["k3".into()])
    );
    setup.state.keyring.insert("k3".into(), Arc::new(key("k3", "3", -350, true)));
    assert_eq!(setup.good().keys.active, ["k2"]);
}

#[test]
fn another_key_under_the_same_id_is_a_conflict_and_a_lost_key_is_named() {
    let mut setup = Setup::fresh();
    setup.state.keyring.insert("k2".into(), Arc::new(key("k2", "9", -300, true)));
    assert_eq!(setup.plan().unwrap_err().code(), Some("key_conflict"));
    let mut setup = Setup::fresh();
    setup.archive.manifest.encryption_keys[0].included = false;
    let error = setup.plan().unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some("missing_keys"), ErrorKind::Conflict));
    assert!(error.message().contains("k1"));
}

#[test]
fn what_was_revoked_after_the_capture_comes_back_disabled() {
    let mut setup = Setup::fresh();
    revoke(&mut setup.state, "user", "u2", 10);
    revoke(&mut setup.state, "access_key", "AKIAALICE1", 20);
    revoke(&mut setup.state, "token", "t1", 30);
    revoke(&mut setup.state, "identity", "i1", 40);
    revoke(&mut setup.state, "user", "u1", -10);
    let plan = setup.good();
    assert!(!plan.next.users["u2"].enabled);
    assert!(plan.next.users["u1"].enabled, "revoked before the capture, so the capture knows");
    assert!(!plan.next.users["u1"].keys[0].active);
    assert_eq!(plan.next.tokens["t1"].expires_at, Some(at(30)));
    assert!(plan.next.identities.is_empty());
    assert_eq!(plan.next.revocations.len(), 6);
    for id in ["u2", "AKIAALICE1", "t1", "i1"] {
        assert!(plan.warnings.iter().any(|warning| warning.contains(&format!("revive={id}"))), "{id}");
    }
    // The same archive again revives nothing either.
    setup.state = plan.next;
    assert!(!setup.good().next.users["u2"].enabled);
}

#[test]
fn a_rotated_secret_stays_revoked() {
    let mut setup = Setup::fresh();
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(b"secret-of-bob-1"));
    revoke(&mut setup.state, "access_key", &digest, 10);
    assert!(!setup.good().next.users["u2"].keys[0].active);
}

#[test]
fn revive_brings_back_what_it_names() {
    let mut setup = Setup::fresh();
    revoke(&mut setup.state, "user", "u2", 10);
    revoke(&mut setup.state, "token", "t1", 10);
    setup.options.revive = Revive::parse(["u2"]);
    let plan = setup.good();
    assert!(plan.next.users["u2"].enabled);
    assert_eq!(plan.next.tokens["t1"].expires_at, Some(at(10)));
    assert!(!plan.next.revocations.contains_key(&("user".into(), "u2".into())));
    setup.options.revive = Revive::parse(["all"]);
    assert_eq!(setup.good().next.tokens["t1"].expires_at, Some(at(99_000)));
}

#[test]
fn authentication_never_switches_off() {
    let open = load_config("access: {authentication: none}\n", &Environment::new()).unwrap();
    let mut setup = Setup::fresh();
    setup.archive = verify(&exported_with(&State::default(), &open).bytes, &ArchiveLimits::default()).unwrap();
    let plan = setup.good();
    assert_eq!(plan.next_config.config.access.authentication, Authentication::Required);
    assert!(plan.next.users.is_empty());
    assert!(plan.warnings.iter().any(|warning| warning.contains("authentication")));
}

#[test]
fn host_settings_stay_with_the_host_unless_asked_for() {
    let mut setup = Setup::fresh();
    let plan = setup.good();
    assert_eq!(plan.next_config.config.advanced.listen_addr.port(), 7);
    assert_eq!(plan.next_config.config.advanced.region.as_deref(), Some("eu-central-1"));
    setup.options.host_settings_of_archive = true;
    let plan = setup.good();
    assert_eq!(plan.next_config.config.advanced.listen_addr.port(), 9100);
    assert_eq!(plan.requires_restart, ["advanced.listen_addr"]);
}

#[test]
fn what_the_environment_overrides_is_listed() {
    let mut setup = Setup::fresh();
    setup.environment.insert("DGP_REGION".into(), "us-east-1".into());
    setup.environment.insert("HOT_DIR".into(), "./other".into());
    let plan = setup.good();
    let shadowed = Shadowed { path: "advanced.region".into(), variable: "DGP_REGION".into() };
    assert_eq!(plan.shadowed_by_environment, [shadowed]);
    assert_eq!(plan.next_config.config.advanced.region.as_deref(), Some("us-east-1"));
    assert!(!plan.next_file.as_ref().unwrap().contains("us-east-1"), "what the environment gives is not written down");
    assert!(plan.warnings.iter().any(|warning| warning.contains("`env:HOT_DIR` has another value")));
    assert!(!plan.next.secrets.contains_key("env:HOT_DIR"));
}

#[test]
fn the_staged_file_starts_without_the_variables_of_the_other_host() {
    let mut setup = Setup::fresh();
    let plan = setup.good();
    let file = plan.next_file.as_ref().unwrap();
    assert!(file.contains("./hot") && !file.contains("HOT_DIR"), "{file}");
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("`storage.backends.hot.path` names the variable HOT_DIR"))
    );
    setup.environment = environment();
    assert!(setup.good().next_file.unwrap().contains("${env:HOT_DIR}"));
}

#[test]
fn a_value_can_be_set_on_the_way_in() {
    let mut setup = Setup::fresh();
    setup.options.set = vec![("storage.backends.cold.path".into(), "/srv/cold".into())];
    assert!(setup.good().next_file.unwrap().contains("/srv/cold"));
    setup.options.set = vec![("advanced.region".into(), "not a region!".into())];
    assert_eq!(setup.plan().unwrap_err().code(), Some("config_unfit"));
}

#[test]
fn buckets_that_hold_data_stay_with_their_backend() {
    let mut setup = Setup::fresh();
    let text = "storage: {backends: [{name: old, type: filesystem, path: ./old}]}\n";
    setup.config = load_config(text, &Environment::new()).unwrap();
    for name in ["kept-bucket", "empty-bucket"] {
        let mut bucket = crate::domain::state::Bucket::clone(&state().buckets.values().next().unwrap().clone());
        bucket.name = BucketName::new(name).unwrap();
        bucket.backend = crate::domain::names::BackendName::new("old").unwrap();
        bucket.alias = None;
        setup.state.buckets.insert(bucket.name.clone(), Arc::new(bucket));
    }
    setup.with_data.insert(BucketName::new("kept-bucket").unwrap());
    let plan = setup.good();
    assert_eq!(plan.buckets_kept.len(), 1);
    assert_eq!(plan.next.buckets.len(), 4);
    assert_eq!(plan.next_config.config.storage.backends.len(), 3);
    setup.options.prune_buckets = true;
    assert_eq!(setup.good().next.buckets.len(), 3);
}

#[test]
fn an_older_bootstrap_password_is_a_warning_with_both_dates() {
    let mut setup = Setup::fresh();
    setup.state.meta.password_set_at = Some(at(50));
    let plan = setup.good();
    let both = |warning: &String| warning.contains(&at(-500).rfc3339()) && warning.contains(&at(50).rfc3339());
    assert!(plan.warnings.iter().any(both), "{:?}", plan.warnings);
    assert_eq!(plan.next.meta.password_set_at, Some(at(-500)));
}

#[test]
fn the_answer_has_the_old_counters() {
    let answer = Setup::fresh().good().answer(&Options::default(), true);
    assert_eq!(answer["users_created"], 2);
    assert_eq!(answer["changes"]["users"]["items"][0]["change"], "created");
    assert_eq!(answer["mode"], "full");
}

#[test]
fn a_key_that_has_expired_since_the_capture_comes_back_disabled_and_stays_so() {
    let expiring = |at| {
        let mut setup = Setup::over(state());
        edit(&mut setup.state, "u1", |user| user.keys[0].expires_at = Some(at));
        setup
    };
    let mut setup = expiring(at(50));
    let plan = setup.good();
    let key = |plan: &Plan| plan.next.users["u1"].keys[0].active;
    assert!(!key(&plan));
    assert!(plan.warnings.iter().any(|warning| warning.contains("revive=AKIAALICE1")), "{:?}", plan.warnings);
    let again = Setup::over(plan.next).good();
    assert!(!key(&again), "the same archive again");
    setup.options.revive = Revive::parse(["AKIAALICE1"]);
    assert!(key(&setup.good()));
    assert!(key(&expiring(at(150)).good()), "it has not ended yet");
    assert!(key(&expiring(at(-1)).good()), "it ended before the capture, which knows it otherwise");
}
