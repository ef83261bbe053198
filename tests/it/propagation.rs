//! A change of rights is in force on the very next request after its answer: for S3, console session and API token alike, under load.

use crate::support::archive::Archive;
use crate::support::client::Request;
use crate::support::server::{Host, S3};
use crate::support::signer::Signer;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const API: &str = "/_/api/admin";
/// Who else is busy meanwhile.
const OTHERS: usize = 8;
const ROUNDS: usize = 6;

fn everything() -> Value {
    json!([{"effect": "Allow", "actions": ["*"], "resources": ["*"]}])
}

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

/// Somebody with an S3 key pair, a session and a token of that session's making.
struct Somebody {
    id: String,
    s3: S3,
    cookie: String,
}

impl Somebody {
    fn new(host: &Host, name: &str, permissions: &Value, groups: &Value) -> Self {
        let body = json!({"name": name, "permissions": permissions, "group_ids": groups});
        let made = host.admin(call("POST", "/users").json(&body)).expect(201).json();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        let (key, secret) = (text("access_key_id"), text("secret_access_key"));
        let pair = json!({"access_key_id": key, "secret_access_key": secret});
        let reply = call("POST", "/login-as").json(&pair).send(host.addr()).expect(200);
        let cookie = reply.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned();
        Self { id: text("id"), s3: S3 { addr: host.addr(), signer: Signer::new(&key, &secret) }, cookie }
    }

    /// How S3 and the console answer.
    fn tries(&self, host: &Host) -> (u16, u16) {
        let console = call("GET", "/users").header("Cookie", &self.cookie).send(host.addr()).status;
        (self.s3.get("shared", "k").status, console)
    }
}

fn bearer(host: &Host, token: &str) -> u16 {
    call("GET", "/users").header("Authorization", &format!("Bearer {token}")).send(host.addr()).status
}

#[test]
fn a_lost_right_is_lost_on_the_next_request_under_load() {
    let host = Host::start();
    let owner = host.admin_user("owner");
    owner.make_bucket("shared");
    owner.put("shared", "k", "v").expect(200);
    let group = json!({"name": "staff", "permissions": everything()});
    let group = host.admin(call("POST", "/groups").json(&group)).expect(201).json()["id"].as_str().unwrap().to_owned();
    let (done, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..OTHERS {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    owner.get("shared", "k").expect(200);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Ends the others also where something here panics.
        struct Ends<'a>(&'a AtomicBool);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _ends = Ends(&done);
        for round in 0..ROUNDS {
            let somebody = |what: &str, rules: &Value, groups: &Value| {
                let somebody = Somebody::new(&host, &format!("{what}-{round}"), rules, groups);
                assert_eq!(somebody.tries(&host), (200, 200), "{what}: a right that was given is there at once");
                somebody
            };
            let demoted = somebody("demoted", &everything(), &json!([]));
            host.admin(call("PUT", &format!("/users/{}", demoted.id)).json(&json!({"permissions": []}))).expect(200);
            assert_eq!(demoted.tries(&host), (403, 403), "demoted");

            let disabled = somebody("disabled", &everything(), &json!([]));
            host.admin(call("PUT", &format!("/users/{}", disabled.id)).json(&json!({"enabled": false}))).expect(200);
            assert_eq!(disabled.tries(&host), (403, 401), "disabled");

            let deleted = somebody("deleted", &everything(), &json!([]));
            host.admin(call("DELETE", &format!("/users/{}", deleted.id))).expect(204);
            assert_eq!(deleted.tries(&host), (403, 401), "deleted");

            let left = somebody("left", &json!([]), &json!([group]));
            host.admin(call("DELETE", &format!("/groups/{group}/members/{}", left.id))).expect(204);
            assert_eq!(left.tries(&host), (403, 403), "out of the group");
            host.admin(call("POST", &format!("/groups/{group}/members")).json(&json!({"user_id": left.id})))
                .expect(200);
            assert_eq!(left.tries(&host), (200, 200), "and in again");

            let member = somebody("member", &json!([]), &json!([group]));
            let permissions = |rules: &Value| json!({"permissions": rules});
            host.admin(call("PUT", &format!("/groups/{group}")).json(&permissions(&json!([])))).expect(200);
            assert_eq!(member.tries(&host), (403, 403), "the group lost its rules");
            host.admin(call("PUT", &format!("/groups/{group}")).json(&permissions(&everything()))).expect(200);

            let body = json!({"name": format!("token-{round}"), "role": "viewer"});
            let made = host.admin(call("POST", "/tokens").json(&body)).expect(201).json();
            let token = made["token"].as_str().unwrap();
            assert_eq!(bearer(&host, token), 200);
            host.admin(call("DELETE", &format!("/tokens/{}", made["id"].as_str().unwrap()))).expect(204);
            assert_eq!(bearer(&host, token), 401, "a token that is gone");
        }
    });
    assert!(served.load(Ordering::Relaxed) > 0);
}

#[test]
fn without_any_user_authentication_stays_on() {
    let host = Host::start();
    let empty = host.backup();
    assert!(Archive::read(&empty).json("iam.json")["users"].as_array().unwrap().is_empty());
    let closed = |when: &str| {
        let anonymous = |method: &str, path: &str| Request::new(method, path).send(host.addr()).status;
        assert_eq!(anonymous("GET", "/"), 403, "{when}");
        assert_eq!(anonymous("PUT", "/opened"), 403, "{when}");
        assert_eq!(anonymous("GET", "/_/api/admin/users"), 401, "{when}");
    };
    closed("a fresh start");
    let last = Somebody::new(&host, "last", &everything(), &json!([]));
    host.admin(call("DELETE", &format!("/users/{}", last.id))).expect(204);
    closed("the last user deleted");
    assert_eq!(last.s3.send(Request::new("GET", "/")).status, 403);
    host.admin_user("again");
    host.restore(&empty).expect(200);
    assert_eq!(host.user_names(), Vec::<String>::new());
    closed("an empty archive restored");
    host.admin_user("again");
    let nobody = json!({"yaml": "access: {iam_mode: declarative, iam_users: [], iam_groups: []}\n"});
    host.admin(call("POST", "/config/declarative-iam-apply").json(&nobody)).expect(400);
    closed("an empty document");
    let groups_only = json!({"yaml": "access: {iam_mode: declarative, iam_users: [], iam_groups: [{name: g}]}\n"});
    host.admin(call("POST", "/config/declarative-iam-apply").json(&groups_only)).expect(200);
    assert_eq!(host.user_names(), Vec::<String>::new());
    closed("a document without users");
}

/// Whoever may change IAM without being an admin gives no more than it has, and touches no admin.
#[test]
fn a_lead_gives_what_it_has_and_no_more() {
    let host = Host::start();
    let readers = json!([
        {"effect": "Allow", "actions": ["iam:read", "iam:write"], "resources": ["*"]},
        {"effect": "Allow", "actions": ["read", "list"], "resources": ["builds", "builds/*"]},
    ]);
    let lead = Somebody::new(&host, "lead", &readers, &json!([]));
    let admin = Somebody::new(&host, "boss", &everything(), &json!([]));
    let by_lead = |request: Request| request.header("Cookie", &lead.cookie).send(host.addr());
    let code = |reply: &crate::support::client::Reply| reply.json()["code"].as_str().unwrap_or_default().to_owned();
    let allow =
        |actions: &[&str], resources: &[&str]| json!([{"effect": "Allow", "actions": actions, "resources": resources}]);

    let reader = json!({"name": "reader", "permissions": allow(&["read"], &["builds/ci/*"])});
    by_lead(call("POST", "/users").json(&reader)).expect(201);
    for body in [allow(&["write"], &["builds/*"]), allow(&["read"], &["*"]), everything()] {
        let user = json!({"name": "x", "permissions": body});
        assert_eq!(code(&by_lead(call("POST", "/users").json(&user)).expect(403)), "grant_exceeds_own");
        let token = json!({"name": "x", "permissions": body});
        assert_eq!(code(&by_lead(call("POST", "/tokens").json(&token)).expect(403)), "grant_exceeds_own");
        let own = json!({"permissions": body});
        let refused = by_lead(call("PUT", &format!("/users/{}", lead.id)).json(&own)).expect(403);
        assert_eq!(code(&refused), "grant_exceeds_own");
    }
    let path = format!("/users/{}", admin.id);
    for request in [
        call("DELETE", &path),
        call("PUT", &path).json(&json!({"enabled": false})),
        call("POST", &format!("{path}/rotate-keys")),
        call("POST", &format!("{path}/keys")).json(&json!({})),
    ] {
        assert_eq!(code(&by_lead(request).expect(403)), "admin_untouchable");
    }
    assert_eq!(admin.tries(&host).1, 200);
    let role = json!({"name": "root", "role": "admin"});
    assert_eq!(code(&by_lead(call("POST", "/tokens").json(&role)).expect(403)), "grant_exceeds_own");
}
