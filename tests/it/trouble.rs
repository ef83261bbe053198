//! Restores in trouble and under load: a full disk costs the restore and nothing else, and nobody else's request notices one.

use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD, S3, login_request};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

fn restore(host: &Host, mode: &str, archive: &[u8]) -> crate::support::client::Reply {
    host.admin(Request::new("POST", &format!("/_/api/admin/backup?mode={mode}")).body(archive))
}

#[test]
fn a_full_disk_costs_the_restore_or_the_undo_and_nothing_else() {
    for point in ["backup.written", "swap.before_journal"] {
        let mut host = Host::start();
        host.user("ann", json!([]));
        let archive = host.backup();
        restore(&host, "full", &archive).expect(200);
        host.user("bob", json!([]));
        for request in [
            Request::new("POST", "/_/api/admin/backup").body(archive.clone()),
            Request::new("POST", "/_/api/admin/backup/undo?discard_later_changes=true"),
        ] {
            host.stop();
            host.set_env("DGP_FAULT", &format!("{point}=full"));
            host.up();
            let before = host.exported().state();
            let refused = host.admin(request.clone()).expect(507).json();
            assert_eq!(refused["code"], "disk_full", "{point}");
            assert_eq!(host.exported().state(), before, "{point}: {}", request.target);
            let left = std::fs::read_dir(host.path("swap")).into_iter().flatten().count();
            assert_eq!((left, host.path("restore.journal").exists()), (0, false), "{point}");
            let kept = std::fs::read_dir(host.path("undo")).into_iter().flatten().count();
            host.user(&format!("since-{kept}-{}", request.body.len()), json!([]));
            host.admin(request).expect(200);
        }
    }
}

#[test]
fn a_state_directory_that_cannot_be_written_refuses_before_any_change() {
    let host = Host::start();
    host.user("ann", json!([]));
    let archive = host.backup();
    host.user("bob", json!([]));
    // A file where the staging's directory would be: what a directory without rights is to anybody but root.
    std::fs::remove_dir(host.path("swap")).unwrap();
    std::fs::write(host.path("swap"), "in the way").unwrap();
    let before = host.exported().state();
    let status = restore(&host, "full", &archive).status;
    assert!((400..600).contains(&status), "{status}");
    assert_eq!(host.exported().state(), before);
    std::fs::remove_file(host.path("swap")).unwrap();
    restore(&host, "full", &archive).expect(200);
    assert_eq!(host.user_names(), ["ann"]);
}

#[test]
fn a_clock_that_jumps_neither_stops_a_restore_nor_revives_anybody() {
    let mut host = Host::prepare();
    let clock = host.path("clock");
    host.set_env("DGP_FAULT_CLOCK", &clock.to_string_lossy());
    host.up();
    host.user("ann", json!([]));
    host.user("bob", json!([]));
    let archive = host.backup();
    let id = user_id(&host, "ann");
    host.admin(Request::new("DELETE", &format!("/_/api/admin/users/{id}"))).expect(204);
    const YEAR: i64 = 365 * 86_400;
    for (jump, when) in [(10 * YEAR, "ten years on"), (-20 * YEAR, "ten years back"), (0, "now")] {
        std::fs::write(&clock, jump.to_string()).unwrap();
        // Sessions of another time may be over; a new one is not.
        host.set_password(PASSWORD);
        let (before, users) = (epoch(&host), host.user_names());
        restore(&host, "full", &archive).expect(200);
        assert_eq!(epoch(&host), before + 1, "{when}");
        for started in ["now", "after a restart"] {
            let users = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
            let ann = users.as_array().unwrap().iter().find(|user| user["name"] == "ann").expect("she is listed");
            assert_eq!(ann["enabled"], false, "{when}, {started}: who was deleted after the capture stays disabled");
            host.restart();
        }
        host.admin(Request::new("POST", "/_/api/admin/backup/undo")).expect(200);
        assert_eq!(host.user_names(), users, "{when}");
        host.restart();
        host.user(&format!("made {when}"), json!([]));
    }
}

#[test]
fn the_same_archive_three_times_revives_no_user_key_or_token() {
    let host = Host::start();
    let [left, barred, rotated] = ["left", "barred", "rotated"].map(|name| host.admin_user(name));
    let token = json!({"name": "ci", "role": "admin", "expires_in": "1h"});
    let token = Request::new("POST", "/_/api/admin/tokens").json(&token);
    let token = host.admin(token).expect(201).json();
    let bearer = format!("Bearer {}", token["token"].as_str().expect("it is shown once"));
    let archive = host.backup();
    let users = |name: &str| format!("/_/api/admin/users/{}", user_id(&host, name));
    host.admin(Request::new("PUT", &users("barred")).json(&json!({"enabled": false}))).expect(200);
    host.admin(Request::new("POST", &format!("{}/rotate-keys", users("rotated")))).expect(200);
    host.admin(Request::new("DELETE", &users("left"))).expect(204);
    let id = token["id"].as_str().expect("it has an id");
    host.admin(Request::new("DELETE", &format!("/_/api/admin/tokens/{id}"))).expect(204);
    for turn in 0..3 {
        let warnings = restore(&host, "full", &archive).expect(200).json()["warnings"].to_string();
        assert!(warnings.contains(id), "{turn}: {warnings}");
        for (name, s3) in [("left", &left), ("barred", &barred), ("rotated", &rotated)] {
            assert_eq!(s3.send(Request::new("GET", "/")).status, 403, "{turn}: {name}");
        }
        let asked = Request::new("GET", "/_/api/admin/users").header("Authorization", &bearer).send(host.addr());
        assert_eq!(asked.status, 401, "{turn}");
    }
}

/// Says that it is over when it goes, be it by a failed check: nobody waits for a thread that waits for it.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn user_id(host: &Host, name: &str) -> String {
    let users = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
    let user =
        users.as_array().unwrap().iter().find(|user| user["name"] == name).expect("there is such a user").clone();
    user["id"].as_str().unwrap().to_owned()
}

fn epoch(host: &Host) -> u64 {
    host.exported().json("manifest.json")["epoch"].as_u64().unwrap()
}

#[test]
fn uploads_and_logins_go_on_during_restores_and_each_sees_one_generation() {
    let host = Host::start();
    let ann = host.admin_user("ann");
    ann.make_bucket("shared");
    let one = host.backup();
    for name in ["bob", "carol", "dave"] {
        host.user(name, json!([]));
    }
    let four = host.backup();
    let (addr, over) = (host.addr(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for uploader in 0..2 {
            let (s3, over) = (S3 { addr, ..ann.clone() }, &over);
            scope.spawn(move || {
                for turn in 0.. {
                    let (key, body) = (format!("{uploader}/{turn}"), format!("body {turn}"));
                    s3.put("shared", &key, body.clone()).expect(200);
                    assert_eq!(s3.get("shared", &key).expect(200).text(), body);
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        let over = &over;
        scope.spawn(move || {
            let mut seen = BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                let login = login_request(PASSWORD).send(addr);
                // Too many sign-ins at once are sent away, restore or not.
                let Some(cookie) = login.header("set-cookie").and_then(|c| c.split(';').next()) else {
                    assert_eq!(login.status, 429, "{}", login.text());
                    continue;
                };
                let list = Request::new("GET", "/_/api/admin/users").header("Cookie", cookie).send(addr);
                if list.status == 401 {
                    continue;
                }
                let users = list.expect(200).json();
                seen.insert(users.as_array().unwrap().len());
            }
            assert!(seen.iter().all(|count| [1, 4].contains(count)), "somebody saw half a restore: {seen:?}");
        });
        let _over = Over(over);
        for turn in 0..6 {
            restore(&host, "full", if turn % 2 == 0 { &one } else { &four }).expect(200);
        }
    });
    assert_eq!(host.user_names().len(), 4);
}

#[test]
fn a_write_to_a_bucket_that_a_restore_moves_is_answered_503_or_is_there() {
    let mut host = Host::prepare().config(
        "storage:\n  backends:\n    - {name: one, type: filesystem, path: ./one}\n    - {name: two, type: filesystem, path: ./two}\n",
    );
    host.up();
    let ann = host.admin_user("ann");
    ann.make_bucket("moves");
    let archive = host.backup();
    let (addr, over) = (host.addr(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let over = &over;
        let s3 = S3 { addr, ..ann.clone() };
        scope.spawn(move || {
            for turn in 0.. {
                let reply = s3.put("moves", &format!("k{turn}"), "v");
                assert!(matches!(reply.status, 200 | 503), "{}: {}", reply.status, reply.text());
                if reply.status == 503 {
                    assert!(reply.text().contains("SlowDown"), "{}", reply.text());
                }
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let _over = Over(over);
        for backend in ["two", "one", "two", "one"] {
            let target = format!("/_/api/admin/backup?mode=config-only&set=storage.buckets.moves.backend={backend}");
            host.admin(Request::new("POST", &target).body(archive.clone())).expect(200);
        }
    });
    ann.put("moves", "after", "v").expect(200);
}
