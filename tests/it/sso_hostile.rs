//! Sign-in with a provider that does one thing wrong: each ends with its code, without a session, and with a row in the audit log.

use crate::support::client::{Reply, Request};
use crate::support::idp::{Answer, Idp, NAME, Sign, back, session};
use crate::support::server::{Host, S3};
use crate::support::signer::Signer;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

fn code(reply: &Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}

fn sessions(host: &Host) -> usize {
    let all = host.admin(Request::new("GET", "/_/api/admin/sessions")).expect(200).json();
    all["sessions"].as_array().unwrap().len()
}

fn rows(host: &Host) -> Vec<Value> {
    let rows = host.admin(Request::new("GET", "/_/api/admin/audit?limit=200")).expect(200).json();
    rows.as_array().or_else(|| rows["rows"].as_array()).unwrap_or_else(|| panic!("{rows}")).clone()
}

#[track_caller]
fn refused(host: &Host, reply: &Reply, wanted: &str) {
    assert!(reply.status >= 400, "{wanted}: {} {}", reply.status, reply.text());
    assert_eq!((code(reply).as_str(), session(reply)), (wanted, None));
    let row = |row: &Value| row["action"] == "login" && row["outcome"] == "denied" && row.to_string().contains(wanted);
    assert!(rows(host).iter().any(row), "there is no row of {wanted}: {:?}", rows(host).first());
}

#[test]
fn an_id_token_that_is_wrong_in_one_thing_signs_nobody_in() {
    let (host, idp) = (Host::start(), Idp::start());
    idp.register(&host, json!({}));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let good = idp.sign_in(&host).expect(303);
    assert_eq!(good.header("location"), Some("/_/"));
    let cookie = session(&good).expect("a session is opened");
    let own = Request::new("GET", "/_/api/admin/session").header("Cookie", &cookie).send(host.addr()).expect(200);
    assert_eq!(own.json()["identity"], "ann@example.com");

    let claims = [
        ("sso_wrong_issuer", json!({"iss": "https://id.example.com"})),
        ("sso_token_invalid", json!({"iss": null})),
        ("sso_wrong_audience", json!({"aud": "another"})),
        ("sso_wrong_audience", json!({"aud": ["dgp", "another"]})),
        ("sso_wrong_audience", json!({"azp": "another"})),
        ("sso_wrong_nonce", json!({"nonce": "another"})),
        ("sso_wrong_nonce", json!({"nonce": null})),
        ("sso_token_expired", json!({"exp": now - 120})),
        ("sso_token_not_yet_valid", json!({"nbf": now + 300})),
        ("sso_token_not_yet_valid", json!({"iat": now + 300})),
        ("sso_email_unverified", json!({"email_verified": false})),
        ("sso_email_unverified", json!({"email_verified": null})),
        ("sso_email_missing", json!({"email": null})),
    ];
    for (wanted, change) in claims {
        let before = sessions(&host);
        idp.script().claims = change.clone();
        let reply = idp.sign_in(&host);
        assert_eq!(code(&reply), wanted, "{change}");
        refused(&host, &reply, wanted);
        assert_eq!(sessions(&host), before, "{change}");
        // What is right again gets in again, and is not held to account for what went before.
        idp.behave();
        idp.sign_in(&host).expect(303);
    }
    let signatures = [
        (Sign::Not, "sso_bad_algorithm"),
        (Sign::ByPublicKey, "sso_bad_algorithm"),
        (Sign::ByStranger, "sso_bad_signature"),
    ];
    for (sign, wanted) in signatures {
        idp.script().sign = sign;
        refused(&host, &idp.sign_in(&host), wanted);
        idp.behave();
        idp.sign_in(&host).expect(303);
    }
    assert!(!host.log().contains("known to both"), "a secret went into the log");
}

#[test]
fn a_key_that_is_new_is_asked_for_once_and_one_that_nobody_publishes_signs_nothing() {
    let (host, idp) = (Host::start(), Idp::start());
    idp.register(&host, json!({}));
    idp.sign_in(&host).expect(303);
    idp.sign_in(&host).expect(303);
    assert_eq!(idp.script().keys_asked, 1, "what is known is not asked again");
    idp.rotate();
    idp.sign_in(&host).expect(303);
    assert_eq!(idp.script().keys_asked, 2);
    idp.sign_in(&host).expect(303);
    assert_eq!(idp.script().keys_asked, 2);
    idp.script().kid = Some("none");
    refused(&host, &idp.sign_in(&host), "sso_unknown_key");
    assert_eq!(idp.script().keys_asked, 3);
}

#[test]
fn an_answer_that_is_too_large_or_leads_elsewhere_is_not_read() {
    let (host, idp) = (Host::start(), Idp::start());
    idp.register(&host, json!({}));
    idp.sign_in(&host).expect(303);
    let answers = [
        ("/token", Answer::Redirect("http://169.254.169.254/latest/meta-data/"), "sso_provider_redirects"),
        ("/token", Answer::Huge, "sso_answer_too_large"),
        ("/token", Answer::Of(400, json!({"error": "invalid_client"})), "sso_exchange_refused"),
        ("/token", Answer::Of(200, json!({"access_token": "a", "token_type": "Bearer"})), "sso_token_invalid"),
        ("/userinfo", Answer::Redirect("http://169.254.169.254/latest/meta-data/"), "sso_provider_redirects"),
        ("/userinfo", Answer::Of(500, json!({})), "sso_userinfo_failed"),
        ("/userinfo", Answer::Of(200, json!({"sub": "s2", "email": "b@example.com"})), "sso_userinfo_failed"),
    ];
    for (path, answer, wanted) in answers {
        if path == "/userinfo" {
            idp.script().claims = json!({"email": null});
        }
        idp.script().answers.insert(path, answer);
        refused(&host, &idp.sign_in(&host), wanted);
        idp.behave();
        idp.sign_in(&host).expect(303);
    }
    // What the ID token does not say is asked for, of the same person.
    idp.script().claims = json!({"email": null});
    idp.script().userinfo = json!({"sub": "s1", "email": "ann@example.com", "email_verified": true});
    idp.sign_in(&host).expect(303);
}

#[test]
fn a_provider_that_never_ends_its_answer_is_given_up() {
    let (host, idp) = (Host::start(), Idp::start());
    idp.register(&host, json!({}));
    idp.sign_in(&host).expect(303);
    idp.script().answers.insert("/token", Answer::Slow);
    refused(&host, &idp.sign_in(&host), "sso_provider_timeout");
}

#[test]
fn a_provider_that_describes_itself_wrongly_is_not_gone_to() {
    let changes = [
        (json!({"issuer": "https://id.example.com"}), "sso_wrong_issuer"),
        (json!({"jwks_uri": "https://169.254.169.254/latest"}), "sso_address_refused"),
        (json!({"jwks_uri": "https://[fd00:ec2::254]/latest"}), "sso_address_refused"),
        (json!({"jwks_uri": "http://id.example.com/keys"}), "sso_issuer_insecure"),
        (json!({"authorization_endpoint": "javascript:alert(1)"}), "sso_issuer_insecure"),
        (json!({"token_endpoint": null}), "sso_discovery_invalid"),
        (json!({"jwks_uri": null}), "sso_discovery_invalid"),
    ];
    for (change, wanted) in changes {
        let (host, idp) = (Host::start(), Idp::start());
        let id = idp.register(&host, json!({}));
        idp.script().discovery = change.clone();
        let reply = Request::new("GET", &format!("/_/api/admin/oauth/authorize/{NAME}")).send(host.addr());
        assert_eq!((code(&reply).as_str(), reply.header("set-cookie")), (wanted, None), "{change}");
        refused(&host, &reply, wanted);
        let test = Request::new("POST", &format!("/_/api/admin/ext-auth/providers/{id}/test"));
        let report = host.admin(test).expect(200).json();
        assert_eq!((&report["success"], report["code"].as_str()), (&json!(false), Some(wanted)), "{report}");
    }
    let host = Host::start();
    for (issuer, wanted) in [
        ("http://id.example.com", "sso_issuer_insecure"),
        ("https://169.254.169.254", "sso_address_refused"),
        ("https://[::ffff:a9fe:a9fe]", "sso_address_refused"),
    ] {
        let provider = json!({"name": "x", "client_id": "c", "issuer_url": issuer});
        let reply = host.admin(Request::new("POST", "/_/api/admin/ext-auth/providers").json(&provider)).expect(400);
        assert_eq!(code(&reply), wanted);
    }
}

#[test]
fn a_way_back_counts_once_and_for_the_browser_that_began_it() {
    let (host, idp) = (Host::start(), Idp::start());
    idp.register(&host, json!({}));
    let (state, cookie) = idp.begin(&host);
    refused(&host, &back(&state).send(host.addr()), "sso_state_mismatch");
    refused(&host, &back(&state).header("Cookie", &cookie).send(host.addr()), "sso_state_unknown");

    let (state, cookie) = idp.begin(&host);
    back(&state).header("Cookie", &cookie).send(host.addr()).expect(303);
    refused(&host, &back(&state).header("Cookie", &cookie).send(host.addr()), "sso_state_unknown");

    let (state, cookie) = idp.begin(&host);
    let said_no = format!("/_/api/admin/oauth/callback?error=access_denied&state={state}");
    let reply = Request::new("GET", &said_no).header("Cookie", &cookie).send(host.addr());
    refused(&host, &reply, "sso_refused_by_provider");
    let (state, cookie) = idp.begin(&host);
    let other = format!("/_/api/admin/oauth/callback?code=c&iss=https%3A%2F%2Fid.example.com&state={state}");
    let reply = Request::new("GET", &other).header("Cookie", &cookie).send(host.addr());
    refused(&host, &reply, "sso_wrong_issuer");
}

#[test]
fn a_browser_is_led_back_to_the_console_with_the_code() {
    let host = Host::start();
    let page =
        |target: &str| Request::new("GET", target).header("Accept", "text/html,*/*").send(host.addr()).expect(303);
    let unknown = page("/_/api/admin/oauth/authorize/none");
    let location = unknown.header("location").unwrap();
    assert!(location.starts_with("/_/?sso_error=no_such_provider&sso_provider=none&sso_request="), "{location}");
    let late = page("/_/api/admin/oauth/callback?code=c&state=x");
    assert!(late.header("location").unwrap().starts_with("/_/?sso_error=sso_state_unknown"));
    // Whoever guesses states waits longer and longer.
    let guess = || Request::new("GET", "/_/api/admin/oauth/callback?state=x").send(host.addr()).status;
    assert!((0..10).any(|_| guess() == 429));
}

#[test]
fn who_signed_in_makes_s3_keys_of_their_own_and_nobody_elses() {
    let (host, idp) = (Host::start(), Idp::start());
    idp.register(&host, json!({}));
    let cookie = session(&idp.sign_in(&host)).expect("a session is opened");
    let as_ann = |request: Request| request.header("Cookie", &cookie).send(host.addr());
    let users = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
    let keys = format!("/_/api/admin/users/{}/keys", users[0]["id"].as_str().unwrap());
    let made = as_ann(Request::new("POST", &keys).json(&json!({}))).expect(201).json();
    assert!(made["expires_at"].is_string(), "one's own key has an end: {made}");
    let pair = Signer::new(made["access_key_id"].as_str().unwrap(), made["secret_access_key"].as_str().unwrap());
    let s3 = S3 { addr: host.addr(), signer: pair };
    assert_eq!(
        s3.send(Request::new("GET", "/nothing-yet")).s3_code(),
        "AccessDenied",
        "the pair signs, and has no rights"
    );
    for life in ["never", "91d"] {
        let long = as_ann(Request::new("POST", &keys).json(&json!({"expires_in": life}))).expect(400);
        assert_eq!(code(&long), "invalid_expiry");
    }
    let path = format!("{keys}/{}", made["access_key_id"].as_str().unwrap());
    assert_eq!(
        code(&as_ann(Request::new("PUT", &path).json(&json!({"expires_in": "never"}))).expect(400)),
        "invalid_expiry"
    );
    assert_eq!(as_ann(Request::new("GET", &keys)).expect(200).json().as_array().unwrap().len(), 1);

    // The same without knowing one's own id, and the session goes on without the pair.
    let who = as_ann(Request::new("GET", "/_/api/whoami")).expect(200).json();
    assert_eq!((&who["user"]["id"], &who["user"]["makes_own_keys"]), (&users[0]["id"], &json!(true)));
    let own = "/_/api/admin/me/keys";
    let mine = format!("{own}/{}", made["access_key_id"].as_str().unwrap());
    as_ann(Request::new("PUT", &mine).json(&json!({"active": false}))).expect(200);
    assert_eq!(s3.send(Request::new("GET", "/nothing-yet")).s3_code(), "InvalidAccessKeyId");
    let second = as_ann(Request::new("POST", own).json(&json!({"expires_in": "90d"}))).expect(201).json();
    assert!(second["secret_access_key"].is_string() && second["expires_at"].is_string(), "{second}");
    let long = as_ann(Request::new("POST", own).json(&json!({"expires_in": "91d"}))).expect(400);
    assert_eq!(code(&long), "invalid_expiry");
    as_ann(Request::new("DELETE", &mine)).expect(204);
    assert_eq!(code(&as_ann(Request::new("DELETE", &mine)).expect(404)), "no_such_key");
    let left = as_ann(Request::new("GET", own)).expect(200).json();
    assert_eq!((&left[0]["access_key_id"], left.as_array().unwrap().len()), (&second["access_key_id"], 1));

    let other = host.admin(Request::new("POST", "/_/api/admin/users").json(&json!({"name": "bob"}))).expect(201).json();
    let others = format!("/_/api/admin/users/{}/keys", other["id"].as_str().unwrap());
    as_ann(Request::new("GET", &others)).expect(403);
    as_ann(Request::new("POST", &others).json(&json!({}))).expect(403);
    as_ann(Request::new("POST", &format!("{}/rotate-keys", keys.trim_end_matches("/keys")))).expect(403);
    // A user of our own has no such way: an admin gave it the pair that it has.
    let bob = json!({"access_key_id": other["access_key_id"], "secret_access_key": other["secret_access_key"]});
    let bob =
        session(&Request::new("POST", "/_/api/admin/login-as").json(&bob).send(host.addr())).expect("bob signs in");
    Request::new("POST", &others).json(&json!({})).header("Cookie", &bob).send(host.addr()).expect(403);
    let as_bob = |request: Request| request.header("Cookie", &bob).send(host.addr());
    assert_eq!(as_bob(Request::new("GET", own)).expect(200).json().as_array().unwrap().len(), 1);
    assert_eq!(code(&as_bob(Request::new("POST", own).json(&json!({}))).expect(403)), "no_own_keys");
    assert_eq!(code(&as_bob(Request::new("DELETE", &mine)).expect(403)), "no_own_keys");
    assert_eq!(code(&host.admin(Request::new("GET", own)).expect(403)), "no_own_keys");
}

#[test]
fn sessions_end_with_the_provider_the_bond_and_the_key_pair_that_opened_them() {
    let (host, idp) = (Host::start(), Idp::start());
    let provider = idp.register(&host, json!({}));
    let provider = format!("/_/api/admin/ext-auth/providers/{provider}");
    let good = |cookie: &str| {
        Request::new("GET", "/_/api/admin/session").header("Cookie", cookie).send(host.addr()).status == 200
    };
    let admin = |method: &str, path: &str, body: serde_json::Value| host.admin(Request::new(method, path).json(&body));
    let ann = session(&idp.sign_in(&host)).expect("a session is opened");
    assert!(good(&ann));
    admin("PUT", &provider, json!({"display_name": "Main"})).expect(200);
    assert!(good(&ann), "another name is no reason");
    admin("PUT", &provider, json!({"enabled": false})).expect(200);
    assert!(!good(&ann));
    admin("PUT", &provider, json!({"enabled": true})).expect(200);
    assert!(!good(&ann), "switched on again, it brings nobody back in");

    let ann = session(&idp.sign_in(&host)).expect("a session is opened");
    let id = admin("GET", "/_/api/admin/users", json!(null)).json()[0]["id"].as_str().unwrap().to_owned();
    let keys = format!("/_/api/admin/users/{id}/keys");
    let pair = admin("POST", &keys, json!({})).expect(201).json();
    let sign_in = json!({"access_key_id": pair["access_key_id"], "secret_access_key": pair["secret_access_key"]});
    let by_key = session(&Request::new("POST", "/_/api/admin/login-as").json(&sign_in).send(host.addr()));
    let by_key = by_key.expect("a key pair opens a session");
    admin("PUT", &format!("{keys}/{}", pair["access_key_id"].as_str().unwrap()), json!({"active": false})).expect(200);
    assert!(!good(&by_key) && good(&ann), "what the key pair opened ends, and nothing else");

    let identities = admin("GET", "/_/api/admin/ext-auth/identities", json!(null)).json();
    let bond = format!("/_/api/admin/ext-auth/identities/{}", identities[0]["id"].as_str().unwrap());
    host.admin(Request::new("DELETE", &bond)).expect(204);
    assert!(!good(&ann));
    let ann = session(&idp.sign_in(&host)).expect("the provider makes users");
    host.admin(Request::new("DELETE", &provider)).expect(204);
    assert!(!good(&ann));
}
