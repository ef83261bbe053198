//! Owners that panic: no acknowledged change is lost, the others go on, and a hopeless one ends the process.

use crate::support::client::Request;
use crate::support::server::{Host, S3, target};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Mutex;

const CLIENTS: usize = 32;

/// Panics an owner at a point while 32 clients work, then compares what was acknowledged with what is there.
fn panic_at(point: &str) {
    let mut host = Host::prepare();
    host.up();
    let s3 = host.admin_user("worker");
    s3.make_bucket("work");
    host.stop();
    host.set_env("DGP_FAULT", &format!("{point}=panic@3"));
    host.up();
    let s3 = S3 { addr: host.addr(), ..s3 };
    let acknowledged = Mutex::new((BTreeSet::new(), BTreeSet::new()));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (host, s3, acknowledged) = (&host, &s3, &acknowledged);
            scope.spawn(move || work(host, s3, client, acknowledged));
        }
    });
    assert!(host.log().contains(&format!("fault point {point}")), "{point} was never reached");
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
fn the_owner_of_the_view_panics() {
    panic_at("system.mutate");
}

#[test]
fn the_writer_of_the_database_panics() {
    panic_at("iam_db.write");
}
