//! The contract of the evaluator, as sentences.

mod matrix;
mod oracle;

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::iam::model::{AccessKey, ApiToken, Group, User};
use crate::domain::secret::Secret;
use std::sync::Arc;

fn rules(json: &str) -> Vec<Permission> {
    serde_json::from_str(json).unwrap()
}

pub(in crate::domain::iam) fn user(state: &mut State, id: &str, groups: &[&str], json: &str) {
    let key = AccessKey {
        access_key_id: format!("AK{id}"),
        secret: Secret::new("s"),
        active: true,
        created_at: Timestamp::default(),
        expires_at: None,
    };
    let user = User {
        id: id.into(),
        name: format!("name-{id}"),
        enabled: true,
        created_at: Timestamp::default(),
        auth_source: "local".into(),
        credential_version: 0,
        permissions: rules(json),
        group_ids: groups.iter().map(|id| (*id).to_owned()).collect(),
        keys: vec![key],
    };
    state.users.insert(id.into(), Arc::new(user));
}

pub(in crate::domain::iam) fn world() -> State {
    let mut state = State::default();
    let group = Group {
        id: "no-private".into(),
        name: "no private".into(),
        description: String::new(),
        created_at: Timestamp::default(),
        permissions: rules(
            r#"[{"id": "g1", "effect": "Deny", "actions": ["*"], "resources": ["private", "private/*"]}]"#,
        ),
    };
    state.groups.insert(group.id.clone(), Arc::new(group));
    let all = r#"[{"id": "1", "effect": "Allow", "actions": ["*"], "resources": ["*"]}]"#;
    user(&mut state, "admin", &[], all);
    user(&mut state, "limited", &["no-private"], all);
    user(
        &mut state,
        "ci",
        &[],
        r#"[{"id": "1", "effect": "Allow", "actions": ["read", "write", "list"], "resources": ["builds/ci/*"]}]"#,
    );
    user(
        &mut state,
        "reader",
        &[],
        r#"[{"id": "1", "effect": "Allow", "actions": ["read"], "resources": ["builds/*"]}]"#,
    );
    user(
        &mut state,
        "careful",
        &[],
        r#"[{"id": "1", "effect": "Allow", "actions": ["read", "list"], "resources": ["builds", "builds/*"]},
            {"id": "2", "effect": "Deny", "actions": ["*"], "resources": ["builds/secret/*"]}]"#,
    );
    user(
        &mut state,
        "home",
        &[],
        r#"[{"id": "1", "effect": "Allow", "actions": ["*"], "resources": ["home/${iam:username}/*"],
             "conditions": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]"#,
    );
    user(&mut state, "bucket-admin", &[], r#"[{"effect": "Allow", "actions": ["admin"], "resources": ["team-*"]}]"#);
    user(
        &mut state,
        "demoted",
        &[],
        r#"[{"id": "1", "effect": "Allow", "actions": ["*"], "resources": ["*"]},
            {"id": "2", "effect": "Deny", "actions": ["admin"], "resources": ["*"]}]"#,
    );
    let token = ApiToken {
        id: "t1".into(),
        name: "nightly".into(),
        sha256: "00".repeat(32),
        permissions: rules(r#"[{"id": "1", "effect": "Allow", "actions": ["backup:export"], "resources": ["*"]}]"#),
        created_at: Timestamp::default(),
        expires_at: Some(Timestamp::from_secs(1000)),
    };
    state.tokens.insert("t1".into(), Arc::new(token));
    state
}

pub(in crate::domain::iam) fn context() -> RequestContext {
    RequestContext { source_ip: Some([127, 0, 0, 1].into()), ..RequestContext::default() }
}

pub(in crate::domain::iam) fn listing(prefix: &str) -> RequestContext {
    let mut context = context();
    context.list.prefix = prefix.into();
    context
}

fn may_on(user: &str, action: &str, resource: Resource<'_>, context: &RequestContext) -> Decision {
    let request = AccessRequest { action, resource, context };
    decide(&world(), &Principal::User(user.into()), &request)
}

fn may(user: &str, action: &str, bucket: &str, key: &str) -> bool {
    let resource = if key.is_empty() { Resource::bucket(bucket) } else { Resource::object(bucket, key) };
    may_on(user, action, resource, &context()).allowed
}

#[test]
fn deny_beats_allow_and_nothing_is_the_implicit_deny() {
    assert!(may("limited", "s3:GetObject", "builds", "x"));
    assert!(!may("limited", "s3:GetObject", "private", "x"));
    assert!(!may("limited", "s3:DeleteBucket", "private", ""));
    assert!(!may("reader", "s3:PutObject", "builds", "x"));
    let decision = may_on("limited", "s3:GetObject", Resource::object("private", "x"), &context());
    let owner = RuleOwner::Group("no-private".into());
    assert_eq!(decision.reason, Reason::Rule { owner, id: "g1".into(), effect: Effect::Deny });
    assert_eq!(may_on("reader", "s3:PutObject", Resource::bucket("b"), &context()).reason, Reason::NoRule);
}

#[test]
fn a_resource_covers_what_the_documentation_says() {
    assert!(may("ci", "s3:PutObject", "builds", "ci/x"));
    assert!(!may("ci", "s3:PutObject", "builds", "ci"));
    assert!(!may("ci", "s3:PutObject", "builds", "other/x"));
    assert!(may("reader", "s3:GetObject", "builds", "any/depth"));
    assert!(!may("reader", "s3:ListBucket", "builds", ""));
    assert!(may("bucket-admin", "s3:CreateBucket", "team-red", ""));
    assert!(!may("bucket-admin", "s3:CreateBucket", "other", ""));
    assert!(!may("bucket-admin", "s3:GetObject", "team-red", "x"));
}

#[test]
fn variables_and_conditions_are_part_of_the_decision() {
    let inside = RequestContext { source_ip: Some([10, 1, 1, 1].into()), ..RequestContext::default() };
    let own = Resource::object("home", "name-home/x");
    assert!(may_on("home", "s3:GetObject", own, &inside).allowed);
    assert!(!may_on("home", "s3:GetObject", own, &context()).allowed);
    assert!(!may_on("home", "s3:GetObject", Resource::object("home", "name-ci/x"), &inside).allowed);
}

#[test]
fn admin_is_a_right_like_any_other() {
    let admin = |user: &str| is_admin(&world(), &Principal::User(user.into()), &context());
    assert!(admin("admin") && admin("limited"));
    assert!(!admin("ci") && !admin("bucket-admin") && !admin("demoted"));
    assert!(is_admin(&world(), &Principal::Bootstrap, &context()));
    for principal in [Principal::ConfigKey, Principal::Open, Principal::Anonymous] {
        assert!(!is_admin(&world(), &principal, &context()));
    }
    assert!(may("demoted", "s3:GetObject", "b", "k"));
}

#[test]
fn a_token_has_its_rights_until_it_expires() {
    let token = Principal::Token("t1".into());
    let at = |secs| RequestContext { time: Timestamp::from_secs(secs), ..RequestContext::default() };
    assert!(has_right(&world(), &token, "backup:export", &at(999)));
    assert!(!has_right(&world(), &token, "backup:export-secrets", &at(999)));
    assert!(!has_right(&world(), &token, "backup:export", &at(1000)));
}

#[test]
fn who_is_disabled_or_gone_may_nothing() {
    let mut state = world();
    Arc::make_mut(state.users.get_mut("admin").unwrap()).enabled = false;
    let context = context();
    let request = AccessRequest { action: "s3:GetObject", resource: Resource::object("b", "k"), context: &context };
    assert_eq!(decide(&state, &Principal::User("admin".into()), &request).reason, Reason::Disabled);
    assert_eq!(decide(&state, &Principal::User("ghost".into()), &request).reason, Reason::Unknown);
    assert!(!decide(&state, &Principal::Anonymous, &request).allowed);
    assert!(decide(&state, &Principal::ConfigKey, &request).allowed);
}

#[test]
fn list_buckets_needs_no_allow_but_obeys_a_deny() {
    assert!(may_on("reader", "s3:ListAllMyBuckets", Resource::NONE, &context()).allowed);
    let mut state = world();
    user(&mut state, "blind", &[], r#"[{"effect": "Deny", "actions": ["list"], "resources": ["*"]}]"#);
    let context = context();
    let request = AccessRequest { action: "s3:ListAllMyBuckets", resource: Resource::NONE, context: &context };
    assert!(!decide(&state, &Principal::User("blind".into()), &request).allowed);
    assert!(!decide(&state, &Principal::Anonymous, &request).allowed);
}

#[test]
fn explain_tells_of_every_rule() {
    let context = context();
    let request =
        AccessRequest { action: "s3:GetObject", resource: Resource::object("builds", "x"), context: &context };
    let (decision, considered) = explain(&world(), &Principal::User("careful".into()), &request);
    assert!(decision.allowed);
    let outcomes: Vec<_> = considered.iter().map(|c| c.outcome).collect();
    assert_eq!(outcomes, [Outcome::Applies, Outcome::OtherResource]);
}
