//! Backends at runtime: added, changed, removed and taken over without a restart, and written into the config file.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3};
use serde_json::{Value, json};

const API: &str = "/_/api/admin/backends";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

/// Adds a backend in a directory of the host.
#[track_caller]
fn add(host: &Host, name: &str) -> Value {
    let body = json!({"name": name, "type": "filesystem", "path": host.path(name)});
    host.admin(call("POST", "").json(&body)).expect(201).json()
}

fn bucket_on(s3: &S3, bucket: &str, backend: &str) -> Reply {
    let body = format!(
        "<CreateBucketConfiguration><LocationConstraint>{backend}</LocationConstraint></CreateBucketConfiguration>"
    );
    s3.send(Request::new("PUT", &format!("/{bucket}")).body(body))
}

#[track_caller]
fn refused(host: &Host, request: Request, status: u16, code: &str) {
    let reply = host.admin(request).expect(status);
    assert_eq!(reply.json()["code"], code, "{}", reply.text());
}

#[test]
fn a_backend_is_added_used_and_removed_without_a_restart() {
    let mut host = Host::start();
    let s3 = host.admin_user("ann");
    let body = json!({"name": "cold", "type": "filesystem", "path": host.path("cold")});
    let plan = host.admin(call("POST", "?dry_run=true").json(&body)).expect(200).json();
    assert_eq!((&plan["applied"], &plan["probe"]["state"]), (&json!(false), &json!("new")), "{plan}");
    assert!(!host.path("cold").exists() && !host.path("config.yaml").exists(), "a plan makes nothing");
    let done = add(&host, "cold");
    assert_eq!(done["applied"], true);
    bucket_on(&s3, "archive", "cold").expect(200);
    s3.put("archive", "a/b", "on the other disk").expect(200);
    assert_eq!(std::fs::read(host.path("cold/archive/a/b")).unwrap(), b"on the other disk");
    let listed = host.admin(call("GET", "")).expect(200).json();
    let of = |name: &str| listed.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!((&of("cold")["buckets"], &of("cold")["health"]["up"]), (&json!(1), &json!(true)), "{listed}");
    assert_eq!((&of("default")["default"], &of("cold")["default"]), (&json!(true), &json!(false)));
    refused(&host, call("DELETE", "/cold"), 409, "backend_in_use");
    refused(&host, call("DELETE", "/default"), 409, "backend_is_default");
    host.restart();
    let s3 = S3 { addr: host.addr(), ..s3 };
    assert_eq!(s3.get("archive", "a/b").expect(200).text(), "on the other disk");
    s3.send(Request::new("DELETE", "/archive/a/b")).expect(204);
    s3.send(Request::new("DELETE", "/archive")).expect(204);
    host.admin(call("DELETE", "/cold")).expect(200);
    host.admin(call("GET", "/cold")).expect(404);
    bucket_on(&s3, "archive", "cold").expect(400);
    assert!(host.path("cold/.dg/backend.json").exists(), "what lies there stays");
    let config = String::from_utf8(host.exported().entry("config.yaml").to_vec()).unwrap();
    assert!(!config.contains("cold"), "{config}");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let host = Host::start();
    let before = host.admin(call("GET", "")).expect(200);
    let post =
        |name: &str, path: &str| call("POST", "").json(&json!({"name": name, "type": "filesystem", "path": path}));
    let inside = host.path("data/x").display().to_string();
    refused(&host, post("a", &inside), 400, "backend_root_refused");
    refused(&host, post("a", "/nowhere/else"), 400, "backend_root_refused");
    refused(&host, post("a", &host.path("swap").display().to_string()), 400, "backend_root_refused");
    std::fs::write(host.path("file"), "").unwrap();
    refused(&host, post("a", &host.path("file").display().to_string()), 409, "backend_unusable");
    refused(&host, post("default", &host.path("b").display().to_string()), 409, "backend_exists");
    host.admin(post("bad name", "x")).expect(400);
    host.admin(call("POST", "").json(&json!({"name": "a", "type": "tape", "path": "x"}))).expect(400);
    host.admin(call("PUT", "/none").json(&json!({"read_only": true}))).expect(404);
    let stale = post("a", &host.path("a").display().to_string()).header("If-Match", "\"1.999\"");
    refused(&host, stale, 412, "generation_changed");
    assert_eq!(host.admin(call("GET", "")).expect(200).header("etag"), before.header("etag"));
    assert!(!host.path("config.yaml").exists() && !host.path("a").exists());
}

#[test]
fn a_file_that_was_changed_outside_or_cannot_be_written_is_left_alone() {
    let host = Host::start();
    add(&host, "one");
    let text = std::fs::read_to_string(host.path("config.yaml")).unwrap();
    std::fs::write(host.path("config.yaml"), format!("# by hand\n{text}")).unwrap();
    let two = json!({"name": "two", "type": "filesystem", "path": host.path("two")});
    refused(&host, call("POST", "").json(&two), 409, "config_changed_on_disk");
    refused(&host, call("POST", "?dry_run=true").json(&two), 409, "config_changed_on_disk");
    std::fs::write(host.path("config.yaml"), text).unwrap();
    host.admin(call("POST", "").json(&two)).expect(201);
}

#[test]
fn a_read_only_backend_reads_and_another_one_becomes_the_default() {
    let host = Host::start();
    let s3 = host.admin_user("ann");
    s3.make_bucket("photos");
    s3.put("photos", "a", "1").expect(200);
    add(&host, "cold");
    host.admin(call("PUT", "/default").json(&json!({"default": false}))).expect(400);
    host.admin(call("PUT", "/cold").json(&json!({"default": true}))).expect(200);
    host.admin(call("PUT", "/default").json(&json!({"read_only": true}))).expect(200);
    assert_eq!(s3.get("photos", "a").expect(200).text(), "1");
    let put = s3.put("photos", "b", "2").expect(403);
    assert!(put.text().contains("AccessDenied") && put.text().contains("read-only"), "{}", put.text());
    s3.send(Request::new("DELETE", "/photos/a")).expect(403);
    s3.make_bucket("films");
    assert!(host.path("cold/films").is_dir(), "new buckets go to the default backend");
    host.admin(call("PUT", "/default").json(&json!({"read_only": false}))).expect(200);
    s3.put("photos", "b", "2").expect(200);
}

#[test]
fn a_root_that_lost_its_name_is_made_anew_or_taken_over_only_on_command() {
    let mut host = Host::start();
    let s3 = host.admin_user("ann");
    add(&host, "cold");
    bucket_on(&s3, "archive", "cold").expect(200);
    s3.put("archive", "k", "v").expect(200);
    let id = std::fs::read_to_string(host.path("cold/.dg/backend.json")).unwrap();
    host.stop();
    std::fs::remove_file(host.path("cold/.dg/backend.json")).unwrap();
    host.up();
    let s3 = S3 { addr: host.addr(), ..s3 };
    let gone = s3.get("archive", "k").expect(503);
    assert!(gone.text().contains("cold") && gone.text().contains("mounted"), "{}", gone.text());
    let probe = host.admin(call("POST", "/cold/probe")).expect(200).json();
    assert_eq!((&probe["look"]["state"], &probe["health"]["up"]), (&json!("lost"), &json!(false)), "{probe}");
    refused(&host, call("POST", "/cold/adopt"), 409, "backend_not_initialised");
    host.admin(call("POST", "/cold/init")).expect(200);
    assert_eq!(s3.get("archive", "k").expect(200).text(), "v");
    refused(&host, call("POST", "/cold/init"), 409, "backend_initialised");
    host.stop();
    let mut other: Value = serde_json::from_str(&id).unwrap();
    other["backend_id"] = json!("00000000-0000-4000-8000-000000000000");
    std::fs::write(host.path("cold/.dg/backend.json"), other.to_string()).unwrap();
    host.up();
    let s3 = S3 { addr: host.addr(), ..s3 };
    s3.get("archive", "k").expect(503);
    let taken = host.admin(call("POST", "/cold/adopt")).expect(200).json();
    assert_eq!(taken["backend_id"], other["backend_id"]);
    assert_eq!(s3.get("archive", "k").expect(200).text(), "v");
}

#[test]
fn another_path_needs_the_same_root_or_a_word_and_the_plan_counts_what_stays_behind() {
    let host = Host::start();
    let s3 = host.admin_user("ann");
    add(&host, "cold");
    bucket_on(&s3, "archive", "cold").expect(200);
    for key in ["a", "b", "c"] {
        s3.put("archive", key, key).expect(200);
    }
    let elsewhere = json!({"path": host.path("elsewhere")});
    refused(&host, call("PUT", "/cold").json(&elsewhere), 409, "backend_not_mounted");
    let init = json!({"path": host.path("elsewhere"), "claim": "init"});
    let plan = host.admin(call("PUT", "/cold?dry_run=true").json(&init)).expect(200).json();
    assert_eq!(plan["buckets_moved"], json!([{"bucket": "archive", "objects": 3, "exact": true}]), "{plan}");
    host.admin(call("PUT", "/cold").json(&init)).expect(200);
    s3.get("archive", "a").expect(404);
    host.admin(call("PUT", "/cold").json(&json!({"path": host.path("cold")}))).expect(200);
    assert_eq!(s3.get("archive", "a").expect(200).text(), "a");
}
