//! When a session ends, and when it is too old for what shows or replaces secrets: by a clock that the test sets.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD, login_request, restore_request};
use serde_json::json;
use std::path::{Path, PathBuf};

const MINUTE: i64 = 60;

/// A server, and the file that says how far its clock is ahead.
fn host() -> (Host, PathBuf) {
    let mut host = Host::prepare().config("access: {session_lifetime: 2h, session_idle: 30m, reauth_window: 10m}\n");
    let clock = host.path("clock");
    host.set_env("DGP_FAULT_CLOCK", &clock.to_string_lossy());
    host.up();
    (host, clock)
}

fn set(clock: &Path, minutes: i64) {
    std::fs::write(clock, (minutes * MINUTE).to_string()).unwrap();
}

fn get(path: &str) -> Request {
    Request::new("GET", &format!("/_/api/admin/{path}"))
}

/// The cookie of a new session.
fn session(host: &Host) -> String {
    let reply = login_request(PASSWORD).send(host.addr()).expect(200);
    reply.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap().to_owned()
}

fn with(host: &Host, cookie: &str, request: Request) -> Reply {
    request.header("Cookie", cookie).send(host.addr())
}

#[test]
fn a_session_ends_when_nobody_uses_it_and_at_last_though_it_is_used() {
    let (mut host, clock) = host();
    let (idle, busy) = (session(&host), session(&host));
    for minutes in (0..120).step_by(29) {
        set(&clock, minutes);
        with(&host, &busy, get("users")).expect(200);
        if minutes == 29 {
            with(&host, &idle, get("users")).expect(200);
        }
    }
    with(&host, &idle, get("users")).expect(401);
    host.restart();
    with(&host, &busy, get("users")).expect(200);
    set(&clock, 121);
    with(&host, &busy, get("users")).expect(401);
}

#[test]
fn what_shows_or_replaces_secrets_asks_for_a_recent_sign_in() {
    let (host, clock) = host();
    let archive = host.backup();
    let token = json!({"name": "nightly", "role": "admin", "expires_in": "1d"});
    let token = host.admin(Request::new("POST", "/_/api/admin/tokens").json(&token)).expect(201).json();
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let cookie = session(&host);
    set(&clock, 11);
    let password = json!({"current_password": "x", "new_password": "another-long-one"});
    for request in [
        get("backup"),
        restore_request(&archive),
        Request::new("POST", "/_/api/admin/backup/undo"),
        Request::new("PUT", "/_/api/admin/password").json(&password),
    ] {
        let what = format!("{} {}", request.method, request.target);
        let refused = with(&host, &cookie, request).expect(403).json();
        assert_eq!(refused["code"], "reauthentication_required", "{what}");
    }
    with(&host, &cookie, get("users")).expect(200);
    get("backup").header("Authorization", &bearer).send(host.addr()).expect(200);
    let again = session(&host);
    with(&host, &again, get("backup")).expect(200);
    with(&host, &again, restore_request(&archive)).expect(200);
}
