//! What each mode and strategy of a restore takes, and what it leaves alone.

use super::plan::{Setup, archive_of, edit, revoke};
use super::testkit::*;
use crate::domain::archive::Archive;
use crate::domain::archive::plan::*;
use crate::domain::config::load::load as load_config;
use crate::domain::config::model::ArchiveLimits;
use crate::domain::config::scalar::Environment;
use crate::domain::iam::model::{Group, User};
use crate::domain::names::BucketName;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use std::sync::Arc;

const OWN: &str = "advanced: {listen_addr: '127.0.0.1:7', region: us-west-2}\n";

/// Another host with a user, a key and a config of its own.
fn inhabited() -> Setup {
    let mut current = State::default();
    current.users.insert("u9".into(), Arc::new(user("u9", "zoe", &[])));
    current.keyring.insert("k9".into(), Arc::new(key("k9", "9", -900, true)));
    current.secrets.insert("own".into(), Secret::new("x"));
    let mut setup = Setup::over(current);
    setup.config = load_config(OWN, &Environment::new()).unwrap();
    setup
}

fn with(mode: &str, strategy: &str) -> Setup {
    let mut setup = inhabited();
    setup.options.mode = Mode::parse(mode).unwrap();
    setup.options.strategy = Strategy::parse(strategy).unwrap();
    setup
}

fn names(state: &State) -> Vec<&str> {
    state.users.values().map(|user| user.name.as_str()).collect()
}

#[test]
fn iam_only_takes_users_and_leaves_config_buckets_and_password_alone() {
    let setup = with("iam-only", "replace");
    let plan = setup.good();
    assert_eq!(names(&plan.next), ["alice", "bob"]);
    assert_eq!((plan.next.identities.len(), plan.next.providers.len(), plan.next.tokens.len()), (1, 1, 1));
    assert_eq!(plan.next_file, None, "the config file is not touched");
    assert_eq!((plan.next.buckets.len(), plan.changes.config.len()), (0, 0));
    assert_eq!(plan.next.secrets, setup.state.secrets);
    assert!(plan.bootstrap_password_hash.is_none() && plan.next.trusted_signers.is_empty());
    assert_eq!(plan.next.meta.quarantined_from, None, "no config came that acts on other systems");
    assert_eq!(plan.next.keyring.len(), 3, "keys only accumulate");
    assert_eq!(plan.keys.active, ["k9"], "what comes is for reading");
}

#[test]
fn config_only_takes_the_config_and_the_registry_and_leaves_users_alone() {
    let plan = with("config-only", "replace").good();
    assert_eq!(names(&plan.next), ["zoe"]);
    assert_eq!(plan.next.buckets.len(), 3);
    assert_eq!(plan.next_config.config.advanced.region.as_deref(), Some("eu-central-1"));
    assert!(plan.bootstrap_password_hash.is_none());
    assert_eq!(plan.next.meta.quarantined_from.as_deref(), Some("instance-a"));
    assert_eq!(plan.keys.active, ["k2"], "the objects of this config are under that key");
}

#[test]
fn preserve_bootstrap_takes_everything_but_the_password() {
    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA";
    let mut setup = with("preserve-bootstrap", "replace");
    setup.state.meta.password_set_at = Some(at(50));
    setup.config = load_config(&format!("{OWN}  \n"), &Environment::new()).unwrap();
    let plan = setup.good();
    assert_eq!(names(&plan.next), ["alice", "bob"]);
    assert!(plan.bootstrap_password_hash.is_none());
    assert_eq!(plan.next.meta.password_set_at, Some(at(50)));
    assert!(!plan.warnings.iter().any(|warning| warning.contains("bootstrap password goes back")));
    let pinned = format!("advanced: {{bootstrap_password_hash: '{HASH}'}}\n");
    setup.config = load_config(&pinned, &Environment::new()).unwrap();
    assert!(setup.good().next_file.unwrap().contains(HASH), "this host's pin stays where it is");
}

#[test]
fn a_merge_adds_what_is_missing_overwrites_nothing_and_is_idempotent() {
    let mut setup = with("full", "merge");
    let own = user("u7", "alice", &[]);
    setup.state.users.insert("u7".into(), Arc::new(User { keys: Vec::new(), ..own.clone() }));
    let staff = Group { id: "g7".into(), permissions: Vec::new(), ..Group::clone(&state().groups["g1"]) };
    setup.state.groups.insert("g7".into(), Arc::new(staff.clone()));
    let plan = setup.good();
    assert_eq!(plan.changes.users.names(Change::Created), ["bob"]);
    assert_eq!((plan.changes.users.updated, plan.changes.users.deleted), (0, 0));
    assert!(plan.next.users["u7"].keys.is_empty(), "whoever is here stays as they are");
    assert_eq!(*plan.next.groups["g7"], staff);
    assert_eq!(plan.next.mapping_rules["r1"].group_id, "g7", "the same group has another id here");
    assert_eq!(plan.next.identities["i1"].user_id, "u2");
    assert_eq!(plan.next_config.config.advanced.region.as_deref(), Some("us-west-2"));
    assert_eq!(plan.next_config.config.access.session_lifetime.as_secs(), 8 * 3600, "this host's file did not say");
    assert_eq!(plan.next_config.config.access.access_key_id.as_deref(), Some("AKIACONFIGKEY"));
    assert_eq!(plan.next.secrets["env:CONFIG_SECRET"], Secret::new("secret-of-config"));
    assert!(!plan.next.secrets.contains_key("webhook"), "nobody here refers to it");
    let backends: Vec<&str> = plan.next_config.config.storage.backends.keys().map(|name| name.as_str()).collect();
    assert_eq!(backends, ["cold", "default", "hot"]);
    assert_eq!(plan.next_config.config.storage.default_backend.as_str(), "default");
    assert_eq!(plan.next_config.config.advanced.listen_addr.port(), 7);
    assert!(plan.bootstrap_password_hash.is_none());
    let answer = plan.answer(&setup.options, true);
    assert_eq!((&answer["users_created"], &answer["users_skipped"]), (&1.into(), &1.into()));

    let file = plan.next_file.unwrap();
    (setup.state, setup.config) = (plan.next, load_config(&file, &Environment::new()).unwrap());
    let again = setup.good();
    assert_eq!((again.next_file, again.changes.is_empty()), (None, true), "{:?}", again.changes);
    assert_eq!(State { meta: Default::default(), ..again.next }, State { meta: Default::default(), ..setup.state });
}

#[test]
fn a_merge_takes_no_access_key_that_somebody_has() {
    let mut setup = with("iam-only", "merge");
    edit(&mut setup.state, "u9", |zoe| zoe.keys = user("u1", "alice", &[]).keys);
    let plan = setup.good();
    assert!(plan.next.users["u1"].keys.is_empty() && plan.next.users["u2"].keys.len() == 2);
    assert!(plan.warnings.iter().any(|warning| warning.contains("AKIAALICE1")), "{:?}", plan.warnings);
    assert_eq!(plan.next_file, None);
    assert!(plan.next.buckets.is_empty());
}

#[test]
fn a_merge_revives_nobody_who_was_deleted_here() {
    let mut setup = with("iam-only", "merge");
    revoke(&mut setup.state, "user", "u2", 10);
    revoke(&mut setup.state, "user", "u9", 10);
    let plan = setup.good();
    assert!(!plan.next.users["u2"].enabled);
    assert!(plan.next.users["u9"].enabled, "an old note on somebody who is here is no news");
    assert!(plan.warnings.iter().any(|warning| warning.contains("revive=u2")), "{:?}", plan.warnings);
}

#[test]
fn a_merge_lets_another_file_systems_backend_be() {
    let mut setup = with("config-only", "merge");
    setup.config = load_config(
        "storage: {backends: [{name: hot, type: filesystem, path: /own}], buckets: {photos: {backend: hot}}}\n",
        &Environment::new(),
    )
    .unwrap();
    let plan = setup.good();
    assert!(plan.next_file.unwrap().contains("/own"));
    assert!(plan.warnings.iter().any(|warning| warning.contains("the backend `hot` is another one here")));
    assert!(plan.next.buckets.contains_key(&BucketName::new("logs").unwrap()));
    assert_eq!(names(&plan.next), ["zoe"]);
}

#[test]
fn what_needs_the_config_is_refused_where_it_is_not_taken() {
    let mut setup = with("iam-only", "replace");
    setup.options.set = vec![("advanced.region".into(), "eu-west-1".into())];
    assert_eq!(setup.plan().unwrap_err().code(), Some("bad_parameter"));
    assert!(Mode::parse("half").is_err() && Strategy::parse("add").is_err());
}

#[test]
fn an_unknown_revive_is_named() {
    let mut setup = Setup::fresh();
    setup.options.revive = Revive::parse(["u2", "nobody"]);
    let error = setup.plan().unwrap_err();
    assert_eq!(error.code(), Some("unknown_revive"));
    assert!(error.message().contains("revive=nobody"), "{error}");
}

#[test]
fn who_is_revived_comes_back_with_the_keys_that_went_along() {
    let mut setup = Setup::fresh();
    for (kind, id, at) in
        [("user", "u2", 10), ("access_key", "AKIABOB1", 10), ("identity", "i1", 10), ("access_key", "AKIABOB2", 5)]
    {
        revoke(&mut setup.state, kind, id, at);
    }
    setup.options.revive = Revive::parse(["u2"]);
    let plan = setup.good();
    assert!(plan.next.users["u2"].enabled && plan.next.users["u2"].keys[0].active);
    assert!(plan.next.identities.contains_key("i1"));
}

#[test]
fn a_clock_that_was_set_back_revives_nobody() {
    let mut setup = Setup::fresh();
    setup.instance = "instance-a";
    // Revoked after the capture, at a time that lies before it.
    revoke(&mut setup.state, "user", "u2", -20);
    assert!(!setup.good().next.users["u2"].enabled);
    let mut captured = state();
    revoke(&mut captured, "user", "u2", -20);
    setup.archive = archive_of(&captured);
    assert!(setup.good().next.users["u2"].enabled, "the archive knew of it");
}

#[test]
fn a_set_that_a_variable_overrides_says_so() {
    let mut setup = Setup::fresh();
    setup.environment.insert("DGP_LISTEN_ADDR".into(), "127.0.0.1:8".into());
    setup.environment.insert("DGP_DATA_DIR".into(), "/srv/own".into());
    let shadowed = |setup: &Setup, path: &str| {
        let plan = setup.good();
        let line = plan.warnings.iter().any(|warning| warning.contains("has no effect while this host sets"));
        (plan.shadowed_by_environment.iter().any(|shadowed| shadowed.path == path), line)
    };
    assert_eq!(shadowed(&setup, "advanced.listen_addr"), (false, false), "it is this host's own anyway");
    setup.options.set = vec![("advanced.listen_addr".into(), "127.0.0.1:9".into())];
    assert_eq!(shadowed(&setup, "advanced.listen_addr"), (true, true));
    setup.options.set = vec![("storage.filesystem".into(), "/srv/asked".into())];
    assert_eq!(shadowed(&setup, "storage.backends.hot.path"), (true, true));
}

/// An archive of a host whose config file owns these users.
fn declared_there(users: &str) -> Archive {
    let text = CONFIG.replace("access:\n", &format!("access:\n  iam_mode: declarative\n  iam_users:\n{users}"));
    let config = load_config(&text, &environment()).unwrap();
    verify(&exported_with(&state(), &config).bytes, &ArchiveLimits::default()).unwrap()
}

#[test]
fn a_file_that_owns_iam_and_comes_alone_makes_the_users_what_it_says() {
    let alice = "    - {name: alice, access_key_id: AKIAALICE1}\n";
    let mut setup = with("config-only", "replace");
    setup.archive = declared_there(&format!("{alice}    - {{name: zoe}}\n"));
    let plan = setup.good();
    let mut now = names(&plan.next);
    now.sort_unstable();
    assert_eq!(now, ["alice", "zoe"]);
    let alice_now = plan.next.users.values().find(|user| user.name == "alice").unwrap();
    assert_eq!(alice_now.keys[0].secret, Secret::new("secret-of-alice-1"), "secrets.json has what the file leaves out");
    assert_eq!(plan.next.users["u9"].keys, setup.state.users["u9"].keys, "who is here keeps id and keys");
    assert!(plan.next_config.config.is_declarative());
    assert_eq!(plan.changes.users.created, 1);
    assert_eq!(plan.next.users.keys().collect::<Vec<_>>(), setup.good().next.users.keys().collect::<Vec<_>>());

    // Whom this host disabled since stays disabled, in the file too: a start on it enables nobody.
    setup.archive = declared_there("    - {name: zoe}\n");
    edit(&mut setup.state, "u9", |user| user.enabled = false);
    revoke(&mut setup.state, "user", "u9", 50);
    let plan = setup.good();
    assert!(!plan.next.users["u9"].enabled, "{:?}", plan.warnings);
    assert!(!plan.next_config.config.access.iam.users.as_ref().unwrap()[0].enabled);
    assert!(plan.warnings.iter().any(|warning| warning.contains("revive=u9")), "{:?}", plan.warnings);
    setup.options.revive = Revive::parse(["u9"]);
    assert!(setup.good().next.users["u9"].enabled);

    // A file without lists deletes nobody.
    setup.archive = declared_there("    []\n");
    assert_eq!(names(&setup.good().next), ["zoe"]);
    // What would be added beside such a file is refused.
    setup.options.strategy = Strategy::Merge;
    assert_eq!(setup.plan().unwrap_err().code(), Some("iam_declarative"));
}

#[test]
fn where_a_file_owns_iam_only_file_and_iam_of_one_capture_are_restored() {
    let declared = "access: {iam_mode: declarative, iam_groups: [{name: g}]}\n";
    for (mode, strategy, refused) in [
        ("full", "replace", false),
        ("preserve-bootstrap", "replace", false),
        ("config-only", "replace", false),
        ("iam-only", "replace", true),
        ("full", "merge", true),
        ("config-only", "merge", true),
    ] {
        let mut setup = with(mode, strategy);
        setup.config = load_config(declared, &Environment::new()).unwrap();
        let code = setup.plan().err().and_then(|error| error.code());
        assert_eq!(code, refused.then_some("iam_declarative"), "{mode} {strategy}");
    }
}
