//! Buckets by the admin API: made on a chosen backend, routed, set, found on backends, removed.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const API: &str = "/_/api/admin/buckets";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

#[track_caller]
fn refused(host: &Host, request: Request, status: u16, code: &str) -> Reply {
    let reply = host.admin(request).expect(status);
    assert_eq!(reply.json()["code"], code, "{}", reply.text());
    reply
}

/// Asks until the answer is as it should be; what happens beside requests takes a moment.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come within 60 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a bucket holds, once it is counted.
#[track_caller]
pub(crate) fn usage(host: &Host, bucket: &str) -> (u64, u64, u64) {
    let usage = until("the count", || {
        let shown = host.admin(call("GET", &format!("/{bucket}"))).expect(200).json();
        (!shown["usage"].is_null()).then(|| shown["usage"].clone())
    });
    let number = |field: &str| usage[field].as_u64().unwrap_or_else(|| panic!("{usage}"));
    assert!(usage["age_secs"].is_u64() && usage["counted_at"].is_string(), "{usage}");
    (number("objects"), number("bytes"), number("open_upload_bytes"))
}

fn add_backend(host: &Host, name: &str) {
    let body = json!({"name": name, "type": "filesystem", "path": host.path(name)});
    host.admin(Request::new("POST", "/_/api/admin/backends").json(&body)).expect(201);
}

#[test]
fn a_bucket_is_made_set_shown_and_removed() {
    let host = Host::start();
    let s3 = host.admin_user("ann");
    add_backend(&host, "cold");
    let body = json!({"name": "films", "backend": "cold", "alias": "films-2026", "quota_bytes": 100});
    let made = host.admin(call("POST", "").json(&body)).expect(201).json();
    assert_eq!((&made["real_name"], &made["owner"]), (&json!("films-2026"), &json!("$bootstrap")), "{made}");
    refused(&host, call("POST", "").json(&body), 409, "bucket_exists");
    refused(&host, call("POST", "").json(&json!({"name": "other", "backend": "tape"})), 404, "no_such_backend");
    let collision = json!({"name": "other", "backend": "cold", "alias": "films-2026"});
    refused(&host, call("POST", "").json(&collision), 409, "bucket_collision");
    host.admin(call("POST", "").json(&json!({"name": "B"}))).expect(400);
    // What is not counted yet takes no write under a quota: it is asked again.
    assert_eq!(usage(&host, "films"), (0, 0, 0));
    s3.put("films", "a", "12345").expect(200);
    assert_eq!(std::fs::read(host.path("cold/films-2026/a")).unwrap(), b"12345");
    assert_eq!(usage(&host, "films"), (1, 5, 0));
    let set = json!({"public_prefixes": ["open/"], "tags": {"team": "a"}, "quota_bytes": null});
    let plan = host.admin(call("PUT", "/films?dry_run=true").json(&set)).expect(200).json();
    assert_eq!((&plan["applied"], plan["changes"].as_array().unwrap().len()), (&json!(false), 3), "{plan}");
    let done = host.admin(call("PUT", "/films").json(&set)).expect(200).json();
    assert_eq!((&done["bucket"]["tags"]["team"], &done["bucket"]["quota_bytes"]), (&json!("a"), &Value::Null));
    let mut back = done["bucket"].clone();
    back["read_only"] = json!(true);
    host.admin(call("PUT", "/films").json(&back)).expect(200);
    let put = s3.put("films", "b", "1").expect(403);
    assert!(put.text().contains("AccessDenied") && put.text().contains("read-only"), "{}", put.text());
    s3.send(Request::new("DELETE", "/films/a")).expect(403);
    s3.send(Request::new("PUT", "/films/a?tagging").body("<Tagging><TagSet/></Tagging>")).expect(403);
    s3.send(Request::new("POST", "/films/x?uploads")).expect(403);
    assert_eq!(s3.get("films", "a").expect(200).text(), "12345");
    refused(&host, call("DELETE", "/films"), 409, "bucket_not_empty");
    host.admin(call("PUT", "/films").json(&json!({"read_only": false}))).expect(200);
    s3.send(Request::new("DELETE", "/films/a")).expect(204);
    host.admin(call("DELETE", "/films")).expect(204);
    refused(&host, call("GET", "/films"), 404, "no_such_bucket");
    let stale = call("POST", "").json(&json!({"name": "late"})).header("If-Match", "\"1.1\"");
    refused(&host, stale, 412, "generation_changed");
}

#[test]
fn a_route_moves_no_object_and_the_plan_counts_them() {
    let host = Host::start();
    let s3 = host.admin_user("ann");
    add_backend(&host, "cold");
    s3.make_bucket("photos");
    for key in ["a", "b"] {
        s3.put("photos", key, key).expect(200);
    }
    let plan = host.admin(call("PUT", "/photos?dry_run=true").json(&json!({"backend": "cold"}))).expect(200).json();
    assert_eq!(plan["objects_left_behind"], json!({"objects": 2, "exact": true}), "{plan}");
    assert!(plan["warnings"][0].as_str().is_some_and(|text| text.contains("moves no data")), "{plan}");
    s3.get("photos", "a").expect(200);
    host.admin(call("PUT", "/photos").json(&json!({"backend": "cold"}))).expect(200);
    s3.get("photos", "a").expect(404);
    assert_eq!(usage(&host, "photos"), (0, 0, 0));
    refused(&host, call("PUT", "/photos").json(&json!({"backend": "tape"})), 404, "no_such_backend");
    host.admin(call("PUT", "/photos").json(&json!({"backend": "default"}))).expect(200);
    assert_eq!(s3.get("photos", "a").expect(200).text(), "a");
    assert_eq!(usage(&host, "photos").0, 2);
}

#[test]
fn what_the_config_file_declares_no_call_changes() {
    let mut host = Host::prepare()
        .config("storage:\n  filesystem: ./data\n  buckets:\n    logs: {quota_bytes: 10, backend: default}\n");
    host.up();
    let shown = host.admin(call("GET", "/logs")).expect(200).json();
    assert_eq!(shown["pinned"], json!(["backend", "quota_bytes"]), "{shown}");
    for body in [json!({"quota_bytes": 5}), json!({"quota_bytes": null})] {
        refused(&host, call("PUT", "/logs").json(&body), 409, "declared_in_config");
        refused(&host, call("PUT", "/logs?dry_run=true").json(&body), 409, "declared_in_config");
    }
    host.admin(call("PUT", "/logs").json(&json!({"read_only": true}))).expect(200);
    refused(&host, call("DELETE", "/logs"), 409, "declared_in_config");
}

#[test]
fn buckets_that_nobody_knows_are_taken_in_and_doubles_are_named() {
    let mut host = Host::start();
    let s3 = host.admin_user("ann");
    s3.make_bucket("photos");
    s3.put("photos", "a", "1").expect(200);
    let by_hand = |host: &Host, place: &str| {
        std::fs::create_dir_all(host.path(place)).unwrap();
        std::fs::write(host.path(place).join("k"), "by hand").unwrap();
    };
    by_hand(&host, "data/first");
    host.restart();
    let s3 = S3 { addr: host.addr(), ..s3 };
    // From here on this process has listed the backend, and does not do it again by itself.
    until("the first bucket", || (s3.get("first", "k").status == 200).then_some(()));
    for place in ["data/found", "data/both", "cold/both", "cold/photos"] {
        by_hand(&host, place);
    }
    std::fs::create_dir_all(host.path("data/hollow")).unwrap();
    assert_eq!(s3.get("found", "k").status, 404, "no request looks for buckets");
    add_backend(&host, "cold");
    host.restart();
    let s3 = S3 { addr: host.addr(), ..s3 };
    until("the bucket", || (s3.get("found", "k").status == 200).then_some(()));
    let attention = until("the attention list", || {
        let status = host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json();
        let list = status["attention"].as_array().unwrap().clone();
        let doubles: Vec<Value> = list.into_iter().filter(|one| one["code"] == "bucket_on_two_backends").collect();
        (doubles.len() == 2).then_some(doubles)
    });
    assert!(attention.iter().any(|one| one["title"].as_str().unwrap().contains("`both`")), "{attention:?}");
    assert_eq!(s3.get("both", "k").status, 404);
    refused(&host, call("GET", "/hollow"), 404, "no_such_bucket");
    let adopted = host.admin(Request::new("POST", "/_/api/admin/backends/default/adopt")).expect(200).json();
    assert_eq!(
        (&adopted["adopted"], &adopted["doubles"]),
        (&json!(["hollow"]), &json!(["both", "photos"])),
        "{adopted}"
    );
}

#[test]
fn a_dead_backend_is_named_and_the_others_serve() {
    let host = Host::start();
    let s3 = host.admin_user("ann");
    add_backend(&host, "cold");
    host.admin(call("POST", "").json(&json!({"name": "films", "backend": "cold"}))).expect(201);
    s3.make_bucket("photos");
    s3.put("films", "a", "1").expect(200);
    std::fs::rename(host.path("cold"), host.path("unplugged")).unwrap();
    until("the watch", || {
        let metrics = Request::new("GET", "/_/metrics").send(host.addr()).expect(200).text();
        metrics.contains("dgp_backend_open{backend=\"cold\"} 0").then_some(())
    });
    let gone = s3.get("films", "a").expect(503);
    assert!(gone.text().contains("`cold`"), "{}", gone.text());
    s3.put("films", "b", "2").expect(503);
    s3.put("photos", "a", "1").expect(200);
    assert_eq!(s3.get("photos", "a").expect(200).text(), "1");
    let ready = Request::new("GET", "/_/ready").send(host.addr()).expect(200).json();
    let down: Vec<&Value> = ready["backends"].as_array().unwrap().iter().filter(|one| one["up"] == false).collect();
    assert!(down.len() == 1 && down[0]["name"] == "cold", "{ready}");
    let status = host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).text();
    assert!(status.contains("backend_down"), "{status}");
    assert_eq!(host.admin(call("GET", "/films")).expect(200).json()["backend_up"], false);
    std::fs::rename(host.path("unplugged"), host.path("cold")).unwrap();
    until("the backend", || (s3.get("films", "a").status == 200).then_some(()));
}

#[test]
fn backends_and_buckets_from_the_command_line() {
    let host = Host::start();
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"));
        command.args(args).env_clear().env("DGP_SERVER", format!("http://{}", host.addr()));
        command.env("DGP_BOOTSTRAP_PASSWORD", crate::support::server::PASSWORD);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), text)
    };
    let cold = host.path("cold").display().to_string();
    let (code, plan) = run(&["backend", "create", "cold", "--path", &cold, "--dry-run"]);
    assert!(code == Some(0) && plan.ends_with("nothing was changed yet\n"), "{plan}");
    assert_eq!(run(&["backend", "create", "cold", "--path", &cold]).0, Some(0));
    let (code, made) = run(&["bucket", "create", "films", "--backend", "cold", "--quota", "1KiB"]);
    assert!(code == Some(0) && made.contains("quota_bytes: 1024"), "{made}");
    assert_eq!(run(&["bucket", "create", "other", "--quota", "1.5GiB"]).0, Some(2));
    let (_, list) = run(&["backend", "list"]);
    assert!(list.contains("cold") && list.contains("default"), "{list}");
    let (code, set) = run(&["bucket", "set", "films", "--no-quota", "--read-only", "true"]);
    assert!(code == Some(0) && set.contains("read_only: no -> yes"), "{set}");
    let (code, probe) = run(&["backend", "probe", "cold"]);
    assert!(code == Some(0) && probe.contains("up: yes"), "{probe}");
    assert_eq!(run(&["backend", "delete", "cold"]).0, Some(6));
    assert_eq!(run(&["bucket", "delete", "films"]).0, Some(0));
    assert_eq!(run(&["backend", "delete", "cold"]).0, Some(0));
    assert_eq!(run(&["bucket", "show", "films"]).0, Some(8));
}
