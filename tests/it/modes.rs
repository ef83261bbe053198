//! The modes and strategies of a restore, as a caller sees them.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD};
use serde_json::json;

const OTHER: &str = "another-host-password-2";

fn restore(host: &Host, query: &str, archive: &[u8]) -> Reply {
    host.admin(Request::new("POST", &format!("/_/api/admin/backup?{query}")).body(archive))
}

/// An instance with a user, a bucket and a setting, and its archive.
fn source() -> Vec<u8> {
    let mut source = Host::prepare().config("advanced: {clock_skew_seconds: 800}\n");
    source.up();
    source.admin_user("captured").make_bucket("captured-bucket");
    source.backup()
}

/// Another one, with another user, password and setting.
fn target() -> Host {
    let mut target = Host::prepare().password(OTHER).config("access: {session_idle: 2h}\n");
    target.up();
    target.user("resident", json!([]));
    target
}

fn file(host: &Host) -> String {
    std::fs::read_to_string(host.path("config.yaml")).expect("there is a config file")
}

fn buckets(host: &Host) -> u64 {
    host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json()["counts"]["buckets"].as_u64().unwrap()
}

#[test]
fn each_mode_takes_its_part_and_the_host_restarts_on_it() {
    let archive = source();
    for (mode, users, region, made, password) in [
        ("full", &["captured"][..], true, 1, PASSWORD),
        ("preserve-bootstrap", &["captured"][..], true, 1, OTHER),
        ("iam-only", &["captured"][..], false, 0, OTHER),
        ("config-only", &["resident"][..], true, 1, OTHER),
    ] {
        let mut host = target();
        let before = host.exported().state();
        let plan = restore(&host, &format!("mode={mode}&dry_run=true"), &archive).expect(200).json();
        assert_eq!((&plan["mode"], &plan["restored"]), (&json!(mode), &json!(false)));
        assert_eq!(host.exported().state(), before, "{mode}: a plan changes nothing");
        let outcome = restore(&host, &format!("mode={mode}"), &archive).expect(200).json();
        assert_eq!((&outcome["mode"], &outcome["changes"]), (&json!(mode), &plan["changes"]));
        for started in ["now", "after a restart"] {
            host.set_password(password);
            assert_eq!(host.user_names(), users, "{mode}, {started}");
            assert_eq!(file(&host).contains("clock_skew_seconds: 800"), region, "{mode}, {started}: {}", file(&host));
            assert_eq!(file(&host).contains("session_idle"), !region, "{mode}, {started}: {}", file(&host));
            assert_eq!(buckets(&host), made, "{mode}, {started}");
            host.restart();
        }
        host.login(if password == OTHER { PASSWORD } else { OTHER }).expect(401);
    }
}

#[test]
fn a_merge_adds_and_overwrites_nothing_in_every_mode() {
    let archive = source();
    for (mode, users, region, made) in [
        ("full", &["captured", "resident"][..], true, 1),
        ("iam-only", &["captured", "resident"][..], false, 0),
        ("config-only", &["resident"][..], true, 1),
    ] {
        let mut host = target();
        let query = format!("mode={mode}&strategy=merge");
        restore(&host, &query, &archive).expect(200);
        assert_eq!(host.user_names(), users, "{mode}");
        assert!(file(&host).contains("session_idle: 2h"), "{mode}: {}", file(&host));
        assert_eq!(file(&host).contains("clock_skew_seconds: 800"), region, "{mode}: {}", file(&host));
        assert_eq!(buckets(&host), made, "{mode}");
        let parts = |host: &Host| host.exported().state().1;
        let first = parts(&host);
        let again = restore(&host, &query, &archive).expect(200).json();
        assert_eq!(again["users_created"], 0);
        assert_eq!(parts(&host), first, "{mode}: twice is once");
        host.restart();
        assert_eq!(host.user_names(), users, "{mode}");
        assert_eq!(parts(&host), first, "{mode}");
    }
}

#[test]
fn iam_alone_is_restored_on_a_host_whose_config_cannot_be_replaced() {
    let archive = source();
    let host = target();
    let path = host.path("config.yaml");
    let mut rights = std::fs::metadata(&path).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&path, rights).unwrap();
    let before = host.exported().state();
    let refused = restore(&host, "", &archive).expect(409).json();
    assert_eq!(refused["code"], "config_read_only");
    assert_eq!(host.exported().state(), before);
    restore(&host, "mode=iam-only", &archive).expect(200);
    assert_eq!(host.user_names(), ["captured"]);
}

#[test]
fn an_unknown_revive_and_a_set_without_config_change_nothing() {
    let archive = source();
    let host = target();
    let before = host.exported().state();
    for (query, code) in [("revive=nobody", "unknown_revive"), ("mode=iam-only&set=advanced.region=x", "bad_parameter")]
    {
        let refused = restore(&host, query, &archive).expect(400).json();
        assert_eq!(refused["code"], code, "{query}: {refused}");
    }
    assert_eq!(host.exported().state(), before);
}
