//! For tests: a full state, a config, an export of both, and its parts to be spoilt.

use super::raw::{RawEntry, RawZip};
use crate::domain::archive::Archive;
use crate::domain::archive::manifest::{self, ENTRIES};
use crate::domain::clock::Timestamp;
use crate::domain::config::load::{Loaded, load};
use crate::domain::config::model::ArchiveLimits;
use crate::domain::iam::model::*;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::secret::Secret;
use crate::domain::state::*;
use crate::zipper::export::{ExportInput, Prepared, prepare};
use crate::zipper::{read, sign, write};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The signing key of the instance that exports.
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_338_000 + secs)
}

pub(crate) fn permission(action: &str, resource: &str) -> Permission {
    Permission {
        id: "1".into(),
        effect: Effect::Allow,
        actions: vec![action.into()],
        resources: vec![resource.into()],
        conditions: BTreeMap::from([(
            "StringEquals".into(),
            BTreeMap::from([("s3:prefix".into(), OneOrMany::Many(vec!["a/".into(), "b/".into()]))]),
        )]),
    }
}

pub(crate) fn user(id: &str, name: &str, groups: &[&str]) -> User {
    let key = |number: usize| AccessKey {
        access_key_id: format!("AKIA{}{number}", name.to_uppercase()),
        secret: Secret::new(format!("secret-of-{name}-{number}")),
        active: number == 1,
        created_at: at(-90),
        expires_at: (number == 2).then(|| at(9000)),
    };
    User {
        id: id.into(),
        name: name.into(),
        enabled: true,
        created_at: at(-100),
        auth_source: "local".into(),
        credential_version: 3,
        permissions: vec![permission("read", "photos/*")],
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
        keys: vec![key(1), key(2)],
    }
}

pub(crate) fn key(id: &str, digit: &str, created: i64, active: bool) -> StoredKey {
    let purpose = KeyPurpose::MetadataMac;
    StoredKey { id: id.into(), purpose, key: Secret::new(digit.repeat(64)), created_at: at(created), active }
}

fn map<T>(entries: impl IntoIterator<Item = T>, id: impl Fn(&T) -> String) -> BTreeMap<String, Arc<T>> {
    entries.into_iter().map(|entry| (id(&entry), Arc::new(entry))).collect()
}

/// A state with something in every list that an archive carries.
pub(crate) fn state() -> State {
    let provider = AuthProvider {
        id: "p1".into(),
        name: "corp".into(),
        provider_type: "oidc".into(),
        enabled: true,
        priority: 10,
        display_name: Some("Corp \u{1f600}".into()),
        client_id: Some("client".into()),
        client_secret: Some(Secret::new("secret-of-corp")),
        issuer_url: Some("https://id.example".into()),
        scopes: "openid email".into(),
        extra_config: Some(json!({"allowed_domains": ["example.com"], "weight": 0.5})),
        created_at: at(-80),
        updated_at: at(-70),
    };
    let rule = MappingRule {
        id: "r1".into(),
        provider_id: Some("p1".into()),
        priority: 1,
        match_type: "email_domain".into(),
        match_field: "email".into(),
        match_value: "example.com".into(),
        group_id: "g1".into(),
        created_at: at(-60),
        enabled: true,
    };
    let identity = ExternalIdentity {
        id: "i1".into(),
        user_id: "u2".into(),
        provider_id: "p1".into(),
        external_sub: "sub-1".into(),
        email: Some("bob@example.com".into()),
        display_name: None,
        raw_claims: Some(json!({"groups": ["x"], "n": 12})),
        email_verified: true,
        rule_group_ids: std::collections::BTreeSet::new(),
        created_at: at(-50),
    };
    let token = ApiToken {
        id: "t1".into(),
        name: "ci".into(),
        sha256: "ab".repeat(32),
        permissions: vec![permission("admin", "*")],
        created_at: at(-40),
        expires_at: Some(at(99_000)),
    };
    let revocation = Revocation { kind: "token".into(), fingerprint: "t0".into(), revoked_at: at(-30) };
    let group = Group {
        id: "g1".into(),
        name: "staff".into(),
        description: "People".into(),
        created_at: at(-99),
        permissions: vec![permission("*", "*")],
    };
    let bucket = |name: &str, alias: Option<&str>| Bucket {
        name: BucketName::new(name).unwrap(),
        backend: BackendName::new("hot").unwrap(),
        alias: alias.map(|alias| BucketName::new(alias).unwrap()),
        owner: "$bootstrap".into(),
        created_at: at(-20),
        public_prefixes: vec![format!("{name}/pub/")],
        settings: crate::domain::bucket::settings::tests::full(),
    };
    State {
        meta: Meta {
            instance_id: "instance-a".into(),
            epoch: 4,
            generation: 17,
            auth_epoch: 2,
            password_set_at: Some(at(-500)),
            ..Meta::default()
        },
        users: map([user("u1", "alice", &["g1"]), user("u2", "bob", &[])], |u| u.id.clone()),
        groups: map([group], |g| g.id.clone()),
        providers: map([provider], |p| p.id.clone()),
        mapping_rules: map([rule], |r| r.id.clone()),
        identities: map([identity], |i| i.id.clone()),
        tokens: map([token], |t| t.id.clone()),
        revocations: BTreeMap::from([(("token".into(), "t0".into()), Arc::new(revocation))]),
        buckets: [bucket("photos", None), bucket("logs", Some("logs-real")), bucket("pinned", None)]
            .into_iter()
            .map(|bucket| (bucket.name.clone(), Arc::new(bucket)))
            .collect(),
        backends: BTreeMap::from([(BackendName::new("hot").unwrap(), "backend-id-1".into())]),
        secrets: BTreeMap::from([("webhook".into(), Secret::new("stored-secret"))]),
        keyring: map([key("k1", "1", -400, false), key("k2", "2", -300, true)], |k| k.id.clone()),
        ..State::default()
    }
}

/// A config with two backends, pins and references.
pub(crate) const CONFIG: &str = "\
access:
  access_key_id: AKIACONFIGKEY
  secret_access_key: { env: CONFIG_SECRET }
  session_lifetime: 8h
storage:
  backends:
    - { name: cold, type: filesystem, path: ./cold }
    - { name: hot, type: filesystem, path: '${env:HOT_DIR}' }
  default_backend: hot
  buckets:
    pinned: { backend: cold }
    fixed: { backend: cold, alias: fixed-real }
advanced:
  listen_addr: 0.0.0.0:9100
  region: eu-central-1
backup:
  limits: { ratio: 200 }
";

pub(crate) fn environment() -> BTreeMap<String, String> {
    let pairs = [("HOT_DIR", "./hot"), ("CONFIG_SECRET", "secret-of-config")];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn config() -> Loaded {
    load(CONFIG, &environment()).unwrap()
}

/// Reads and checks bytes.
pub(crate) fn verify(bytes: &[u8], limits: &ArchiveLimits) -> crate::Result<Archive> {
    crate::zipper::verify(&bytes.into(), limits)
}

/// Unpacks bytes.
pub(crate) fn unpack(bytes: &[u8], limits: &ArchiveLimits) -> crate::Result<[Vec<u8>; 4]> {
    read::unpack(&bytes.into(), limits)
}

/// A finished archive.
pub(crate) struct Exported {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: String,
    pub(crate) filename: String,
}

/// Exports a state with the config above.
pub(crate) fn exported(state: &State) -> Exported {
    exported_with(state, &config())
}

pub(crate) fn exported_with(state: &State, config: &Loaded) -> Exported {
    let made = prepared_with(state, config, &ArchiveLimits::default()).unwrap();
    let bytes = made.to_vec().unwrap();
    assert_eq!(made.length(), bytes.len() as u64);
    Exported { bytes, sha256: made.sha256().to_owned(), filename: made.filename().to_owned() }
}

pub(crate) fn prepared(state: &State) -> Prepared {
    prepared_within(state, &ArchiveLimits::default()).unwrap()
}

pub(crate) fn prepared_within(state: &State, limits: &ArchiveLimits) -> crate::Result<Prepared> {
    prepared_with(state, &config(), limits)
}

fn prepared_with(state: &State, config: &Loaded, limits: &ArchiveLimits) -> crate::Result<Prepared> {
    let resolved = environment().into_iter().map(|(name, value)| (format!("env:{name}"), Secret::new(value))).collect();
    let hash = Secret::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA");
    prepare(&ExportInput {
        config,
        state: Arc::new(state.clone()),
        instance_id: "instance-a",
        server_version: "0.1.0",
        captured_at: at(0),
        signing_seed: &SEED,
        bootstrap_hash: Some(&hash),
        resolved: &resolved,
        limits,
        audit: Some(manifest::AuditCheckpoint { records: 7, sha256: "ab".repeat(32) }),
    })
}

/// The four parts of an archive, to be changed and packed again.
#[derive(Clone)]
pub(crate) struct Parts(pub(crate) [Vec<u8>; 4]);

impl Parts {
    pub(crate) fn sample() -> Self {
        Self(unpack(&exported(&state()).bytes, &ArchiveLimits::default()).unwrap())
    }

    fn index(name: &str) -> usize {
        ENTRIES.iter().position(|entry| *entry == name).unwrap()
    }

    /// Replaces a text in a part, which must be there.
    pub(crate) fn replace(mut self, name: &str, from: &str, to: &str) -> Self {
        let part = &mut self.0[Self::index(name)];
        let text = String::from_utf8(part.clone()).unwrap();
        assert!(text.contains(from), "{name} has no {from}: {text}");
        *part = text.replacen(from, to, 1).into_bytes();
        self
    }

    /// Changes a JSON part.
    pub(crate) fn edit(mut self, name: &str, edit: impl FnOnce(&mut serde_json::Value)) -> Self {
        let part = &mut self.0[Self::index(name)];
        let mut value = serde_json::from_slice(part).unwrap();
        edit(&mut value);
        *part = serde_json::to_vec_pretty(&value).unwrap();
        self
    }

    pub(crate) fn set(mut self, name: &str, bytes: &[u8]) -> Self {
        self.0[Self::index(name)] = bytes.to_vec();
        self
    }

    /// Makes sums and signature right again, so that what is wrong lies deeper.
    pub(crate) fn seal(self) -> Self {
        let parts = self.0.clone();
        let sealed = self.edit("manifest.json", |manifest| {
            for file in manifest["files"].as_array_mut().unwrap() {
                let bytes = &parts[Self::index(file["name"].as_str().unwrap())];
                file["bytes"] = bytes.len().into();
                file["sha256"] = hex::encode(Sha256::digest(bytes)).into();
            }
        });
        sealed.sign()
    }

    /// Signs the manifest as it is.
    pub(crate) fn sign(self) -> Self {
        let signed = manifest::parse(&manifest::tree(&self.0[0]).unwrap().1).unwrap().1;
        let signature = sign::sign(&SEED, &signed).unwrap();
        self.edit("manifest.json", |manifest| {
            manifest["signature"] = serde_json::to_value(&signature).unwrap();
        })
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        write::pack_all([&self.0[0], &self.0[1], &self.0[2], &self.0[3]]).unwrap()
    }

    pub(crate) fn raw(&self) -> RawZip {
        let entries = ENTRIES.iter().zip(&self.0).map(|(name, bytes)| RawEntry::new(name, bytes)).collect();
        RawZip { entries, comment: Vec::new() }
    }
}
