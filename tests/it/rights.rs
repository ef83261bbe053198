//! Who may do what on the admin API: a table of roles and routes, and how fast a lost right is lost.

use crate::support::client::{Reply, Request};
use crate::support::conform::DOCUMENT;
use crate::support::server::{Host, PASSWORD};
use serde_json::{Value, json};
use std::time::Duration;

const API: &str = "/_/api/admin";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

fn bearer(request: Request, token: &str) -> Request {
    request.header("Authorization", &format!("Bearer {token}"))
}

fn token(host: &Host, body: &Value) -> String {
    let made = host.admin(call("POST", "/tokens").json(body)).expect(201).json();
    let token = made["token"].as_str().unwrap_or_else(|| panic!("no token: {made}")).to_owned();
    assert!(token.starts_with("dgp_"));
    token
}

fn code(reply: &Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}

/// Every route and the right that it needs.
const ROUTES: [(&str, &str, &str); 76] = [
    ("GET", "/status", "system:read"),
    ("PUT", "/password", "admin"),
    ("POST", "/recover-db", "admin"),
    ("GET", "/sessions", "iam:read"),
    ("DELETE", "/sessions/000000000000", "iam:write"),
    ("GET", "/users", "iam:read"),
    ("POST", "/users", "iam:write"),
    ("GET", "/users/none", "iam:read"),
    ("PUT", "/users/none", "iam:write"),
    ("DELETE", "/users/none", "iam:write"),
    ("POST", "/users/none/rotate-keys", "iam:write"),
    ("GET", "/users/none/keys", "iam:read"),
    ("POST", "/users/none/keys", "iam:write"),
    ("PUT", "/users/none/keys/none", "iam:write"),
    ("DELETE", "/users/none/keys/none", "iam:write"),
    ("GET", "/groups", "iam:read"),
    ("POST", "/groups", "iam:write"),
    ("GET", "/groups/none", "iam:read"),
    ("PUT", "/groups/none", "iam:write"),
    ("DELETE", "/groups/none", "iam:write"),
    ("POST", "/groups/none/members", "iam:write"),
    ("DELETE", "/groups/none/members/none", "iam:write"),
    ("GET", "/tokens", "iam:read"),
    ("POST", "/tokens", "iam:write"),
    ("DELETE", "/tokens/none", "iam:write"),
    ("GET", "/ext-auth/providers", "iam:read"),
    ("POST", "/ext-auth/providers", "iam:write"),
    ("GET", "/ext-auth/providers/none", "iam:read"),
    ("PUT", "/ext-auth/providers/none", "iam:write"),
    ("DELETE", "/ext-auth/providers/none", "iam:write"),
    ("POST", "/ext-auth/providers/none/test", "iam:write"),
    ("GET", "/ext-auth/mappings", "iam:read"),
    ("POST", "/ext-auth/mappings", "iam:write"),
    ("POST", "/ext-auth/mappings/preview", "iam:read"),
    ("PUT", "/ext-auth/mappings/none", "iam:write"),
    ("DELETE", "/ext-auth/mappings/none", "iam:write"),
    ("GET", "/ext-auth/identities", "iam:read"),
    ("POST", "/ext-auth/identities", "iam:write"),
    ("DELETE", "/ext-auth/identities/none", "iam:write"),
    ("POST", "/explain", "iam:read"),
    ("GET", "/config/trace", "config:read"),
    ("POST", "/config/trace", "config:read"),
    ("POST", "/config/declarative-iam-validate", "iam:write"),
    ("POST", "/config/declarative-iam-apply", "admin"),
    ("GET", "/config/declarative-iam-export", "iam:read"),
    ("GET", "/audit", "audit:read"),
    ("GET", "/audit/export", "audit:read"),
    ("GET", "/audit/verify", "audit:read"),
    ("GET", "/backends", "config:read"),
    ("POST", "/backends", "config:secrets"),
    ("GET", "/backends/none", "config:read"),
    ("PUT", "/backends/none", "config:write"),
    ("DELETE", "/backends/none", "config:secrets"),
    ("POST", "/backends/none/probe", "system:write"),
    ("POST", "/backends/none/init", "config:secrets"),
    ("POST", "/backends/none/adopt", "config:secrets"),
    ("GET", "/buckets", "config:read"),
    ("POST", "/buckets", "config:write"),
    ("GET", "/buckets/none", "config:read"),
    ("PUT", "/buckets/none", "config:write"),
    ("DELETE", "/buckets/none", "config:write"),
    ("GET", "/backup", "backup:export-secrets"),
    ("POST", "/backup", "backup:restore"),
    ("POST", "/backup/verify", "backup:read"),
    ("POST", "/backup/undo", "backup:restore"),
    ("POST", "/backup/go-live", "backup:restore"),
    ("GET", "/backup/restores", "backup:read"),
    ("GET", "/backup/restores/none", "backup:read"),
    ("GET", "/backups", "backup:read"),
    ("POST", "/backups", "backup:export"),
    ("GET", "/backups/schedule", "backup:read"),
    ("PUT", "/backups/schedule", "config:secrets"),
    ("GET", "/backups/none", "backup:export-secrets"),
    ("DELETE", "/backups/none", "system:write"),
    ("POST", "/backups/none/verify", "backup:read"),
    ("POST", "/backups/none/restore", "backup:restore"),
];

/// The shipped roles and the rights that they have among those above.
const ROLES: [(&str, &[&str]); 4] = [
    (
        "admin",
        &[
            "admin",
            "config:read",
            "config:write",
            "config:secrets",
            "system:read",
            "system:write",
            "iam:read",
            "iam:write",
            "audit:read",
            "backup:read",
            "backup:export",
            "backup:export-secrets",
            "backup:restore",
        ],
    ),
    (
        "operator",
        &["config:read", "config:write", "system:read", "system:write", "audit:read", "backup:read", "backup:export"],
    ),
    ("viewer", &["config:read", "system:read", "iam:read", "audit:read", "backup:read"]),
    ("backup", &["backup:read", "backup:export"]),
];

#[test]
fn the_table_has_every_route_and_right_of_the_document() {
    let template = |path: &str| -> String {
        let segments = path.split('/').map(|segment| match segment {
            "none" | "000000000000" => "{}",
            named if named.starts_with('{') => "{}",
            other => other,
        });
        segments.collect::<Vec<_>>().join("/")
    };
    let mut described = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(right) = operation["x-dgp-right"].as_str() else { continue };
            described.push((method.to_uppercase(), template(path.strip_prefix(API).unwrap()), right.to_owned()));
        }
    }
    let mut listed: Vec<_> = ROUTES.iter().map(|(m, p, r)| ((*m).to_owned(), template(p), (*r).to_owned())).collect();
    described.sort();
    listed.sort();
    assert_eq!(listed, described);
}

#[test]
fn every_route_as_every_role() {
    let host = Host::start();
    for (method, path, _) in ROUTES {
        call(method, path).send(host.addr()).expect(401);
        bearer(call(method, path), "dgp_unknown").send(host.addr()).expect(401);
        call(method, path).header("Cookie", "dgp_session=unknown").send(host.addr()).expect(401);
    }
    for (role, rights) in ROLES {
        let token = token(&host, &json!({"name": role, "role": role, "expires_in": "1h"}));
        for (method, path, right) in ROUTES {
            // The body is wrong everywhere, so that nothing happens where the right is there.
            let status = bearer(call(method, path).body("[]"), &token).send(host.addr()).status;
            let may = rights.contains(&right);
            let no_recipients = (method, path) == ("GET", "/backup") && matches!(role, "operator" | "backup");
            match (may, no_recipients) {
                (true, _) => assert!(!matches!(status, 401 | 403), "{role} {method} {path}: {status}"),
                (false, true) => assert_eq!(status, 409, "{role} may export to recipients, and there are none"),
                (false, false) => assert_eq!(status, 403, "{role} {method} {path}"),
            }
        }
    }
}

#[test]
fn a_token_ends_with_its_time_and_when_it_is_deleted() {
    let host = Host::start();
    let short = token(&host, &json!({"name": "short", "role": "viewer", "expires_in": "1s"}));
    let long = token(&host, &json!({"name": "long", "role": "viewer", "expires_in": "24h"}));
    bearer(call("GET", "/users"), &long).send(host.addr()).expect(200);
    std::thread::sleep(Duration::from_millis(1100));
    bearer(call("GET", "/users"), &short).send(host.addr()).expect(401);
    let listed = host.admin(call("GET", "/tokens")).expect(200);
    assert!(!listed.text().contains(&long), "a token's text is shown once");
    let id = listed.json().as_array().unwrap().iter().find(|t| t["name"] == "long").unwrap()["id"].clone();
    host.admin(call("DELETE", &format!("/tokens/{}", id.as_str().unwrap()))).expect(204);
    bearer(call("GET", "/users"), &long).send(host.addr()).expect(401);
    for bad in [
        json!({"name": "x"}),
        json!({"name": "x", "role": "root"}),
        json!({"name": "x", "role": "viewer", "permissions": []}),
        json!({"name": "x", "role": "viewer", "expires_in": "soon"}),
    ] {
        host.admin(call("POST", "/tokens").json(&bad)).expect(400);
    }
}

/// A user with these rules, its id, and a session of it.
fn signed_in(host: &Host, name: &str, permissions: &Value) -> (String, String) {
    let body = json!({"name": name, "permissions": permissions});
    let user = host.admin(call("POST", "/users").json(&body)).expect(201).json();
    let pair = json!({"access_key_id": user["access_key_id"], "secret_access_key": user["secret_access_key"]});
    let reply = call("POST", "/login-as").json(&pair).send(host.addr()).expect(200);
    let cookie = reply.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned();
    (user["id"].as_str().unwrap().to_owned(), cookie)
}

#[test]
fn a_lost_right_and_a_lost_credential_are_lost_on_the_next_call() {
    let host = Host::start();
    let everything = json!([{"effect": "Allow", "actions": ["*"], "resources": ["*"]}]);
    let export = |cookie: &str| call("GET", "/backup").header("Cookie", cookie).send(host.addr()).status;

    let (demoted, cookie) = signed_in(&host, "demoted", &everything);
    assert_eq!(export(&cookie), 200);
    host.admin(call("PUT", &format!("/users/{demoted}")).json(&json!({"permissions": []}))).expect(200);
    assert_eq!(export(&cookie), 403);

    let (disabled, cookie) = signed_in(&host, "disabled", &everything);
    host.admin(call("PUT", &format!("/users/{disabled}")).json(&json!({"enabled": false}))).expect(200);
    assert_eq!(export(&cookie), 401);

    let (rotated, cookie) = signed_in(&host, "rotated", &everything);
    host.admin(call("POST", &format!("/users/{rotated}/rotate-keys"))).expect(200);
    assert_eq!(export(&cookie), 401);

    let (deleted, cookie) = signed_in(&host, "deleted", &everything);
    host.admin(call("DELETE", &format!("/users/{deleted}"))).expect(204);
    assert_eq!(export(&cookie), 401);
}

#[test]
fn sessions_are_listed_revoked_and_outlive_a_restart() {
    let mut host = Host::start();
    let (_, cookie) = signed_in(&host, "ann", &json!([]));
    let own = |host: &Host| call("GET", "/session").header("Cookie", &cookie).send(host.addr()).status;
    host.login(PASSWORD).expect(200);
    assert_eq!(own(&host), 200, "nobody else's sign-in ends it");
    host.restart();
    assert_eq!(own(&host), 200, "nor does a restart");
    let all = host.admin(call("GET", "/sessions")).expect(200).json();
    let sessions = all["sessions"].as_array().unwrap();
    let ann = sessions.iter().find(|s| s["identity"] == "ann").unwrap();
    assert_eq!((&ann["auth"], &ann["admin_gui"], &ann["ip"]), (&json!("iam"), &json!(false), &json!("127.0.0.1")));
    let path = format!("/sessions/{}", ann["id"].as_str().unwrap());
    host.admin(call("DELETE", &path)).expect(200);
    assert_eq!(own(&host), 401);
    host.admin(call("DELETE", &path)).expect(404);
}

#[test]
fn everybody_finds_their_own_sessions_below_me_and_ends_one_or_all_others() {
    let host = Host::start();
    let body = json!({"name": "ann", "permissions": []});
    let user = host.admin(call("POST", "/users").json(&body)).expect(201).json();
    let pair = json!({"access_key_id": user["access_key_id"], "secret_access_key": user["secret_access_key"]});
    let sign_in = || {
        let reply = call("POST", "/login-as").json(&pair).send(host.addr()).expect(200);
        reply.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned()
    };
    let (first, second, third) = (sign_in(), sign_in(), sign_in());
    let send = |method: &str, path: &str, cookie: &str| call(method, path).header("Cookie", cookie).send(host.addr());
    call("GET", "/me/sessions").send(host.addr()).expect(401);
    let admins = host.admin(call("GET", "/me/sessions")).expect(200).json();
    let admins = admins["sessions"][0]["id"].as_str().unwrap().to_owned();
    let own = send("GET", "/me/sessions", &first).expect(200).json();
    let own = own["sessions"].as_array().unwrap().clone();
    assert_eq!(own.len(), 3, "{own:?}");
    let id = |current: bool| own.iter().find(|s| s["current"] == current).unwrap()["id"].as_str().unwrap().to_owned();
    send("DELETE", &format!("/me/sessions/{admins}"), &first).expect(404);
    send("DELETE", &format!("/me/sessions/{}", id(true)), &first).expect(400);
    send("DELETE", &format!("/me/sessions/{}", id(false)), &first).expect(200);
    let good = |cookies: [&String; 2]| cookies.map(|cookie| send("GET", "/session", cookie).status == 200);
    assert_eq!(good([&second, &third]).iter().filter(|good| **good).count(), 1);
    assert_eq!(send("DELETE", "/me/sessions", &first).expect(200).json(), json!({"ended": 1}));
    assert_eq!(good([&second, &third]), [false, false]);
    send("GET", "/session", &first).expect(200);
    host.admin(call("GET", "/session")).expect(200);
}

#[test]
fn everybody_sees_and_ends_their_own_sessions_and_nobody_elses() {
    let host = Host::start();
    let body = json!({"name": "ann", "permissions": []});
    let user = host.admin(call("POST", "/users").json(&body)).expect(201).json();
    let pair = json!({"access_key_id": user["access_key_id"], "secret_access_key": user["secret_access_key"]});
    let sign_in = || {
        let reply = call("POST", "/login-as").json(&pair).send(host.addr()).expect(200);
        reply.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned()
    };
    let (first, second) = (sign_in(), sign_in());
    let own = |cookie: &str| call("GET", "/session").header("Cookie", cookie).send(host.addr());
    let sessions = own(&first).expect(200).json()["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2, "ann's own, and not the admin's");
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    let end = |id: &Value| call("DELETE", &format!("/sessions/{}", id.as_str().unwrap())).header("Cookie", &first);
    end(&other["id"]).send(host.addr()).expect(200);
    own(&second).expect(401);
    let admins = host.admin(call("GET", "/session")).expect(200).json()["session"]["id"].clone();
    end(&admins).send(host.addr()).expect(403);
    host.admin(call("GET", "/session")).expect(200);
}

#[test]
fn what_a_foreign_page_sends_counts_for_nothing() {
    let host = Host::start();
    let cookie = host.login(PASSWORD).header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned();
    let export = |site: &str| {
        call("GET", "/backup").header("Cookie", &cookie).header("Sec-Fetch-Site", site).send(host.addr()).status
    };
    assert_eq!((export("same-origin"), export("none")), (200, 200));
    assert_eq!((export("cross-site"), export("same-site")), (403, 403));
    let make = |name: &str, origin: &str| {
        let request = call("POST", "/users").header("Cookie", &cookie).header("Origin", origin);
        request.json(&json!({"name": name})).send(host.addr())
    };
    make("own", &format!("http://{}", host.addr())).expect(201);
    assert_eq!(code(&make("foreign", "http://evil.test").expect(403)), "bad_origin");
    make("null", "null").expect(403);
    assert_eq!(host.user_names(), ["own"]);
}
