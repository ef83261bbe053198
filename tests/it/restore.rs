//! Backup and restore from outside: a host reborn from one file, and the rules that a caller can see.

use crate::support::archive::Archive;
use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD, S3};
use crate::support::tls::Pair;
use serde_json::json;

const OTHER: &str = "another-host-password-2";

#[test]
fn a_fresh_host_is_reborn_from_the_archive_alone() {
    let host = Host::start();
    let s3 = host.admin_user("ci-uploader");
    s3.make_bucket("builds");
    let archive = host.backup();
    let mut reborn = Host::prepare().password(OTHER);
    reborn.up();
    let reply = reborn.restore(&archive).expect(200).json();
    assert_eq!(reply["restored"], true);
    assert_eq!(reply["users_created"], 1);
    reborn.login(OTHER).expect(401);
    reborn.set_password(PASSWORD);
    assert_eq!(reborn.user_names(), ["ci-uploader"]);
    let s3 = S3 { addr: reborn.addr(), ..s3 };
    s3.put("builds", "a", "on the new host").expect(200);
    // The environment still names the other password: the restored hash file is in force.
    reborn.restart();
    reborn.login(PASSWORD).expect(200);
    let s3 = S3 { addr: reborn.addr(), ..s3 };
    assert_eq!(s3.get("builds", "a").expect(200).text(), "on the new host");
}

#[test]
fn an_archive_has_four_parts_and_its_secrets_in_one() {
    let host = Host::start();
    let s3 = host.admin_user("ci-uploader");
    let archive = host.exported();
    let names: Vec<&str> = archive.entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["manifest.json", "config.yaml", "iam.json", "secrets.json"]);
    for part in ["manifest.json", "config.yaml", "iam.json"] {
        assert!(!String::from_utf8_lossy(archive.entry(part)).contains(&s3.signer.secret), "{part} holds a secret");
    }
    assert!(String::from_utf8_lossy(archive.entry("secrets.json")).contains(&s3.signer.secret));
    assert_eq!(archive.json("manifest.json")["version"], 2);
}

#[test]
fn two_exports_of_one_state_differ_in_the_manifest_only() {
    let host = Host::start();
    host.admin_user("somebody");
    let (first, second) = (host.exported(), host.exported());
    assert_eq!(first.state(), second.state());
}

#[test]
fn replace_is_the_captured_point_in_time() {
    let host = Host::start();
    host.user("stays", json!([]));
    let archive = host.backup();
    let before = host.exported();
    host.user("goes", json!([]));
    host.restore(&archive).expect(200);
    assert_eq!(host.user_names(), ["stays"]);
    host.restore(&archive).expect(200);
    let after = host.exported();
    assert_eq!(before.json("iam.json")["users"], after.json("iam.json")["users"], "nothing multiplies");
    assert!(after.json("manifest.json")["epoch"].as_u64() > before.json("manifest.json")["epoch"].as_u64());
}

#[test]
fn what_was_revoked_stays_revoked() {
    let host = Host::start();
    let s3 = host.admin_user("leaver");
    let archive = host.backup();
    let id = host.exported().json("iam.json")["users"][0]["id"].as_str().expect("ids are texts").to_owned();
    host.admin(Request::new("DELETE", &format!("/_/api/admin/users/{id}"))).expect(204);
    for _ in 0..3 {
        let reply = host.restore(&archive).expect(200).json();
        assert!(reply["warnings"].to_string().contains(&id), "{reply}");
        s3.send(Request::new("GET", "/")).expect(403);
    }
    let revived = Request::new("POST", "/_/api/admin/backup?revive=all").body(archive);
    host.admin(revived).expect(200);
    s3.send(Request::new("GET", "/")).expect(200);
}

#[test]
fn a_dry_run_changes_nothing() {
    let host = Host::start();
    host.user("captured", json!([]));
    let archive = host.backup();
    host.user("later", json!([]));
    let before = host.exported();
    let reply = host.admin(Request::new("POST", "/_/api/admin/backup?dry_run=true").body(archive)).expect(200).json();
    assert_eq!(reply["restored"], false);
    assert_eq!(before.state(), host.exported().state());
}

#[test]
fn a_plan_says_field_by_field_what_will_change_and_shows_no_secret() {
    let host = Host::start();
    let read = json!([{"effect": "Allow", "actions": ["read"], "resources": ["builds/*"]}]);
    host.user("ann", read.clone());
    let id = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json()[0]["id"].clone();
    let path = format!("/_/api/admin/users/{}", id.as_str().expect("ids are texts"));
    let archive = host.backup();
    let captured = Archive::read(&archive).json("manifest.json");
    host.admin(Request::new("PUT", &path).json(&json!({"enabled": false, "permissions": []}))).expect(200);
    host.admin(Request::new("POST", &format!("{path}/rotate-keys"))).expect(200);
    host.user("later", json!([]));

    let plan = Request::new("POST", "/_/api/admin/backup?dry_run=true&revive=all").body(archive.clone());
    let plan = host.admin(plan).expect(200);
    let secrets = Archive::read(&archive).json("secrets.json")["user_secrets"].to_string();
    for secret in secrets.split('"').filter(|text| text.len() == 40) {
        assert!(!plan.text().contains(secret), "the plan shows a secret");
    }
    let plan = plan.json();
    assert_eq!(plan["archive"]["captured_at"], captured["captured_at"]);
    assert_eq!(plan["archive"]["of_this_instance"], true);
    let items = plan["changes"]["users"]["items"].as_array().expect("items are an array");
    let item =
        |name: &str| items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}: {plan}"));
    assert_eq!(item("later")["change"], "deleted");
    let fields = item("ann")["fields"].as_array().expect("an update has fields").clone();
    let field = |name: &str| {
        let found = fields.iter().find(|field| field["field"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {fields:?}")).clone()
    };
    assert_eq!((&field("enabled")["from"], &field("enabled")["to"]), (&json!(false), &json!(true)));
    assert_eq!(field("permissions")["to"][0]["resources"], json!(["builds/*"]));
    assert_ne!(field("access_keys")["from"][0]["access_key_id"], field("access_keys")["to"][0]["access_key_id"]);
}

#[test]
fn a_pinned_hash_of_another_password_refuses_before_any_change() {
    let source = Host::start();
    source.user("captured", json!([]));
    let archive = source.backup();
    let other = Host::prepare().password(OTHER);
    let mut other = other;
    other.up();
    let hash = std::fs::read_to_string(other.path(".deltaglider_bootstrap_hash")).expect("the hash file is there");
    let mut pinned = Host::prepare().password(OTHER).env("DGP_BOOTSTRAP_PASSWORD", "");
    pinned.set_env("DGP_BOOTSTRAP_PASSWORD_HASH", hash.trim());
    pinned.up();
    let before = pinned.exported();
    let refusal = pinned.restore(&archive).expect(409).json();
    assert_eq!(refusal["code"], "db_key_mismatch");
    assert!(refusal["hint"].as_str().is_some_and(|h| h.contains("DGP_BOOTSTRAP_PASSWORD_HASH")), "{refusal}");
    assert_eq!(before.state(), pinned.exported().state());
    // The operator's guide: inject the original hash, start again, retry.
    let original = Archive::read(&archive).json("secrets.json")["bootstrap_password_hash"].clone();
    pinned.stop();
    pinned.set_env("DGP_BOOTSTRAP_PASSWORD_HASH", original.as_str().expect("the hash is text"));
    pinned.set_password(PASSWORD);
    pinned.up();
    pinned.restore(&archive).expect(200);
    assert_eq!(pinned.user_names(), ["captured"]);
    pinned.restart();
    assert_eq!(pinned.user_names(), ["captured"]);
}

#[test]
fn two_restores_at_once_are_one_and_a_refusal() {
    let host = Host::start();
    host.user("captured", json!([]));
    let archive = host.backup();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| host.restore(&archive).status)).collect();
        calls.into_iter().map(|c| c.join().expect("a client does not panic")).collect()
    });
    assert!(statuses.contains(&200) && statuses.iter().all(|s| matches!(s, 200 | 409)), "{statuses:?}");
    assert_eq!(host.user_names(), ["captured"]);
}

#[test]
fn a_certificate_that_cannot_be_served_refuses_the_plan_which_names_the_settings_of_the_host() {
    let host = Host::start();
    let archive = host.backup();
    let pair = |cert: &str, key: &str| {
        let set = |setting: &str, file: &str| format!("&set=advanced.tls.{setting}={}", host.path(file).display());
        let query = format!("?dry_run=true{}{}", set("cert_path", cert), set("key_path", key));
        host.admin(Request::new("POST", &format!("/_/api/admin/backup{query}")).body(archive.clone()))
    };
    Pair::new(&[]).write(&host.path(""));
    std::fs::write(host.path("no.pem"), "this is no certificate").unwrap();
    for (cert, key, says) in
        [("no.pem", "tls.key", "no certificate"), ("tls.crt", "no.pem", "no.pem"), ("tls.crt", "none.pem", "none.pem")]
    {
        let refused = pair(cert, key).expect(409).json();
        assert_eq!(refused["code"], "config_unfit");
        assert!(refused["detail"].as_str().unwrap().contains(says), "{refused}");
    }
    let plan = pair("tls.crt", "tls.key").expect(200).json();
    assert_eq!(plan["host_settings"]["from"], "host");
    let settings = plan["host_settings"]["settings"].as_array().unwrap();
    for setting in ["advanced.listen_addr", "advanced.tls.cert_path", "advanced.log_level"] {
        assert!(settings.contains(&json!(setting)), "{settings:?}");
    }
}

#[test]
fn what_this_host_gives_no_value_for_is_shown_as_from_backup_until_it_does() {
    let config = "access: {access_key_id: AKCONFIG, secret_access_key: {env: THE_SECRET}}\n";
    let mut source = Host::prepare().config(config).env("THE_SECRET", "a-secret-of-the-config");
    source.up();
    let mut target = Host::start();
    target.restore(&source.backup()).expect(200);
    let shown = |host: &Host| {
        let status = host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json();
        let list = status["attention"].as_array().unwrap().clone();
        list.into_iter().find(|item| item["code"] == "from_backup")
    };
    assert!(shown(&source).is_none());
    let item = shown(&target).expect("it is listed");
    assert!(item["title"].as_str().unwrap().contains("`env:THE_SECRET`: those from backup"), "{item}");
    target.stop();
    target.set_env("THE_SECRET", "another-secret-of-it");
    target.up();
    assert!(shown(&target).is_none());
}
