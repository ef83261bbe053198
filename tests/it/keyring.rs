//! Keys of encryption at rest: given by reference, in every backup, and lost by nothing.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3};
use serde_json::Value;
use std::collections::BTreeMap;

const ROTATED: &str = "\
storage:
  backends:
    - name: main
      type: filesystem
      path: ./data/main
      encryption: {keys: {k1: {env: K1}, k2: {file: secrets/k2}}, active: k2}
    - {name: spare, type: filesystem, path: ./data/spare, encryption: {keys: {k3: {env: K3}}}}
  default_backend: main
advanced: {secret_roots: [./secrets]}
";

const FIRST: &str = "\
storage:
  backends:
    - {name: main, type: filesystem, path: ./data/main, encryption: {keys: {k1: {env: K1}}}}
";

fn digits(digit: &str) -> String {
    digit.repeat(64)
}

fn restore(host: &Host, query: &str, archive: &[u8]) -> Reply {
    host.admin(Request::new("POST", &format!("/_/api/admin/backup{query}")).body(archive))
}

/// Every key with its bytes.
fn keyring(host: &Host) -> BTreeMap<String, Value> {
    let keys = host.exported().json("secrets.json")["encryption_keys"].clone();
    keys.as_object().expect("keys by their ids").clone().into_iter().collect()
}

/// A host with a key, its archive, and the keys that came since: one by a file that took its place, one of another backend.
fn rotated() -> (Host, Vec<u8>) {
    let mut host = Host::prepare().config(FIRST).env("K1", &digits("1")).env("K3", &digits("3"));
    host.up();
    host.admin_user("ann").make_bucket("builds");
    let archive = host.backup();
    host.stop();
    std::fs::create_dir(host.path("secrets")).unwrap();
    std::fs::write(host.path("secrets/k2"), digits("2") + "\n").unwrap();
    let mut host = host.config(ROTATED);
    host.up();
    (host, archive)
}

#[test]
fn no_restore_undo_declaration_or_config_loses_or_replaces_a_key() {
    let (mut host, archive) = rotated();
    let all = keyring(&host);
    for (id, digit) in [("k1", "1"), ("k2", "2"), ("k3", "3")] {
        assert_eq!(all[id], digits(digit), "{id}");
    }
    let undo = Request::new("POST", "/_/api/admin/backup/undo?discard_later_changes=true");
    for mode in ["full", "preserve-bootstrap", "iam-only", "config-only"] {
        for strategy in ["replace", "merge"] {
            let what = format!("mode={mode}&strategy={strategy}");
            let outcome = restore(&host, &format!("?{what}"), &archive).expect(200).json();
            assert_eq!(keyring(&host), all, "{what}");
            if strategy == "replace" && mode != "iam-only" {
                // What was rotated to since the capture stays active, and the backend that went leaves its key.
                let file = std::fs::read_to_string(host.path("config.yaml")).unwrap();
                assert!(file.contains("active: k2") && !file.contains("spare"), "{what}: {file}");
                assert_eq!(outcome["keys"]["retired"], serde_json::json!(["k3"]), "{what}: {outcome}");
            }
            host.restart();
            assert_eq!(keyring(&host), all, "{what}, after a restart");
            host.admin(undo.clone()).expect(200);
            assert_eq!(keyring(&host), all, "{what}, undone");
        }
    }
    let document = "access:\n  iam_mode: gui\n  iam_users:\n    - {name: ci, access_key_id: AKCI, secret_access_key: a-secret-of-ci}\n";
    let apply = Request::new("POST", "/_/api/admin/config/declarative-iam-apply");
    host.admin(apply.json(&serde_json::json!({ "yaml": document }))).expect(200);
    assert_eq!(keyring(&host), all, "declared");
    // Backend and key go from the file, and their variable from the host.
    host.stop();
    let mut host = host.config(FIRST);
    host.set_env("K1", "");
    host.set_env("K3", "");
    host.up();
    assert_eq!(keyring(&host), all, "removed from the file");
    restore(&host, "", &archive).expect(200);
    host.restart();
    assert_eq!(keyring(&host), all, "restored without any variable");
}

#[test]
fn a_key_that_nobody_has_is_named_and_its_backend_is_read_only_where_that_is_wanted() {
    let (host, _) = rotated();
    // As if a key had never been in the archive: the target must do without it.
    let mut archive = host.exported();
    archive.edit("secrets.json", |secrets| {
        secrets["encryption_keys"].as_object_mut().unwrap().remove("k1");
        secrets["resolved"].as_object_mut().unwrap().remove("env:K1");
    });
    archive.edit("manifest.json", |manifest| {
        let keys = manifest["encryption_keys"].as_array_mut().unwrap();
        keys.iter_mut().find(|key| key["id"] == "k1").unwrap()["included"] = false.into();
    });
    let archive = archive.reseal().zip();
    let mut target = Host::start();
    let before = target.exported().state();
    let refused = restore(&target, "", &archive).expect(409).json();
    assert_eq!(refused["code"], "missing_keys");
    assert!(refused["detail"].as_str().unwrap().contains("k1"), "{refused}");
    assert_eq!(target.exported().state(), before);
    let outcome = restore(&target, "?allow_missing_keys=true", &archive).expect(200).json();
    assert!(outcome["warnings"].to_string().contains("k1"), "{outcome}");
    let ann = target.admin_user("writer");
    for started in ["now", "after a restart"] {
        let ann = S3 { addr: target.addr(), ..ann.clone() };
        let refused = ann.put("builds", "k", "v");
        assert_eq!(refused.status, 403, "{started}: {}", refused.text());
        assert!(refused.text().contains("encryption keys k1 are missing"), "{started}: {}", refused.text());
        ann.send(Request::new("POST", "/builds/k?uploads")).expect(403);
        ann.get("builds", "k").expect(404);
        target.restart();
    }
    // Whoever finds the key gives it, and the backend takes writes again.
    target.stop();
    target.set_env("K1", &digits("1"));
    target.up();
    S3 { addr: target.addr(), ..ann }.put("builds", "k", "v").expect(200);
    // Another key under a known id is never taken: neither by a start nor by a restore.
    target.stop();
    target.set_env("K1", &digits("9"));
    let ended = target.try_up().expect_err("another key under the same id");
    assert!(ended.log.contains("`k1`"), "{}", ended.log);
    let mut other = Host::prepare().env("K1", &digits("9"));
    other.up();
    assert_eq!(restore(&other, "", &archive).expect(409).json()["code"], "key_conflict");
}

#[test]
fn a_backend_that_is_to_encrypt_stores_no_plaintext() {
    let config = |encryption| {
        format!(
            "storage: {{backends: [{{name: main, type: filesystem, path: ./data, encryption: {{{encryption}}}}}]}}\n"
        )
    };
    let mut host = Host::prepare().config(&config("keys: {k1: {env: K1}}")).env("K1", &digits("a"));
    host.up();
    let ann = host.admin_user("ann");
    ann.make_bucket("secret");
    host.stop();
    let mut host = host.config(&config("mode: aes256-gcm-proxy, keys: {k1: {env: K1}}"));
    host.up();
    let ann = S3 { addr: host.addr(), ..ann };
    ann.send(Request::new("PUT", "/another")).expect(501);
    let refused = ann.put("secret", "k", "plaintext");
    assert_eq!(refused.status, 501, "{}", refused.text());
    ann.send(Request::new("POST", "/secret/k?uploads")).expect(501);
    ann.get("secret", "k").expect(404);
    assert!(!std::fs::read_dir(host.path("data/secret")).unwrap().flatten().any(|entry| entry.path().is_file()));
    assert_eq!(keyring(&host)["k1"], digits("a"));
    let health = Request::new("GET", "/_/health").send(host.addr()).text();
    assert!(health.contains("takes no writes and stores no plaintext"), "{health}");
}
