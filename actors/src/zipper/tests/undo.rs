//! The plan of an undo: everything as it was before, but what only accumulates.

use super::plan::{Setup, edit, revoke};
use super::testkit::*;
use crate::domain::archive::plan::*;
use crate::domain::config::load::Loaded;
use crate::domain::config::scalar::Environment;
use crate::domain::names::BucketName;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What was before a restore, and what it brought.
fn restored() -> (State, State) {
    let mut before = State::default();
    before.users.insert("u9".into(), Arc::new(user("u9", "zoe", &[])));
    before.keyring.insert("k9".into(), Arc::new(key("k9", "9", -200, true)));
    before.meta.password_set_at = Some(at(-50));
    revoke(&mut before, "user", "u8", -40);
    let after = Setup::over(before.clone()).good().next;
    (before, after)
}

fn undone(before: &State, after: Option<&State>, now: &State, revive: &[&str]) -> (Plan, LaterChanges) {
    let config: Loaded = Setup::fresh().config;
    let undo = Undo {
        current: Current { state: now, config: &config },
        before,
        config: &config,
        after: after.map(|state| Current { state, config: &config }),
        revive: &Revive::parse(revive.iter().copied()),
        prune_buckets: false,
    };
    let host = Host {
        instance_id: "instance-b",
        now: at(200),
        known_epoch: 0,
        buckets_with_data: &BTreeSet::from([BucketName::new("photos").unwrap()]),
        caller_token: Some("cafe".into()),
        files: &BTreeMap::new(),
        environment: &Environment::new(),
        paths_from: None,
    };
    crate::domain::archive::plan::undo(&undo, &host).unwrap()
}

#[test]
fn what_was_before_comes_back_in_a_new_epoch_with_every_key() {
    let (before, after) = restored();
    let (plan, later) = undone(&before, Some(&after), &after, &[]);
    assert!(later.is_empty(), "{later:?}");
    assert_eq!(plan.next.users, before.users);
    assert_eq!(plan.next.keyring.keys().collect::<Vec<_>>(), ["k1", "k2", "k9"]);
    assert_eq!(plan.next.keyring.values().filter(|key| key.active).count(), 1);
    let meta = &plan.next.meta;
    assert_eq!((meta.epoch, meta.generation), (after.meta.epoch + 1, 1));
    assert_eq!((meta.auth_epoch, meta.auth_exception.as_deref()), (after.meta.auth_epoch + 1, Some("cafe")));
    assert_eq!((meta.quarantined_from.as_ref(), meta.password_set_at), (None, Some(at(-50))));
    assert_eq!(plan.next.revocations.len(), 2, "the knowledge of both");
    assert!(plan.next.trusted_signers.is_empty());
    assert!(plan.next.buckets.contains_key(&BucketName::new("photos").unwrap()), "it holds objects");
    assert_eq!(plan.next.buckets.len(), 1);
}

#[test]
fn what_was_changed_since_is_listed() {
    let (before, after) = restored();
    let mut now = after.clone();
    now.users.insert("u3".into(), Arc::new(user("u3", "carol", &[])));
    edit(&mut now, "u1", |user| user.permissions.clear());
    now.secrets.insert("webhook".into(), Secret::new("another"));
    now.meta.quarantined_from = None;
    let (_, later) = undone(&before, Some(&after), &now, &[]);
    assert_eq!(later.changes.users.names(Change::Created), ["carol"]);
    assert_eq!(later.changes.users.names(Change::Updated), ["alice"]);
    assert_eq!(later.other.len(), 2, "{:?}", later.other);
    assert!(later.in_words().contains("user `carol`"), "{}", later.in_words());
}

#[test]
fn what_was_revoked_since_stays_revoked_and_what_the_restore_removed_does_not() {
    let (before, after) = restored();
    let (mut before, mut after) = (before, after);
    // The restore brings u1 back as it is; before it, u1 was there too, with the same id.
    for state in [&mut before, &mut after] {
        state.users.insert("u1".into(), Arc::new(user("u1", "alice", &[])));
    }
    let mut now = after.clone();
    now.users.remove("u1");
    revoke(&mut now, "user", "u1", 150);
    // What an archive knows of others' revocations is no revocation since.
    revoke(&mut after, "user", "u9", 120);
    revoke(&mut now, "user", "u9", 120);
    let (plan, _) = undone(&before, Some(&after), &now, &[]);
    assert!(!plan.next.users["u1"].enabled && plan.next.users["u9"].enabled);
    let (plan, _) = undone(&before, Some(&after), &now, &["u1"]);
    assert!(plan.next.users["u1"].enabled);
}

#[test]
fn a_key_that_has_expired_since_comes_back_disabled_and_one_that_the_restore_brought_expired_does_not() {
    let (mut before, mut after) = restored();
    for state in [&mut before, &mut after] {
        state.users.insert("u1".into(), Arc::new(user("u1", "alice", &[])));
    }
    let mut now = after.clone();
    edit(&mut now, "u1", |user| user.keys[0].expires_at = Some(at(150)));
    let (plan, _) = undone(&before, Some(&after), &now, &[]);
    assert!(!plan.next.users["u1"].keys[0].active);
    let (plan, _) = undone(&before, Some(&now), &now, &[]);
    assert!(plan.next.users["u1"].keys[0].active, "so it was brought in, and nobody set it since");
}
