//! Backends that are S3 accounts, at runtime: added, given other keys, moved, taken over, removed; their secrets in the keystore alone.

use crate::support::archive::Archive;
use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD, S3, target};
use actors::storage::testkit::peers::{self, Peer};
use serde_json::{Value, json};

const API: &str = "/_/api/admin/backends";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

/// What adds an account under a name.
fn account(peer: &Peer, name: &str) -> Value {
    json!({
        "name": name, "type": "s3", "endpoint": peer.url, "region": peer.region,
        "access_key_id": peer.access_key_id, "secret_access_key": peer.secret_access_key,
    })
}

#[track_caller]
fn add(host: &Host, peer: &Peer, name: &str) -> Value {
    host.admin(call("POST", "").json(&account(peer, name))).expect(201).json()
}

#[track_caller]
fn refused(host: &Host, request: Request, code: &str) -> String {
    let reply = host.admin(request).expect(409);
    assert_eq!(reply.json()["code"], code, "{}", reply.text());
    reply.text()
}

fn bucket_on(s3: &S3, bucket: &str, backend: &str) -> Reply {
    let body = format!(
        "<CreateBucketConfiguration><LocationConstraint>{backend}</LocationConstraint></CreateBucketConfiguration>"
    );
    s3.send(Request::new("PUT", &format!("/{bucket}")).body(body))
}

fn at(host: &Host, s3: &S3) -> S3 {
    S3 { addr: host.addr(), ..s3.clone() }
}

/// The account itself, as somebody else writes into it. moto believes every signature.
fn past_us(peer: &Peer, s3: &S3) -> S3 {
    S3 { addr: peer.url.trim_start_matches("http://").parse().expect("an address"), ..s3.clone() }
}

/// The secret half in an archive's keystore, where the config refers to it.
fn kept_secret(archive: &Archive, name: &str) -> Value {
    let reference = format!("stored:storage.backends.{name}.secret_access_key");
    let keystore = archive.json("secrets.json");
    keystore["resolved"].get(&reference).cloned().unwrap_or_else(|| panic!("{reference} is not in {keystore}"))
}

fn config_file(host: &Host) -> String {
    std::fs::read_to_string(host.path("config.yaml")).expect("the change wrote a config")
}

#[test]
fn an_account_is_added_used_and_removed_without_a_restart() {
    let (peer, mut host) = (peers::garage(), Host::start());
    let s3 = host.admin_user("ann");
    let plan = host.admin(call("POST", "?dry_run=true").json(&account(&peer, "cold"))).expect(200).json();
    assert_eq!((&plan["applied"], &plan["probe"]["state"]), (&json!(false), &json!("new")), "{plan}");
    let mut wrong = account(&peer, "cold");
    wrong["secret_access_key"] = json!("wrong");
    let why = refused(&host, call("POST", "").json(&wrong), "backend_unusable");
    assert!(why.contains("credentials") && !host.path("config.yaml").exists(), "{why}");
    let done = add(&host, &peer, "cold");
    assert_eq!(done["applied"], true);
    bucket_on(&s3, "archive", "cold").expect(200);
    s3.put("archive", "a/b", "elsewhere").expect(200);

    let shown = host.admin(call("GET", "/cold")).expect(200);
    for text in [shown.text(), done.to_string(), config_file(&host)] {
        assert!(!text.contains(&peer.secret_access_key), "{text}");
    }
    assert!(config_file(&host).contains("stored: storage.backends.cold.secret_access_key"), "{}", config_file(&host));
    let shown = shown.json();
    for (field, value) in
        [("type", "s3"), ("endpoint", &peer.url), ("region", "garage"), ("access_key_id", &peer.access_key_id)]
    {
        assert_eq!(shown[field], value, "{shown}");
    }
    let probe = host.admin(call("POST", "/cold/probe")).expect(200).json();
    assert_eq!((&probe["look"]["state"], &probe["health"]["up"]), (&json!("ready"), &json!(true)), "{probe}");

    // Another secret is tried before it is taken, and the same one is no change.
    refused(&host, call("PUT", "/cold").json(&json!({"secret_access_key": "wrong"})), "backend_unusable");
    s3.get("archive", "a/b").expect(200);
    let same = json!({"secret_access_key": peer.secret_access_key, "endpoint": peer.url, "type": "s3"});
    assert_eq!(host.admin(call("PUT", "/cold").json(&same)).expect(200).json()["changes"], json!([]));
    refused(&host, call("POST", "").json(&account(&peer, "twin")), "backend_id_taken");
    refused(&host, call("DELETE", "/cold"), "backend_in_use");
    host.restart();
    let s3 = at(&host, &s3);
    assert_eq!(s3.get("archive", "a/b").expect(200).text(), "elsewhere");
    assert_eq!(kept_secret(&host.exported(), "cold"), peer.secret_access_key);

    s3.send(Request::new("DELETE", "/archive/a/b")).expect(204);
    s3.send(Request::new("DELETE", "/archive")).expect(204);
    host.admin(call("DELETE", "/cold")).expect(200);
    host.admin(call("GET", "/cold")).expect(404);
    let archive = host.exported();
    for part in ["secrets.json", "config.yaml"] {
        let text = String::from_utf8_lossy(archive.entry(part)).into_owned();
        assert!(!text.contains(&peer.secret_access_key) && !text.contains("cold"), "{part}: {text}");
    }
}

#[test]
fn another_key_pair_is_in_force_at_once_and_in_the_keystore() {
    let (peer, host) = (peers::moto(), Host::start());
    let s3 = host.admin_user("ann");
    add(&host, &peer, "cold");
    bucket_on(&s3, "archive", "cold").expect(200);
    s3.put("archive", "k", "v").expect(200);
    let other = json!({"access_key_id": "AKOTHER", "secret_access_key": "quite-another"});
    let plan = host.admin(call("PUT", "/cold?dry_run=true").json(&other)).expect(200).json();
    assert_eq!((&plan["applied"], &plan["buckets_moved"]), (&json!(false), &json!([])), "{plan}");
    let plan = host.admin(call("PUT", "/cold").json(&other)).expect(200).json();
    let paths: Vec<&Value> = plan["changes"].as_array().expect("a list").iter().map(|change| &change["path"]).collect();
    assert_eq!(paths, ["storage.backends.cold", "storage.backends.cold.secret_access_key"], "{plan}");
    assert_eq!(s3.get("archive", "k").expect(200).text(), "v");
    assert_eq!(host.admin(call("GET", "/cold")).expect(200).json()["access_key_id"], "AKOTHER");
    // The secret alone is a change, too.
    let plan = host.admin(call("PUT", "/cold").json(&json!({"secret_access_key": "a-third"}))).expect(200);
    assert!(!plan.text().contains("a-third") && plan.json()["changes"].as_array().is_some_and(|all| all.len() == 1));
    let archive = host.exported();
    assert_eq!(kept_secret(&archive, "cold"), "a-third");
    let config = String::from_utf8_lossy(archive.entry("config.yaml")).into_owned() + &config_file(&host);
    for secret in ["quite-another", "a-third", peer.secret_access_key.as_str()] {
        assert!(!config.contains(secret), "{config}");
    }
}

#[test]
fn an_account_from_the_command_line() {
    let (peer, host) = (peers::moto(), Host::start());
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"));
        command.args(args).env_clear().env("DGP_SERVER", format!("http://{}", host.addr()));
        let output = command.env("DGP_BOOTSTRAP_PASSWORD", PASSWORD).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), text)
    };
    let secret = host.path("secret").display().to_string();
    std::fs::write(&secret, format!("{}\n", peer.secret_access_key)).unwrap();
    let place = ["--endpoint", &peer.url, "--region", peer.region, "--access-key-id", &peer.access_key_id];
    let (code, said) = run(&[&["backend", "create", "cold"][..], &place, &["--path", "x"]].concat());
    assert!(code == Some(2) && said.contains("--path"), "an account has no directory: {said}");
    let (code, said) = run(&[&["backend", "create", "cold"][..], &place].concat());
    assert!(code == Some(6) && said.contains("secret_access_key"), "{said}");
    let (code, said) =
        run(&[&["backend", "create", "cold"][..], &place, &["--secret-access-key-file", &secret]].concat());
    assert!(code == Some(0) && said.ends_with("in force\n") && !said.contains(&peer.secret_access_key), "{said}");
    let (_, shown) = run(&["backend", "show", "cold"]);
    assert!(shown.contains(&format!("endpoint: {}", peer.url)) && shown.contains("up: yes"), "{shown}");
    assert_eq!(run(&["bucket", "create", "films", "--backend", "cold"]).0, Some(0));
    let other = ["backend", "set", "cold", "--access-key-id", "AKIAOTHER", "--secret-access-key-file", &secret];
    let (code, said) = run(&other);
    assert!(code == Some(0) && said.contains("AKIAOTHER"), "{said}");
}

#[test]
fn what_is_no_account_is_refused_and_changes_nothing() {
    let host = Host::start();
    let before = host.admin(call("GET", "")).expect(200);
    let nobody = json!({"name": "a", "type": "s3", "endpoint": "http://127.0.0.1:9", "access_key_id": "A", "secret_access_key": "B"});
    refused(&host, call("POST", "").json(&nobody), "backend_unusable");
    for (field, value) in [
        ("endpoint", json!("http://169.254.169.254")),
        ("endpoint", json!("ftp://example.com")),
        ("path", json!("./x")),
        ("access_key_id", json!("")),
        ("secret_access_key", Value::Null),
        ("type", json!("filesystem")),
    ] {
        let mut body = nobody.clone();
        body[field] = value;
        let reply = host.admin(call("POST", "").json(&body));
        assert!([400, 409].contains(&reply.status), "{field}: {}", reply.text());
    }
    let secret = json!({"secret_access_key": "x"});
    host.admin(call("PUT", "/default").json(&secret)).expect(400);
    assert_eq!(host.admin(call("GET", "")).expect(200).header("etag"), before.header("etag"));
    assert!(!host.path("config.yaml").exists());
}

#[test]
fn an_account_without_our_buckets_is_filled_only_on_command_and_the_way_back_is_free() {
    let (one, other, host) = (peers::moto(), peers::moto(), Host::start());
    let s3 = host.admin_user("ann");
    add(&host, &one, "cold");
    bucket_on(&s3, "archive", "cold").expect(200);
    s3.put("archive", "k", "v").expect(200);
    let elsewhere = json!({"endpoint": other.url});
    refused(&host, call("PUT", "/cold").json(&elsewhere), "backend_not_mounted");
    let init = json!({"endpoint": other.url, "claim": "init"});
    let plan = host.admin(call("PUT", "/cold").json(&init)).expect(200).json();
    assert_eq!(plan["buckets_moved"], json!([{"bucket": "archive", "objects": 1, "exact": true}]), "{plan}");
    s3.get("archive", "k").expect(404);
    s3.put("archive", "k", "there").expect(200);
    host.admin(call("PUT", "/cold").json(&json!({"endpoint": one.url}))).expect(200);
    assert_eq!(s3.get("archive", "k").expect(200).text(), "v");
    // Somebody removes the bucket in the account.
    let theirs = past_us(&one, &s3);
    let keys = ["k", ".dg/backend.json"];
    for key in keys {
        theirs.send(Request::new("DELETE", &target("archive", key))).expect(204);
    }
    theirs.send(Request::new("DELETE", "/archive")).expect(204);
    let probe = host.admin(call("POST", "/cold/probe")).expect(200).json();
    assert_eq!(probe["look"]["state"], "lost", "{probe}");
    host.admin(call("POST", "/cold/init")).expect(200);
    s3.put("archive", "k", "again").expect(200);
    refused(&host, call("POST", "/cold/init"), "backend_initialised");
}

#[test]
fn an_account_of_another_backend_is_taken_over_only_on_command() {
    let (peer, mut host) = (peers::moto(), Host::start());
    let s3 = host.admin_user("ann");
    add(&host, &peer, "cold");
    bucket_on(&s3, "archive", "cold").expect(200);
    s3.put("archive", "k", "v").expect(200);
    host.stop();
    let theirs = past_us(&peer, &s3);
    let mark: Value =
        serde_json::from_slice(&theirs.get("archive", ".dg/backend.json").expect(200).body).expect("the mark");
    let mut other = mark.clone();
    other["backend_id"] = json!("00000000-0000-4000-8000-000000000000");
    theirs.put("archive", ".dg/backend.json", other.to_string()).expect(200);
    host.up();
    let s3 = at(&host, &s3);
    s3.get("archive", "k").expect(503);
    let probe = host.admin(call("POST", "/cold/probe")).expect(200).json();
    assert_eq!((&probe["look"]["state"], &probe["health"]["up"]), (&json!("foreign"), &json!(false)), "{probe}");
    let taken = host.admin(call("POST", "/cold/adopt")).expect(200).json();
    assert_eq!(taken["backend_id"], other["backend_id"]);
    assert_eq!(s3.get("archive", "k").expect(200).text(), "v");
    // A name that another backend has in the account is nobody else's.
    theirs.make_bucket("films");
    theirs.put("films", ".dg/backend.json", mark.to_string()).expect(200);
    let clash = bucket_on(&s3, "films", "cold");
    assert_eq!(clash.status, 409, "{}", clash.text());
}
