//! Another bootstrap password: in force at once, refused where it must be, and never half changed.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD};
use serde_json::{Value, json};

const NEW: &str = "another-password-2";

fn change(current: &str, new: &str) -> Request {
    let body = json!({"current_password": current, "new_password": new});
    Request::new("PUT", "/_/api/admin/password").json(&body)
}

fn status(host: &Host) -> Value {
    host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json()
}

fn code(reply: &Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_new_password_is_in_force_at_once_and_after_a_restart() {
    let mut host = Host::start();
    let s3 = host.admin_user("ann");
    s3.make_bucket("kept");
    s3.put("kept", "k", "kept").expect(200);
    let other = host.login(PASSWORD).expect(200);
    let other = other.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned();
    let before = std::fs::read_to_string(host.path(".deltaglider_bootstrap_hash")).unwrap();
    assert_eq!(host.admin(change(PASSWORD, NEW)).expect(200).json(), json!({"ok": true}));
    assert_ne!(std::fs::read_to_string(host.path(".deltaglider_bootstrap_hash")).unwrap(), before);

    host.login(PASSWORD).expect(401);
    host.login(NEW).expect(200);
    host.admin(Request::new("GET", "/_/api/admin/session")).expect(200);
    let session = Request::new("GET", "/_/api/admin/session").header("Cookie", &other);
    session.send(host.addr()).expect(401);
    assert_eq!(s3.get("kept", "k").expect(200).text(), "kept");
    assert_eq!(host.user_names(), ["ann"]);
    s3.put("kept", "k2", "goes on").expect(200);
    host.user("bob", json!([]));

    // The environment still has the first password: beside a database it is no news.
    host.set_password(NEW);
    host.restart();
    host.login(PASSWORD).expect(401);
    assert_eq!(host.user_names(), ["ann", "bob"]);
    host.restore(&host.backup()).expect(200);
}

#[test]
fn a_wrong_or_weak_password_changes_nothing() {
    let host = Host::start();
    assert_eq!(code(&host.admin(change("not the password", NEW)).expect(401)), "wrong_credentials");
    assert_eq!(code(&host.admin(change(PASSWORD, "too short")).expect(400)), "invalid_password");
    change(PASSWORD, NEW).send(host.addr()).expect(401);
    host.login(PASSWORD).expect(200);
}

#[test]
fn a_pinned_password_is_changed_where_it_is_pinned() {
    let mut first = Host::start();
    let hash = std::fs::read_to_string(first.path(".deltaglider_bootstrap_hash")).unwrap();
    first.stop();
    let mut host = Host::prepare().env("DGP_BOOTSTRAP_PASSWORD", "").env("DGP_BOOTSTRAP_PASSWORD_HASH", hash.trim());
    host.up();
    assert_eq!(status(&host)["bootstrap_password"]["pinned"], true);
    let refused = host.admin(change(PASSWORD, NEW)).expect(409);
    assert_eq!(code(&refused), "password_pinned");
    assert!(refused.json()["hint"].as_str().unwrap().contains("hash-password"));
    host.login(PASSWORD).expect(200);
}

#[test]
fn a_password_that_went_through_the_log_is_named_until_it_is_changed() {
    let mut host = Host::prepare().env("DGP_BOOTSTRAP_PASSWORD", "");
    host.up();
    let log = host.log();
    let printed = log.split("bootstrap password: ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    host.set_password(printed);
    let whoami = || Request::new("GET", "/_/api/whoami").send(host.addr()).expect(200).json();
    assert_eq!((&whoami()["mode"], &whoami()["password_logged"]), (&json!("bootstrap"), &json!(true)));
    let codes = |status: &Value| -> Vec<String> {
        let list = status["attention"].as_array().unwrap();
        list.iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(&status(&host)), ["password_logged"]);
    host.admin(change(printed, NEW)).expect(200);
    assert_eq!(whoami()["password_logged"], false);
    assert!(codes(&status(&host)).is_empty());
}

/// Kills the server at a point of the change: afterwards one of the two passwords opens everything, the other nothing.
fn killed_at(point: &str) {
    let mut host = Host::start();
    host.user("ann", json!([]));
    host.stop();
    host.set_env("DGP_FAULT", &format!("{point}=kill"));
    host.up();
    host.try_admin(change(PASSWORD, NEW)).map(|reply| reply.status).expect_err(point);
    assert!(host.ended().killed(), "{point} was never reached");
    host.set_env("DGP_FAULT", "");
    host.up();
    let committed = !matches!(point, "backup.password" | "backup.password.staged" | "swap.before_journal");
    let (right, wrong) = if committed { (NEW, PASSWORD) } else { (PASSWORD, NEW) };
    host.login(wrong).expect(401);
    host.set_password(right);
    assert_eq!(host.user_names(), ["ann"], "{point}");
    host.admin(change(right, "yet-another-password-3")).expect(200);
    let left = std::fs::read_dir(host.path("swap")).into_iter().flatten().count();
    assert_eq!(left, 0, "{point}: staged files are left");
}

#[test]
fn killed_at_any_point_it_is_the_old_password_or_the_new_one() {
    for point in [
        "backup.password",
        "backup.password.staged",
        "swap.before_journal",
        "swap.after_journal",
        "swap.after_move.0",
        "swap.after_move.1",
        "system.swap.moved",
        "system.swap.owners",
        "swap.before_finish",
        "swap.after_finish",
    ] {
        killed_at(point);
    }
}
