//! A database that no hash of the host opens: what a locked start leaves alone, and the ways back in.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD};
use actors::db::password::PasswordHash;
use serde_json::json;

const OTHER: &str = "another-password-of-the-host";
const DATABASE: &str = "deltaglider_config.db";
const HASH_FILE: &str = ".deltaglider_bootstrap_hash";

fn hash_of(password: &str) -> String {
    PasswordHash::make(password).unwrap().expose().to_owned()
}

fn recover(host: &Host, body: serde_json::Value) -> Reply {
    host.admin(Request::new("POST", "/_/api/admin/recover-db").json(&body))
}

/// A host with a user, whose hash file was then replaced by that of another password: its start is locked. Also the old hash.
fn locked() -> (Host, String) {
    let mut host = Host::start();
    host.admin_user("ann");
    host.stop();
    let old = std::fs::read_to_string(host.path(HASH_FILE)).unwrap().trim().to_owned();
    std::fs::write(host.path(HASH_FILE), hash_of(OTHER) + "\n").unwrap();
    host.set_env("DGP_BOOTSTRAP_PASSWORD", "");
    host.set_password(OTHER);
    (host, old)
}

fn is_locked(host: &Host) -> bool {
    Request::new("GET", "/_/health").send(host.addr()).expect(200).json()["locked"] == true
}

#[test]
fn a_locked_start_touches_nothing_and_lets_nobody_else_in() {
    let (mut host, _) = locked();
    let files = [DATABASE, HASH_FILE];
    let before = files.map(|file| std::fs::read(host.path(file)).unwrap());
    host.up();
    assert!(is_locked(&host));
    Request::new("GET", "/photos/a").send(host.addr()).expect(503);
    host.login(PASSWORD).expect(401);
    for (method, path) in
        [("GET", "/users"), ("GET", "/backup"), ("GET", "/backups"), ("POST", "/backups"), ("PUT", "/password")]
    {
        let refused = host.admin(Request::new(method, &format!("/_/api/admin{path}")));
        assert_eq!(refused.json()["code"], "db_key_mismatch", "{method} {path}");
        assert!(refused.text().contains("SQLCipher: file is not a database"), "{}", refused.text());
    }
    assert_eq!(recover(&host, json!({"password": "a wrong guess"})).expect(401).json()["code"], "wrong_credentials");
    recover(&host, json!({"hash": hash_of("a wrong guess")})).expect(401);
    recover(&host, json!({})).expect(400);
    recover(&host, json!({"password": "a", "hash": "b"})).expect(400);
    Request::new("POST", "/_/api/admin/recover-db").json(&json!({"password": PASSWORD})).send(host.addr()).expect(401);
    host.restart();
    assert_eq!(files.map(|file| std::fs::read(host.path(file)).unwrap()), before);
}

#[test]
fn the_old_password_or_its_hash_opens_it_again() {
    for by_hash in [false, true] {
        let (mut host, old) = locked();
        host.up();
        let body = if by_hash { json!({"hash": old}) } else { json!({"password": PASSWORD}) };
        let answer = recover(&host, body).expect(200).json();
        assert_eq!((&answer["recovered"], &answer["rekeyed"]), (&json!(true), &json!(false)));
        assert_eq!(host.user_names(), ["ann"], "the session that did it goes on");
        assert!(!is_locked(&host));
        host.login(OTHER).expect(401);
        host.set_password(PASSWORD);
        host.restart();
        assert_eq!((host.user_names(), is_locked(&host)), (vec!["ann".to_owned()], false));
        assert_eq!(recover(&host, json!({"password": PASSWORD})).expect(409).json()["code"], "not_locked");
        let rows = host.admin(Request::new("GET", "/_/api/admin/audit")).expect(200).text();
        assert!(rows.contains("database.recover"));
    }
}

#[test]
fn where_a_hash_is_pinned_the_database_goes_over_to_it() {
    let (mut host, old) = locked();
    std::fs::remove_file(host.path(HASH_FILE)).unwrap();
    host.set_env("DGP_BOOTSTRAP_PASSWORD_HASH", &hash_of(OTHER));
    host.up();
    assert!(is_locked(&host));
    assert_eq!(recover(&host, json!({"hash": old})).expect(200).json()["rekeyed"], true);
    assert_eq!(host.user_names(), ["ann"]);
    host.restart();
    assert_eq!((host.user_names(), is_locked(&host)), (vec!["ann".to_owned()], false));
    host.login(PASSWORD).expect(401);
}

#[test]
fn a_restore_in_locked_state_sets_the_file_aside() {
    let other = Host::start();
    other.admin_user("eve");
    let archive = other.backup();
    let (mut host, _) = locked();
    let before = std::fs::read(host.path(DATABASE)).unwrap();
    host.up();
    host.restore(&archive).expect(200);
    let aside = std::fs::read_dir(host.path(""))
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with("deltaglider_config.db.locked-"));
    assert!(std::fs::read(aside.expect("it was set aside").path()).unwrap() == before);
    host.set_password(PASSWORD);
    assert_eq!(host.user_names(), ["eve"]);
}

#[test]
fn killed_at_any_point_the_host_is_locked_or_open() {
    for point in
        ["backup.recover", "backup.recover.staged", "swap.after_journal", "swap.after_move.0", "swap.before_finish"]
    {
        let (mut host, _) = locked();
        host.set_env("DGP_FAULT", &format!("{point}=kill"));
        host.up();
        let request = Request::new("POST", "/_/api/admin/recover-db").json(&json!({"password": PASSWORD}));
        assert!(host.try_admin(request).is_err(), "{point} was not reached");
        assert!(host.ended().killed());
        host.set_env("DGP_FAULT", "");
        host.up();
        if is_locked(&host) {
            assert!(!point.starts_with("swap."), "{point}: past the journal it is done");
            recover(&host, json!({"password": PASSWORD})).expect(200);
        }
        host.set_password(PASSWORD);
        assert_eq!(host.user_names(), ["ann"], "{point}");
    }
}
