//! Files by the admin API: judged by the caller's S3 rules, streamed, downloaded as attachments, shared by link.

use crate::support::client::{Reply, Request};
use crate::support::server::Host;
use crate::support::signer::encode;
use serde_json::json;

const API: &str = "/_/api/admin";

/// A session of a user with these rules, who has a key pair.
fn session(host: &Host, name: &str, permissions: &serde_json::Value) -> String {
    let body = json!({"name": name, "permissions": permissions});
    let user = host.admin(Request::new("POST", &format!("{API}/users")).json(&body)).expect(201).json();
    let pair = json!({"access_key_id": user["access_key_id"], "secret_access_key": user["secret_access_key"]});
    let reply = Request::new("POST", &format!("{API}/login-as")).json(&pair).send(host.addr()).expect(200);
    reply.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap().to_owned()
}

#[test]
fn files_are_uploaded_listed_read_shared_and_removed() {
    files(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn files(host: Host) {
    host.admin_user("owner").make_bucket("photos");
    let all = json!([{"effect": "Allow", "actions": ["*"], "resources": ["*"]}]);
    let cookie = session(&host, "ann", &all);
    let call = |method: &str, path: &str| -> Request {
        Request::new(method, &format!("{API}/buckets/photos/{path}")).header("Cookie", &cookie)
    };
    let send = |request: Request| -> Reply { request.send(host.addr()) };
    let odd = "a/../b //ü?.html";
    let key = encode(odd, false);
    let body = "<script>alert(1)</script>";
    let put = |over: &str| {
        send(call("PUT", &format!("object?key={key}{over}")).header("Content-Type", "text/html").body(body))
    };
    assert_eq!(put("").expect(201).json()["headers"]["content-type"], "text/html");
    assert_eq!(put("&overwrite=false").expect(409).json()["code"], "object_exists");
    send(call("PUT", "object?key=a/c").body("c")).expect(201);
    let page = send(call("GET", "objects?prefix=a/&delimiter=/&limit=1")).expect(200).json();
    assert_eq!(page["next"], "a/../", "{page}");
    let page = send(call("GET", "objects?prefix=a/&delimiter=/&after=a/../")).expect(200).json();
    assert_eq!((&page["objects"][0]["key"], &page["next"]), (&json!("a/c"), &json!(null)), "{page}");
    let meta = send(call("GET", &format!("object?key={key}"))).expect(200).json();
    assert_eq!((&meta["key"], &meta["size"]), (&json!(odd), &json!(body.len())));
    let file = send(call("GET", &format!("object/download?key={key}"))).expect(200);
    assert_eq!(file.text(), body);
    assert!(file.header("content-disposition").unwrap().starts_with("attachment;"));
    assert_eq!(file.header("content-security-policy"), Some("sandbox"));
    assert_eq!(file.header("content-type"), Some("application/octet-stream"));
    let link = send(call("POST", "object/share").json(&json!({"key": odd, "expires_in_secs": 60}))).expect(200).json();
    let url = link["url"].as_str().unwrap().to_owned();
    let target = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned())).unwrap();
    let shared = Request::new("GET", &target).send(host.addr()).expect(200);
    assert_eq!((shared.text(), shared.header("content-security-policy")), (body.to_owned(), Some("sandbox")));
    Request::new("GET", &target.replace("Expires=60", "Expires=61")).send(host.addr()).expect(403);
    send(call("POST", "object/share").json(&json!({"key": "none"}))).expect(404);
    send(call("POST", "object/share").json(&json!({"key": odd, "expires_in_secs": 604_801}))).expect(400);
    let nobody =
        host.admin(Request::new("POST", &format!("{API}/buckets/photos/object/share")).json(&json!({"key": odd})));
    assert_eq!(nobody.expect(409).json()["code"], "no_signing_key");
    let tag =
        |tags: serde_json::Value| send(call("PUT", &format!("object/tags?key={key}")).json(&json!({"tags": tags})));
    let tagged = tag(json!({"state": "new", "team": "a"})).expect(200).json();
    assert_eq!((&tagged["tags"]["state"], &tagged["etag"]), (&json!("new"), &meta["etag"]), "{tagged}");
    assert_eq!(tag(json!({"aws:x": "1"})).expect(400).json()["code"], "invalid_tags");
    assert_eq!(send(call("GET", &format!("object?key={key}"))).expect(200).json()["tags"], tagged["tags"]);
    assert_eq!(tag(json!({})).expect(200).json()["tags"], json!({}));
    send(call("PUT", "object/tags?key=none").json(&json!({"tags": {}}))).expect(404);
    send(call("DELETE", &format!("object?key={key}"))).expect(204);
    send(call("GET", &format!("object?key={key}"))).expect(404);
    send(call("GET", "object")).expect(400);
}

#[test]
fn files_are_judged_by_the_rules_for_s3() {
    let host = Host::start();
    let owner = host.admin_user("owner");
    owner.make_bucket("photos");
    owner.put("photos", "mine/a", "1").expect(200);
    owner.put("photos", "other/b", "2").expect(200);
    let rules = json!([{"effect": "Allow", "actions": ["read", "list"], "resources": ["photos/mine/*"]}]);
    let cookie = session(&host, "bob", &rules);
    let send = |method: &str, path: &str| {
        let request = Request::new(method, &format!("{API}/buckets/photos/{path}"));
        request.header("Cookie", &cookie).body(if method == "PUT" { "x" } else { "" }).send(host.addr())
    };
    owner.make_bucket("unseen");
    let own = Request::new("GET", &format!("{API}/me/buckets")).header("Cookie", &cookie).send(host.addr());
    let own = own.expect(200).json();
    assert_eq!(
        (own.as_array().unwrap().len(), &own[0]["name"], &own[0]["read_only"]),
        (1, &json!("photos"), &json!(false))
    );
    let page = send("GET", "objects?prefix=mine/").expect(200).json();
    assert_eq!(page["objects"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(send("GET", "object/download?key=mine/a").expect(200).text(), "1");
    send("GET", "object?key=other/b").expect(403);
    send("GET", "object/download?key=other/b").expect(403);
    send("PUT", "object?key=mine/c").expect(403);
    send("DELETE", "object?key=mine/a").expect(403);
    let tags = Request::new("PUT", &format!("{API}/buckets/photos/object/tags?key=mine/a")).json(&json!({"tags": {}}));
    tags.header("Cookie", &cookie).send(host.addr()).expect(403);
    Request::new("GET", &format!("{API}/buckets/photos/objects")).send(host.addr()).expect(401);
    let request = Request::new("GET", &format!("{API}/buckets/none-here/objects"));
    host.admin(request).expect(404);
}

#[test]
fn rules_of_admission_hold_for_files_too() {
    let mut host = Host::prepare().config(
        "storage:\n  filesystem: ./data\nadmission:\n  blocks:\n    - name: frozen\n      match: {operation: [write, delete], bucket: \
         photos, path_glob: \"2019/**\"}\n      action: deny\n    - name: hidden\n      match: {operation: [list], bucket: photos, \
         path_glob: \"secret/**\"}\n      action: deny\n",
    );
    host.up();
    host.admin_user("owner").make_bucket("photos");
    let all = json!([{"effect": "Allow", "actions": ["*"], "resources": ["*"]}]);
    let cookie = session(&host, "ann", &all);
    let send = |method: &str, path: &str| {
        let request = Request::new(method, &format!("{API}/buckets/photos/{path}"));
        request.header("Cookie", &cookie).body(if method == "PUT" { "x" } else { "" }).send(host.addr())
    };
    send("PUT", "object?key=2020/a").expect(201);
    let reply = send("PUT", "object?key=2019/a").expect(403);
    assert!(reply.text().contains("rule of admission"), "{}", reply.text());
    send("DELETE", "object?key=2019/a").expect(403);
    send("GET", "object?key=2019/a").expect(404);
    send("GET", "objects?prefix=secret/").expect(403);
    send("GET", "objects").expect(200);
}
