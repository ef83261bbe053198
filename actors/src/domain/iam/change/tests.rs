//! What each change does and refuses, as sentences.

use super::*;
use crate::domain::iam::model::{Effect, ExternalIdentity};
use crate::domain::secret::Secret;
use crate::{Error, ErrorKind};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_secs(100);

fn key(id: &str, secret: &str) -> AccessKey {
    AccessKey { access_key_id: id.into(), secret: Secret::new(secret), active: true, created_at: NOW, expires_at: None }
}

fn rule(action: &str) -> Permission {
    Permission {
        id: String::new(),
        effect: Effect::Allow,
        actions: vec![action.into()],
        resources: vec!["*".into()],
        conditions: BTreeMap::new(),
    }
}

fn new_user(id: &str, name: &str, access_key: &str) -> IamChange {
    IamChange::CreateUser {
        id: id.into(),
        name: name.into(),
        enabled: true,
        permissions: vec![rule("read")],
        group_ids: BTreeSet::new(),
        key: key(access_key, "secret"),
    }
}

fn update(id: &str) -> IamChange {
    IamChange::UpdateUser { id: id.into(), name: None, enabled: None, permissions: None, group_ids: None }
}

fn world() -> State {
    let mut state = State::default();
    for change in [
        new_user("u1", "alice", "AK1"),
        new_user("u2", "bob", "AK2"),
        IamChange::CreateGroup {
            id: "g1".into(),
            name: "ops".into(),
            description: "operators".into(),
            permissions: vec![rule("list")],
            member_ids: BTreeSet::from(["u1".to_owned()]),
        },
    ] {
        change.apply(&mut state, NOW).unwrap();
    }
    state
}

fn refused(change: IamChange) -> Error {
    change.apply(&mut world(), NOW).unwrap_err()
}

fn is_revoked(state: &State, kind: &str, fingerprint: &str) -> bool {
    state.revocations.contains_key(&(kind.to_owned(), fingerprint.to_owned()))
}

#[test]
fn names_and_access_keys_are_unique_and_well_formed() {
    assert_eq!(refused(new_user("u3", "alice", "AK3")).code(), Some("user_name_taken"));
    assert_eq!(refused(new_user("u3", "carol", "AK1")).code(), Some("access_key_taken"));
    assert_eq!(refused(new_user("u1", "carol", "AK3")).kind(), ErrorKind::Conflict);
    for bad in ["", "$root", "a\nb", " x", "n".repeat(129).as_str()] {
        assert_eq!(refused(new_user("u3", bad, "AK3")).kind(), ErrorKind::Invalid, "{bad:?}");
    }
    for bad in ["", "a b", "a/b", "a,b", "ä"] {
        assert_eq!(refused(new_user("u3", "carol", bad)).kind(), ErrorKind::Invalid, "{bad:?}");
    }
}

#[test]
fn an_update_changes_the_fields_that_are_given() {
    let mut state = world();
    let change = IamChange::UpdateUser {
        id: "u1".into(),
        name: Some("alicia".into()),
        enabled: None,
        permissions: Some(vec![rule("write")]),
        group_ids: None,
    };
    change.apply(&mut state, NOW).unwrap();
    let user = &state.users["u1"];
    assert_eq!((user.name.as_str(), user.permissions[0].actions[0].as_str()), ("alicia", "write"));
    assert!(user.group_ids.contains("g1"));
    assert_eq!(user.credential_version, 1);
    let mut same = state.clone();
    update("u1").apply(&mut same, NOW).unwrap();
    assert!(Arc::ptr_eq(&same.users["u1"], &state.users["u1"]));
    assert_eq!(refused(update("u9")).kind(), ErrorKind::NotFound);
}

#[test]
fn a_rule_that_cannot_be_read_refuses_to_save() {
    let bad = IamChange::UpdateUser {
        id: "u1".into(),
        name: None,
        enabled: None,
        permissions: Some(vec![rule("reed")]),
        group_ids: None,
    };
    assert_eq!(refused(bad).code(), Some("invalid_permission"));
}

#[test]
fn disabling_revokes_and_enabling_reinstates() {
    let mut state = world();
    let set = |enabled| IamChange::UpdateUser {
        id: "u1".into(),
        name: None,
        enabled: Some(enabled),
        permissions: None,
        group_ids: None,
    };
    set(false).apply(&mut state, NOW).unwrap();
    assert!(is_revoked(&state, "user", "u1"));
    assert_eq!(state.users["u1"].credential_version, 2);
    set(true).apply(&mut state, NOW).unwrap();
    assert!(!is_revoked(&state, "user", "u1"));
    assert_eq!(state.users["u1"].credential_version, 3);
}

#[test]
fn a_deleted_user_leaves_nothing_but_revocations() {
    let mut state = world();
    let identity = ExternalIdentity {
        id: "i1".into(),
        user_id: "u1".into(),
        provider_id: "p1".into(),
        external_sub: "sub".into(),
        email: None,
        display_name: None,
        raw_claims: None,
        email_verified: true,
        rule_group_ids: BTreeSet::new(),
        created_at: NOW,
    };
    state.identities.insert("i1".into(), Arc::new(identity));
    IamChange::DeleteUser { id: "u1".into() }.apply(&mut state, NOW).unwrap();
    assert!(!state.users.contains_key("u1") && state.identities.is_empty());
    assert!(is_revoked(&state, "user", "u1"));
    assert!(is_revoked(&state, "access_key", "AK1"));
    assert!(is_revoked(&state, "identity", "i1"));
    assert_eq!(refused(IamChange::DeleteUser { id: "u9".into() }).kind(), ErrorKind::NotFound);
}

#[test]
fn a_rotated_pair_is_revoked_by_its_id_or_by_its_secret() {
    let mut state = world();
    IamChange::RotateKeys { id: "u1".into(), key: key("AK9", "new") }.apply(&mut state, NOW).unwrap();
    assert_eq!(state.users["u1"].keys.len(), 1);
    assert!(is_revoked(&state, "access_key", "AK1"));
    IamChange::RotateKeys { id: "u1".into(), key: key("AK9", "newer") }.apply(&mut state, NOW).unwrap();
    let old = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(b"new"));
    assert!(is_revoked(&state, "access_key", &old));
    assert!(!is_revoked(&state, "access_key", "AK9"));
    assert_eq!(state.users["u1"].credential_version, 3);
    assert_eq!(
        refused(IamChange::RotateKeys { id: "u1".into(), key: key("AK2", "x") }).code(),
        Some("access_key_taken")
    );
}

#[test]
fn further_keys_come_and_go() {
    let mut state = world();
    IamChange::AddKey { id: "u1".into(), key: key("AK1b", "x") }.apply(&mut state, NOW).unwrap();
    let edit =
        |active, expires_at| IamChange::UpdateKey { id: "u1".into(), access_key_id: "AK1b".into(), active, expires_at };
    let soon = Timestamp::from_secs(101);
    edit(None, Some(Some(soon))).apply(&mut state, NOW).unwrap();
    assert_eq!((state.users["u1"].keys[1].active, state.users["u1"].keys[1].expires_at), (true, Some(soon)));
    assert_eq!(state.users["u1"].credential_version, 1, "a later end is no reason to end sessions");
    assert_eq!(edit(None, Some(Some(NOW))).apply(&mut state, NOW).unwrap_err().code(), Some("invalid_expiry"));
    edit(Some(false), Some(None)).apply(&mut state, NOW).unwrap();
    assert_eq!(state.users["u1"].keys[1].expires_at, None);
    assert!(!state.users["u1"].keys[1].active && is_revoked(&state, "access_key", "AK1b"));
    IamChange::DeleteKey { id: "u1".into(), access_key_id: "AK1".into() }.apply(&mut state, NOW).unwrap();
    assert_eq!(state.users["u1"].keys.len(), 1);
    assert!(is_revoked(&state, "access_key", "AK1"));
}

#[test]
fn groups_have_members_and_leave_no_trace_when_deleted() {
    let mut state = world();
    IamChange::AddMember { group_id: "g1".into(), user_id: "u2".into() }.apply(&mut state, NOW).unwrap();
    IamChange::RemoveMember { group_id: "g1".into(), user_id: "u1".into() }.apply(&mut state, NOW).unwrap();
    let members = |state: &State| -> Vec<String> {
        state.users.values().filter(|u| u.group_ids.contains("g1")).map(|u| u.id.clone()).collect()
    };
    assert_eq!(members(&state), ["u2"]);
    let replace = IamChange::UpdateGroup {
        id: "g1".into(),
        name: Some("ops".into()),
        description: None,
        permissions: None,
        member_ids: Some(BTreeSet::from(["u1".to_owned()])),
    };
    replace.apply(&mut state, NOW).unwrap();
    assert_eq!(members(&state), ["u1"]);
    assert_eq!(state.groups["g1"].description, "operators");
    IamChange::DeleteGroup { id: "g1".into() }.apply(&mut state, NOW).unwrap();
    assert!(members(&state).is_empty());
    assert_eq!(
        refused(IamChange::AddMember { group_id: "g9".into(), user_id: "u1".into() }).kind(),
        ErrorKind::NotFound
    );
    let group = |name: &str| IamChange::CreateGroup {
        id: "g2".into(),
        name: name.into(),
        description: String::new(),
        permissions: vec![],
        member_ids: BTreeSet::new(),
    };
    assert_eq!(refused(group("ops")).code(), Some("group_name_taken"));
    assert_eq!(refused(group("")).code(), Some("invalid_name"));
}

#[test]
fn a_deleted_token_is_revoked() {
    let mut state = world();
    let token = ApiToken {
        id: "t1".into(),
        name: "nightly".into(),
        sha256: "00".repeat(32),
        permissions: vec![rule("backup:export")],
        created_at: NOW,
        expires_at: None,
    };
    IamChange::CreateToken { token: token.clone() }.apply(&mut state, NOW).unwrap();
    assert!(IamChange::CreateToken { token: token.clone() }.apply(&mut state.clone(), NOW).is_err());
    let past = ApiToken { expires_at: Some(NOW), ..token };
    assert_eq!(refused(IamChange::CreateToken { token: past }).code(), Some("invalid_expiry"));
    IamChange::DeleteToken { id: "t1".into() }.apply(&mut state, NOW).unwrap();
    assert!(state.tokens.is_empty() && is_revoked(&state, "token", "t1"));
}

mod sign_in;
