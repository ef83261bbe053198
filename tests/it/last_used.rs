//! When keys and tokens were last used and users last signed in: known at once, kept over a stop, never in the config database.

use crate::support::client::Request;
use crate::support::server::{Host, S3};
use crate::support::signer::Signer;
use serde_json::{Value, json};

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("/_/api/admin{path}"))
}

fn user(host: &Host, id: &Value) -> Value {
    host.admin(call("GET", &format!("/users/{}", id.as_str().unwrap()))).expect(200).json()
}

#[test]
fn uses_are_noted_at_once_and_survive_a_restart() {
    let mut host = Host::start();
    let rules = json!([{"effect": "Allow", "actions": ["*"], "resources": ["*"]}]);
    let made =
        host.admin(call("POST", "/users").json(&json!({"name": "ann", "permissions": rules}))).expect(201).json();
    assert_eq!((&made["last_used_at"], &made["last_login_at"]), (&Value::Null, &Value::Null));
    let pair = (made["access_key_id"].as_str().unwrap(), made["secret_access_key"].as_str().unwrap());
    let token = host.admin(call("POST", "/tokens").json(&json!({"name": "t", "role": "viewer"}))).expect(201).json();
    assert_eq!(token["last_used_at"], Value::Null);
    let version = host.admin(call("GET", "/users")).expect(200).header("etag").map(str::to_owned);

    let mut wrong = Signer::new(pair.0, pair.1);
    wrong.secret.push('x');
    S3 { addr: host.addr(), signer: wrong }.send(Request::new("GET", "/")).expect(403);
    assert_eq!(user(&host, &made["id"])["last_used_at"], Value::Null, "a wrong signature is no use");

    S3 { addr: host.addr(), signer: Signer::new(pair.0, pair.1) }.send(Request::new("GET", "/")).expect(200);
    let used = user(&host, &made["id"]);
    assert!(used["last_used_at"].is_string() && used["last_login_at"].is_null(), "{used}");
    assert_eq!(used["access_keys"][0]["last_used_at"], used["last_used_at"]);
    let body = json!({"access_key_id": pair.0, "secret_access_key": pair.1});
    call("POST", "/login-as").json(&body).send(host.addr()).expect(200);
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    call("GET", "/users").header("Authorization", &bearer).send(host.addr()).expect(200);

    let signed_in = user(&host, &made["id"]);
    assert!(signed_in["last_login_at"].is_string(), "{signed_in}");
    let tokens = host.admin(call("GET", "/tokens")).expect(200).json();
    assert!(tokens[0]["last_used_at"].is_string(), "{tokens}");
    let keys = host.admin(call("GET", &format!("/users/{}/keys", made["id"].as_str().unwrap()))).expect(200).json();
    assert_eq!(keys[0]["last_used_at"], signed_in["last_used_at"]);
    let now = host.admin(call("GET", "/users")).expect(200).header("etag").map(str::to_owned);
    assert_eq!(now, version, "no use and no sign-in changes the configuration's database");

    host.restart();
    assert_eq!(user(&host, &made["id"]), signed_in);
    assert_eq!(host.admin(call("GET", "/tokens")).expect(200).json(), tokens);
    // What a list gave may be sent back.
    let path = format!("/users/{}", made["id"].as_str().unwrap());
    let mut back = signed_in.clone();
    back["permissions"] = json!([]);
    host.admin(call("PUT", &path).json(&back)).expect(200);
}
