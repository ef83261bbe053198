//! `backup …` from the command line: on files alone, on a state directory without a server, and against a running one.

use crate::support::archive::Archive;
use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

/// Runs `backup …` in a directory with these variables, `input` on standard input.
fn run(dir: &Path, env: &[(&str, &str)], args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"))
        .arg("backup")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
    format!("{out}{err}")
}

#[track_caller]
fn json_of(output: &Output) -> Value {
    ended(output, 0);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_file_is_checked_and_looked_into_without_server_and_state() {
    let host = Host::start();
    host.admin_user("ann");
    let dir = tempfile::tempdir().unwrap();
    let archive = host.backup();
    std::fs::write(dir.path().join("good.zip"), &archive).unwrap();
    assert!(ended(&run(dir.path(), &[], &["verify", "good.zip"]), 0).starts_with("whole: captured "));
    let report = json_of(&run(dir.path(), &[], &["inspect", "good.zip", "--json"]));
    assert_eq!((&report["users"], &report["manifest"]["version"]), (&json!(["ann"]), &json!(2)));
    let text = ended(&run(dir.path(), &[], &["inspect", "good.zip"]), 0);
    assert!(text.contains("users (1): ann") && !text.contains("argon2id"), "{text}");

    let mut flipped = archive.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let torn = archive[..archive.len() - 10].to_vec();
    let mut changed = Archive::read(&archive);
    changed.set("config.yaml", "access: {}\n");
    for (name, bytes) in [
        ("flipped", flipped),
        ("torn", torn),
        ("text", b"hello".to_vec()),
        ("empty", Vec::new()),
        ("changed", changed.zip()),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        ended(&run(dir.path(), &[], &["verify", name]), 9);
    }
    ended(&run(dir.path(), &[], &["verify", "missing.zip"]), 3);
    ended(&run(dir.path(), &[], &["verify"]), 2);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 6, "nothing else was made");
}

#[test]
fn a_host_is_made_anew_by_one_command_before_its_first_start() {
    let host = Host::start();
    let s3 = host.admin_user("ann");
    s3.make_bucket("photos");
    let mut reborn = Host::prepare().env("DGP_BOOTSTRAP_PASSWORD", "");
    let state = reborn.path("");
    std::fs::write(reborn.path("b.zip"), b"PK no archive").unwrap();
    ended(&run(&state, &[], &["restore", "b.zip"]), 9);
    std::fs::write(reborn.path("b.zip"), host.backup()).unwrap();
    let plan = ended(&run(&state, &[], &["plan", "b.zip"]), 0);
    assert!(plan.contains("plan (nothing was changed)") && plan.contains("created ann"), "{plan}");
    assert!(!reborn.path("deltaglider_config.db").exists(), "until the restore there is no state");
    let said = ended(&run(&state, &[], &["restore", "b.zip"]), 0);
    assert!(said.contains("restored: full, replace") && !said.contains("bootstrap password:"), "{said}");
    reborn.up();
    assert_eq!(reborn.user_names(), ["ann"]);
    let rows = reborn.admin(Request::new("GET", "/_/api/admin/audit")).expect(200).text();
    assert!(rows.contains("$offline"), "{rows}");
}

#[test]
fn without_a_server_the_state_directory_is_worked_on_and_with_one_it_is_asked() {
    let config = "backup: {to: {directory: ./backups}, keep: {last: 1}}\n";
    let mut host = Host::prepare().config(config);
    host.up();
    host.admin_user("ann");
    let (state, url) = (host.path(""), format!("http://{}", host.addr()));
    let online = [("DGP_SERVER", url.as_str()), ("DGP_BOOTSTRAP_PASSWORD", PASSWORD)];
    let made = json_of(&run(&state, &online, &["create", "--stored", "--json"]));
    assert_eq!(made["verified"], true);
    let file = json_of(&run(&state, &online, &["create", "-o", "copy.zip", "--json"]));
    assert_eq!(file["bytes"].as_u64().unwrap(), std::fs::metadata(host.path("copy.zip")).unwrap().len());
    host.admin_user("bob");
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(ended(&run(&state, &online, &["plan", "--stored", &id]), 0).contains("deleted bob"));
    ended(&run(&state, &online, &["restore", "copy.zip"]), 0);
    // The session of the command is the one that lives on.
    host.set_password(PASSWORD);
    assert_eq!(host.user_names(), ["ann"]);
    assert!(ended(&run(&state, &online, &["restores"]), 0).contains("restored"));
    // The lock says that a server runs, and nothing says who asks it.
    assert!(ended(&run(&state, &[], &["list"]), 7).contains("nothing says who asks"));
    ended(&run(&state, &[("DGP_SERVER", "http://127.0.0.1:1"), ("DGP_TOKEN", "dgp_x")], &["list"]), 5);
    std::fs::write(host.path("bad.zip"), b"no archive").unwrap();
    ended(&run(&state, &online, &["plan", "bad.zip"]), 9);
    ended(&run(&state, &online, &["verify", "--stored", "dgp-backup-v1-20260101T000000Z.zip"]), 8);
    host.stop();

    let password = [("DGP_BOOTSTRAP_PASSWORD", PASSWORD)];
    let list = json_of(&run(&state, &password, &["list", "--json"]));
    assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &json!(id)));
    assert!(ended(&run(&state, &password, &["verify", "--stored", &id]), 0).contains("verified"));
    let second = json_of(&run(&state, &password, &["create", "--stored", "--json"]));
    let list = json_of(&run(&state, &password, &["list", "--json"]));
    assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &second["id"]), "one is kept");
    assert!(ended(&run(&state, &password, &["prune"]), 0).contains("keeps every one"));
    ended(&run(&state, &password, &["restore", "copy.zip", "--set", "advanced.region=eu-9"]), 0);
    assert!(ended(&run(&state, &password, &["undo", "--dry-run"]), 0).contains("config advanced.region: eu-9 -> "));
    ended(&run(&state, &password, &["undo"]), 0);
    assert!(ended(&run(&state, &password, &["go-live", "another-one"]), 6).contains("wrong_instance"));
    ended(&run(&state, &password, &["create", "-o", "offline.zip"]), 0);
    ended(&run(&state, &password, &["verify", "offline.zip"]), 0);
    ended(&run(&state, &password, &["restore", "copy.zip", "--mode", "nonsense"]), 6);
    host.up();
    assert_eq!(host.user_names(), ["ann"]);
}

#[test]
fn a_command_has_every_choice_of_the_api_and_its_errors_are_json_too() {
    let config = "backup: {to: {directory: ./backups}}\n";
    let mut host = Host::prepare().config(config);
    host.up();
    host.admin_user("ann");
    let url = format!("http://{}", host.addr());
    std::fs::write(host.path("phrase"), "correct horse battery\n").unwrap();
    let reader = |name: &str| {
        let made = Command::new("age-keygen").output().expect("age is installed (Debian package `age`)");
        std::fs::write(host.path(name), &made.stdout).unwrap();
        let text = String::from_utf8(made.stdout).unwrap();
        text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned()
    };
    let (recipient, _) = (reader("identity"), reader("wrong"));
    std::fs::write(host.path("password"), PASSWORD).unwrap();
    std::fs::write(host.path("plain.zip"), host.backup()).unwrap();
    // As if a key of the archive were lost.
    let mut archive = host.exported();
    let mut entry = archive.json("manifest.json")["encryption_keys"][0].clone();
    let id = entry["id"].as_str().unwrap().to_owned();
    archive.edit("secrets.json", |secrets| {
        secrets["encryption_keys"].as_object_mut().unwrap().remove(&id);
    });
    archive.edit("manifest.json", |manifest| {
        entry["id"] = "lost".into();
        entry["included"] = false.into();
        manifest["encryption_keys"][0] = entry;
    });
    std::fs::write(host.path("keyless.zip"), archive.reseal().zip()).unwrap();
    let state = host.path("");
    let online = vec![("DGP_SERVER", url.as_str()), ("DGP_BOOTSTRAP_PASSWORD", PASSWORD)];
    for (served, env) in [(true, online), (false, vec![("DGP_BOOTSTRAP_PASSWORD", PASSWORD)])] {
        let run = |args: &[&str]| run(&state, &env, args);
        let refused = run(&["plan", "keyless.zip", "--json"]);
        ended(&refused, 6);
        let error: Value = serde_json::from_slice(&refused.stderr).expect("an error is JSON, too");
        assert_eq!((&error["error"]["code"], &error["error"]["exit"]), (&json!("missing_keys"), &json!(6)));
        assert!(error["error"]["hint"].as_str().unwrap().contains("allow_missing_keys"), "{error}");
        let plan = ended(&run(&["plan", "keyless.zip", "--allow-missing-keys"]), 0);
        assert!(plan.contains("encryption keys lost are missing"), "{plan}");
        assert!(plan.contains("stays as this host has it: ") && plan.contains("advanced.listen_addr"), "{plan}");
        ended(&run(&["plan", "plain.zip", "--bootstrap-password-file", "password"]), 0);
        ended(&run(&["restore", "plain.zip"]), 0);
        ended(&run(&["undo", "--prune-buckets"]), 0);
        ended(&run(&["create", "-o", "phrased.age", "--passphrase-file", "phrase"]), 0);
        assert!(std::fs::read(host.path("phrased.age")).unwrap().starts_with(b"age-encryption.org/v1\n-> scrypt "));
        ended(&run(&["create", "-o", "sealed.age", "--recipient", &recipient]), 0);
        let name =
            if served { "dgp-backup-v2-20260101T000000Z.zip.age" } else { "dgp-backup-v2-20260102T000000Z.zip.age" };
        std::fs::create_dir_all(host.path("backups")).unwrap();
        std::fs::copy(host.path("sealed.age"), host.path("backups").join(name)).unwrap();
        ended(&run(&["verify", "--stored", name, "--identity", "identity"]), 0);
        ended(&run(&["verify", "--stored", name, "--identity", "wrong"]), 9);
        if served {
            host.stop();
        }
    }
}
