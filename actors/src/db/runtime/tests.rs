//! What the state DB keeps, and what gives a tampered audit log away.

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::iam::principal::Principal;
use crate::domain::session::{Proof, Session};
use crate::domain::state::{ExportRecord, RestoreRecord};
use std::collections::BTreeMap;
use tempfile::TempDir;

const KEY: [u8; 32] = [7; 32];

fn fresh() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let connection = open(&folder.path().join("state.db"), &DbKey::of_state_db(&KEY)).unwrap();
    (folder, connection)
}

fn session(sha256: &str) -> Session {
    let at = Timestamp::from_millis;
    Session {
        sha256: sha256.into(),
        principal: Principal::User("u1".into()),
        proof: Proof::Identity("i1".into()),
        created_at: at(1),
        auth_time: at(2),
        last_seen: at(3),
        expires_at: at(4),
        auth_epoch: 5,
        credential_version: 6,
        ip: "::1".into(),
        user_agent: "curl".into(),
    }
}

fn event(target: &str) -> NewAuditRow {
    NewAuditRow {
        at: Timestamp::from_millis(9),
        actor: "$bootstrap".into(),
        action: "user.create".into(),
        target: target.into(),
        outcome: "success".into(),
        ip: "::1".into(),
        request_id: "r".into(),
        detail: "{}".into(),
    }
}

fn log_of_four() -> (TempDir, Database, AuditKey) {
    let (folder, connection) = fresh();
    let key = AuditKey::of_instance(&KEY);
    append_audit(&connection, &key, &[event("a"), event("b")]).unwrap();
    append_audit(&connection, &key, &[event("c"), event("d")]).unwrap();
    (folder, connection, key)
}

#[test]
fn sessions_survive_a_restart() {
    let (folder, connection) = fresh();
    for name in ["a", "b", "c"] {
        put_session(&connection, &session(name)).unwrap();
    }
    touch_session(&connection, "a", Timestamp::from_millis(50)).unwrap();
    delete_sessions(&connection, &["b".into(), "none".into()]).unwrap();
    drop(connection);
    let connection = open(&folder.path().join("state.db"), &DbKey::of_state_db(&KEY)).unwrap();
    let touched = Session { last_seen: Timestamp::from_millis(50), ..session("a") };
    assert_eq!(load_sessions(&connection).unwrap(), [touched, session("c")]);
}

#[test]
fn another_instances_key_is_told_with_the_way_out() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, connection) = fresh();
    drop(connection);
    let path = folder.path().join("state.db");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let error = open(&path, &DbKey::of_state_db(&[8; 32])).unwrap_err();
    assert_eq!(error.code(), Some("state_db_key_mismatch"));
    assert!(open(&path, &DbKey::of_state_db(&KEY)).is_ok());
}

#[test]
fn the_log_is_read_from_both_ends_in_pages() {
    let (_folder, connection, key) = log_of_four();
    let all = AuditFilter::default();
    let shown = |rows: Vec<AuditRow>| rows.into_iter().map(|row| row.target).collect::<String>();
    assert_eq!(shown(audit_page(&connection, &all, None, 3).unwrap()), "dcb");
    assert_eq!(shown(audit_page(&connection, &all, Some(2), 3).unwrap()), "a");
    assert_eq!(shown(audit_from(&connection, &all, 0, 3).unwrap()), "abc");
    assert_eq!(shown(audit_from(&connection, &all, 3, 3).unwrap()), "d");
    let check = verify_audit(&connection, &key, &[]).unwrap();
    assert_eq!((&check.head, check.rows, check.gap), (&audit_head(&connection).unwrap(), 4, None));
    assert_eq!((check.head.count, check.head.head.len()), (4, 64));
}

#[test]
fn filters_let_through_what_they_name() {
    let (_folder, connection) = fresh();
    let key = AuditKey::of_instance(&KEY);
    let rows: Vec<NewAuditRow> =
        [("ann", "login", "success"), ("ann", "user.create", "success"), ("bob", "user.delete", "failed")]
            .into_iter()
            .enumerate()
            .map(|(n, (actor, action, outcome))| NewAuditRow {
                at: Timestamp::from_millis(n as i64),
                actor: actor.into(),
                action: action.into(),
                outcome: outcome.into(),
                ..event("*")
            })
            .collect();
    append_audit(&connection, &key, &rows).unwrap();
    let some = |text: &str| Some(text.to_owned());
    let at = |millis| Some(Timestamp::from_millis(millis));
    let none = AuditFilter::default;
    for (filter, wanted) in [
        (AuditFilter { actor: some("ann"), ..none() }, vec![1, 2]),
        (AuditFilter { actor: some("an"), ..none() }, vec![]),
        (AuditFilter { action: some("user.*"), ..none() }, vec![2, 3]),
        (AuditFilter { action: some("user.*"), outcome: some("failed"), ..none() }, vec![3]),
        (AuditFilter { since: at(1), ..none() }, vec![2, 3]),
        (AuditFilter { since: at(1), until: at(2), ..none() }, vec![2]),
        (AuditFilter { target: some("' OR 1 = 1 --"), ..none() }, vec![]),
    ] {
        let found: Vec<u64> = audit_from(&connection, &filter, 0, 10).unwrap().iter().map(|row| row.seq).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
}

#[test]
fn an_edited_dropped_or_reordered_row_is_found() {
    use GapKind::{Dropped, Edited, Reordered};
    for (tampering, seq, kind) in [
        ("UPDATE audit SET target = 'x' WHERE seq = 2", 2, Edited),
        ("UPDATE audit SET outcome = 'denied' WHERE seq = 4", 4, Edited),
        ("UPDATE audit SET prev = x'00' WHERE seq = 3", 3, Edited),
        ("DELETE FROM audit WHERE seq = 3", 3, Dropped),
        ("DELETE FROM audit WHERE seq = 1", 1, Dropped),
        ("DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4", 3, Dropped),
        (
            "UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
          UPDATE audit SET seq = 3 WHERE seq = 9",
            2,
            Reordered,
        ),
    ] {
        let (_folder, connection, key) = log_of_four();
        connection.execute_batch(tampering).unwrap();
        assert_eq!(verify_audit(&connection, &key, &[]).unwrap().gap, Some(Gap { seq, kind }), "{tampering}");
    }
    let (_folder, connection, _) = log_of_four();
    let other = AuditKey::of_instance(&[8; 32]);
    assert_eq!(verify_audit(&connection, &other, &[]).unwrap().gap.map(|gap| gap.seq), Some(1));
}

#[test]
fn an_end_that_was_cut_off_is_found_by_a_checkpoint() {
    let (_folder, connection, key) = log_of_four();
    let checkpoint = [audit_head(&connection).unwrap()];
    assert_eq!(verify_audit(&connection, &key, &checkpoint).unwrap().gap, None);
    connection.execute_batch("DELETE FROM audit WHERE seq > 2").unwrap();
    assert_eq!(verify_audit(&connection, &key, &[]).unwrap().gap, None, "the rows alone do not tell");
    let truncated = |seq| Some(Gap { seq, kind: GapKind::Truncated });
    assert_eq!(verify_audit(&connection, &key, &checkpoint).unwrap().gap, truncated(3));
    append_audit(&connection, &key, &[event("x"), event("y"), event("z")]).unwrap();
    assert_eq!(verify_audit(&connection, &key, &checkpoint).unwrap().gap, truncated(4));
    connection.execute_batch("DELETE FROM audit").unwrap();
    assert_eq!(verify_audit(&connection, &key, &checkpoint).unwrap().gap, truncated(1));
}

#[test]
fn failed_restores_and_last_uses_are_kept() {
    let (_folder, connection) = fresh();
    let record = RestoreRecord {
        restore_id: "r1".into(),
        at: Timestamp::from_millis(5),
        actor: "alice".into(),
        outcome: serde_json::json!({"code": "bad_archive"}),
    };
    put_failed_restore(&connection, &record).unwrap();
    assert_eq!(find_failed_restore(&connection, "r1").unwrap(), Some(record.clone()));
    assert_eq!(find_failed_restore(&connection, "r2").unwrap(), None);
    assert_eq!(list_failed_restores(&connection, 5).unwrap(), [record]);
    let used = |at| BTreeMap::from([(("user".to_owned(), "u1".to_owned()), Timestamp::from_millis(at))]);
    note_used(&connection, &used(7)).unwrap();
    note_used(&connection, &used(3)).unwrap();
    assert_eq!(last_used(&connection, "user").unwrap(), BTreeMap::from([("u1".to_owned(), Timestamp::from_millis(7))]));
    assert!(last_used(&connection, "token").unwrap().is_empty());
    checkpoint(&connection).unwrap();
}

#[test]
fn the_last_export_is_known_after_a_restart_and_old_ones_are_forgotten() {
    let (folder, connection) = fresh();
    assert_eq!(last_export(&connection).unwrap(), None);
    let export = |at: i64| ExportRecord {
        at: Timestamp::from_millis(at),
        actor: "$bootstrap".into(),
        filename: "b.zip".into(),
        bytes: 9,
        sha256: "ab".into(),
        version: "1.2".into(),
    };
    for at in (0..150).rev() {
        put_export(&connection, &export(at)).unwrap();
    }
    drop(connection);
    let connection = open(&folder.path().join("state.db"), &DbKey::of_state_db(&KEY)).unwrap();
    assert_eq!(last_export(&connection).unwrap(), Some(export(149)));
    let kept: i64 = connection.query_row("SELECT count(*) FROM exports", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 100);
}

#[test]
fn a_state_database_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let key = DbKey::of_state_db(&KEY);
    let old = open_keyed(&path, &key).unwrap();
    old.execute_batch(include_str!("../schema/state_v1.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    for (name, principal) in [("a", Principal::Bootstrap), ("b", Principal::User("u1".into()))] {
        let insert = "INSERT INTO sessions (token_sha256, principal_json, created_at, auth_time, last_seen, expires_at, auth_epoch,
                      credential_version, ip, user_agent) VALUES (?, ?, 1, 2, 3, 4, 5, 6, '::1', 'curl')";
        old.execute(insert, [name.to_owned(), serde_json::to_string(&principal).unwrap()]).unwrap();
    }
    drop(old);
    let connection = open(&path, &key).unwrap();
    // With what a user signed in was not written down: it signs in again.
    let kept = Session { principal: Principal::Bootstrap, proof: Proof::Password, ..session("a") };
    assert_eq!(load_sessions(&connection).unwrap(), [kept]);
    assert_eq!(last_export(&connection).unwrap(), None);
    assert_eq!(audit_stub(&connection).unwrap(), None);
    assert_eq!(sink_position(&connection, "file").unwrap(), 0);
    set_sink_position(&connection, "file", 7).unwrap();
    assert_eq!(sink_position(&connection, "file").unwrap(), 7);
    let error = open_reader(&path, &DbKey::of_state_db(&[9; 32])).unwrap_err();
    assert_eq!(error.code(), Some("state_db_key_mismatch"));
    let reader = open_reader(&path, &key).unwrap();
    assert!(reader.execute_batch("DELETE FROM sessions").is_err(), "it only reads");
}
