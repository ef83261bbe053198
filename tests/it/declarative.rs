//! IAM that the config file owns: validated, applied with the file in one swap, exported, taken in at start, and closed to the API.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD, S3};
use crate::support::signer::Signer;
use serde_json::{Value, json};
use std::process::Command;

const CI_SECRET: &str = "declared-secret-of-ci";

/// A user, a group, and who owns them.
const DOCUMENT: &str = "\
access:
  iam_mode: declarative
  iam_users:
    - {name: ci, access_key_id: AKDECLAREDCI, secret_access_key: declared-secret-of-ci, groups: [builders]}
  iam_groups:
    - name: builders
      permissions: [{effect: Allow, actions: [\"*\"], resources: [\"builds\", \"builds/*\"]}]
";

fn send(verb: &str, yaml: &str) -> Request {
    Request::new("POST", &format!("/_/api/admin/config/declarative-iam-{verb}")).json(&json!({ "yaml": yaml }))
}

fn export(host: &Host) -> String {
    host.admin(Request::new("GET", "/_/api/admin/config/declarative-iam-export")).expect(200).text()
}

fn config_file(host: &Host) -> String {
    std::fs::read_to_string(host.path("config.yaml")).unwrap_or_default()
}

fn code(reply: &Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}

fn users(host: &Host) -> Value {
    host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json()
}

fn id_of(host: &Host, name: &str) -> Value {
    let all = users(host);
    all.as_array().unwrap().iter().find(|user| user["name"] == name).unwrap()["id"].clone()
}

fn ci(host: &Host, secret: &str) -> S3 {
    S3 { addr: host.addr(), signer: Signer::new("AKDECLAREDCI", secret) }
}

#[test]
fn a_document_is_planned_applied_and_owns_iam_from_then_on() {
    let mut host = Host::start();
    let owner = host.admin_user("owner");
    owner.make_bucket("builds");
    let plan = host.admin(send("validate", DOCUMENT)).expect(200).json();
    let counts = ["users_created", "users_deleted", "groups_created"].map(|field| plan[field].clone());
    assert_eq!((counts, &plan["applied"]), ([json!(1), json!(1), json!(1)], &json!(false)));
    assert_eq!(host.user_names(), ["owner"]);
    assert_eq!(config_file(&host), "");

    let applied = host.admin(send("apply", DOCUMENT)).expect(200).json();
    assert_eq!((&applied["applied"], &applied["iam_mode"]), (&json!(true), &json!("declarative")));
    assert_eq!(host.user_names(), ["ci"]);
    ci(&host, CI_SECRET).put("builds", "k", "v").expect(200);
    owner.get("builds", "k").expect(403);
    let file = config_file(&host);
    assert!(file.contains("iam_mode: declarative") && file.contains("AKDECLAREDCI"), "{file}");
    assert!(!file.contains(CI_SECRET), "the database has the secret, the file has not:\n{file}");

    let again = host.admin(send("apply", DOCUMENT)).expect(200).json();
    assert_eq!((&again["no_changes"], &again["config_file_changes"]), (&json!(true), &json!(false)));
    assert_eq!(again["generation"], applied["generation"]);
    let exported = export(&host);
    assert!(!exported.contains(CI_SECRET), "{exported}");
    assert_eq!(host.admin(send("validate", &exported)).expect(200).json()["no_changes"], true);

    let id = users(&host)[0]["id"].clone();
    host.restart();
    assert_eq!(users(&host)[0]["id"], id, "the file and the database agree at the next start");
    let disabled = exported.replace("    - name: ci\n", "    - name: ci\n      enabled: false\n");
    host.admin(send("apply", &disabled)).expect(200);
    assert_eq!((&users(&host)[0]["id"], &users(&host)[0]["enabled"]), (&id, &json!(false)));
    ci(&host, CI_SECRET).get("builds", "k").expect(403);
}

#[test]
fn while_the_file_owns_iam_the_api_changes_none_of_it() {
    let host = Host::start();
    host.admin(send("apply", DOCUMENT)).expect(200);
    let id = users(&host)[0]["id"].as_str().unwrap().to_owned();
    let groups = host.admin(Request::new("GET", "/_/api/admin/groups")).expect(200).json();
    let group = groups[0]["id"].as_str().unwrap().to_owned();
    for (method, path, body) in [
        ("POST", "/users".to_owned(), json!({"name": "x"})),
        ("PUT", format!("/users/{id}"), json!({"enabled": false})),
        ("DELETE", format!("/users/{id}"), json!({})),
        ("POST", format!("/users/{id}/rotate-keys"), json!({})),
        ("POST", format!("/users/{id}/keys"), json!({})),
        ("PUT", format!("/users/{id}/keys/AKDECLAREDCI"), json!({"active": false})),
        ("DELETE", format!("/users/{id}/keys/AKDECLAREDCI"), json!({})),
        ("POST", "/groups".to_owned(), json!({"name": "x"})),
        ("PUT", format!("/groups/{group}"), json!({"name": "x"})),
        ("DELETE", format!("/groups/{group}"), json!({})),
        ("POST", format!("/groups/{group}/members"), json!({"user_id": id})),
        ("DELETE", format!("/groups/{group}/members/{id}"), json!({})),
        ("POST", "/ext-auth/providers".to_owned(), json!({"name": "x", "client_id": "x"})),
        ("PUT", "/ext-auth/providers/x".to_owned(), json!({"enabled": false})),
        ("DELETE", "/ext-auth/providers/x".to_owned(), json!({})),
        (
            "POST",
            "/ext-auth/mappings".to_owned(),
            json!({"match_type": "email_domain", "match_value": "a.org", "group_id": group}),
        ),
        ("PUT", "/ext-auth/mappings/x".to_owned(), json!({"enabled": false})),
        ("DELETE", "/ext-auth/mappings/x".to_owned(), json!({})),
    ] {
        let refused = host.admin(Request::new(method, &format!("/_/api/admin{path}")).json(&body)).expect(403);
        assert_eq!(code(&refused), "iam_declarative", "{method} {path}");
    }
    // Tokens and sessions are no part of the file.
    let token = json!({"name": "t", "role": "viewer"});
    host.admin(Request::new("POST", "/_/api/admin/tokens").json(&token)).expect(201);
    let sessions = host.admin(Request::new("GET", "/_/api/admin/sessions")).expect(200);
    assert_eq!(sessions.json()["sessions"].as_array().map(Vec::len), Some(1));
    // Back to the database: everything stays, and the API is open again.
    host.admin(send("apply", "access: {iam_mode: gui}\n")).expect(200);
    assert_eq!(host.user_names(), ["ci"]);
    assert!(!config_file(&host).contains("iam_"), "{}", config_file(&host));
    host.user("again", json!([]));
}

#[test]
fn what_says_nothing_or_nonsense_is_refused_and_authentication_stays_on() {
    let host = Host::start();
    host.admin_user("owner");
    for (yaml, expected) in [
        ("", "iam_empty"),
        ("access: {iam_mode: declarative}\n", "iam_empty"),
        ("access: {iam_users: []}\n", "iam_empty"),
        ("storage: {filesystem: /}\n", "config_invalid"),
        ("access: {authentication: none, iam_users: [{name: x}]}\n", "config_invalid"),
        ("access: {iam_users: [{name: x}]}\n", "iam_secret_missing"),
        ("access: {iam_users: [{name: x, groups: [none]}]}\n", "no_such_group"),
        ("a: [\n", "config_invalid"),
    ] {
        for verb in ["validate", "apply"] {
            assert_eq!(code(&host.admin(send(verb, yaml)).expect(400)), expected, "{verb} {yaml}");
        }
    }
    assert_eq!(host.user_names(), ["owner"]);
    let stale = send("apply", DOCUMENT).header("If-Match", "\"1.1\"");
    host.admin(stale).expect(412);
    Request::new("GET", "/").send(host.addr()).expect(403);
}

#[test]
fn a_file_that_cannot_be_replaced_or_was_edited_refuses_at_plan_time() {
    let mut host = Host::prepare().config("advanced: {log_level: info}\n");
    host.up();
    std::fs::write(host.path("config.yaml"), "advanced: {log_level: warn}\n").unwrap();
    for verb in ["validate", "apply"] {
        assert_eq!(code(&host.admin(send(verb, DOCUMENT)).expect(409)), "config_changed_on_disk");
    }
    assert_eq!(host.user_names(), Vec::<String>::new());
}

#[test]
fn a_hand_written_file_is_taken_in_at_start_and_after_each_edit() {
    let yaml = |users: &str| format!("# by hand\naccess:\n  iam_mode: declarative\n  iam_users:\n{users}");
    let ann = "    - {name: ann, access_key_id: AKANNANN, secret_access_key: {env: ANN_SECRET}}\n";
    let mut host = Host::prepare().env("ANN_SECRET", "ann-secret-1").config(&yaml(ann));
    host.up();
    assert_eq!(host.user_names(), ["ann"]);
    let id = id_of(&host, "ann");
    let signed = |host: &Host, secret: &str| {
        let s3 = S3 { addr: host.addr(), signer: Signer::new("AKANNANN", secret) };
        s3.send(Request::new("GET", "/")).status
    };
    assert_eq!(signed(&host, "ann-secret-1"), 200);

    // The operator edits the file and rotates the secret: the next start takes both in.
    host.stop();
    host.set_env("ANN_SECRET", "ann-secret-2");
    std::fs::write(
        host.path("config.yaml"),
        yaml(&format!("{ann}    - {{name: bob, access_key_id: AKBOBBOB, secret_access_key: bob-secret-1}}\n")),
    )
    .unwrap();
    host.up();
    assert_eq!((host.user_names(), id_of(&host, "ann")), (vec!["ann".to_owned(), "bob".to_owned()], id));
    assert_eq!((signed(&host, "ann-secret-1"), signed(&host, "ann-secret-2")), (403, 200));
    let log = host.admin(Request::new("GET", "/_/api/admin/audit?limit=50")).expect(200).text();
    assert!(log.contains("iam.declare"), "{log}");
    assert!(config_file(&host).starts_with("# by hand"), "a start writes no config file");

    // Without lists the file is not taken for an order to delete everybody.
    host.stop();
    std::fs::write(host.path("config.yaml"), "access: {iam_mode: declarative}\n").unwrap();
    host.up();
    assert_eq!(host.user_names(), ["ann", "bob"]);
    Request::new("GET", "/").send(host.addr()).expect(403);

    // A new user without a secret keeps the server from starting, with the name of the user.
    host.stop();
    std::fs::write(host.path("config.yaml"), yaml("    - {name: carol}\n")).unwrap();
    let ended = host.try_up().unwrap_err();
    assert!(ended.log.contains("carol"), "{}", ended.log);
}

#[test]
fn a_captured_file_that_owns_iam_brings_its_users_also_without_the_rest() {
    let source = Host::start();
    source.admin(send("apply", DOCUMENT)).expect(200);
    let archive = source.backup();
    let mut host = Host::start();
    host.user("old", json!([]));
    let restore = |host: &Host, query: &str| {
        host.admin(Request::new("POST", &format!("/_/api/admin/backup{query}")).body(archive.clone()))
    };
    assert_eq!(code(&restore(&host, "?mode=config-only&strategy=merge").expect(409)), "iam_declarative");
    let plan = restore(&host, "?mode=config-only&dry_run=true").expect(200).json();
    assert_eq!((&plan["users_created"], &plan["changes"]["users"]["deleted"]), (&json!(1), &json!(1)), "{plan}");
    assert_eq!(host.user_names(), ["old"]);
    restore(&host, "?mode=config-only").expect(200);
    let id = id_of(&host, "ci");
    assert_eq!(host.user_names(), ["ci"]);
    assert!(config_file(&host).contains("iam_mode: declarative") && !config_file(&host).contains(CI_SECRET));
    let signed = |host: &Host| ci(host, CI_SECRET).get("builds", "none").status;
    assert_eq!(signed(&host), 404, "the key's secret came out of secrets.json, the right out of the file");
    host.restart();
    assert_eq!((id_of(&host, "ci"), signed(&host)), (id, 404), "file and database agree");
}

#[test]
fn an_undo_enables_nobody_whom_the_file_disabled_since() {
    let mut host = Host::start();
    host.admin(send("apply", DOCUMENT)).expect(200);
    host.restore(&host.backup()).expect(200);
    let before = config_file(&host);
    let disabled = export(&host).replace("    - name: ci\n", "    - name: ci\n      enabled: false\n");
    host.admin(send("apply", &disabled)).expect(200);
    let undo = |query: &str| host.admin(Request::new("POST", &format!("/_/api/admin/backup/undo{query}")));
    assert_eq!(code(&undo("").expect(409)), "later_changes");
    let undone = undo("?discard_later_changes=true").expect(200).json();
    assert!(undone["warnings"].to_string().contains("written anew"), "{undone}");
    assert_eq!(users(&host)[0]["enabled"], false);
    host.restart();
    assert_eq!(users(&host)[0]["enabled"], false, "nor does the next start: {}", config_file(&host));
    ci(&host, CI_SECRET).get("builds", "k").expect(403);
    assert!(!before.contains("enabled: false") && config_file(&host).contains("enabled: false"));
}

/// Kills the server at a point of an apply: afterwards file and database are both the old ones or both the new ones.
fn killed_at(point: &str) {
    let mut host = Host::prepare().config("# by hand\nadvanced: {log_level: info}\n");
    host.up();
    host.user("old", json!([]));
    host.stop();
    host.set_env("DGP_FAULT", &format!("{point}=kill"));
    host.up();
    host.try_admin(send("apply", DOCUMENT)).map(|reply| reply.status).expect_err(point);
    assert!(host.ended().killed(), "{point} was never reached");
    host.set_env("DGP_FAULT", "");
    host.up();
    let committed = !point.starts_with("backup.") && point != "swap.before_journal";
    let names = if committed { ["ci"] } else { ["old"] };
    assert_eq!(host.user_names(), names, "{point}");
    assert_eq!(config_file(&host).contains("iam_mode: declarative"), committed, "{point}");
    assert_eq!(host.admin(send("apply", DOCUMENT)).expect(200).json()["no_changes"], committed, "{point}");
    let original = std::fs::read_to_string(host.path("config.yaml.orig")).unwrap();
    assert!(original.starts_with("# by hand"), "{point}");
    let left = std::fs::read_dir(host.path("swap")).into_iter().flatten().count();
    assert_eq!(left, 0, "{point}: staged files are left");
}

#[test]
fn killed_at_any_point_file_and_database_are_both_old_or_both_new() {
    for point in [
        "backup.declare",
        "backup.declare.planned",
        "backup.declare.staged",
        "swap.before_journal",
        "swap.after_journal",
        "swap.after_move.0",
        "swap.after_move.1",
        "system.swap.moved",
        "system.swap.owners",
        "swap.before_finish",
        "swap.after_finish",
    ] {
        killed_at(point);
    }
}

#[test]
fn the_command_line_validates_applies_and_exports() {
    let host = Host::start();
    host.admin_user("owner");
    std::fs::write(host.path("iam.yaml"), DOCUMENT).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"));
        command.args(["config", "declarative"]).args(args).current_dir(host.path("")).env_clear();
        command.env("DGP_SERVER", format!("http://{}", host.addr())).env("DGP_BOOTSTRAP_PASSWORD", PASSWORD);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, plan) = run(&["validate", "iam.yaml"]);
    assert_eq!(code, Some(0), "{plan}");
    assert!(
        plan.contains("created user ci\ndeleted user owner\n") && plan.ends_with("nothing was changed yet\n"),
        "{plan}"
    );
    assert_eq!(run(&["apply", "iam.yaml"]).0, Some(0));
    let (code, exported) = run(&["export"]);
    assert!(code == Some(0) && exported.contains("name: ci"), "{exported}");
    std::fs::write(host.path("empty.yaml"), "access: {iam_mode: declarative}\n").unwrap();
    let (code, refused) = run(&["apply", "empty.yaml"]);
    assert!(code == Some(6) && refused.contains("iam_empty"), "{refused}");
    assert_eq!(host.user_names(), ["ci"]);
}
