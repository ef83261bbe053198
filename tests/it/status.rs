//! What the console's home is told.

use crate::support::client::Request;
use crate::support::server::Host;
use serde_json::{Value, json};

fn status(host: &Host) -> Value {
    host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json()
}

fn codes(status: &Value) -> Vec<&str> {
    status["attention"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap()).collect()
}

#[test]
fn the_last_backup_is_known_after_a_restart_and_what_changed_since() {
    let mut host = Host::start();
    let fresh = status(&host);
    assert_eq!((&fresh["last_backup"], codes(&fresh)), (&Value::Null, vec![]), "a new instance has nothing to lose");
    host.user("ann", json!([]));
    assert_eq!(codes(&status(&host)), ["no_backup"]);

    let archive = host.backup();
    let last = status(&host)["last_backup"].clone();
    assert_eq!((&last["actor"], &last["bytes"]), (&json!("$bootstrap"), &json!(archive.len())));
    assert_eq!((&last["changed_since"], &last["generation"]), (&json!(false), &status(&host)["generation"]));
    assert!(last["age_secs"].as_u64().unwrap() < 60);

    host.restart();
    let same = status(&host)["last_backup"].clone();
    assert_eq!((&same["at"], &same["sha256"], &same["changed_since"]), (&last["at"], &last["sha256"], &json!(false)));
    host.user("bob", json!([]));
    let now = status(&host);
    assert_eq!((&now["last_backup"]["changed_since"], &now["counts"]["users"]), (&json!(true), &json!(2)));
    assert!(codes(&now).is_empty(), "a young backup is no worry: {now}");
    assert_eq!(now["backends"][0]["up"], true);
}

#[test]
fn a_start_without_authentication_says_so_in_the_log_and_in_health() {
    let mut host = Host::prepare().config("access: {authentication: none}\n");
    host.up();
    host.logged("access.authentication is `none`: everybody who reaches the port may read and write");
    let health = Request::new("GET", "/_/health").send(host.addr()).text();
    assert!(health.contains("authentication is switched off"), "{health}");
}
