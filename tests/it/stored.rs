//! Stored backups from outside: stored, listed, checked, downloaded, restored, and out of reach of everybody's S3 keys.

use crate::support::client::{Reply, Request};
use crate::support::server::Host;
use serde_json::{Value, json};

const DIRECTORY: &str = "backup: {schedule: \"0 2 * * *\", to: {directory: ./backups}}\n";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("/_/api/admin{path}"))
}

fn code(reply: &Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}

fn configured(yaml: &str) -> Host {
    let mut host = Host::prepare().config(yaml);
    host.up();
    host
}

fn stored(host: &Host) -> Value {
    host.admin(call("POST", "/backups")).expect(201).json()
}

#[test]
fn without_a_destination_nothing_is_stored_and_the_way_is_named() {
    let host = Host::start();
    assert_eq!(host.admin(call("GET", "/backups")).expect(200).json(), json!([]));
    let refused = host.admin(call("POST", "/backups")).expect(409);
    assert_eq!(code(&refused), "no_backup_destination");
    assert!(refused.text().contains("backup.to.directory"));
    let schedule = host.admin(call("GET", "/backups/schedule")).expect(200).json();
    assert_eq!(
        (&schedule["destination"], &schedule["next_run"], &schedule["failures"]),
        (&Value::Null, &Value::Null, &json!(1))
    );
}

#[test]
fn a_stored_backup_brings_the_state_back() {
    let host = configured(DIRECTORY);
    host.admin_user("ann");
    let made = stored(&host);
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!((&made["verified"], &made["own"], &made["encrypted"]), (&json!(true), &json!(true), &json!(false)));
    let path = host.path("backups").join(&id);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let file = host.admin(call("GET", &format!("/backups/{id}"))).expect(200);
    assert!(file.body == std::fs::read(&path).unwrap() && file.body.starts_with(b"PK"));
    let list = host.admin(call("GET", "/backups")).expect(200).json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["last_verified"]), (1, &json!(true)));

    host.admin_user("bob");
    let plan = host.admin(call("POST", &format!("/backups/{id}/restore?dry_run=true"))).expect(200).json();
    assert_eq!((&plan["restored"], &plan["changes"]["users"]["deleted"]), (&json!(false), &json!(1)));
    host.admin(call("POST", &format!("/backups/{id}/restore"))).expect(200);
    assert_eq!(host.user_names(), ["ann"]);
    host.admin(call("POST", &format!("/backups/{id}/verify"))).expect(200);

    let metrics = Request::new("GET", "/_/metrics").send(host.addr()).expect(200).text();
    for line in
        ["dgp_backup_failures_total 0", "dgp_backup_stale 0", "dgp_backup_last_size_bytes ", "dgp_backup_age_seconds "]
    {
        assert!(metrics.lines().any(|found| found.starts_with(line)), "{line}\n{metrics}");
    }
    let schedule = host.admin(call("GET", "/backups/schedule")).expect(200).json();
    assert_eq!((&schedule["last_success"]["id"], &schedule["stale"]), (&json!(id), &json!(false)));
    assert!(schedule["next_run"].as_str().unwrap().ends_with("T02:00:00Z"));

    assert_eq!(code(&host.admin(call("DELETE", &format!("/backups/{id}"))).expect(409)), "last_verified_backup");
    host.admin(call("DELETE", &format!("/backups/{id}?force=true"))).expect(204);
    for (method, path) in
        [("GET", id.as_str()), ("DELETE", id.as_str()), ("GET", "..%2Fconfig.yaml"), ("DELETE", "config.yaml")]
    {
        assert_eq!(
            code(&host.admin(call(method, &format!("/backups/{path}"))).expect(404)),
            "no_such_backup",
            "{path}"
        );
    }
    let rows = host.admin(call("GET", "/audit?limit=100")).expect(200).text();
    for action in ["backup.store", "backup.download", "backup.restore", "backup.verify", "backup.delete"] {
        assert!(rows.contains(&format!("\"{action}\"")), "{action}");
    }
}

#[test]
fn what_a_directory_holds_is_trusted_by_its_signature_alone() {
    let (host, other) = (configured(DIRECTORY), Host::start());
    other.admin_user("eve");
    std::fs::create_dir(host.path("backups")).unwrap();
    let id = "dgp-backup-v0.1.0-20991231T235959Z.zip";
    std::fs::write(host.path("backups").join(id), other.backup()).unwrap();
    let list = host.admin(call("GET", "/backups")).expect(200).json();
    assert_eq!(
        (&list[0]["own"], &list[0]["verified"], &list[0]["trigger"]),
        (&json!(false), &json!(false), &Value::Null)
    );
    for query in ["", "?dry_run=true"] {
        let refused = host.admin(call("POST", &format!("/backups/{id}/restore{query}"))).expect(409);
        assert_eq!(code(&refused), "untrusted_backup");
    }
    std::fs::write(host.path("backups").join(id), b"PK\x03\x04 and then nothing").unwrap();
    host.admin(call("POST", &format!("/backups/{id}/verify"))).expect(400);
    assert!(host.user_names().is_empty());
}

#[test]
fn nobody_but_an_admin_reaches_stored_backups_over_s3() {
    let host = configured("backup: {to: {bucket: ops, prefix: dgp/}, plaintext_in_bucket: true}\n");
    let admin = host.admin_user("root");
    admin.make_bucket("ops");
    let id = stored(&host)["id"].as_str().unwrap().to_owned();
    let key = format!("dgp/{id}");
    let all = host.user("all", json!([{"effect": "Allow", "actions": ["s3:*"], "resources": ["*"]}]));
    all.get("ops", &key).expect(403);
    all.get("ops", "dgp/missing").expect(403);
    all.put("ops", &key, "planted").expect(403);
    all.put("ops", "dgp/planted.zip", "planted").expect(403);
    all.send(Request::new("DELETE", &format!("/ops/{key}"))).expect(403);
    all.send(Request::new("PUT", "/ops/copy").header("x-amz-copy-source", &format!("/ops/{key}"))).expect(403);
    all.put("ops", "beside", "x").expect(200);
    let listed = all.send(Request::new("GET", "/ops?list-type=2")).expect(200).text();
    assert!(listed.contains("<Key>beside</Key>") && !listed.contains("dgp"), "{listed}");
    all.send(Request::new("GET", "/ops?list-type=2&prefix=dgp%2F")).expect(403);
    assert!(admin.get("ops", &key).expect(200).body.starts_with(b"PK"));
}

#[test]
fn the_schedule_is_set_through_the_api_and_written_into_the_file() {
    let mut host = Host::start();
    let put = |query: &str, body: &Value| call("PUT", &format!("/backups/schedule{query}")).json(body);
    let directory = host.path("backups");
    let wanted = json!({
        "schedule": "30 3 * * *", "on_change_secs": 600, "destination": {"directory": directory},
        "keep": {"last": 7, "days": null}, "verify": true,
    });
    let plan = host.admin(put("?dry_run=true", &wanted)).expect(200).json();
    assert_eq!((&plan["applied"], plan["changes"].as_array().map(Vec::len)), (&json!(false), Some(4)), "{plan}");
    assert!(!host.path("config.yaml").exists(), "a plan writes nothing");
    let done = host.admin(put("", &wanted)).expect(200).json();
    assert_eq!(done["applied"], true);
    for _ in 0..2 {
        let now = host.admin(call("GET", "/backups/schedule")).expect(200).json();
        assert_eq!((&now["schedule"], &now["on_change_secs"]), (&json!("30 3 * * *"), &json!(600)), "{now}");
        assert_eq!(
            (&now["destination"]["directory"], &now["keep"]["last"], &now["keep"]["days"]),
            (&json!(directory), &json!(7), &Value::Null)
        );
        assert!(now["next_run"].is_string());
        assert_eq!(stored(&host)["verified"], true);
        host.restart();
    }
    let again = host.admin(put("", &wanted)).expect(200).json();
    assert_eq!(again["changes"], json!([]), "the same again changes nothing");
    let refused = |host: &Host, body: Value, status: u16, expected: &str| {
        let reply = host.admin(put("", &body)).expect(status);
        assert_eq!(code(&reply), expected, "{}", reply.text());
    };
    refused(&host, json!({"schedule": "every day"}), 400, "invalid_request");
    refused(&host, json!({"destination": {"directory": "/a", "bucket": "b"}}), 400, "invalid_request");
    refused(&host, json!({"destination": {"bucket": "backups"}}), 400, "config_invalid");
    let kept = std::fs::read_to_string(host.path("config.yaml")).unwrap();
    assert!(kept.contains("30 3 * * *"), "{kept}");
    host.admin(put("", &json!({}))).expect(200);
    let off = host.admin(call("GET", "/backups/schedule")).expect(200).json();
    assert_eq!((&off["schedule"], &off["destination"], &off["next_run"]), (&Value::Null, &Value::Null, &Value::Null));
    host.stop();
    host.set_env("DGP_BACKUP__VERIFY", "false");
    host.up();
    refused(&host, wanted, 409, "shadowed_by_environment");
}
