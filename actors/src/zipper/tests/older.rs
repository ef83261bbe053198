//! Archives of DeltaGlider Proxy 1.x: what each becomes, and what the report says that it lacks.

use super::testkit::{Parts, unpack, verify};
use crate::domain::archive::manifest::ENTRIES;
use crate::domain::archive::{Archive, captured};
use crate::domain::config::model::{ArchiveLimits, BackendKind};
use crate::zipper::tests::raw::{RawEntry, RawZip};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ZIP: &[u8] = include_bytes!("../../../../tests/fixtures/dgp-1.x/backup-v1.zip");
const JSON_V2: &[u8] = include_bytes!("../../../../tests/fixtures/dgp-1.x/iam-legacy-v2.json");
const JSON_V1: &[u8] = include_bytes!("../../../../tests/fixtures/dgp-1.x/iam-legacy-v1.json");
const EXPECTED: &str = include_str!("../../../../tests/fixtures/dgp-1.x/expected.json");

fn verified(bytes: &[u8]) -> Archive {
    verify(bytes, &ArchiveLimits::default()).unwrap()
}

fn codes(archive: &Archive) -> Vec<&'static str> {
    archive.conversion.as_ref().unwrap().gaps.iter().map(|gap| gap.code).collect()
}

/// The archive of version 1 with its parts changed and its sums right.
fn changed(change: impl FnOnce(&mut [Value; 2], &mut String)) -> Vec<u8> {
    let [manifest, config, iam, secrets] = unpack(ZIP, &ArchiveLimits::default()).unwrap();
    let mut values = [iam, secrets].map(|part| serde_json::from_slice::<Value>(&part).unwrap());
    let mut config = String::from_utf8(config).unwrap();
    change(&mut values, &mut config);
    let parts = [config.into_bytes(), values[0].to_string().into_bytes(), values[1].to_string().into_bytes()];
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for (file, part) in manifest["files"].as_array_mut().unwrap().iter_mut().zip(&parts) {
        file["bytes"] = part.len().into();
        file["sha256"] = hex::encode(Sha256::digest(part)).into();
    }
    let all = [manifest.to_string().into_bytes()].into_iter().chain(parts);
    RawZip {
        entries: ENTRIES.iter().zip(all).map(|(name, part)| RawEntry::new(name, &part)).collect(),
        comment: Vec::new(),
    }
    .bytes()
}

fn iam(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    changed(|[iam, _], _| change(iam))
}

fn code(bytes: &[u8]) -> &'static str {
    verify(bytes, &ArchiveLimits::default()).err().and_then(|error| error.code()).unwrap_or("none")
}

#[test]
fn the_archive_of_1_19_becomes_what_is_written_beside_it() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let archive = verified(ZIP);
    let conversion = serde_json::to_value(&archive.conversion).unwrap();
    let mut expected_conversion = expected["backup-v1.zip"]["conversion"].clone();
    // A setting that this version has is taken over, and no gap.
    let known = |path: &str| crate::domain::config::table::key(path).is_some();
    let taken = [
        ("admission.blocks", known("admission.blocks[].action")),
        ("storage.buckets.releases.public_prefixes", known("storage.buckets.*.public_prefixes")),
        ("storage.buckets.releases.quota_bytes", known("storage.buckets.*.quota_bytes")),
    ];
    expected_conversion["gaps"]
        .as_array_mut()
        .unwrap()
        .retain(|gap| !taken.iter().any(|(place, known)| *known && gap["place"] == *place));
    assert_eq!(conversion, expected_conversion, "{conversion:#}");
    let state = captured::state(&archive);
    let names: Vec<&str> = state.users.values().map(|user| user.name.as_str()).collect();
    assert_eq!(json!(names), expected["backup-v1.zip"]["users"]);
    assert!(state.users.values().all(|user| user.keys.len() == 1 && user.keys[0].secret.expose().len() == 40));
    assert!(!state.users["5"].enabled);
    assert_eq!(state.users["4"].group_ids.len(), 2);
    assert_eq!(state.providers["1"].client_secret.as_ref().unwrap().expose(), "GOCSPX-dummy");
    assert_eq!(state.mapping_rules.len(), 3);
    let buckets: Vec<&str> = state.buckets.keys().map(|name| name.as_str()).collect();
    assert_eq!(json!(buckets), expected["backup-v1.zip"]["buckets"]);
    let storage = &archive.config.loaded.config.storage;
    let read_only: Vec<&str> =
        storage.backends.iter().filter(|(_, backend)| backend.read_only).map(|(name, _)| name.as_str()).collect();
    assert_eq!(read_only, ["vault"]);
    assert!(storage.backends.values().all(|backend| matches!(backend.kind, BackendKind::Filesystem { .. })));
    assert_eq!(storage.default_backend.as_str(), "local-disk");
    let kept = state.secrets["storage.backends.hetzner-fsn1.secret_access_key"].expose();
    assert_eq!(kept, "upstreamsecretupstreamsecretupstreamse");
    assert!(archive.secrets.bootstrap_password_hash.unwrap().expose().starts_with("$2b$04$"));
    assert_eq!(archive.signer, None);
}

#[test]
fn both_shapes_of_the_legacy_json_are_read() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    for (name, bytes) in [("iam-legacy-v2.json", JSON_V2), ("iam-legacy-v1.json", JSON_V1)] {
        let archive = verified(bytes);
        assert!(archive.is_legacy_json());
        let conversion = serde_json::to_value(&archive.conversion).unwrap();
        assert_eq!(conversion, expected[name]["conversion"], "{conversion:#}");
        let state = captured::state(&archive);
        assert_eq!(state.users.len(), 5);
        let groups: Vec<usize> = archive.iam.groups.iter().map(|group| group.member_ids.len()).collect();
        assert_eq!(groups.iter().sum::<usize>(), 3);
        assert_eq!(state.mapping_rules.len(), expected[name]["mapping_rules"].as_u64().unwrap() as usize);
        // An id is made of what it is the id of: the same again, and no number that something else here may have.
        assert_eq!(captured::state(&verified(bytes)).users, state.users);
        assert!(state.users.keys().all(|id| id.starts_with("v1-user-")));
    }
}

#[test]
fn a_missing_or_redacted_secret_is_a_gap_with_the_call_that_fills_it() {
    for secret in [Value::Null, json!(""), json!("__redacted__")] {
        let archive = verified(&iam(|iam| iam["users"][3]["secret_access_key"] = secret));
        assert!(archive.iam.users[3].keys.is_empty());
        let gap = archive.conversion.unwrap().gaps.into_iter().find(|gap| gap.code == "secret_missing").unwrap();
        assert_eq!(gap.call.as_deref(), Some("POST /_/api/admin/users/4/keys"));
    }
    let archive = verified(&changed(|[iam, secrets], _| {
        iam["auth_providers"][0]["client_secret"] = Value::Null;
        secrets["oauth_client_secrets"] = json!({});
        secrets["bootstrap_password_hash"] = Value::Null;
    }));
    assert_eq!(codes(&archive).iter().filter(|code| **code == "secret_missing").count(), 2);
    assert_eq!(archive.secrets.bootstrap_password_hash, None);
}

#[test]
fn a_rule_of_an_unknown_provider_comes_disabled_and_bound_to_it() {
    let archive = verified(&iam(|iam| iam["mapping_rules"][0]["provider_id"] = json!(42)));
    let rule = &archive.iam.mapping_rules[0];
    assert_eq!((rule.enabled, rule.provider_id.as_deref()), (false, Some("42")));
    assert!(codes(&archive).contains(&"rule_disabled"));
}

#[test]
fn what_has_a_name_twice_gets_a_number() {
    let archive = verified(&iam(|iam| {
        iam["users"][1]["name"] = json!("dana");
        iam["groups"][1]["name"] = json!("Engineering");
    }));
    let names: Vec<&str> = archive.iam.users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["ci-uploader", "dana", "backup-bot", "dana-2", "customer-x"]);
    assert_eq!(archive.iam.groups[1].name, "Engineering-2");
    assert_eq!(codes(&archive).iter().filter(|code| **code == "renamed").count(), 2);
}

#[test]
fn a_config_loses_only_what_this_version_cannot_take() {
    let archive = verified(&changed(|_, config| {
        *config = "advanced:\n  log_level: bogus-level\n  region: eu-1\n  cache_mb: 12\n  public_url: ${env:URL}\n\
                   backend:\n  type: s3\nstorage:\n  buckets:\n    b.c: {backend: gone}\n"
            .to_owned();
    }));
    let loaded = archive.config.loaded.config.clone();
    assert_eq!((loaded.advanced.region.as_deref(), loaded.advanced.log_level.as_str()), (Some("eu-1"), "info"));
    assert_eq!(loaded.advanced.public_url, None);
    for code in ["unfit", "unsupported", "reference_dropped", "bucket_dropped"] {
        assert!(codes(&archive).contains(&code), "{code}");
    }
}

#[test]
fn the_key_pair_of_the_config_comes_back_where_no_user_has_it() {
    let archive = verified(&iam(|iam| {
        iam["users"].as_array_mut().unwrap().remove(1);
    }));
    assert_eq!(archive.config.loaded.config.access.access_key_id.as_deref(), Some("AKIABOOT000000000001"));
    let state = captured::state(&archive);
    assert_eq!(state.secrets["access.secret_access_key"].expose(), "bootsecret".repeat(4));
}

#[test]
fn errors_of_version_1_stay_errors() {
    let manifest = |change: &dyn Fn(&mut Value)| {
        let [manifest, config, iam, secrets] = unpack(ZIP, &ArchiveLimits::default()).unwrap();
        let mut value: Value = serde_json::from_slice(&manifest).unwrap();
        change(&mut value);
        Parts([value.to_string().into_bytes(), config, iam, secrets]).pack()
    };
    let upper = manifest(&|m| {
        let hash = m["files"][0]["sha256"].as_str().unwrap().to_uppercase();
        m["files"][0]["sha256"] = hash.into();
    });
    assert_eq!(code(&upper), "manifest_hash_uppercase");
    assert_eq!(code(&manifest(&|m| drop(m.as_object_mut().unwrap().remove("files")))), "manifest_files_missing");
    assert_eq!(code(&manifest(&|m| drop(m["files"].as_array_mut().unwrap().pop()))), "manifest_part_unlisted");
    assert_eq!(code(&manifest(&|m| m["files"][1]["sha256"] = json!("0".repeat(64)))), "part_hash_mismatch");
    assert_eq!(code(&manifest(&|m| m["version"] = json!("1"))), "manifest_version");
    assert_eq!(code(&manifest(&|m| drop(m.as_object_mut().unwrap().remove("captured_at")))), "manifest_shape");
    assert_eq!(code(&iam(|i| i["users"][0]["permissions"][0]["actions"] = json!(["fly"]))), "permission_unknown");
    assert_eq!(code(&iam(|i| i["users"][0]["permissions"][0]["effect"] = json!("Maybe"))), "iam_shape");
    assert_eq!(code(&iam(|i| i["users"][0]["group_ids"] = json!([9]))), "dangling_group");
    assert_eq!(
        code(&iam(|i| i["users"][0]["access_key_id"] = i["users"][1]["access_key_id"].clone())),
        "duplicate_access_key"
    );
    assert_eq!(code(&changed(|_, config| *config = "storage: [".to_owned())), "config_syntax");
    assert_eq!(code(&changed(|[_, secrets], _| secrets["access"] = json!(5))), "secrets_shape");
    assert_eq!(code(b"{}"), "iam_shape");
    assert_eq!(code(b"{\"users\": []"), "json_syntax");
}
