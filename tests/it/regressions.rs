//! Bugs that were found once: one test each, so that they are not found again.

use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD, S3, restore_request};
use serde_json::json;
use std::net::TcpListener;

const OTHER: &str = "another-host-password-2";

/// The hash of a password, by the command line of the binary itself.
fn hash_of(password: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"))
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(password.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("a hash is text");
    text.lines().find(|line| line.starts_with("$argon2id$")).expect("it prints a hash").to_owned()
}

#[test]
fn a_backup_of_a_host_with_a_pinned_hash_starts_again_where_the_variable_is_missing() {
    let pinned = "pinned-password-3";
    let mut source = Host::prepare()
        .password(pinned)
        .env("DGP_BOOTSTRAP_PASSWORD", "")
        .env("MY_HASH", &hash_of(pinned))
        .config("advanced:\n  bootstrap_password_hash: {env: MY_HASH}\n");
    source.up();
    source.user("ann", json!([]));
    let archive = source.backup();
    let mut host = Host::prepare().password(OTHER);
    host.up();
    host.restore(&archive).expect(200);
    host.set_password(pinned);
    host.restart();
    assert_eq!(host.user_names(), ["ann"]);
}

#[test]
fn a_restore_onto_a_place_that_cannot_be_a_directory_is_refused_by_the_plan() {
    let host = Host::start();
    std::fs::write(host.path("afile"), "x").expect("the directory is ours");
    let target = "/_/api/admin/backup?dry_run=true&set=storage.filesystem=./afile";
    let reply = host.admin(Request::new("POST", target).body(host.backup())).expect(409);
    assert_eq!(reply.json()["code"], "config_unfit");
}

#[test]
fn a_copied_database_is_a_clone_until_it_goes_live() {
    let mut source = Host::start();
    source.user("ann", json!([]));
    source.stop();
    let mut copy = Host::prepare();
    std::fs::copy(source.path("deltaglider_config.db"), copy.path("deltaglider_config.db")).expect("it is there");
    copy.up();
    assert_eq!(copy.user_names(), ["ann"]);
    let health = Request::new("GET", "/_/health").send(copy.addr()).expect(200).json();
    assert_eq!(health["quarantined"], true, "{health}");
}

#[test]
fn an_idempotency_key_answers_for_its_own_request_only() {
    let host = Host::start();
    let archive = host.backup();
    let keyed = |target: &str| Request::new("POST", target).header("Idempotency-Key", "k").body(archive.clone());
    // A plan does nothing that could be done twice: it holds no key.
    host.admin(keyed("/_/api/admin/backup?dry_run=true")).expect(200);
    let first = host.admin(keyed("/_/api/admin/backup")).expect(200).json();
    let again = host.admin(keyed("/_/api/admin/backup")).expect(200).json();
    assert_eq!((&first["restored"], &first["restore_id"]), (&json!(true), &again["restore_id"]));
    let reply = host.admin(keyed("/_/api/admin/backup?mode=preserve-bootstrap")).expect(409).json();
    assert_eq!(reply["code"], "idempotency_key_reused");
}

#[test]
fn a_parameter_that_nobody_reads_is_refused_before_anything_is_deleted() {
    let host = Host::start();
    host.user("ann", json!([]));
    let users = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
    let target = format!("/_/api/admin/users/{}?dry_run=true", users[0]["id"].as_str().expect("an id"));
    host.admin(Request::new("DELETE", &target)).expect(400);
    assert_eq!(host.user_names(), ["ann"]);
}

#[test]
fn losing_the_instance_file_loses_sessions_and_history_only() {
    let mut host = Host::start();
    host.user("ann", json!([]));
    host.stop();
    std::fs::remove_file(host.path(".deltaglider_instance")).expect("it is there");
    host.up();
    assert_eq!(host.user_names(), ["ann"]);
}

#[test]
fn the_start_after_a_restore_says_that_there_was_nothing_to_recover() {
    let mut host = Host::start();
    host.restore(&host.backup()).expect(200);
    host.restart();
    let log = host.log();
    assert!(!log.contains("the state is the old one"), "{log}");
}

#[test]
fn a_bucket_that_a_restore_brings_back_takes_writes() {
    let host = Host::start();
    let s3 = host.admin_user("ci");
    s3.make_bucket("photos");
    let archive = host.backup();
    s3.send(Request::new("DELETE", "/photos")).expect(204);
    host.restore(&archive).expect(200);
    s3.put("photos", "a", "again").expect(200);
    assert_eq!(s3.get("photos", "a").expect(200).text(), "again");
}

#[test]
fn a_generated_password_is_seen_even_where_the_start_fails_after_it_was_made() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it is bound").to_string();
    let output = {
        let host = Host::prepare();
        std::process::Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"))
            .args(["--listen", &address, "--state-dir"])
            .arg(host.path(""))
            .current_dir(host.path(""))
            .env_remove("DGP_BOOTSTRAP_PASSWORD")
            .output()
            .expect("the binary starts")
    };
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{log}");
    assert!(log.contains("bootstrap password: "), "{log}");
    assert!(log.contains("in use"), "the log says why: {log}");
}

#[test]
fn an_error_before_the_commit_point_costs_the_restore_and_nothing_else() {
    let mut host = Host::start();
    host.user("ann", json!([]));
    let archive = host.backup();
    host.user("bob", json!([]));
    host.stop();
    host.set_env("DGP_FAULT", "swap.before_journal=error");
    host.up();
    host.admin(restore_request(&archive)).expect(500);
    assert_eq!(host.user_names(), ["ann", "bob"]);
    host.user("carl", json!([]));
    host.admin(restore_request(&archive)).expect(200);
    assert_eq!(host.user_names(), ["ann"]);
}

#[test]
fn a_locked_system_answers_sign_in_and_the_way_out_only() {
    let mut host = Host::start();
    let archive = host.backup();
    host.stop();
    std::fs::write(host.path(".deltaglider_bootstrap_hash"), format!("{}\n", hash_of(OTHER))).expect("it is ours");
    host.set_env("DGP_BOOTSTRAP_PASSWORD", "");
    host.set_password(OTHER);
    host.up();
    let health = Request::new("GET", "/_/health").send(host.addr()).expect(200).json();
    assert_eq!(health["locked"], true, "{health}");
    let refused = host.admin(Request::new("GET", "/_/api/admin/users"));
    assert_eq!(refused.json()["code"], "db_key_mismatch");
    host.restore(&archive).expect(200);
    host.set_password(PASSWORD);
    assert!(host.user_names().is_empty());
    let health = Request::new("GET", "/_/health").send(host.addr()).expect(200).json();
    assert_eq!((&health["locked"], &health["notices"]), (&json!(false), &json!([])), "{health}");
}

#[test]
fn head_takes_if_range_as_get_does() {
    let host = Host::start();
    let s3: S3 = host.admin_user("ci");
    s3.make_bucket("photos");
    s3.put("photos", "a", "0123456789").expect(200);
    for method in ["GET", "HEAD"] {
        let request = Request::new(method, "/photos/a").header("Range", "bytes=0-1").header("If-Range", "\"other\"");
        s3.send(request).expect(200);
    }
}

#[test]
fn a_restore_that_failed_is_on_record_and_a_bucket_that_moves_is_counted() {
    let host = Host::start();
    let s3: S3 = host.admin_user("ci");
    let before = host.backup();
    s3.make_bucket("photos");
    s3.put("photos", "a", "1").expect(200);
    let mut archive = host.backup();
    let planned = |query: &str, archive: &[u8]| {
        let target = format!("/_/api/admin/backup?dry_run=true&{query}");
        host.admin(Request::new("POST", &target).body(archive)).expect(200).json()["warnings"].to_string()
    };
    for path in ["storage.filesystem", "storage.backends.default.path"] {
        let warnings = planned(&format!("set={path}=./elsewhere"), &archive);
        assert!(warnings.contains("bucket `photos` moves: 1 objects stay"), "{path}: {warnings}");
    }
    let warnings = planned("prune_buckets=true", &before);
    assert!(warnings.contains("bucket `photos` goes: 1 objects stay"), "{warnings}");
    archive.truncate(archive.len() / 2);
    host.admin(restore_request(&archive)).expect(400);
    let records = host.admin(Request::new("GET", "/_/api/admin/backup/restores")).expect(200).json();
    assert_eq!(records[0]["restored"], false, "{records}");
}

#[test]
fn another_pinned_hash_takes_the_database_over_and_ends_older_sessions() {
    let mut host = Host::start();
    host.user("ann", json!([]));
    let cookie = host.login(PASSWORD).expect(200).header("set-cookie").expect("a cookie").to_owned();
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    host.stop();
    host.set_env("DGP_BOOTSTRAP_PASSWORD_HASH", &hash_of(OTHER));
    host.up();
    Request::new("GET", "/_/api/admin/users").header("Cookie", &cookie).send(host.addr()).expect(401);
    host.login(PASSWORD).expect(401);
    host.set_password(OTHER);
    assert_eq!(host.user_names(), ["ann"]);
}

#[test]
fn a_presigned_put_that_was_signed_before_there_was_a_body_takes_one() {
    let host = Host::start();
    let s3 = host.admin_user("ci");
    s3.make_bucket("photos");
    let put = |sum: &str| {
        let target = format!("/photos/a?x-amz-checksum-crc32={sum}&x-amz-sdk-checksum-algorithm=CRC32");
        let request = Request::new("PUT", &target).body("123456789");
        s3.signer.presign(request, host.addr(), 60).send(host.addr())
    };
    // The AWS SDK for JavaScript writes the CRC of nothing; a sum of something still holds.
    put("AAAAAA%3D%3D").expect(200);
    assert_eq!(s3.get("photos", "a").expect(200).text(), "123456789");
    put("y%2FQ5Jg%3D%3D").expect(200);
    put("y%2FQ5Jw%3D%3D").expect(400);
}

#[test]
fn one_byte_order_mark_is_taken_and_two_are_no_document() {
    let host = Host::start();
    let s3 = host.admin_user("ci");
    s3.make_bucket("photos");
    let put = |marks: &str| {
        let body = format!("{marks}<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>");
        s3.send(Request::new("PUT", "/photos?tagging").body(body)).status
    };
    assert_eq!(["", "\u{feff}", "\u{feff}\u{feff}"].map(put), [204, 204, 400]);
}
