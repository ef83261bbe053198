//! The admin API of sign-in: providers, mapping rules, identities and the preview, without any provider at the other end.

use crate::support::client::{Reply, Request};
use crate::support::server::Host;
use serde_json::{Value, json};

const API: &str = "/_/api/admin/ext-auth";

fn call(method: &str, path: &str) -> Request {
    Request::new(method, &format!("{API}{path}"))
}

fn code(reply: &Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}

fn make(host: &Host, path: &str, body: &Value) -> Value {
    host.admin(call("POST", path).json(body)).expect(201).json()
}

fn id(made: &Value) -> &str {
    made["id"].as_str().unwrap()
}

fn group(host: &Host, name: &str) -> String {
    let made = host.admin(Request::new("POST", "/_/api/admin/groups").json(&json!({"name": name}))).expect(201);
    id(&made.json()).to_owned()
}

fn google() -> Value {
    json!({"name": "google", "provider_type": "google", "display_name": "Google", "client_id": "c1", "client_secret": "hush"})
}

#[test]
fn a_provider_is_made_changed_and_removed_and_its_secret_never_shown() {
    let host = Host::start();
    let made = host.admin(call("POST", "/providers").json(&google())).expect(201);
    assert!(!made.text().contains("hush"));
    let made = made.json();
    assert_eq!(
        (&made["issuer_url"], &made["client_secret_set"]),
        (&json!("https://accounts.google.com"), &json!(true))
    );
    let rules = json!({"allowed_domains": [], "require_email_verified": true, "auto_provision": true});
    assert_eq!((&made["extra_config"], &made["scopes"]), (&rules, &json!("openid email profile")));
    let path = format!("/providers/{}", id(&made));

    let mut sent_back = made.clone();
    sent_back["extra_config"] = json!({"allowed_domains": ["Example.com"]});
    sent_back["display_name"] = Value::Null;
    let changed = host.admin(call("PUT", &path).json(&sent_back)).expect(200).json();
    let rules = json!({"allowed_domains": ["example.com"], "require_email_verified": true, "auto_provision": true});
    assert_eq!((&changed["extra_config"], &changed["display_name"]), (&rules, &Value::Null));
    assert_eq!(changed["client_secret_set"], true, "a change that does not name the secret keeps it");
    let removed = host.admin(call("PUT", &path).json(&json!({"client_secret": ""}))).expect(200).json();
    assert_eq!(removed["client_secret_set"], false);

    let taken = host.admin(call("POST", "/providers").json(&google())).expect(409);
    assert_eq!(code(&taken), "provider_name_taken");
    let bad = host.admin(call("POST", "/providers").json(&json!({"name": "x", "client_id": "c"}))).expect(400);
    assert_eq!(code(&bad), "invalid_provider");
    host.admin(call("DELETE", &path)).expect(204);
    assert_eq!(code(&host.admin(call("GET", &path)).expect(404)), "no_such_provider");
}

#[test]
fn the_sign_in_page_learns_the_names_alone_and_only_of_those_switched_on() {
    let host = Host::start();
    let providers = |host: &Host| Request::new("GET", "/_/api/whoami").send(host.addr()).expect(200).json();
    assert_eq!(providers(&host)["external_providers"], json!([]));
    make(
        &host,
        "/providers",
        &json!({"name": "b", "client_id": "c", "issuer_url": "https://b.example.com", "priority": 2}),
    );
    make(&host, "/providers", &google());
    let off = json!({"name": "off", "client_id": "c", "issuer_url": "https://o.example.com", "enabled": false});
    make(&host, "/providers", &off);
    let shown = json!([
        {"name": "google", "type": "google", "display_name": "Google"},
        {"name": "b", "type": "oidc", "display_name": "b"},
    ]);
    assert_eq!(providers(&host)["external_providers"], shown);
}

#[test]
fn rules_are_previewed_for_an_address_and_for_claims() {
    let host = Host::start();
    let (staff, ops) = (group(&host, "staff"), group(&host, "ops"));
    let provider = make(&host, "/providers", &google());
    let by_domain = json!({"match_type": "email_domain", "match_value": "example.com", "group_id": staff});
    let by_domain = make(&host, "/mappings", &by_domain);
    assert_eq!((&by_domain["match_field"], &by_domain["provider_id"]), (&json!("email"), &Value::Null));
    let by_claim = json!({"match_type": "claim_value", "match_field": "roles", "match_value": "ops", "group_id": ops,
                          "provider_id": provider["id"], "priority": -1});
    let by_claim = make(&host, "/mappings", &by_claim);
    let preview = |body: Value| host.admin(call("POST", "/mappings/preview").json(&body)).expect(200).json();

    let found = preview(json!({"email": "a@example.com"}));
    assert_eq!((&found["group_names"], &found["refused"]), (&json!(["staff"]), &Value::Null));
    let claims = json!({"email": "a@example.com", "email_verified": true, "roles": ["ops"]});
    let found = preview(json!({"claims": claims, "provider": "google"}));
    let matched: Vec<&Value> = found["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
    assert_eq!((matched, &found["refused"]), (vec![&by_claim["id"], &by_domain["id"]], &Value::Null));
    let found = preview(json!({"claims": {"roles": ["ops"]}, "provider": "google"}));
    assert_eq!((&found["group_ids"], &found["refused"]["code"]), (&json!([ops]), &json!("sso_email_missing")));
    let unknown = host.admin(call("POST", "/mappings/preview").json(&json!({"provider": "none"}))).expect(404);
    assert_eq!(code(&unknown), "no_such_provider");

    let everywhere = json!({"provider_id": null, "match_value": "operators", "enabled": false});
    let path = format!("/mappings/{}", id(&by_claim));
    let changed = host.admin(call("PUT", &path).json(&everywhere)).expect(200).json();
    assert_eq!((&changed["provider_id"], &changed["match_value"]), (&Value::Null, &json!("operators")));
    let bad = json!({"match_type": "email_regex", "match_field": "email", "match_value": "("});
    assert_eq!(code(&host.admin(call("PUT", &path).json(&bad)).expect(400)), "invalid_mapping_rule");
    host.admin(call("DELETE", &path)).expect(204);
    assert_eq!(code(&host.admin(call("DELETE", &path)).expect(404)), "no_such_rule");
}

#[test]
fn a_person_is_bound_by_hand_and_unbound_again() {
    let host = Host::start();
    let provider = make(&host, "/providers", &google());
    let user = host.admin(Request::new("POST", "/_/api/admin/users").json(&json!({"name": "ann"}))).expect(201).json();
    let bond = json!({"user_id": user["id"], "provider_id": provider["id"], "external_sub": "s1"});
    let bound = make(&host, "/identities", &bond);
    assert_eq!((&bound["user_name"], &bound["provider_name"]), (&json!("ann"), &json!("google")));
    assert_eq!(code(&host.admin(call("POST", "/identities").json(&bond)).expect(409)), "identity_taken");
    assert_eq!(host.admin(call("GET", "/identities")).expect(200).json(), json!([bound]));

    let pair = json!({"access_key_id": user["access_key_id"], "secret_access_key": user["secret_access_key"]});
    let session = Request::new("POST", "/_/api/admin/login-as").json(&pair).send(host.addr()).expect(200);
    let cookie = session.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap().to_owned();
    let own = || Request::new("GET", "/_/api/admin/session").header("Cookie", &cookie).send(host.addr()).status;
    assert_eq!(own(), 200);
    host.admin(call("DELETE", &format!("/identities/{}", id(&bound)))).expect(204);
    assert_eq!(own(), 401, "to unbind a person ends what they are signed in with");
    assert_eq!(host.admin(call("GET", "/identities")).expect(200).json(), json!([]));
}
