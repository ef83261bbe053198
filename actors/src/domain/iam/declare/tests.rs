//! Declarations on states: what is created, updated and deleted, what survives, and what is refused.

use super::{Applied, Means, Verb, agree, apply, export};
use crate::domain::clock::Timestamp;
use crate::domain::config::declared::Declared;
use crate::domain::config::model::SecretRef;
use crate::domain::config::scalar::Environment;
use crate::domain::config::{iam_document, load};
use crate::domain::iam::model::{AccessKey, ExternalIdentity, User};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Two users, one group, one provider and a rule.
const FIRST: &str = "
iam_users:
  - {name: ann, access_key_id: AKANN, secret_access_key: secret-of-ann, groups: [dev]}
  - name: bob
    access_key_id: AKBOB
    secret_access_key: {env: BOB}
    permissions: [{effect: Allow, actions: [read], resources: [\"home/${iam:username}/*\"]}]
iam_groups:
  - {name: dev, permissions: [{effect: Allow, actions: [list], resources: [\"*\"]}]}
auth_providers: [{name: corp, client_id: c, client_secret: client-secret, issuer_url: \"https://id.example.com\"}]
group_mapping_rules: [{provider: corp, match_type: email_domain, match_value: example.com, group: dev}]
";

fn declared(lists: &str) -> Declared {
    let indented: String = lists.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("access:\n  iam_mode: declarative\n{indented}");
    load(&text, &Environment::new()).unwrap_or_else(|problems| panic!("{problems}")).config.access.iam
}

fn on(state: &State, declared: &Declared) -> Result<Applied> {
    let (nothing, next) = (BTreeMap::new(), Cell::new(state.meta.generation * 100));
    apply(
        declared,
        state,
        &Means {
            resolve: &|reference| match reference {
                SecretRef::Literal(secret) => Ok(secret.clone()),
                SecretRef::Env(name) => Ok(Secret::new(format!("secret-of-{name}"))),
                _ => Err(Error::new(ErrorKind::Invalid, "resolve", "not here")),
            },
            user_secrets: &nothing,
            client_secrets: &nothing,
            new_id: &|| {
                next.set(next.get() + 1);
                format!("id-{}", next.get())
            },
            now: Timestamp::from_secs(1000),
        },
    )
}

/// The state after a declaration, a generation later.
fn after(state: &State, lists: &str) -> State {
    let mut next = on(state, &declared(lists)).unwrap().state;
    next.meta.generation += 1;
    next
}

fn user<'a>(state: &'a State, name: &str) -> &'a User {
    state.users.values().find(|user| user.name == name).unwrap()
}

fn is_revoked(state: &State, kind: &str, fingerprint: &str) -> bool {
    state.revocations.contains_key(&(kind.to_owned(), fingerprint.to_owned()))
}

fn refused(state: &State, lists: &str) -> String {
    on(state, &declared(lists)).unwrap_err().code().unwrap_or_default().to_owned()
}

#[test]
fn what_is_declared_is_there_and_again_changes_nothing() {
    let Applied { state, diff } = on(&State::default(), &declared(FIRST)).unwrap();
    assert_eq!(
        (diff.users_created, diff.groups_created, diff.providers_created, diff.mapping_rules_replaced),
        (2, 1, 1, 1)
    );
    assert_eq!(user(&state, "bob").keys[0].secret.expose(), "secret-of-BOB");
    let group = state.groups.values().next().unwrap();
    assert!(user(&state, "ann").group_ids.contains(&group.id));
    let rule = state.mapping_rules.values().next().unwrap();
    assert_eq!((&rule.group_id, rule.provider_id.is_some()), (&group.id, true));
    let again = on(&state, &declared(FIRST)).unwrap();
    assert!(again.diff.no_changes && again.diff.items.is_empty(), "{:?}", again.diff);
    assert_eq!(again.state, state);
}

#[test]
fn ids_survive_an_update_and_secrets_that_are_left_out_stay() {
    let first = after(&State::default(), FIRST);
    let changed = FIRST
        .replace(", secret_access_key: secret-of-ann, groups: [dev]", ", enabled: false")
        .replace("secret_access_key: {env: BOB}", "secret_access_key: \"\"")
        .replace("client_secret: client-secret", "display_name: Corp");
    let Applied { state, diff } = on(&first, &declared(&changed)).unwrap();
    let (old, new) = (user(&first, "ann"), user(&state, "ann"));
    assert_eq!((&old.id, &old.keys, old.created_at), (&new.id, &new.keys, new.created_at));
    assert!(!new.enabled && new.group_ids.is_empty());
    assert!(new.credential_version > old.credential_version, "her sessions end");
    assert!(is_revoked(&state, "user", &new.id), "no archive enables her again");
    assert_eq!(user(&state, "bob"), user(&first, "bob"));
    let provider = state.providers.values().next().unwrap();
    assert_eq!(provider.client_secret.as_ref().map(Secret::expose), Some("client-secret"));
    let fields: Vec<_> = diff.items.iter().map(|item| (item.name.as_str(), item.change, item.fields.clone())).collect();
    let expected = [("corp", Verb::Updated, vec!["display_name"]), ("ann", Verb::Updated, vec!["enabled", "groups"])];
    assert_eq!(fields, expected);
    assert_eq!(state.mapping_rules, first.mapping_rules, "the same rule keeps its id");
}

#[test]
fn what_a_list_does_not_name_goes_and_is_revoked_and_a_list_that_is_not_there_stays() {
    let first = after(&State::default(), FIRST);
    let bob = user(&first, "bob").clone();
    let only_ann = "iam_users: [{name: ann, access_key_id: AKANN}]";
    let Applied { state, diff } = on(&first, &declared(only_ann)).unwrap();
    assert_eq!((diff.users_deleted, diff.groups_deleted, state.groups.len(), state.users.len()), (1, 0, 1, 1));
    assert!(is_revoked(&state, "user", &bob.id) && is_revoked(&state, "access_key", "AKBOB"));
    let no_groups = "iam_groups: []\nauth_providers: []\niam_users: [{name: ann}]";
    let Applied { state, diff } = on(&first, &declared(no_groups)).unwrap();
    assert_eq!((diff.groups_deleted, diff.providers_deleted), (1, 1));
    assert!(user(&state, "ann").group_ids.is_empty() && state.mapping_rules.is_empty());
    assert_eq!(user(&state, "ann").keys, user(&first, "ann").keys);
}

#[test]
fn a_document_without_content_is_refused() {
    let first = after(&State::default(), FIRST);
    for lists in ["", "iam_users: []", "iam_users: []\niam_groups: []\nauth_providers: []\ngroup_mapping_rules: []"] {
        assert_eq!(refused(&first, lists), "iam_empty", "{lists}");
    }
}

#[test]
fn a_new_key_pair_needs_its_secret() {
    let first = after(&State::default(), FIRST);
    for lists in [
        "iam_users: [{name: new, access_key_id: AKNEW}]",
        "iam_users: [{name: new, access_key_id: AKNEW, secret_access_key: \"\"}]",
        "iam_users: [{name: new}]",
        "iam_users: [{name: ann, access_key_id: AKOTHER}]",
        "iam_users: [{name: ann, access_key_id: AKANN, access_keys: [{access_key_id: AKMORE}]}]",
    ] {
        assert_eq!(refused(&first, lists), "iam_secret_missing", "{lists}");
    }
    let unresolved = "iam_users: [{name: ann, access_key_id: AKANN, secret_access_key: {stored: nowhere}}]";
    assert!(on(&first, &declared(unresolved)).is_err());
}

#[test]
fn keys_are_replaced_swapped_and_revoked() {
    let first = after(&State::default(), FIRST);
    let swapped = "iam_users:\n  - {name: ann, access_key_id: AKBOB, secret_access_key: secret-of-BOB}\n  \
                   - {name: bob, access_key_id: AKANN, secret_access_key: secret-of-ann}";
    let state = after(&first, swapped);
    assert_eq!(user(&state, "ann").keys[0].access_key_id, "AKBOB");
    assert!(!is_revoked(&state, "access_key", "AKBOB") && !is_revoked(&state, "access_key", "AKANN"));
    let rotated = "iam_users: [{name: ann, access_key_id: AKANN2, secret_access_key: another-secret}, {name: bob}]";
    let state = after(&first, rotated);
    assert!(is_revoked(&state, "access_key", "AKANN"));
    let back =
        after(&state, "iam_users: [{name: ann, access_key_id: AKANN, secret_access_key: secret-of-ann}, {name: bob}]");
    assert!(!is_revoked(&back, "access_key", "AKANN") && is_revoked(&back, "access_key", "AKANN2"));
    let mut kept = first.clone();
    let external =
        User { auth_source: "external".into(), id: "x".into(), name: "x".into(), ..user(&first, "bob").clone() };
    kept.users.insert("x".into(), Arc::new(external));
    kept.users.retain(|_, user| user.name != "bob");
    kept.identities.insert("i".into(), identity("x"));
    assert_eq!(
        refused(&kept, "iam_users: [{name: ann, access_key_id: AKBOB, secret_access_key: s}]"),
        "access_key_taken"
    );
}

fn identity(user_id: &str) -> Arc<ExternalIdentity> {
    Arc::new(ExternalIdentity {
        id: "i".into(),
        user_id: user_id.into(),
        provider_id: "p".into(),
        external_sub: "sub".into(),
        email: None,
        display_name: None,
        raw_claims: None,
        email_verified: true,
        rule_group_ids: BTreeSet::new(),
        created_at: Timestamp::default(),
    })
}

#[test]
fn people_of_a_provider_stay_until_it_goes() {
    let mut first = after(&State::default(), FIRST);
    let provider = first.providers.keys().next().unwrap().clone();
    let external = User {
        auth_source: "external".into(),
        id: "x".into(),
        name: "eve".into(),
        keys: Vec::new(),
        ..user(&first, "ann").clone()
    };
    first.users.insert("x".into(), Arc::new(external));
    first
        .identities
        .insert("i".into(), Arc::new(ExternalIdentity { provider_id: provider, ..(*identity("x")).clone() }));
    let state = after(&first, FIRST);
    assert_eq!(state, State { meta: state.meta.clone(), ..first.clone() });
    let gone = after(&first, "auth_providers: []\niam_users: [{name: ann}, {name: bob}]");
    assert!(gone.identities.is_empty() && !gone.users.contains_key("x"));
    assert!(is_revoked(&gone, "identity", "i") && is_revoked(&gone, "user", "x"));
}

#[test]
fn what_is_exported_changes_nothing_and_holds_no_secret() {
    let mut state = after(&State::default(), FIRST);
    let ann = state.users.values_mut().find(|user| user.name == "ann").unwrap();
    let expiring = AccessKey {
        access_key_id: "AKEXP".into(),
        secret: Secret::new("expiring-secret"),
        active: false,
        created_at: Timestamp::from_secs(5),
        expires_at: Some(Timestamp::from_secs(2_000_000_000)),
    };
    Arc::make_mut(ann).keys.insert(0, expiring);
    let text = iam_document(&export(&state));
    assert!(!text.contains("secret"), "{text}");
    let read = load(&text, &Environment::new()).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let again = on(&state, &read.config.access.iam).unwrap();
    assert!(again.diff.no_changes, "{:?}\n{text}", again.diff);
}

#[test]
fn a_declaration_that_agrees_enables_nobody_whom_the_state_disabled() {
    let mut state = after(&State::default(), FIRST);
    for user in state.users.values_mut() {
        let user = Arc::make_mut(user);
        user.enabled = user.name != "ann";
        user.keys[0].active = false;
    }
    let mut lists = declared(FIRST);
    agree(&mut lists, &state);
    let again = on(&state, &lists).unwrap();
    assert!(again.diff.no_changes, "{:?}", again.diff);
}
