//! The audit log from outside: what is in it, how it is read, and that nobody changes it unseen.

use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD};
use serde_json::{Value, json};
use std::process::Command;

const API: &str = "/_/api/admin";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

fn rows(host: &Host, query: &str) -> Vec<Value> {
    host.admin(call("GET", &format!("/audit?{query}"))).expect(200).json().as_array().unwrap().clone()
}

fn user(host: &Host, name: &str) {
    host.admin(call("POST", "/users").json(&json!({"name": name}))).expect(201);
}

/// `audit …` with the files of this host.
fn offline(host: &Host, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"))
        .args(["--state-dir", host.path("").to_str().unwrap(), "audit"])
        .args(args)
        .env_clear()
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_log_has_pages_and_filters_and_is_exported_whole() {
    let host = Host::start();
    for n in 0..30 {
        user(&host, &format!("user-{n}"));
    }
    let page = host.admin(call("GET", "/audit?limit=10&action=user.*")).expect(200);
    let first = page.json().as_array().unwrap().clone();
    assert_eq!(first.len(), 10);
    assert!(first.iter().all(|row| row["action"] == "user.create" && row["actor"] == "$bootstrap"));
    let link = page.header("link").unwrap();
    let next = link.strip_prefix("</_/api/admin").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).unwrap();
    let second = host.admin(call("GET", next)).expect(200).json();
    assert_eq!(second[0]["seq"].as_u64().unwrap() + 1, first[9]["seq"].as_u64().unwrap());
    let last = host.admin(call("GET", "/audit?limit=30&action=user.create")).expect(200);
    assert_eq!(last.header("link"), None, "there is nothing after the last page");
    assert!(rows(&host, "actor=nobody").is_empty());
    assert!(rows(&host, "until=2020-01-01T00:00:00Z").is_empty());
    assert_eq!(rows(&host, "outcome=success&since=2020-01-01T00:00:00Z&action=login").len(), 1);
    for bad in ["limit=0", "limit=10001", "after=x", "outcome=maybe", "since=yesterday", "actors=x"] {
        host.admin(call("GET", &format!("/audit?{bad}"))).expect(400);
    }
    let export = host.admin(call("GET", "/audit/export")).expect(200);
    assert_eq!(export.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<Value> = export.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["seq"], 1);
    assert!(lines.windows(2).all(|pair| pair[0]["seq"].as_u64().unwrap() + 1 == pair[1]["seq"].as_u64().unwrap()));
    assert_eq!(rows(&host, "limit=1")[0]["action"], "audit.export", "an export is a row itself");
    let some = host.admin(call("GET", "/audit/export?action=user.create&target=none")).expect(200);
    assert!(some.text().is_empty());
}

#[test]
fn what_is_refused_is_recorded_once_and_then_counted() {
    let host = Host::start();
    let viewer = host.admin(call("POST", "/tokens").json(&json!({"name": "v", "role": "viewer"}))).expect(201).json();
    let bearer = format!("Bearer {}", viewer["token"].as_str().unwrap());
    for _ in 0..5 {
        call("POST", "/users").header("Authorization", &bearer).send(host.addr()).expect(403);
        call("POST", "/login").json(&json!({"password": "wrong"})).send(host.addr());
        call("GET", "/users").send(host.addr()).expect(401);
    }
    let denied = rows(&host, "outcome=denied");
    let of = |actor: &str, action: &str| {
        let mut found = denied.iter().filter(|row| row["actor"] == actor && row["action"] == action);
        let row = found.next().unwrap_or_else(|| panic!("{denied:?}"));
        assert!(found.next().is_none(), "one row, however often: {denied:?}");
        row.clone()
    };
    let forbidden = of("token:v", "denied");
    assert_eq!(forbidden["detail"], json!({"code": "forbidden", "count": 1, "right": "iam:write"}));
    assert_eq!((&forbidden["target"], &forbidden["ip"]), (&json!("POST /_/api/admin/users"), &json!("127.0.0.1")));
    assert_eq!(of("$anonymous", "login")["detail"]["code"], "wrong_credentials");
    // What was counted meanwhile is written when the server stops.
    let mut host = host;
    host.restart();
    let counted = rows(&host, "outcome=denied&actor=token:v");
    assert_eq!((counted.len(), &counted[0]["detail"]["count"]), (2, &json!(4)));
}

#[test]
fn the_proof_holds_online_and_offline_and_an_archive_carries_a_checkpoint() {
    let mut host = Host::start();
    user(&host, "ann");
    let proof = host.admin(call("GET", "/audit/verify")).expect(200).json();
    assert_eq!((&proof["ok"], &proof["gap"]), (&json!(true), &Value::Null));
    let stood = host.exported().json("manifest.json")["audit"].clone();
    let checkpoint = format!("{}:{}", stood["records"], stood["sha256"].as_str().unwrap());
    let checked = host.admin(call("GET", &format!("/audit/verify?checkpoint={checkpoint}"))).expect(200).json();
    assert_eq!(checked["ok"], true);
    let other = format!("{}:{}", stood["records"], "0".repeat(64));
    let checked = host.admin(call("GET", &format!("/audit/verify?checkpoint={other}"))).expect(200).json();
    assert_eq!(checked["gap"], json!({"seq": stood["records"], "kind": "truncated"}));
    host.admin(call("GET", "/audit/verify?checkpoint=1")).expect(400);
    host.stop();
    let (code, said) = offline(&host, &["verify", "--offline", "--checkpoint", &checkpoint]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("the audit log is whole"), "{said}");
    let (code, said) = offline(&host, &["verify", "--offline", "--checkpoint", &other]);
    assert_eq!(code, Some(9), "{said}");
    // Without its database the log ends before its checkpoint.
    for side in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(host.path(format!("deltaglider_state.db{side}")));
    }
    host.up();
    host.login(PASSWORD).expect(200);
    let proof = host.admin(call("GET", "/audit/verify")).expect(200).json();
    assert_eq!((&proof["ok"], &proof["gap"]["kind"]), (&json!(false), &json!("truncated")));
    host.backup();
    let attention = host.admin(call("GET", "/status")).expect(200).json()["attention"].clone();
    assert!(attention.as_array().unwrap().iter().any(|item| item["code"] == "audit_broken"), "{attention}");
    let forged = host.path(".deltaglider_audit_checkpoint");
    std::fs::write(&forged, "{}").unwrap();
    let reply = host.admin(call("GET", "/audit/verify")).expect(409).json();
    assert_eq!(reply["code"], "audit_checkpoint_forged");
}
