//! The audit log from outside: what is in it, how it is read, and that nobody changes it unseen.

use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

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

#[test]
fn a_restore_writes_the_last_row_of_the_old_epoch_and_the_first_of_the_new_one() {
    let host = Host::start();
    user(&host, "ann");
    let archive = host.backup();
    host.restore(&archive).expect(200);
    let restored = rows(&host, "action=backup.restore");
    let [ended, begun] = restored.as_slice() else { panic!("{restored:?}") };
    assert_eq!((&begun["outcome"], &ended["outcome"]), (&json!("started"), &json!("success")));
    let epoch = |row: &Value| row["detail"]["epoch"].as_u64().unwrap();
    assert_eq!(epoch(ended), epoch(begun) + 1);
    assert_eq!(ended["seq"].as_u64().unwrap(), begun["seq"].as_u64().unwrap() + 1, "nothing between them");
    assert_eq!((&ended["actor"], &ended["ip"]), (&json!("$bootstrap"), &json!("127.0.0.1")));
}

/// Takes POSTs on a port of its own: the first is answered 500, all others 200; gives their heads and bodies.
fn receiver() -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/audit", listener.local_addr().unwrap());
    let (taken, given) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap() > 0 {}
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            let status = if number == 0 { "500 Internal Server Error" } else { "200 OK" };
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            if taken.send((head, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (url, given)
}

#[test]
fn every_row_reaches_the_file_and_the_webhook_which_is_tried_again() {
    let (url, given) = receiver();
    let mut host = Host::prepare().env("HOOK_TOKEN", "Bearer of-the-hook").config(&format!(
        "advanced:\n  audit:\n    file: ./audit.ndjson\n    webhook:\n      url: {url}\n      \
         headers: [{{name: Authorization, value: {{env: HOOK_TOKEN}}}}]\n"
    ));
    host.up();
    user(&host, "ann");
    let (mut rows, mut checkpoint) = (Vec::new(), Value::Null);
    let wanted = |rows: &[Value]| rows.iter().any(|row| row["action"] == "user.create");
    for (number, (head, body)) in given.iter().enumerate() {
        assert!(head.contains("authorization: bearer of-the-hook"), "{head}");
        if number > 0 {
            rows.extend(body["rows"].as_array().unwrap().iter().cloned());
        }
        if body["checkpoint"].is_object() && number > 0 {
            checkpoint = body["checkpoint"].clone();
        }
        if wanted(&rows) {
            break;
        }
    }
    assert_eq!(rows[0]["seq"], 1, "what the first answer refused came again");
    // An export takes a checkpoint; it goes to the sinks, and the log holds against it.
    host.backup();
    for (_, body) in given.iter() {
        rows.extend(body["rows"].as_array().unwrap().iter().cloned());
        if body["checkpoint"].is_object() {
            checkpoint = body["checkpoint"].clone();
            break;
        }
    }
    let held = format!("{}:{}", checkpoint["count"], checkpoint["head"].as_str().unwrap());
    assert_eq!(host.admin(call("GET", &format!("/audit/verify?checkpoint={held}"))).expect(200).json()["ok"], true);
    host.stop();
    let file = std::fs::read_to_string(host.path("audit.ndjson")).unwrap();
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<u64> = lines.iter().filter_map(|line| line["seq"].as_u64()).collect();
    assert_eq!(seqs[..3], [1, 2, 3]);
    assert!(lines.iter().any(|line| line["checkpoint"]["head"].is_string()), "{file}");
    assert!(!file.contains("of-the-hook"), "a header is a secret");
}

#[test]
fn a_sink_that_fails_is_to_be_seen_and_holds_nobody_up() {
    let mut host = Host::prepare().config("advanced:\n  audit:\n    file: ./no/such/folder/audit.ndjson\n");
    host.up();
    user(&host, "ann");
    let failing = |host: &Host| {
        let status = host.admin(call("GET", "/status")).expect(200).json();
        status["attention"].as_array().unwrap().iter().any(|item| item["code"] == "audit_sink_failing")
    };
    while !failing(&host) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::create_dir_all(host.path("no/such/folder")).unwrap();
    while failing(&host) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let file = std::fs::read_to_string(host.path("no/such/folder/audit.ndjson")).unwrap();
    assert!(file.contains("user.create"), "nothing is lost: {file}");
}
