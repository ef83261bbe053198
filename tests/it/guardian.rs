//! Owners that panic: no acknowledged change is lost, the others go on, and a hopeless one ends the process.

use crate::support::client::Request;
use crate::support::eventually;
use crate::support::idp::{Idp, NAME, back, parameter, session};
use crate::support::server::{Host, PASSWORD, S3, restore_request, target};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Mutex;

const CLIENTS: usize = 32;

/// Panics an owner at a point while 32 clients work, then compares what was acknowledged with what is there.
fn panic_at(point: &str) {
    panic_with(point, &format!("{point}=panic@3"));
}

fn panic_with(point: &str, faults: &str) {
    let mut host = Host::prepare();
    host.up();
    let s3 = host.admin_user("worker");
    s3.make_bucket("work");
    host.stop();
    host.set_env("DGP_FAULT", faults);
    host.up();
    let s3 = S3 { addr: host.addr(), ..s3 };
    let acknowledged = Mutex::new((BTreeSet::new(), BTreeSet::new()));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (host, s3, acknowledged) = (&host, &s3, &acknowledged);
            scope.spawn(move || work(host, s3, client, acknowledged));
        }
    });
    host.logged(&format!("fault point {point}"));
    let (keys, users) = acknowledged.into_inner().expect("no client panicked");
    for key in &keys {
        assert_eq!(s3.get("work", key).expect(200).text(), *key, "{point}");
    }
    let there: BTreeSet<String> = host.user_names().into_iter().collect();
    assert!(there.is_superset(&users), "{point}: lost {:?}", users.difference(&there).collect::<Vec<_>>());
    s3.put("work", "after", "all is well").expect(200);
    host.user("after", json!([]));
    Request::new("GET", "/_/ready").send(host.addr()).expect(200);
}

fn work(host: &Host, s3: &S3, client: usize, acknowledged: &Mutex<(BTreeSet<String>, BTreeSet<String>)>) {
    for round in 0..4 {
        let name = format!("c{client:02}-{round}");
        let put = s3.send(Request::new("PUT", &target("work", &name)).body(name.clone()));
        assert!(matches!(put.status, 200 | 500..), "{} {}", put.status, put.text());
        s3.send(Request::new("DELETE", &target("work", &format!("{name}-none"))));
        let body = json!({ "name": name, "permissions": [] });
        let user = host.admin(Request::new("POST", "/_/api/admin/users").json(&body));
        assert!(matches!(user.status, 201 | 500..), "{} {}", user.status, user.text());
        let mut done = acknowledged.lock().expect("no client panicked");
        if put.status == 200 {
            done.0.insert(name.clone());
        }
        if user.status == 201 {
            done.1.insert(name);
        }
    }
}

/// Panics an owner at a point that object traffic and user changes do not reach, while 32 clients do all the rest that an operator's
/// tools do. Nothing may answer but success, a refusal that says why, or 5xx; and nothing acknowledged may be lost.
fn panic_beside(point: &str) {
    let mut host = Host::prepare();
    host.up();
    let s3 = host.admin_user("worker");
    let archive = host.backup();
    host.stop();
    // The first visits are the start's own.
    host.set_env("DGP_FAULT", &format!("{point}=panic@12"));
    host.up();
    let s3 = S3 { addr: host.addr(), ..s3 };
    // All clients share a session; where the point is met while it is opened, it is opened again.
    eventually("a session is opened", || host.try_admin(Request::new("GET", "/_/api/admin/session")).is_ok());
    let acknowledged = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (host, s3, archive, acknowledged) = (&host, &s3, &archive, &acknowledged);
            scope.spawn(move || operate(host, s3, archive, client, acknowledged));
        }
    });
    host.logged(&format!("fault point {point}"));
    for bucket in acknowledged.into_inner().expect("no client panicked") {
        s3.send(Request::new("HEAD", &format!("/{bucket}"))).expect(200);
    }
    host.user("after", json!([]));
    host.login(PASSWORD).expect(200);
    Request::new("GET", "/_/ready").send(host.addr()).expect(200);
    host.restore(&archive).expect(200);
}

fn operate(host: &Host, s3: &S3, archive: &[u8], client: usize, acknowledged: &Mutex<BTreeSet<String>>) {
    for round in 0..2 {
        let bucket = format!("b{client:02}-{round}");
        if s3.send(Request::new("PUT", &format!("/{bucket}"))).status == 200 {
            acknowledged.lock().expect("no client panicked").insert(bucket.clone());
        }
        let gone = format!("{bucket}-gone");
        s3.send(Request::new("PUT", &format!("/{gone}")));
        s3.send(Request::new("DELETE", &format!("/{gone}")));
        let admin = |method: &str, path: &str| Request::new(method, &format!("/_/api/admin/{path}"));
        let calls = [
            Request::new("GET", "/_/ready"),
            admin("GET", "sessions"),
            admin("GET", "audit?limit=5"),
            admin("GET", "backup"),
            admin("GET", "backup/restores"),
            admin("POST", "backup/verify").body(archive),
            admin("POST", "backup?dry_run=true").body(archive),
            admin("DELETE", "sessions/000000000000"),
        ];
        for call in calls {
            let reply = host.admin(call);
            // 401 while the owner of sessions cannot be asked is no answer; 409 is another plan under way.
            assert!(matches!(reply.status, 200 | 404 | 409 | 500..), "{} {}", reply.status, reply.text());
        }
        let login = host.login(PASSWORD).status;
        assert!(matches!(login, 200 | 429 | 500..), "login: {login}");
    }
}

/// A restore whose owner dies before the commit point: nothing has changed, the fence is lifted, the next one works.
fn restore_breaks_off_at(point: &str) {
    let mut host = Host::prepare();
    host.up();
    host.user("ann", json!([]));
    let archive = host.backup();
    host.user("bob", json!([]));
    host.stop();
    host.set_env("DGP_FAULT", &format!("{point}=panic"));
    host.up();
    let reply = host.admin(restore_request(&archive));
    assert!(reply.status >= 500, "{point}: {} {}", reply.status, reply.text());
    host.logged(&format!("fault point {point}"));
    assert_eq!(host.user_names(), ["ann", "bob"], "{point}");
    eventually("the fence is lifted", || {
        let body = json!({ "name": "carl", "permissions": [] });
        matches!(host.admin(Request::new("POST", "/_/api/admin/users").json(&body)).status, 201)
    });
    eventually("the next restore works", || host.admin(restore_request(&archive)).status == 200);
    assert_eq!(host.user_names(), ["ann"], "{point}");
}

#[test]
fn the_owner_of_backups_panics_before_the_commit_point() {
    let points =
        ["backup.restore", "backup.verified", "backup.planned", "backup.written", "backup.staged", "backup.fenced"];
    points.into_iter().for_each(restore_breaks_off_at);
}

#[test]
fn the_owner_of_the_view_panics_before_the_commit_point() {
    ["system.fence", "system.swap_all", "config.current"].into_iter().for_each(restore_breaks_off_at);
}

#[test]
fn the_owner_of_backups_panics_beside_others() {
    ["backup.export", "backup.exported", "backup.verify", "backup.restores"].into_iter().for_each(panic_beside);
}

#[test]
fn the_owner_of_sessions_panics() {
    ["session.find", "session.open", "session.list", "session.revoke"].into_iter().for_each(panic_beside);
}

/// Panics the owner of sessions where a sign-in with a provider asks it, while others work with the sessions that they have.
fn sign_in_breaks_off_at(point: &str) {
    let (mut host, idp) = (Host::start(), Idp::start());
    idp.register(&host, json!({}));
    let ann = session(&idp.sign_in(&host)).expect("a session is opened");
    let s3 = host.admin_user("worker");
    s3.make_bucket("work");
    host.stop();
    host.set_env("DGP_FAULT", &format!("{point}=panic"));
    host.up();
    let s3 = S3 { addr: host.addr(), ..s3 };
    let begun = Request::new("GET", &format!("/_/api/admin/oauth/authorize/{NAME}")).send(host.addr());
    let broken = match begun.status {
        303 => {
            let state = parameter(begun.header("location").unwrap(), "state").expect("there is a state");
            let cookie =
                begun.header("set-cookie").and_then(|c| c.split(';').next()).expect("the browser is tied to it");
            back(&state).header("Cookie", cookie).send(host.addr())
        }
        _ => begun,
    };
    assert!(broken.status >= 500, "{point}: {} {}", broken.status, broken.text());
    host.logged(&format!("fault point {point}"));
    s3.put("work", "k", "x").expect(200);
    eventually("somebody signs in again", || {
        let begun = Request::new("GET", &format!("/_/api/admin/oauth/authorize/{NAME}")).send(host.addr());
        begun.status == 303
    });
    assert!(session(&idp.sign_in(&host)).is_some(), "{point}");
    let own = Request::new("GET", "/_/api/admin/session").header("Cookie", &ann).send(host.addr());
    assert_eq!(own.expect(200).json()["identity"], "ann@example.com", "{point}: the sessions that were are there");
}

#[test]
fn the_owner_of_sessions_panics_while_somebody_signs_in() {
    ["session.begin_login", "session.take_login"].into_iter().for_each(sign_in_breaks_off_at);
}

#[test]
fn the_owner_of_sessions_panics_while_it_ends_many() {
    let mut host = Host::start();
    let other = host.login(PASSWORD).expect(200);
    let other = other.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned();
    host.stop();
    host.set_env("DGP_FAULT", "session.revoke_all=panic");
    host.up();
    let end = || host.admin(Request::new("DELETE", "/_/api/admin/me/sessions"));
    let broken = end();
    assert!(broken.status >= 500, "{} {}", broken.status, broken.text());
    eventually("they are ended", || end().status == 200);
    Request::new("GET", "/_/api/admin/session").header("Cookie", &other).send(host.addr()).expect(401);
}

#[test]
fn the_owner_of_the_audit_log_and_its_writer_panic() {
    ["audit.record", "audit.written", "state_db.run"].into_iter().for_each(panic_beside);
}

#[test]
fn the_owner_of_a_backend_panics_with_its_buckets() {
    ["store.create_bucket", "store.delete_bucket", "store.probe"].into_iter().for_each(panic_beside);
}

#[test]
fn the_fourth_death_within_a_minute_ends_the_process() {
    let mut host = Host::prepare();
    host.up();
    host.stop();
    // One owner, four different points: each panics once.
    host.set_env("DGP_FAULT", "session.find=panic,session.open=panic,session.list=panic,session.revoke=panic");
    host.up();
    eventually("a login works again", || host.login(PASSWORD).status == 200);
    eventually("the process ends", || {
        let list = Request::new("GET", "/_/api/admin/sessions");
        let revoke = Request::new("DELETE", "/_/api/admin/sessions/000000000000");
        host.try_admin(list).is_err() || host.try_admin(revoke).is_err()
    });
    assert_eq!(host.ended().status.code(), Some(13));
}

#[test]
fn the_owner_of_a_backend_panics() {
    for point in ["store.begin_write", "store.commit", "store.delete"] {
        panic_at(point);
    }
}

#[test]
fn the_owner_of_identities_panics() {
    for point in ["iam.apply", "iam.applied"] {
        panic_at(point);
    }
}

#[test]
fn an_owner_panics_again_while_it_is_rebuilt() {
    // The first visit of each second point is the start's own.
    panic_with("iam_db.load", "iam.apply=panic@3,iam_db.load=panic@2");
    panic_with("iam.current", "iam.apply=panic@3,iam.current=panic@2");
}

#[test]
fn the_owner_of_the_view_panics() {
    ["system.mutate", "system.publish"].into_iter().for_each(panic_at);
}

#[test]
fn the_writer_of_the_database_panics() {
    panic_at("iam_db.write");
}
