//! Bad archives: each row of the table is one way of being bad and the one code that it gets.

use super::raw::*;
use super::testkit::*;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::config::model::ArchiveLimits;
use crate::domain::state::State;
use crate::{Error, ErrorKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

const MANIFEST: &str = "manifest.json";
const CONFIG_YAML: &str = "config.yaml";
const IAM: &str = "iam.json";
const SECRETS: &str = "secrets.json";

fn refused(bytes: &[u8], limits: &ArchiveLimits) -> Error {
    verify(bytes, limits).err().unwrap_or_else(|| panic!("it was accepted"))
}

fn named(entry: &str) -> Vec<u8> {
    Parts::sample().raw().with(3, |e| e.name = entry.into()).bytes()
}

fn raw(index: usize, edit: impl FnOnce(&mut RawEntry)) -> Vec<u8> {
    Parts::sample().raw().with(index, edit).bytes()
}

fn head(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    Parts::sample().edit(MANIFEST, edit).pack()
}

fn iam(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    Parts::sample().edit(IAM, edit).seal().pack()
}

fn secrets(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    Parts::sample().edit(SECRETS, edit).seal().pack()
}

fn part(name: &str, from: &str, to: &str) -> Vec<u8> {
    Parts::sample().replace(name, from, to).seal().pack()
}

fn whole(name: &str, bytes: &[u8]) -> Vec<u8> {
    Parts::sample().set(name, bytes).seal().pack()
}

fn tail(edit: impl FnOnce(&mut Vec<u8>, usize)) -> Vec<u8> {
    let mut bytes = Parts::sample().pack();
    let end = bytes.len() - 22;
    edit(&mut bytes, end);
    bytes
}

/// A zip64 end record and locator that say what they like.
fn with_zip64_end(lie: u64) -> Vec<u8> {
    let bytes = Parts::sample().pack();
    let (body, end) = bytes.split_at(bytes.len() - 22);
    let number = |at: usize| u64::from(u32::from_le_bytes(end[at..at + 4].try_into().unwrap()));
    let mut record = b"PK\x06\x06".to_vec();
    record.extend(44u64.to_le_bytes());
    record.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for value in [4, 4, number(12), number(16) + lie] {
        record.extend(value.to_le_bytes());
    }
    let mut locator = b"PK\x06\x07\0\0\0\0".to_vec();
    locator.extend((body.len() as u64).to_le_bytes());
    locator.extend(1u32.to_le_bytes());
    let mut end = end.to_vec();
    end[16..20].fill(0xff);
    [body, &record, &locator, &end].concat()
}

fn rows() -> Vec<(&'static str, Vec<u8>)> {
    let sample = Parts::sample().pack();
    let permission = |action: &str| json!([{"id": "9", "effect": "Allow", "actions": [action], "resources": ["*"]}]);
    vec![
        ("not_a_zip", b"hello".to_vec()),
        ("not_a_zip", Vec::new()),
        ("not_a_zip", b"PK".to_vec()),
        ("iam_shape", b" {\"version\":1}".to_vec()),
        ("archive_encrypted", b"age-encryption.org/v1\n".to_vec()),
        ("archive_truncated", sample[..sample.len() - 1].to_vec()),
        ("archive_truncated", sample[..sample.len() / 2].to_vec()),
        ("trailing_data", [&sample[..], b"x"].concat()),
        ("trailing_data", {
            let mut raw = Parts::sample().raw().bytes();
            let at = raw.len() - 6;
            let offset = u32::from_le_bytes(raw[at..at + 4].try_into().unwrap());
            raw.insert(usize::try_from(offset).unwrap(), 0);
            raw[at + 1..at + 5].copy_from_slice(&(offset + 1).to_le_bytes());
            raw
        }),
        ("several_disks", tail(|bytes, end| bytes[end + 4] = 1)),
        ("several_disks", tail(|bytes, end| bytes[end + 8] = 3)),
        ("directory_damaged", tail(|bytes, end| bytes[end + 16] ^= 1)),
        ("directory_damaged", tail(|bytes, end| (bytes[end + 8], bytes[end + 10]) = (3, 3))),
        ("zip64_lie", tail(|bytes, end| bytes[end + 16..end + 20].fill(0xff))),
        ("zip64_lie", with_zip64_end(1)),
        ("zip64_lie", raw(1, |e| (e.zip64, e.packed) = (true, Some(1 << 40)))),
        ("zip64_lie", raw(1, |e| (e.zip64, e.size) = (true, Some(7)))),
        ("entry_too_large", raw(1, |e| (e.zip64, e.size) = (true, Some(u64::MAX)))),
        ("header_mismatch", raw(1, |e| e.local_name = Some(b"config.yamL".to_vec()))),
        ("entries_overlap", raw(3, |e| e.packed = Some(9_000_000))),
        ("entry_encrypted", raw(1, |e| e.flags = 1)),
        ("entry_encrypted", raw(1, |e| e.method = 99)),
        ("compression_unknown", raw(1, |e| e.method = 12)),
        ("entry_corrupt", raw(1, |e| e.crc ^= 1)),
        ("entry_corrupt", raw(1, |e| e.method = 8)),
        ("name_nul", named("secrets.json\0")),
        ("name_not_utf8", raw(3, |e| e.name = b"secrets\xff.json".to_vec())),
        ("name_backslash", named("a\\secrets.json")),
        ("name_backslash", named("..\\secrets.json")),
        ("name_absolute", named("/secrets.json")),
        ("name_drive", named("C:secrets.json")),
        ("name_drive", named("c:\\secrets.json")),
        ("name_traversal", named("../secrets.json")),
        ("name_traversal", named("a/../secrets.json")),
        ("name_traversal", named("..")),
        ("entry_in_folder", named("backup/secrets.json")),
        ("entry_in_folder", named("./secrets.json")),
        ("entry_symlink", raw(3, |e| e.mode = 0o120_777 << 16)),
        ("entry_not_a_file", raw(3, |e| e.mode = 0o040_755 << 16)),
        ("entry_not_a_file", named("secrets.json/")),
        ("entry_duplicate", Parts::sample().raw().push(RawEntry::new(IAM, b"{}")).bytes()),
        ("entry_duplicate", raw(3, |e| e.name = IAM.into())),
        ("entry_renamed", named("Secrets.json")),
        ("entry_renamed", named("")),
        ("entry_unexpected", Parts::sample().raw().push(RawEntry::new("notes.txt", b"hi")).bytes()),
        ("entry_missing", {
            let mut raw = Parts::sample().raw();
            raw.entries.remove(2);
            raw.bytes()
        }),
        ("entry_missing", RawZip { entries: Vec::new(), comment: Vec::new() }.bytes()),
        ("not_utf8", whole(IAM, b"{\"\xff\": 1}")),
        ("not_utf8", whole(CONFIG_YAML, b"a: \xff")),
        ("not_utf8", Parts::sample().set(MANIFEST, b"\xff").pack()),
        ("json_syntax", Parts::sample().set(MANIFEST, b"").pack()),
        ("json_syntax", whole(IAM, b"{\"users\": [}")),
        ("json_duplicate_key", part(IAM, "\"users\":", "\"users\": [],\n\"users\":")),
        ("json_duplicate_key", part(SECRETS, "\"AKIAALICE1\":", "\"AKIAALICE1\": \"x\",\"AKIAALICE1\":")),
        (
            "json_too_deep",
            whole(IAM, format!("{{\"auth_providers\":[{{\"extra_config\":{}", "[".repeat(100_000)).as_bytes()),
        ),
        ("manifest_shape", Parts::sample().set(MANIFEST, b"[]").pack()),
        ("manifest_shape", head(|m| m["counts"]["users"] = json!("2"))),
        ("manifest_shape", head(|m| m["surplus"] = json!(1))),
        ("manifest_shape", head(|m| m["captured_at"] = json!("yesterday"))),
        ("manifest_version", head(|m| m["version"] = json!(3))),
        ("manifest_version", head(|m| m["version"] = json!("2"))),
        ("iam_shape", head(|m| m["version"] = json!(1))),
        ("manifest_files_missing", head(|m| drop(m.as_object_mut().unwrap().remove("files")))),
        ("manifest_files_missing", head(|m| m["files"] = json!([]))),
        ("manifest_hash_missing", head(|m| drop(m["files"][0].as_object_mut().unwrap().remove("sha256")))),
        (
            "manifest_hash_uppercase",
            head(|m| {
                m["files"][0]["sha256"] = m["files"][0]["sha256"].as_str().unwrap().to_uppercase().into();
            }),
        ),
        ("manifest_hash_malformed", head(|m| m["files"][0]["sha256"] = json!("abc"))),
        ("manifest_part_unlisted", head(|m| drop(m["files"].as_array_mut().unwrap().remove(1)))),
        ("manifest_part_unknown", head(|m| m["files"][0]["name"] = json!("other.yaml"))),
        ("manifest_part_duplicate", head(|m| m["files"][0]["name"] = json!(IAM))),
        ("part_size_mismatch", Parts::sample().replace(IAM, "alice", "alicia").pack()),
        ("part_hash_mismatch", Parts::sample().replace(IAM, "alice", "alicf").pack()),
        ("schema_unknown", head(|m| m["schema"]["iam"] = json!(3))),
        ("signature_missing", head(|m| drop(m.as_object_mut().unwrap().remove("signature")))),
        ("signature_malformed", head(|m| m["signature"]["key"] = json!("AAAA"))),
        ("signature_malformed", head(|m| m["signature"] = json!({"alg": "ed25519"}))),
        (
            "signature_malformed",
            head(|m| {
                let padded = m["signature"]["value"].as_str().unwrap().to_owned();
                m["signature"]["value"] = padded.trim_end_matches('=').into();
            }),
        ),
        ("signature_algorithm", head(|m| m["signature"]["alg"] = json!("rsa"))),
        ("signature_invalid", head(|m| m["epoch"] = json!(5))),
        ("config_syntax", whole(CONFIG_YAML, b"a: [1,\n")),
        ("config_duplicate_key", part(CONFIG_YAML, "storage:", "backup: {}\nstorage:")),
        ("config_shape", part(CONFIG_YAML, "storage:", "storge: {}\nstorage:")),
        ("config_shape", whole(CONFIG_YAML, b"access: 5\n")),
        ("dangling_backend", part(CONFIG_YAML, "default_backend: hot", "default_backend: gone")),
        ("iam_shape", iam(|i| i["users"][0]["enabled"] = json!("yes"))),
        ("iam_shape", iam(|i| i["users"][0]["id"] = json!(7))),
        ("iam_shape", iam(|i| i["users"][0]["secret_access_key"] = json!("x"))),
        ("iam_shape", iam(|i| i["groups"] = json!({}))),
        ("iam_shape", iam(|i| i["users"][0]["access_key_id"] = json!("AKIAOTHER"))),
        ("iam_shape", iam(|i| i["tokens"][0]["sha256"] = json!("short"))),
        ("secrets_shape", secrets(|s| s["user_secrets"] = json!([]))),
        ("secrets_shape", secrets(|s| s["resolved"]["HOME"] = json!("/"))),
        ("counts_mismatch", Parts::sample().edit(MANIFEST, |m| m["counts"]["tokens"] = json!(9)).seal().pack()),
        ("id_invalid", iam(|i| i["users"][0]["name"] = json!("$root"))),
        ("id_invalid", iam(|i| i["tokens"][0]["id"] = json!(""))),
        ("permission_unknown", iam(|i| i["users"][0]["permissions"] = permission("reed"))),
        ("permission_unknown", iam(|i| i["groups"][0]["permissions"] = permission("s3:NoSuchThing"))),
        ("duplicate_id", iam(|i| i["users"][1]["id"] = json!("u1"))),
        (
            "duplicate_id",
            iam(|i| {
                let rule = i["mapping_rules"][0].clone();
                i["mapping_rules"].as_array_mut().unwrap().push(rule);
            }),
        ),
        ("duplicate_name", iam(|i| i["users"][1]["name"] = json!("alice"))),
        ("duplicate_access_key", iam(|i| i["users"][1]["keys"][1]["access_key_id"] = json!("AKIAALICE1"))),
        ("dangling_group", iam(|i| i["users"][1]["group_ids"] = json!(["g9"]))),
        ("dangling_group", iam(|i| i["mapping_rules"][0]["group_id"] = json!("g9"))),
        ("dangling_user", iam(|i| i["groups"][0]["member_ids"] = json!(["u9"]))),
        ("dangling_user", iam(|i| i["external_identities"][0]["user_id"] = json!("u9"))),
        ("dangling_provider", iam(|i| i["mapping_rules"][0]["provider_id"] = json!("p9"))),
        ("dangling_provider", iam(|i| i["external_identities"][0]["provider_id"] = json!("p9"))),
        ("membership_mismatch", iam(|i| i["groups"][0]["member_ids"] = json!([]))),
        ("secret_missing", secrets(|s| drop(s["user_secrets"].as_object_mut().unwrap().remove("AKIABOB2")))),
        ("secret_orphan", secrets(|s| s["user_secrets"]["AKIANOBODY"] = json!("x"))),
        ("secret_orphan", secrets(|s| s["oauth_client_secrets"]["nobody"] = json!("x"))),
        ("key_malformed", secrets(|s| s["encryption_keys"]["k1"] = json!("zz"))),
        ("key_missing", secrets(|s| drop(s["encryption_keys"].as_object_mut().unwrap().remove("k1")))),
        ("key_unlisted", secrets(|s| s["encryption_keys"]["k9"] = json!("1".repeat(64)))),
        ("key_fingerprint_mismatch", secrets(|s| s["encryption_keys"]["k1"] = json!("3".repeat(64)))),
        ("key_active_twice", head(|m| m["encryption_keys"][0]["active"] = json!(true))),
    ]
}

#[test]
fn every_bad_archive_has_the_code_of_its_fault() {
    let mut wrong = Vec::new();
    for (index, (code, bytes)) in rows().into_iter().enumerate() {
        match verify(&bytes, &ArchiveLimits::default()) {
            Ok(_) => wrong.push(format!("row {index}: {code}, but it was accepted")),
            Err(e) if e.code() != Some(code) => wrong.push(format!("row {index}: {code}, but {:?}: {e}", e.code())),
            Err(e) => assert!(e.hint().is_some(), "{code}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bombs_and_giants_meet_the_limits_by_name() {
    let bytes = Parts::sample().pack();
    let limits = ArchiveLimits::default();
    let cases = [
        ("archive_too_large", ArchiveLimits { body: 100, ..limits }, bytes.clone()),
        ("entry_too_large", ArchiveLimits { entry: 100, ..limits }, bytes.clone()),
        ("total_too_large", ArchiveLimits { total: 2000, ..limits }, bytes.clone()),
        ("too_many_entries", ArchiveLimits { entries: 3, ..limits }, bytes),
        ("ratio_too_high", limits, Parts::sample().set(IAM, &vec![b' '; 20 << 20]).pack()),
    ];
    for (code, limits, bytes) in cases {
        let error = refused(&bytes, &limits);
        assert_eq!((error.code(), error.kind()), (Some(code), ErrorKind::TooLarge));
        assert!(error.message().contains("`backup.limits."), "{}", error.message());
    }
    // A small entry may pack as well as it likes.
    let text = refused(&Parts::sample().set(IAM, &vec![b' '; 10 << 20]).pack(), &limits);
    assert_eq!(text.code(), Some("part_size_mismatch"));
}

#[test]
fn every_fault_has_a_row() {
    let mut covered: BTreeSet<&str> = rows().into_iter().map(|(code, _)| code).collect();
    covered.extend(["archive_too_large", "entry_too_large", "total_too_large", "too_many_entries", "ratio_too_high"]);
    // The tests of `envelope` have these.
    covered.extend(["envelope_key", "envelope_work", "envelope_damaged"]);
    // Our own reader refuses all that the other is known to read differently, so this one stands guard without a case.
    covered.insert("readers_disagree");
    let missing: Vec<&str> = ArchiveFault::all().map(|f| f.code()).filter(|code| !covered.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_fault_is_documented() {
    let page = include_str!("../../../../web/docs/backup-format.md");
    let missing: Vec<&str> =
        ArchiveFault::all().map(|f| f.code()).filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_flipped_byte_is_refused_or_means_nothing() {
    let mut small = State::default();
    small.users.insert("u2".into(), Arc::new(user("u2", "bob", &[])));
    let bytes = exported(&small).bytes;
    let limits = ArchiveLimits::default();
    let parts = unpack(&bytes, &limits).unwrap();
    let mut harmless = 0;
    for at in 0..bytes.len() {
        for mask in [1 << (at % 8), 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            if verify(&flipped, &limits).is_ok() {
                assert_eq!(unpack(&flipped, &limits).unwrap(), parts, "byte {at}");
                harmless += 1;
            }
        }
    }
    // Time stamps, versions and attributes of four entries, in two headers each.
    assert!(harmless < 200, "{harmless}");
}

#[test]
fn an_error_names_the_place_and_never_a_secret() {
    let error = refused(&iam(|i| i["users"][1]["keys"][0]["active"] = json!(5)), &ArchiveLimits::default());
    assert!(error.message().contains("users[1].keys[0].active"), "{}", error.message());
    assert!(error.message().contains("line "), "{}", error.message());
    let error = refused(&secrets(|s| s["encryption_keys"] = json!("hush-hush")), &ArchiveLimits::default());
    assert!(!error.message().contains("hush-hush"), "{}", error.message());
    let error = refused(&secrets(|s| s["encryption_keys"]["k1"] = json!("hush-hush")), &ArchiveLimits::default());
    assert!(!error.message().contains("hush-hush"), "{}", error.message());
}
