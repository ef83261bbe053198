//! What a sign-in, its providers, rules and identities do to users and groups.

use super::super::*;
use super::{NOW, is_revoked, world};
use crate::domain::iam::model::{AuthProvider, MappingRule};
use crate::domain::iam::sign_in::{Claims, Login};
use crate::{Error, ErrorKind};
use serde_json::{Value, json};

fn provider(id: &str) -> AuthProvider {
    AuthProvider {
        id: id.into(),
        name: format!("{id}-name"),
        provider_type: "oidc".into(),
        enabled: true,
        priority: 0,
        display_name: None,
        client_id: Some("client".into()),
        client_secret: None,
        issuer_url: Some("https://id.example.com".into()),
        scopes: "openid email".into(),
        extra_config: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn rule(id: &str, claim: &str, group: &str) -> MappingRule {
    MappingRule {
        id: id.into(),
        provider_id: Some("p1".into()),
        priority: 0,
        match_type: "claim_value".into(),
        match_field: "groups".into(),
        match_value: claim.into(),
        group_id: group.into(),
        created_at: NOW,
        enabled: true,
    }
}

fn apply(state: &mut State, change: SignInChange) -> crate::Result<String> {
    IamChange::SignIn(change).apply(state, NOW).map(|changed| changed.id)
}

/// Groups `g1` (ops, alice is in it), `g2`, `g3`; a provider `p1` whose claim `groups` gives `g2` and `g3`.
fn signed_up() -> State {
    let mut state = world();
    for id in ["g2", "g3"] {
        let group = IamChange::CreateGroup {
            id: id.into(),
            name: id.into(),
            description: String::new(),
            permissions: Vec::new(),
            member_ids: BTreeSet::new(),
        };
        group.apply(&mut state, NOW).unwrap();
    }
    apply(&mut state, SignInChange::CreateProvider(Box::new(provider("p1")))).unwrap();
    for rule in [rule("r2", "two", "g2"), rule("r3", "three", "g3")] {
        apply(&mut state, SignInChange::CreateRule(rule)).unwrap();
    }
    state
}

fn login(document: Value) -> SignInChange {
    let mut claims = Claims::new(document.as_object().unwrap().clone());
    let usual = json!({"sub": "s1", "email": "ann@example.com", "email_verified": true});
    claims.add(usual.as_object().unwrap().clone());
    let of = |what: &str| format!("{what}-{}", claims.subject().unwrap_or_default());
    SignInChange::Login(Box::new(Login {
        provider_id: "p1".into(),
        new_user_id: of("user"),
        new_identity_id: of("identity"),
        claims,
    }))
}

fn in_groups(groups: &[&str]) -> SignInChange {
    login(json!({"groups": groups}))
}

fn groups_of(state: &State, user: &str) -> Vec<String> {
    state.users[user].group_ids.iter().cloned().collect()
}

fn set(state: &mut State, extra: Value) {
    let edit = Box::new(ProviderEdit { extra_config: Some(extra), ..ProviderEdit::default() });
    apply(state, SignInChange::UpdateProvider { id: "p1".into(), edit }).unwrap();
}

fn refused(state: &State, change: SignInChange) -> Error {
    let mut attempt = state.clone();
    apply(&mut attempt, change).unwrap_err()
}

#[test]
fn the_first_sign_in_makes_a_user_without_keys_and_the_next_finds_it() {
    let mut state = signed_up();
    assert_eq!(apply(&mut state, in_groups(&["two"])).unwrap(), "user-s1");
    let ann = &state.users["user-s1"];
    assert_eq!((ann.name.as_str(), ann.auth_source.as_str(), ann.keys.len()), ("ann@example.com", "external", 0));
    assert_eq!(groups_of(&state, "user-s1"), ["g2"]);
    let before = state.clone();
    let again = login(json!({"groups": ["two"], "email": "new@example.com", "name": "Ann"}));
    assert_eq!(apply(&mut state, again).unwrap(), "user-s1");
    assert_eq!(state, before, "groups that did not change write nothing");
}

#[test]
fn what_rules_gave_goes_with_the_claim_and_what_was_given_by_hand_stays() {
    let mut state = signed_up();
    apply(&mut state, in_groups(&["two"])).unwrap();
    IamChange::AddMember { group_id: "g1".into(), user_id: "user-s1".into() }.apply(&mut state, NOW).unwrap();
    apply(&mut state, in_groups(&["three"])).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g1", "g3"]);
    apply(&mut state, in_groups(&[])).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g1"]);
    // Given by hand first, and by a rule later: the hand counts.
    IamChange::AddMember { group_id: "g2".into(), user_id: "user-s1".into() }.apply(&mut state, NOW).unwrap();
    apply(&mut state, in_groups(&["two"])).unwrap();
    apply(&mut state, in_groups(&[])).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g1", "g2"]);
    // Given by a rule first, and confirmed by hand later.
    apply(&mut state, in_groups(&["three"])).unwrap();
    IamChange::AddMember { group_id: "g3".into(), user_id: "user-s1".into() }.apply(&mut state, NOW).unwrap();
    apply(&mut state, in_groups(&[])).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g1", "g2", "g3"]);
}

#[test]
fn taken_away_by_hand_a_rule_gives_it_again_and_takes_it_again() {
    let mut state = signed_up();
    apply(&mut state, in_groups(&["two"])).unwrap();
    IamChange::RemoveMember { group_id: "g2".into(), user_id: "user-s1".into() }.apply(&mut state, NOW).unwrap();
    assert!(groups_of(&state, "user-s1").is_empty());
    apply(&mut state, in_groups(&["two"])).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g2"]);
    apply(&mut state, in_groups(&[])).unwrap();
    assert!(groups_of(&state, "user-s1").is_empty());
}

#[test]
fn two_identities_of_a_user_do_not_take_each_others_groups() {
    let mut state = signed_up();
    apply(&mut state, in_groups(&["two"])).unwrap();
    let bind = SignInChange::Bind {
        id: "i2".into(),
        provider_id: "p1".into(),
        external_sub: "s2".into(),
        user_id: "user-s1".into(),
    };
    apply(&mut state, bind.clone()).unwrap();
    assert_eq!(refused(&state, bind).code(), Some("identity_taken"));
    apply(&mut state, login(json!({"sub": "s2", "groups": ["two", "three"]}))).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g2", "g3"]);
    apply(&mut state, in_groups(&[])).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g2", "g3"], "the other identity still gives both");
    apply(&mut state, SignInChange::Unbind { id: "i2".into() }).unwrap();
    assert!(groups_of(&state, "user-s1").is_empty());
    assert!(is_revoked(&state, revoked::IDENTITY, "i2"));
    assert_eq!(state.users["user-s1"].credential_version, 2, "its sessions end");
}

#[test]
fn nobody_becomes_a_user_that_exists() {
    let mut state = signed_up();
    state.users.values_mut().for_each(|user| Arc::make_mut(user).name = "ann@example.com".into());
    apply(&mut state, in_groups(&[])).unwrap();
    assert_eq!(state.users["user-s1"].name, "ann@example.com (p1-name)");
    apply(&mut state, login(json!({"sub": "s2"}))).unwrap();
    assert_eq!(state.users["user-s2"].name, "ann@example.com (p1-name 2)");
    set(&mut state, json!({"require_email_verified": false}));
    apply(&mut state, login(json!({"sub": "s3", "email": "", "name": "alice", "preferred_username": "alice"})))
        .unwrap();
    assert_eq!(state.users["user-s3"].name, "p1-name:s3", "a name that a person may choose names nobody");
}

#[test]
fn who_may_not_come_in_changes_nothing() {
    let mut state = signed_up();
    let code = |state: &State, document: Value| refused(state, login(document)).code();
    assert_eq!(code(&state, json!({"email_verified": false})), Some("sso_email_unverified"));
    assert_eq!(code(&state, json!({"email": "none"})), Some("sso_email_missing"));
    assert_eq!(code(&state, json!({"sub": ""})), Some("sso_token_invalid"));
    set(&mut state, json!({"allowed_domains": ["Example.org"], "auto_provision": false}));
    assert_eq!(code(&state, json!({})), Some("sso_domain_not_allowed"));
    assert_eq!(code(&state, json!({"email": "a@sub.example.org"})), Some("sso_domain_not_allowed"));
    assert_eq!(code(&state, json!({"email": "a@EXAMPLE.org"})), Some("sso_not_provisioned"));
    let bind = SignInChange::Bind {
        id: "i1".into(),
        provider_id: "p1".into(),
        external_sub: "s1".into(),
        user_id: "u1".into(),
    };
    apply(&mut state, bind).unwrap();
    let ann = || login(json!({"email": "a@example.org", "groups": ["two"]}));
    assert_eq!(apply(&mut state, ann()).unwrap(), "u1");
    assert_eq!(groups_of(&state, "u1"), ["g1", "g2"]);
    let off =
        IamChange::UpdateUser { id: "u1".into(), name: None, enabled: Some(false), permissions: None, group_ids: None };
    off.apply(&mut state, NOW).unwrap();
    assert_eq!(refused(&state, ann()).code(), Some("sso_user_disabled"));
    let edit = Box::new(ProviderEdit { enabled: Some(false), ..ProviderEdit::default() });
    apply(&mut state, SignInChange::UpdateProvider { id: "p1".into(), edit }).unwrap();
    assert_eq!(refused(&state, ann()).code(), Some("sso_provider_disabled"));
}

#[test]
fn a_provider_goes_with_its_rules_and_identities_and_what_they_gave() {
    let mut state = signed_up();
    let all = MappingRule { provider_id: None, ..rule("all", "x", "g1") };
    apply(&mut state, SignInChange::CreateRule(all)).unwrap();
    apply(&mut state, in_groups(&["two"])).unwrap();
    let moved = ProviderEdit { issuer_url: Some("https://other.example.com".into()), ..ProviderEdit::default() };
    let moved = SignInChange::UpdateProvider { id: "p1".into(), edit: Box::new(moved) };
    assert_eq!(refused(&state, moved.clone()).code(), Some("provider_in_use"));
    apply(&mut state, SignInChange::DeleteProvider { id: "p1".into() }).unwrap();
    assert_eq!(state.mapping_rules.keys().collect::<Vec<_>>(), ["all"]);
    assert!(state.identities.is_empty() && groups_of(&state, "user-s1").is_empty());
    assert!(is_revoked(&state, revoked::IDENTITY, "identity-s1"));
    assert_eq!(refused(&state, moved).code(), Some("no_such_provider"));
}

#[test]
fn what_a_rule_gave_goes_with_the_rule_unless_another_gives_it() {
    let mut state = signed_up();
    let also = MappingRule { id: "also".into(), provider_id: None, ..rule("also", "zwei", "g2") };
    apply(&mut state, SignInChange::CreateRule(also)).unwrap();
    apply(&mut state, in_groups(&["two", "three"])).unwrap();
    let both = login(json!({"sub": "s2", "email": "bob@example.com", "groups": ["two", "zwei"]}));
    apply(&mut state, both).unwrap();
    IamChange::AddMember { group_id: "g2".into(), user_id: "u1".into() }.apply(&mut state, NOW).unwrap();
    let delete = |id: &str| SignInChange::DeleteRule { id: id.into() };
    apply(&mut state, delete("r2")).unwrap();
    assert_eq!(groups_of(&state, "user-s1"), ["g3"]);
    assert_eq!(groups_of(&state, "user-s2"), ["g2"], "the other rule gives it to whom it names");
    assert!(state.users["u1"].group_ids.contains("g2"), "and what was given by hand stays");
    let edit = RuleEdit { match_value: Some("drei".into()), ..RuleEdit::default() };
    apply(&mut state, SignInChange::UpdateRule { id: "r3".into(), edit }).unwrap();
    assert!(groups_of(&state, "user-s1").is_empty());
    let off = RuleEdit { enabled: Some(false), ..RuleEdit::default() };
    apply(&mut state, SignInChange::UpdateRule { id: "also".into(), edit: off }).unwrap();
    assert!(groups_of(&state, "user-s2").is_empty());
    let before = state.clone();
    let later = RuleEdit { priority: Some(7), ..RuleEdit::default() };
    apply(&mut state, SignInChange::UpdateRule { id: "r3".into(), edit: later }).unwrap();
    assert_eq!(state.users, before.users);
}

#[test]
fn rules_and_bonds_lead_somewhere() {
    let mut state = signed_up();
    let create = |rule| SignInChange::CreateRule(rule);
    assert_eq!(refused(&state, create(rule("r9", "x", "none"))).code(), Some("no_such_group"));
    let lost = MappingRule { provider_id: Some("p9".into()), ..rule("r9", "x", "g1") };
    assert_eq!(refused(&state, create(lost)).code(), Some("no_such_provider"));
    assert_eq!(refused(&state, create(rule("r2", "x", "g1"))).kind(), ErrorKind::Conflict);
    let edit = RuleEdit { provider_id: Some(None), match_value: Some("zwei".into()), ..RuleEdit::default() };
    apply(&mut state, SignInChange::UpdateRule { id: "r2".into(), edit }).unwrap();
    assert_eq!(
        (state.mapping_rules["r2"].provider_id.as_ref(), &*state.mapping_rules["r2"].match_value),
        (None, "zwei")
    );
    apply(&mut state, in_groups(&["zwei"])).unwrap();
    IamChange::DeleteGroup { id: "g2".into() }.apply(&mut state, NOW).unwrap();
    assert!(!state.mapping_rules.contains_key("r2") && state.identities["identity-s1"].rule_group_ids.is_empty());
    for (provider_id, external_sub, user_id, code) in
        [("p9", "x", "u1", "no_such_provider"), ("p1", "", "u1", "invalid_identity"), ("p1", "x", "u9", "no_such_user")]
    {
        let bind = SignInChange::Bind {
            id: "i9".into(),
            provider_id: provider_id.into(),
            external_sub: external_sub.into(),
            user_id: user_id.into(),
        };
        assert_eq!(refused(&state, bind).code(), Some(code));
    }
}
