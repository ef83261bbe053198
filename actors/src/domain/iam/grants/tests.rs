//! Tables of grants: who may give what, and whom nobody below an admin touches.

use super::{Author, check};
use crate::domain::change::StateChange;
use crate::domain::clock::Timestamp;
use crate::domain::iam::change::IamChange;
use crate::domain::iam::context::RequestContext;
use crate::domain::iam::model::{AccessKey, ApiToken, Group, Permission, User};
use crate::domain::iam::principal::Principal;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use serde_json::{Value, json};
use std::sync::Arc;

fn rules(json: &Value) -> Vec<Permission> {
    let mut rules: Vec<Permission> = serde_json::from_value(json.clone()).unwrap();
    rules.iter_mut().enumerate().for_each(|(index, rule)| rule.id = (index + 1).to_string());
    rules
}

fn allow(actions: &[&str], resources: &[&str]) -> Value {
    json!({"effect": "Allow", "actions": actions, "resources": resources})
}

fn deny(actions: &[&str], resources: &[&str]) -> Value {
    json!({"effect": "Deny", "actions": actions, "resources": resources})
}

fn key(id: &str) -> AccessKey {
    AccessKey {
        access_key_id: id.into(),
        secret: Secret::new("a-secret"),
        active: true,
        created_at: Timestamp::default(),
        expires_at: None,
    }
}

fn user(id: &str, permissions: &Value, groups: &[&str]) -> (String, Arc<User>) {
    let user = User {
        id: id.into(),
        name: id.into(),
        enabled: id != "sleeper",
        created_at: Timestamp::default(),
        auth_source: "local".into(),
        credential_version: 1,
        permissions: rules(permissions),
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
        keys: vec![key(&format!("AK{id}"))],
    };
    (id.to_owned(), Arc::new(user))
}

fn group(id: &str, permissions: &Value) -> (String, Arc<Group>) {
    let group = Group {
        id: id.into(),
        name: id.into(),
        description: String::new(),
        created_at: Timestamp::default(),
        permissions: rules(permissions),
    };
    (id.to_owned(), Arc::new(group))
}

/// `lead` may change IAM, and has `builds` but for what is secret there.
fn world() -> State {
    let lead = json!([
        allow(&["iam:write", "iam:read"], &["*"]),
        allow(&["read", "write", "list"], &["builds", "builds/*", "home/${iam:username}/*"]),
        deny(&["read"], &["builds/secret/*"]),
        json!({"effect": "Allow", "actions": ["read"], "resources": ["inside/*"], "conditions": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
    ]);
    State {
        users: [
            user("lead", &lead, &["readers"]),
            user("admin", &json!([]), &["admins"]),
            user("sleeper", &json!([allow(&["*"], &["*"])]), &[]),
            user("plain", &json!([allow(&["read"], &["builds/ci/*"])]), &[]),
            user("strong", &json!([allow(&["delete"], &["other/*"])]), &[]),
            user("bound", &json!([allow(&["read"], &["builds/ci/*"]), deny(&["read"], &["builds/ci/x"])]), &["fenced"]),
        ]
        .into(),
        groups: [
            group("readers", &json!([allow(&["read", "list"], &["public", "public/*"])])),
            group("admins", &json!([allow(&["admin"], &["*"])])),
            group("writers", &json!([allow(&["write"], &["other/*"])])),
            group("fenced", &json!([deny(&["write"], &["other/*"])])),
        ]
        .into(),
        ..State::default()
    }
}

fn refusal(state: &State, who: Principal, change: IamChange) -> String {
    let author = Author { principal: who, context: RequestContext::default() };
    match check(state, &author, &StateChange::Iam(change)) {
        Ok(()) => "fine".to_owned(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

fn by_lead(change: IamChange) -> String {
    refusal(&world(), Principal::User("lead".into()), change)
}

fn token(permissions: &Value) -> IamChange {
    let token = ApiToken {
        id: "t".into(),
        name: "t".into(),
        sha256: "00".into(),
        permissions: rules(permissions),
        created_at: Timestamp::default(),
        expires_at: None,
    };
    IamChange::CreateToken { token }
}

#[test]
fn what_is_given_is_what_the_giver_has() {
    for (given, expected) in [
        (json!([]), "fine"),
        (json!([allow(&["read"], &["public/x/*"])]), "fine"),
        (json!([allow(&["read"], &["builds/ci/*"])]), "fine"),
        (json!([allow(&["s3:GetObject"], &["builds/ci/?", "arn:aws:s3:::public/*"])]), "fine"),
        (json!([allow(&["s3:PutObject", "list"], &["builds/*"])]), "fine"),
        // Writers may list the parts of an upload, and that is reading, too.
        (json!([allow(&["write"], &["builds/*"])]), "grant_exceeds_own"),
        (json!([allow(&["iam:read"], &["*"])]), "fine"),
        (json!([allow(&["iam:*"], &["*"])]), "fine"),
        (json!([allow(&["iam:write"], &["*"])]), "fine"),
        (json!([allow(&["write"], &["home/lead/*"])]), "fine"),
        (json!([deny(&["*"], &["*"])]), "fine"),
        (json!([allow(&["read"], &["builds/*"]), deny(&["read"], &["builds/secret/*"])]), "fine"),
        // Beyond it in action, resource, or because of a Deny or condition of the giver.
        (json!([allow(&["delete"], &["builds/ci/*"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["*"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["build*"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["builds/*"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["builds/secret/a"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["builds/*"]), deny(&["read"], &["builds/secret/a/*"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["inside/x"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["home/${iam:username}/*"])]), "grant_exceeds_own"),
        (json!([allow(&["read"], &["home/plain/*"])]), "grant_exceeds_own"),
        (json!([allow(&["*"], &["*"])]), "grant_exceeds_own"),
        (json!([allow(&["admin"], &["*"])]), "grant_exceeds_own"),
        (json!([allow(&["*"], &["builds/ci/*"])]), "grant_exceeds_own"),
        (json!([allow(&["*:*"], &["*"])]), "grant_exceeds_own"),
        (json!([allow(&["config:write"], &["*"])]), "grant_exceeds_own"),
        (json!([allow(&["backup:export-secrets"], &["*"])]), "grant_exceeds_own"),
    ] {
        let user = IamChange::CreateUser {
            id: "n".into(),
            name: "n".into(),
            enabled: true,
            permissions: rules(&given),
            group_ids: [].into(),
            key: key("AKn"),
        };
        assert_eq!(by_lead(user), expected, "user {given}");
        assert_eq!(by_lead(token(&given)), expected, "token {given}");
        let update = |id: &str| IamChange::UpdateUser {
            id: id.into(),
            name: None,
            enabled: None,
            permissions: Some(rules(&given)),
            group_ids: None,
        };
        assert_eq!(by_lead(update("plain")), expected, "update {given}");
        // A group's members may have no such Deny of their own: it counts for nobody.
        let group = IamChange::CreateGroup {
            id: "g".into(),
            name: "g".into(),
            description: String::new(),
            permissions: rules(&given),
            member_ids: ["plain".to_owned()].into(),
        };
        let own_deny = given.as_array().unwrap().len() == 2;
        assert_eq!(by_lead(group), if own_deny { "grant_exceeds_own" } else { expected }, "group {given}");
    }
}

#[test]
fn groups_accounts_and_denies_are_no_way_around() {
    let id = |id: &str| id.to_owned();
    let update = |user: &str| IamChange::UpdateUser {
        id: user.into(),
        name: None,
        enabled: None,
        permissions: None,
        group_ids: None,
    };
    let with_groups = |user: &str, groups: &[&str]| match update(user) {
        IamChange::UpdateUser { id, name, enabled, permissions, .. } => {
            let group_ids = Some(groups.iter().map(|group| (*group).to_owned()).collect());
            IamChange::UpdateUser { id, name, enabled, permissions, group_ids }
        }
        other => other,
    };
    let with =
        |user: &str, name: Option<&str>, enabled: Option<bool>, permissions: Option<Value>| IamChange::UpdateUser {
            id: user.into(),
            name: name.map(str::to_owned),
            enabled,
            permissions: permissions.map(|json| rules(&json)),
            group_ids: None,
        };
    let group = |id: &str, permissions: Option<Value>, members: Option<&[&str]>| IamChange::UpdateGroup {
        id: id.into(),
        name: None,
        description: None,
        permissions: permissions.map(|json| rules(&json)),
        member_ids: members.map(|members| members.iter().map(|id| (*id).to_owned()).collect()),
    };
    let table: Vec<(IamChange, &str)> = vec![
        // Memberships.
        (IamChange::AddMember { group_id: id("readers"), user_id: id("plain") }, "fine"),
        (IamChange::AddMember { group_id: id("writers"), user_id: id("plain") }, "grant_exceeds_own"),
        (IamChange::AddMember { group_id: id("writers"), user_id: id("lead") }, "grant_exceeds_own"),
        (IamChange::AddMember { group_id: id("admins"), user_id: id("lead") }, "grant_exceeds_own"),
        (with_groups("plain", &["readers"]), "fine"),
        (with_groups("plain", &["admins"]), "grant_exceeds_own"),
        (group("writers", None, Some(&["plain"])), "grant_exceeds_own"),
        (group("readers", None, Some(&["plain", "lead"])), "fine"),
        // What a group's rules become, its members have.
        (group("readers", Some(json!([allow(&["delete"], &["public/*"])])), None), "grant_exceeds_own"),
        (group("readers", Some(json!([])), None), "fine"),
        (
            group("writers", Some(json!([allow(&["write"], &["other/*"]), allow(&["read"], &["public/*"])])), None),
            "fine",
        ),
        // A Deny that goes gives what it forbade.
        (group("fenced", Some(json!([])), None), "grant_exceeds_own"),
        (IamChange::RemoveMember { group_id: id("fenced"), user_id: id("bound") }, "grant_exceeds_own"),
        (IamChange::DeleteGroup { id: id("fenced") }, "grant_exceeds_own"),
        (with_groups("bound", &[]), "grant_exceeds_own"),
        (with("bound", None, None, Some(json!([allow(&["read"], &["builds/ci/*"])]))), "fine"),
        (with("bound", None, None, Some(json!([]))), "fine"),
        // Whose key one makes, one can be.
        (IamChange::RotateKeys { id: id("plain"), key: key("AK2") }, "fine"),
        (IamChange::RotateKeys { id: id("strong"), key: key("AK2") }, "grant_exceeds_own"),
        (IamChange::AddKey { id: id("strong"), key: key("AK2") }, "grant_exceeds_own"),
        (
            IamChange::UpdateKey {
                id: id("strong"),
                access_key_id: id("AKstrong"),
                active: Some(true),
                expires_at: None,
            },
            "grant_exceeds_own",
        ),
        (
            IamChange::UpdateKey {
                id: id("strong"),
                access_key_id: id("AKstrong"),
                active: Some(false),
                expires_at: None,
            },
            "fine",
        ),
        // To take away is not to give.
        (IamChange::DeleteUser { id: id("strong") }, "fine"),
        (with("strong", None, Some(false), None), "fine"),
        (with("strong", None, None, Some(json!([]))), "fine"),
        (IamChange::DeleteGroup { id: id("writers") }, "fine"),
        (with("strong", Some("stronger"), None, None), "grant_exceeds_own"),
        // Admins are touched by admins, also those who sleep.
        (IamChange::DeleteUser { id: id("admin") }, "admin_untouchable"),
        (IamChange::RotateKeys { id: id("admin"), key: key("AK2") }, "admin_untouchable"),
        (IamChange::AddKey { id: id("admin"), key: key("AK2") }, "admin_untouchable"),
        (IamChange::DeleteKey { id: id("admin"), access_key_id: id("AKadmin") }, "admin_untouchable"),
        (with("admin", None, Some(false), None), "admin_untouchable"),
        (with("admin", None, None, Some(json!([deny(&["*"], &["*"])]))), "admin_untouchable"),
        (with("sleeper", None, Some(true), None), "admin_untouchable"),
        (IamChange::RemoveMember { group_id: id("admins"), user_id: id("admin") }, "admin_untouchable"),
        (IamChange::AddMember { group_id: id("readers"), user_id: id("admin") }, "admin_untouchable"),
        (with_groups("admin", &[]), "admin_untouchable"),
        (IamChange::DeleteGroup { id: id("admins") }, "admin_untouchable"),
        (group("admins", Some(json!([])), None), "admin_untouchable"),
        (group("readers", None, Some(&["admin", "lead"])), "admin_untouchable"),
    ];
    for (change, expected) in table {
        assert_eq!(by_lead(change.clone()), expected, "{change:?}");
    }
}

#[test]
fn an_admin_gives_anything_and_a_token_no_more_than_its_own() {
    let mut state = world();
    let everything = json!([allow(&["*"], &["*"])]);
    assert_eq!(refusal(&state, Principal::User("admin".into()), token(&everything)), "fine");
    assert_eq!(refusal(&state, Principal::Bootstrap, token(&everything)), "fine");
    let IamChange::CreateToken { token: weak } = token(&json!([allow(&["iam:write"], &["*"])])) else { unreachable!() };
    state.tokens.insert("t".into(), Arc::new(weak));
    let by_token = || Principal::Token("t".into());
    assert_eq!(refusal(&state, by_token(), token(&json!([allow(&["iam:write"], &["*"])]))), "fine");
    assert_eq!(refusal(&state, by_token(), token(&everything)), "grant_exceeds_own");
    let IamChange::CreateToken { token: strong } = token(&everything) else { unreachable!() };
    state.tokens.insert("root".into(), Arc::new(strong));
    assert_eq!(refusal(&state, by_token(), IamChange::DeleteToken { id: "root".into() }), "admin_untouchable");
    // Who has lost the right meanwhile, or is gone, gives nothing.
    let gone = Principal::User("gone".into());
    assert_eq!(refusal(&state, gone, token(&json!([allow(&["read"], &["x"])]))), "grant_exceeds_own");
}
