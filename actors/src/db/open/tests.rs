//! What SQLCipher was found to do, held by tests; and why a file does not open.

use super::*;
use crate::db::password::{KNOWN_PARAMETERS, OWN_PARAMETERS};
use crate::db::state::{create, load};
use crate::domain::state::State;
use rusqlite::backup::Backup;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery";
const SALT: &[u8; 16] = b"0123456789abcdef";

fn hash(parameters: &Parameters) -> PasswordHash {
    PasswordHash::derive(PASSWORD, *SALT, parameters).unwrap()
}

fn state() -> State {
    let mut state = State::default();
    state.meta.instance_id = "here".into();
    state
}

fn made(parameters: &Parameters) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.db");
    create(&path, &hash(parameters), &state()).unwrap();
    (folder, path)
}

fn opened(path: &Path) -> Database {
    try_open(path, &hash(&OWN_PARAMETERS)).unwrap().into_result().unwrap()
}

#[test]
fn the_header_is_the_salt_and_survives_every_kind_of_copy() {
    let (folder, path) = made(&OWN_PARAMETERS);
    assert_eq!(header_salt(&path).unwrap(), *SALT);

    let bytes = folder.path().join("bytes.db");
    std::fs::copy(&path, &bytes).unwrap();
    let vacuumed = folder.path().join("vacuumed.db");
    opened(&path).execute("VACUUM INTO ?", [vacuumed.to_str().unwrap()]).unwrap();
    let backed_up = folder.path().join("backup.db");
    let mut target = open_keyed(&backed_up, &DbKey::of_config_db(&hash(&OWN_PARAMETERS))).unwrap();
    let source = opened(&path);
    Backup::new(&source, &mut target).unwrap().run_to_completion(64, Duration::ZERO, None).unwrap();
    drop(target);

    for copy in [bytes, vacuumed, backed_up] {
        assert_eq!(header_salt(&copy).unwrap(), *SALT, "{}", copy.display());
        let connection = opened(&copy);
        check_integrity(&connection).unwrap();
        assert_eq!(load(&connection).unwrap(), state());
    }
}

#[test]
fn the_password_alone_opens_what_any_known_parameters_keyed() {
    for parameters in [OWN_PARAMETERS, Parameters::Bcrypt { cost: 4 }, Parameters::Bcrypt { cost: 5 }] {
        let (_folder, path) = made(&parameters);
        let (connection, found) = open_with_password(&path, PASSWORD).unwrap().unwrap();
        assert_eq!(found, hash(&parameters));
        assert_eq!(load(&connection).unwrap(), state());
    }
}

#[test]
fn why_a_file_does_not_open_is_told_apart() {
    let (folder, path) = made(&OWN_PARAMETERS);
    let own = hash(&OWN_PARAMETERS);
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bytes = std::fs::read(&path).unwrap();
    let other_salt = PasswordHash::derive(PASSWORD, [9; 16], &OWN_PARAMETERS).unwrap();
    let other_password = PasswordHash::derive("wrong", *SALT, &OWN_PARAMETERS).unwrap();
    assert!(matches!(try_open(&path, &other_salt).unwrap(), TryOpen::WrongKey));
    assert!(matches!(try_open(&path, &other_password).unwrap(), TryOpen::WrongKey));
    assert!(matches!(try_open(&folder.path().join("none"), &own).unwrap(), TryOpen::Missing));
    assert!(!folder.path().join("none").exists());
    assert!(matches!(try_open(&file("empty", b""), &own).unwrap(), TryOpen::Empty));
    assert!(matches!(try_open(&file("short", &bytes[..100]), &own).unwrap(), TryOpen::Corrupt { .. }));
    assert!(matches!(try_open(&file("torn", &bytes[..5000]), &own).unwrap(), TryOpen::Corrupt { .. }));
    let plain = folder.path().join("plain");
    Connection::open(&plain).unwrap().execute_batch("CREATE TABLE a (x)").unwrap();
    assert!(matches!(try_open(&plain, &own).unwrap(), TryOpen::Plaintext));
    let mismatch = try_open(&path, &other_salt).unwrap().into_result().unwrap_err();
    assert_eq!((mismatch.kind(), mismatch.code()), (ErrorKind::Locked, Some("db_key_mismatch")));
    assert!(mismatch.message().contains("SQLCipher: file is not a database"));
}

#[test]
fn a_flipped_byte_is_found() {
    let (_folder, path) = made(&OWN_PARAMETERS);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    match try_open(&path, &hash(&OWN_PARAMETERS)).unwrap() {
        TryOpen::Opened(connection) => assert!(check_integrity(&connection).is_err()),
        other => assert!(matches!(other, TryOpen::Corrupt { .. })),
    }
}

#[test]
fn a_newer_schema_is_refused_untouched() {
    let (_folder, path) = made(&OWN_PARAMETERS);
    let connection = opened(&path);
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let outcome = try_open(&path, &hash(&OWN_PARAMETERS)).unwrap();
    assert!(matches!(outcome, TryOpen::NewerSchema { found: 99 }));
    assert_eq!(outcome.into_result().unwrap_err().code(), Some("newer_schema"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn the_state_db_takes_the_raw_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let key = DbKey::of_state_db(&[7; 32]);
    open_keyed(&path, &key).unwrap().execute_batch("CREATE TABLE a (x)").unwrap();
    assert!(open_keyed(&path, &key).unwrap().execute_batch("INSERT INTO a VALUES (1)").is_ok());
    assert!(open_keyed(&path, &DbKey::of_state_db(&[8; 32])).unwrap().execute_batch("SELECT * FROM a").is_err());
}

/// The golden files: (name, parameters). A row is added for each row of `KNOWN_PARAMETERS`; none is ever removed.
const GOLDEN: [(&str, Parameters); 2] =
    [("config-v1-argon2id.db", OWN_PARAMETERS), ("config-v1-bcrypt.db", Parameters::Bcrypt { cost: 4 })];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/db")
}

/// What later versions added is what their steps say of older rows.
fn as_version_1_held_it() -> State {
    let mut state = crate::db::state::tests::full();
    for identity in state.identities.values_mut() {
        Arc::make_mut(identity).rule_group_ids.clear();
    }
    for bucket in state.buckets.values_mut() {
        Arc::make_mut(bucket).public_prefixes.clear();
        Arc::make_mut(bucket).settings = Default::default();
    }
    state
}

#[test]
fn golden_files_open_by_password_and_by_hash_and_hold_what_they_held() {
    for row in KNOWN_PARAMETERS {
        assert!(GOLDEN.iter().any(|(_, parameters)| parameters == row), "{row:?} has no golden file");
    }
    for (name, parameters) in GOLDEN {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::copy(fixtures().join(name), &path).unwrap();
        let (connection, found) = open_with_password(&path, PASSWORD).unwrap().unwrap();
        assert_eq!(found, hash(&parameters), "{name}");
        check_integrity(&connection).unwrap();
        assert_eq!(load(&connection).unwrap(), as_version_1_held_it(), "{name}");
        assert!(matches!(try_open(&path, &hash(&parameters)).unwrap(), TryOpen::Opened(_)));
    }
}

/// Run by hand when a schema version is new: `cargo test -p actors --lib make_golden -- --ignored`. Files that are there stay.
#[test]
#[ignore = "writes into the tree"]
fn make_golden_files() {
    std::fs::create_dir_all(fixtures()).unwrap();
    for (name, parameters) in GOLDEN {
        let path = fixtures().join(name);
        if !path.exists() {
            create(&path, &hash(&parameters), &crate::db::state::tests::full()).unwrap();
        }
    }
}
