//! A state survives its table, whole or by differences.

use super::*;
use crate::db::database::Database;
use crate::db::open::{TryOpen, check_integrity, try_open};
use crate::db::password::OWN_PARAMETERS;
use crate::domain::clock::Timestamp;
use crate::domain::iam::change::IamChange;
use crate::domain::iam::model::{
    AccessKey, ApiToken, AuthProvider, Effect, ExternalIdentity, Group, MappingRule, OneOrMany, Permission, Revocation,
    User,
};
use crate::domain::names::{BackendName, BucketName};
use crate::domain::secret::Secret;
use crate::domain::state::{Bucket, ConfigRevision, KeyPurpose, Meta, RestoreRecord, StoredKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn at(n: i64) -> Timestamp {
    Timestamp::from_millis(1_795_338_000_123 + n)
}

fn rule() -> Permission {
    Permission {
        id: "1".into(),
        effect: Effect::Deny,
        actions: vec!["read".into(), "s3:List*".into()],
        resources: vec!["b".into(), "b/${iam:username}/*".into()],
        conditions: BTreeMap::from([(
            "NotIpAddress".to_owned(),
            BTreeMap::from([("aws:SourceIp".to_owned(), OneOrMany::Many(vec!["10.0.0.0/8".into(), "::1".into()]))]),
        )]),
    }
}

/// A state in which no field has its default value.
pub(in crate::db) fn full() -> State {
    let user = |id: &str, keys: usize| User {
        id: id.into(),
        name: format!("näme {id}"),
        enabled: id != "u2",
        created_at: at(1),
        auth_source: "external".into(),
        credential_version: 7,
        permissions: vec![rule()],
        group_ids: BTreeSet::from(["g1".to_owned()]),
        keys: (0..keys)
            .map(|n| AccessKey {
                access_key_id: format!("AK{id}{n}"),
                secret: Secret::new(format!("secret'\"{n}")),
                active: n == 0,
                created_at: at(2),
                expires_at: (n > 0).then_some(at(3)),
            })
            .rev()
            .collect(),
    };
    let provider = AuthProvider {
        id: "p1".into(),
        name: "corp".into(),
        provider_type: "oidc".into(),
        enabled: true,
        priority: -3,
        display_name: Some("Corp".into()),
        client_id: Some("client".into()),
        client_secret: Some(Secret::new("client secret")),
        issuer_url: Some("https://idp.example".into()),
        scopes: "openid email".into(),
        extra_config: Some(serde_json::json!({"allowed_domains": ["example.com"]})),
        created_at: at(4),
        updated_at: at(5),
    };
    let mapping = MappingRule {
        id: "m1".into(),
        provider_id: Some("p1".into()),
        priority: 9,
        match_type: "email_domain".into(),
        match_field: "email".into(),
        match_value: "example.com".into(),
        group_id: "g1".into(),
        created_at: at(6),
        enabled: true,
    };
    let identity = ExternalIdentity {
        id: "i1".into(),
        user_id: "u1".into(),
        provider_id: "p1".into(),
        external_sub: "sub".into(),
        email: Some("a@example.com".into()),
        display_name: Some("A".into()),
        raw_claims: Some(serde_json::json!({"groups": ["x"]})),
        email_verified: true,
        rule_group_ids: BTreeSet::from(["g1".to_owned()]),
        created_at: at(7),
    };
    let token = ApiToken {
        id: "t1".into(),
        name: "nightly".into(),
        sha256: "ab".repeat(32),
        permissions: vec![rule()],
        created_at: at(8),
        expires_at: Some(at(9)),
    };
    let group = Group {
        id: "g1".into(),
        name: "ops".into(),
        description: "operators".into(),
        created_at: at(10),
        permissions: vec![rule()],
    };
    let revocation = Revocation { kind: "user".into(), fingerprint: "u9".into(), revoked_at: at(11) };
    let bucket = Bucket {
        name: BucketName::new("builds").unwrap(),
        backend: BackendName::new("main").unwrap(),
        alias: Some(BucketName::new("old-builds").unwrap()),
        owner: "u1".into(),
        created_at: at(12),
        public_prefixes: vec!["a b/".into(), "releases/".into()],
        settings: crate::domain::bucket::settings::tests::full(),
    };
    let key = |id: &str, purpose, active| StoredKey {
        id: id.into(),
        purpose,
        key: Secret::new(id.repeat(32)),
        created_at: at(13),
        active,
    };
    let restore = RestoreRecord {
        restore_id: "r1".into(),
        at: at(14),
        actor: "$bootstrap".into(),
        outcome: serde_json::json!({"restored": true}),
    };
    let revision = ConfigRevision { number: 3, at: at(15), actor: "alice".into(), yaml: "storage: {}\n".into() };
    State {
        meta: Meta {
            instance_id: "instance".into(),
            epoch: 2,
            generation: 5,
            auth_epoch: 3,
            auth_exception: Some("cd".repeat(32)),
            password_set_at: Some(at(16)),
            password_logged: true,
            quarantined_from: Some("other".into()),
            unpushed: true,
        },
        users: [("u1", 2), ("u2", 1)].map(|(id, keys)| (id.to_owned(), Arc::new(user(id, keys)))).into(),
        groups: BTreeMap::from([("g1".into(), Arc::new(group))]),
        providers: BTreeMap::from([("p1".into(), Arc::new(provider))]),
        mapping_rules: BTreeMap::from([("m1".into(), Arc::new(mapping))]),
        identities: BTreeMap::from([("i1".into(), Arc::new(identity))]),
        tokens: BTreeMap::from([("t1".into(), Arc::new(token))]),
        revocations: BTreeMap::from([(("user".into(), "u9".into()), Arc::new(revocation))]),
        buckets: BTreeMap::from([(bucket.name.clone(), Arc::new(bucket))]),
        backends: BTreeMap::from([(BackendName::new("main").unwrap(), "backend id".into())]),
        secrets: BTreeMap::from([("env:TOKEN".into(), Secret::new("value"))]),
        keyring: [key("k1", KeyPurpose::MetadataMac, true), key("k2", KeyPurpose::ObjectData, false)]
            .map(|key| (key.id.clone(), Arc::new(key)))
            .into(),
        trusted_signers: BTreeMap::from([("signer".into(), at(17))]),
        restores: BTreeMap::from([("r1".into(), Arc::new(restore))]),
        config_history: BTreeMap::from([(3, Arc::new(revision))]),
    }
}

fn hash(password: &str) -> PasswordHash {
    PasswordHash::derive(password, *b"saltsaltsaltsalt", &OWN_PARAMETERS).unwrap()
}

fn open(path: &Path, hash: &PasswordHash) -> Database {
    match try_open(path, hash).unwrap() {
        TryOpen::Opened(connection) => connection,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_field_survives_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    create(&path, &hash("one"), &full()).unwrap();
    assert_eq!(load(&open(&path, &hash("one"))).unwrap(), full());
    assert!(create(&path, &hash("one"), &full()).is_err());
}

#[test]
fn a_new_file_is_complete_private_and_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    create(&path, &hash("one"), &full()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&path).unwrap();
    for needle in ["client secret", "builds", "alice", "SQLite"] {
        assert!(!bytes.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle}");
    }
}

#[test]
fn a_difference_is_written_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("work.db");
    create(&path, &hash("one"), &State::default()).unwrap();
    let mut connection = open(&path, &hash("one"));
    write(&mut connection, &State::default(), &full()).unwrap();
    assert_eq!(load(&connection).unwrap(), full());
    write(&mut connection, &full(), &State { meta: full().meta, ..State::default() }).unwrap();
    let left = load(&connection).unwrap();
    assert_eq!(left, State { meta: full().meta, ..State::default() });
    check_integrity(&connection).unwrap();
}

#[test]
fn names_and_keys_may_move_between_users_in_one_difference() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("work.db");
    create(&path, &hash("one"), &full()).unwrap();
    let mut connection = open(&path, &hash("one"));
    let mut next = full();
    let (one, two) = (User::clone(&next.users["u1"]), User::clone(&next.users["u2"]));
    let swapped = |user: &User, other: &User| {
        Arc::new(User { name: other.name.clone(), keys: other.keys.clone(), ..user.clone() })
    };
    next.users.insert("u1".into(), swapped(&one, &two));
    next.users.insert("u2".into(), swapped(&two, &one));
    write(&mut connection, &full(), &next).unwrap();
    assert_eq!(load(&connection).unwrap(), next);
}

#[test]
fn a_failed_difference_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("work.db");
    create(&path, &hash("one"), &full()).unwrap();
    let mut connection = open(&path, &hash("one"));
    let mut next = full();
    IamChange::DeleteUser { id: "u2".into() }.apply(&mut next, at(0)).unwrap();
    let double = User { id: "u3".into(), keys: vec![], ..User::clone(&next.users["u1"]) };
    next.users.insert("u3".into(), Arc::new(double));
    assert!(write(&mut connection, &full(), &next).is_err());
    assert_eq!(load(&connection).unwrap(), full());
}

#[test]
fn a_copy_under_another_key_opens_with_that_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    create(&old, &hash("one"), &full()).unwrap();
    let other = PasswordHash::make("another password").unwrap();
    copy_with_key(&open(&old, &hash("one")), &new, &other).unwrap();
    assert_eq!(load(&open(&new, &other)).unwrap(), full());
    assert!(matches!(try_open(&new, &hash("one")).unwrap(), TryOpen::WrongKey));
}
