//! The admin API from outside: signing in, users, groups, tokens, and what each leaves in the audit log.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, PASSWORD, S3};
use crate::support::signer::Signer;
use serde_json::{Value, json};
use std::time::Duration;

const API: &str = "/_/api/admin";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

fn id_of(user: &Value) -> String {
    user["id"].as_str().unwrap_or_else(|| panic!("no id: {user}")).to_owned()
}

fn cookie_of(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").and_then(|c| c.split(';').next());
    cookie.expect("a sign-in sets a cookie").to_owned()
}

fn all_rules() -> Value {
    json!([{"effect": "Allow", "actions": ["*"], "resources": ["*"]}])
}

/// Makes a user and signs in as it.
fn signed_in(host: &Host, name: &str, permissions: Value) -> (Value, String) {
    let body = json!({"name": name, "permissions": permissions});
    let user = host.admin(call("POST", "/users").json(&body)).expect(201).json();
    let pair = json!({"access_key_id": user["access_key_id"], "secret_access_key": user["secret_access_key"]});
    let cookie = cookie_of(&call("POST", "/login-as").json(&pair).send(host.addr()).expect(200));
    (user, cookie)
}

fn problem(reply: &Reply) -> String {
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.text());
    let body = reply.json();
    for field in ["type", "title", "status", "code", "detail", "stage"] {
        assert!(!body[field].is_null(), "no {field}: {body}");
    }
    assert_eq!(body["status"], reply.status);
    body["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_password_opens_a_session_and_a_wrong_one_does_not() {
    let host = Host::start();
    let wrong = host.login("not the password").expect(401);
    assert_eq!(problem(&wrong), "wrong_credentials");
    assert_eq!(problem(&call("GET", "/session").send(host.addr()).expect(401)), "unauthenticated");
    let right = host.login(PASSWORD).expect(200);
    assert_eq!(right.json()["ok"], true);
    let set = right.header("set-cookie").expect("a cookie").to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/_/"] {
        assert!(set.contains(attribute), "{set}");
    }
    let cookie = cookie_of(&right);
    let session = call("GET", "/session").header("Cookie", &cookie).send(host.addr()).expect(200).json();
    assert_eq!((&session["valid"], &session["admin_gui"]), (&json!(true), &json!(true)));
    let who = Request::new("GET", "/_/api/whoami").header("Cookie", &cookie).send(host.addr()).expect(200).json();
    assert_eq!((&who["mode"], &who["user"]["is_admin"]), (&json!("bootstrap"), &json!(true)));
    call("POST", "/logout").header("Cookie", &cookie).send(host.addr()).expect(200);
    call("GET", "/session").header("Cookie", &cookie).send(host.addr()).expect(401);
    let nobody = Request::new("GET", "/_/api/whoami").send(host.addr()).expect(200).json();
    assert!(nobody.get("user").is_none());
}

#[test]
fn many_wrong_passwords_are_slowed_down() {
    let host = Host::start();
    let statuses: Vec<u16> = (0..12).map(|n| host.login(&format!("wrong password {n}")).status).collect();
    assert!(statuses[..5].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    // Another account of the same address is not slowed down with it.
    let pair = json!({"access_key_id": "AKNOBODY", "secret_access_key": "x"});
    call("POST", "/login-as").json(&pair).send(host.addr()).expect(401);
}

#[test]
fn a_user_is_made_changed_and_removed() {
    let host = Host::start();
    let body = json!({"name": "ann", "permissions": all_rules()});
    let user = host.admin(call("POST", "/users").json(&body)).expect(201).json();
    let id = id_of(&user);
    let (key, secret) = (user["access_key_id"].as_str().unwrap(), user["secret_access_key"].as_str().unwrap());
    assert!(key.starts_with("AK") && key.len() == 20 && secret.len() == 40, "{user}");
    assert_eq!((&user["enabled"], &user["auth_source"]), (&json!(true), &json!("local")));
    for field in ["group_ids", "permissions", "created_at"] {
        assert!(!user[field].is_null(), "no {field}: {user}");
    }

    let list = host.admin(call("GET", "/users")).expect(200);
    assert!(!list.text().contains(secret) && list.header("etag").is_some());
    assert_eq!(list.json()[0]["name"], "ann");

    let path = format!("/users/{id}");
    let changed = host.admin(call("PUT", &path).json(&json!({"name": "anna"}))).expect(200).json();
    assert_eq!((&changed["name"], &changed["enabled"]), (&json!("anna"), &json!(true)));
    let taken = host.admin(call("POST", "/users").json(&json!({"name": "anna"}))).expect(409);
    assert_eq!(problem(&taken), "user_name_taken");

    let s3 = S3 { addr: host.addr(), signer: Signer::new(key, secret) };
    s3.send(Request::new("GET", "/")).expect(200);
    let rotated = host.admin(call("POST", &format!("{path}/rotate-keys"))).expect(200).json();
    let fresh = (rotated["access_key_id"].as_str().unwrap(), rotated["secret_access_key"].as_str().unwrap());
    s3.send(Request::new("GET", "/")).expect(403);
    let s3 = S3 { addr: host.addr(), signer: Signer::new(fresh.0, fresh.1) };
    s3.send(Request::new("GET", "/")).expect(200);

    host.admin(call("DELETE", &path)).expect(204);
    assert_eq!(problem(&host.admin(call("DELETE", &path)).expect(404)), "no_such_user");
    host.admin(call("PUT", &path).json(&json!({"name": "x"}))).expect(404);
    assert_eq!(host.admin(call("GET", "/users")).expect(200).json(), json!([]));
}

#[test]
fn a_user_has_several_keys_each_with_its_own_end() {
    let host = Host::start();
    let (user, _) = signed_in(&host, "ann", all_rules());
    let path = format!("/users/{}/keys", id_of(&user));
    let made = host.admin(call("POST", &path).json(&json!({"expires_in": "30d"}))).expect(201).json();
    let (key, secret) = (made["access_key_id"].as_str().unwrap(), made["secret_access_key"].as_str().unwrap());
    let s3 = |key: &str, secret: &str| S3 { addr: host.addr(), signer: Signer::new(key, secret) };
    let first = s3(user["access_key_id"].as_str().unwrap(), user["secret_access_key"].as_str().unwrap_or_default());
    let second = s3(key, secret);
    let status = |s3: &S3| s3.send(Request::new("GET", "/")).status;
    assert_eq!((status(&first), status(&second)), (200, 200), "two pairs sign side by side");

    let list = host.admin(call("GET", &path)).expect(200);
    assert!(!list.text().contains(secret) && list.header("etag").is_some());
    assert_eq!(list.json().as_array().unwrap().len(), 2);
    assert_eq!((&list.json()[0]["expires_at"], &list.json()[1]["access_key_id"]), (&Value::Null, &json!(key)));
    assert!(list.json()[1]["expires_at"].as_str().is_some());

    let one = format!("{path}/{key}");
    let off = host.admin(call("PUT", &one).json(&json!({"active": false}))).expect(200).json();
    assert_eq!((&off["active"], status(&first), status(&second)), (&json!(false), 200, 403));
    let on = host.admin(call("PUT", &one).json(&json!({"active": true, "expires_in": "never"}))).expect(200).json();
    assert_eq!((&on["expires_at"], status(&second)), (&Value::Null, 200));
    host.admin(call("PUT", &one).json(&json!({"expires_in": "1s"}))).expect(200);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!((status(&first), status(&second)), (200, 403), "an expired pair signs nothing");

    for (body, status) in
        [(json!({"expires_in": "soon"}), 400), (json!({"active": 1}), 400), (json!({"on": true}), 400)]
    {
        problem(&host.admin(call("PUT", &one).json(&body)).expect(status));
    }
    host.admin(call("DELETE", &one)).expect(204);
    assert_eq!(problem(&host.admin(call("DELETE", &one)).expect(404)), "no_such_key");
    assert_eq!(problem(&host.admin(call("PUT", &one).json(&json!({"active": true}))).expect(404)), "no_such_key");
    let taken = json!({"access_key_id": user["access_key_id"]});
    assert_eq!(problem(&host.admin(call("POST", &path).json(&taken)).expect(409)), "access_key_taken");
    assert_eq!(problem(&host.admin(call("GET", "/users/none/keys")).expect(404)), "no_such_user");
}

#[test]
fn what_does_not_parse_is_refused_with_a_reason() {
    let host = Host::start();
    for body in [
        json!({"permissions": []}),
        json!({"name": ""}),
        json!({"name": "$ann"}),
        json!({"name": "a", "permisions": []}),
        json!({"name": "a", "permissions": [{"effect": "Allow", "actions": ["reed"], "resources": ["*"]}]}),
        json!({"name": "a", "permissions": [{"effect": "Maybe", "actions": ["read"], "resources": ["*"]}]}),
        json!({"name": "a", "group_ids": ["none"]}),
        json!([]),
    ] {
        problem(&host.admin(call("POST", "/users").json(&body)).expect(400));
    }
    problem(&host.admin(call("POST", "/users").body("{")).expect(400));
    problem(&host.admin(call("GET", "/users?limits=1")).expect(400));
    problem(&host.admin(call("POST", "/backup?dryrun=true").body("PK")).expect(400));
    let wrong = host.admin(call("PATCH", "/users")).expect(405);
    problem(&wrong);
    assert_eq!(wrong.header("allow"), Some("GET, POST"));
    problem(&host.admin(call("GET", "/nothing")).expect(404));
    assert_eq!(host.user_names(), Vec::<String>::new());
}

#[test]
fn groups_have_members_and_give_rights() {
    let host = Host::start();
    let body =
        json!({"name": "readers", "permissions": [{"effect": "Allow", "actions": ["admin"], "resources": ["*"]}]});
    let group = host.admin(call("POST", "/groups").json(&body)).expect(201).json();
    let path = format!("/groups/{}", id_of(&group));
    let (user, cookie) = signed_in(&host, "ann", json!([]));
    let try_users = || call("GET", "/users").header("Cookie", &cookie).send(host.addr()).status;
    assert_eq!(try_users(), 403);
    let member = json!({"user_id": user["id"]});
    let grown = host.admin(call("POST", &format!("{path}/members")).json(&member)).expect(200).json();
    assert_eq!(grown["member_ids"], json!([user["id"]]));
    assert_eq!(try_users(), 200, "a right of a group is there on the next call");
    host.admin(call("DELETE", &format!("{path}/members/{}", id_of(&user)))).expect(204);
    assert_eq!(try_users(), 403, "and gone on the next call");
    let renamed = host.admin(call("PUT", &path).json(&json!({"description": "all"}))).expect(200).json();
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("readers"), &json!("all")));
    host.admin(call("DELETE", &path)).expect(204);
    host.admin(call("DELETE", &path)).expect(404);
    assert_eq!(host.admin(call("GET", "/groups")).expect(200).json(), json!([]));
}

#[test]
fn lists_are_paged_where_a_limit_is_sent() {
    let host = Host::start();
    for n in 0..5 {
        host.user(&format!("user {n}"), json!([]));
    }
    let mut seen = Vec::new();
    let mut target = format!("{API}/users?limit=2");
    loop {
        let reply = host.admin(Request::new("GET", &target)).expect(200);
        seen.extend(reply.json().as_array().unwrap().iter().map(id_of));
        let Some(link) = reply.header("link") else { break };
        target = link.split(['<', '>']).nth(1).unwrap().to_owned();
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
}

#[test]
fn of_two_editors_who_read_the_same_state_one_wins() {
    let host = Host::start();
    let (user, _) = signed_in(&host, "ann", json!([]));
    let path = format!("/users/{}", id_of(&user));
    let tag = host.admin(call("GET", "/users")).expect(200).header("etag").unwrap().to_owned();
    let edit = |name: &str| host.admin(call("PUT", &path).header("If-Match", &tag).json(&json!({"name": name})));
    let first = edit("first").expect(200);
    assert_ne!(first.header("etag"), Some(tag.as_str()));
    assert_eq!(problem(&edit("second").expect(412)), "generation_changed");
    assert_eq!(host.user_names(), ["first"]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tag = first.header("etag").unwrap();
        let path = &path;
        let host = &host;
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let edit = call("PUT", path).header("If-Match", tag).json(&json!({"name": format!("racer {n}")}));
                scope.spawn(move || host.admin(edit).status)
            })
            .collect();
        calls.into_iter().map(|c| c.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 412)), "{statuses:?}");
}

#[test]
fn everything_has_its_row_in_the_audit_log() {
    let mut host = Host::start();
    host.login("not the password").expect(401);
    let (user, cookie) = signed_in(&host, "ann", json!([]));
    call("GET", "/users").header("Cookie", &cookie).send(host.addr()).expect(403);
    host.admin(call("DELETE", &format!("/users/{}", id_of(&user)))).expect(204);
    let archive = host.backup();
    host.restore(&archive).expect(200);
    host.restart();
    let rows = host.admin(call("GET", "/audit?limit=100")).expect(200).json();
    let rows = rows.as_array().unwrap();
    let has = |actor: &str, action: &str, outcome: &str| {
        let found = rows.iter().find(|r| r["actor"] == actor && r["action"] == action && r["outcome"] == outcome);
        let row = found.unwrap_or_else(|| panic!("no {action} by {actor} with {outcome}: {rows:?}"));
        assert!(row["ip"] == "127.0.0.1" && row["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{row}");
        row.clone()
    };
    has("$anonymous", "login", "denied");
    has("$bootstrap", "login", "success");
    has("ann", "login", "success");
    has("ann", "denied", "denied");
    assert_eq!(has("$bootstrap", "user.create", "success")["target"], user["id"]);
    has("$bootstrap", "user.delete", "success");
    assert_eq!(has("$bootstrap", "backup.export", "success")["detail"]["sha256"].as_str().map(str::len), Some(64));
    has("$bootstrap", "backup.restore", "started");
    has("$bootstrap", "backup.restore", "success");
    let order: Vec<u64> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert!(order.is_sorted_by(|a, b| a == &(b + 1)), "{order:?}");
}
