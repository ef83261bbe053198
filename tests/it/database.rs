//! The config database as a file that anybody may copy at any moment: each copy opens, by the hash and by the password.

use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD};
use actors::db::open::{check_integrity, open_with_password, try_open};
use actors::db::password::PasswordHash;
use actors::db::state::load;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const DATABASE: &str = "deltaglider_config.db";
/// 100 Hz.
const PACE: Duration = Duration::from_millis(10);

/// How many copies are taken: few in every run, 6,000 (60 s) by `tests/long dbcopies`.
fn count() -> usize {
    std::env::var("FUZZ_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(40)
}

#[test]
fn a_copy_taken_at_any_moment_opens_by_hash_and_by_password_and_is_sound() {
    let host = Host::start();
    let hash = std::fs::read_to_string(host.path(".deltaglider_bootstrap_hash")).unwrap();
    let hash = PasswordHash::parse(hash.trim()).unwrap();
    let copies = tempfile::tempdir().unwrap();
    let (done, made) = (AtomicBool::new(false), AtomicUsize::new(0));
    let taken = std::thread::scope(|scope| {
        let changes = scope.spawn(|| change_until(&host, &done, &made));
        let mut taken = 0;
        // On a slow machine the copies wait for the changes.
        while taken < count() || made.load(Ordering::SeqCst) < 4 && !changes.is_finished() {
            std::fs::copy(host.path(DATABASE), copy(copies.path(), taken)).unwrap();
            std::thread::sleep(PACE);
            taken += 1;
        }
        done.store(true, Ordering::SeqCst);
        changes.join().unwrap();
        taken
    });
    let made = made.into_inner();
    let mut generations = BTreeSet::new();
    for number in 0..taken {
        let path = copy(copies.path(), number);
        let by_hash = try_open(&path, &hash).and_then(|opened| opened.into_result());
        let connection = by_hash.unwrap_or_else(|error| panic!("copy {number}: {error:?}"));
        check_integrity(&connection).unwrap_or_else(|error| panic!("copy {number}: {error:?}"));
        let state = load(&connection).unwrap();
        generations.insert(state.meta.generation);
        drop(connection);
        let (_, found) = open_with_password(&path, PASSWORD).unwrap().unwrap_or_else(|| panic!("copy {number}"));
        assert_eq!(found, hash);
    }
    assert!(generations.len() > 2, "the state did not change while it was copied: {generations:?}");
    if let Ok(report) = std::env::var("FUZZ_REPORT") {
        let line = format!(
            "all open by hash and by password and are sound; {made} changes, {} generations",
            generations.len()
        );
        std::fs::write(report, line).unwrap();
    }
}

fn copy(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.db"))
}

/// Makes and removes users as fast as the server takes them.
fn change_until(host: &Host, done: &AtomicBool, made: &AtomicUsize) {
    while !done.load(Ordering::SeqCst) {
        let number = made.load(Ordering::SeqCst);
        let body = json!({"name": format!("u{number}"), "permissions": []});
        let user = host.admin(Request::new("POST", "/_/api/admin/users").json(&body)).expect(201).json();
        let path = format!("/_/api/admin/users/{}", user["id"].as_str().unwrap());
        if !number.is_multiple_of(3) {
            host.admin(Request::new("DELETE", &path)).expect(204);
        }
        made.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn side_files_of_another_database_change_nothing() {
    let mut host = Host::start();
    host.user("ann", json!([]));
    host.stop();
    let before = std::fs::read(host.path(DATABASE)).unwrap();
    for side in ["-wal", "-shm", "-journal"] {
        std::fs::write(host.path(format!("{DATABASE}{side}")), &before).unwrap();
    }
    host.up();
    assert_eq!(host.user_names(), ["ann"]);
    host.user("bob", json!([]));
    host.restart();
    assert_eq!(host.user_names(), ["ann", "bob"]);
}

#[test]
fn reading_and_signing_in_write_nothing_into_it() {
    let host = Host::start();
    let s3 = host.admin_user("ann");
    s3.make_bucket("photos");
    let before = std::fs::read(host.path(DATABASE)).unwrap();
    s3.put("photos", "a", "1").expect(200);
    s3.get("photos", "a").expect(200);
    host.login(PASSWORD).expect(200);
    host.login("wrong").expect(401);
    host.backup();
    assert!(std::fs::read(host.path(DATABASE)).unwrap() == before);
}

#[test]
fn a_newer_schema_stops_the_start_and_is_left_as_it_is() {
    let mut host = Host::start();
    host.stop();
    let hash = std::fs::read_to_string(host.path(".deltaglider_bootstrap_hash")).unwrap();
    let hash = PasswordHash::parse(hash.trim()).unwrap();
    let connection = try_open(&host.path(DATABASE), &hash).unwrap().into_result().unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(host.path(DATABASE)).unwrap();
    let ended = host.try_up().expect_err("it does not start");
    assert_eq!(ended.status.code(), Some(9), "{}", ended.log);
    assert!(ended.log.contains("schema version 99"), "{}", ended.log);
    assert!(std::fs::read(host.path(DATABASE)).unwrap() == before);
}

/// What the host of `tests/fixtures/db/host-v1-argon2id.db` was started with; it has a user `ann`.
const GOLDEN_PASSWORD: &str = "correct horse battery";

#[test]
fn a_database_of_an_older_schema_is_kept_and_migrated_at_the_start() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/db/host-v1-argon2id.db");
    let mut host = Host::prepare().password(GOLDEN_PASSWORD);
    std::fs::copy(&golden, host.path(DATABASE)).unwrap();
    host.up();
    let first = migrated_from(&host);
    assert_eq!(first.len(), 1, "{}", host.log());
    assert!(std::fs::read(&first[0]).unwrap() == std::fs::read(&golden).unwrap());
    let notices = Request::new("GET", "/_/health").send(host.addr()).expect(200).text();
    assert!(notices.contains("was migrated; the old file is "), "{notices}");
    assert_eq!(host.user_names(), ["ann"]);
    assert!(!host.path("restore.journal").exists());
    host.restart();
    assert_eq!(migrated_from(&host), first, "what is migrated is not migrated again");
}

/// The files of an older schema that were kept.
fn migrated_from(host: &Host) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(host.path("")).unwrap().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains(".db.schema-1-")).collect()
}
