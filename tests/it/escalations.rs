//! What amounts to more than one was given, tried through every call that could give it (`access.md` §7).

use crate::support::archive::Archive;
use crate::support::client::{Reply, Request};
use crate::support::server::Host;
use serde_json::json;

const API: &str = "/_/api/admin";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

/// A restore, host settings and all, of an archive whose config says this below `advanced`, too.
fn restore_with(host: &Host, lines: &str) -> Reply {
    let mut archive = host.exported();
    let text = String::from_utf8(archive.entry("config.yaml").to_vec()).unwrap();
    assert!(text.contains("advanced:\n"), "the port of a test is not the default: {text}");
    archive.set("config.yaml", text.replace("advanced:\n", &format!("advanced:\n{lines}")));
    let request = call("POST", "/backup?host_settings=archive").header("Content-Type", "application/zip");
    host.admin(request.body(archive.reseal().zip()))
}

/// A restore of an archive, its data directory being another one.
fn restore_onto(host: &Host, archive: &Archive, root: &str) -> Reply {
    let request = call("POST", &format!("/backup?set=storage.filesystem={root}")).body(archive.zip());
    host.admin(request.header("Content-Type", "application/zip"))
}

#[test]
fn no_backend_lies_at_above_or_around_the_state_files() {
    let host = Host::start();
    let archive = host.exported();
    let dir = host.path("").to_string_lossy().trim_end_matches('/').to_owned();
    let parent = std::path::Path::new(&dir).parent().unwrap().to_string_lossy().into_owned();
    std::os::unix::fs::symlink(&dir, host.path("data-link")).unwrap();
    let before = host.exported().state();
    for root in [
        dir.clone(),
        parent,
        "/".to_owned(),
        format!("{dir}/deltaglider_config.db"),
        format!("{dir}/.deltaglider_bootstrap_hash"),
        format!("{dir}/.deltaglider_audit_checkpoint"),
        format!("{dir}/undo"),
        format!("{dir}/swap/x"),
        format!("{dir}/data-link"),
        format!("{dir}/data-link/deltaglider_state.db"),
    ] {
        let reply = restore_onto(&host, &archive, &root);
        let code = reply.json()["code"].clone();
        assert!(matches!(reply.status, 400 | 409), "{root}: {} {code}", reply.status);
        assert_eq!(code, "config_invalid", "{root}");
    }
    assert_eq!(host.exported().state(), before, "nothing was changed");
}

#[test]
fn no_header_reads_a_state_file_and_no_webhook_calls_a_metadata_service() {
    let host = Host::start();
    let hash = host.path(".deltaglider_bootstrap_hash").to_string_lossy().into_owned();
    let dir = host.path("").to_string_lossy().into_owned();
    let header = |reference: &str| {
        format!(
            "  secret_roots: [{dir}]\n  audit:\n    webhook:\n      url: http://127.0.0.1:9/\n      \
             headers: [{{name: X-Token, value: {reference}}}]\n"
        )
    };
    for (reference, says) in [
        (format!("{{file: {hash}}}"), "is a file of the state itself"),
        ("{file: ./.deltaglider_instance}".into(), "is a file of the state itself"),
        ("{file: /etc/passwd}".into(), "is under none of advanced.secret_roots"),
    ] {
        let reply = restore_with(&host, &header(&reference));
        assert!(matches!(reply.status, 400 | 409) && reply.text().contains(says), "{reference}: {}", reply.text());
    }
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://metadata.google.internal/",
        "http://0xa9fea9fe/",
    ] {
        let reply = restore_with(&host, &format!("  audit:\n    webhook:\n      url: \"{url}\"\n"));
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!("config_shape")), "{url}: {}", reply.text());
        assert!(reply.text().contains("is no address to send to"), "{url}: {}", reply.text());
    }
    for file in ["./deltaglider_config.db", "./.deltaglider_bootstrap_hash", "./data/bucket/object"] {
        let reply = restore_with(&host, &format!("  audit:\n    file: \"{file}\"\n"));
        assert_eq!(reply.json()["code"], "config_invalid", "{file}: {}", reply.text());
    }
    let reply = restore_with(&host, "  audit:\n    file: ./audit.ndjson\n");
    assert_eq!(reply.status, 200, "a file of its own is fine: {}", reply.text());
}

#[test]
fn a_role_that_is_no_admins_gets_no_secret_and_no_way_to_one() {
    let host = Host::start();
    let archive = host.exported().zip();
    for role in ["operator", "viewer", "backup"] {
        let body = json!({"name": role, "role": role});
        let token = host.admin(call("POST", "/tokens").json(&body)).expect(201).json();
        let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
        let send = |request: Request| request.header("Authorization", &bearer).send(host.addr());
        let own = "/backup?recipient=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        for (what, request) in [
            ("a plaintext archive", call("GET", "/backup")),
            ("an archive for oneself", call("GET", own)),
            (
                "an archive under a passphrase of one's own",
                call("GET", "/backup").header("X-DGP-Backup-Passphrase", "x"),
            ),
            ("the legacy form, which has secrets", call("GET", "/backup?format=json")),
            ("a restore", call("POST", "/backup").body(archive.clone())),
            ("the plan of one", call("POST", "/backup?dry_run=true").body(archive.clone())),
            ("a token of an admin", call("POST", "/tokens").json(&json!({"name": "x", "role": "admin"}))),
            ("a user with every right", call("POST", "/users").json(&json!({"name": "x"}))),
            ("another password", call("PUT", "/password").json(&json!({"current": "x", "new": "y"}))),
        ] {
            let reply = send(request);
            assert!(matches!(reply.status, 403 | 409), "{role} got {what}: {} {}", reply.status, reply.text());
            assert!(reply.status == 403 || reply.json()["code"] == "no_recipients", "{role}, {what}: {}", reply.text());
        }
    }
    assert!(host.user_names().is_empty());
}
