//! The way back from a restore: everything as it was before, unless something was changed since and nobody said that it may go.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD, restore_request};
use serde_json::{Value, json};

const API: &str = "/_/api/admin/backup";
const NEW: &str = "another-password-2";

fn undo(host: &Host, query: &str) -> Reply {
    host.admin(Request::new("POST", &format!("{API}/undo{query}")))
}

fn code(reply: &Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}

fn config_file(host: &Host) -> Option<String> {
    std::fs::read_to_string(host.path("config.yaml")).ok()
}

fn user_id(host: &Host, name: &str) -> String {
    let users = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
    let found = users.as_array().unwrap().iter().find(|user| user["name"] == name);
    found.and_then(|user| user["id"].as_str()).unwrap_or_else(|| panic!("no {name}: {users}")).to_owned()
}

#[test]
fn an_undo_brings_back_what_was_before_the_restore_and_undone_again_what_it_took() {
    let mut host = Host::start();
    let ann = host.admin_user("ann");
    ann.make_bucket("kept");
    let archive = host.backup();
    host.user("bob", json!([]));
    let before = host.exported();
    let hash = std::fs::read(host.path(".deltaglider_bootstrap_hash")).unwrap();
    assert_eq!(code(&undo(&host, "").expect(409)), "nothing_to_undo");

    let restored = host.restore(&archive).expect(200).json();
    assert!(config_file(&host).is_some(), "a restore writes the first config file");
    ann.put("kept", "k", "written since").expect(200);
    let plan = undo(&host, "?dry_run=true").expect(200).json();
    assert_eq!((&plan["restored"], &plan["undoes"]), (&json!(false), &restored["restore_id"]));
    assert_eq!(plan["later_changes"]["other"], json!([]), "objects are no state");
    assert_eq!(host.user_names(), ["ann"], "a plan changes nothing");

    let undone = undo(&host, "").expect(200).json();
    assert_eq!((&undone["mode"], &undone["restored"]), (&json!("undo"), &json!(true)));
    assert_eq!(host.user_names(), ["ann", "bob"]);
    assert_eq!(config_file(&host), None, "there was no config file");
    assert_eq!(std::fs::read(host.path(".deltaglider_bootstrap_hash")).unwrap(), hash);
    let parts = |host: &Host| {
        let archive = host.exported();
        ["iam.json", "config.yaml", "secrets.json"].map(|name| String::from_utf8(archive.entry(name).to_vec()).unwrap())
    };
    let then =
        ["iam.json", "config.yaml", "secrets.json"].map(|name| String::from_utf8(before.entry(name).to_vec()).unwrap());
    assert_eq!(parts(&host), then);
    assert!(undone["epoch"].as_u64() > restored["epoch"].as_u64());

    host.restart();
    assert_eq!((host.user_names(), config_file(&host)), (vec!["ann".to_owned(), "bob".to_owned()], None));
    assert_eq!(ann_again(&host, &ann, "k"), "written since");
    let records = host.admin(Request::new("GET", &format!("{API}/restores"))).expect(200).json();
    assert_eq!(records.as_array().unwrap().len(), 3, "{records}");

    // The undo is undone: the restored state is back.
    undo(&host, "").expect(200);
    assert_eq!(host.user_names(), ["ann"]);
    assert!(config_file(&host).is_some());
    host.restart();
    assert_eq!(host.user_names(), ["ann"]);
}

fn ann_again(host: &Host, ann: &crate::support::server::S3, key: &str) -> String {
    crate::support::server::S3 { addr: host.addr(), ..ann.clone() }.get("kept", key).expect(200).text()
}

#[test]
fn what_was_changed_since_is_listed_and_lost_only_by_will() {
    let host = Host::start();
    host.user("ann", json!([]));
    let archive = host.backup();
    host.user("bob", json!([]));
    host.restore(&archive).expect(200);
    let carol = host.admin_user("carol");
    carol.make_bucket("made-since");
    carol.put("made-since", "k", "v").expect(200);
    let refused = undo(&host, "").expect(409);
    assert_eq!(code(&refused), "later_changes");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("user `carol`") && detail.contains("bucket `made-since`"), "{detail}");
    assert_eq!(host.user_names(), ["ann", "carol"]);
    let plan = undo(&host, "?dry_run=true").expect(200).json();
    assert_eq!(plan["later_changes"]["changes"]["users"]["items"][0]["name"], "carol");
    let undone = undo(&host, "?discard_later_changes=true").expect(200).json();
    assert_eq!(undone["buckets_kept"], json!(["made-since"]), "it holds objects");
    assert_eq!(host.user_names(), ["ann", "bob"]);
}

#[test]
fn an_undo_of_the_half_without_the_config_brings_back_the_config_of_then_too() {
    for file in [None, Some("access: {session_idle: 3h}\n")] {
        let mut host = file.iter().fold(Host::prepare(), |host, text| host.config(text));
        host.up();
        host.user("ann", json!([]));
        let archive = host.backup();
        let iam_only = format!("{API}?mode=iam-only");
        host.admin(Request::new("POST", &iam_only).body(archive)).expect(200);
        assert_eq!(config_file(&host).as_deref(), file);
        let yaml = host.admin(Request::new("GET", "/_/api/admin/config/declarative-iam-export")).expect(200).text();
        let apply = Request::new("POST", "/_/api/admin/config/declarative-iam-apply");
        host.admin(apply.json(&json!({ "yaml": yaml }))).expect(200);
        let refused = undo(&host, "").expect(409);
        assert_eq!(code(&refused), "later_changes");
        assert!(refused.text().contains("iam_mode"), "{}", refused.text());
        undo(&host, "?discard_later_changes=true").expect(200);
        assert_eq!(config_file(&host).as_deref(), file);
        host.user("bob", json!([]));
        undo(&host, "?discard_later_changes=true").expect(200);
        assert!(config_file(&host).is_some_and(|text| text.contains("iam_mode: declarative")));
    }
}

#[test]
fn what_was_revoked_since_the_restore_stays_revoked_and_a_changed_password_goes_back() {
    let host = Host::start();
    let leaver = host.admin_user("leaver");
    let archive = host.backup();
    host.restore(&archive).expect(200);
    host.admin(Request::new("DELETE", &format!("/_/api/admin/users/{}", user_id(&host, "leaver")))).expect(204);
    let undone = undo(&host, "?discard_later_changes=true").expect(200).json();
    assert!(undone["warnings"].to_string().contains("leaver"), "{undone}");
    leaver.send(Request::new("GET", "/")).expect(403);
    let unknown = undo(&host, "?revive=nobody").expect(400);
    assert_eq!(code(&unknown), "unknown_revive");

    host.restore(&archive).expect(200);
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    host.admin(Request::new("PUT", "/_/api/admin/password").json(&body)).expect(200);
    let refused = undo(&host, "").expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("bootstrap password"), "{refused}");
    undo(&host, "?discard_later_changes=true").expect(200);
    host.login(NEW).expect(401);
    host.login(PASSWORD).expect(200);
}

#[test]
fn an_undo_ends_every_session_but_the_callers() {
    let host = Host::start();
    let archive = host.backup();
    host.restore(&archive).expect(200);
    let other = host.login(PASSWORD).expect(200);
    let cookie = other.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned();
    undo(&host, "").expect(200);
    Request::new("GET", "/_/api/admin/session").header("Cookie", &cookie).send(host.addr()).expect(401);
    host.admin(Request::new("GET", "/_/api/admin/session")).expect(200);
}

#[test]
fn what_was_kept_is_checked_before_it_comes_back() {
    let host = Host::start();
    let archive = host.backup();
    let restored = host.restore(&archive).expect(200).json();
    let kept = restored["pre_restore_backup"].as_str().unwrap();
    let hash = host.path(kept).join(".deltaglider_bootstrap_hash");
    std::fs::remove_file(&hash).unwrap();
    std::fs::write(&hash, "something else").unwrap();
    assert_eq!(code(&undo(&host, "").expect(409)), "undo_unavailable");
    host.login(PASSWORD).expect(200);
}

#[test]
fn a_repeat_gets_the_first_outcome_also_after_a_restart() {
    let mut host = Host::start();
    host.user("ann", json!([]));
    let archive = host.backup();
    let send = |host: &Host, query: &str, key: &str| {
        let request = restore_request(&archive).header("Idempotency-Key", key);
        let request = Request { target: format!("{}{query}", request.target), ..request };
        host.admin(request)
    };
    let first = send(&host, "", "once").expect(200).json();
    host.user("later", json!([]));
    assert_eq!(send(&host, "", "once").expect(200).json(), first);
    host.restart();
    assert_eq!(send(&host, "", "once").expect(200).json(), first);
    assert_eq!(host.user_names(), ["ann", "later"], "no second restore was made");
    assert_eq!(code(&send(&host, "?mode=iam-only", "once").expect(409)), "idempotency_key_reused");
    let records: Value = host.admin(Request::new("GET", &format!("{API}/restores"))).expect(200).json();
    assert!(!records.to_string().contains("idempotency"), "{records}");
}

#[test]
fn a_clone_goes_live_by_the_name_of_its_instance() {
    let source = Host::start();
    let archive = source.backup();
    let clone = Host::start();
    clone.restore(&archive).expect(200);
    let health = || Request::new("GET", "/_/health").send(clone.addr()).expect(200).json();
    let was = health()["quarantined_from"].clone();
    assert_eq!(health()["quarantined"], true);
    let go =
        |id: &Value| clone.admin(Request::new("POST", &format!("{API}/go-live")).json(&json!({"instance_id": id})));
    assert_eq!(code(&go(&json!("another")).expect(409)), "wrong_instance");
    assert_eq!(health()["quarantined"], true);
    let own = clone.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json()["instance_id"].clone();
    assert_eq!(go(&own).expect(200).json()["was_clone_of"], was);
    assert_eq!(health()["quarantined"], false);
    assert_eq!(go(&own).expect(200).json()["was_clone_of"], Value::Null, "once more does no harm");
}

#[test]
fn a_clone_stores_its_backups_apart_until_it_is_live_and_so_does_a_host_with_a_copied_database() {
    let config = "backup: {to: {directory: ./backups}}\n";
    let configured = || {
        let mut host = Host::prepare().config(config);
        host.up();
        host
    };
    let (source, restored) = (configured(), configured());
    let own = |host: &Host| {
        let status = host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json();
        status["instance_id"].as_str().unwrap().to_owned()
    };
    restored.restore(&source.backup()).expect(200);
    let mut copied = Host::prepare().config(config);
    std::fs::copy(source.path("deltaglider_config.db"), copied.path("deltaglider_config.db")).unwrap();
    copied.up();
    for clone in [&restored, &copied] {
        let health = Request::new("GET", "/_/health").send(clone.addr()).expect(200).json();
        assert_eq!((&health["quarantined"], &health["quarantined_from"]), (&json!(true), &json!(own(&source))));
        let store = || {
            let made = clone.admin(Request::new("POST", "/_/api/admin/backups")).expect(201).json();
            made["id"].as_str().unwrap().to_owned()
        };
        let id = store();
        assert!(clone.path("backups").join(own(clone)).join(id).exists(), "beside what the original stores");
        let live = json!({"instance_id": own(clone)});
        clone.admin(Request::new("POST", &format!("{API}/go-live")).json(&live)).expect(200);
        let id = store();
        assert!(clone.path("backups").join(id).exists());
    }
}
