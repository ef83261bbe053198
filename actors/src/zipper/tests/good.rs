//! Good archives: deterministic, complete, and read from any zip tool.

use super::testkit::*;
use crate::domain::archive::{Archive, captured};
use crate::domain::config::model::{ArchiveLimits, SecretRef};
use crate::domain::state::State;
use crate::zipper::sign;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn verified(bytes: &[u8]) -> Archive {
    verify(bytes, &ArchiveLimits::default()).unwrap()
}

fn without_local(state: State) -> State {
    let mut state = state;
    state.meta.auth_epoch = 0;
    state
}

#[test]
fn a_state_comes_out_of_an_archive_as_it_went_in() {
    let archive = verified(&exported(&state()).bytes);
    assert_eq!(captured::state(&archive), without_local(state()));
    assert_eq!(archive.config.loaded.config, config().config);
    assert_eq!(archive.signer, Some(sign::public_key(&SEED).unwrap()));
}

#[test]
fn an_empty_state_is_a_good_archive_too() {
    let archive = verified(&exported(&State::default()).bytes);
    assert_eq!(captured::state(&archive).users.len(), 0);
}

#[test]
fn two_exports_of_an_unchanged_system_are_equal() {
    let (one, two) = (exported(&state()), exported(&state()));
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(one.sha256, two.sha256);
    assert_eq!(one.filename, "dgp-backup-v0.1.0-20261122T090000Z.zip");
    let later = State { meta: crate::domain::state::Meta { generation: 18, ..state().meta }, ..state() };
    let limits = ArchiveLimits::default();
    let (old, new) = (unpack(&one.bytes, &limits).unwrap(), unpack(&exported(&later).bytes, &limits).unwrap());
    assert_ne!(old[0], new[0]);
    assert_eq!(old[1..], new[1..]);
}

#[test]
fn no_secret_is_outside_of_secrets_json() {
    let parts = Parts::sample();
    let secrets = ["secret-of-", "stored-secret", "$argon2id", &"1".repeat(64), &"2".repeat(64)];
    for (index, part) in parts.0.iter().enumerate() {
        let text = String::from_utf8(part.clone()).unwrap();
        for secret in secrets {
            assert_eq!(text.contains(secret), index == 3, "{secret} in part {index}");
        }
    }
}

#[test]
fn no_debug_output_shows_a_secret() {
    let text = CONFIG.replace("{ env: CONFIG_SECRET }", "secret-of-config-in-the-file");
    let loaded = crate::domain::config::load::load(&text, &environment()).unwrap();
    let archive = verified(&exported_with(&state(), &loaded).bytes);
    let shown = [
        format!("{:?}", state()),
        format!("{loaded:?}"),
        format!("{archive:?}"),
        format!("{:?}", prepared(&state())),
        format!("{:?}", crate::zipper::Source::from(exported(&state()).bytes)),
        format!("{:?}", super::plan::Setup::fresh().good()),
        format!("{:?}", crate::domain::archive::parts::IamOf(&state())),
    ];
    for (index, text) in shown.iter().enumerate() {
        for secret in ["secret-of-", "stored-secret", "$argon2id", &"1".repeat(64), &"2".repeat(64)] {
            let at = text.find(secret);
            let around = at.map(|at| &text[at.saturating_sub(80)..at]);
            assert_eq!(around, None, "{secret} in {index}");
        }
    }
}

#[test]
fn the_config_says_where_each_bucket_belongs() {
    let text = String::from_utf8(Parts::sample().0[1].clone()).unwrap();
    assert!(text.contains("origin: registry"), "{text}");
    assert!(text.contains("path: ${env:HOT_DIR}") || text.contains("path: \"${env:HOT_DIR}\""), "{text}");
    let archive = verified(&exported(&state()).bytes);
    assert_eq!(archive.config.loaded.config.storage.buckets.len(), 2);
    assert_eq!(archive.config.registry.len(), 3);
}

#[test]
fn a_secret_that_the_file_wrote_out_comes_back_as_a_reference() {
    let text = CONFIG.replace("{ env: CONFIG_SECRET }", "written-out-in-the-file");
    let loaded = crate::domain::config::load::load(&text, &environment()).unwrap();
    let exported = exported_with(&state(), &loaded);
    let parts = unpack(&exported.bytes, &ArchiveLimits::default()).unwrap();
    assert!(!String::from_utf8(parts[1].clone()).unwrap().contains("written-out"));
    let archive = verified(&exported.bytes);
    let reference = archive.config.loaded.config.access.secret_access_key;
    assert_eq!(reference, Some(SecretRef::Stored("access.secret_access_key".into())));
    let restored = captured::state(&verified(&exported.bytes));
    let secret = restored.secrets.get("access.secret_access_key").map(|s| s.expose().to_owned());
    assert_eq!(secret.as_deref(), Some("written-out-in-the-file"));
}

#[test]
fn the_headers_of_the_audit_webhook_are_in_the_keystore_and_come_back() {
    let webhook = "region: eu-central-1\n  audit:\n    webhook:\n      url: https://siem.example.com/x\n      headers:\n        \
                   - { name: X-Key, value: written-out-header }\n        - { name: X-Other, value: { env: CONFIG_SECRET } }\n";
    let text = CONFIG.replace("region: eu-central-1\n", webhook);
    let loaded = crate::domain::config::load::load(&text, &environment()).unwrap();
    let exported = exported_with(&state(), &loaded);
    let parts = unpack(&exported.bytes, &ArchiveLimits::default()).unwrap();
    let text = |at: usize| String::from_utf8(parts[at].clone()).unwrap();
    assert!(!text(1).contains("written-out") && text(3).contains("written-out-header"), "{}", text(1));
    let archive = verified(&exported.bytes);
    let webhook = archive.config.loaded.config.advanced.audit.webhook.clone().unwrap();
    let path = "advanced.audit.webhook.headers.X-Key.value";
    assert_eq!(webhook.headers["X-Key"], Some(SecretRef::Stored(path.into())));
    assert_eq!(webhook.headers["X-Other"], Some(SecretRef::Env("CONFIG_SECRET".into())));
    assert_eq!(captured::state(&archive).secrets.get(path).map(|s| s.expose()), Some("written-out-header"));
}

#[test]
fn an_archive_packed_again_by_another_tool_is_accepted() {
    let parts = Parts::sample();
    let same = |bytes: &[u8]| assert_eq!(unpack(bytes, &ArchiveLimits::default()).unwrap(), parts.0);
    // Stored, another order, other time stamps, with zip64 fields and as a stream with data descriptors.
    let mut raw = parts.raw();
    raw.entries.reverse();
    raw.comment = b"made elsewhere".to_vec();
    same(&raw.bytes());
    let names = crate::domain::archive::manifest::ENTRIES;
    let options = SimpleFileOptions::default().large_file(true).unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut stream = ZipWriter::new_stream(Vec::new());
    for (name, bytes) in names.iter().zip(&parts.0) {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
        stream.start_file(*name, SimpleFileOptions::default()).unwrap();
        stream.write_all(bytes).unwrap();
    }
    same(&writer.finish().unwrap().into_inner());
    same(&stream.finish().unwrap().into_inner());
    same(&raw.with(0, |e| e.descriptor = true).with(1, |e| e.zip64 = true).bytes());
}

#[test]
fn pythons_zipfile_reads_ours_and_writes_one_that_we_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("a.zip"), exported(&state()).bytes).unwrap();
    let script = "import sys, zipfile as z\na = z.ZipFile(sys.argv[1])\nassert a.testzip() is None\n\
        b = z.ZipFile(sys.argv[2], 'w', z.ZIP_DEFLATED)\n\
        [b.writestr(n, a.read(n)) for n in reversed(a.namelist())]\nb.close()";
    let run = std::process::Command::new("python3").args(["-c", script]).args([path("a.zip"), path("b.zip")]).status();
    let Ok(status) = run else { return };
    assert!(status.success());
    let again = std::fs::read(path("b.zip")).unwrap();
    assert_eq!(captured::state(&verified(&again)), without_local(state()));
}
