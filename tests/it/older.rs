//! Archives of DeltaGlider Proxy 1.x against a running host: old passwords and S3 keys are in force, and what is lacking is told.

use crate::support::client::Request;
use crate::support::server::{Host, S3, restore_request};
use crate::support::signer::Signer;
use serde_json::{Value, json};

const ZIP: &[u8] = include_bytes!("../fixtures/dgp-1.x/backup-v1.zip");
const JSON: [&[u8]; 2] = [
    include_bytes!("../fixtures/dgp-1.x/iam-legacy-v1.json"),
    include_bytes!("../fixtures/dgp-1.x/iam-legacy-v2.json"),
];
const USERS: &str = include_str!("../fixtures/dgp-1.x/users.json");

/// A client that signs as a user of the old instance.
fn old_user(host: &Host, name: &str) -> S3 {
    let users: Value = serde_json::from_str(USERS).unwrap();
    let text = |field: &str| users[name][field].as_str().unwrap().to_owned();
    S3 { addr: host.addr(), signer: Signer::new(&text("access_key_id"), &text("secret_access_key")) }
}

fn gap<'a>(reply: &'a Value, code: &str) -> &'a Value {
    let gaps = reply["conversion"]["gaps"].as_array().unwrap_or_else(|| panic!("no gaps: {reply}"));
    gaps.iter().find(|gap| gap["code"] == code).unwrap_or_else(|| panic!("no {code}: {reply}"))
}

#[test]
fn an_archive_of_version_1_is_restored_with_its_report() {
    let mut host = Host::start();
    let verified = host.admin(Request::new("POST", "/_/api/admin/backup/verify").body(ZIP)).expect(200).json();
    assert_eq!((verified["valid"].as_bool(), &verified["signer"]), (Some(true), &Value::Null));
    assert_eq!(verified["conversion"]["from"], "version-1");
    let reply = host.restore(ZIP).expect(200).json();
    assert_eq!(reply["users_created"], 5);
    assert_eq!(reply["signer"], Value::Null);
    assert_eq!(gap(&reply, "key_missing")["place"], "storage.backends[1].encryption");
    assert_eq!(reply["conversion"]["missing_keys"], json!([{"key_id": "k1", "backend": "vault"}]));
    host.set_password("testpass");
    host.login("testpass").expect(200);
    for round in 0..2 {
        let dana = old_user(&host, "dana");
        dana.put("releases", "firmware/a", "by dana").expect(200);
        let ci = old_user(&host, "ci-uploader");
        assert_eq!(ci.get("releases", "firmware/a").expect(200).text(), "by dana");
        ci.put("releases", "other/a", "x").expect(403);
        old_user(&host, "customer-x").get("releases", "firmware/a").expect(403);
        // The backend whose key is missing: empty here, and it takes no write.
        dana.get("vaulted", "a").expect(404);
        let refused = dana.put("vaulted", "a", "never plaintext").expect(403);
        assert!(refused.text().contains("read-only"), "{}", refused.text());
        // What it has become is in the file: the next start has it, too.
        if round == 0 {
            host.restart();
        }
    }
    let restores = host.admin(Request::new("GET", "/_/api/admin/backup/restores")).expect(200).json();
    assert_eq!(restores[0]["conversion"]["from"], "version-1");
    // What came from version 1 leaves as version 2, and comes back.
    let archive = host.exported();
    assert_eq!(archive.json("manifest.json")["version"], 2);
    assert_eq!(host.restore(&archive.zip()).expect(200).json()["conversion"], Value::Null);
}

#[test]
fn the_legacy_json_adds_what_is_missing_and_nothing_twice() {
    let host = Host::start();
    host.user("dana", json!([]));
    host.user("stays", json!([]));
    for (body, content_type) in [(JSON[1], "application/json"), (JSON[0], "application/zip"), (JSON[1], "text/plain")] {
        let request = Request { headers: vec![("Content-Type".into(), content_type.into())], ..restore_request(body) };
        let reply = host.admin(request).expect(200).json();
        let first = content_type == "application/json";
        assert_eq!(reply["users_created"], if first { 4 } else { 0 }, "{reply}");
        assert_eq!(reply["conversion"]["from"], "legacy-json");
        assert_eq!((&reply["mode"], &reply["strategy"]), (&json!("iam-only"), &json!("merge")));
    }
    let names = ["backup-bot", "ci-uploader", "customer-x", "dana", "legacy-admin", "stays"];
    assert_eq!(host.user_names(), names);
    old_user(&host, "backup-bot").make_bucket("vaulted");
    // The name was taken: that user and its key are this host's.
    let refused = old_user(&host, "dana").send(Request::new("GET", "/"));
    assert_eq!((refused.status, refused.s3_code().as_str()), (403, "InvalidAccessKeyId"));
    let config = Request::new("POST", "/_/api/admin/backup?mode=config-only").body(JSON[1]);
    host.admin(config).expect(400);
}

#[test]
fn the_legacy_json_goes_out_with_its_secrets_and_comes_in_again() {
    let host = Host::start();
    let user = host.admin_user("ci-uploader");
    let group = json!({"name": "builders", "permissions": []});
    host.admin(Request::new("POST", "/_/api/admin/groups").json(&group)).expect(201);
    let export = || Request::new("GET", "/_/api/admin/backup?format=json");
    let reply = host.admin(export()).expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.json()["users"][0]["secret_access_key"], user.signer.secret.as_str());
    host.admin(export().header("X-DGP-Backup-Passphrase", "correct horse")).expect(400);
    let other = Host::start();
    assert_eq!(other.restore(&reply.body).expect(200).json()["users_created"], 1);
    S3 { addr: other.addr(), ..user }.make_bucket("builds");
}
