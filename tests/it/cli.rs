//! The command line against a running server: a new user's walk, and how commands end.

use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD, S3};
use crate::support::signer::Signer;
use serde_json::Value;
use std::process::{Command, Output};

/// Runs the binary as an operator would who has the bootstrap password.
fn run(host: &Host, args: &[&str]) -> Output {
    command(host, args).env("DGP_BOOTSTRAP_PASSWORD", PASSWORD).output().unwrap()
}

fn command(host: &Host, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"));
    command.args(args).env_clear().env("DGP_SERVER", format!("http://{}", host.addr()));
    command
}

#[track_caller]
fn ok(output: Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn ended(output: &Output, code: i32, says: &str) {
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains(says), "{said}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn value<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn a_new_users_walk_by_command_line_alone() {
    let host = Host::start();
    host.admin_user("owner").make_bucket("ci-builds");
    ok(run(&host, &["group", "create", "ci", "--allow", "read,list ci-builds/*"]));
    let made = ok(run(&host, &["user", "create", "uploader", "--group", "ci"]));
    let signer = Signer::new(value(&made, "AWS_ACCESS_KEY_ID"), value(&made, "AWS_SECRET_ACCESS_KEY"));
    let client = S3 { addr: host.addr(), signer };
    client.put("ci-builds", "app.tar", "v1").expect(403);

    let why = run(&host, &["explain", "uploader", "s3:PutObject", "ci-builds/app.tar"]);
    ended(&why, 6, "denied: no rule allows it");
    ok(run(&host, &["group", "permit", "ci", "--allow", "write ci-builds/*"]));
    ok(run(&host, &["explain", "uploader", "s3:PutObject", "ci-builds/app.tar"]));
    client.put("ci-builds", "app.tar", "v1").expect(200);

    // A second key, and the first one retired: rotation without downtime.
    let key = ok(run(&host, &["key", "create", "uploader", "--expires-in", "30d"]));
    let second = S3 {
        addr: host.addr(),
        signer: Signer::new(value(&key, "AWS_ACCESS_KEY_ID"), value(&key, "AWS_SECRET_ACCESS_KEY")),
    };
    second.get("ci-builds", "app.tar").expect(200);
    ok(run(&host, &["key", "disable", "uploader", value(&made, "AWS_ACCESS_KEY_ID")]));
    client.get("ci-builds", "app.tar").expect(403);
    second.get("ci-builds", "app.tar").expect(200);
    ok(run(&host, &["user", "disable", "uploader"]));
    second.get("ci-builds", "app.tar").expect(403);
    ok(run(&host, &["user", "delete", "uploader"]));
    ended(&run(&host, &["user", "show", "uploader"]), 8, "there is no user `uploader`");
}

#[test]
fn commands_end_as_documented() {
    let host = Host::start();
    ended(&command(&host, &["user", "list"]).output().unwrap(), 7, "nothing says who asks");
    ended(&command(&host, &["--token", "dgp_wrong", "user", "list"]).output().unwrap(), 7, "error:");
    ended(&run(&host, &["user", "create", "x", "--allow", "frobnicate *"]), 6, "is no action");
    ended(&run(&host, &["user", "create", "x", "--allow", "read"]), 2, "is no rule");
    ended(&run(&host, &["user"]), 2, "Usage");
    ended(&run(&host, &["--server", "http://127.0.0.1:1", "user", "list"]), 5, "does not answer");
    let token = ok(run(&host, &["token", "create", "nightly", "--role", "viewer", "--expires-in", "24h", "--json"]));
    let token: Value = serde_json::from_str(&token).unwrap();
    let token = token["token"].as_str().unwrap();
    let listed = ok(command(&host, &["token", "list", "--token", token]).output().unwrap());
    assert!(listed.contains("nightly"), "{listed}");
    ended(&command(&host, &["user", "create", "y", "--token", token]).output().unwrap(), 7, "(forbidden)");
    // The sessions that the password opened are ended again.
    let sessions = host.admin(Request::new("GET", "/_/api/admin/sessions")).expect(200).json();
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(1), "{sessions}");
}

#[test]
fn rules_are_tested_before_they_are_saved() {
    let host = Host::prepare();
    let file = host.path("rules.json");
    let rules = r#"[{"effect": "Allow", "actions": ["read"], "resources": ["docs/*"],
                     "conditions": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]"#;
    std::fs::write(&file, rules).unwrap();
    let file = file.display().to_string();
    let test = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"));
        command.args(["policy", "test", &file]).args(more).env_clear().output().unwrap()
    };
    ok(test(&[]));
    ok(test(&["s3:GetObject", "docs/a", "--source-ip", "10.1.2.3"]));
    ended(&test(&["s3:GetObject", "docs/a", "--source-ip", "192.168.0.1"]), 6, "ConditionsFail");
    ended(&test(&["s3:PutObject", "docs/a", "--source-ip", "10.1.2.3"]), 6, "OtherAction");
    let home = r#"[{"effect": "Allow", "actions": ["read"], "resources": ["home/${iam:username}/*"],
        "conditions": {"StringEquals": {"s3:ExistingObjectTag/team": "a"}}}]"#;
    let own = file.replace(".json", "-home.json");
    std::fs::write(&own, home).unwrap();
    let of = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"));
        command.args(["policy", "test", &own, "s3:GetObject", "home/ann/k"]).args(more).env_clear().output().unwrap()
    };
    ok(of(&["--user", "ann", "--context", "s3:ExistingObjectTag/team=a"]));
    ended(&of(&["--user", "ann"]), 6, "ConditionsFail");
    ended(&of(&["--context", "s3:ExistingObjectTag/team=a"]), 6, "OtherResource");
    ended(&of(&["--context", "s3:NoSuchKey=a"]), 2, "is no condition key");
    // A verb is many actions: none is asked for.
    ended(&test(&["read", "docs/a", "--source-ip", "10.1.2.3"]), 2, "is no single action");
    std::fs::write(&file, r#"[{"effect": "Allow", "actions": ["reed"], "resources": ["*"]}]"#).unwrap();
    ended(&test(&[]), 6, "`reed` is no action");
}
